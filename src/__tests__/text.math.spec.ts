/**
 * The formulas of a text, and those of them that may be drawn.
 */
import { splitFootnotes, takeFootnotes } from '../text/footnotes';
import {
  isHarmless,
  joinMath,
  splitMath,
  takeMath,
  typeset
} from '../text/math';

/** The formulas of a text. */
function formulas(source: string): string[] {
  return takeMath(source).formulas.map(({ tex, display }) =>
    display ? `[${tex}]` : tex
  );
}

describe('A formula', () => {
  it.each([
    ['so $x^2$ is', ['x^2']],
    ['$a$, $b$ and $\\alpha_1 + 2$.', ['a', 'b', '\\alpha_1 + 2']],
    ['$$\n\\int_0^1 x\\,dx\n$$', ['[\n\\int_0^1 x\\,dx\n]']],
    ['| $|x|$ | 1 |', ['|x|']],
    ['costs \\$5, $x$', ['x']],
    ['$x$', ['x']],
    ['$2x$ of $3$', ['2x', '3']],
    // A formula has dollars of its own only if they are escaped.
    ['$\\text{\\$5}$', ['\\text{\\$5}']],
    // As in JupyterLab: with two backslashes, of which Markdown removes one.
    ['so \\\\( x^2 \\\\) is', [' x^2 ']],
    ['\\\\[\na \\\\\nb\n\\\\]', ['[\na \\\\\nb\n]']],
    [
      'a\n\\begin{align*}\na &= b\n\\end{align*}\nb',
      ['[\\begin{align*}\na &= b\n\\end{align*}]']
    ],
    [
      '\\begin{matrix}\\begin{matrix}a\\end{matrix}\\end{matrix} b',
      ['[\\begin{matrix}\\begin{matrix}a\\end{matrix}\\end{matrix}]']
    ]
  ])('is found in %j', (source, found) => {
    expect(formulas(source)).toEqual(found);
  });

  it.each([
    '$200 and $300',
    'from $5 to 10$ each',
    '$5/$6',
    '$ x$ and $x $',
    '`$x$` and ``a ` $x$``',
    '```\n$x$\n```\n',
    '~~~\n$x$\n~~~',
    '    $x$',
    '[a](https://a.example/$x$)',
    'https://a.example/$x$/y',
    '<a title="$x$">a</a>',
    '\\$x$',
    '$x\n\ny$',
    '$$ $$',
    '$$',
    `$${'x'.repeat(501)}$`,
    // One backslash only escapes a sign of Markdown.
    '\\(x\\) and \\[x\\]',
    'C:\\\\(x86) and D:\\\\[x]',
    '\\\\(x\n\ny\\\\)',
    '\\\\(\\\\)',
    '`\\\\(x\\\\)` and `\\begin{align}x\\end{align}`',
    '```\n\\\\[x\\\\]\n\\begin{align}\nx\n\\end{align}\n```\n',
    '    \\begin{align}x\\end{align}',
    '\\begin{align}x\\end{gather}',
    '\\begin{align}',
    `\\\\(${'x'.repeat(501)}\\\\)`,
    `\\begin{align}${'x'.repeat(501)}\\end{align}`,
    // A text with our own marks in it has no formulas: they could be mixed up.
    '\ue0000\ue001 $x$'
  ])('is none in %j', source => {
    expect(formulas(source)).toEqual([]);
    expect(takeMath(source).source).toBe(source);
  });

  it('is found again where the text was parsed, or stays as it was written', () => {
    const source =
      'a $x_1$ b $$y$$ c \\\\(z\\\\) d \\begin{align}u\\end{align}';
    const { source: marked, formulas } = takeMath(source);
    expect(marked).not.toMatch(/[$\\]/);
    const parts = splitMath(marked, formulas);
    expect(parts).toEqual([
      'a ',
      { tex: 'x_1', display: false, open: '$' },
      ' b ',
      { tex: 'y', display: true, open: '$$' },
      ' c ',
      { tex: 'z', display: false, open: '\\\\(' },
      ' d ',
      { tex: '\\begin{align}u\\end{align}', display: true, open: '' }
    ]);
    expect(
      parts.map(part => (typeof part === 'string' ? part : typeset(part)))
    ).toEqual(
      'a |$x_1$| b |$$y$$| c |\\(z\\)| d |\\begin{align}u\\end{align}'.split(
        '|'
      )
    );
    expect(joinMath(marked, formulas)).toBe(source);
    // A mark that stands for no formula becomes nothing.
    expect(splitMath('\ue0009\ue001', formulas)).toEqual([]);
  });

  it('is one of at most thirty, which are not long together', () => {
    expect(formulas('$x$ '.repeat(40))).toHaveLength(30);
    expect(formulas(`$${'x'.repeat(450)}$ `.repeat(20))).toHaveLength(8);
  });

  it.each([
    '$'.repeat(32768),
    '`$'.repeat(16384),
    '$x '.repeat(10000),
    ']('.repeat(16384),
    '`'.repeat(5) + '``'.repeat(9999) + '$',
    '\\\\('.repeat(10_000),
    '\\begin{align}'.repeat(2500),
    '\\begin{a}{'.repeat(3000)
  ])('is looked for in a moment', source => {
    const began = process.cpuUsage();
    takeMath(source);
    expect(process.cpuUsage(began).user).toBeLessThan(1_000_000);
  });
});

describe('A formula may be drawn', () => {
  it.each([
    'x^2',
    '\\frac{1}{2}\\,\\sqrt{x}',
    '\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}',
    '\\left\\{ x \\right\\}',
    '\\mathbb{R}^n \\to \\mathbb{R}',
    '\\begin{align*} a &= b \\notag \\\\ &= c \\end{align*}'
  ])('if all of its commands draw signs: %s', tex => {
    expect(isHarmless({ tex, display: false, open: '$' })).toBe(true);
  });

  it.each([
    // These would hold for every formula of the page.
    '\\def\\frac#1{x}',
    '\\newcommand{\\frac}{x}',
    '\\let\\frac\\sqrt',
    '\\require{html}',
    '\\\\\\def\\a{x}',
    // These make links, or cover other parts of the page.
    '\\href{javascript:alert(1)}{x}',
    '\\class{jp-Dialog}{x}',
    '\\cssId{main}{x}',
    '\\style{position:fixed}{x}',
    '\\unicode{x202e}',
    '\\rule{9999em}{9999em}',
    '\\hspace{-99em}x',
    '\\raise 99em x',
    'a \\\\[9999em] b',
    'a \\\\ [9999em] b',
    '\\begin{CD} a \\end{CD}',
    '\\begin{align} a \\label{b} \\end{align}',
    '\\begin{align} a \\tag{b} \\end{align}',
    '\\begin a',
    // These cost more than they show.
    `${'{'.repeat(9)}x${'}'.repeat(9)}`,
    '{x',
    'x}'
  ])('but not with others: %s', tex => {
    expect(isHarmless({ tex, display: false, open: '$' })).toBe(false);
  });
});

describe('Footnotes', () => {
  it('become a list at the end, in the order of the text', () => {
    const { source, notes } = takeFootnotes(
      'One[^b], two[^a].\n\n[^a]: The *first*\n    goes on\n[^b]: The second\n\nEnd'
    );
    expect(notes).toEqual(['b', 'a']);
    expect(source).toBe(
      'One[^b], two[^a].\n\n\nEnd\n\n---\n\n1. The second\n2. The *first* goes on\n'
    );
    expect(splitFootnotes('One[^b], two[^a], [^c].', notes)).toEqual([
      'One',
      1,
      ', two',
      2,
      ', ',
      '[^c]',
      '.'
    ]);
  });

  it.each([
    'Nothing to it',
    'None told[^1]',
    '[^1]: None asked for',
    '```\n[^1]\n[^1]: In code\n```',
    'An end[^1]\n\n[^1]: in code\n\n```\nthat is open'
  ])('are none in %j', source => {
    expect(takeFootnotes(source)).toEqual({ source, notes: [] });
  });
});
