/**
 * Adds the plugins' commands to the application and to its palette.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

/**
 * Add a command, also to the palette if there is one. A command takes no arguments unless its
 * options describe some.
 */
export function addCommand(
  { commands }: JupyterFrontEnd,
  palette: ICommandPalette | null,
  trans: TranslationBundle,
  id: string,
  options: CommandRegistry.ICommandOptions
): void {
  commands.addCommand(id, {
    describedBy: { args: { type: 'object', properties: {} } },
    ...options
  });
  palette?.addItem({ command: id, category: trans.__('Notifications') });
}
