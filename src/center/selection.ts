/**
 * The rows that are selected in the center; no DOM.
 */
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Notification } from '../wire';

/**
 * Holds the ids of the selected rows.
 */
export class SelectionModel implements IDisposable {
  /**
   * Make a model with nothing selected.
   *
   * @param listing - What can be selected, in its order.
   */
  constructor(listing: { readonly rows: readonly Notification[] }) {
    this._listing = listing;
  }

  /** Other rows are selected. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The ids of the selected rows; a new set whenever they changed. */
  get ids(): ReadonlySet<string> {
    return this._ids;
  }

  /** True once disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Emit no more changes.
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
    const { rows } = this._listing;
    const chosen = new Set(this._ids);
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
    this._set(chosen);
  }

  /**
   * Select more.
   */
  add(more: readonly Notification[]): void {
    this._set(new Set([...this._ids, ...more.map(row => row.id)]));
  }

  /**
   * Select all that is in the list.
   */
  selectAll(): void {
    this._set(new Set(this._listing.rows.map(row => row.id)));
  }

  /**
   * Select nothing.
   *
   * @returns Whether anything was.
   */
  clear(): boolean {
    const had = this._ids.size > 0;
    if (had) {
      this._set(new Set());
    }
    return had;
  }

  /**
   * Keep of the selection what is in the list.
   */
  keep(rows: readonly Notification[]): void {
    const present = new Set(rows.map(row => row.id));
    const left = [...this._ids].filter(id => present.has(id));
    if (left.length < this._ids.size) {
      this._set(new Set(left));
    }
  }

  private _set(ids: ReadonlySet<string>): void {
    this._ids = ids;
    this._changed.emit();
  }

  /** The row at which a range begins. */
  private _anchor: string | null = null;
  private readonly _changed = new Signal<this, void>(this);
  private _ids: ReadonlySet<string> = new Set();
  private _isDisposed = false;
  private readonly _listing: { readonly rows: readonly Notification[] };
}
