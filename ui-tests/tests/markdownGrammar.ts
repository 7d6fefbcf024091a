/**
 * A grammar of Markdown's constructs, and the texts that it generates: repeated, nested, mixed.
 */

/** Pieces of every construct, whole and half. */
const PIECES = [
  ...['*a ', '**a *b ', '_a ', '__a _b ', '~~a ', '`', '`` ` ', '***a', '*_a'],
  ...['[', '[a](', '[a][b] ', '[a]: b\n', '![', '![a](b ', '[a](b)', '[^1]'],
  ...['<a ', '<b>', '</b>', '<!--', '<a href="', '<div>\n', '<table><tr><td>'],
  ...['&amp;', '&#x202e;', '\\', '\\*', '|', '|\n', '| a ', 'a|b\n-|-\n'],
  ...['- ', '- a\n', '-\n', '1. a\n', '> ', '>', '> a\n', '# a\n', '* + - '],
  ...[
    'a\n===\n',
    '---\n',
    '```\n',
    '```js\nx\n```\n',
    '```mermaid\ngraph TD\nA-->B\n```\n'
  ],
  ...[
    '    a\n',
    '\ta\n',
    'a  \n',
    '\n',
    'a\n',
    'a\\\n',
    '- [ ] a\n',
    '  - a\n'
  ],
  ...['http://a ', 'www.a.', 'a@b ', '!', "!'a", '((a', '$x$ ', '$$', 'a', ' '],
  ...['\\\\(', '\\\\)', '\\\\(x\\\\) ', '\\\\[', '\\\\]', '\\\\[x\\\\]\n'],
  ...['\\begin{align}', '\\end{align}', '\\begin{align}x\\end{align}\n']
];

/** The most expensive formulas that may be drawn; footnotes. */
const FORMULAS = [
  '$\\sqrt{\\frac{x}{y}}$ ',
  `$${'\\sqrt{x}'.repeat(60)}$ `,
  `$${'\\sqrt{'.repeat(8)}x${'}'.repeat(8)}$ `,
  `$$\\begin{matrix}${'a&'.repeat(200)}\\end{matrix}$$\n\n`,
  `$$${'\\binom{a}{b}'.repeat(40)}$$\n\n`,
  `$${'x_'.repeat(200)}$ `,
  `\\\\(${'\\sqrt{x}'.repeat(60)}\\\\) `,
  `\\\\[${'\\binom{a}{b}'.repeat(40)}\\\\]\n\n`,
  `\\begin{align}${'a&'.repeat(230)}\\end{align}\n\n`,
  `\\begin{align*}${'a&b\\\\'.repeat(90)}\\end{align*}\n\n`,
  `\\begin{gather}${'\\begin{matrix}a&b\\end{matrix}'.repeat(15)}\\end{gather}\n\n`,
  'a[^1]\n\n[^1]: b [^1]\n'
];

/**
 * Pieces of text that cost much to lay out: marks upon a letter, signs that are joined, other
 * directions, characters that are written as escapes, and elements of HTML.
 */
const DEAR = [
  ...[
    '\u0301',
    'a\u0301',
    '\u200d',
    '\u05d0\u05d1 ',
    '\u0627\u0644 ',
    '\u000c',
    // Letters that move closer to each other, in one word.
    'A',
    'AV',
    // Letters that join: a word of them is shaped in one piece.
    '\u0e33',
    '\u0e01\u0e33',
    '\u0ba8\u0bbf\u0bb2\u0bb5\u0bca\u0bb3\u0bbf'
  ],
  // Letters and signs that run in one direction and then in the other, and letters of scripts that
  // are written as if by hand.
  ...[
    '\u05d0a',
    '\u05d01 ',
    '(\u05d0)',
    '\u05d0\u200b',
    '\u0e01a',
    '\u05d0\ue100'
  ],
  ...['\u0645', '\u0640', '\u07ca', '\u0e33\u00a0', '\u0e33.'],
  ...['<br>', '<details><summary>'],
  ...['\u202e', '<span style="x">a</span>', '<img src=a.png>', '<b>a</b>']
];

/** Texts that ask for much at one place: a word, the cells of a table, the words of some code. */
const WHOLE = [
  `${'a'.repeat(30_000)}@`,
  `<table>${'<tr><td colspan=1000 rowspan=1000>x</td></tr>'.repeat(100)}</table>`,
  ...['1 ', '(a,', '> ', '{['].map(
    unit => `\`\`\`md\n${unit.repeat(2600)}\n\`\`\``
  )
];

/** The longest body, and the longest summary. */
const LENGTHS = [32_000, 4000];

/** Number of texts that are made of several pieces. */
const MIXED = 90;

/**
 * Some three hundred texts, the same at every run.
 */
export function hostileTexts(): string[] {
  const texts = [
    // The table is as wide as its head, however short its rows are.
    ...[30, 300, 1000, 2000].map(table),
    ...WHOLE,
    ...PIECES.map(piece => fill(piece, LENGTHS[0])),
    ...DEAR.map(piece => fill(piece, LENGTHS[0])),
    ...FORMULAS.map(piece => fill(piece, LENGTHS[1]))
  ];
  const random = generator(20_261_128);
  for (let index = 0; index < MIXED; index++) {
    const unit = Array.from(
      { length: 2 + random(3) },
      () => PIECES[random(PIECES.length)]
    ).join('');
    texts.push(fill(unit, LENGTHS[index % LENGTHS.length]));
    // Just below a bound costs the most.
    texts.push(fill(unit, 200 + random(3000)));
  }
  return texts;
}

function table(columns: number): string {
  const row = (cell: string) => `|${`${cell}|`.repeat(columns)}\n`;
  return (row('a') + row('-') + '|\n'.repeat(LENGTHS[0])).slice(0, LENGTHS[0]);
}

function fill(unit: string, length: number): string {
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
}

/** Numbers that are the same at every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}
