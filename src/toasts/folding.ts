/**
 * Folds toasts that stay to a single line after they have been in sight for a while; the stylesheet
 * opens them again under the pointer and the focus, and shows them before toasts that close by
 * themselves. The view says which toasts.
 */
import type { IDisposable } from '@lumino/disposable';

/** Time in ms in sight after which a toast folds. */
const FOLD_MS = 8000;

/** Interval in ms at which the time in sight is counted. */
const TICK_MS = 500;

/** Reasons to pause the count: the pointer over a toast, the focus in one, a dialog. */
const PAUSED = [
  '.jp-toastContainer:hover',
  '.jp-toastContainer:focus-within',
  'body > .jp-Dialog',
  'dialog[open]'
].join();

/**
 * Counts for each toast how long it was in sight.
 */
export class ToastFolding implements IDisposable {
  /**
   * @param folded - Called after toasts were folded.
   */
  constructor(folded: () => void) {
    this._folded = folded;
    this._onHidden = this._onHidden.bind(this);
    document.addEventListener('visibilitychange', this._onHidden);
    this._onHidden();
  }

  /** True once it was disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearInterval(this._timer);
    this._ages.clear();
    document.removeEventListener('visibilitychange', this._onHidden);
    document.body.classList.remove('jp-mod-notify-hidden');
  }

  /** Open a toast, and fold it after its time. */
  start(node: HTMLElement): void {
    delete node.dataset.jpNotifyFolded;
    node.dataset.jpNotifyStays = '';
    this._ages.set(node, 0);
    this._timer ??= window.setInterval(() => this._tick(), TICK_MS);
  }

  /** Leave a toast open: it closes by itself, or is gone. */
  stop(node: HTMLElement): void {
    delete node.dataset.jpNotifyFolded;
    delete node.dataset.jpNotifyStays;
    this._ages.delete(node);
  }

  private _tick(): void {
    if (document.hidden || document.querySelector(PAUSED)) {
      return;
    }
    let folded = false;
    for (const [node, age] of this._ages) {
      if (!node.isConnected) {
        this._ages.delete(node);
      } else if (age + TICK_MS < FOLD_MS) {
        this._ages.set(node, age + TICK_MS);
      } else {
        this._ages.delete(node);
        node.dataset.jpNotifyFolded = '';
        folded = true;
      }
    }
    if (this._ages.size === 0) {
      window.clearInterval(this._timer);
      this._timer = undefined;
    }
    if (folded) {
      this._folded();
    }
  }

  /** Mark a hidden page: the stylesheet then pauses the time of toasts that close by themselves. */
  private _onHidden(): void {
    document.body.classList.toggle('jp-mod-notify-hidden', document.hidden);
  }

  private readonly _ages = new Map<HTMLElement, number>();
  private readonly _folded: () => void;
  private _isDisposed = false;
  private _timer: number | undefined;
}
