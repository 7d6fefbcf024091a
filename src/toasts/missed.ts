/**
 * The notifications for whose toasts there was no room. Used by the presenter.
 */

/** The most ids that are remembered over a reload. */
const MOST = 200;

/**
 * The notifications to be summed up, also after a reload.
 */
export class MissedToasts {
  /**
   * @param key - The end of the key under which this browser stores the ids.
   */
  constructor(key: string) {
    this._key = `jupyterlab_notify:missed:${key}`;
  }

  /** Their number. */
  get size(): number {
    return this._seen.size;
  }

  /** Their ids. */
  get ids(): string[] {
    return [...this._seen.keys()];
  }

  /** Tell whether a notification was in sight before it lost its place. */
  wasSeen(id: string): boolean {
    return this._seen.get(id) === true;
  }

  /** Add a notification that is out of sight. */
  add(id: string, seen: boolean): void {
    this._seen.set(id, seen);
  }

  /** Forget one. */
  delete(id: string): void {
    this._seen.delete(id);
  }

  /** Forget all. */
  clear(): void {
    this._seen.clear();
  }

  /** Add the notifications that were out of sight before a reload. */
  restore(): void {
    this._restored = true;
    try {
      for (const id of JSON.parse(localStorage.getItem(this._key) ?? '[]')) {
        // It counts as seen: it is no longer news.
        if (!this._seen.has(id)) {
          this._seen.set(id, true);
        }
      }
    } catch {
      // Without storage only the count is lost.
    }
  }

  /** Store the ids for a reload. */
  save(): void {
    const text = JSON.stringify(this.ids.slice(-MOST));
    if (this._restored && text !== this._text) {
      this._text = text;
      try {
        localStorage.setItem(this._key, text);
      } catch {
        // As in `restore`.
      }
    }
  }

  private readonly _key: string;
  private readonly _seen = new Map<string, boolean>();
  private _restored = false;
  private _text = '';
}
