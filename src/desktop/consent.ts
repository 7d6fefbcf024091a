/**
 * Asks the browser whether it shows notifications on the desktop, and says in words why not. Loaded
 * when the user first turns them on, or opens the settings.
 */
import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { type DesktopPermission, permission } from './permission';

/** Stores the user's wish. */
export type Store = (wanted: boolean) => Promise<unknown>;

/**
 * Turn desktop notifications on, if this browser allows them, or off. If it does not, the setting
 * stays as it is: it is for the user's other browsers too.
 *
 * @returns The reason why they could not be turned on; null if there is no obstacle.
 */
export async function turn(
  wanted: boolean,
  store: Store,
  trans: TranslationBundle
): Promise<string | null> {
  const answer = wanted ? await askPermission() : 'granted';
  if (answer === 'granted') {
    await store(wanted);
    return null;
  }
  return obstacle(answer, trans, true);
}

/**
 * Turn desktop notifications on or off, and show an obstacle in a dialog. A question that the user
 * has just left without an answer is no obstacle.
 */
export async function turnOrSay(
  wanted: boolean,
  store: Store,
  trans: TranslationBundle
): Promise<void> {
  await turn(wanted, store, trans);
  const reason = wanted ? obstacle(permission(), trans) : null;
  if (reason) {
    await showErrorMessage(
      trans.__('There are no desktop notifications'),
      new Error(reason)
    );
  }
}

/**
 * Ask the user for permission, which a browser allows only after a click.
 */
async function askPermission(): Promise<DesktopPermission> {
  if (permission() === 'default') {
    await Notification.requestPermission();
  }
  return permission();
}

/**
 * Return a sentence that says why there are no desktop notifications; null if there is no obstacle.
 *
 * @param permission - The browser's answer.
 * @param trans - The language.
 * @param asked - Whether the user was just asked, and did not answer.
 */
export function obstacle(
  permission: DesktopPermission,
  trans: TranslationBundle,
  asked = false
): string | null {
  switch (permission) {
    case 'insecure':
      return trans.__(
        'Your browser shows desktop notifications only for pages that are loaded over HTTPS.'
      );
    case 'missing':
      return trans.__('Your browser has no desktop notifications.');
    case 'denied':
      return trans.__(
        'Your browser blocks notifications from this site. Allow them in the settings of the site, next to its address.'
      );
    case 'default':
      return asked
        ? trans.__(
            'Your browser asked whether it may, and got no answer. Try again to be asked once more.'
          )
        : null;
    default:
      return null;
  }
}
