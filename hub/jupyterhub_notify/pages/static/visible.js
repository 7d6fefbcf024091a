/**
 * Makes hidden characters visible in texts that a script shows, as the service does in its pages.
 */
const HIDDEN =
  /(?![\t\n\r])[\p{Cc}\p{DI}\u2028\u2029\u2800\ufff9-\ufffc\u{13430}-\u{1343f}\u{1d159}]/gu;
/** The places where a hidden character belongs to an emoji. */
const BELONGS =
  /((?:\p{Extended_Pictographic}|\p{Emoji_Modifier})(?:\ufe0f?\u200d(?=\p{Extended_Pictographic})|\ufe0f(?![\ufe00-\ufe0f])))/u;

/** Return a text with hidden characters written as escapes, such as `\u202e`. */
export function visible(text) {
  return text
    .split(BELONGS)
    .map((part, index) => (index % 2 ? part : part.replace(HIDDEN, escape)))
    .join('');
}

function escape(character) {
  const code = character.codePointAt(0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
