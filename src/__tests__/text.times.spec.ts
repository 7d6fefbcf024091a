/**
 * Times in words.
 */
import { nullTranslator } from '@jupyterlab/translation';

import { Times } from '../text/times';
import { relativeTime } from '../text/relativeTime';

const trans = nullTranslator.load('jupyterlab_notify');

describe('Times', () => {
  const times = new Times(trans, 'en');
  const short = new Intl.RelativeTimeFormat('en', { style: 'short' });
  const now = new Date(2026, 5, 15, 15, 30);
  const at = (day: number, hour: number, minute = 0, month = 5, year = 2026) =>
    new Date(year, month, day, hour, minute);

  it.each([
    [at(15, 15, 30), 'now'],
    [at(15, 16, 0), 'now'],
    [at(15, 15, 18), '12 min'],
    [at(15, 14, 25), '1 hr'],
    [at(15, 3, 40), '11 hr'],
    [at(15, 2, 5), '2:05 AM'],
    [at(14, 18, 4), '6:04 PM'],
    [at(13, 18, 4), 'Jun 13'],
    [at(31, 9, 0, 11, 2025), 'Dec 31, 2025']
  ])('%s is %j', (when, label) => {
    expect(times.ago(when, now).replace(/\s/g, ' ')).toBe(label);
  });

  it.each([
    [6 * 60_000, '6 min. ago'],
    [59.4 * 60_000, '59 min. ago'],
    [3 * 3_600_000, '3 hr. ago'],
    [50 * 3_600_000, '2 days ago']
  ])('%s ms are %j', (age, label) => {
    expect(relativeTime(age, short)).toBe(label);
  });

  it.each(['de_DE', 'default', 'x', 'no such language', ''])(
    'takes %j for a language, known or not',
    language => {
      expect(new Times(trans, language).ago(at(15, 14), now)).toMatch(/1/);
    }
  );

  it('heads days', () => {
    expect(times.day(at(15, 0, 1), now)).toBe('Today');
    expect(times.day(at(15, 23), now)).toBe('Today');
    expect(times.day(at(14, 23, 59), now)).toBe('Yesterday');
    expect(times.day(at(12, 9), now)).toBe('Friday, June 12');
    expect(times.day(at(31, 9, 0, 11, 2025), now)).toBe('December 31, 2025');
  });

  it('says when something goes away', () => {
    expect(times.expires(at(15, 15, 30), now)).toBe('expires within a minute');
    expect(times.expires(at(15, 15, 50), now)).toBe('expires in 20 minutes');
    expect(times.expires(at(15, 17, 30), now)).toBe('expires in 2 hours');
    expect(times.expires(at(16, 15), now)).toBe('expires tomorrow');
    expect(times.expires(at(20, 15), now)).toBe('expires in 5 days');
    expect(times.expires(at(1, 15, 0, 8), now)).toBe('expires on Sep 1, 2026');
  });

  it('says how long something still is, and when', () => {
    expect(times.left(35_000)).toBe('35 sec');
    expect(times.left(60_000)).toBe('1 min');
    expect(times.left(60_001)).toBe('2 min');
    expect(times.left(2 * 3_600_000)).toBe('2 hr');
    expect(times.left(2 * 3_600_000 + 290_000)).toBe('2 hr 5 min');
    expect(times.left(49 * 3_600_000)).toBe('2 days');
    expect(times.moment(at(15, 22), now)).toBe('10:00 PM');
    expect(times.moment(at(16, 22), now)).toBe('Jun 16, 2026, 10:00 PM');
  });

  it('speaks the language of the application, and any if it is unknown', () => {
    expect(new Times(trans, 'de_DE').day(at(12, 9), now)).toBe(
      'Freitag, 12. Juni'
    );
    expect(() => new Times(trans, 'no such language')).not.toThrow();
    expect(() => new Times(trans)).not.toThrow();
  });
});
