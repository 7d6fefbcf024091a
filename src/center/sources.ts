/**
 * The senders of what the center holds, and how many messages each has sent; no DOM.
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
 * The senders, the one of most messages first.
 *
 * @param rows - What is known of the list.
 * @param complete - Whether that is all of it.
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
