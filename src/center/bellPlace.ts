/**
 * The bell's place in Notebook 7, which hides its header in a small window and when the user asks
 * for that: the bell then stands at the end of the menus, which remain.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';

import type { NotificationBell } from './bell';

import '../../style/bellPlace.css';

const BESIDE_MENUS = 'jp-mod-besideMenus';

/**
 * Keep the bell in sight.
 *
 * @param header - The header, which holds the bell while it is visible.
 * @param rank - The bell's rank in its area.
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
      bell.toggleClass(BESIDE_MENUS, area === 'menu');
      if (hadFocus) {
        bell.focus();
      }
    }
  }).observe(header);
}
