/**
 * Texts that keep their order within a sentence, whichever way each of them runs.
 */

/**
 * Return a text for the middle of another: the two do not reorder each other. A time is torn
 * otherwise where the sentence, or the page, runs the other way.
 */
export function isolate(text: string): string {
  return `\u2068${text}\u2069`;
}
