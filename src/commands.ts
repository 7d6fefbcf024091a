/**
 * The plugin of the commands that act on all notifications.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { UndoSnackbar } from './components/snackbar';
import { addCommand } from './palette';
import { request } from './request';
import { INotificationModel } from './tokens';

namespace CommandIDs {
  export const markAllRead = 'jupyterlab-notify:mark-all-read';

  export const dismissAll = 'jupyterlab-notify:dismiss-all';

  /** The command for the button of a warning that an idle server is about to be stopped. */
  export const keepRunning = 'jupyterlab-notify:keep-running';
}

/**
 * The plugin that adds the commands.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab_notify:commands',
  description:
    'Adds the commands for all notifications, and what keeps the server running.',
  autoStart: true,
  requires: [INotificationModel],
  optional: [ICommandPalette, ITranslator],
  // Longer than a screen: the commands and wiring of one plugin, in order.
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');

    // Loaded at the first change that can be undone.
    let page: UndoSnackbar | undefined;
    const getUndo = async () =>
      (page ??= (await import('./components/snackbar')).undoOnPage(
        model,
        trans
      )).undo;

    addCommand(app, palette, trans, CommandIDs.markAllRead, {
      label: trans.__('Mark All Notifications as Read'),
      isEnabled: () => model.counts.unread > 0,
      execute: async () => (await getUndo()).read('all', true)
    });
    addCommand(app, palette, trans, CommandIDs.dismissAll, {
      label: trans.__('Mark All Notifications as Done'),
      isEnabled: () => model.counts.inbox > 0,
      execute: async () => (await getUndo()).dismiss('all', true)
    });
    commands.addCommand(CommandIDs.keepRunning, {
      label: trans.__('Keep the Server Running'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        try {
          await request(
            'activity',
            { method: 'POST' },
            app.serviceManager.serverSettings,
            trans
          );
        } catch (error) {
          await showErrorMessage(
            trans.__('The server is not kept running'),
            error as Error
          );
        }
      }
    });
    // Menus and the palette are drawn anew when a command changes: tell them only when one is
    // enabled or disabled, not at every message.
    const enabled = new Map<string, boolean>();
    const announce = () => {
      for (const id of [CommandIDs.markAllRead, CommandIDs.dismissAll]) {
        const now = commands.isEnabled(id);
        if (enabled.get(id) !== now) {
          enabled.set(id, now);
          commands.notifyCommandChanged(id);
        }
      }
    };
    announce();
    model.stateChanged.connect(announce);
  }
};

export default plugin;
