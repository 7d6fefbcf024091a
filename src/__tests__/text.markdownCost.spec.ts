/**
 * The limit of a text's complexity, and the parts that are left out before it is formatted.
 */
import {
  inlineOnly,
  isBodyTooComplex,
  isSummaryTooComplex,
  isTooDeep,
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
    ['such words', `${'a.b-c'.repeat(200)}@ `.repeat(30)],
    ['letters from right to left and back', '\u05d0a'.repeat(8000)],
    ['such words', 'a\u0645 '.repeat(6000)],
    ['such letters and numbers', '\u05d01'.repeat(8000)],
    ['letters of other scripts', '\u0e01a'.repeat(6000)],
    ['letters of many scripts', '\u05d0\u0905\u0e01'.repeat(3000)],
    ['letters of neighbours in Unicode', '\u0905\u0985'.repeat(4000)],
    ['brackets among such letters', '(\u05d0)'.repeat(5000)],
    ['escapes of what is hidden among them', '\u05d0\u200b'.repeat(5000)],
    ['private characters among them', '\u05d0\ue100'.repeat(5000)],
    ['breaks without a line', '<br>'.repeat(2000)],
    ['letters beyond U+FFFF', '\u{1e900}a'.repeat(5000)]
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

  it('may be in any language, with the numbers and foreign words that it has', () => {
    for (const sentence of [
      'הריצה הסתיימה אחרי 12 שעות (ראו Grafana), והתוצאה טובה מאוד. ',
      'انتهى التدريب بعد 12 ساعة، والنتيجة في ملف train.log على الخادم. ',
      'گزارش پیشرفت: چهار مرحله از ۱۲ مرحله با GPU انجام شد. ',
      'प्रशिक्षण 12 घंटे में पूरा हुआ, फ़ाइल train.log देखें। ',
      'การฝึกเสร็จสิ้นใน 12 ชั่วโมง ดูไฟล์ train.log ',
      'モデルの学習が12時間で終わりました。ログ(train.log)を見てください。',
      'ስልጠናው በ12 ሰዓት ተጠናቀቀ፤ train.log ይመልከቱ። ',
      'Обучение завершено за 12 часов, см. train.log. '
    ]) {
      expect(isBodyTooComplex(`${sentence.repeat(5)}\n\n`.repeat(20))).toBe(
        false
      );
    }
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
    const line = `${'a'.repeat(3000)}\n\`\`\``;
    expect(plainFences(`\`\`\`yaml\n${line}`)).toBe(`\`\`\`\n${line}`);
    const some = `\`\`\`py\n${'x = a[0]\n'.repeat(60)}\`\`\``;
    expect(plainFences(some)).toBe(some);
    // Before the code a line may be as long as it likes.
    const after = `${'word '.repeat(300)}\n\n${some}`;
    expect(plainFences(after)).toBe(after);
  });
});

describe('HTML', () => {
  it('is too deep if elements are nested a hundred times', () => {
    expect(isTooDeep('<details><summary>'.repeat(50))).toBe(true);
    expect(isTooDeep('<b>a</b><br /><img src="a" />'.repeat(200))).toBe(false);
    expect(
      isTooDeep('<ul><li>'.repeat(24) + '<p><b>a</b></p>' + '</li></ul>')
    ).toBe(false);
    expect(isTooDeep('</b><i></i>'.repeat(200))).toBe(false);
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
