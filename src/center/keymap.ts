/**
 * The keys of the center, and what each does; no DOM but the event.
 */

/** The parts of a key event that matter here; a React event has them, and the browser's own too. */
type KeyEvent = Pick<
  KeyboardEvent,
  'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'target'
>;

/**
 * The effect of a key in the list: it moves the focus by some rows, or does something to the
 * focused row.
 */
export type ListKey =
  | {
      do: 'move';
      by: number;
      /** True if the rows moved over are selected too. */ select: boolean;
    }
  | {
      do:
        | 'toggle'
        | 'select'
        | 'selectAll'
        | 'dismiss'
        | 'markRead'
        | 'markUnread'
        | 'snooze'
        | 'escape';
    };

/** Number of rows by which a key moves the focus, which stops at either end of the list. */
const MOVES: Record<string, number> = {
  ArrowDown: 1,
  ArrowUp: -1,
  j: 1,
  k: -1,
  PageDown: 10,
  PageUp: -10,
  Home: -Infinity,
  End: Infinity
};

/** The keys that select what they move over while Shift is held. */
const SELECTING = ['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End'];

const COMMANDS: Record<string, Exclude<ListKey['do'], 'move'>> = {
  Enter: 'toggle',
  ' ': 'toggle',
  x: 'select',
  e: 'dismiss',
  Delete: 'dismiss',
  r: 'markRead',
  u: 'markUnread',
  s: 'snooze',
  z: 'snooze',
  Escape: 'escape'
};

/**
 * Find what a key does to all the selected rows, if anything.
 */
export function bulkKey(
  event: KeyEvent
): 'dismiss' | 'markRead' | 'markUnread' | 'snooze' | null {
  const key = listKey(event)?.do;
  return key === 'dismiss' ||
    key === 'markRead' ||
    key === 'markUnread' ||
    key === 'snooze'
    ? key
    : null;
}

/**
 * Find what a key does in the list, if anything.
 */
export function listKey(event: KeyEvent): ListKey | null {
  const key = keyOf(event);
  if (event.altKey) {
    return null;
  }
  if (event.ctrlKey || event.metaKey) {
    return key === 'a' ? { do: 'selectAll' } : null;
  }
  if (Object.hasOwn(MOVES, key)) {
    const select = event.shiftKey && SELECTING.includes(key);
    return { do: 'move', by: MOVES[key], select };
  }
  return Object.hasOwn(COMMANDS, key) ? { do: COMMANDS[key] } : null;
}

/**
 * Return a key's name, of a letter in lower case, so that Caps Lock changes nothing. On a keyboard
 * for another script it is the Latin letter of the same key.
 */
function keyOf({ key, code }: KeyEvent): string {
  if (key.length > 1) {
    return key;
  }
  const latin = /^Key([A-Z])$/.exec(code)?.[1];
  return (latin && key > '\u007f' ? latin : key).toLowerCase();
}

/** The effect of a key anywhere in the center. */
export type CenterKey = 'undo' | 'search' | 'help' | 'leave' | 'bulk';

/**
 * Find what a key does anywhere in the center, if anything; a field that takes text has its own
 * keys.
 */
export function centerKey(event: KeyEvent): CenterKey | null {
  if (event.key === 'Escape') {
    return 'leave';
  }
  if ((event.target as HTMLElement).matches('input[type="text"], textarea')) {
    return null;
  }
  if (keyOf(event) === 'z' && (event.ctrlKey || event.metaKey)) {
    return 'undo';
  }
  if (event.key === '/') {
    return 'search';
  }
  return event.key === '?' ? 'help' : bulkKey(event) && 'bulk';
}
