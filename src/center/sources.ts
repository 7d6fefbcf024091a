/**
 * The senders of the messages in the center, and how many messages each has sent; no DOM.
 */
import type { Notification } from '../wire';

/**
 * A sender.
 */
export interface ISource {
  name: string;
  /** The number of its messages in the list; null while some of them are not loaded. */
  count: number | null;
}

/**
 * Return the senders, those of most messages first.
 *
 * @param rows - The rows of the list that are known.
 * @param complete - Whether these are all its rows.
 */
export function sourcesOf(
  rows: readonly Notification[],
  complete: boolean
): readonly ISource[] {
  const counts = new Map<string, number>();
  for (const { source } of rows) {
    counts.set(source, (counts.get(source) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
    .map(([name, count]) => ({ name, count: complete ? count : null }));
}
