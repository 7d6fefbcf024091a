/**
 * The plugin of the welcome messages: it asks the server for them once the page is ready, and loads
 * the rest only when there is something to show.
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
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IFormRendererRegistry } from '@jupyterlab/ui-components';
import * as React from 'react';

import { addCommand } from '../palette';
import { SETTINGS } from '../settings';
import { INotificationModel } from '../tokens';
import { WelcomePresenter } from './presenter';

const PLUGIN_ID = 'jupyterlab_notify:welcome';

namespace CommandIDs {
  export const show = 'jupyterlab-notify:show-welcome';

  export const reset = 'jupyterlab-notify:reset-welcome';
}

/**
 * The field of the settings, loaded with them.
 */
const SettingButtons = React.lazy(async () => ({
  default: (await import('./settingButtons')).SettingButtons
}));

/**
 * The plugin that shows the welcome messages.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Greets with welcome messages on start.',
  autoStart: true,
  requires: [INotificationModel, IRenderMimeRegistry],
  optional: [ICommandPalette, IFormRendererRegistry, ITranslator],
  // Longer than a screen: the commands and wiring of one plugin, in order.
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
    const presenter = new WelcomePresenter({
      model,
      rendermime,
      trans,
      baseUrl: app.serviceManager.serverSettings.baseUrl
    });
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
            await presenter.open(messages, false);
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
          const all = await presenter.answer('reset');
          const due = all.filter(({ due }) => due);
          if (due.length > 0) {
            await presenter.open(due, true);
          } else {
            none();
          }
        })
    });

    forms?.addRenderer(`${SETTINGS}.welcome`, {
      fieldRenderer: props => (
        <React.Suspense fallback={null}>
          <SettingButtons
            commands={commands}
            ids={Object.values(CommandIDs)}
            schema={props.schema}
          />
        </React.Suspense>
      )
    });

    void Promise.all([app.restored, model.ready]).then(() => {
      model.welcomeChanged.connect(() => void presenter.update());
      return presenter.update();
    });
  }
};

export default plugin;
