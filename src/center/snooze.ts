/**
 * The times until which messages can be snoozed, as the entries of a menu.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { endOf } from '../quiet/quiet';
import { isInInbox, isSnoozed } from '../state';
import { untilText } from '../text/until';
import type { Notification } from '../wire';
import type { IEntry } from './rowMenu';

/**
 * Tell if a row may be snoozed: a message that its sender keeps in sight may not.
 */
export function canSnooze(row: Notification): boolean {
  return row.dismissable && (isInInbox(row) || isSnoozed(row));
}

/**
 * Make the entries that snooze rows.
 *
 * @param now - The time by the server's clock, in milliseconds.
 * @param snooze - Snoozes the rows until a time.
 */
export function snoozeEntries(
  trans: TranslationBundle,
  now: number,
  snooze: (until: Date) => void
): IEntry[] {
  const today = new Date(now);
  const [hour, tomorrow, week] = (['hour', 'tomorrow', 'week'] as const).map(
    what => endOf(what, today)
  );
  const entries: [string, Date][] = [
    [trans.__('Snooze for an Hour'), hour],
    [
      trans.__('Snooze until Tomorrow, %1', untilText(tomorrow, tomorrow)),
      tomorrow
    ],
    [trans.__('Snooze until Next Week, %1', untilText(week, today)), week]
  ];
  return entries.map(([label, until]) => ({
    label,
    execute: () => snooze(until)
  }));
}
