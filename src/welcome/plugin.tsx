/**
 * The plugin of the welcome messages: it asks once the page is there, and loads the rest only
 * when there is something to show.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  Notification,
  showErrorMessage
} from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IFormRendererRegistry } from '@jupyterlab/ui-components';
import * as React from 'react';

import { addCommand } from '../palette';
import { INotificationModel, type NotificationModel } from '../tokens';
import type { WelcomeMessage } from '../wire';
import { WelcomeScheduler } from './scheduler';
import type { WelcomeModal } from './view';

const PLUGIN_ID = 'jupyterlab_notify:welcome';

namespace CommandIDs {
  export const show = 'jupyterlab-notify:show-welcome';

  export const reset = 'jupyterlab-notify:reset-welcome';
}

/**
 * The plugin that shows the welcome messages.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Greets with welcome messages on start.',
  autoStart: true,
  requires: [INotificationModel, IRenderMimeRegistry],
  optional: [ICommandPalette, IFormRendererRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    forms: IFormRendererRegistry | null,
    translator: ITranslator | null
  ) => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');
    const scheduler = new WelcomeScheduler(Date.now());
    let modal: WelcomeModal | null = null;
    // What was asked before this tab's own change is out of date when it comes.
    let generation = 0;
    let own = 0;

    const look = async () => {
      const asked = ++generation;
      if (own > 0) {
        return;
      }
      try {
        const { messages } = await model.welcome();
        if (asked === generation && own === 0) {
          const { show, close } = scheduler.step(
            messages,
            modal?.ids ?? [],
            Date.now()
          );
          if (close) {
            modal?.close();
          }
          if (show.length > 0) {
            await open(show, true);
          }
        }
      } catch (error) {
        // The next change of theirs asks again.
        console.warn('The welcome messages could not be fetched.', error);
      }
    };

    /** Tell the server, and then know what this tab itself has brought about. */
    const answer = async (what: NotificationModel.WelcomeAnswer) => {
      own += 1;
      try {
        await model.answerWelcome(what);
        const { messages } = await model.welcome();
        scheduler.adopt(messages);
        return messages;
      } finally {
        own -= 1;
        generation += 1;
      }
    };

    const open = async (
      messages: readonly WelcomeMessage[],
      counts: boolean
    ) => {
      const { WelcomeModal } = await import('./view');
      modal?.close();
      const opened = new WelcomeModal({
        messages,
        rendermime,
        trans,
        images: new URL(
          URLExt.join(
            app.serviceManager.serverSettings.baseUrl,
            'jupyterlab-notify/welcome/image/'
          ),
          window.location.href
        ).href,
        dismiss: async ids => {
          await answer({ dismiss: ids });
        },
        closed: seen => {
          if (modal === opened) {
            modal = null;
          }
          if (counts && seen.length > 0) {
            answer({ seen }).catch(error => {
              // It comes once more, which is the lesser harm.
              console.warn('A view could not be counted.', error);
            });
          }
        }
      });
      modal = opened;
    };

    const none = () =>
      Notification.info(trans.__('There are no welcome messages.'), {
        autoClose: 4000
      });
    const attempt = async (task: () => Promise<void>) => {
      try {
        await task();
      } catch (error) {
        await showErrorMessage(trans.__('Welcome messages'), error as Error);
      }
    };
    addCommand(app, palette, trans, CommandIDs.show, {
      label: trans.__('Show Welcome Messages'),
      execute: () =>
        attempt(async () => {
          const { messages } = await model.welcome();
          if (messages.length > 0) {
            await open(messages, false);
          } else {
            none();
          }
        })
    });
    addCommand(app, palette, trans, CommandIDs.reset, {
      label: trans.__('Reset Welcome Messages'),
      caption: trans.__('Show the welcome messages again, as for a new user'),
      execute: () =>
        attempt(async () => {
          const due = (await answer('reset')).filter(({ due }) => due);
          if (due.length > 0) {
            await open(due, true);
          } else {
            none();
          }
        })
    });

    forms?.addRenderer(`${PLUGIN_ID}.welcome`, {
      fieldRenderer: props => (
        <div className="jp-NotifySetting">
          <p className="jp-FormGroup-description">{props.schema.description}</p>
          <div className="jp-NotifySetting-buttons">
            {Object.values(CommandIDs).map(command => (
              <button
                key={command}
                type="button"
                className="jp-mod-styled jp-mod-reject"
                title={commands.caption(command)}
                onClick={() => void commands.execute(command)}
              >
                {commands.label(command)}
              </button>
            ))}
          </div>
        </div>
      )
    });

    void Promise.all([app.restored, model.ready]).then(() => {
      model.welcomeChanged.connect(() => void look());
      return look();
    });
  }
};

export default plugin;
