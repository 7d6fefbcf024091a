/**
 * Sends what the user fills in; loaded when the form is first opened.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';

import { SETTINGS } from '../settings';
import type { INotifications } from '../tokens';
import type { IngestMessage } from '../wire';
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
  registry: ISettingRegistry | null,
  trans: TranslationBundle
): Promise<string | null> {
  // Without settings toasts go by their defaults.
  const toasts = await registry?.load(SETTINGS).catch(() => null);
  const close_s = (toasts?.composite.defaultAutoClose as number) ?? 5;
  let values = given;
  for (let problem = ''; ;) {
    const filled = await askForMessage(values, problem, trans, close_s);
    if (filled === null) {
      return null;
    }
    values = filled;
    const { message, ...options } = filled;
    if (message.trim() === '') {
      problem = trans.__('A notification needs a message.');
      continue;
    }
    try {
      return (await sender.emit(message, options)).id;
    } catch (error) {
      // The form is shown again, so that nothing that was typed is lost.
      problem = (error as Error).message;
    }
  }
}
