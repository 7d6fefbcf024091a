/**
 * The plugin of the command by which a notification's button goes to a cell of a notebook.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

namespace CommandIDs {
  export const goToCell = 'jupyterlab-notify:go-to-cell';
}

/**
 * The plugin that adds the command.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab_notify:cell',
  description: 'Adds the command that goes to a cell of a notebook.',
  autoStart: true,
  optional: [INotebookTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    translator: ITranslator | null
  ) => {
    if (!tracker) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');

    app.commands.addCommand(CommandIDs.goToCell, {
      label: trans.__('Go to Cell'),
      describedBy: async () => ({
        args: (await import('./goToCell')).ARGUMENTS
      }),
      execute: async args => {
        const { goToCell } = await import('./goToCell');
        await goToCell(app, tracker, trans, args);
      }
    });
  }
};

export default plugin;
