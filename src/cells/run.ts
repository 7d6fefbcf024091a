/**
 * Cells of one notebook that are run together: from the first that is scheduled until none is
 * left.
 */
import type { CellEnd } from './words';

/**
 * A run of cells.
 */
export class CellRun {
  /**
   * Begin a run.
   *
   * @param began - The time of its beginning, in ms.
   */
  constructor(readonly began: number) {
    this._cellBegan = began;
  }

  /** The number of its cells. */
  get total(): number {
    return this._total;
  }

  /** The number of cells that were run to their end. */
  get done(): number {
    return this._done;
  }

  /** True if no cell is left. */
  get isOver(): boolean {
    return this._pending.size === 0;
  }

  /** The cells that are left, by their ids. */
  get pending(): readonly string[] {
    return [...this._pending];
  }

  /** The end of the run: that of the first cell that ended badly, if one did. */
  get end(): CellEnd {
    return this._end;
  }

  /** The cell to look at: the first that ended badly, or else the last of the run. */
  get cell(): string {
    return this._cell;
  }

  /**
   * Add a cell that is to be run.
   */
  add(id: string): void {
    if (!this._pending.has(id)) {
      this._pending.add(id);
      this._total += 1;
    }
  }

  /**
   * Forget a cell: it was deleted, or will not be run.
   */
  drop(id: string): void {
    if (this._pending.delete(id)) {
      this._total -= 1;
    }
  }

  /**
   * Note the end of a cell.
   *
   * @param id - The id of the cell.
   * @param end - How the cell ended.
   * @param at - The time of its end, in ms.
   * @returns The time in ms that the cell took, counted from the end of the one before it: a kernel
   *   runs one cell after another.
   */
  finish(id: string, end: CellEnd, at: number): number {
    const took = at - this._cellBegan;
    this._pending.delete(id);
    this._cellBegan = at;
    if (end === 'done') {
      this._done += 1;
    }
    if (this._end === 'done') {
      this._end = end;
      this._cell = id;
    }
    return took;
  }

  private readonly _pending = new Set<string>();
  private _cellBegan: number;
  private _total = 0;
  private _done = 0;
  private _end: CellEnd = 'done';
  private _cell = '';
}
