/**
 * Runs the command of a button, where a site or the user allows it; loaded with the first one.
 */
import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type {
  ReadonlyJSONObject,
  ReadonlyPartialJSONObject
} from '@lumino/coreutils';

import { askWhetherToRun } from './actionQuestion';
import { NO_KERNEL } from './noKernel';
import { visible } from './text/visible';
import type { Action, Notification } from './wire';

/**
 * A button's request to run a command, and the lists of what may run without a question.
 */
export interface ICommandRequest {
  /** The registry in which commands run. */
  commands: CommandRegistry;
  /** The commands that run without a question. */
  allowedCommands: readonly string[];
  /** The names of the arguments that each of them may have, by command. */
  allowedArguments: Readonly<Record<string, readonly string[]>>;
  notification: Notification;
  action: Action;
  /** The command. */
  id: string;
  trans: TranslationBundle;
}

/**
 * Run the command, after a question unless it may run without one.
 *
 * @returns Whether it ran.
 */
export async function runCommand(request: ICommandRequest): Promise<boolean> {
  const { action, commands, id, notification, trans } = request;
  const args = (action.args ?? {}) as ReadonlyJSONObject;
  if (!commands.hasCommand(id)) {
    await showErrorMessage(
      trans.__('This command is not available'),
      trans.__(
        'The button asks for the command “%1”, which does not exist here.',
        visible(id)
      )
    );
    return false;
  }
  const label = labelOf(commands, id, args);
  const allowed = isAllowed(request, args);
  if (
    !allowed &&
    !(await askWhetherToRun({ notification, action, id, args, label, trans }))
  ) {
    return false;
  }
  try {
    const [command, given] = allowed ? withoutKernel(id, args) : [id, args];
    await commands.execute(command, given);
    return true;
  } catch (error) {
    await showErrorMessage(
      trans.__('The command failed'),
      error instanceof Error ? error : String(error)
    );
    return false;
  }
}

/**
 * Tell if a command may run without a question: it is listed, and has only listed arguments with
 * plain values. Arguments decide what a command does, so a list of commands alone is not enough.
 */
function isAllowed(
  { allowedArguments, allowedCommands, id }: ICommandRequest,
  args: ReadonlyJSONObject
): boolean {
  if (!allowedCommands.includes(id)) {
    return false;
  }
  const names = Object.hasOwn(allowedArguments, id)
    ? allowedArguments[id]
    : null;
  return (
    names === null ||
    Object.entries(args).every(
      ([name, value]) =>
        names.includes(name) && (value === null || typeof value !== 'object')
    )
  );
}

/**
 * Return a command that opens a file, and its arguments, so that it starts no kernel, to which
 * nobody has agreed.
 */
function withoutKernel(
  id: string,
  args: ReadonlyJSONObject
): [string, ReadonlyJSONObject] {
  if (id === 'docmanager:open' && !Object.hasOwn(args, 'kernel')) {
    return [id, { ...NO_KERNEL, ...args }];
  }
  // This command passes on nothing but the path.
  const { path } = args;
  if (
    id === 'filebrowser:open-path' &&
    typeof path === 'string' &&
    /\.ipynb$/i.test(path)
  ) {
    return [
      'docmanager:open',
      { ...NO_KERNEL, path: path.replace(/^\/+/, '') }
    ];
  }
  return [id, args];
}

function labelOf(
  commands: CommandRegistry,
  id: string,
  args: ReadonlyPartialJSONObject
): string {
  try {
    return commands.label(id, args);
  } catch {
    // The command's label function may throw on arguments that it does not expect.
    return '';
  }
}
