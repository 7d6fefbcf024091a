/**
 * The place of toasts: below the toolbars in their column, and beside an open side panel, so that
 * they cover no control of the page. Used by the view.
 */
import type { IDisposable } from '@lumino/disposable';

/** The parts across the top of JupyterLab's page, and of Notebook's. */
const ABOVE = [
  '#jp-header-panel',
  '#jp-top-panel',
  '#jp-menu-panel',
  '#top-panel-wrapper',
  '#menu-panel-wrapper',
  '#jp-notify-banner'
];

/** The ids of the part that an open side panel makes narrower, in JupyterLab and in Notebook. */
const BESIDE = ['jp-main-dock-panel', 'main-panel'];

/**
 * The classes of bars there whose buttons a toast would cover; the third is the box to search in an
 * open document, and the last two are the center's.
 */
const BARS = [
  'jp-Toolbar',
  'lm-TabBar',
  'jp-DocumentSearch-overlay',
  'jp-NotifyHeader',
  'jp-NotifyFilter'
];

/** An open side panel with the center in it. */
const CENTER = '#jp-notify-center:not(.lm-mod-hidden)';

/** Any toast, also one of JupyterLab's own. */
const TOAST = '.jp-toastContainer .Toastify__toast';

/** The least width beside an open side panel that a toast fits into. */
const MIN_BESIDE = 360;

/** The width of toasts before there is one to measure. */
const WIDTH = 320;

/** The gap between toasts and what is around them. */
const GAP = 12;

/** The least height for toasts: they do not go below a bar that leaves less. */
const MIN_HEIGHT = 240;

/** Time in ms for the page to settle before it is measured again. */
const SETTLE_MS = 50;

/**
 * Interval in ms between looks while a toast is on the page. No observer reports an element that
 * only moves, for example because of an ancestor's style, or that is added deep within the page.
 */
const STANDING_MS = 250;

/**
 * A bar that toasts keep off, in pixels from the top of the page.
 */
export interface IBar {
  readonly top: number;
  readonly bottom: number;
}

/**
 * The place for toasts.
 */
export interface IPlace {
  /** The first line that they may cover. */
  top: number;
  /** Pixels from there to what is next below. */
  room: number;
}

/**
 * Find the place below the lowest bar that leaves room enough.
 *
 * In a split page whose lower part is small, toasts stay above the bar of that part.
 *
 * @param above - The lower edge of the parts across the top of the page.
 * @param bars - The bars in the toasts' column, in any order.
 * @param bottom - The lower edge of the page.
 */
export function findPlace(
  above: number,
  bars: readonly IBar[],
  bottom: number
): IPlace {
  const sorted = [...bars].sort((a, b) => a.bottom - b.bottom);
  let top = above;
  let limit = bottom;
  for (const bar of sorted) {
    if (bar.bottom <= top) {
      continue;
    }
    // A bar with little room above it never counts as the bar of a lower part of the page.
    if (bottom - bar.bottom >= MIN_HEIGHT || bar.top - top < MIN_HEIGHT / 2) {
      top = bar.bottom;
    } else {
      limit = bar.top;
      break;
    }
  }
  return { top, room: Math.max(0, limit - top - 2 * GAP) };
}

/**
 * Keeps the place up to date as the page's layout changes, as properties of the page's style.
 */
export class ToastPlacement implements IDisposable {
  /**
   * @param listener - `looked` is called at each look, `moved` after the place has changed.
   */
  constructor(
    private readonly _listener: { looked: () => void; moved: () => void }
  ) {
    this.look = this.look.bind(this);
    this._onChange = this._onChange.bind(this);
    this._mutations = new MutationObserver(this._onChange);
  }

  /** True once it was disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Pixels from where toasts begin to what is next below. */
  get room(): number {
    return this._room;
  }

  /** Begin to look at the page. */
  attach(): void {
    if (typeof ResizeObserver !== 'undefined') {
      this._resizes = new ResizeObserver(this._onChange);
    }
    // The active cell has a toolbar of its own, which moves with the focus.
    document.addEventListener('focusin', this._onChange);
    // The place was not kept up to date while the page was hidden.
    document.addEventListener('visibilitychange', this._onChange);
    this.look();
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    window.clearTimeout(this._next);
    this._mutations.disconnect();
    this._resizes?.disconnect();
    document.removeEventListener('focusin', this._onChange);
    document.removeEventListener('visibilitychange', this._onChange);
  }

  /** Look at the page now, and again as long as toasts stand on a page that is in sight. */
  look(): void {
    if (this._isDisposed) {
      return;
    }
    window.clearTimeout(this._timer);
    window.clearTimeout(this._next);
    this._timer = undefined;
    this._next =
      document.hidden || !document.querySelector(TOAST)
        ? undefined
        : window.setTimeout(this.look, STANDING_MS);
    this._listener.looked();
    this._watch();
    const beside = areas()[0]?.getBoundingClientRect();
    const fits = !beside || beside.right > MIN_BESIDE;
    const right = beside && fits ? window.innerWidth - beside.right : 0;
    const covered = !fits && !!document.querySelector(CENTER);
    const { top, room } = findPlace(
      this._above(),
      this._bars(window.innerWidth - right),
      window.innerHeight
    );
    const place = [Math.round(top), Math.round(right), room, covered].join();
    if (place === this._place) {
      return;
    }
    this._place = place;
    this._room = room;
    const { classList, style } = document.body;
    style.setProperty('--jp-notify-toasts-top', `${Math.round(top)}px`);
    style.setProperty('--jp-notify-toasts-right', `${Math.round(right)}px`);
    // With no room beside the center toasts are hidden: the center lists them all.
    classList.toggle('jp-mod-notify-toasts-covered', covered);
    this._listener.moved();
  }

  private _above(): number {
    return ABOVE.reduce((top, selector) => {
      const node = document.querySelector(selector);
      return Math.max(top, node?.getBoundingClientRect().bottom ?? 0);
    }, 0);
  }

  /** Find the visible bars in the toasts' column, whose right edge is given. */
  private _bars(right: number): IBar[] {
    const toasts = document
      .querySelector('.jp-toastContainer')
      ?.getBoundingClientRect();
    const left = right - 2 * GAP - Math.max(WIDTH, toasts?.width ?? 0);
    return bars()
      .map(node => node.getBoundingClientRect())
      .filter(
        box =>
          box.height > 0 &&
          // The bar of a side panel is as high as the page.
          box.width > box.height &&
          box.right > left &&
          box.left < right &&
          box.top >= 0 &&
          box.bottom < window.innerHeight
      );
  }

  /**
   * Observe the parts that toasts keep off, to notice when they come, go or change their size.
   * Notebook's page may not have them yet when it says that it is ready: each look adds new ones.
   */
  private _watch(): void {
    const inside = areas();
    const above = ABOVE.flatMap(one => document.querySelector(one) ?? []);
    for (const node of [...above, ...inside, ...bars()]) {
      // Observing an element a second time would report it as changed.
      if (!this._watched.has(node)) {
        this._watched.add(node);
        this._resizes?.observe(node);
        if (inside.includes(node as HTMLElement)) {
          this._mutations.observe(node, { childList: true });
        }
      }
    }
  }

  private _onChange(): void {
    if (this._timer === undefined) {
      this._timer = window.setTimeout(this.look, SETTLE_MS);
    }
  }

  private readonly _mutations: MutationObserver;
  private readonly _watched = new WeakSet<Element>();
  private _isDisposed = false;
  private _next: number | undefined;
  private _place = '';
  private _resizes: ResizeObserver | null = null;
  private _room = Infinity;
  private _timer: number | undefined;
}

/** Find the part that a side panel makes narrower. */
function areas(): HTMLElement[] {
  return BESIDE.flatMap(id => document.getElementById(id) ?? []);
}

/**
 * Find the bars, by their classes alone: a browser remembers the result of such a search, while a
 * selector would make it look at each cell's nodes every time.
 */
function bars(): Element[] {
  return areas().flatMap(area =>
    BARS.flatMap(name => [...area.getElementsByClassName(name)])
  );
}
