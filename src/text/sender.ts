/**
 * The sender of a message, in words.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Notification } from '../wire';
import { isolate } from './isolate';
import { visible } from './visible';

/**
 * Return the source of a message, and the name of its token if that is another. Neither name
 * changes the order of the text around it, even if it is written from right to left.
 */
export function senderOf(
  row: Pick<Notification, 'source' | 'via'>,
  trans: TranslationBundle
): string {
  const source = isolate(visible(row.source));
  return row.via
    ? trans.__('%1, via %2', source, isolate(visible(row.via)))
    : source;
}
