import { Announcer } from '../banner/announcer';
import { banners, interrupts } from '../banner/order';
import { row } from './rows';

const ids = (rows: { id: string }[]) => rows.map(each => each.id);

describe('the banner', () => {
  it('has the most severe first, and of equals the newest', () => {
    const rows = [
      row('info', 1, { banner: true }),
      row('old error', 2, { banner: true, type: 'error' }),
      row('none', 3, { type: 'error' }),
      row('warning', 4, { banner: true, type: 'warning' }),
      row('new error', 5, { banner: true, type: 'error' }),
      row('default', 6, { banner: true, type: 'default' })
    ];
    expect(ids(banners(rows))).toEqual([
      'new error',
      'old error',
      'warning',
      'info',
      'default'
    ]);
  });

  it('keeps what was read, and not what was dismissed', () => {
    const time = '2026-01-01T00:00:00.000Z';
    const rows = [
      row('read', 1, { banner: true, read: time }),
      row('dismissed', 2, { banner: true, dismissed: time })
    ];
    expect(ids(banners(rows))).toEqual(['read']);
  });

  it('interrupts a screen reader for what is severe only', () => {
    expect(interrupts('error')).toBe(true);
    expect(interrupts('warning')).toBe(true);
    expect(interrupts('info')).toBe(false);
    expect(interrupts('success')).toBe(false);
  });
});

describe('what a screen reader hears of the banner', () => {
  it('is each message once, and again when it asks for attention again', () => {
    const announcer = new Announcer();
    const first = row('a', 1, { banner: true });
    expect(announcer.take([first])).toEqual([first]);
    expect(announcer.take([first])).toEqual([]);
    const quietly = { ...first, seq: 2, message: 'changed' };
    expect(announcer.take([quietly])).toEqual([]);
    const again = { ...first, seq: 3, position: 3 };
    expect(announcer.take([again])).toEqual([again]);
  });

  it('is nothing that a toast says at the same time', () => {
    const announcer = new Announcer();
    const toasted = row('toasted', 1, { banner: true, autoClose: false });
    const quiet = row('quiet', 2, { banner: true, autoClose: 0 });
    announcer.hear({
      type: 'changes',
      notifications: [toasted, quiet],
      announced: ['toasted', 'quiet']
    });
    expect(announcer.take([toasted, quiet])).toEqual([quiet]);
  });

  it('is what an earlier page announced, since no toast says it now', () => {
    const announcer = new Announcer();
    const kept = row('kept', 1, { banner: true, autoClose: false });
    announcer.hear({ type: 'snapshot', notifications: [kept], announced: [] });
    expect(announcer.take([kept])).toEqual([kept]);
  });
});
