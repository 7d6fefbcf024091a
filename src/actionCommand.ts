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
import { visible } from './text/visible';
import type { Action, Notification } from './wire';

/**
 * A command that a button asks for, and what is known of such commands.
 */
export interface ICommandRequest {
  /** The registry in which commands run. */
  commands: CommandRegistry;
  /** The commands that run without a question. */
  allowedCommands: readonly string[];
  /** The arguments with which they do, by command. */
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
  if (
    !isAllowed(request, args) &&
    !(await askWhetherToRun({ notification, action, id, args, label, trans }))
  ) {
    return false;
  }
  try {
    await commands.execute(id, args);
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
 * Tell if a command may run without a question: it is listed, and carries nothing but listed
 * arguments with plain values. What a command does is for its arguments to say.
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

function labelOf(
  commands: CommandRegistry,
  id: string,
  args: ReadonlyPartialJSONObject
): string {
  try {
    return commands.label(id, args);
  } catch {
    // A label may stumble over arguments that its command never expected.
    return '';
  }
}
