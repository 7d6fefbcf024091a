/**
 * Sends what the user fills in; loaded when the form is first opened.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { SETTINGS } from '../settings';
import type { INotifications } from '../tokens';
import type { IngestMessage } from '../wire';
import { findProblem, type IProblem } from './check';
import { askForMessage } from './form';

/**
 * Ask for a message until it is sent, or the user gives up.
 *
 * @param given - The fields that are filled in already.
 * @returns The id of the notification; null if none was sent.
 */
export async function askAndSend(
  given: Partial<IngestMessage>,
  sender: INotifications,
  commands: CommandRegistry,
  registry: ISettingRegistry | null,
  trans: TranslationBundle
): Promise<string | null> {
  // Without settings toasts go by their defaults.
  const toasts = await registry?.load(SETTINGS).catch(() => null);
  const close_s = (toasts?.composite.defaultAutoClose as number) ?? 5;
  let values = given;
  for (let problem: IProblem | null = null; ;) {
    const filled = await askForMessage(values, problem, trans, close_s);
    if (filled === null) {
      return null;
    }
    values = filled;
    problem = findProblem(filled, id => commands.hasCommand(id), trans);
    if (problem) {
      continue;
    }
    const { message, ...options } = filled;
    try {
      return (await sender.emit(message, options)).id;
    } catch (error) {
      // The form is shown again, so that nothing that was typed is lost.
      problem = { text: (error as Error).message };
    }
  }
}
