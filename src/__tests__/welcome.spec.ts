import { WelcomeScheduler } from '../welcome/scheduler';
import type { WelcomeMessage } from '../wire';

const message = (
  id: string,
  given: Partial<WelcomeMessage> = {}
): WelcomeMessage => ({
  id,
  aspect: 'jupyterlab',
  title: id,
  summary: null,
  body: '',
  dismissable: true,
  must_accept: false,
  max_views: null,
  views: 0,
  updated: null,
  source: 'file',
  due: true,
  ...given
});

const LATER = 10 * 60_000;
const ids = (messages: WelcomeMessage[]) => messages.map(({ id }) => id);

describe('a greeting', () => {
  it('is what is due when the page starts', () => {
    const { show } = new WelcomeScheduler(0).step(
      [message('a'), message('b', { due: false })],
      [],
      10
    );
    expect(ids(show)).toEqual(['a']);
  });

  it('comes with a message that arrives a moment later, not in the midst of work', () => {
    const early = new WelcomeScheduler(0);
    early.step([], [], 10);
    expect(ids(early.step([message('a')], [], 5000).show)).toEqual(['a']);
    const late = new WelcomeScheduler(0);
    late.step([], [], 10);
    expect(late.step([message('a')], [], LATER).show).toEqual([]);
  });

  it('does not come twice for the same message in one page', () => {
    const scheduler = new WelcomeScheduler(0);
    scheduler.step([message('a')], [], 10);
    scheduler.adopt([message('a', { views: 1 })]);
    expect(scheduler.step([message('a', { views: 1 })], [], 20).show).toEqual(
      []
    );
  });

  it('goes when it was seen or dismissed elsewhere', () => {
    for (const change of [{ views: 1 }, { due: false }]) {
      const scheduler = new WelcomeScheduler(0);
      scheduler.step([message('a'), message('b')], [], 10);
      const step = scheduler.step(
        [message('a', change), message('b')],
        ['a', 'b'],
        20
      );
      expect(step).toEqual({ show: [], close: true });
    }
  });

  it('stays when something else changed', () => {
    const scheduler = new WelcomeScheduler(0);
    scheduler.step([message('a')], [], 10);
    const step = scheduler.step([message('a'), message('new')], ['a'], 20);
    expect(step).toEqual({ show: [], close: false });
  });

  it('comes back with a reset, whenever that is', () => {
    for (const before of [{ due: false }, { views: 2 }]) {
      const scheduler = new WelcomeScheduler(0);
      scheduler.step([message('a', before), message('b')], [], 10);
      const { show } = scheduler.step([message('a'), message('b')], [], LATER);
      expect(ids(show)).toEqual(['a', 'b']);
    }
  });

  it('comes with what was written anew', () => {
    const scheduler = new WelcomeScheduler(0);
    scheduler.step([message('a', { updated: '2026-01-01' })], [], 10);
    const { show } = scheduler.step(
      [message('a', { updated: '2026-02-01' })],
      [],
      LATER
    );
    expect(ids(show)).toEqual(['a']);
  });
});
