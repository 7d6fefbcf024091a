/**
 * Opens the user's own files and folders, which texts may name.
 */
import { ownFiles } from './ownFiles';

/** JupyterLab's own commands. */
const OPEN = 'docmanager:open';
const BROWSE = 'filebrowser:go-to-path';

/** The beginning of a file's address. */
const ADDRESS = 'files/';

/**
 * Open a file, and start no kernel for it: nobody asked for one. A folder is shown in the file
 * browser.
 *
 * @param path - Below the server's root; `files/plot.png` and `plot.png` are the same.
 */
export async function openOwnFile(path: string): Promise<void> {
  if (path.startsWith(ADDRESS)) {
    try {
      await open(path.slice(ADDRESS.length));
      return;
    } catch {
      // A folder may be called so.
    }
  }
  await open(path);
}

async function open(path: string): Promise<void> {
  const { commands, serviceManager } = ownFiles.app!;
  // JupyterLab would open an editor for a folder, and wait in it for ever.
  const { type } = await serviceManager.contents.get(path, { content: false });
  await (type === 'directory'
    ? commands.execute(BROWSE, { path })
    : commands.execute(OPEN, {
        path,
        kernelPreference: { shouldStart: false, autoStartDefault: false }
      }));
}
