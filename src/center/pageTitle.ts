/**
 * The number of unread notifications in the title of the page, `(3) …`; loaded once there is one.
 */
import type { IDisposable } from '@lumino/disposable';

import { countText } from './badge';

/** Number of titles written here that are recognized if other code restores one. */
const KNOWN_TITLES = 50;

/** More writes than this, within this time, mean that other code puts a mark into the title too. */
const CONTEST = { writes: 20, ms: 1000 };

/**
 * Keeps the number at the beginning of the title, whatever else is written there.
 */
export class PageTitle implements IDisposable {
  /**
   * Watch the title of a page.
   */
  constructor(document: Document) {
    this._document = document;
    this._observer = new MutationObserver(() => this._write());
    // The element may be replaced, or be made later.
    this._observer.observe(document.head, {
      childList: true,
      subtree: true,
      characterData: true
    });
  }

  /** The number in the title; with 0 the title is as others wrote it. */
  get count(): number {
    return this._count;
  }
  set count(count: number) {
    if (count !== this._count) {
      this._count = count;
      this._write();
    }
  }

  /** True once disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Leave the title as others wrote it.
   */
  dispose(): void {
    if (!this._isDisposed) {
      this.count = 0;
      this._isDisposed = true;
      this._observer.disconnect();
    }
  }

  private _write(): void {
    const { title } = this._document;
    // A document's name may begin with such a number too: only one written here is removed.
    const plain = this._written.get(title) ?? title;
    const wanted =
      this._count > 0 ? `(${countText(this._count)}) ${plain}`.trim() : plain;
    if (wanted !== title && !this._isContested()) {
      this._written.delete(wanted);
      if (wanted !== plain) {
        this._written.set(wanted, plain);
      }
      if (this._written.size > KNOWN_TITLES) {
        this._written.delete(this._written.keys().next().value!);
      }
      this._document.title = wanted;
    }
  }

  /** Tell if other code writes the title as often as we do: then it has the title for a while. */
  private _isContested(): boolean {
    const now = Date.now();
    if (Math.abs(now - this._since) > CONTEST.ms) {
      this._since = now;
      this._writes = 0;
    }
    return ++this._writes > CONTEST.writes;
  }

  private readonly _document: Document;
  private readonly _observer: MutationObserver;
  /** Each title written here, with the title that it was made of. */
  private readonly _written = new Map<string, string>();
  private _count = 0;
  private _isDisposed = false;
  private _since = 0;
  private _writes = 0;
}
