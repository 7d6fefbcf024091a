/**
 * Texts that keep their order within a sentence, whichever way each of them runs.
 */

/** The scripts that are written from right to left. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Return a text for the middle of another, which it does not reorder even if it is written from
 * right to left. Any other text stays as it is: what is copied, or looked for, holds no marks.
 */
export function isolate(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}
