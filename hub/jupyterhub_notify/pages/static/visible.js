/**
 * Makes hidden characters visible in texts that a script shows, as the service does in its pages.
 */
const HIDDEN =
  // The pattern is for control characters, and for combining ones one by one.
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
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
