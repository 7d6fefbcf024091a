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
   * @param listing - The rows that can be selected, in their order.
   */
  constructor(listing: { readonly rows: readonly Notification[] }) {
    this._listing = listing;
  }

  /** The selection changed. */
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
   * Select or unselect a row, or select a range that ends at it.
   *
   * @param row - The row.
   * @param range - Whether to select the range that begins at the row that was selected last.
   */
  select(row: Notification, range: boolean): void {
    if (range && this._has(this._anchor)) {
      this._selectTo(row);
      return;
    }
    const chosen = new Set(this._ids);
    if (!chosen.delete(row.id)) {
      chosen.add(row.id);
    }
    this._set(chosen);
    this._begin(row);
  }

  /**
   * Extend the selection from one row to another, or shrink it where that leads back.
   *
   * @param from - The row that has the focus.
   * @param to - The row that the focus goes to.
   */
  extend(from: Notification, to: Notification): void {
    if (from.id !== this._end || !this._has(this._anchor)) {
      this._begin(from);
    }
    this._selectTo(to);
  }

  /**
   * Select all rows of the list.
   */
  selectAll(): void {
    this._set(new Set(this._listing.rows.map(row => row.id)));
    this._begin(null);
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
    this._begin(null);
    return had;
  }

  /**
   * Unselect the rows that are not in the list any more.
   */
  keep(rows: readonly Notification[]): void {
    const present = new Set(rows.map(row => row.id));
    const left = [...this._ids].filter(id => present.has(id));
    this._before = new Set([...this._before].filter(id => present.has(id)));
    if (left.length < this._ids.size) {
      this._set(new Set(left));
    }
  }

  /** Begin a range at a row, or none; rows that are selected already stay so. */
  private _begin(row: Notification | null): void {
    this._anchor = this._end = row?.id ?? null;
    this._before = new Set(this._ids);
  }

  /** Select from the range's first row to a row, and unselect the rest of the range up to now. */
  private _selectTo(row: Notification): void {
    const { rows } = this._listing;
    const from = rows.findIndex(one => one.id === this._anchor);
    const to = rows.findIndex(one => one.id === row.id);
    const range = rows.slice(Math.min(from, to), Math.max(from, to) + 1);
    this._end = row.id;
    this._set(new Set([...this._before, ...range.map(one => one.id)]));
  }

  private _has(id: string | null): boolean {
    return this._listing.rows.some(row => row.id === id);
  }

  private _set(ids: ReadonlySet<string>): void {
    this._ids = ids;
    this._changed.emit();
  }

  /** The row at which a range begins. */
  private _anchor: string | null = null;
  /** The ids of the rows that were selected when the range began. */
  private _before: ReadonlySet<string> = new Set();
  /** The row at which the range ends now. */
  private _end: string | null = null;
  private readonly _changed = new Signal<this, void>(this);
  private _ids: ReadonlySet<string> = new Set();
  private _isDisposed = false;
  private readonly _listing: { readonly rows: readonly Notification[] };
}
