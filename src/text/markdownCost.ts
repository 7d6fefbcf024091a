/**
 * The cost of formatting a text of Markdown, estimated before it is parsed; no DOM.
 *
 * Parsers of Markdown take time that grows with the square of some texts, and a few bytes can ask
 * for a table of a million cells. Each scan here is linear, and errs on the side of too much.
 */
import { scriptChanges } from './scripts';
import { visible } from './visible';

/**
 * The cost of a text.
 */
export interface IMarkdownCost {
  /** Steps of the parser whose number grows faster than the text's length. */
  work: number;
  /** Number of elements that the page would get, roughly. */
  nodes: number;
  /** The depth of nested quotations and lists. */
  depth: number;
}

/**
 * The most that a body may cost: some 100 ms, most of it for the elements.
 */
const BODY: IMarkdownCost = { work: 1_600_000, nodes: 1200, depth: 24 };

/**
 * The most that a summary may cost.
 */
const SUMMARY: IMarkdownCost = { work: 150_000, nodes: 200, depth: 1 };

/**
 * The most elements within each other: Chromium takes seconds for a few hundred nested `details`.
 * Quotations and lists of the depth above, and what is in them, are fewer.
 */
const DEEPEST = 80;

/** Tags of elements that have an end, and their ends, in HTML as the sanitizer writes it. */
const NESTED = /<(\/?)(?!br\b|hr\b|img\b|input\b|wbr\b)[a-z][^<>]*>/g;

/** Signs that begin or end something within a line, or are tried as such. */
const MARKS = /[*_~`[\]|!&\\]|<(?![^<>]*>)|:\/\/|www\.|@/g;

/** A tag of HTML, which is taken whole. */
const TAG = /<[^<>]*>/g;

/** An element without an end, which is one tag. */
const VOID = /<(?:br|hr|wbr|img|input)\b[^<>]*>/gi;

/** A tag with a `style` attribute, of which each declaration is parsed by itself. */
const STYLED = /\sstyle\s*=/i;

/** The cost of such a tag, in elements, and of each further declaration. */
const STYLE_COST = { tag: 4, declaration: 1 };

/** Signs of which the parser tries every pair, and then parses the text between them again. */
const EMPHASIS = /[*_~]/g;

/** The weight of these signs; others count 1. */
const EMPHASIS_WEIGHT = 5;

/** A line below the head of a table, also one in a quotation or a list. */
const TABLE_LINE = /^[\s>*+\d.)]*[|:-][|:\s-]*$/;

/** The beginning of a line that ends a table without an empty line. */
const AFTER_TABLE = /^\s*(?:[<>#]|[-+*\d`~]|$)/;

/**
 * The cost, in elements, of each place where letters of another script begin.
 */
const SCRIPT_COST = 0.4;

/** The cost of laying out a line of code, as a fraction of an element's. */
const CODE_LINE = 0.25;

/** The beginning of a line that is parsed by itself although no empty line is before it. */
const ITEM = /^\s*(?:[-+*]\s+\S|#{1,6}\s)/;

/**
 * The most fences of code, characters and words or signs of a text whose code is highlighted. Each
 * word or sign of code becomes an element, and a parser nests as deep as the signs do. Some parsers
 * take time that grows with the square of a line.
 */
const HIGHLIGHTED = { languages: 4, chars: 8192, tokens: 800, line: 1000 };

/** A word or a sign of code. */
const TOKEN = /\w+|[^\w\s]/g;

/**
 * Tell if a body is too complex to be formatted.
 */
export function isBodyTooComplex(source: string): boolean {
  return exceeds(cost(source, BODY), BODY);
}

/**
 * Tell if a line of text is too complex to be formatted.
 */
export function isSummaryTooComplex(source: string): boolean {
  return exceeds(cost(source, SUMMARY), SUMMARY);
}

/**
 * Tell if the elements of sanitized HTML, where each has its end, are nested too deep.
 */
export function isTooDeep(html: string): boolean {
  let depth = 0;
  for (const [, end] of html.matchAll(NESTED)) {
    depth += end ? -1 : 1;
    if (depth > DEEPEST) {
      return true;
    }
  }
  return false;
}

/**
 * Return a summary with marks within a line only: a mark that would begin a block is escaped.
 */
export function inlineOnly(source: string): string {
  return source
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/^([-+*_=])(?=[\s\-+*_=]*$)/, '\\$1')
    .replace(/^([-+*])(?=\s|$)/, '\\$1')
    .replace(/^(#{1,6})(?=\s|$)/, '\\$1')
    .replace(/^(\d{1,9})([.)])(?=\s|$)/, '$1\\$2')
    .replace(/^(>|~~~|\[(?=[^\]]*\]:))/, '\\$1')
    .replace(/^`{3}(?=[^`]*$)/, '\\`\\`\\`');
}

/**
 * Return a body without the languages of its code if highlighting would cost too much, and always
 * without those of diagrams: to load their renderer takes longer than a text may.
 */
export function plainFences(source: string): string {
  const fences = source.match(/(?:`{3,}|~{3,})[ \t]*[^\s`]+/g) ?? [];
  const all =
    source.length > HIGHLIGHTED.chars ||
    fences.length > HIGHLIGHTED.languages ||
    (fences.length > 0 &&
      ((source.match(TOKEN)?.length ?? 0) > HIGHLIGHTED.tokens ||
        source
          .slice(source.search(/`{3}|~{3}/))
          .split(/[\r\n]/)
          .some(line => line.length > HIGHLIGHTED.line)));
  return source.replace(
    /(`{3,}|~{3,})([ \t]*[^\s`~][^\n`]*)/g,
    (whole, fence, info) => (all || /mermaid/i.test(info) ? fence : whole)
  );
}

/**
 * Estimate the cost of a text.
 *
 * @param limit - The cost beyond which the rest of the text is not looked at.
 */
export function cost(source: string, limit: IMarkdownCost): IMarkdownCost {
  const total: IMarkdownCost = {
    work: runs(source),
    nodes: styles(source) + SCRIPT_COST * scriptChanges(visible(source)).length,
    depth: 0
  };
  const code = new CodeLines(source);
  let table = 0;
  let rows = false;
  let before = '';
  let context = { marks: 0, chars: 0 };
  const close = () => {
    total.work += context.marks * context.chars;
    context = { marks: 0, chars: 0 };
  };
  for (const line of source.split(/\r\n|\r|\n/)) {
    if (line.trim() === '') {
      close();
      table = 0;
      rows = false;
    } else if (rows || ITEM.test(line)) {
      close();
    }
    rows &&= !AFTER_TABLE.test(line);
    if (TABLE_LINE.test(line) && /[|:]/.test(line) && line.includes('-')) {
      table = Math.max(table, line.split('|').length);
      // Lines are rows, each parsed by itself, only below a head with as many cells.
      rows = cells(line) === cells(before);
    }
    before = line;
    const marks = line.match(MARKS)?.length ?? 0;
    const emphasis = line.match(EMPHASIS)?.length ?? 0;
    context.marks += marks + (EMPHASIS_WEIGHT - 1) * emphasis;
    context.chars += line.length + 1;
    if (code.skips(line)) {
      total.nodes += CODE_LINE;
    } else {
      // A row has as many cells as the head of its table, however short it is.
      const own = depth(line);
      const tags =
        (line.match(TAG)?.length ?? 0) + (line.match(VOID)?.length ?? 0);
      total.nodes += 1 + table + (marks + tags) / 2 + 2 * own;
      total.depth = Math.max(total.depth, own);
    }
    if (exceeds(total, limit)) {
      break;
    }
  }
  close();
  return total;
}

function exceeds(cost: IMarkdownCost, limit: IMarkdownCost): boolean {
  return (
    cost.work > limit.work ||
    cost.nodes > limit.nodes ||
    cost.depth > limit.depth
  );
}

/** Count the cost of the styles in tags; a tag may go over several lines. */
function styles(source: string): number {
  let nodes = 0;
  for (const [tag] of source.matchAll(TAG)) {
    if (STYLED.test(tag)) {
      nodes += STYLE_COST.tag;
      nodes += STYLE_COST.declaration * (tag.split(';').length - 1);
    }
  }
  return nodes;
}

/** Count the cells in a line of a table. */
function cells(line: string): number {
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|').length;
}

/**
 * Count the cost of long runs of signs or spaces: the parser tries each sign as an end, so that a
 * run costs the square of its length. So do the letters before an at sign, each of which is tried
 * as the beginning of an address.
 */
function runs(source: string): number {
  let work = 0;
  for (const [run] of source.matchAll(/[^\s@]+@?/g)) {
    if (run.endsWith('@')) {
      work += run.length * run.length;
    }
  }
  for (const [run] of source.matchAll(/\s{64,}|[^\p{L}\p{N}\s]{64,}/gu)) {
    work += run.length * run.length;
  }
  return work;
}

/** Measure the depth of a line in quotations and lists, by its signs and by its indent. */
function depth(line: string): number {
  let signs = 0;
  let indent = 0;
  for (let at = 0; at < line.length; at++) {
    const char = line[at];
    if (char === ' ') {
      indent += 1;
    } else if (char === '\t') {
      indent += 4;
    } else if (char === '>') {
      signs += 1;
    } else if ('-+*'.includes(char) && /\s|^$/.test(line[at + 1] ?? '')) {
      signs += 1;
    } else if (/[\d.)]/.test(char)) {
      signs += /[.)]/.test(char) ? 1 : 0;
    } else {
      break;
    }
  }
  return signs + Math.floor(indent / 4);
}

/**
 * Recognizes the lines of fenced code, which become few elements however many marks are in them. If
 * the parser might see the fences elsewhere, no line counts as code.
 */
class CodeLines {
  constructor(source: string) {
    // In HTML, lists and quotations a fence may not begin code.
    this._sure =
      !/^[ \t]*</m.test(source) && !/^.+?(?:`{3}|~{3})/m.test(source);
  }

  /** Tell if a line is code; to be called for each line in its order. */
  skips(line: string): boolean {
    const fence = /^(`{3,}|~{3,})/.exec(line)?.[1];
    if (!this._sure) {
      return false;
    }
    if (this._open === null) {
      this._open = fence ?? null;
      return false;
    }
    if (fence?.startsWith(this._open) && line.trim() === fence) {
      this._open = null;
    }
    return true;
  }

  private _open: string | null = null;
  private readonly _sure: boolean;
}
