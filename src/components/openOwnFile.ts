/**
 * Opens the user's own files and folders, which texts may name.
 */
import { ownFiles } from './ownFiles';

/** JupyterLab's own commands. */
const OPEN = 'docmanager:open';
const BROWSE = 'filebrowser:go-to-path';

/** The beginning of a file's address. */
const ADDRESS = 'files/';

/** The widget that a command opened, with the parts that it has if it is a text in an editor. */
interface IOpened {
  readonly revealed?: Promise<void>;
  readonly content?: {
    readonly ready?: Promise<void>;
    readonly editor?: {
      readonly lineCount: number;
      setCursorPosition(position: { line: number; column: number }): void;
    };
  };
}

/**
 * Open a file, without starting a kernel: nobody asked for one. A folder is shown in the file
 * browser.
 *
 * @param path - Below the server's root; `files/plot.png` and `plot.png` are the same.
 * @param line - The line of a text to go to, counted from 1.
 */
export async function openOwnFile(
  path: string,
  line: number | null
): Promise<void> {
  if (path.startsWith(ADDRESS)) {
    try {
      await open(path.slice(ADDRESS.length), line);
      return;
    } catch {
      // A folder may have the name `files`.
    }
  }
  await open(path, line);
}

async function open(path: string, line: number | null): Promise<void> {
  const { commands, serviceManager } = ownFiles.app!;
  // JupyterLab would open an editor for a folder, and wait in it for ever.
  const { type } = await serviceManager.contents.get(path, { content: false });
  if (type === 'directory') {
    await commands.execute(BROWSE, { path });
    return;
  }
  const opened: IOpened | undefined = await commands.execute(OPEN, {
    path,
    kernelPreference: { shouldStart: false, autoStartDefault: false }
  });
  if (line !== null) {
    await opened?.revealed;
    await opened?.content?.ready;
    const editor = opened?.content?.editor;
    // The text may be shorter by now.
    editor?.setCursorPosition({
      line: Math.min(line, editor.lineCount) - 1,
      column: 0
    });
  }
}
