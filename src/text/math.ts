/**
 * Formulas in a text of Markdown: found before it is parsed, since a parser would take their signs
 * for its own, and checked before they are drawn; no DOM.
 */

/** A formula, as it stands between its delimiters; an environment has none. */
export interface IFormula {
  tex: string;
  /** The delimiter before the formula. */
  open: Delimiter;
  /** True if the formula stands on a line of its own. */
  display: boolean;
}

/** The delimiters of formulas in JupyterLab's own Markdown cells: each beginning with its end. */
const DELIMITERS = {
  $: '$',
  $$: '$$',
  '\\\\(': '\\\\)',
  '\\\\[': '\\\\]',
  '': ''
};

type Delimiter = keyof typeof DELIMITERS;

/** The most formulas of a text that are drawn, and how long all of them may be together. */
const MOST = { formulas: 30, chars: 4000 };

/** The longest formula, and how deep its braces may nest. */
const LONGEST = 500;
const DEEPEST = 8;

/** The mark in a formula's place while a text is parsed: characters that no text should have. */
const MARK = /\ue000(\d+)\ue001/;

/** Places where no formula is looked for: addresses, tags, and the targets of links. */
const SKIPPED = /https?:\/\/\S+|<[a-z!/][^<>\n]*>|\]\([^()\n]{0,2000}\)/iy;

/** The beginning of a block of code. */
const FENCE = / {0,3}(`{3,}|~{3,})/y;

/** The text between two dollars, and between two pairs of them; a backslash escapes a sign. */
const INLINE = /^((?:\\[^]|[^\\$])+)\$/;
const DISPLAY = /^((?:\\[^]|\$(?!\$)|[^\\$])+)\$\$/;

/** A text that may have a formula. */
const MAY_BEGIN = /\$|\\\\[([]|\\begin\{/;

/** The beginning of a formula with two backslashes, and of an environment. */
const BRACKET = /\\\\([([])/y;
const ENVIRONMENT = /\\begin\{([a-z]+\*?)\}/iy;

/** A formula with blanks has at least one of these signs; without them the dollars are money. */
const SIGNS = /[\\^_{}=<>+*/|]/;

/**
 * Return a text with marks in place of its formulas, and the formulas.
 */
export function takeMath(source: string): {
  source: string;
  formulas: IFormula[];
} {
  const formulas: IFormula[] = [];
  if (!MAY_BEGIN.test(source) || /[\ue000\ue001]/.test(source)) {
    return { source, formulas };
  }
  let result = '';
  let at = 0;
  let left = MOST.chars;
  const unclosed = new Set<number>();
  while (at < source.length) {
    const begun = formulas.length < MOST.formulas ? formula(source, at) : null;
    const found = begun && begun.tex.length <= left ? begun : null;
    let end = found ? at + written(found).length : skip(source, at, unclosed);
    if (found) {
      result += `\ue000${formulas.length}\ue001`;
      formulas.push(found);
      left -= found.tex.length;
    } else {
      // If two dollars begin no formula, the second of them begins none either.
      end = Math.max(end, at + (source.startsWith('$$', at) ? 2 : 1));
      result += source.slice(at, end);
    }
    at = end;
  }
  return { source: result, formulas };
}

/**
 * Split a text with marks into the texts and formulas that it stands for.
 */
export function splitMath(
  text: string,
  formulas: readonly IFormula[]
): (string | IFormula)[] {
  if (formulas.length === 0) {
    return [text];
  }
  return text
    .split(MARK)
    .map((part, index) => (index % 2 ? (formulas[Number(part)] ?? '') : part))
    .filter(part => part !== '');
}

/**
 * Return a text with marks as it was written.
 */
export function joinMath(text: string, formulas: readonly IFormula[]): string {
  return splitMath(text, formulas)
    .map(part => (typeof part === 'string' ? part : written(part)))
    .join('');
}

/**
 * A formula as it was written.
 */
export function written({ tex, open }: IFormula): string {
  return open + tex + DELIMITERS[open];
}

/**
 * Return a formula as JupyterLab's typesetter finds it: of two backslashes Markdown removes one.
 */
export function typeset(formula: IFormula): string {
  return written(formula).replace(/^\\\\(?=[([])|\\\\(?=[)\]]$)/g, '\\');
}

/**
 * Tell if a formula may be drawn: all of its commands draw signs. Other commands could define
 * commands for all formulas of the page, make links, or draw outside the formula's place.
 */
export function isHarmless({ tex }: IFormula): boolean {
  let depth = 0;
  let deepest = 0;
  for (const brace of tex.match(/\\[^]|[{}]/g) ?? []) {
    depth += brace === '{' ? 1 : brace === '}' ? -1 : 0;
    deepest = Math.max(deepest, depth);
  }
  const names = tex.matchAll(/\\([a-zA-Z]+)\*?/g);
  const environments = tex.matchAll(/\\(?:begin|end)\s*\{([^{}]*)\}/g);
  return (
    depth === 0 &&
    deepest <= DEEPEST &&
    // No parameters and comments, and no distances between lines.
    !/[#%]|\\\\\s*\[/.test(tex) &&
    [...names].every(([, name]) => COMMANDS.has(name)) &&
    // Each `\begin` and `\end` names a known environment.
    [...environments].filter(([, name]) => ENVIRONMENTS.has(name)).length ===
      (tex.match(/\\(?:begin|end)(?![a-zA-Z])/g) ?? []).length
  );
}

/**
 * Find the end of code, an address or another place without formulas that begins here; the same
 * position if none does.
 *
 * @param unclosed - Numbers of backticks for which no end was found: each is searched for once.
 */
function skip(source: string, at: number, unclosed: Set<number>): number {
  const char = source[at];
  if (at === 0 || source[at - 1] === '\n') {
    FENCE.lastIndex = at;
    const fence = FENCE.exec(source)?.[1];
    if (fence) {
      return fenceEnd(source, at, fence);
    }
    if (char === '\t' || source.startsWith('    ', at)) {
      return lineEnd(source, at);
    }
  }
  if (char === '\\') {
    return at + 2;
  }
  if (char === '`') {
    const run = /`+/y;
    run.lastIndex = at;
    const { length } = run.exec(source)![0];
    const end = unclosed.has(length)
      ? -1
      : codeEnd(source, at + length, length);
    if (end < 0) {
      unclosed.add(length);
    }
    return end < 0 ? at + length : end;
  }
  if (char === 'h' || char === 'H' || char === '<' || char === ']') {
    SKIPPED.lastIndex = at;
    return at + (SKIPPED.exec(source)?.[0].length ?? 0);
  }
  return at;
}

function lineEnd(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end < 0 ? source.length : end + 1;
}

/** Find the end of a block of code that begins in a line. */
function fenceEnd(source: string, at: number, fence: string): number {
  for (at = lineEnd(source, at); at < source.length; at = lineEnd(source, at)) {
    const line = source.slice(at, lineEnd(source, at)).trim();
    if (line.startsWith(fence) && !line.replaceAll(fence[0], '')) {
      return lineEnd(source, at);
    }
  }
  return source.length;
}

/** Find the end of code within a line: at as many backticks as began it. */
function codeEnd(source: string, at: number, length: number): number {
  const run = /`+/g;
  run.lastIndex = at;
  for (let found = run.exec(source); found; found = run.exec(source)) {
    if (found[0].length === length) {
      return run.lastIndex;
    }
  }
  return -1;
}

/**
 * The formula that begins here.
 */
function formula(source: string, at: number): IFormula | null {
  const char = source[at];
  const found =
    char === '$'
      ? betweenDollars(source, at)
      : char === '\\'
        ? (betweenBrackets(source, at) ?? environment(source, at))
        : null;
  return found &&
    found.tex.length <= LONGEST &&
    found.tex.trim() &&
    !/\n\s*\n/.test(found.tex)
    ? found
    : null;
}

function betweenDollars(source: string, at: number): IFormula | null {
  const display = source.startsWith('$$', at);
  const begin = at + (display ? 2 : 1);
  const text = source.slice(begin, begin + LONGEST + 2);
  const tex = (display ? DISPLAY : INLINE).exec(text)?.[1];
  if (tex === undefined) {
    return null;
  }
  if (!display) {
    // $200 and $300 are money: a formula begins and ends at its dollars.
    const closes =
      !/^\s|\s$/.test(tex) && !/\d/.test(text[tex.length + 1] ?? '');
    if (!closes || (/\s/.test(tex) && !SIGNS.test(tex))) {
      return null;
    }
  }
  return { tex, display, open: display ? '$$' : '$' };
}

function betweenBrackets(source: string, at: number): IFormula | null {
  BRACKET.lastIndex = at;
  const bracket = BRACKET.exec(source)?.[1];
  if (!bracket) {
    return null;
  }
  const display = bracket === '[';
  const open = display ? '\\\\[' : '\\\\(';
  const begin = at + open.length;
  const text = source.slice(begin, begin + LONGEST + open.length);
  const end = text.indexOf(DELIMITERS[open]);
  return end < 0 ? null : { tex: text.slice(0, end), display, open };
}

function environment(source: string, at: number): IFormula | null {
  ENVIRONMENT.lastIndex = at;
  const [begin, name] = ENVIRONMENT.exec(source) ?? [];
  if (begin === undefined) {
    return null;
  }
  const text = source.slice(at, at + LONGEST);
  const end = `\\end{${name}}`;
  let depth = 0;
  for (const edge of text.matchAll(/\\(?:begin|end)\{[^{}]*\}/g)) {
    depth += edge[0] === begin ? 1 : edge[0] === end ? -1 : 0;
    if (depth === 0) {
      const tex = text.slice(0, edge.index + end.length);
      return { tex, display: true, open: '' };
    }
  }
  return null;
}

/** The environments that may be drawn. */
const ENVIRONMENTS = new Set(
  (
    'align align* aligned alignat alignat* alignedat array bmatrix Bmatrix cases eqnarray ' +
    'eqnarray* equation equation* gather gather* gathered matrix multline multline* pmatrix ' +
    'smallmatrix split vmatrix Vmatrix'
  ).split(' ')
);

/** The commands that may be drawn. */
const COMMANDS = new Set(
  // Letters
  (
    'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda ' +
    'mu nu xi omicron pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega ' +
    'Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega aleph beth ell hbar imath jmath ' +
    'Re Im wp partial nabla infty emptyset varnothing forall exists nexists neg lnot top bot ' +
    'angle triangle prime degree ' +
    // Functions and large signs
    'arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf ' +
    'limsup ln log max min Pr sec sin sinh sup tan tanh operatorname sum prod coprod int iint ' +
    'iiint oint bigcap bigcup bigoplus bigotimes bigvee bigwedge limits nolimits bmod pmod mod ' +
    // Operators and relations
    'pm mp times div cdot ast star circ bullet cap cup setminus oplus ominus otimes odot wedge vee ' +
    'land lor dagger le leq leqslant ge geq geqslant ne neq equiv sim simeq approx cong propto ll ' +
    'gg prec succ subset subseteq subsetneq supset supseteq in notin ni mid nmid parallel perp ' +
    'models vdash not lt gt doteq asymp lesssim gtrsim ' +
    // Arrows
    'to gets leftarrow rightarrow leftrightarrow Leftarrow Rightarrow Leftrightarrow ' +
    'longleftarrow longrightarrow Longleftarrow Longrightarrow longleftrightarrow mapsto ' +
    'longmapsto uparrow downarrow updownarrow hookrightarrow rightharpoonup iff implies ' +
    'xrightarrow xleftarrow ' +
    // Signs that are put together
    'frac dfrac tfrac cfrac binom dbinom tbinom sqrt overline underline overbrace underbrace ' +
    'overset underset stackrel substack hat widehat bar tilde widetilde vec dot ddot acute grave ' +
    'breve check overrightarrow overleftarrow boxed begin end left right middle big Big bigg Bigg ' +
    'bigl bigr Bigl Bigr biggl biggr Biggl Biggr langle rangle lceil rceil lfloor rfloor lvert ' +
    'rvert lVert rVert vert Vert lbrace rbrace lbrack rbrack backslash ' +
    // Fonts and distances
    'mathbb mathbf mathcal mathfrak mathit mathrm mathscr mathsf mathtt boldsymbol text textbf ' +
    'textit textrm textsf texttt rm bf it cal displaystyle textstyle scriptstyle quad qquad dots ' +
    'cdots ldots vdots ddots dotsb dotsc notag nonumber'
  ).split(' ')
);
