/**
 * Goes to a cell of a notebook; loaded at the first use.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { NO_KERNEL } from './noKernel';

/**
 * JupyterLab's own command.
 */
const OPEN = 'docmanager:open';

/**
 * The arguments of the command, as a JSON schema.
 */
export const ARGUMENTS = {
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
};

/**
 * Show a cell, and open its notebook first if it is not open.
 *
 * @param app - The application.
 * @param tracker - The open notebooks.
 * @param trans - The language of the error messages.
 * @param args - The command's arguments: `cellId` and `path`.
 */
export async function goToCell(
  { commands, serviceManager, shell }: JupyterFrontEnd,
  tracker: INotebookTracker,
  trans: TranslationBundle,
  args: ReadonlyPartialJSONObject
): Promise<void> {
  const cellId = typeof args.cellId === 'string' ? args.cellId : null;
  const path = typeof args.path === 'string' && args.path ? args.path : null;
  // The path may name a document that is no notebook.
  const index = (panel: NotebookPanel) =>
    panel.content.widgets?.findIndex(cell => cell.model.id === cellId) ?? -1;
  // A copy of a notebook has the same cells' ids; a notebook may have another path by now.
  let panel =
    tracker.find(
      each =>
        path !== null &&
        each.context.path === belowRoot(path) &&
        index(each) >= 0
    ) ??
    tracker.find(each => index(each) >= 0) ??
    null;
  if (!panel && path !== null) {
    const below = belowRoot(path);
    // JupyterLab would open an editor for a folder, and wait in it for ever.
    const { type } = await serviceManager.contents.get(below, {
      content: false
    });
    if (type !== 'directory') {
      panel =
        (await commands.execute(OPEN, {
          path: below,
          // A sender may name any notebook, and nobody asked for its kernel.
          ...NO_KERNEL
        })) ?? null;
    }
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

/**
 * Return a notebook's path below the server's root; a kernel knows the path in its file system.
 */
function belowRoot(path: string): string {
  // The page's configuration shortens the home directory to a tilde.
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
