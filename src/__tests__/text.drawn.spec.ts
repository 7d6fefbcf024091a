/**
 * Runs of letters that the browser takes long to draw.
 */
import { drawn } from '../text/drawn';

describe('drawn', () => {
  it.each(['\u0e33', 'กำ', '\u0995\u09cb', 'ﷺ', 'ಊ', 'कि\u094d', 'நிலவொளி'])(
    'gives a long run of %j places to break, and shows all of it',
    unit => {
      const text = `before ${unit.repeat(1000)} after`;
      const runs = drawn(text).split(/[\u200a\u200b]/);
      expect(runs.join('')).toBe(text);
      expect(runs.length).toBeGreaterThan(unit.length);
      for (const run of runs) {
        expect(run.length).toBeLessThan(220);
        // No mark is taken from its letter.
        expect(run).not.toMatch(/^\p{M}/u);
      }
    }
  );

  it.each([
    '\u05d0(',
    '\u0e33.',
    'ก1',
    '\u0645a',
    'நிலவொளி_',
    '\u0e33\u0e33😀'
  ])('does so too if others stand between: %j', unit => {
    const text = unit.repeat(1000);
    const runs = drawn(text).split(/[\u200a\u200b]/);
    expect(runs.join('')).toBe(text);
    for (const run of runs) {
      expect(run.length).toBeLessThan(220);
      expect(run).not.toMatch(/^\p{M}/u);
    }
  });

  it('ends letters there that would else join across the place', () => {
    const text = '\u0645'.repeat(1000);
    const runs = drawn(text).split('\u200a');
    expect(runs).toEqual(Array(5).fill('\u0645'.repeat(200)));
  });

  it('sees no place to break at a blank that is none', () =>
    expect(drawn('\u0e33\u00a0'.repeat(300))).toContain('\u200b'));

  it.each([
    `https://example.org/${'straße-'.repeat(100)}`,
    `https://пример.рф/${'слово/'.repeat(100)}`,
    'a'.repeat(4000),
    '━'.repeat(400),
    '█▒'.repeat(400),
    'ประเทศที่สวยงาม '.repeat(50),
    '中文'.repeat(99),
    '1234567890'.repeat(400),
    '😀'.repeat(400)
  ])('leaves %j', text => expect(drawn(text)).toBe(text));

  it('shows what is hidden in such a run, and a place to break of the sender’s', () =>
    expect(drawn('ก\u200b\u202eข')).toBe('ก\\u200b\\u202eข'));
});
