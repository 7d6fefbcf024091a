/**
 * Keeps the focus in the center when the focused element goes away or is disabled.
 */
import * as React from 'react';

import type { IListHandle } from './list';

/**
 * Give the focus to the list, or to the center, when the focused element was removed, or was disabled:
 * a browser takes the focus from that a moment later, without an event.
 *
 * @param isComing - Whether there is no list only because its rows are on their way.
 * @returns The handlers of the center's element.
 */
export function useKeptFocus(
  root: React.RefObject<HTMLElement>,
  list: React.RefObject<IListHandle>,
  isComing: boolean
): { onFocus(): void; onBlur(event: React.FocusEvent): void } {
  const hasFocus = React.useRef(false);
  /** True while the center has the focus until the list comes. */
  const isWaiting = React.useRef(false);
  React.useLayoutEffect(() => {
    const { activeElement, body } = document;
    if (
      hasFocus.current &&
      (activeElement === body || activeElement?.matches(':disabled'))
    ) {
      (list.current ?? root.current)?.focus();
      isWaiting.current = !list.current && isComing;
    } else if (isWaiting.current && !isComing) {
      isWaiting.current = false;
      if (activeElement === root.current) {
        list.current?.focus();
      }
    }
  });
  return {
    onFocus: () => {
      hasFocus.current = true;
    },
    onBlur: event => {
      const element = event.target;
      queueMicrotask(() => {
        if (element.isConnected && document.hasFocus()) {
          hasFocus.current = Boolean(
            root.current?.contains(document.activeElement)
          );
        }
      });
    }
  };
}
