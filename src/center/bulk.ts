/**
 * Changes of several rows at once, by the keyboard and by the toolbar; no DOM.
 */
import { isDismissed, isInInbox, isSnoozed, isUnread } from '../state';
import type { Notification } from '../wire';
import type { UndoManager } from '../components/undo';
import type { IRowHandlers } from './row';
import { canSnooze } from './snooze';

/**
 * A change of several rows; it is made only to those of them that it changes.
 */
export type Bulk = 'markRead' | 'markUnread' | 'dismiss' | 'restore';

const TAKES: Record<Bulk, (row: Notification) => boolean> = {
  markRead: isUnread,
  markUnread: row => isInInbox(row) && !isUnread(row),
  dismiss: row => (isInInbox(row) || isSnoozed(row)) && row.dismissable,
  restore: isDismissed
};

/**
 * Return the rows that a change really changes.
 */
export function takenBy(
  bulk: Bulk,
  rows: readonly Notification[]
): readonly Notification[] {
  return rows.filter(TAKES[bulk]);
}

/**
 * Make a change to those rows that it really changes, as one change that can be undone.
 *
 * @returns Whether there was any such row.
 */
export function applyBulk(
  bulk: Bulk,
  rows: readonly Notification[],
  undo: Pick<UndoManager, 'read' | 'dismiss'>
): boolean {
  const taken = takenBy(bulk, rows);
  if (taken.length === 0) {
    return false;
  }
  void (bulk === 'markRead' || bulk === 'markUnread'
    ? undo.read(taken, bulk === 'markRead')
    : undo.dismiss(taken, bulk === 'dismiss'));
  return true;
}

/**
 * Make handlers of one row that do the same to all of these rows, as one change.
 */
export function bulkHandlers(
  rows: readonly Notification[],
  undo: Pick<UndoManager, 'read' | 'dismiss' | 'snooze'>
): Pick<IRowHandlers, 'read' | 'dismiss' | 'snooze'> {
  return {
    read: (_, read) =>
      void applyBulk(read ? 'markRead' : 'markUnread', rows, undo),
    dismiss: (_, dismissed) =>
      void applyBulk(dismissed ? 'dismiss' : 'restore', rows, undo),
    snooze: (_, until) =>
      void undo.snooze(rows.filter(until ? canSnooze : isSnoozed), until)
  };
}
