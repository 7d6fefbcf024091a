/**
 * Following changes while the page is open.
 */
import { XSRF } from './api.js';

/** Call back when an event stream reports changes, at most once a second. */
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
  // An `EventSource` cannot send a header, so the token is in the query.
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
