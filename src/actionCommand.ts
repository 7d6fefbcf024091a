/**
 * Runs the command of a button, where a site or the user allows it; loaded with the first one.
 */
import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';

import { askWhetherToRun } from './actionQuestion';
import { ownFiles } from './components/ownFiles';
import { NO_KERNEL } from './noKernel';
import { visible } from './text/visible';
import type { Action, Notification } from './wire';

/**
 * The arguments that our own list of harmless commands may have, as in `schema/center.json`. They
 * hold also where a user's list names other commands only.
 */
export const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  'docmanager:open': ['path'],
  'filebrowser:activate': [],
  'filebrowser:go-to-path': ['path'],
  'filebrowser:open-path': ['path'],
  'filebrowser:toggle-main': [],
  'help:about': [],
  'hub:control-panel': [],
  'jupyterlab-notify:go-to-cell': ['path', 'cellId'],
  'jupyterlab-notify:keep-running': [],
  'jupyterlab-notify:toggle-center': [],
  'launcher:create': [],
  'running:show-panel': [],
  'settingeditor:open': ['query']
};

/** JupyterLab's commands that open a document, and the one that shows a folder. */
const OPEN = 'docmanager:open';
const OPENING = [OPEN, 'filebrowser:open-path'];
const BROWSE = 'filebrowser:go-to-path';

/**
 * The longest reason of a failure that is shown: it may repeat an argument of the sender's.
 */
const MAX_REASON = 500;

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
  const label = labelOf(commands, id);
  const allowed = isAllowed(request, args);
  if (
    !allowed &&
    !(await askWhetherToRun({ notification, action, id, args, label, trans }))
  ) {
    return false;
  }
  try {
    const [command, given] = allowed
      ? await withoutKernel(id, args)
      : [id, args];
    await commands.execute(command, given);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await showErrorMessage(
      trans.__('The command failed'),
      visible(
        reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON)}…` : reason
      )
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
  const lists = [allowedArguments, ARGUMENTS].find(one =>
    Object.hasOwn(one, id)
  );
  return (
    !lists ||
    Object.entries(args).every(
      ([name, value]) =>
        lists[id].includes(name) && (value === null || isPlain(id, name, value))
    )
  );
}

/**
 * Tell if an argument's value is a text, a number or a boolean. The arguments of our own list are
 * texts; the settings editor stays empty with any other query.
 */
function isPlain(id: string, name: string, value: unknown): boolean {
  const own = Object.hasOwn(ARGUMENTS, id) && ARGUMENTS[id].includes(name);
  return own ? typeof value === 'string' : typeof value !== 'object';
}

/**
 * Return a command that opens a file, and its arguments, so that it starts no kernel, to which
 * nobody has agreed. Which documents have one is up to the site: not only those whose name says so.
 * A folder is shown in the file browser, since JupyterLab would open an editor for it.
 */
async function withoutKernel(
  id: string,
  args: ReadonlyJSONObject
): Promise<[string, ReadonlyJSONObject]> {
  const { path } = args;
  if (!OPENING.includes(id) || typeof path !== 'string' || path === '') {
    return [id, args];
  }
  const { type } = await ownFiles.app!.serviceManager.contents.get(path, {
    content: false
  });
  if (type === 'directory') {
    return [BROWSE, { path }];
  }
  if (id === OPEN) {
    // What a site allows besides the path counts.
    return [
      id,
      Object.hasOwn(args, 'kernel') ? args : { ...NO_KERNEL, ...args }
    ];
  }
  // The other command passes on nothing but the path.
  return [OPEN, { ...NO_KERNEL, path: path.replace(/^\/+/, '') }];
}

/**
 * Return JupyterLab's label of a command. It is asked for no arguments: some commands take their
 * label from these, and so from the sender.
 */
function labelOf(commands: CommandRegistry, id: string): string {
  try {
    return commands.label(id);
  } catch {
    // The command's label function may need arguments.
    return '';
  }
}
