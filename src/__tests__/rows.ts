/**
 * Rows and frames for the tests, as the server would send them.
 */
import * as fs from 'fs';
import * as path from 'path';

import type {
  ChangesFrame,
  Counts,
  Notification,
  SnapshotFrame
} from '../wire';

/** The description of a field in the server's document. */
interface IFieldSchema {
  type?: string;
  enum?: string[];
}

const DOCUMENT = path.join(__dirname, '..', '..', 'docs', 'openapi.json');

/** The empty value of each field of a row, so that a new field needs no line here. */
const EMPTY = Object.fromEntries(
  Object.entries<IFieldSchema>(
    JSON.parse(fs.readFileSync(DOCUMENT, 'utf8')).components.schemas
      .Notification.properties
  ).map(([name, schema]) => [name, emptyValue(schema)])
) as unknown as Notification;

function emptyValue(schema: IFieldSchema): unknown {
  switch (schema.type) {
    case 'string':
      return schema.enum?.[0] ?? '';
    case 'integer':
      return 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    default:
      return null;
  }
}

export function row(
  id: string,
  seq: number,
  given: Partial<Notification> = {}
): Notification {
  return {
    ...EMPTY,
    id,
    seq,
    position: seq,
    source: 'quota',
    type: 'info',
    message: `message ${id}`,
    dismissable: true,
    created: '2026-01-01T00:00:00.000Z',
    updated: '2026-01-01T00:00:00.000Z',
    origin: 'ingest',
    actions: [],
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
