/**
 * Finds what covers an element of a page, and what stands askew in it, by the boxes that the browser
 * draws.
 */
import type { Locator } from '@playwright/test';

/**
 * Find what a row's buttons cover of its icon, its box to select it, and the first three letters of
 * its summary.
 */
export function coveredParts(row: Locator): Promise<string[]> {
  return row.evaluate(node => {
    const buttons = [...node.querySelectorAll('.jp-NotifyRow-tools > *')].map(
      button => button.getBoundingClientRect()
    );
    const isCovered = (box: DOMRect) =>
      buttons.some(
        button => button.left < box.right && button.right > box.left
      );
    const parts = ['.jp-NotifyRow-lead', '.jp-NotifyIcon'].filter(part =>
      isCovered(node.querySelector(part)!.getBoundingClientRect())
    );
    const walker = document.createTreeWalker(
      node.querySelector('.jp-NotifyRow-summary')!,
      NodeFilter.SHOW_TEXT
    );
    const text = walker.nextNode() as Text;
    const letters = [0, 1, 2].filter(at => {
      const letter = document.createRange();
      letter.setStart(text, at);
      letter.setEnd(text, at + 1);
      return isCovered(letter.getBoundingClientRect());
    });
    return [...parts, ...letters.map(at => text.data[at])];
  });
}

/**
 * Measure how far the middle of a part is above or below that of the whole, in pixels.
 */
export function offMiddle(whole: Locator, part: string): Promise<number> {
  return whole.evaluate((node, part) => {
    const [inner, outer] = [node.querySelector(part)!, node].map(each => {
      const { bottom, top } = each.getBoundingClientRect();
      return (top + bottom) / 2;
    });
    return Math.abs(inner - outer);
  }, part);
}

/**
 * The height in px of what one has to scroll to see in a dialog of JupyterLab's.
 */
export function hiddenHeight(dialog: Locator): Promise<number> {
  return dialog
    .locator('.jp-Dialog-body')
    .evaluate(body => body.scrollHeight - body.clientHeight);
}
