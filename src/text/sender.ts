/**
 * The sender of a message, in words.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Notification } from '../wire';
import { visible } from './visible';

/** The scripts that are written from right to left. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Return the source of a message, and the name of its token if that is another. Neither name
 * changes the order of the text around it, even if it is written from right to left.
 */
export function senderOf(
  row: Pick<Notification, 'source' | 'via'>,
  trans: TranslationBundle
): string {
  const source = isolated(row.source);
  return row.via ? trans.__('%1, via %2', source, isolated(row.via)) : source;
}

/**
 * Return a text with hidden characters made visible, which does not reorder the text around it.
 */
function isolated(text: string): string {
  const shown = visible(text);
  return RIGHT_TO_LEFT.test(shown) ? `\u2068${shown}\u2069` : shown;
}
