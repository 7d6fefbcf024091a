/**
 * Texts as they are drawn: nothing hidden, and nothing that the browser takes long to lay out.
 */
import { visible } from './visible';

/** The most characters between two places where a line may break. */
const LONGEST = 200;

/** A longer text without a blank at which a line breaks. */
const LONG = new RegExp(`[\\S\\u00a0\\u2007\\u202f]{${LONGEST + 1},}`, 'g');

/** Letters beyond Latin, Greek and Cyrillic, and their marks. */
const JOINED = /(?![\0-\u052f])[\p{L}\p{M}]/gu;

/** The part of a long text that is made of such letters at least, if it gets places to break. */
const MOSTLY = 1 / 32;

/** The character that shows nothing and lets a line break. */
const BREAK = '\u200b';

/** A hair's breadth, which does so too; letters join across the other. */
const HAIR = '\u200a';

/** Letters that join with the next as if written by hand. */
const CURSIVE =
  /[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Nkoo}\p{scx=Adlm}\p{scx=Phag}\p{scx=Mand}\p{scx=Rohg}]/u;

/**
 * Return a text with hidden characters written as escapes, and with places to break in long runs
 * of letters that join, whatever stands between them.
 *
 * A browser shapes what has no blank in one piece, and again for each line that it fills: U+0E33
 * four thousand times held a page up for half a second. A place to break ends the piece.
 */
export function drawn(text: string): string {
  return visible(text).replace(LONG, run =>
    (run.match(JOINED)?.length ?? 0) < MOSTLY * run.length ? run : broken(run)
  );
}

/** Return a text with places to break before its letters, so that no mark is taken from one. */
function broken(run: string): string {
  let result = '';
  let length = 0;
  for (const character of run) {
    if (length >= LONGEST && /\p{L}/u.test(character)) {
      result += CURSIVE.test(character) ? HAIR : BREAK;
      length = 0;
    }
    result += character;
    length += character.length;
  }
  return result;
}
