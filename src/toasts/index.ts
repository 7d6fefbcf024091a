/**
 * The plugin that announces notifications as JupyterLab's toasts.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { INotificationActions, INotificationModel } from '../tokens';
// Both are needed at activation: a toast that waits for its code comes late.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import {
  DEFAULT_TOAST_SETTINGS,
  type IToastSettings,
  ToastPresenter
} from './presenter';
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { warmUp } from './view';

/**
 * The id of the toast plugin, and of its settings.
 */
const PLUGIN_ID = 'jupyterlab_notify:toasts';

/**
 * The plugin of JupyterLab's own notifications, whose do-not-disturb counts.
 */
const LAB_PLUGIN_ID = '@jupyterlab/apputils-extension:notification';

/**
 * The plugin that shows toasts.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Announces notifications as toasts.',
  autoStart: true,
  requires: [INotificationModel],
  optional: [INotificationActions, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    actions: INotificationActions | null,
    settingRegistry: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const presenter = new ToastPresenter({
      model,
      actions,
      trans: (translator ?? nullTranslator).load('jupyterlab_notify')
    });

    const own = settingRegistry?.load(PLUGIN_ID).then(settings => {
      const update = () => {
        presenter.settings = {
          ...DEFAULT_TOAST_SETTINGS,
          ...(settings.composite as Partial<IToastSettings>)
        };
      };
      update();
      settings.changed.connect(update);
    });
    const labs = settingRegistry?.load(LAB_PLUGIN_ID).then(settings => {
      const update = () => {
        presenter.silent = settings.composite.doNotDisturbMode === true;
      };
      update();
      settings.changed.connect(update);
    });
    app.commands.commandExecuted.connect((_, { id }) => {
      if (id === 'jupyterlab-notify:toggle-center') {
        presenter.forgetMissed();
      }
    });

    void Promise.allSettled([own, labs, app.restored]).then(results => {
      for (const result of results) {
        if (result.status === 'rejected') {
          console.warn('Toasts go by their default settings.', result.reason);
        }
      }
      presenter.start();
      warmUp();
    });
  }
};

export default plugin;
