/**
 * The bell's place in Notebook 7, which takes its header away in a small window and when the user
 * says so: then the bell stands at the end of the menus, which remain.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';

import type { NotificationBell } from './bell';

/**
 * Keep the bell in sight.
 *
 * @param header - Where it is while that is there.
 * @param rank - Its place among others.
 */
export function followHeader(
  shell: JupyterFrontEnd.IShell,
  bell: NotificationBell,
  header: Element,
  rank: number
): void {
  let area = 'top';
  new ResizeObserver(() => {
    const there = header.clientHeight ? 'top' : 'menu';
    if (there !== area) {
      area = there;
      const hadFocus = bell.node.contains(document.activeElement);
      shell.add(bell, area, { rank });
      // There is little room between a notebook's menus and its trust, which stays one line.
      const isMenu = area === 'menu';
      bell.node.style.width = isMenu ? '24px' : '';
      bell.node.style.padding = isMenu ? '0' : '';
      // Its number may stand out over the edge of what is beside it.
      bell.node.style.transform = isMenu ? 'translateX(-4px)' : '';
      bell.node.style.zIndex = isMenu ? '1' : '';
      if (isMenu) {
        bell.parent!.node.style.whiteSpace = 'nowrap';
      }
      if (hadFocus) {
        bell.focus();
      }
    }
  }).observe(header);
}
