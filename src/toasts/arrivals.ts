/**
 * Gathers the notifications that are to toast, and notices when they arrive faster than one can
 * read. Used by the presenter.
 */

/** Time in ms for which messages that follow another one are gathered. */
const BATCH_MS = 50;

/** More messages than this within {@link FLOOD_MS} are more than one can read. */
const FLOOD_COUNT = 4;

/** Time in ms over which messages are counted. */
const FLOOD_MS = 1000;

/** The most notifications that are tried again after a flood: the newest few are enough. */
const MOST_POSTPONED = 3;

/**
 * The notifications that wait for the next flush, by id, oldest first; true for those that are not
 * news: they were missed, or are shown again.
 */
export class ArrivalQueue extends Map<string, boolean> {
  /**
   * @param flush - Called when the gathered notifications are to be shown.
   * @param isShown - Tells whether a notification has a toast.
   */
  constructor(flush: () => void, isShown: (id: string) => boolean) {
    super();
    this._flush = flush;
    this._isShown = isShown;
  }

  /** Forget all notifications, also those that were to be tried again. */
  clear(): void {
    super.clear();
    this._postponed = [];
  }

  /** Stop waiting. */
  dispose(): void {
    window.clearTimeout(this._timer);
    window.clearTimeout(this._floodTimer);
  }

  /** Count a message that came in. */
  count(): void {
    this._arrivals.push(Date.now());
  }

  /** Flush at once, or, right after another flush, gather what arrives for a moment. */
  schedule(): void {
    if (this._timer !== undefined) {
      return;
    }
    // Wait no longer than that, even if the clock was set back.
    const wait = Math.min(BATCH_MS, this._flushedAt + BATCH_MS - Date.now());
    if (wait <= 0) {
      this._flush();
    } else {
      this._timer = window.setTimeout(() => this._flush(), wait);
    }
  }

  /** Take all waiting notifications out of the queue. */
  take(): [string, boolean][] {
    window.clearTimeout(this._timer);
    this._timer = undefined;
    const taken = [...this];
    super.clear();
    return taken;
  }

  /** Note that something is shown now; returns whether messages come too fast to be read. */
  flushed(): boolean {
    const now = Date.now();
    this._flushedAt = now;
    this._arrivals = this._arrivals.filter(time => now - time < FLOOD_MS);
    return this._arrivals.length > FLOOD_COUNT;
  }

  /**
   * Try notifications again once the flood is over. While the center is open, no toast sums up what
   * a flood kept from the screen: without another try, whether the last message of a burst has a
   * toast would depend on the moment at which it arrived.
   *
   * @param ids - oldest first.
   */
  postpone(ids: readonly string[]): void {
    this._postponed = [...this._postponed, ...ids].slice(-MOST_POSTPONED);
    if (this._postponed.length === 0 || this._floodTimer !== undefined) {
      return;
    }
    this._floodTimer = window.setTimeout(() => {
      this._floodTimer = undefined;
      for (const id of this._postponed) {
        if (!this._isShown(id) && !this.has(id)) {
          this.set(id, false);
        }
      }
      this._postponed = [];
      this._flush();
    }, FLOOD_MS);
  }

  private readonly _flush: () => void;
  private readonly _isShown: (id: string) => boolean;
  private _arrivals: number[] = [];
  private _floodTimer: number | undefined;
  private _flushedAt = 0;
  /** Notifications that a flood kept from the screen while the center was open, oldest first. */
  private _postponed: string[] = [];
  private _timer: number | undefined;
}
