/**
 * The browser's permission to show notifications on the desktop.
 */

/**
 * The browser's own permission, or the reason why it cannot be asked for.
 */
export type DesktopPermission = NotificationPermission | 'insecure' | 'missing';

/**
 * Read the present permission.
 */
export function permission(): DesktopPermission {
  if (!window.isSecureContext) {
    return 'insecure';
  }
  return 'Notification' in window ? Notification.permission : 'missing';
}
