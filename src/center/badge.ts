/**
 * The number of unread notifications, as the bell and the title of the page show it.
 */

/** The highest count that is shown. */
const MAX_COUNT = 99;

/**
 * The text of a count.
 */
export function countText(count: number): string {
  return count > MAX_COUNT ? `${MAX_COUNT}+` : String(count);
}
