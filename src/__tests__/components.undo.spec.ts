/**
 * The promises of the center about a change that is undone.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';

import { UndoManager } from '../components/undo';
import type { NotificationModel } from '../tokens';
import type { Changed, QuietChange, StateChange } from '../wire';
import { row } from './rows';

const [a, b, c] = ['a', 'b', 'c'].map((id, index) => row(id, 9 - index));

/** Make a manager, and record what it asked for and reported. */
function make(): {
  manager: UndoManager;
  asked: [NotificationModel.Selection, StateChange][];
  failures: [string, string | null][];
  restored: string[];
  /** The changes to do not disturb and muted sources that it asked for. */
  quiet: QuietChange[];
  /** The server refuses those changes if `refuses` is set. */
  server: { refuses: boolean };
  /** The server's answers to the first request, and to the second. */
  answers: PromiseDelegate<Changed>[];
} {
  const answers = [1, 2].map(() => new PromiseDelegate<Changed>());
  const asked: [NotificationModel.Selection, StateChange][] = [];
  const failures: [string, string | null][] = [];
  const restored: string[] = [];
  const quiet: QuietChange[] = [];
  const server = { refuses: false };
  const manager = new UndoManager({
    model: {
      change: (selection, state) => {
        asked.push([selection, state]);
        return answers[asked.length - 1].promise;
      },
      changeQuiet: async change => {
        if (server.refuses) {
          throw new Error('The server cannot be reached.');
        }
        quiet.push(change);
        return { doNotDisturb: false, until: null, muted: [] };
      }
    },
    trans: nullTranslator.load('jupyterlab_notify'),
    format: String,
    began: () => undefined,
    failed: (reason, id) => failures.push([(reason as Error).message, id]),
    restored: id => restored.push(id)
  });
  return { manager, asked, failures, restored, quiet, server, answers };
}

function changed(count: number, seqs: [number, number] | null = null): Changed {
  return { changed: count, seqs, cursor: 'e:9' };
}

describe('A change', () => {
  it('can be taken back at once, and is once the server has made it', async () => {
    const { manager, asked, answers, restored } = make();
    const done = manager.dismiss([a, b], true);
    expect(manager.last).toMatchObject({ label: null });
    const back = manager.undo();
    expect(manager.last).toBeNull();
    expect(asked).toHaveLength(1);
    answers[0].resolve(changed(2));
    await done;
    // The undo is not offered again.
    expect(manager.last).toBeNull();
    answers[1].resolve(changed(2));
    await back;
    expect(asked).toEqual([
      [{ ids: ['a', 'b'] }, { dismissed: true }],
      [{ ids: ['a', 'b'] }, { dismissed: false }]
    ]);
    expect(restored).toEqual(['a']);
  });

  it('of all is taken back by what the server says that it touched', async () => {
    const { manager, asked, answers } = make();
    answers[0].resolve(changed(70, [10, 79]));
    answers[1].resolve(changed(70));
    await manager.read('all', true);
    expect(manager.last?.label).toBe('Marked 70 as read');
    await manager.undo();
    // In another database these would be the seqs of other rows.
    expect(asked[1]).toEqual([
      { seqs: [10, 79], upTo: 'e:9' },
      { read: false }
    ]);
  });

  it.each([
    [0, 'Nothing could be undone: it has changed meanwhile.'],
    [1, 'Only 1 of 2 could be undone: the others have changed meanwhile.']
  ])('of which only %s came back says so', async (count, sentence) => {
    const { manager, answers, failures, restored } = make();
    answers[0].resolve(changed(2));
    answers[1].resolve(changed(count));
    await manager.dismiss([a, b], true);
    await manager.undo();
    expect(failures).toEqual([[sentence, null]]);
    expect(restored).toEqual([]);
  });

  it('that was refused is said once, with its row, and is not offered back', async () => {
    const { manager, asked, answers, failures } = make();
    const done = manager.read([c], false);
    const back = manager.undo();
    answers[0].reject(new Error('The disk is full.'));
    await Promise.all([done, back]);
    expect(failures).toEqual([['The disk is full.', 'c']]);
    expect(asked).toHaveLength(1);
    expect(manager.last).toBeNull();
  });

  it('leaves alone what is offered since', async () => {
    const { manager, answers } = make();
    const first = manager.dismiss([a], true);
    const second = manager.dismiss([b], true);
    answers[1].resolve(changed(1));
    await second;
    answers[0].reject(new Error('The disk is full.'));
    await first;
    expect(manager.last?.ids).toEqual(['b']);
  });

  it('of what is muted is taken back, and said once if it is refused', async () => {
    const { manager, asked, failures, quiet, server } = make();
    await manager.mute('\u202equota', true);
    expect(manager.last?.label).toBe(
      'Muted “\\u202equota”: it goes to the center only'
    );
    await manager.undo();
    expect(quiet).toEqual([{ mute: '\u202equota' }, { unmute: '\u202equota' }]);
    expect(manager.last).toBeNull();
    server.refuses = true;
    await manager.mute('quota', false);
    expect(manager.last).toBeNull();
    expect(failures).toEqual([['The server cannot be reached.', null]]);
    expect(asked).toEqual([]);
  });

  it('that changed nothing is not offered back', async () => {
    const { manager, answers } = make();
    answers[0].resolve(changed(0));
    await manager.dismiss([a], true);
    expect(manager.last).toBeNull();
  });

  it('quotes the start of one message', async () => {
    const { manager, answers } = make();
    answers[0].resolve(changed(1));
    await manager.dismiss(
      [row('long', 1, { message: 'word\n'.repeat(20) })],
      true
    );
    expect(manager.last?.label).toBe(`Done: “${'word '.repeat(9)}wor…”`);
  });
});
