/**
 * Times in the past, in words.
 */

/**
 * Say how long ago something was: `12 min. ago`, `2 days ago`.
 *
 * @param age - In ms.
 * @param format - The words, in the language of the application.
 */
export function relativeTime(
  age: number,
  format: Intl.RelativeTimeFormat
): string {
  const minutes = Math.round(age / 60_000);
  if (minutes < 60) {
    return format.format(-minutes, 'minute');
  }
  const hours = Math.round(minutes / 60);
  return hours < 24
    ? format.format(-hours, 'hour')
    : format.format(-Math.round(hours / 24), 'day');
}
