/**
 * The beginning of a longer text that a closed message shows.
 */
import { previewOf } from '../text/preview';

describe('A preview', () => {
  const cases: [string, string, string][] = [
    ['paragraphs', 'One **bold**\n\nTwo `code`', 'One bold Two code'],
    [
      'a heading and a list',
      '# Why\n- disk\n- [x] quota\n1. net',
      'Why disk quota net'
    ],
    ['a table', '| a | b |\n| --- | :-: |\n| 1 | `2` |', 'a b 1 2'],
    ['code', '```python\nimport this\n```\n', 'import this'],
    ['a link', 'See [the log](https://example.org/x) now', 'See the log now'],
    ['a link that is cut', 'See [the log](https://exam', 'See'],
    ['an image that is cut', '![Loss](data:image/png;base64,iVBOR', ''],
    ['footnotes', 'One[^1], two[^a].\n\n[^1]: Why', 'One, two. Why'],
    ['nothing but a ruler', '---\n', '']
  ];
  it.each(cases)('of %s is one line of its words', (_, body, expected) => {
    expect(previewOf(body)).toBe(expected);
  });
});
