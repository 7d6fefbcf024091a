/**
 * The changes that a user makes, and how the last one is undone; no DOM.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { untilText } from '../text/until';
import { visible } from '../text/visible';
import type { INotificationModel } from '../tokens';
import type { Changed, Notification, StateChange } from '../wire';

/** The most characters of a text that is quoted in a sentence. */
const QUOTE_CHARS = 48;

/**
 * The rows that a change is for.
 */
type Rows = readonly Notification[] | 'all';

/**
 * A change that can be undone.
 */
export interface IUndo {
  /** The change in words; null until the server has answered. */
  label: string | null;
  /** The rows that were changed; null for the whole inbox. */
  ids: string[] | null;
  /** Restores the state before the change; rejects, with a sentence, if that fails. */
  undo(): Promise<void>;
}

/**
 * A change of rows that was asked for, and the way back.
 */
interface IRowChange {
  ids: string[] | null;
  /** The states to restore, each with the rows that had it; null for all rows of the change. */
  back: [string[] | null, StateChange][];
  /** The server's answer. */
  done: Promise<Changed>;
}

/**
 * Makes the changes that are asked for, and undoes the last one.
 */
export class UndoManager implements IDisposable {
  /**
   * Make a manager with nothing to undo.
   */
  constructor(options: UndoManager.IOptions) {
    this._options = options;
  }

  /** {@link last} changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The last change, while it can be undone. */
  get last(): IUndo | null {
    return this._last;
  }

  /** True once disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Emit no more signals; changes that were asked for are made all the same.
   */
  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /**
   * Mark rows as read or unread.
   */
  read(what: Rows, read: boolean): Promise<void> {
    const { format, trans } = this._options;
    return this._change(what, { read }, count =>
      what !== 'all' && what.length === 1
        ? read
          ? trans.__('Marked as read: “%1”', quote(what[0]))
          : trans.__('Marked as unread: “%1”', quote(what[0]))
        : read
          ? trans._n(
              'Marked %2 as read',
              'Marked %2 as read',
              count,
              format(count)
            )
          : trans._n(
              'Marked %2 as unread',
              'Marked %2 as unread',
              count,
              format(count)
            )
    );
  }

  /**
   * Mark rows as done, or bring them back.
   */
  dismiss(what: Rows, dismissed: boolean): Promise<void> {
    const { format, trans } = this._options;
    return this._change(what, { dismissed }, count =>
      what !== 'all' && what.length === 1
        ? dismissed
          ? trans.__('Done: “%1”', quote(what[0]))
          : trans.__('Back in the inbox: “%1”', quote(what[0]))
        : dismissed
          ? trans._n(
              'Marked %2 as done',
              'Marked %2 as done',
              count,
              format(count)
            )
          : trans._n(
              '%2 back in the inbox',
              '%2 back in the inbox',
              count,
              format(count)
            )
    );
  }

  /**
   * Snooze rows until a time; null brings them back now.
   */
  snooze(rows: readonly Notification[], until: Date | null): Promise<void> {
    const { format, trans } = this._options;
    // To undo it, each row gets its own earlier time back.
    const before = new Map<string | null, string[]>();
    for (const { id, snoozedUntil } of rows) {
      before.set(snoozedUntil, [...(before.get(snoozedUntil) ?? []), id]);
    }
    return this._change(
      rows,
      { snoozedUntil: until ? until.toISOString() : false },
      count =>
        until === null
          ? rows.length === 1
            ? trans.__('Back in the inbox: “%1”', quote(rows[0]))
            : trans._n(
                '%2 back in the inbox',
                '%2 back in the inbox',
                count,
                format(count)
              )
          : rows.length === 1
            ? trans.__(
                'Snoozed until %1: “%2”',
                untilText(until, new Date()),
                quote(rows[0])
              )
            : trans._n('Snoozed %2', 'Snoozed %2', count, format(count)),
      [...before].map(([until, ids]) => [ids, { snoozedUntil: until ?? false }])
    );
  }

  /**
   * Close a row: it leaves the toasts and the banner.
   */
  close(row: Notification): Promise<void> {
    const back: StateChange =
      row.read === null ? { closed: false, read: false } : { closed: false };
    return this._change(
      [row],
      { closed: true },
      () => this._options.trans.__('Closed: “%1”', quote(row)),
      [[null, back]]
    );
  }

  /**
   * Mute a source, or unmute it.
   */
  async mute(source: string, muted: boolean): Promise<void> {
    const { began, failed, model, trans } = this._options;
    const set = async (muted: boolean) => {
      await model.changeQuiet(muted ? { mute: source } : { unmute: source });
    };
    began();
    try {
      await set(muted);
      const name = cut(visible(source));
      this._offer({
        label: muted
          ? trans.__('Muted “%1”: it goes to the center only', name)
          : trans.__('Unmuted “%1”', name),
        ids: [],
        undo: () => set(!muted)
      });
    } catch (reason) {
      failed(reason, null);
    }
  }

  /**
   * Undo the last change.
   */
  async undo(): Promise<void> {
    if (!this._last) {
      return;
    }
    const last = this._last;
    this.forget();
    try {
      await last.undo();
    } catch (reason) {
      this._options.failed(reason, null);
    }
  }

  /**
   * Stop offering to undo the last change.
   */
  forget(): void {
    this._offer(null);
  }

  private async _change(
    what: Rows,
    state: StateChange,
    label: (count: number) => string,
    back: IRowChange['back'] = [
      [
        null,
        typeof state.dismissed === 'boolean'
          ? { dismissed: !state.dismissed }
          : { read: !state.read }
      ]
    ]
  ): Promise<void> {
    const { began, failed, model } = this._options;
    const ids = what === 'all' ? null : what.map(row => row.id);
    began();
    const done = model.change(ids ? { ids } : { all: true }, state);
    // A user who types fast may undo it before the server has answered.
    const undo: IUndo = {
      label: null,
      ids,
      undo: () => this._undoRows({ ids, back, done })
    };
    this._offer(undo);
    try {
      const { changed } = await done;
      if (this._last === undo) {
        this._offer(changed > 0 ? { ...undo, label: label(changed) } : null);
      }
    } catch (reason) {
      if (this._last === undo) {
        this.forget();
      }
      failed(reason, ids && ids[0]);
    }
  }

  private async _undoRows({ ids, back, done }: IRowChange): Promise<void> {
    const { format, model, restored, trans } = this._options;
    let changed: number;
    let cursor: string;
    let seqs: [number, number] | null;
    try {
      ({ changed, cursor, seqs } = await done);
    } catch {
      // The change failed, and the user was told.
      return;
    }
    // By ids, rows that changed again meanwhile come back too; for `all` only the seqs are known.
    const selection = ids ? { ids } : seqs && { seqs, upTo: cursor };
    let undone = 0;
    if (changed > 0 && selection) {
      // The server refuses to snooze a row until a time that has passed; the others come back all
      // the same.
      const answers = await Promise.allSettled(
        back.map(([some, state]) =>
          model.change(some ? { ids: some } : selection, state)
        )
      );
      const failed = answers.find(answer => answer.status === 'rejected');
      if (failed) {
        throw failed.reason;
      }
      for (const answer of answers) {
        undone += answer.status === 'fulfilled' ? answer.value.changed : 0;
      }
    }
    if (undone === 0) {
      throw new Error(
        trans.__('Nothing could be undone: it has changed meanwhile.')
      );
    }
    if (undone < changed) {
      throw new Error(
        trans.__(
          'Only %1 of %2 could be undone: the others have changed meanwhile.',
          format(undone),
          format(changed)
        )
      );
    }
    if (ids) {
      restored(ids[0]);
    }
  }

  private _offer(undo: IUndo | null): void {
    this._last = undo;
    this._changed.emit();
  }

  private readonly _options: UndoManager.IOptions;
  private readonly _changed = new Signal<this, void>(this);
  private _isDisposed = false;
  private _last: IUndo | null = null;
}

/**
 * The namespace of {@link UndoManager}'s options.
 */
export namespace UndoManager {
  /**
   * The objects that a manager works with, and the callbacks that it runs.
   */
  export interface IOptions {
    model: Pick<INotificationModel, 'change' | 'changeQuiet'>;
    trans: TranslationBundle;
    /** Format a number. */
    format: (count: number) => string;
    /** The user makes a change: an earlier failure is no longer shown. */
    began: () => void;
    /** Something went wrong; `id` is the row that did not change, if it was a change of rows. */
    failed: (reason: unknown, id: string | null) => void;
    /** A change was undone: the row arrives over the stream, and may then get the focus. */
    restored: (id: string) => void;
  }
}

function quote(row: Notification): string {
  return cut(visible(row.message.replace(/\s+/g, ' ').trim()));
}

/**
 * The beginning of a text, for a sentence or a menu.
 */
export function cut(text: string): string {
  // Cut between characters, not within one.
  const signs = [...text.slice(0, 4 * QUOTE_CHARS)];
  return signs.length > QUOTE_CHARS
    ? `${signs.slice(0, QUOTE_CHARS).join('').trimEnd()}…`
    : text;
}
