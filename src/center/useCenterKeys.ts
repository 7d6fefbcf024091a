/**
 * The keys that do the same wherever the focus is in the center.
 */
import * as React from 'react';

import type { ICenterHost } from '../components/context';
import type { Notification } from '../wire';
import { applyBulk } from './bulk';
import { bulkKey, centerKey } from './keymap';
import type { IListHandle } from './list';
import type { SelectionModel } from './selection';
import { CommandIDs } from './shortcuts';
import { canSnooze } from './snooze';
import type { UndoManager } from '../components/undo';

/**
 * Make the handler of the keys that the list has not handled.
 */
// Longer than a screen: one branch for each key.
export function useCenterKeys(options: {
  host: ICenterHost;
  rows: readonly Notification[];
  selection: SelectionModel;
  undo: UndoManager;
  list: React.RefObject<IListHandle>;
  searchField: React.RefObject<HTMLInputElement>;
  /** Ask until when to snooze rows; if all of them are snoozed, bring them back. */
  snoozeMenu(rows: readonly Notification[], at: EventTarget): void;
}): (event: React.KeyboardEvent) => void {
  const { host, rows, selection, undo, list, searchField } = options;
  const onSelected = (event: React.KeyboardEvent): boolean => {
    const bulk = bulkKey(event);
    const chosen = rows.filter(row => selection.ids.has(row.id));
    if (bulk === 'snooze') {
      const taken = chosen.filter(canSnooze);
      if (taken.length > 0) {
        options.snoozeMenu(taken, event.target);
      }
      return taken.length > 0;
    }
    return (
      bulk !== null &&
      chosen.length > 0 &&
      // In the list of done rows, the same key brings them back.
      (applyBulk(bulk, chosen, undo) ||
        (bulk === 'dismiss' && applyBulk('restore', chosen, undo)))
    );
  };
  const onKey = (event: React.KeyboardEvent): boolean => {
    switch (centerKey(event)) {
      case 'search':
        searchField.current?.focus();
        return true;
      case 'undo': {
        // Left to the browser, the key would also take back what was typed in the search field.
        const found = undo.last !== null;
        void undo.undo();
        return found;
      }
      case 'help':
        void host.commands.execute(CommandIDs.shortcuts);
        return true;
      case 'leave':
        if (selection.clear()) {
          list.current?.focus();
        } else {
          host.leave();
        }
        return true;
      case 'bulk':
        return onSelected(event);
      default:
        return false;
    }
  };
  return event => {
    if (!event.defaultPrevented && onKey(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
}
