/**
 * What the center promises of a selection, and of a change that is taken back.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';

import { Desk } from '../center/desk';
import type { NotificationModel } from '../tokens';
import type { Changed, StateChange } from '../wire';
import { row } from './rows';

const rows = ['a', 'b', 'c', 'd'].map((id, index) => row(id, 9 - index));
const [a, b, c, d] = rows;

/** A desk, and what it asked for and said. */
function make(): {
  desk: Desk;
  asked: [NotificationModel.Selection, StateChange][];
  failures: [string, string | null][];
  restored: string[];
  /** What the server says to the first request, and to the second. */
  answers: PromiseDelegate<Changed>[];
} {
  const answers = [1, 2].map(() => new PromiseDelegate<Changed>());
  const asked: [NotificationModel.Selection, StateChange][] = [];
  const failures: [string, string | null][] = [];
  const restored: string[] = [];
  const desk = new Desk({
    model: {
      change: (selection, state) => {
        asked.push([selection, state]);
        return answers[asked.length - 1].promise;
      }
    },
    listing: { rows },
    trans: nullTranslator.load('jupyterlab_notify'),
    format: String,
    began: () => undefined,
    failed: (reason, id) => failures.push([(reason as Error).message, id]),
    restored: id => restored.push(id)
  });
  return { desk, asked, failures, restored, answers };
}

function changed(count: number, seqs: [number, number] | null = null): Changed {
  return { changed: count, seqs, cursor: 'e:9' };
}

describe('A selection', () => {
  it('takes rows in and out, and ranges in both directions', () => {
    const { desk } = make();
    desk.select(c, false);
    desk.select(a, true);
    expect([...desk.selection].sort()).toEqual(['a', 'b', 'c']);
    desk.select(b, false);
    desk.select(d, true);
    expect([...desk.selection].sort()).toEqual(['a', 'b', 'c', 'd']);
    desk.select(a, false);
    expect(desk.selection.has('a')).toBe(false);
    expect(desk.clear()).toBe(true);
    expect(desk.clear()).toBe(false);
  });

  it('begins a range where it ends, if nothing was selected before', () => {
    const { desk } = make();
    desk.select(c, true);
    expect([...desk.selection]).toEqual(['c']);
  });

  it('holds only what is in the list, and says when that changes it', () => {
    const { desk } = make();
    desk.all();
    const told = jest.fn();
    desk.changed.connect(told);
    desk.keep(rows);
    expect(told).not.toHaveBeenCalled();
    desk.keep([b]);
    expect([...desk.selection]).toEqual(['b']);
    expect(told).toHaveBeenCalledTimes(1);
  });
});

describe('A change', () => {
  it('can be taken back at once, and is once the server has made it', async () => {
    const { desk, asked, answers, restored } = make();
    const done = desk.dismiss([a, b], true);
    expect(desk.undo).toMatchObject({ label: null });
    const back = desk.takeBack();
    expect(desk.undo).toBeNull();
    expect(asked).toHaveLength(1);
    answers[0].resolve(changed(2));
    await done;
    // It is not offered again.
    expect(desk.undo).toBeNull();
    answers[1].resolve(changed(2));
    await back;
    expect(asked).toEqual([
      [{ ids: ['a', 'b'] }, { dismissed: true }],
      [{ ids: ['a', 'b'] }, { dismissed: false }]
    ]);
    expect(restored).toEqual(['a']);
  });

  it('of all is taken back by what the server says that it touched', async () => {
    const { desk, asked, answers } = make();
    answers[0].resolve(changed(70, [10, 79]));
    answers[1].resolve(changed(70));
    await desk.read('all', true);
    expect(desk.undo?.label).toBe('Marked 70 as read');
    await desk.takeBack();
    // In another database they would be those of other rows.
    expect(asked[1]).toEqual([
      { seqs: [10, 79], upTo: 'e:9' },
      { read: false }
    ]);
  });

  it.each([
    [0, 'Nothing could be undone: it has changed meanwhile.'],
    [1, 'Only 1 of 2 could be undone: the others have changed meanwhile.']
  ])('of which only %s came back says so', async (count, sentence) => {
    const { desk, answers, failures, restored } = make();
    answers[0].resolve(changed(2));
    answers[1].resolve(changed(count));
    await desk.dismiss([a, b], true);
    await desk.takeBack();
    expect(failures).toEqual([[sentence, null]]);
    expect(restored).toEqual([]);
  });

  it('that was refused is said once, with its row, and is not offered back', async () => {
    const { desk, asked, answers, failures } = make();
    const done = desk.read([c], false);
    const back = desk.takeBack();
    answers[0].reject(new Error('The disk is full.'));
    await Promise.all([done, back]);
    expect(failures).toEqual([['The disk is full.', 'c']]);
    expect(asked).toHaveLength(1);
    expect(desk.undo).toBeNull();
  });

  it('leaves alone what is offered since', async () => {
    const { desk, answers } = make();
    const first = desk.dismiss([a], true);
    const second = desk.dismiss([b], true);
    answers[1].resolve(changed(1));
    await second;
    answers[0].reject(new Error('The disk is full.'));
    await first;
    expect(desk.undo?.ids).toEqual(['b']);
  });

  it('that changed nothing is not offered back', async () => {
    const { desk, answers } = make();
    answers[0].resolve(changed(0));
    await desk.dismiss([a], true);
    expect(desk.undo).toBeNull();
  });

  it('quotes the start of one message', async () => {
    const { desk, answers } = make();
    answers[0].resolve(changed(1));
    await desk.dismiss(
      [row('long', 1, { message: 'word\n'.repeat(20) })],
      true
    );
    expect(desk.undo?.label).toBe(`Dismissed “${'word '.repeat(9)}wor…”`);
  });
});
