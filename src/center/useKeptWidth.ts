/**
 * Gives the panel its width back after the window was too small for it, and remembers what the user
 * chooses.
 */
import type { SplitPanel } from '@lumino/widgets';
import * as React from 'react';

import type { ICenterHost } from '../components/context';
import type { CenterPanel } from './panel';

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
    // While the window keeps its size, it is the user who changes the panel's.
    const observer = new ResizeObserver(() => {
      if (host.visible && timer === undefined) {
        parts = splitOf(host)?.relativeSizes() ?? [];
      }
    });
    const onResize = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        timer = undefined;
        host.restoreWidth(parts);
      }, SETTLED_MS);
    };
    const split = splitOf(host);
    const onMoved = () => host.rememberWidth();
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
  return 'restoreWidth' in host;
}

/** Find the areas that share the width of the window. */
function splitOf(panel: CenterPanel): SplitPanel | null {
  for (let area = panel.parent; area; area = area.parent) {
    if ('relativeSizes' in area) {
      return area as SplitPanel;
    }
  }
  return null;
}
