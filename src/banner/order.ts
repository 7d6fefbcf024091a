/**
 * The messages in the banner and their order; loaded with the banner.
 */
import { isPresentable } from '../state';
import type { Notification, NotificationType } from '../wire';

/**
 * The severity of each type; the most severe stands first.
 */
const SEVERITY: Record<NotificationType, number> = {
  error: 3,
  warning: 2,
  info: 1,
  'in-progress': 1,
  success: 1,
  default: 0
};

/**
 * Return the rows that belong in the banner: the most severe first, and of equals the newest.
 */
export function banners(rows: readonly Notification[]): Notification[] {
  return rows
    .filter(row => row.banner && isPresentable(row))
    .sort(
      (a, b) => SEVERITY[b.type] - SEVERITY[a.type] || b.position - a.position
    );
}

/**
 * Tell if a type interrupts a screen reader.
 */
export function interrupts(type: NotificationType): boolean {
  return SEVERITY[type] >= SEVERITY.warning;
}
