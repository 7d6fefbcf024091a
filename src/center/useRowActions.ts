/**
 * The actions of the center's rows.
 */
import * as React from 'react';

import { onReconnected } from '../components/context';
import { isInInbox, isUnread } from '../state';
import type { INotificationModel } from '../tokens';
import type { Notification } from '../wire';
import type { IListProps } from './list';
import type { SelectionModel } from './selection';
import type { UndoManager } from '../components/undo';

/**
 * Make the handlers of the rows: the same object at every drawing, so that a row is drawn again
 * only when it changed.
 *
 * @returns The handlers.
 */
// Longer than a screen: one handler for each thing that a row can ask for.
export function useRowActions(options: {
  selection: SelectionModel;
  undo: UndoManager;
  openId: string | null;
  setOpenId(id: string | null): void;
  markRead(ids: string[]): void;
  /** Ask until when to snooze rows; if all of them are snoozed, bring them back. */
  snoozeMenu(rows: readonly Notification[], at: EventTarget): void;
  /** Open the menu of a row. */
  menu(row: Notification, event: MouseEvent): void;
}): IListProps['handlers'] {
  const { selection, undo } = options;
  const latest = React.useRef(options);
  latest.current = options;
  return React.useMemo<IListProps['handlers']>(
    () => ({
      toggle: row => {
        const { openId, setOpenId, markRead } = latest.current;
        setOpenId(openId === row.id ? null : row.id);
        // A row that a program has opened is read once the user closes it.
        if (isUnread(row)) {
          markRead([row.id]);
        }
      },
      read: (row, read) => {
        const { openId, setOpenId } = latest.current;
        if (isInInbox(row) && isUnread(row) === read) {
          void undo.read([row], read);
          if (!read && openId === row.id) {
            setOpenId(null);
          }
        }
      },
      dismiss: (row: Notification, dismissed: boolean) =>
        void undo.dismiss([row], dismissed),
      snooze: (row, until) => {
        const { openId, setOpenId } = latest.current;
        if (openId === row.id) {
          setOpenId(null);
        }
        void undo.snooze([row], until);
      },
      snoozeMenu: (row, at) => latest.current.snoozeMenu([row], at),
      select: (row, range) => selection.select(row, range),
      clear: () => selection.clear(),
      all: () => selection.selectAll(),
      extend: (from, to) => selection.extend(from, to),
      menu: (row, event) => {
        // The browser's own menu is for links and for selected text, and with Shift for all.
        const own =
          event.shiftKey ||
          (event.target as Element).closest('a') ||
          window.getSelection()?.isCollapsed === false;
        if (!own) {
          event.preventDefault();
          event.stopPropagation();
          latest.current.menu(row, event.nativeEvent);
        }
      }
    }),
    []
  );
}

/**
 * Mark the rows that the user has opened as read. If the server cannot be reached, it is told
 * later, without a message to the user, who did not ask for the change.
 */
export function useMarkRead(
  model: INotificationModel,
  fail: (reason: unknown) => void
): (ids: string[]) => void {
  const untold = React.useRef(new Set<string>());
  const markRead = (ids: string[]) => {
    model.change({ ids }, { read: true }).catch(reason => {
      if (model.connected) {
        fail(reason);
      } else {
        ids.forEach(id => untold.current.add(id));
      }
    });
  };
  React.useEffect(
    () =>
      onReconnected(model, () => {
        const ids = [...untold.current];
        untold.current.clear();
        if (ids.length > 0) {
          markRead(ids);
        }
      }),
    []
  );
  return markRead;
}
