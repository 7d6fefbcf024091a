/**
 * Snoozing from the center: what may be snoozed, until when, and how it is undone.
 */
import { nullTranslator } from '@jupyterlab/translation';

import { canSnooze, snoozeEntries } from '../center/snooze';
import { UndoManager } from '../components/undo';
import { isInInbox, isSnoozed, isUnread } from '../state';
import { row } from './rows';

const trans = nullTranslator.load('');
const UNTIL = '2030-01-02T09:00:00.000Z';

describe('Snoozing', () => {
  it('is for the inbox and for what is snoozed, unless it must stay in sight', () => {
    expect(canSnooze(row('a', 1))).toBe(true);
    expect(canSnooze(row('a', 1, { snoozedUntil: UNTIL }))).toBe(true);
    expect(canSnooze(row('a', 1, { dismissable: false }))).toBe(false);
    expect(canSnooze(row('a', 1, { dismissed: UNTIL }))).toBe(false);
    expect(canSnooze(row('a', 1, { expired: UNTIL }))).toBe(false);
  });

  it('takes a row out of the inbox and of what is unread', () => {
    const snoozed = row('a', 1, { snoozedUntil: UNTIL });
    expect(isSnoozed(snoozed)).toBe(true);
    expect(isInInbox(snoozed)).toBe(false);
    expect(isUnread(snoozed)).toBe(false);
  });

  it.each([
    // A Saturday, a Sunday, a Monday, and a Friday shortly before midnight.
    ['2026-11-28T22:30:00', '2026-11-29T09:00:00', '2026-11-30T09:00:00'],
    ['2026-11-29T08:00:00', '2026-11-30T09:00:00', '2026-11-30T09:00:00'],
    ['2026-11-30T08:00:00', '2026-12-01T09:00:00', '2026-12-07T09:00:00'],
    ['2026-12-04T23:59:59', '2026-12-05T09:00:00', '2026-12-07T09:00:00']
  ])('at %s ends at nine in the user’s time', (now, tomorrow, week) => {
    const until: Date[] = [];
    const entries = snoozeEntries(trans, Date.parse(now), date =>
      until.push(date)
    );
    entries.forEach(entry => void entry.execute());
    expect(until.map(date => date.getTime())).toEqual([
      Date.parse(now) + 3_600_000,
      Date.parse(tomorrow),
      Date.parse(week)
    ]);
    expect(entries.map(({ label }) => label)).toEqual([
      'Snooze for an Hour',
      expect.stringMatching(/^Snooze until Tomorrow, 9:00.AM$/),
      expect.stringMatching(/^Snooze until Next Week, Mon.* 9:00.AM$/)
    ]);
  });

  it('is undone to the inbox, or to the time of before', async () => {
    const change = jest.fn(async () => ({
      changed: 1,
      seqs: [5, 5] as [number, number],
      cursor: 'e:5'
    }));
    const undo = new UndoManager({
      model: { change, changeQuiet: jest.fn() },
      trans,
      format: String,
      began: jest.fn(),
      failed: jest.fn(),
      restored: jest.fn()
    });
    const until = new Date('2030-01-05T09:00:00Z');
    await undo.snooze([row('a', 1)], until);
    expect(change).toHaveBeenLastCalledWith(
      { ids: ['a'] },
      { snoozedUntil: until.toISOString() }
    );
    expect(undo.last?.label).toMatch(/^Snoozed until .*: “/);
    await undo.undo();
    expect(change).toHaveBeenLastCalledWith(
      { ids: ['a'] },
      { snoozedUntil: false }
    );
    await undo.snooze([row('b', 1, { snoozedUntil: UNTIL })], null);
    expect(change).toHaveBeenLastCalledWith(
      { ids: ['b'] },
      { snoozedUntil: false }
    );
    await undo.undo();
    expect(change).toHaveBeenLastCalledWith(
      { ids: ['b'] },
      { snoozedUntil: UNTIL }
    );
    // Of several rows each gets its own time back.
    const times = [UNTIL, null, '2030-02-01T09:00:00Z', UNTIL];
    await undo.snooze(
      times.map((snoozedUntil, index) => row(`${index}`, 1, { snoozedUntil })),
      until
    );
    change.mockClear();
    await undo.undo();
    expect(change.mock.calls).toEqual([
      [{ ids: ['0', '3'] }, { snoozedUntil: UNTIL }],
      [{ ids: ['1'] }, { snoozedUntil: false }],
      [{ ids: ['2'] }, { snoozedUntil: times[2] }]
    ]);
    undo.dispose();
  });
});
