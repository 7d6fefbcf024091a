/**
 * The width of the center's panel, which is remembered in this browser: JupyterLab keeps widths by
 * workspace and forgets them while a side is closed.
 */
import { PageConfig } from '@jupyterlab/coreutils';
import type { SplitPanel } from '@lumino/widgets';

/** The key in the browser's storage. */
const WIDTH = 'jupyterlab_notify:center-width';

/** The width at which the panel first opens, and the largest part of the window that it takes. */
export const WIDTH_PX = 380;
export const MAX_PART = 0.36;

/**
 * The panels that share the width of the window, and the index of the one with the center.
 */
export interface ISide {
  split: SplitPanel;
  own: number;
}

/**
 * Give the panel a part of the window, at the cost or to the gain of the widest other area.
 */
export function setPart({ split, own }: ISide, part: number): void {
  const sizes = split.relativeSizes();
  const others = sizes.map((size, index) => (index === own ? -1 : size));
  const main = others.indexOf(Math.max(...others));
  sizes[main] = Math.max(0, sizes[main] + sizes[own] - part);
  sizes[own] = part;
  split.setRelativeSizes(sizes);
}

/**
 * Return the part of the window that the panel had last; null if it was never open.
 */
export function knownWidth(): number | null {
  try {
    const part = Number(localStorage.getItem(key()));
    return part > 0 && part < 1 ? part : null;
  } catch {
    return null;
  }
}

/**
 * Remember the part of the window that the panel has, unless the window is too small to have left
 * the user a choice.
 */
export function rememberWidth(side: ISide): void {
  try {
    if (isWindowLarge(side) && partOf(side) > 0) {
      localStorage.setItem(key(), partOf(side).toFixed(4));
    }
  } catch {
    // Without storage the panel opens as it does for the first time.
  }
}

/**
 * Return the part of the window that the panel takes when it first opens.
 */
export function firstWidth({ split }: ISide): number {
  return Math.min(MAX_PART, WIDTH_PX / split.node.clientWidth);
}

/**
 * Return the part of the window that the panel has.
 */
export function partOf({ split, own }: ISide): number {
  return split.relativeSizes()[own];
}

/**
 * Tell whether there is room for the panel at its first width, and as much beside it.
 */
export function isWindowLarge({ split }: ISide): boolean {
  return split.node.clientWidth > 2 * WIDTH_PX;
}

function key(): string {
  return `${WIDTH}:${PageConfig.getOption('workspace') || 'default'}`;
}
