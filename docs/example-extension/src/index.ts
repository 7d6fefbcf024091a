/**
 * An example: an extension of JupyterLab that sends notifications and hears of them.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotifications } from 'jupyterlab_notify';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'example-extension:plugin',
  description: 'Runs a slow job and tells how it goes.',
  autoStart: true,
  // Optional: the extension works without it, where it is not installed.
  optional: [INotifications],
  activate: (app: JupyterFrontEnd, notifications: INotifications | null) => {
    app.commands.addCommand('example-extension:run', {
      label: 'Run the Slow Job',
      execute: () => (notifications ? run(notifications) : undefined)
    });

    // Whatever the quota service says.
    notifications?.observe(
      notification => {
        console.log(notification.message, notification.read);
      },
      { source: 'quota' }
    );
  }
};

/**
 * One notification for the whole job, updated in place.
 */
async function run(notifications: INotifications): Promise<void> {
  const sent = await notifications.emit('Indexing the catalogue', {
    type: 'in-progress',
    progress: 0,
    source: 'example-extension',
    // If this tab is closed in the middle, it says when it stopped reporting.
    heartbeat: 180
  });
  for (let step = 1; step <= 10; step++) {
    await new Promise(resolve => setTimeout(resolve, 500));
    await notifications.update(sent, { progress: step / 10 });
  }
  await notifications.update(sent, {
    type: 'success',
    message: 'The catalogue is indexed',
    actions: [
      {
        label: 'Open it',
        commandId: 'filebrowser:open-path',
        args: { path: 'catalogue.csv' }
      }
    ]
  });
}

export default plugin;
