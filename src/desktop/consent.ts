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
 * Turn them on, if this browser lets the user, or off. Where it does not, the setting stays: it is
 * that of the user's other browsers too.
 *
 * @returns Why they could not be turned on; null if there is no obstacle.
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
 * The same, with the obstacle in a dialog. Nothing is said of a question that the user has just left
 * without an answer.
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
 * Ask the user, which a browser allows only in a click of theirs.
 */
async function askPermission(): Promise<DesktopPermission> {
  if (permission() === 'default') {
    await Notification.requestPermission();
  }
  return permission();
}

/**
 * Say in a sentence why there are no desktop notifications; null where there is no obstacle.
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
