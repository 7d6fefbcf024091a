/**
 * Who says a message.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Notification } from '../wire';
import { visible } from './visible';

/** What may be written from right to left, and some that is not. */
const MAY_REORDER = /[\u0590-\uffff]/;

/**
 * The source of a message, and the token that it was sent with where that has another name. The
 * order of the text around it does not depend on either.
 */
export function senderOf(
  row: Pick<Notification, 'source' | 'via'>,
  trans: TranslationBundle
): string {
  const source = isolated(row.source);
  return row.via ? trans.__('%1, via %2', source, isolated(row.via)) : source;
}

/**
 * A text with hidden characters made visible, which orders nothing but itself.
 */
function isolated(text: string): string {
  const shown = visible(text);
  return MAY_REORDER.test(shown) ? `\u2068${shown}\u2069` : shown;
}
