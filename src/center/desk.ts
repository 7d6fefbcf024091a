/**
 * What a user has in hand in the center: what is selected, and the change that can be taken
 * back; no DOM.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { INotificationModel } from '../tokens';
import type { Notification, StateChange } from '../wire';
import type { IUndo } from './undo';

/** A text in a sentence is no longer than this. */
const QUOTE_CHARS = 48;

/**
 * The rows that something is done to.
 */
type Rows = readonly Notification[] | 'all';

/**
 * Holds the selection, makes the changes that are asked for, and takes the last one back.
 */
export class Desk implements IDisposable {
  /**
   * Make a desk with nothing on it.
   */
  constructor(options: Desk.IOptions) {
    this._options = options;
  }

  /** What follows changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The ids of the selected rows; a new set whenever they changed. */
  get selection(): ReadonlySet<string> {
    return this._selection;
  }

  /** The last change, while it can be taken back. */
  get undo(): IUndo | null {
    return this._undo;
  }

  /** Whether it was given up. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Tell nobody any more; what was asked for is done all the same.
   */
  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /**
   * Select a row or no longer, or all from the one before it on.
   *
   * @param row - The row.
   * @param range - Whether it ends a range, which begins at the row that was selected before.
   */
  select(row: Notification, range: boolean): void {
    const { rows } = this._options.listing;
    const chosen = new Set(this._selection);
    const from = range ? rows.findIndex(one => one.id === this._anchor) : -1;
    if (from >= 0) {
      const to = rows.findIndex(one => one.id === row.id);
      rows
        .slice(Math.min(from, to), Math.max(from, to) + 1)
        .forEach(one => chosen.add(one.id));
    } else if (!chosen.delete(row.id)) {
      chosen.add(row.id);
    }
    this._anchor = row.id;
    this._select(chosen);
  }

  /**
   * Select more.
   */
  add(more: readonly Notification[]): void {
    this._select(new Set([...this._selection, ...more.map(row => row.id)]));
  }

  /**
   * Select all that is in the list.
   */
  all(): void {
    this._select(new Set(this._options.listing.rows.map(row => row.id)));
  }

  /**
   * Select nothing.
   *
   * @returns Whether anything was.
   */
  clear(): boolean {
    const had = this._selection.size > 0;
    if (had) {
      this._select(new Set());
    }
    return had;
  }

  /**
   * Keep of the selection what is in the list.
   */
  keep(rows: readonly Notification[]): void {
    const present = new Set(rows.map(row => row.id));
    const left = [...this._selection].filter(id => present.has(id));
    if (left.length < this._selection.size) {
      this._select(new Set(left));
    }
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
   * Dismiss rows, or bring them back.
   */
  dismiss(what: Rows, dismissed: boolean): Promise<void> {
    const { format, trans } = this._options;
    return this._change(what, { dismissed }, count =>
      what !== 'all' && what.length === 1
        ? dismissed
          ? trans.__('Dismissed “%1”', quote(what[0]))
          : trans.__('Back in the inbox: “%1”', quote(what[0]))
        : dismissed
          ? trans._n(
              'Dismissed %2 notification',
              'Dismissed %2 notifications',
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
   * Take the last change back.
   */
  async takeBack(): Promise<void> {
    if (!this._undo) {
      return;
    }
    const { failed, format, model, restored, trans } = this._options;
    const { ids, back, done } = this._undo;
    this.forget();
    let changed: number;
    let cursor: string;
    let seqs: [number, number] | null;
    try {
      ({ changed, cursor, seqs } = await done);
    } catch {
      // Nothing was done, and that was said.
      return;
    }
    try {
      // By ids also what changed meanwhile comes back; of all, only the seqs are known.
      const selection = ids ? { ids } : seqs && { seqs, upTo: cursor };
      const undone =
        changed > 0 && selection
          ? (await model.change(selection, back)).changed
          : 0;
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
    } catch (reason) {
      failed(reason, null);
    }
  }

  /**
   * Offer no longer to take the last change back.
   */
  forget(): void {
    this._offer(null);
  }

  private async _change(
    what: Rows,
    state: StateChange,
    label: (count: number) => string
  ): Promise<void> {
    const { began, failed, model } = this._options;
    const ids = what === 'all' ? null : what.map(row => row.id);
    began();
    const done = model.change(ids ? { ids } : { all: true }, state);
    const back: StateChange =
      typeof state.dismissed === 'boolean'
        ? { dismissed: !state.dismissed }
        : { read: !state.read };
    // Whoever types fast takes it back before the server has answered.
    const undo: IUndo = { label: null, ids, back, done };
    this._offer(undo);
    try {
      const { changed } = await done;
      if (this._undo === undo) {
        this._offer(changed > 0 ? { ...undo, label: label(changed) } : null);
      }
    } catch (reason) {
      if (this._undo === undo) {
        this.forget();
      }
      failed(reason, ids && ids[0]);
    }
  }

  private _select(selection: ReadonlySet<string>): void {
    this._selection = selection;
    this._changed.emit();
  }

  private _offer(undo: IUndo | null): void {
    this._undo = undo;
    this._changed.emit();
  }

  private readonly _options: Desk.IOptions;
  private readonly _changed = new Signal<this, void>(this);
  /** The row at which a range begins. */
  private _anchor: string | null = null;
  private _isDisposed = false;
  private _selection: ReadonlySet<string> = new Set();
  private _undo: IUndo | null = null;
}

/**
 * The namespace of {@link Desk}'s options.
 */
export namespace Desk {
  /**
   * What it works with, and whom it tells.
   */
  export interface IOptions {
    model: Pick<INotificationModel, 'change'>;
    /** What can be selected, in its order. */
    listing: { readonly rows: readonly Notification[] };
    trans: TranslationBundle;
    /** How a number is written. */
    format: (count: number) => string;
    /** The user does something: what went wrong before is said no longer. */
    began: () => void;
    /** Something went wrong; with the row that did not change, if it was a change. */
    failed: (reason: unknown, id: string | null) => void;
    /** A change was taken back: the row comes with the stream, and the keyboard may go to it. */
    restored: (id: string) => void;
  }
}

function quote(row: Notification): string {
  const text = row.message.replace(/\s+/g, ' ').trim();
  return text.length > QUOTE_CHARS
    ? `${text.slice(0, QUOTE_CHARS).trimEnd()}…`
    : text;
}
