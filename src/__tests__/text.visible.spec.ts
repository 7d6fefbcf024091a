/**
 * Which characters are written as escapes, and which belong to what is seen.
 */
import { isBlank, visible } from '../text/visible';

describe('visible', () => {
  it.each([
    ['a\u202egnp.exe', 'a\\u202egnp.exe'],
    ['\u2066a\u2069', '\\u2066a\\u2069'],
    ['a\u200bb\u200cc', 'a\\u200bb\\u200cc'],
    ['\u3164\u2800\u034f\u00ad', '\\u3164\\u2800\\u034f\\u00ad'],
    ['a\ufe0f', 'a\\ufe0f'],
    ['a\u{e0041}\u{e0100}', 'a\\u{e0041}\\u{e0100}'],
    [
      '\u{13430}\u{1bca0}\u{1d159}\u{1d173}',
      '\\u{13430}\\u{1bca0}\\u{1d159}\\u{1d173}'
    ],
    ['a\u0007b', 'a\\u0007b']
  ])('writes %j', (text, expected) => expect(visible(text)).toBe(expected));

  it.each([
    'plain text, also of two\nlines and a\ttab',
    '👩\u200d🚀 and 👍🏽 and ❤\ufe0f',
    '👩🏽\u200d🚀 🏳\ufe0f\u200d🌈',
    '1\ufe0f\u20e3',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    'می\u200cخواهم',
    'क्\u200dष',
    'שלום עולם'
  ])('leaves %j', text => expect(visible(text)).toBe(text));

  it('keeps few marks upon a letter', () => {
    const mark = '\u0301';
    expect(visible(`a${mark.repeat(8)}b`)).toBe(`a${mark.repeat(8)}b`);
    expect(visible(`a${mark.repeat(4000)}b`)).toBe(`a${mark.repeat(8)}…b`);
    expect(visible('\u0303\u20dd'.repeat(9))).toBe(
      `${'\u0303\u20dd'.repeat(4)}…`
    );
    // Letters with a few each are those of a language.
    const words = 'ประเทศที่ שָׁלוֹם བསྒྲུབས ';
    expect(visible(words.repeat(50))).toBe(words.repeat(50));
  });

  it('tells what nobody sees', () => {
    expect(isBlank('\u3164 \u2800\u202e\u{e0041}')).toBe(true);
    expect(isBlank('\u3164a')).toBe(false);
  });
});
