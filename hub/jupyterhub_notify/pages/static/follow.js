/**
 * Following what changes while the page is open.
 */
import { XSRF } from './api.js';

/** Call back at most once a second while an event stream says that something has changed. */
export function follow(path, names, changed) {
  let due = 0;
  let last = 0;
  const soon = () => {
    if (!due) {
      due = setTimeout(
        () => {
          due = 0;
          last = Date.now();
          changed();
        },
        Math.max(50, last + 1000 - Date.now())
      );
    }
  };
  const glue = path.includes('?') ? '&' : '?';
  // An event source sends no headers.
  const source = new EventSource(
    `${path}${glue}_xsrf=${encodeURIComponent(XSRF)}`
  );
  for (const name of names) {
    source.addEventListener(name, soon);
  }
  addEventListener('pagehide', () => source.close());
  return source;
}

export function refresh(element) {
  if (element) {
    htmx.trigger(element, 'jn-refresh');
  }
}
