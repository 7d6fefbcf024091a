/**
 * Texts of few letters that repeat.
 */

/**
 * Up to eight letters beyond ASCII, forty times or more. The browser shapes what joins in one piece:
 * four thousand such letters take half a second.
 */
const REPEATED = /((?:(?![\0-\x7f])[\p{L}\p{M}]){1,8}?)\1{39,}/gu;

/** Number of times that such letters are shown. */
const SHOWN = 32;

/**
 * A text in which no letters of such a script are repeated very often.
 */
export function fewRepeats(text: string): string {
  return text.replace(REPEATED, (_, unit: string) => `${unit.repeat(SHOWN)}…`);
}
