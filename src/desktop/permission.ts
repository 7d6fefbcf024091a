/**
 * Whether this browser shows notifications on the desktop.
 */

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
