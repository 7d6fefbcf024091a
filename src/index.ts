/**
 * The plugins of this package; what other extensions may use of it is in
 * `tokens.ts`.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import actionsPlugin from './actions';
import bannerPlugin from './banner/plugin';
import cellPlugin from './cell';
import cellsPlugin from './cells/plugin';
import centerPlugin from './center/plugin';
import commandsPlugin from './commands';
import desktopPlugin from './desktop/plugin';
// The model is made as soon as its plugin is activated, so a lazy import would gain nothing.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { ServerNotifications } from './model';

import quietPlugin from './quiet/plugin';
import sendPlugin from './send/plugin';
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { NotificationStream } from './stream';
import toastsPlugin from './toasts/plugin';
import { INotificationModel } from './tokens';
import welcomePlugin from './welcome/plugin';

export * from './tokens';
export type * from './wire';

/**
 * The plugin that provides {@link INotificationModel}.
 */
const modelPlugin: JupyterFrontEndPlugin<INotificationModel> = {
  id: 'jupyterlab_notify:model',
  description: 'Provides the notifications that this Jupyter server received.',
  autoStart: true,
  provides: INotificationModel,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null) => {
    const { serverSettings } = app.serviceManager;
    const stream = new NotificationStream({ serverSettings });
    const model = new ServerNotifications({
      serverSettings,
      stream,
      trans: (translator ?? nullTranslator).load('jupyterlab_notify')
    });
    // The parts of JupyterLab that the user waits for at start come first.
    void app.restored.then(() => stream.start());
    return model;
  }
};

const plugins: JupyterFrontEndPlugin<any>[] = [
  modelPlugin,
  actionsPlugin,
  toastsPlugin,
  bannerPlugin,
  welcomePlugin,
  desktopPlugin,
  commandsPlugin,
  quietPlugin,
  sendPlugin,
  cellPlugin,
  cellsPlugin
].concat(centerPlugin);

export default plugins;
