/**
 * The plugin through which other extensions, and the user, send notifications.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addCommand } from '../palette';
import { INotificationModel, INotifications } from '../tokens';
import type { IngestMessage } from '../wire';
import { LazySender } from './lazySender';

namespace CommandIDs {
  export const send = 'jupyterlab-notify:send';
}

/**
 * The plugin that provides {@link INotifications} and adds the command.
 */
const plugin: JupyterFrontEndPlugin<INotifications> = {
  id: 'jupyterlab_notify:send',
  description: 'Sends notifications, for the user and for other extensions.',
  autoStart: true,
  provides: INotifications,
  requires: [INotificationModel],
  optional: [ICommandPalette, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');
    const sender = new LazySender({
      model,
      serverSettings: app.serviceManager.serverSettings,
      trans
    });

    addCommand(app, palette, trans, CommandIDs.send, {
      label: trans.__('Send a Notification…'),
      caption: trans.__('Send a notification to all your tabs'),
      describedBy: async () => ({
        args: (await import('./arguments')).ARGUMENTS
      }),
      execute: async args => {
        const { form, ...given } = args;
        const values = given as Partial<IngestMessage>;
        if (typeof values.message === 'string' && !form) {
          const { message, ...options } = values;
          return (await sender.emit(message, options)).id;
        }
        const { askAndSend } = await import('./ask');
        return askAndSend(values, sender, app.commands, registry, trans);
      }
    });
    return sender;
  }
};

export default plugin;
