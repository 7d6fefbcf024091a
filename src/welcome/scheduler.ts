/**
 * Decides when welcome messages are shown by themselves, and when they are closed because they were
 * answered in another tab; no DOM.
 */
import type { WelcomeMessage } from '../wire';

/** Time in ms after its start in which a page still greets with messages that are new to it. */
const START_MS = 60_000;

/**
 * The next step.
 */
export interface IStep {
  /** The messages to show, if any. */
  show: WelcomeMessage[];
  /** True if the messages that are shown were answered elsewhere, and are to be closed. */
  close: boolean;
}

/**
 * Compares what the server says of the welcome messages with what it said before.
 */
export class WelcomeScheduler {
  /**
   * @param now - when the page started, in ms.
   */
  constructor(now: number) {
    this._began = now;
  }

  /** Take note of the messages' state, without a step: this tab itself has changed it. */
  adopt(messages: readonly WelcomeMessage[]): void {
    this._known = new Map(messages.map(message => [message.id, message]));
  }

  /**
   * Take note of the messages' state, and return the next step.
   *
   * @param messages - all messages as the server has them now.
   * @param up - the ids of the messages that this tab shows.
   * @param now - in ms.
   */
  step(
    messages: readonly WelcomeMessage[],
    up: readonly string[],
    now: number
  ): IStep {
    const known = this._known;
    const starting = now - this._began < START_MS;
    this.adopt(messages);
    const due = messages.filter(message => message.due);
    const close = up.some(id => {
      const message = this._known.get(id);
      const before = known.get(id);
      return (
        !message?.due || (before !== undefined && message.views > before.views)
      );
    });
    if (close) {
      return { show: [], close };
    }
    // The messages were reset, as for a new user: one is due again, or its views are counted anew.
    const reset = due.some(message => {
      const before = known.get(message.id);
      return (
        before !== undefined && (!before.due || message.views < before.views)
      );
    });
    if (up.length > 0) {
      return { show: [], close };
    }
    const show = reset
      ? due
      : due.filter(message => {
          const before = known.get(message.id);
          return before === undefined
            ? starting
            : before.updated !== message.updated;
        });
    return { show, close };
  }

  private readonly _began: number;
  private _known = new Map<string, WelcomeMessage>();
}
