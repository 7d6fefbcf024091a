/**
 * The plugin through which other extensions, and the user, send notifications.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addCommand } from '../palette';
import { INotificationModel, INotifications } from '../tokens';
import {
  DISPLAY_TYPES,
  LIMITS,
  NOTIFICATION_TYPES,
  type IngestMessage
} from '../wire';
// The token offers it from the start.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { NotificationSender } from './sender';

namespace CommandIDs {
  export const send = 'jupyterlab-notify:send';
}

/**
 * What callers of the command may give, as a JSON schema.
 */
const ARGUMENTS = {
  type: 'object',
  properties: {
    message: {
      type: 'string',
      description: 'The text. Without it a form asks for it.'
    },
    type: {
      type: 'string',
      enum: NOTIFICATION_TYPES,
      description: 'Styling and urgency; info if none is given.'
    },
    body: { type: 'string', description: 'A longer text, Markdown.' },
    autoClose: {
      type: ['boolean', 'number', 'null'],
      description:
        'false: the toast stays until it is closed; a number: milliseconds; 0: no toast.'
    },
    key: {
      type: 'string',
      description: 'The same key again replaces the notification.'
    },
    progress: { type: 'number', minimum: 0, maximum: 1 },
    actions: {
      type: 'array',
      maxItems: LIMITS.actions,
      description: 'Buttons: what they say, and the command or link they open.',
      items: {
        type: 'object',
        required: ['label'],
        properties: {
          label: { type: 'string' },
          caption: { type: 'string' },
          displayType: { type: 'string', enum: DISPLAY_TYPES },
          commandId: { type: 'string' },
          args: { type: 'object' },
          url: { type: 'string' }
        }
      }
    },
    form: {
      type: 'boolean',
      description: 'Show the form all the same, filled in.'
    }
  }
} as const;

/**
 * The plugin that provides {@link INotifications} and adds the command.
 */
const plugin: JupyterFrontEndPlugin<INotifications> = {
  id: 'jupyterlab_notify:send',
  description: 'Sends notifications, for the user and for other extensions.',
  autoStart: true,
  provides: INotifications,
  requires: [INotificationModel],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');
    const sender = new NotificationSender({
      model,
      serverSettings: app.serviceManager.serverSettings,
      trans
    });

    addCommand(app, palette, trans, CommandIDs.send, {
      label: trans.__('Send a Notification…'),
      caption: trans.__('Send a notification to all your tabs'),
      describedBy: { args: ARGUMENTS },
      execute: async args => {
        const { form, ...given } = args;
        let values = given as Partial<IngestMessage>;
        if (typeof values.message === 'string' && !form) {
          const { message, ...options } = values;
          return (await sender.emit(message, options)).id;
        }
        const { askForMessage } = await import('./form');
        for (let problem = ''; ;) {
          const filled = await askForMessage(values, problem, trans);
          if (filled === null) {
            return null;
          }
          values = filled;
          const { message, ...options } = filled;
          if (message.trim() === '') {
            problem = trans.__('A notification needs a message.');
            continue;
          }
          try {
            return (await sender.emit(message, options)).id;
          } catch (error) {
            // What was typed must not be lost with it.
            problem = (error as Error).message;
          }
        }
      }
    });
    return sender;
  }
};

export default plugin;
