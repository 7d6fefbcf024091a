/**
 * Hooks that the center and the banner share.
 */
import * as React from 'react';

import type { INotificationModel } from '../tokens';

const MINUTE_MS = 60_000;

/**
 * Return a value that changes when a signal is emitted; it is read anew for each drawing.
 *
 * @param wanted - Tells if a change is drawn at once; a later drawing shows it all the same.
 */
export function useSignal<T>(
  signal: {
    connect(slot: () => void): boolean;
    disconnect(slot: () => void): boolean;
  },
  read: () => T,
  wanted: () => boolean = () => true
): T {
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = () => {
      if (wanted()) {
        draw();
      }
    };
    signal.connect(slot);
    draw();
    return () => {
      signal.disconnect(slot);
    };
  }, [signal]);
  return read();
}

/** Return the server's time, updated every minute while it is visible. */
export function useNow(model: INotificationModel, visible: boolean): Date {
  const [now, setNow] = React.useState(() => new Date(model.now()));
  React.useEffect(() => {
    if (!visible) {
      return;
    }
    const update = () => setNow(new Date(model.now()));
    update();
    void model.ready.then(update);
    const timer = setInterval(update, MINUTE_MS);
    return () => clearInterval(timer);
  }, [visible]);
  return now;
}

/** Follow a media query: true while the window matches it. */
export function useMedia(query: string): boolean {
  const media = React.useMemo(() => window.matchMedia(query), [query]);
  const [matches, setMatches] = React.useState(media.matches);
  React.useEffect(() => {
    const update = () => setMatches(media.matches);
    media.addEventListener('change', update);
    return () => media.removeEventListener('change', update);
  }, [media]);
  return matches;
}
