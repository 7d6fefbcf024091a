/**
 * The notifications for whose toasts there was no room. The presenter asks for them.
 */

/** The number that is remembered at most. */
const MOST = 200;

/**
 * The notifications to be summed up, also after a reload.
 */
export class MissedToasts {
  /**
   * @param key - Where this browser remembers it.
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

  /** Tell whether one was in sight before there was no room for it any more. */
  wasSeen(id: string): boolean {
    return this._seen.get(id) === true;
  }

  /** Note that one is out of sight. */
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

  /** Take in what was out of sight before a reload. */
  restore(): void {
    this._restored = true;
    try {
      for (const id of JSON.parse(localStorage.getItem(this._key) ?? '[]')) {
        // It is old by now: it is counted, and not announced.
        if (!this._seen.has(id)) {
          this._seen.set(id, true);
        }
      }
    } catch {
      // Without storage only the count is lost.
    }
  }

  /** Remember it for a reload. */
  save(): void {
    const text = JSON.stringify(this.ids.slice(-MOST));
    if (this._restored && text !== this._text) {
      this._text = text;
      try {
        localStorage.setItem(this._key, text);
      } catch {
        // See above.
      }
    }
  }

  private readonly _key: string;
  private readonly _seen = new Map<string, boolean>();
  private _restored = false;
  private _text = '';
}
