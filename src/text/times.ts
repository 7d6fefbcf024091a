/**
 * Times as a user reads them in the center, in the language of the application.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { isolate } from './isolate';
import { locale } from './locale';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * The labels of times in one language.
 */
export class Times {
  constructor(
    trans: TranslationBundle,
    readonly language?: string
  ) {
    this._trans = trans;
    const known = locale(language);
    this._days = new Intl.NumberFormat(known, {
      ...unit('day'),
      unitDisplay: 'long'
    });
    this._seconds = new Intl.NumberFormat(known, unit('second'));
    this._minutes = new Intl.NumberFormat(known, unit('minute'));
    this._hours = new Intl.NumberFormat(known, unit('hour'));
    this._time = new Intl.DateTimeFormat(known, {
      hour: 'numeric',
      minute: '2-digit'
    });
    this._date = new Intl.DateTimeFormat(known, {
      day: 'numeric',
      month: 'short'
    });
    this._year = new Intl.DateTimeFormat(known, {
      day: 'numeric',
      month: 'short',
      year: 'numeric'
    });
    this._day = new Intl.DateTimeFormat(known, {
      weekday: 'long',
      day: 'numeric',
      month: 'long'
    });
    this._dayYear = new Intl.DateTimeFormat(known, { dateStyle: 'long' });
    this._exact = new Intl.DateTimeFormat(known, {
      dateStyle: 'medium',
      timeStyle: 'short'
    });
    this.number = new Intl.NumberFormat(known);
    this.percent = new Intl.NumberFormat(known, { style: 'percent' });
    this._relative = new Intl.RelativeTimeFormat(known, { numeric: 'auto' });
  }

  /** The format of numbers of notifications. */
  readonly number: Intl.NumberFormat;

  /** The format of progress. */
  readonly percent: Intl.NumberFormat;

  /** The time that is left: `2 days`, `2 hr, 5 min`, `35 sec`. */
  left(ms: number): string {
    if (ms >= DAY_MS) {
      return this._days.format(Math.round(ms / DAY_MS));
    }
    if (ms < MINUTE_MS) {
      return this._seconds.format(Math.ceil(ms / 1000));
    }
    const minutes = Math.ceil(ms / MINUTE_MS);
    const parts = [
      [this._hours, Math.floor(minutes / 60)],
      [this._minutes, minutes % 60]
    ] as const;
    return parts
      .filter(([, value]) => value > 0)
      .map(([format, value]) => format.format(value))
      .join(' ');
  }

  /** A future moment: the time, and the date unless it is today. */
  moment(when: Date, now: Date): string {
    return when.toDateString() === now.toDateString()
      ? this._time.format(when)
      : this._exact.format(when);
  }

  /** The age: `now`, `12 min`, `1 hr`, then the time, then the date. */
  ago(when: Date, now: Date): string {
    const age = now.getTime() - when.getTime();
    if (age < MINUTE_MS) {
      return this._trans.__('now');
    }
    if (age < HOUR_MS) {
      return this._minutes.format(Math.floor(age / MINUTE_MS));
    }
    const days = daysBetween(when, now);
    if (days === 0 && age < 12 * HOUR_MS) {
      return this._hours.format(Math.floor(age / HOUR_MS));
    }
    if (days <= 1) {
      return this._time.format(when);
    }
    return (
      when.getFullYear() === now.getFullYear() ? this._date : this._year
    ).format(when);
  }

  /** The age below the heading of its day, which says the date: for earlier days only the time. */
  inDay(when: Date, now: Date): string {
    return daysBetween(when, now) <= 0
      ? this.ago(when, now)
      : this._time.format(when);
  }

  /** The heading of the day: `Today`, `Yesterday`, the date. */
  day(when: Date, now: Date): string {
    const days = daysBetween(when, now);
    if (days <= 0) {
      return this._trans.__('Today');
    }
    if (days === 1) {
      return this._trans.__('Yesterday');
    }
    return (
      when.getFullYear() === now.getFullYear() ? this._day : this._dayYear
    ).format(when);
  }

  /** The time until it expires: `expires in 2 hours`. */
  expires(when: Date, now: Date): string {
    const rest = when.getTime() - now.getTime();
    const days = daysBetween(now, when);
    if (rest < MINUTE_MS) {
      return this._trans.__('expires within a minute');
    }
    const label =
      rest < HOUR_MS
        ? this._relative.format(Math.round(rest / MINUTE_MS), 'minute')
        : rest < 12 * HOUR_MS || days === 0
          ? this._relative.format(Math.round(rest / HOUR_MS), 'hour')
          : days <= 13
            ? this._relative.format(days, 'day')
            : this._year.format(when);
    return days > 13
      ? this._trans.__('expires on %1', isolate(label))
      : this._trans.__('expires %1', isolate(label));
  }

  /** The time of day. */
  time(when: Date): string {
    return this._time.format(when);
  }

  /** The date and the time. */
  exact(when: Date): string {
    return this._exact.format(when);
  }

  private _trans: TranslationBundle;
  private _days: Intl.NumberFormat;
  private _seconds: Intl.NumberFormat;
  private _minutes: Intl.NumberFormat;
  private _hours: Intl.NumberFormat;
  private _time: Intl.DateTimeFormat;
  private _date: Intl.DateTimeFormat;
  private _year: Intl.DateTimeFormat;
  private _day: Intl.DateTimeFormat;
  private _dayYear: Intl.DateTimeFormat;
  private _exact: Intl.DateTimeFormat;
  private _relative: Intl.RelativeTimeFormat;
}

/** Midnights between two times, in the user's time zone. */
function daysBetween(from: Date, to: Date): number {
  const start = new Date(
    from.getFullYear(),
    from.getMonth(),
    from.getDate()
  ).getTime();
  const end = new Date(to.getFullYear(), to.getMonth(), to.getDate()).getTime();
  // A day may have 23 or 25 hours.
  return Math.round((end - start) / DAY_MS);
}

function unit(
  name: 'second' | 'minute' | 'hour' | 'day'
): Intl.NumberFormatOptions {
  return { style: 'unit', unit: name, unitDisplay: 'short' };
}
