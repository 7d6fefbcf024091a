/**
 * Letters that repeat thousands of times, which the browser takes long to draw.
 */
import { fewRepeats } from '../text/repeats';

describe('fewRepeats', () => {
  it.each(['\u0e33', 'กำ', '\u0995\u09cb', 'ﷺ', 'ಊ', 'कि\u094d', 'நிலவொளி'])(
    'shows few of %j',
    unit => {
      const text = `before ${unit.repeat(4000)} after`;
      expect(fewRepeats(text)).toBe(`before ${unit.repeat(32)}… after`);
    }
  );

  it.each([
    'a'.repeat(4000),
    '━'.repeat(200),
    '█▒'.repeat(200),
    'ประเทศที่สวยงาม '.repeat(50),
    '中文'.repeat(39),
    '1234567890'.repeat(400),
    '😀'.repeat(100)
  ])('leaves %j', text => expect(fewRepeats(text)).toBe(text));
});
