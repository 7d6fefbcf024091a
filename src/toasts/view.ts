/**
 * The toasts on the page: finds those of ours among JupyterLab's, gives them what
 * JupyterLab leaves out, and says when they come and go.
 */
import { Notification as LabNotification } from '@jupyterlab/apputils';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { Notification } from '../wire';

const TOAST = '.Toastify__toast';
const CLOSE = '.jp-Notification-Toast-Close';

/** What stands across the top of JupyterLab's page, and of Notebook's. */
const ABOVE = [
  '#jp-header-panel',
  '#jp-top-panel',
  '#jp-menu-panel',
  '#top-panel-wrapper',
  '#menu-panel-wrapper',
  '#jp-notify-banner'
];

/** What an open side panel makes narrower, in JupyterLab and in Notebook. */
const BESIDE = ['#jp-main-dock-panel', '#main-panel'];

/** The least width left of an open side panel that a toast fits into. */
const MIN_BESIDE = 360;

/**
 * What a toast shows that JupyterLab's toasts have no place for.
 */
export interface IToastDress {
  kind: Notification['type'] | 'summary';
  /** What its cross does. */
  close: string;
  /** The line under the message. */
  meta: string;
  /** Percent. */
  progress: number | null;
  role: 'alert' | 'status';
  /** Whether a screen reader reads it out. */
  live: boolean;
}

/**
 * Have JupyterLab load what it draws toasts with, so that the first one is
 * as fast as all others.
 *
 * It does that when a notification is removed, also one that never was; no
 * toast is drawn for it.
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
export class ToastView implements IDisposable {
  constructor(listener: {
    appeared: (toast: string) => void;
    vanished: (toast: string) => void;
    closed: (toast: string) => void;
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

  /** Whether toasts come down from the top of the page. */
  get atTop(): boolean {
    return this._atTop;
  }
  set atTop(atTop: boolean) {
    this._atTop = atTop;
    document.body.classList.toggle('jp-mod-notify-toasts-top', atTop);
    this._place();
  }

  /** Pixels for our toasts: half the window less what others show. */
  get room(): number {
    let others = 0;
    for (const node of this._toasts()) {
      if (!this._dresses.has(node.id) && !this._leaving.has(node.id)) {
        others += outerHeight(node);
      }
    }
    return this._windowHeight / 2 - others;
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
    if (typeof ResizeObserver !== 'undefined') {
      this._resizes = new ResizeObserver(() => this._place());
    }
    this._watchEdges();
    this._place();
  }

  dispose(): void {
    this._isDisposed = true;
    this._observer.disconnect();
    this._resizes?.disconnect();
    window.removeEventListener('resize', this._onResized);
    document.removeEventListener('click', this._onClick, true);
    document.body.classList.remove('jp-mod-notify-toasts-top');
  }

  /** Say how a toast looks that is there or will be. */
  expect(toast: string, dress: IToastDress): void {
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

  /** Take a toast away that JupyterLab's manager has forgotten. */
  close(toast: string): void {
    this._dresses.delete(toast);
    this._heights.delete(toast);
    const node = document.getElementById(toast);
    if (!node) {
      return;
    }
    this._leaving.add(toast);
    // While it must not disturb, JupyterLab takes no toast away either.
    window.setTimeout(() => {
      if (node.isConnected && !node.className.includes('-exit')) {
        node.querySelector<HTMLElement>(CLOSE)?.click();
      }
    }, 300);
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
        attributeFilter: ['class'],
        attributeOldValue: true,
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
    for (const { addedNodes, oldValue, removedNodes, target } of records) {
      if (oldValue !== null) {
        startTime(target as HTMLElement, oldValue);
      }
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
   * Measure after the frame in which they came: to ask now would cost the
   * layout of the whole page before the toast is drawn.
   */
  private _measure(): void {
    if (this._frame !== undefined) {
      return;
    }
    this._frame = window.setTimeout(() => {
      this._frame = undefined;
      this._watchEdges();
      // A page in the background is told of no sizes.
      this._place();
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
    const message = node.querySelector<HTMLElement>('.jp-toast-message');
    if (message) {
      message.dataset.jpNotifyMeta = dress.meta;
    }
    const close = node.querySelector<HTMLElement>(CLOSE);
    if (close) {
      close.title = dress.close;
    }
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

  private _onClick(event: MouseEvent): void {
    const target = event.target;
    if (!(target instanceof Element) || !target.closest(CLOSE)) {
      return;
    }
    const toast = target.closest(TOAST);
    if (toast && this._container?.contains(toast)) {
      this._listener.closed(toast.id);
    }
  }

  private _onResized(): void {
    this._windowHeight = window.innerHeight;
    this._place();
    this._measure();
  }

  /**
   * Notice when what toasts keep off changes its size. Notebook's page may
   * have none of it yet when it says that it is ready: with each toast one
   * looks again.
   */
  private _watchEdges(): void {
    for (const selector of [...ABOVE, ...BESIDE]) {
      const node = document.querySelector(selector);
      // One that is watched already would be said to have changed.
      if (node && this._resizes && !this._edges.has(node)) {
        this._edges.add(node);
        this._resizes.observe(node);
      }
    }
  }

  /**
   * Keep toasts off the top bar, the bell in it, and an open side panel.
   */
  private _place(): void {
    let top = 0;
    for (const selector of ABOVE) {
      const node = document.querySelector(selector);
      top = Math.max(top, node?.getBoundingClientRect().bottom ?? 0);
    }
    const beside = document
      .querySelector(BESIDE.join())
      ?.getBoundingClientRect();
    const right =
      beside && beside.right > MIN_BESIDE
        ? window.innerWidth - beside.right
        : 0;
    const { style } = document.body;
    style.setProperty('--jp-notify-toasts-top', `${Math.round(top)}px`);
    style.setProperty('--jp-notify-toasts-right', `${Math.round(right)}px`);
  }

  private readonly _listener: {
    appeared: (toast: string) => void;
    vanished: (toast: string) => void;
    closed: (toast: string) => void;
    resized: () => void;
  };
  private readonly _observer: MutationObserver;
  private readonly _edges = new WeakSet<Element>();
  private readonly _dresses = new Map<string, IToastDress>();
  private readonly _heights = new Map<string, number>();
  private readonly _leaving = new Set<string>();
  private _atTop = true;
  private _container: HTMLElement | null = null;
  private _frame: number | undefined = undefined;
  private _isDisposed = false;
  private _resizes: ResizeObserver | null = null;
  /** Kept, since to ask for it costs the layout of the page. */
  private _windowHeight = 0;
}

/**
 * Let a toast's time begin whose entrance was cut short.
 *
 * Its time begins with an event at the end of the animation with which it
 * comes. A new state of the toast takes that animation away, and one that had
 * not been drawn yet, as in a hidden tab, then never ends.
 */
function startTime(node: HTMLElement, before: string): void {
  if (before.includes('-enter') && !node.className.includes('-enter')) {
    node.dispatchEvent(new Event('d'));
  }
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
