/**
 * The plugin that announces notifications as JupyterLab's toasts.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IFormRendererRegistry } from '@jupyterlab/ui-components';
import * as React from 'react';

import { followSettings, LAB_NOTIFICATIONS, SETTINGS } from '../settings';
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
 * The id of the toast plugin.
 */
const PLUGIN_ID = 'jupyterlab_notify:toasts';

/**
 * The commands that show the center, at the side and as a page of the main area.
 */
const CENTER = 'jupyterlab-notify:toggle-center';
const PAGE = 'jupyterlab-notify:open-in-main';

/**
 * The field of the settings, loaded with them.
 */
const TypesField = React.lazy(async () => ({
  default: (await import('./typesField')).TypesField
}));

/**
 * The plugin that shows toasts.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Announces notifications as toasts.',
  autoStart: true,
  requires: [INotificationModel],
  optional: [
    INotificationActions,
    ISettingRegistry,
    IFormRendererRegistry,
    ITranslator
  ],
  // Longer than a screen: the wiring of one plugin, in order.
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    actions: INotificationActions | null,
    settingRegistry: ISettingRegistry | null,
    forms: IFormRendererRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');
    const { commands } = app;
    const isOpen = () => commands.isToggled(CENTER) || commands.isToggled(PAGE);
    const presenter = new ToastPresenter({
      model,
      actions,
      trans,
      // A site can disable the center.
      opens: () => commands.hasCommand(CENTER),
      isOpen,
      storageKey: app.serviceManager.serverSettings.baseUrl
    });

    forms?.addRenderer(`${SETTINGS}.toastTypes`, {
      fieldRenderer: props => (
        <React.Suspense fallback={null}>
          <TypesField {...props} trans={trans} />
        </React.Suspense>
      )
    });

    const settings = settingRegistry
      ? [
          followSettings(settingRegistry, SETTINGS, values => {
            presenter.settings = {
              ...DEFAULT_TOAST_SETTINGS,
              ...(values as Partial<IToastSettings>)
            };
          }),
          followSettings(settingRegistry, LAB_NOTIFICATIONS, values => {
            presenter.silent = values.doNotDisturbMode === true;
          })
        ]
      : [];
    let wasOpen = false;
    commands.commandChanged.connect((_, { id }) => {
      // The center may also be opened by its tab, or when a page is restored.
      if (id === CENTER && isOpen() !== wasOpen) {
        wasOpen = !wasOpen;
        presenter.toggled();
      }
    });

    void Promise.allSettled([...settings, app.restored]).then(results => {
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
