/**
 * The plugin of do not disturb, muted sources, and the central service's other channels. Its
 * commands are here; their code is loaded when it is first needed.
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
import { followSettings, LAB_NOTIFICATIONS, SETTINGS } from '../settings';
import { INotificationModel } from '../tokens';

/**
 * The fields of the settings, loaded with them.
 */
const Field = React.lazy(async () => ({
  default: (await import('./field')).Field
}));

namespace CommandIDs {
  /** With `{for: 'hour' | 'tomorrow' | 'ever' | 'off'}`. */
  export const doNotDisturb = 'jupyterlab-notify:do-not-disturb';

  /** With `{source}`, or the `{id}` of one of its messages; `{muted: false}` unmutes it. */
  export const muteSource = 'jupyterlab-notify:mute-source';
}

/**
 * The plugin by which users are left alone.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab_notify:quiet',
  description: 'Do not disturb, and muted sources.',
  autoStart: true,
  requires: [INotificationModel],
  optional: [
    ISettingRegistry,
    ICommandPalette,
    IFormRendererRegistry,
    ITranslator
  ],
  // Longer than a screen: the commands and wiring of one plugin, in order.
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    registry: ISettingRegistry | null,
    palette: ICommandPalette | null,
    forms: IFormRendererRegistry | null,
    translator: ITranslator | null
  ) => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');
    const load = () => import('./quiet');
    let on = false;

    const labels: Record<string, string> = {
      hour: trans.__('Do Not Disturb for an Hour'),
      tomorrow: trans.__('Do Not Disturb until Tomorrow'),
      ever: trans.__('Do Not Disturb until I Turn It Off'),
      off: trans.__('Turn Off Do Not Disturb')
    };
    addCommand(app, null, trans, CommandIDs.doNotDisturb, {
      label: args => labels[args.for as string] ?? labels.ever,
      isVisible: args => args.for !== 'off' || on,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            for: { type: 'string', enum: Object.keys(labels) }
          }
        }
      },
      execute: async args =>
        (await load()).doNotDisturb(model, trans, args.for as string)
    });
    for (const each of Object.keys(labels)) {
      palette?.addItem({
        command: CommandIDs.doNotDisturb,
        args: { for: each },
        category: trans.__('Notifications')
      });
    }

    const sourceOf = ({ source, id }: { source?: string; id?: string }) => {
      const row = model.get(id ?? '');
      // A message that must stay in sight cannot be muted.
      return row ? (row.dismissable ? row.source : undefined) : source;
    };
    const isMuted = (source?: string) =>
      model.quiet?.muted.includes(source!) === true;
    commands.addCommand(CommandIDs.muteSource, {
      label: args =>
        args.muted === false
          ? trans.__('Unmute %1', sourceOf(args) ?? '')
          : trans.__('Mute %1', sourceOf(args) ?? ''),
      isEnabled: args => {
        const source = sourceOf(args);
        return !!source && isMuted(source) === (args.muted === false);
      },
      describedBy: {
        args: {
          type: 'object',
          properties: {
            source: { type: 'string' },
            id: { type: 'string' },
            muted: { type: 'boolean' }
          }
        }
      },
      execute: async args =>
        (await load()).mute(model, trans, sourceOf(args)!, args.muted !== false)
    });

    for (const name of ['doNotDisturb', 'mutedSources', 'channels'] as const) {
      forms?.addRenderer(`${SETTINGS}.${name}`, {
        fieldRenderer: props => (
          <React.Suspense fallback={null}>
            <Field
              name={name}
              app={app}
              command={CommandIDs.doNotDisturb}
              choices={Object.keys(labels)}
              model={model}
              schema={props.schema}
              trans={trans}
            />
          </React.Suspense>
        )
      });
    }

    // JupyterLab's switch and the server's state follow each other, once one of them is on.
    let following = false;
    const follow = (justTurned = false) => {
      if (registry && !following) {
        following = true;
        void load()
          .then(({ followSwitch }) => followSwitch(model, registry, justTurned))
          .catch(reason => {
            following = false;
            console.warn('Do not disturb is not followed.', reason);
          });
      }
    };
    if (registry) {
      let loaded = false;
      followSettings(registry, LAB_NOTIFICATIONS, values => {
        if (values.doNotDisturbMode === true) {
          follow(loaded);
        }
        loaded = true;
      }).catch(() => undefined); // The plugin of the toasts logs it.
    }
    model.stateChanged.connect(() => {
      const now = model.quiet?.doNotDisturb === true;
      if (now) {
        follow();
      }
      if (now !== on) {
        on = now;
        commands.notifyCommandChanged(CommandIDs.doNotDisturb);
      }
    });
  }
};

export default plugin;
