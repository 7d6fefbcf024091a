/**
 * The time for which a toast stays.
 */
import type { Notification } from '../wire';

/**
 * Return how long a row's toast stays in milliseconds: `false` until it is closed, 0 for no toast.
 *
 * @param default_s - The user's setting, in seconds, for a message that does not say; 0: it stays.
 */
export function toastDuration(
  row: Notification,
  default_s: number
): number | false {
  if (row.autoClose === 0) {
    return 0;
  }
  if (row.autoClose === false || row.type === 'in-progress') {
    return false;
  }
  if (typeof row.autoClose === 'number') {
    return row.autoClose;
  }
  // An error stays unless its sender says otherwise.
  return row.type === 'error' ? false : default_s * 1000 || false;
}
