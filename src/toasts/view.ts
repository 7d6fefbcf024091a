/**
 * The toasts on the page: finds ours among JupyterLab's, gives them what JupyterLab
 * leaves out, and says when they come and go.
 */
import { Notification as LabNotification } from '@jupyterlab/apputils';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { Notification } from '../wire';
import type { setDone, ToastFolding, ToastPlacement } from './standing';

const TOAST = '.Toastify__toast';
const CLOSE = '.jp-Notification-Toast-Close';

/**
 * The parts of a toast that JupyterLab's toasts have no place for.
 */
export interface IToastDress {
  kind: Notification['type'] | 'summary';
  /** The label of its cross. */
  close: string;
  /** The label of the button that moves it out of the inbox, if that may be. */
  done?: string;
  /** The line under the message. */
  meta: string;
  /** Percent. */
  progress: number | null;
  role: 'alert' | 'status';
  /** True if a screen reader reads it out. */
  live: boolean;
  /** Its content, if it stays and folds to a line: other content opens it again. */
  folds: string | null;
  /** True if a click opens it in the center. */
  opens: boolean;
  /** The notification, if it has a picture. */
  pictured?: Notification | null;
}

/**
 * Have JupyterLab load its code for toasts, so that the first one is as fast
 * as all others.
 *
 * It does so when a notification is removed, even one that never existed; no
 * toast is drawn for that.
 */
export function warmUp(): void {
  const load = () => {
    const now = Date.now();
    const changed = LabNotification.manager.changed;
    if (changed instanceof Signal) {
      changed.emit({
        type: 'removed',
        notification: {
          id: 'jupyterlab_notify:warm-up',
          message: '',
          type: 'default',
          createdAt: now,
          modifiedAt: now,
          options: { autoClose: false }
        }
      });
    }
  };
  if (typeof window.requestIdleCallback === 'function') {
    window.requestIdleCallback(load, { timeout: 5000 });
  } else {
    window.setTimeout(load, 1000);
  }
}

/**
 * The toasts on the page: react-toastify gives each the id that JupyterLab's
 * manager gave the notification, and here they get what JupyterLab leaves
 * out.
 */
// Longer than a screen: what it adds to a toast hangs on one observer of the page.
export class ToastView implements IDisposable {
  constructor(listener: {
    appeared: (toast: string) => void;
    vanished: (toast: string) => void;
    closed: (toast: string) => void;
    pressed: (toast: string) => void;
    done: (toast: string) => void;
    resized: () => void;
  }) {
    this._listener = listener;
    this._observer = new MutationObserver(records => this._onMutated(records));
    this._onClick = this._onClick.bind(this);
    this._onResized = this._onResized.bind(this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** True if toasts come down from the top of the page. */
  get atTop(): boolean {
    return this._atTop;
  }
  set atTop(atTop: boolean) {
    this._atTop = atTop;
    document.body.classList.toggle('jp-mod-notify-toasts-top', atTop);
  }

  /** Pixels for our toasts: what is free, at most half the window, less what others show. */
  get room(): number {
    let others = 0;
    for (const node of this._toasts()) {
      if (!this._dresses.has(node.id) && !this._leaving.has(node.id)) {
        others += outerHeight(node);
      }
    }
    const free = this._atTop ? (this._placement?.room ?? Infinity) : Infinity;
    return Math.min(this._windowHeight / 2, free) - others;
  }

  /** Begin to look at the page. */
  attach(): void {
    this.atTop = this._atTop;
    this._windowHeight = window.innerHeight;
    window.addEventListener('resize', this._onResized);
    document.addEventListener('click', this._onClick, true);
    this._find();
    if (!this._container) {
      this._observer.observe(document.body, { childList: true });
    }
  }

  dispose(): void {
    this._isDisposed = true;
    this._observer.disconnect();
    this._placement?.dispose();
    this._folding?.dispose();
    window.removeEventListener('resize', this._onResized);
    document.removeEventListener('click', this._onClick, true);
    document.body.classList.remove('jp-mod-notify-toasts-top');
  }

  /** Set the look of a toast that is on the page or will be. */
  expect(toast: string, dress: IToastDress): void {
    void this._load();
    this._dresses.set(toast, dress);
    const node = document.getElementById(toast);
    if (node) {
      this._dress(node, dress);
    }
  }

  /** The height of a toast with its margin, if it is on the page. */
  height(toast: string | null): number | undefined {
    return toast === null ? undefined : this._heights.get(toast);
  }

  /** Remove a toast that JupyterLab's manager has forgotten. */
  close(toast: string): void {
    this._dresses.delete(toast);
    this._heights.delete(toast);
    const node = document.getElementById(toast);
    if (!node) {
      return;
    }
    this._leaving.add(toast);
    // In its do-not-disturb mode JupyterLab removes no toasts either: press the cross.
    window.setTimeout(() => {
      if (node.isConnected && !node.className.includes('-exit')) {
        node.querySelector<HTMLElement>(CLOSE)?.click();
      }
    }, 300);
  }

  /** Place the toasts of other extensions too, even before there is one of ours. */
  place(): void {
    void this._load();
  }

  /**
   * Load the code that places and folds toasts, at the first toast; the next toast tries again if
   * the server cannot be reached.
   */
  private async _load(): Promise<void> {
    if (this._isLoading) {
      return;
    }
    this._isLoading = true;
    try {
      const { setDone, startTime, ToastFolding, ToastPlacement } =
        await import('./standing');
      if (this._isDisposed) {
        return;
      }
      this._setDone = setDone;
      this._placement = new ToastPlacement({
        looked: () => this._toasts().forEach(startTime),
        moved: () => this._measure()
      });
      this._folding = new ToastFolding(() => this._measure());
    } catch {
      this._isLoading = false;
      return;
    }
    this._placement.attach();
    for (const node of this._toasts()) {
      this._setDone(node, this._dresses.get(node.id)?.done);
      if (this._folds.has(node)) {
        this._folding.start(node);
      }
    }
    this._measure();
  }

  private _toasts(): HTMLElement[] {
    return Array.from(
      this._container?.querySelectorAll<HTMLElement>(TOAST) ?? []
    );
  }

  private _find(): void {
    this._container = document.getElementById('react-toastify-container');
    if (this._container) {
      this._observer.disconnect();
      this._observer.observe(this._container, {
        childList: true,
        subtree: true
      });
      this._toasts().forEach(node => this._onAdded(node));
    }
  }

  private _onMutated(records: MutationRecord[]): void {
    if (!this._container) {
      this._find();
      return;
    }
    let measure = false;
    for (const { addedNodes, removedNodes } of records) {
      // The last toast goes with the element that held them all.
      for (const node of toastsOf(addedNodes)) {
        this._onAdded(node);
      }
      for (const { id } of toastsOf(removedNodes)) {
        if (!document.getElementById(id)) {
          this._leaving.delete(id);
          this._heights.delete(id);
          this._listener.vanished(id);
        }
      }
      measure ||= addedNodes.length > 0;
    }
    if (measure) {
      this._measure();
    }
  }

  private _onAdded(node: HTMLElement): void {
    const dress = this._dresses.get(node.id);
    if (dress) {
      this._dress(node, dress);
      this._listener.appeared(node.id);
    }
  }

  /**
   * Measure toasts after the frame in which they were added: to measure now
   * would force a layout of the whole page before the toast is drawn.
   */
  private _measure(): void {
    if (this._frame !== undefined) {
      return;
    }
    this._frame = window.setTimeout(() => {
      this._frame = undefined;
      // Observers report no sizes to a page in the background.
      this._placement?.look();
      for (const node of this._toasts()) {
        if (this._dresses.has(node.id)) {
          this._heights.set(node.id, outerHeight(node));
        }
      }
      this._listener.resized();
    }, 30);
  }

  private _dress(node: HTMLElement, dress: IToastDress): void {
    node.dataset.jpNotify = dress.kind;
    if (dress.progress === null) {
      delete node.dataset.jpNotifyProgress;
    } else {
      node.dataset.jpNotifyProgress = String(dress.progress);
      node.style.setProperty('--jp-notify-progress', `${dress.progress}%`);
    }
    // An attribute, not a class: React overwrites all classes.
    node.toggleAttribute('data-jp-notify-opens', dress.opens);
    this._fold(node, dress.folds);
    if (dress.pictured || node.dataset.jpNotifyImage) {
      // The toast has its text even if the picture cannot be loaded.
      import('../components/pictures').then(
        ({ dressToast }) => dressToast(node, dress.pictured ?? null),
        () => undefined
      );
    }
    const message = node.querySelector<HTMLElement>('.jp-toast-message');
    if (message) {
      message.dataset.jpNotifyMeta = dress.meta;
    }
    const close = node.querySelector<HTMLElement>(CLOSE);
    if (close) {
      close.title = dress.close;
    }
    this._setDone?.(node, dress.done);
    const body = node.querySelector('[role]:not([role="progressbar"])');
    if (body) {
      body.setAttribute('role', dress.role);
      if (dress.live) {
        body.removeAttribute('aria-live');
      } else {
        body.setAttribute('aria-live', 'off');
      }
    }
  }

  /**
   * Fold a toast after its time, which begins anew when its content changes.
   */
  private _fold(node: HTMLElement, folds: string | null): void {
    if (folds === null) {
      this._folds.delete(node);
      this._folding?.stop(node);
    } else if (this._folds.get(node) !== folds) {
      this._folds.set(node, folds);
      this._folding?.start(node);
    }
  }

  private _onClick(event: MouseEvent): void {
    const target = event.target;
    const toast =
      target instanceof Element && this._container?.contains(target)
        ? target.closest(TOAST)
        : null;
    if (!toast) {
      return;
    }
    if ((target as Element).closest(CLOSE)) {
      this._listener.closed(toast.id);
    } else if ((target as Element).closest('.jp-NotifyToast-done')) {
      this._listener.done(toast.id);
    } else if (
      toast.matches('[data-jp-notify-opens]') &&
      !(target as Element).closest('button, a') &&
      // A user who selects text wants to copy it.
      window.getSelection()?.isCollapsed !== false
    ) {
      this._listener.pressed(toast.id);
    }
  }

  private _onResized(): void {
    this._windowHeight = window.innerHeight;
    this._measure();
  }

  private readonly _listener: {
    appeared: (toast: string) => void;
    vanished: (toast: string) => void;
    closed: (toast: string) => void;
    pressed: (toast: string) => void;
    done: (toast: string) => void;
    resized: () => void;
  };
  private readonly _observer: MutationObserver;
  private _placement: ToastPlacement | null = null;
  private _folding: ToastFolding | null = null;
  private _setDone: typeof setDone | null = null;
  private _isLoading = false;
  /** The texts of toasts that fold. */
  private readonly _folds = new WeakMap<HTMLElement, string>();
  private readonly _dresses = new Map<string, IToastDress>();
  private readonly _heights = new Map<string, number>();
  private readonly _leaving = new Set<string>();
  private _atTop = true;
  private _container: HTMLElement | null = null;
  private _frame: number | undefined;
  private _isDisposed = false;
  /** Kept, since reading it from the window forces a layout of the page. */
  private _windowHeight = 0;
}

function toastsOf(nodes: NodeList): HTMLElement[] {
  return Array.from(nodes).flatMap(node =>
    node instanceof HTMLElement
      ? node.matches(TOAST)
        ? [node]
        : Array.from(node.querySelectorAll<HTMLElement>(TOAST))
      : []
  );
}

function outerHeight(node: HTMLElement): number {
  const margin = parseFloat(getComputedStyle(node).marginBottom) || 0;
  return node.offsetHeight + margin;
}
