/**
 * The time until which something lasts, as a user reads it: today's without a day, others with it.
 */
import { locale } from './locale';

/**
 * Return the text of such a time.
 */
export function untilText(when: Date, now: Date, language?: string): string {
  const sameDay = when.toDateString() === now.toDateString();
  return new Intl.DateTimeFormat(locale(language), {
    hour: 'numeric',
    minute: '2-digit',
    ...(sameDay ? {} : { weekday: 'short' }),
    // Beyond six days a weekday alone could mean today's.
    ...(when.getTime() - now.getTime() > 6 * 86_400_000
      ? { day: 'numeric', month: 'short' }
      : {})
  }).format(when);
}
