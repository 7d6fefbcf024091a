/**
 * Opens the user's own files, which texts may name.
 */
import type { CommandRegistry } from '@lumino/commands';

/** JupyterLab's own command. */
const OPEN = 'docmanager:open';

/** The beginning of a file's address. */
const ADDRESS = 'files/';

/**
 * The commands that open a file; the application sets them at its start.
 */
export const ownFiles = {
  commands: null as CommandRegistry | null
};

/**
 * Open a file, and start no kernel for it: nobody asked for one.
 *
 * @param path - Below the server's root; `files/plot.png` and `plot.png` are the same.
 */
export async function openOwnFile(path: string): Promise<void> {
  const open = (path: string) =>
    ownFiles.commands?.execute(OPEN, {
      path,
      kernelPreference: { shouldStart: false, autoStartDefault: false }
    });
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
