import type { Notification, StateChange } from './wire';

/**
 * The meaning of a notification's states; `jupyterlab_notify/storage/state.py` says the same in
 * SQL. A test compares the two on every combination.
 */
export type Stateful = Pick<
  Notification,
  | 'type'
  | 'autoClose'
  | 'banner'
  | 'read'
  | 'closed'
  | 'dismissed'
  | 'snoozedUntil'
  | 'revoked'
  | 'expired'
>;

/** Tell if a row is active, neither revoked nor expired; all others are tombstones. */
export function isActive(row: Stateful): boolean {
  return row.revoked === null && row.expired === null;
}

/** Tell if a row is in the inbox: active, and neither put away nor snoozed by the user. */
export function isInInbox(row: Stateful): boolean {
  return isActive(row) && row.dismissed === null && row.snoozedUntil === null;
}

/** Tell if a row is unread and in the inbox; a row that was put away or snoozed does not count. */
export function isUnread(row: Stateful): boolean {
  return isInInbox(row) && row.read === null;
}

/** Tell if the user has put a row away. */
export function isDismissed(row: Stateful): boolean {
  return isActive(row) && row.dismissed !== null;
}

/** Tell if a row comes back to the inbox at a time that the user chose. */
export function isSnoozed(row: Stateful): boolean {
  return isActive(row) && row.dismissed === null && row.snoozedUntil !== null;
}

/** Tell if toasts and the banner may show a row: the user has not closed it there. */
export function isPresentable(row: Stateful): boolean {
  return isInInbox(row) && row.closed === null;
}

/**
 * Tell if a row must be in sight however old it is: a banner, or a message that does not close by
 * itself.
 */
export function isPinned(row: Stateful): boolean {
  return (
    isPresentable(row) &&
    (row.banner ||
      (row.read === null &&
        (row.autoClose === false || row.type === 'in-progress')))
  );
}

/** Tell if the server accepts a change: a row that must stay in sight cannot be put away. */
export function allows(row: Notification, change: StateChange): boolean {
  return (
    row.dismissable ||
    !(change.closed || change.dismissed || change.snoozedUntil)
  );
}

/** Return a row as the server stores it after the user's change; the same object if unchanged. */
export function withChange(
  row: Notification,
  change: StateChange,
  now: string
): Notification {
  let { read, closed, dismissed, snoozedUntil } = row;
  if (typeof change.read === 'boolean') {
    read = change.read ? (read ?? now) : null;
  }
  if (typeof change.closed === 'boolean') {
    if (change.closed && !closed && typeof change.read !== 'boolean') {
      read ??= now;
    }
    closed = change.closed ? (closed ?? now) : null;
  }
  if (typeof change.dismissed === 'boolean') {
    dismissed = change.dismissed ? (dismissed ?? now) : null;
  }
  if (change.snoozedUntil !== undefined && change.snoozedUntil !== null) {
    // `false` brings the row back to the inbox.
    snoozedUntil = change.snoozedUntil || null;
  }
  return read === row.read &&
    closed === row.closed &&
    dismissed === row.dismissed &&
    snoozedUntil === row.snoozedUntil
    ? row
    : { ...row, read, closed, dismissed, snoozedUntil };
}
