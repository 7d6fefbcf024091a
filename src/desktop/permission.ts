/**
 * Whether this browser shows notifications on the desktop, and if not, why.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * The browser's permission, or the reason why it has none.
 */
export type DesktopPermission = NotificationPermission | 'insecure' | 'missing';

/**
 * Return the present permission.
 */
export function permission(): DesktopPermission {
  if (!window.isSecureContext) {
    return 'insecure';
  }
  return 'Notification' in window ? Notification.permission : 'missing';
}

/**
 * Ask the user; browsers allow this only during a click.
 */
export async function askPermission(): Promise<DesktopPermission> {
  if (permission() === 'default') {
    await Notification.requestPermission();
  }
  return permission();
}

/**
 * Return a sentence on why there are no desktop notifications; null if nothing prevents them.
 *
 * @param permission - The permission.
 * @param trans - The language.
 * @param asked - Whether the user was just asked, so that a missing answer is a reason.
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
