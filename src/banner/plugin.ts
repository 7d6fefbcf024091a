/**
 * The plugin of the banner: it waits for a message that asks for one, and then loads the rest.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { INotificationActions, INotificationModel } from '../tokens';
import { Announcer } from './announcer';

/**
 * The plugin that shows the banner.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab_notify:banner',
  description: 'Shows across the top what has to stay in sight.',
  autoStart: true,
  requires: [INotificationModel, INotificationActions, IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    actions: INotificationActions,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null
  ) => {
    const announcer = new Announcer();
    let loading = false;
    model.changed.connect((_, change) => {
      announcer.hear(change);
      if (loading || !model.notifications.some(row => row.banner)) {
        return;
      }
      loading = true;
      Promise.all([import('./view'), app.restored]).then(
        ([{ showBanner }]) =>
          showBanner({
            shell: app.shell,
            announcer,
            model,
            actions,
            rendermime,
            trans: (translator ?? nullTranslator).load('jupyterlab_notify'),
            language: translator?.languageCode
          }),
        reason => {
          // The next change tries again; the messages are in the center all the same.
          loading = false;
          console.error('The banner could not be loaded.', reason);
        }
      );
    });
  }
};

export default plugin;
