/**
 * Rows and frames for the tests, as the server would send them.
 */
import type {
  ChangesFrame,
  Counts,
  Notification,
  SnapshotFrame
} from '../wire';

export function row(
  id: string,
  seq: number,
  given: Partial<Notification> = {}
): Notification {
  return {
    id,
    seq,
    position: seq,
    source: 'quota',
    via: null,
    key: null,
    type: 'info',
    message: `message ${id}`,
    markdown: false,
    hasBody: false,
    preview: null,
    autoClose: null,
    actions: [],
    reply: null,
    image: null,
    progress: null,
    stopped: null,
    banner: false,
    dismissable: true,
    created: '2026-01-01T00:00:00.000Z',
    updated: '2026-01-01T00:00:00.000Z',
    expiresAt: null,
    countdown: null,
    read: null,
    closed: null,
    dismissed: null,
    snoozedUntil: null,
    answer: null,
    answered: null,
    revoked: null,
    expired: null,
    origin: 'ingest',
    ...given
  };
}

export const NOW = '2026-01-01T00:00:01.000Z';

export function snapshot(
  cursor: string,
  notifications: Notification[],
  pinned: Notification[] = [],
  counts?: Counts
): SnapshotFrame {
  return {
    type: 'snapshot',
    cursor,
    now: NOW,
    counts: counts ?? count([...notifications, ...pinned]),
    durable: true,
    welcome: 0,
    quiet: null,
    notifications,
    pinned
  };
}

export function changes(
  cursor: string,
  notifications: Notification[],
  counts: Counts
): ChangesFrame {
  return {
    type: 'changes',
    cursor,
    now: NOW,
    counts,
    durable: true,
    welcome: 0,
    quiet: null,
    notifications
  };
}

export function count(rows: Notification[]): Counts {
  const inbox = rows.filter(each => each.dismissed === null);
  return {
    inbox: inbox.length,
    unread: inbox.filter(each => each.read === null).length,
    dismissed: rows.length - inbox.length,
    snoozed: 0
  };
}
