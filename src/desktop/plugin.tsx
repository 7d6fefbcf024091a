/**
 * The plugin of the notifications on the desktop: the setting, the command that asks the
 * browser, and nothing more until a user turned them on.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IFormRendererRegistry } from '@jupyterlab/ui-components';
import * as React from 'react';

import { addCommand } from '../palette';
import { LAB_NOTIFICATIONS, SETTINGS } from '../settings';
import { INotificationModel, type NotificationModel } from '../tokens';
import { permission } from './permission';
import type { DesktopPresenter } from './presenter';
import { SharedSettings } from './sharedSettings';

/**
 * The id of the plugin.
 */
const PLUGIN_ID = 'jupyterlab_notify:desktop';

const SETTING = 'desktopNotifications';

/**
 * The field of the settings, loaded with them.
 */
const SettingField = React.lazy(async () => ({
  default: (await import('./settingField')).SettingField
}));

namespace CommandIDs {
  export const toggle = 'jupyterlab-notify:toggle-desktop-notifications';
}

/**
 * The plugin that shows messages on the desktop.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Shows messages on the desktop.',
  autoStart: true,
  requires: [INotificationModel, ISettingRegistry],
  optional: [ICommandPalette, IFormRendererRegistry, ITranslator],
  // Longer than a screen: the commands and wiring of one plugin, in order.
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    registry: ISettingRegistry,
    palette: ICommandPalette | null,
    forms: IFormRendererRegistry | null,
    translator: ITranslator | null
  ) => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');
    const server = app.serviceManager.serverSettings.baseUrl;
    let presenter: Promise<DesktopPresenter> | null = null;
    let on = false;
    let silent = false;

    const update = () => {
      if (on && !presenter) {
        // The presenter gets the changes that arrive while it is loaded too.
        const early: NotificationModel.IChange[] = [];
        const keep = (_: unknown, change: NotificationModel.IChange) => {
          early.push(change);
        };
        model.changed.connect(keep);
        presenter = import('./presenter')
          .then(({ DesktopPresenter }) => {
            const one = new DesktopPresenter({ model, server, trans });
            one.silent = silent;
            early.forEach(change => one.follow(change));
            return one;
          })
          .finally(() => model.changed.disconnect(keep));
      } else if (!on && presenter) {
        void presenter.then(one => one.dispose());
        presenter = null;
      }
      presenter?.then(
        one => {
          one.silent = silent;
        },
        reason => {
          presenter = null;
          console.error('Desktop notifications could not be loaded.', reason);
        }
      );
      commands.notifyCommandChanged(CommandIDs.toggle);
    };

    const shared = new SharedSettings(
      registry,
      [SETTINGS, LAB_NOTIFICATIONS],
      `${PLUGIN_ID}:${server}`
    );
    void Promise.allSettled([
      shared.follow(SETTINGS, SETTING, value => (on = value), update),
      shared.follow(
        LAB_NOTIFICATIONS,
        'doNotDisturbMode',
        value => (silent = value),
        update
      ),
      app.restored
    ]).then(results => {
      for (const result of results) {
        if (result.status === 'rejected') {
          console.warn('A setting could not be read.', result.reason);
        }
      }
      update();
    });

    // The question to the browser is loaded when it is first needed.
    const load = () => import('./consent');
    const store = (wanted: boolean) => registry.set(SETTINGS, SETTING, wanted);

    addCommand(app, palette, trans, CommandIDs.toggle, {
      label: trans.__('Desktop Notifications'),
      caption: trans.__(
        'Show new messages on the desktop while no JupyterLab tab is in front'
      ),
      isToggleable: true,
      isToggled: () => on && permission() === 'granted',
      execute: async () =>
        (await load()).turnOrSay(
          !(on && permission() === 'granted'),
          store,
          trans
        )
    });

    // The field of the setting is a box whose click asks the browser; it says why if that refuses.
    forms?.addRenderer(`${SETTINGS}.${SETTING}`, {
      fieldRenderer: props => (
        <React.Suspense fallback={null}>
          <SettingField {...props} trans={trans} />
        </React.Suspense>
      )
    });
  }
};

export default plugin;
