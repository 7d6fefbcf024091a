/**
 * The limit of a text's complexity, and the parts that are left out before it is formatted.
 */
import {
  inlineOnly,
  isBodyTooComplex,
  isSummaryTooComplex,
  plainFences
} from '../text/markdownCost';

const table = (columns: number, rows: number) =>
  `|${'a|'.repeat(columns)}\n|${'-|'.repeat(columns)}\n${'|\n'.repeat(rows)}`;

describe('A body', () => {
  it.each([
    ['a table of short rows', table(300, 1400)],
    ['a table in a quotation', table(60, 60).replace(/^/gm, '> ')],
    ['stars without an end', '*a '.repeat(10_000)],
    ['nested emphasis', '**a *b '.repeat(4000)],
    ['links without an end', '['.repeat(8000)],
    ['tags without an end', '<a '.repeat(8000)],
    ['code without an end', '`` ` '.repeat(6000)],
    ['many small lists', '-\n'.repeat(16_000)],
    ['lists in one line', '* + - a\n'.repeat(1000)],
    ['quotations in quotations', `${'>'.repeat(200)} a`],
    ['addresses', 'http://a '.repeat(3000)],
    ['styles', '<b style="color: red">a</b> '.repeat(300)],
    ['styles in lines of their own', '<b\nstyle="x">a</b>'.repeat(300)],
    ['a long style', `<b style="${'color: red;'.repeat(1500)}">a</b>`],
    ['white space', `a${' '.repeat(20_000)}b`],
    ['one sign', `http://a${'!'.repeat(20_000)}`],
    ['a word before an at sign', `${'a'.repeat(20_000)}@`],
    ['such words', `${'a.b-c'.repeat(200)}@ `.repeat(30)]
  ])('is too complex with %s', (_, source) => {
    expect(isBodyTooComplex(source)).toBe(true);
  });

  it('is not, with what users write', () => {
    const paragraph =
      'The run `r-12` of **2026** ended: see [the log](https://example.org/log), and *thanks*. ';
    expect(isBodyTooComplex(`${paragraph.repeat(4)}\n\n`.repeat(30))).toBe(
      false
    );
    expect(isBodyTooComplex(table(6, 100))).toBe(false);
    expect(isBodyTooComplex('- an item with `code`\n'.repeat(150))).toBe(false);
    expect(
      isBodyTooComplex(
        `\`\`\`python\n${'x = a[0] * b[1]\n\n'.repeat(300)}\`\`\``
      )
    ).toBe(false);
    expect(isBodyTooComplex('A long sentence of words. '.repeat(1200))).toBe(
      false
    );
  });

  it('has its diagrams as code, and many languages without colours', () => {
    expect(plainFences('```mermaid\na-->b\n```')).toBe('```\na-->b\n```');
    expect(plainFences('> ~~~ {.Mermaid}\n> a\n> ~~~')).not.toMatch(/mermaid/i);
    expect(plainFences('```js\nx\n```')).toBe('```js\nx\n```');
    expect(
      plainFences('```a\n```\n```b\n```\n```c\n```\n```d\n```\n```e\n```')
    ).toBe('```\n```\n'.repeat(5).trim());
    for (const code of ['1 ', '(a,', '> ']) {
      const many = `${code.repeat(900)}\n\`\`\``;
      expect(plainFences(`\`\`\`py\n${many}`)).toBe(`\`\`\`\n${many}`);
    }
    const some = `\`\`\`py\n${'x = a[0]\n'.repeat(60)}\`\`\``;
    expect(plainFences(some)).toBe(some);
  });
});

describe('A summary', () => {
  it.each([
    ['# a', '\\# a'],
    ['- a', '\\- a'],
    ['* a', '\\* a'],
    ['1. a', '1\\. a'],
    ['> a', '\\> a'],
    ['---', '\\---'],
    ['```', '\\`\\`\\`'],
    ['~~~', '\\~~~'],
    ['[a]: b', '\\[a]: b'],
    ['a | b\n- | -', 'a | b - | -'],
    ['a\n===', 'a ==='],
    ['    a', 'a'],
    ['*a* **b** `c` [d](e)', '*a* **b** `c` [d](e)'],
    ['~~a~~', '~~a~~'],
    ['#tag', '#tag'],
    ['-1', '-1']
  ])('%j begins no block', (source, expected) => {
    expect(inlineOnly(source)).toBe(expected);
  });

  it('is too complex sooner than a body', () => {
    expect(isSummaryTooComplex('*a '.repeat(300))).toBe(true);
    expect(isSummaryTooComplex('**a *b '.repeat(500))).toBe(true);
    expect(isSummaryTooComplex('<b style="x">a</b>'.repeat(50))).toBe(true);
    expect(isSummaryTooComplex('<b style="x">a</b>'.repeat(5))).toBe(false);
    expect(
      isSummaryTooComplex('**Run 12** is [done](https://example.org/12): `a*b`')
    ).toBe(false);
  });
});
