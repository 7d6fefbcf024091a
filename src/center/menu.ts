/**
 * The menu at the top of the center: what belongs to it but is not for its list.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Menu } from '@lumino/widgets';

/**
 * List the entries of the menu for which a plugin is there.
 */
function items(trans?: TranslationBundle): (Menu.IItemOptions | null)[] {
  return [
    ...['off', 'hour', 'tomorrow', 'ever'].map(each => ({
      command: 'jupyterlab-notify:do-not-disturb',
      args: { for: each }
    })),
    null,
    { command: 'jupyterlab-notify:open-in-main' },
    { command: 'jupyterlab-notify:show-shortcuts' },
    null,
    { command: 'jupyterlab-notify:toggle-desktop-notifications' },
    { command: 'jupyterlab-notify:show-welcome' },
    null,
    {
      command: 'settingeditor:open',
      args: {
        label: trans?.__('Settings…') ?? '',
        // The title of our settings; JupyterLab's own are called Notifications.
        query: trans?.__('Notification Center') ?? ''
      }
    }
  ];
}

/**
 * Tell if the menu has any entry.
 */
export function hasMenu(commands: CommandRegistry): boolean {
  return items().some(item => item && commands.hasCommand(item.command!));
}

/**
 * Open it below the button that was pressed, which has the keyboard again afterwards.
 *
 * @returns The menu, which is the caller's to dispose of.
 */
export function openMenu(
  commands: CommandRegistry,
  button: HTMLElement,
  trans: TranslationBundle
): Menu {
  const menu = new MenuSvg({ commands });
  for (const item of items(trans)) {
    if (item === null) {
      menu.addItem({ type: 'separator' });
    } else if (commands.hasCommand(item.command!)) {
      menu.addItem(item);
    }
  }
  menu.aboutToClose.connect(() => button.focus());
  const { right, bottom } = button.getBoundingClientRect();
  menu.open(right, bottom, { horizontalAlignment: 'right' });
  return menu;
}
