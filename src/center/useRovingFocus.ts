/**
 * The current row of the list: the one that Tab reaches.
 */
import * as React from 'react';

import type { Notification } from '../wire';

/**
 * The current row, and the functions that move the focus.
 */
export interface IRovingFocus {
  /** The row's index in the list; when the row leaves, the one in its place follows. */
  index: number;
  current: Notification | undefined;
  /** Move the focus to a row, now or as soon as the row is in the page. */
  moveTo(row: Notification): void;
  /** The handlers of the element that scrolls. */
  onFocus(event: React.FocusEvent): void;
  onBlur(event: React.FocusEvent): void;
}

/**
 * Keep the focus in a list of which only a part is in the page.
 *
 * The focus is kept when its row leaves, and moves once the next row is in the page.
 */
// Longer than a screen: callbacks that share one focused row.
export function useRovingFocus(
  rows: readonly Notification[],
  scroller: React.RefObject<HTMLElement>
): IRovingFocus {
  const [currentId, setCurrentId] = React.useState<string | null>(null);
  const currentIndex = React.useRef(0);
  const found = rows.findIndex(row => row.id === currentId);
  const index =
    found >= 0 ? found : Math.min(currentIndex.current, rows.length - 1);
  currentIndex.current = Math.max(index, 0);
  const current: Notification | undefined = rows[index];

  /** The id of the row that gets the focus once it is in the page. */
  const wanted = React.useRef<string | null>(null);
  /** The id of the row that has the focus. */
  const focused = React.useRef<string | null>(null);
  const element = (id: string) =>
    scroller.current?.querySelector<HTMLElement>(
      `[data-id="${CSS.escape(id)}"]`
    );

  React.useLayoutEffect(() => {
    const lost =
      focused.current !== null &&
      document.activeElement === document.body &&
      !element(focused.current);
    const id = wanted.current ?? (lost ? (current?.id ?? null) : null);
    const target = id && element(id);
    if (target) {
      wanted.current = null;
      target.focus({ preventScroll: true });
    } else if (lost) {
      focused.current = null;
      scroller.current?.focus();
    }
  });

  return {
    index,
    current,
    moveTo: row => {
      wanted.current = row.id;
      setCurrentId(row.id);
      if (row.id === current?.id) {
        element(row.id)?.focus({ preventScroll: true });
      }
    },
    onFocus: event => {
      const row = (event.target as HTMLElement).closest<HTMLElement>(
        '[data-id]'
      );
      focused.current = row?.dataset.id ?? null;
      if (row) {
        setCurrentId(focused.current);
      }
    },
    onBlur: () => {
      const id = focused.current;
      queueMicrotask(() => {
        // If the focused row was removed, the user has not left the list.
        const taken =
          document.activeElement === document.body &&
          (id === null || !element(id));
        if (!taken && !scroller.current?.contains(document.activeElement)) {
          focused.current = null;
        }
      });
    }
  };
}
