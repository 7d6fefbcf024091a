/**
 * The scripts that the letters of a text are written in.
 */

/**
 * Return the places in a text where letters of another script begin, and so often run in another
 * direction: the browser shapes and lays out what is between two of them by itself.
 */
export function scriptChanges(text: string): number[] {
  const places: number[] = [];
  if (!/[\u0590-\uffff]/.test(text)) {
    return places;
  }
  let before = 0;
  for (let at = 0; at < text.length; at++) {
    const script = scriptOf(text.charCodeAt(at)) || before;
    if (before && script !== before) {
      places.push(at);
    }
    before = script;
  }
  return places;
}

/**
 * Return a number for the script of a letter or digit, by its place in Unicode; 0 for signs, which
 * go with the letters around them. Scripts that are mixed in one language have one number. Brackets
 * count as Latin: among letters from right to left each of them is laid out by itself.
 */
function scriptOf(code: number): number {
  if (code < 0x80) {
    return /[\w()[\]{}]/.test(String.fromCharCode(code)) ? 1 : 0;
  }
  if (code < 0x590) {
    return 1;
  }
  if (code < 0x900) {
    // Hebrew; Arabic, Syriac, Thaana, N'Ko and others.
    return code < 0x600 ? 2 : 3;
  }
  if (code < 0x1000) {
    // Each script of India and its neighbours has 128 places.
    return code >> 7;
  }
  if (code < 0x2000) {
    return code >> 9;
  }
  if (code < 0x2e80) {
    return 0;
  }
  if (code < 0xd800) {
    return 4;
  }
  if (code < 0xe000) {
    // The first half of a letter from right to left beyond U+FFFF; or an emoji and others.
    return /[\ud802\ud803\ud83a\ud83b]/.test(String.fromCharCode(code)) ? 5 : 0;
  }
  // Private characters run from left to right.
  return code < 0xf900 ? 1 : code >= 0xfb1d && code < 0xff00 ? 3 : 0;
}
