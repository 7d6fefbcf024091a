/**
 * Adds the plugins' commands, also to the palette.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

/**
 * Add a command, also to the palette if there is one. It takes no arguments unless it says so.
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
