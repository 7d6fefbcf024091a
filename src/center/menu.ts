/**
 * The menu at the top of the center, with the commands that are not for its list.
 */
import type { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Menu } from '@lumino/widgets';

import type { ICenterHost } from '../components/context';

/** The command that opens our settings. */
const OPEN_SETTINGS = 'jupyterlab-notify:open-settings';

/** JupyterLab's own command for settings, and the id of the editor that it opens. */
const EDITOR = 'settingeditor:open';
const EDITOR_ID = 'setting-editor';

/**
 * List the entries of the menu for which a plugin is there.
 */
function items(): (Menu.IItemOptions | null)[] {
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
    { command: OPEN_SETTINGS }
  ];
}

/**
 * Tell if the menu has any entry.
 */
export function hasMenu(commands: CommandRegistry): boolean {
  return (
    commands.hasCommand(EDITOR) ||
    items().some(item => item && commands.hasCommand(item.command!))
  );
}

/**
 * Open the menu below the button that was pressed, which gets the focus back afterwards.
 *
 * @returns The menu, which is the caller's to dispose of.
 */
export function openMenu(
  host: Pick<ICenterHost, 'commands' | 'shell'>,
  button: HTMLElement,
  trans: TranslationBundle
): Menu {
  const { commands } = host;
  addSettings(host, trans);
  const menu = new MenuSvg({ commands });
  for (const item of items()) {
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

/**
 * Add the command that opens our settings, once, where there is an editor of settings.
 */
function addSettings(
  { commands, shell }: Pick<ICenterHost, 'commands' | 'shell'>,
  trans: TranslationBundle
): void {
  if (commands.hasCommand(OPEN_SETTINGS) || !commands.hasCommand(EDITOR)) {
    return;
  }
  commands.addCommand(OPEN_SETTINGS, {
    label: trans.__('Settings…'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => {
      for (const widget of [...shell.widgets('main')]) {
        // In JupyterLab 4.2 an open editor would stay at the page that it shows; a newer one takes
        // the query.
        if (
          widget.id === EDITOR_ID &&
          !('updateQuery' in (widget as MainAreaWidget).content)
        ) {
          widget.close();
        }
      }
      // The title of our settings; JupyterLab's own are called Notifications.
      return commands.execute(EDITOR, {
        query: trans.__('Notification Center')
      });
    }
  });
}
