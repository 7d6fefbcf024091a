/**
 * Characters that nobody sees, or that show others in another order, made visible: what a user
 * reads must be what the sender wrote.
 */

/**
 * Control characters except tabs and line breaks, what Unicode lists as drawn as nothing (its
 * "default ignorable" characters), and what it does not list though nobody sees it: separators of
 * lines and paragraphs, an empty Braille pattern, the place of an object, and marks around
 * annotations, hieroglyphs and notes.
 *
 * Some of Unicode's format characters are seen: those that stand before or around a number, such as
 * the Arabic signs from U+0600. They are not listed here.
 */
const HIDDEN =
  /(?![\t\n\r])[\p{Cc}\p{DI}\u2028\u2029\u2800\ufff9-\ufffc\u{13430}-\u{1343f}\u{1d159}]/gu;

/** Signs that join letters in scripts that descend from Brahmi; a joiner may stand beside them. */
const VIRAMA =
  '[\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0bcd\\u0c4d\\u0ccd\\u0d4d\\u0dca\\u1039\\u17d2]';

/** Letters of cursive scripts, and of scripts that have no blank between words. */
const CURSIVE = '[\\p{sc=Arab}\\p{sc=Syrc}\\p{sc=Mong}\\p{sc=Nkoo}]';
const UNPARTED = '[\\p{sc=Thai}\\p{sc=Laoo}\\p{sc=Khmr}\\p{sc=Mymr}]';

/** Places where hidden characters belong to a sign that is seen. */
const BELONGS = new RegExp(
  [
    // Emoji that are joined, and the flags of regions.
    '[\\p{ExtPict}\\p{EMod}]\\ufe0f?\\u200d(?=\\p{ExtPict})',
    // Variants that Unicode lists: of emoji, keycaps, ideographs, Mongolian letters, punctuation
    // and mathematical signs.
    '(?:[\\p{ExtPict}\\p{EMod}][\\ufe0e\\ufe0f]|[#*0-9][\\ufe0e\\ufe0f](?=\\u20e3)|\\p{UIdeo}[\\ufe00-\\ufe02\\u{e0100}-\\u{e01ef}]|(?=\\p{L})\\p{sc=Mong}\\p{VS}|[、。！，．：；？][\\ufe00\\ufe01]|[∅-⋛]\\ufe00)(?!\\p{M}*\\p{VS})',
    '\\u{1f3f4}[\\u{e0030}-\\u{e0039}\\u{e0061}-\\u{e007a}]{1,6}\\u{e007f}',
    // Letters that are joined or kept apart, in scripts that do.
    `${CURSIVE}[\\u200c\\u200d](?=${CURSIVE})`,
    `(?<=[\\p{L}\\p{M}])${VIRAMA}[\\u200c\\u200d]`,
    `\\p{L}[\\u200c\\u200d](?=${VIRAMA})`,
    // Places where a line may break, in scripts that have no blank there.
    `${UNPARTED}\\u200b(?=${UNPARTED})`
  ].join('|'),
  'gu'
);

/**
 * Too many marks on one letter: thousands would cover the text around and take long to lay out. A
 * joiner or non-joiner between the marks does not begin a new letter.
 */
const STACKED = /((?:\p{M}[\u200c\u200d]?){8})(?:\p{M}[\u200c\u200d]?)+/gu;

/**
 * Return a text with hidden characters written as escapes, such as `\u202e`, and with few marks on
 * each letter.
 */
export function visible(text: string): string {
  text = text.replace(STACKED, '$1…');
  HIDDEN.lastIndex = 0;
  if (!HIDDEN.test(text)) {
    return text;
  }
  let result = '';
  let at = 0;
  for (const { 0: kept, index } of text.matchAll(BELONGS)) {
    result += escape(text.slice(at, index)) + kept;
    at = index + kept.length;
  }
  return result + escape(text.slice(at));
}

/**
 * Tell if a text shows nothing.
 */
export function isBlank(text: string): boolean {
  return text.replace(HIDDEN, '').trim() === '';
}

function escape(text: string): string {
  return text.replace(HIDDEN, character => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
  });
}
