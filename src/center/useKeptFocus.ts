/**
 * Keeps the focus in the center when the focused element goes away.
 */
import * as React from 'react';

import type { IListHandle } from './list';

/**
 * Give the focus to the list, or to the center, when the focused element was removed.
 *
 * @returns The handlers of the center's element.
 */
export function useKeptFocus(
  root: React.RefObject<HTMLElement>,
  list: React.RefObject<IListHandle>
): { onFocus(): void; onBlur(event: React.FocusEvent): void } {
  const hasFocus = React.useRef(false);
  React.useLayoutEffect(() => {
    if (hasFocus.current && document.activeElement === document.body) {
      (list.current ?? root.current)?.focus();
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
