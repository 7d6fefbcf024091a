/**
 * Gives the panel the width that the user chose, where JupyterLab lost it: after the window was
 * small, and in a layout that was saved in a small window.
 */
import type { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import * as React from 'react';

import type { ICenterHost } from '../components/context';
import type { CenterPanel } from './panel';
import {
  firstWidth,
  isWindowLarge,
  knownWidth,
  MAX_PART,
  partOf,
  rememberWidth,
  takeWidth
} from './panelWidth';

/** A shell that may restore a layout; Notebook has none. */
type IRestoringShell = JupyterFrontEnd.IShell &
  Partial<Pick<ILabShell, 'restored'>>;

/** Time in ms after which JupyterLab's areas have followed the window. */
const SETTLED_MS = 100;

/**
 * Follow the sizes of the window and of the panel, if the center is in one.
 */
export function useKeptWidth(host: ICenterHost): void {
  React.useEffect(() => {
    if (!isPanel(host)) {
      return;
    }
    let parts: readonly number[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const split = host.side?.split;
    // While the window keeps its size, it is the user who changes the panel's.
    const observer = new ResizeObserver(() => {
      if (host.visible && timer === undefined) {
        parts = host.side?.split.relativeSizes() ?? [];
      }
    });
    const onResize = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        timer = undefined;
        restoreWidth(host, parts);
      }, SETTLED_MS);
    };
    const onMoved = () => {
      if (host.visible && host.side) {
        rememberWidth(host.side);
      }
    };
    void (host.shell as IRestoringShell).restored?.then(layout => {
      const saved = layout?.relativeSizes;
      if (saved) {
        requestAnimationFrame(() => restoreWidth(host, saved));
      }
    });
    split?.handleMoved.connect(onMoved);
    observer.observe(host.node);
    window.addEventListener('resize', onResize);
    return () => {
      split?.handleMoved.disconnect(onMoved);
      observer.disconnect();
      window.removeEventListener('resize', onResize);
      clearTimeout(timer);
    };
  }, []);
}

/** Tell whether the center is in a panel at the side, and not in the main area. */
function isPanel(host: ICenterHost): host is CenterPanel {
  return 'widen' in host;
}

/**
 * Restore the width that the panel had, if it came back with its least width, or with one of a
 * small window: sizes that JupyterLab applies before the page has a size are lost, and so are
 * those that a small window has no room for.
 *
 * @param saved - The parts of the window that JupyterLab's areas had.
 */
function restoreWidth(panel: CenterPanel, saved: readonly number[]): void {
  const { side } = panel;
  if (!side || !panel.visible) {
    return;
  }
  const { split, own } = side;
  const { node } = split.widgets[own];
  const least = parseFloat(getComputedStyle(node).minWidth) || 0;
  const wanted = saved[own] * split.node.clientWidth;
  if (node.offsetWidth <= least + 1 && wanted > least + 2) {
    takeWidth(side, saved[own]);
  }
  // Wider than the panel opens by itself, and than the user was seen to make it in this browser.
  const known = knownWidth() ?? 0;
  const part = partOf(side);
  if (isWindowLarge(side) && part > Math.max(known, MAX_PART)) {
    const sizes = split.relativeSizes();
    sizes[own] = known || firstWidth(side);
    // What it leaves goes to the main area, which is next to it on either side.
    sizes[own ? own - 1 : 1] += part - sizes[own];
    split.setRelativeSizes(sizes);
  }
}
