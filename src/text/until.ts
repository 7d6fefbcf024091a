/**
 * The time until which something lasts, as a user reads it: today's without a day, others with it.
 */
import { isolate } from './isolate';
import { locale } from './locale';

/**
 * Return the text of such a time, for the middle of a sentence.
 */
export function untilText(
  when: Date,
  now: Date,
  language = document.documentElement.lang
): string {
  const sameDay = when.toDateString() === now.toDateString();
  const format = new Intl.DateTimeFormat(locale(language), {
    hour: 'numeric',
    minute: '2-digit',
    ...(sameDay ? {} : { weekday: 'short' }),
    // Beyond six days a weekday alone could mean today's.
    ...(when.getTime() - now.getTime() > 6 * 86_400_000
      ? { day: 'numeric', month: 'short' }
      : {})
  });
  return isolate(format.format(when));
}
