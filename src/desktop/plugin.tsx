/**
 * The plugin of desktop notifications: the setting and the command that asks the browser. Nothing
 * more is loaded until a user turns them on.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IFormRendererRegistry } from '@jupyterlab/ui-components';
import * as React from 'react';

import { addCommand } from '../palette';
import { INotificationModel } from '../tokens';
import { obstacle, permission } from './permission';
import { SettingField } from './settingField';
import { DesktopSwitch, SETTING } from './switch';

/**
 * The id of the plugin, and of its settings.
 */
const PLUGIN_ID = 'jupyterlab_notify:desktop';

namespace CommandIDs {
  export const toggle = 'jupyterlab-notify:toggle-desktop-notifications';
}

/**
 * The plugin that shows messages on the desktop.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description:
    'Shows messages on the desktop while no tab of JupyterLab is in front.',
  autoStart: true,
  requires: [INotificationModel, ISettingRegistry],
  optional: [ICommandPalette, IFormRendererRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    registry: ISettingRegistry,
    palette: ICommandPalette | null,
    forms: IFormRendererRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');
    const desktop = new DesktopSwitch({
      id: PLUGIN_ID,
      model,
      registry,
      server: app.serviceManager.serverSettings.baseUrl,
      trans,
      changed: () => app.commands.notifyCommandChanged(CommandIDs.toggle)
    });
    void desktop.start(app.restored);
    addToggleCommand(app, palette, trans, desktop);
    if (forms) {
      addSettingField(forms, trans, desktop);
    }
  }
};

function addToggleCommand(
  app: JupyterFrontEnd,
  palette: ICommandPalette | null,
  trans: TranslationBundle,
  desktop: DesktopSwitch
): void {
  addCommand(app, palette, trans, CommandIDs.toggle, {
    label: trans.__('Desktop Notifications'),
    caption: () =>
      obstacle(permission(), trans) ??
      trans.__(
        'Show new messages on the desktop while no JupyterLab tab is in front'
      ),
    isToggleable: true,
    isToggled: () => desktop.isOn,
    execute: async () => {
      try {
        await desktop.turn(!desktop.isOn);
      } catch (error) {
        await showErrorMessage(
          trans.__('There are no desktop notifications'),
          error as Error
        );
      }
    }
  });
}

/**
 * Show the setting as a box whose click asks the browser, with the reason below if it refuses.
 */
function addSettingField(
  forms: IFormRendererRegistry,
  trans: TranslationBundle,
  desktop: DesktopSwitch
): void {
  forms.addRenderer(`${PLUGIN_ID}.${SETTING}`, {
    fieldRenderer: props => (
      <SettingField
        checked={props.formData === true && permission() === 'granted'}
        title={props.schema.title ?? ''}
        problem={() => obstacle(permission(), trans)}
        onToggle={async wanted => {
          // The reason for a failure is shown below the box.
          if (await desktop.turn(wanted).catch(() => false)) {
            props.onChange(wanted);
            return null;
          }
          return obstacle(permission(), trans, true);
        }}
      />
    )
  });
}

export default plugin;
