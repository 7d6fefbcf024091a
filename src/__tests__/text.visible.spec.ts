/**
 * Characters that are written as escapes, and those that belong to what is seen.
 */
import { isBlank, visible } from '../text/visible';

describe('visible', () => {
  it.each([
    ['a\u202egnp.exe', 'a\\u202egnp.exe'],
    ['\u2066a\u2069', '\\u2066a\\u2069'],
    ['a\u200bb\u200cc', 'a\\u200bb\\u200cc'],
    ['\u3164\u2800\u034f\u00ad', '\\u3164\\u2800\\u034f\\u00ad'],
    ['a\ufe0f', 'a\\ufe0f'],
    // Variation selectors are invisible at a number that is no keycap.
    ['v1\ufe0f.0\ufe0e', 'v1\\ufe0f.0\\ufe0e'],
    ['#\ufe0f1', '#\\ufe0f1'],
    // Joiners with nothing to join.
    ['\u0645\u200ca', '\u0645\\u200ca'],
    ['\u0ba4\u200c\u0bae', '\u0ba4\\u200c\u0bae'],
    ['\u0e20\u200ba', '\u0e20\\u200ba'],
    // Variants that the character does not have, and a second selector.
    ['a\ufe00+\ufe00', 'a\\ufe00+\\ufe00'],
    ['葛\u{e0100}\u{e0101}', '葛\\u{e0100}\\u{e0101}'],
    ['∩\ufe01', '∩\\ufe01'],
    ['a\u{e0041}\u{e0100}', 'a\\u{e0041}\\u{e0100}'],
    [
      '\u{13430}\u{1bca0}\u{1d159}\u{1d173}',
      '\\u{13430}\\u{1bca0}\\u{1d159}\\u{1d173}'
    ],
    ['a\u0007b', 'a\\u0007b'],
    ['a\ufffcb', 'a\\ufffcb']
  ])('writes %j', (text, expected) => expect(visible(text)).toBe(expected));

  it.each([
    'plain text, also of two\nlines and a\ttab',
    '👩\u200d🚀 and 👍🏽 and ❤\ufe0f',
    '👩🏽\u200d🚀 🏳\ufe0f\u200d🌈',
    '1\ufe0f\u20e3',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    'می\u200cخواهم',
    '✌🏽\ufe0f',
    'क्\u200dष',
    // At the end of a word, before the sign that joins, and between words without a blank.
    'അവന്\u200d.',
    'র\u200d্যাব',
    'ภาษา\u200bไทย ភាសា\u200bខ្មែរ',
    'שלום עולם',
    // Variants that Unicode lists.
    '葛\u{e0100}城 辻\u{e0101} 侮\ufe00',
    '∩\ufe00 。\ufe01 ᠠ\u180b'
  ])('leaves %j', text => expect(visible(text)).toBe(text));

  it('hides nothing that Unicode calls a format character or ignorable, but the signs of numbers', () => {
    // Unicode's Prepended_Concatenation_Mark, which patterns cannot name.
    const signs =
      /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]/u;
    const hidden = /[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u;
    const wrong: string[] = [];
    for (let code = 0; code <= 0x10ffff; code++) {
      const character = String.fromCodePoint(code);
      if (hidden.test(character)) {
        const shown = visible(`x${character}x`) === `x${character}x`;
        if (shown !== signs.test(character)) {
          wrong.push(code.toString(16));
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('keeps few marks upon a letter', () => {
    const mark = '\u0301';
    expect(visible(`a${mark.repeat(8)}b`)).toBe(`a${mark.repeat(8)}b`);
    expect(visible(`a${mark.repeat(4000)}b`)).toBe(`a${mark.repeat(8)}…b`);
    expect(visible('\u0303\u20dd'.repeat(9))).toBe(
      `${'\u0303\u20dd'.repeat(4)}…`
    );
    // A joiner does not begin a new letter.
    for (const [letter, joined] of [
      ['\u0645', '\u0615\u200d'],
      ['\u0712', '\u0730\u200c'],
      ['\u0915', '\u094d\u200d']
    ]) {
      const shown = visible(`${letter}${joined.repeat(4000)}b`);
      expect(shown.match(/\p{M}/gu)).toHaveLength(8);
      expect(shown.endsWith('…b')).toBe(true);
    }
    // Letters with a few marks each are those of a language.
    const words = 'ประเทศที่ שָׁלוֹם བསྒྲུབས ';
    expect(visible(words.repeat(50))).toBe(words.repeat(50));
  });

  it('tells what nobody sees', () => {
    expect(isBlank('\u3164 \u2800\u202e\u{e0041}')).toBe(true);
    expect(isBlank('\u3164a')).toBe(false);
  });
});
