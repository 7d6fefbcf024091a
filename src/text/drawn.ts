/**
 * Texts as they are drawn: nothing hidden, and nothing that the browser takes long to lay out.
 */
import { visible } from './visible';

/**
 * Two hundred letters beyond ASCII without a blank, and the marks that belong to the last of them.
 *
 * A browser shapes letters that join in one piece, and again for each line that they fill: U+0E33
 * four thousand times held a page up for half a second. A place to break ends the piece.
 */
const LONG = /(?:(?![\0-\x7f])[\p{L}\p{M}]){200}\p{M}*(?=\p{L})/gu;

/** The character that shows nothing and lets a line break. */
const BREAK = '\u200b';

/**
 * Return a text with hidden characters written as escapes, and with places to break in long runs
 * of letters that join.
 */
export function drawn(text: string): string {
  return visible(text).replace(LONG, `$&${BREAK}`);
}
