/**
 * Whether this browser shows notifications on the desktop, and in words why not.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * What the browser says: as its own permission, or that there is no way to ask.
 */
export type DesktopPermission = NotificationPermission | 'insecure' | 'missing';

/**
 * What the browser says now.
 */
export function permission(): DesktopPermission {
  if (!window.isSecureContext) {
    return 'insecure';
  }
  return 'Notification' in window ? Notification.permission : 'missing';
}

/**
 * Ask the user, which a browser allows only in a click of theirs.
 */
export async function askPermission(): Promise<DesktopPermission> {
  if (permission() === 'default') {
    await Notification.requestPermission();
  }
  return permission();
}

/**
 * Why there are none, as a sentence; nothing where there is no obstacle.
 *
 * @param permission - What the browser says.
 * @param trans - The language.
 * @param asked - Whether the user was just asked, so that not to have answered is one.
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
