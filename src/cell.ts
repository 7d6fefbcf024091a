/**
 * The plugin of the command that a notification's button takes to a cell of a notebook.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

namespace CommandIDs {
  export const goToCell = 'jupyterlab-notify:go-to-cell';

  /** JupyterLab's own. */
  export const open = 'docmanager:open';
}

/**
 * The plugin that adds the command.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab_notify:cell',
  description: 'Adds the command that goes to a cell of a notebook.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ITranslator],
  // Longer than a screen: the commands and wiring of one plugin, in order.
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    translator: ITranslator | null
  ) => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');

    commands.addCommand(CommandIDs.goToCell, {
      label: trans.__('Go to Cell'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            cellId: {
              type: ['string', 'null'],
              description: 'The id of the cell; none: only the notebook opens.'
            },
            path: {
              type: ['string', 'null'],
              description:
                'The notebook, for when it is not open: its path below the server’s root, or as the kernel knows it.'
            }
          }
        }
      },
      execute: async args => {
        const cellId = typeof args.cellId === 'string' ? args.cellId : null;
        const path = typeof args.path === 'string' ? args.path : null;
        const index = (panel: NotebookPanel) =>
          panel.content.widgets.findIndex(cell => cell.model.id === cellId);
        let panel = tracker.find(each => index(each) >= 0) ?? null;
        if (!panel && path !== null) {
          panel =
            (await commands.execute(CommandIDs.open, {
              path: Private.belowRoot(path)
            })) ?? null;
        }
        if (!panel) {
          await showErrorMessage(
            trans.__('The notebook is not open'),
            trans.__('Open the notebook of this notification and try again.')
          );
          return;
        }
        shell.activateById(panel.id);
        await panel.revealed;
        const found = index(panel);
        if (found >= 0) {
          panel.content.deselectAll();
          panel.content.activeCellIndex = found;
          await panel.content.scrollToItem(found, 'center');
        } else if (cellId !== null) {
          await showErrorMessage(
            trans.__('The cell is not there'),
            trans.__('It was deleted, or the notebook was saved without it.')
          );
        }
      }
    });
  }
};

export default plugin;

namespace Private {
  /**
   * A path as the server's contents have it; kernels know it as their file system does.
   */
  export function belowRoot(path: string): string {
    // A home directory is shortened to a tilde in the page's configuration.
    const root = PageConfig.getOption('serverRoot').replace(/\/+$/, '');
    if (root.startsWith('~')) {
      const below = `${root.slice(1)}/`;
      const at = path.startsWith('/') ? path.indexOf(below) : -1;
      return at > 0 ? path.slice(at + below.length) : path;
    }
    return root && path.startsWith(`${root}/`)
      ? path.slice(root.length + 1)
      : path;
  }
}
