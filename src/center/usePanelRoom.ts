/**
 * Keeps the panel in the window, and as wide as the user chose: JupyterLab pushes it out of a window
 * that is too narrow for both sides, and loses its width while the window is small.
 */
import type { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import type { SplitPanel } from '@lumino/widgets';
import * as React from 'react';

import type { ICenterHost } from '../components/context';
import type { CenterPanel } from './panel';
import {
  firstWidth,
  type ISide,
  isWindowLarge,
  knownWidth,
  MAX_PART,
  partOf,
  rememberWidth,
  setPart,
  WIDTH_PX
} from './panelWidth';

/** A shell whose left side can be closed, and that may restore a layout; Notebook's does not. */
type ISidedShell = JupyterFrontEnd.IShell &
  Partial<Pick<ILabShell, 'collapseLeft' | 'leftCollapsed' | 'restored'>>;

/** Time in ms without a change after which JupyterLab's areas have followed the window. */
const SETTLED_MS = 100;

/**
 * Look after the panel's room, if the center is in a panel.
 */
export function usePanelRoom(host: ICenterHost): void {
  React.useEffect(() => {
    const split = isPanel(host) && host.side?.split;
    if (split) {
      const room = new PanelRoom(host, split);
      return () => room.dispose();
    }
  }, []);
}

/** Tell whether the center is in a panel at the side, and not in the main area. */
function isPanel(host: ICenterHost): host is CenterPanel {
  return 'widen' in host;
}

/**
 * Looks at the panel again after each change of what shares the window with it. Changes go on for
 * a while, and what is between two of them says nothing.
 */
class PanelRoom {
  constructor(panel: CenterPanel, split: SplitPanel) {
    this._panel = panel;
    this._split = split;
    this._width = split.node.clientWidth;
    // Whatever moves the panel changes the size of one of these.
    for (const { node } of [split, ...split.widgets]) {
      this._observer.observe(node);
    }
    split.handleMoved.connect(this._onMoved, this);
    panel.visibleChanged.connect(this._onVisible, this);
    void this._shell.restored?.then(layout => {
      this._saved = layout?.relativeSizes ?? null;
      requestAnimationFrame(() => this._onRestored());
    });
  }

  /** Look no more. */
  dispose(): void {
    clearTimeout(this._timer);
    this._observer.disconnect();
    this._split.handleMoved.disconnect(this._onMoved, this);
    this._panel.visibleChanged.disconnect(this._onVisible, this);
  }

  private get _shell(): ISidedShell {
    return this._panel.shell;
  }

  /** The side of the panel, if a user can see it. */
  private get _side(): ISide | null {
    return this._panel.visible ? this._panel.side : null;
  }

  private _onSettled(): void {
    if (!hasTheme()) {
      // The theme changes sizes when it comes, and they are looked at then.
      return;
    }
    const width = this._split.node.clientWidth;
    const isResized = width !== this._width;
    this._width = width;
    const side = this._side;
    const isMoved = this._isMoved;
    this._isMoved = false;
    if (side && this._saved) {
      this._restore(side, this._saved);
    } else if (side && isResized && !isMoved && isWindowLarge(side)) {
      const wanted = (knownWidth() ?? firstWidth(side)) * width;
      setPart(side, Math.min(this._wanted ?? wanted, width - WIDTH_PX) / width);
      // What the panel had until now was no choice of the user's.
      this._lookLater();
    } else if (side && this._mustNote) {
      this._mustNote = false;
      this._note(side);
    }
    this._keepInside(side);
  }

  private _onRestored(): void {
    if (this._side && this._saved && hasTheme()) {
      this._restore(this._side, this._saved);
    } else if (!this._side) {
      this._saved = null;
    }
  }

  /** Give the panel its width of the saved layout. */
  private _restore(side: ISide, saved: readonly number[]): void {
    this._saved = null;
    restoreWidth(side, saved[side.own]);
    this._noteLater();
  }

  /** Between two looks the panel may have been closed and opened again. */
  private _onVisible(_: CenterPanel, visible: boolean): void {
    if (visible) {
      this._wasLeftOpen = !this._shell.leftCollapsed;
      this._noteLater();
    }
  }

  /** The user moved an edge. */
  private _onMoved(): void {
    const side = this._side;
    if (side) {
      this._saved = null;
      this._isMoved = true;
      rememberWidth(side);
      this._noteLater();
    }
  }

  private _lookLater(): void {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._onSettled(), SETTLED_MS);
  }

  /** Note the width of the panel once it has it. */
  private _noteLater(): void {
    this._mustNote = true;
    this._lookLater();
  }

  /** Note the width of the panel, unless a small window gives no choice. */
  private _note(side: ISide): void {
    if (isWindowLarge(side)) {
      this._wanted = side.split.widgets[side.own].node.offsetWidth;
    }
  }

  /** Close a side if there is no room for both; the one that was opened last stays. */
  private _keepInside(side: ISide | null): void {
    const isLeftOpen = !this._shell.leftCollapsed;
    const { right } = this._panel.node.getBoundingClientRect();
    // In a page at another zoom the window's edge lies between two pixels.
    if (!side || !isLeftOpen || right < window.innerWidth + 1) {
      this._wasLeftOpen = isLeftOpen;
    } else if (this._wasLeftOpen) {
      this._wasLeftOpen = false;
      this._shell.collapseLeft?.();
    } else {
      this._panel.close();
    }
  }

  private readonly _panel: CenterPanel;
  private readonly _split: SplitPanel;
  private readonly _observer = new ResizeObserver(() => this._lookLater());
  private _timer: ReturnType<typeof setTimeout> | undefined;
  /** The parts of the window in the layout that JupyterLab restored, until the panel has its part. */
  private _saved: readonly number[] | null = null;
  /** The width that all areas shared when they were looked at last. */
  private _width: number;
  /** The width in px of the panel that the user last had in a large window. */
  private _wanted: number | null = null;
  /** Whether the user has moved an edge since then. */
  private _isMoved = false;
  /** Whether the panel has a width of the user's that is not noted yet. */
  private _mustNote = true;
  /** Whether the left side was opened before the panel. */
  private _wasLeftOpen = true;
}

/**
 * Tell if the page has its theme. JupyterLab may restore a layout before, when the page has neither
 * its width nor a least width of its sides; sizes that are applied then are lost.
 */
function hasTheme(): boolean {
  const style = getComputedStyle(document.body);
  return style.getPropertyValue('--jp-layout-color1') !== '';
}

/**
 * Restore the width of a panel that a restored layout opened with its least width, or with one of
 * a small window.
 *
 * @param saved - The part of the window that the panel had in that layout.
 */
function restoreWidth(side: ISide, saved: number): void {
  const { split, own } = side;
  const { node } = split.widgets[own];
  const least = parseFloat(getComputedStyle(node).minWidth) || 0;
  if (
    node.offsetWidth <= least + 1 &&
    saved * split.node.clientWidth > least + 2
  ) {
    setPart(side, saved);
  }
  // Wider than the panel opens by itself, and than the user was seen to make it in this browser.
  const known = knownWidth() ?? 0;
  if (isWindowLarge(side) && partOf(side) > Math.max(known, MAX_PART)) {
    setPart(side, known || firstWidth(side));
  }
}
