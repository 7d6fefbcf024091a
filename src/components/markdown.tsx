/**
 * Markdown that came from outside, as React elements.
 *
 * JupyterLab's parser and sanitizer do their work first. What they leave is parsed into a
 * document that runs and loads nothing, and only the elements and attributes listed here
 * are made again. That is stricter than JupyterLab's sanitizer on purpose, which lets pass
 * `data-commandlinker-command` (a link that runs a command), classes and styles (a text
 * that covers the page like a dialog), ids, form fields and media.
 */
import type {
  ILatexTypesetter,
  IRenderMimeRegistry
} from '@jupyterlab/rendermime';
import {
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import * as React from 'react';

import {
  inlineOnly,
  isBodyTooComplex,
  isSummaryTooComplex,
  isTooDeep,
  plainFences
} from '../text/markdownCost';
import { takeDiagrams } from '../text/diagrams';
import { splitFootnotes, takeFootnotes } from '../text/footnotes';
import { type IFormula, joinMath, splitMath, takeMath } from '../text/math';
import { drawn } from '../text/drawn';
import { visible } from '../text/visible';
import { fileLine, ownFile, safeImage, safeLink } from './addresses';
import { OwnImage, RemoteImage } from './images';
import {
  Code,
  DIAGRAM_TYPE,
  FileLink,
  FootnoteNumber,
  Formula
} from './markdownParts';
import { PlainSummary, PlainText } from './plainText';

/** Elements made again as they are. */
const KEPT = new Set([
  'abbr',
  'b',
  'blockquote',
  'br',
  'caption',
  'cite',
  'code',
  'dd',
  'del',
  'details',
  'dl',
  'dt',
  'em',
  'hr',
  'i',
  'ins',
  'kbd',
  'li',
  'mark',
  'ol',
  'p',
  'pre',
  'q',
  's',
  'samp',
  'small',
  'strong',
  'sub',
  'summary',
  'sup',
  'tbody',
  'td',
  'tfoot',
  'th',
  'thead',
  'tr',
  'u',
  'ul',
  'var',
  'wbr'
]);

/** The elements that may stand in a summary's line. */
const INLINE = new Set([
  'abbr',
  'b',
  'cite',
  'code',
  'del',
  'em',
  'i',
  'ins',
  'kbd',
  'mark',
  'q',
  's',
  'samp',
  'small',
  'strong',
  'sub',
  'sup',
  'u',
  'var',
  'wbr'
]);

/** Elements without children. */
const EMPTY = new Set(['br', 'hr', 'wbr']);

/** Elements whose content is not text to show. */
const DROPPED = new Set([
  'script',
  'style',
  'template',
  'title',
  'noscript',
  'textarea'
]);

/** Elements that end a line: a summary in one line keeps a space there. */
const BREAKS =
  /^(address|article|aside|blockquote|br|dd|div|dl|dt|figure|footer|h[1-6]|header|hr|li|ol|p|pre|section|table|td|th|tr|ul)$/;

/** The classes of highlighted code: CodeMirror's generated names, and nothing else. */
const HIGHLIGHT = /^(ͼ\w+|tok-[\w-]+)$/;

/** Depth of nested elements below which only their text is shown. */
const MAX_DEPTH = 32;

/** The most images of a text that are drawn; the others are shown as their descriptions. */
const MAX_IMAGES = 30;

/**
 * The most that the cells of a text may span together, as rows times columns: a hundred cells can
 * ask for a table of a hundred million places.
 */
const MAX_SPANNED = 1000;

/** In place of a text that is shown as it was written. */
const TOO_COMPLEX = 'too complex';

/** The context in which the elements of one text are made. */
interface IMaking {
  /** The address of the images on this server that texts may show, if it keeps any. */
  readonly images: string | undefined;
  readonly trans: TranslationBundle;
  /** The renderer of formulas, if there is one, and the formulas that the text has marks for. */
  readonly typesetter: ILatexTypesetter | null;
  readonly formulas: readonly IFormula[];
  /** The names of its footnotes, and the list of these. */
  readonly notes: readonly string[];
  readonly noteList: Element | null;
  /** The diagrams that may be drawn when the user asks, and what draws one. */
  readonly diagrams: ReadonlySet<string>;
  readonly draw: (diagram: string) => Promise<string | null>;
  /** Number of images made so far. */
  drawn: number;
  /** The rows times columns that cells have spanned so far. */
  spanned: number;
}

/**
 * Turns Markdown into elements that are safe to show.
 */
export class SafeMarkdown {
  /**
   * @param images - where this server keeps images that texts may show, if it does.
   * @param trans - the language of labels and notes in a text.
   */
  constructor(
    rendermime: IRenderMimeRegistry,
    images?: string,
    trans: TranslationBundle = nullTranslator.load('jupyterlab_notify')
  ) {
    this._rendermime = rendermime;
    this._images = images;
    this._trans = trans;
  }

  /**
   * Make a text of paragraphs, lists, tables, code.
   */
  async block(source: string): Promise<React.ReactNode> {
    if (isBodyTooComplex(source)) {
      return this._plainBlock(source);
    }
    const { source: whole, notes } = takeFootnotes(plainFences(source));
    const { source: marked, formulas } = takeMath(whole);
    const body = await this._parse(marked);
    if (body === TOO_COMPLEX) {
      return this._plainBlock(source);
    }
    return body
      ? children(body, 0, {
          images: this._images,
          trans: this._trans,
          typesetter: this._rendermime.latexTypesetter,
          formulas,
          notes,
          noteList: notes.length > 0 ? body.lastElementChild : null,
          diagrams: this._diagrams(source),
          draw: async diagram =>
            (await import('./diagram')).drawDiagram(this._rendermime, diagram),
          drawn: 0,
          spanned: 0
        })
      : drawn(source);
  }

  /**
   * Make a text of one line: only marks within a line are formatted, and images are shown as their
   * descriptions.
   *
   * @param links - whether links can be followed; in a closed row they cannot.
   * @param whole - whether all of it is shown, even if it is too complex to be formatted.
   */
  async inline(
    source: string,
    links: boolean,
    whole = true
  ): Promise<React.ReactNode> {
    const flat = inlineOnly(source);
    const body = isSummaryTooComplex(flat)
      ? TOO_COMPLEX
      : await this._parse(flat);
    if (body === TOO_COMPLEX) {
      return (
        <>
          <PlainSummary text={source} whole={whole} />{' '}
          <span className="jp-NotifyMarkdown-note">{this._note()}</span>
        </>
      );
    }
    return body ? line(body, 0, links) : drawn(source);
  }

  private _plainBlock(source: string): React.ReactNode {
    return (
      <>
        <p className="jp-NotifyMarkdown-note">{this._note()}</p>
        <PlainText text={drawn(source)} />
      </>
    );
  }

  /** The diagrams of a text that JupyterLab can draw. */
  private _diagrams(source: string): ReadonlySet<string> {
    const found = takeDiagrams(source);
    return found.size > 0 && this._rendermime.mimeTypes.includes(DIAGRAM_TYPE)
      ? found
      : new Set();
  }

  private _note(): string {
    return this._trans.__(
      'This text is too complex to be formatted, and is shown as it was written.'
    );
  }

  private async _parse(
    source: string
  ): Promise<HTMLElement | typeof TOO_COMPLEX | null> {
    const parser = this._rendermime.markdownParser;
    if (!parser) {
      return null;
    }
    try {
      const html = this._rendermime.sanitizer.sanitize(
        await parser.render(source)
      );
      return isTooDeep(html)
        ? TOO_COMPLEX
        : new DOMParser().parseFromString(html, 'text/html').body;
    } catch (reason) {
      // A text that breaks the parser is still shown as it was written.
      console.warn('A notification could not be read as Markdown.', reason);
      return null;
    }
  }

  private readonly _images: string | undefined;
  private readonly _rendermime: IRenderMimeRegistry;
  private readonly _trans: TranslationBundle;
}

function children(
  node: Node,
  depth: number,
  making: IMaking
): React.ReactNode[] {
  return [...node.childNodes].map((child, index) =>
    element(child, index, depth + 1, making)
  );
}

function element(
  node: Node,
  key: number,
  depth: number,
  making: IMaking
): React.ReactNode {
  if (node.nodeType === Node.TEXT_NODE) {
    return words(node, key, making);
  }
  if (!(node instanceof Element) && node.nodeType !== Node.ELEMENT_NODE) {
    return null;
  }
  const source = node as Element;
  const name = source.localName;
  if (DROPPED.has(name)) {
    return null;
  }
  if (depth > MAX_DEPTH) {
    return drawnTextOf(source, making);
  }
  const heading = /^h([1-6])$/.exec(name);
  if (heading) {
    // A level that fits below the row's own summary, and a size that fits a panel.
    return (
      <div
        key={key}
        className={`jp-NotifyMarkdown-heading jp-NotifyMarkdown-h${heading[1]}`}
        role="heading"
        aria-level={3}
      >
        {children(source, depth, making)}
      </div>
    );
  }
  if (name in SPECIAL) {
    return SPECIAL[name](source, key, depth, making);
  }
  if (!KEPT.has(name)) {
    return (
      <React.Fragment key={key}>
        {children(source, depth, making)}
      </React.Fragment>
    );
  }
  if (EMPTY.has(name)) {
    return React.createElement(name, { key });
  }
  let inner = children(source, depth, making);
  if (/^(thead|tbody|tfoot|tr)$/.test(name)) {
    // React would complain of the white space between cells.
    inner = inner.filter(child => typeof child !== 'string');
  }
  const kept = attributes(source, making);
  if (source === making.noteList) {
    kept.className = 'jp-NotifyMarkdown-notes';
  }
  return React.createElement(name, { key, ...kept }, inner);
}

/** A text of the page, with its formulas and the numbers of footnotes. */
function words(node: Node, key: number, making: IMaking): React.ReactNode {
  const { formulas, notes, trans, typesetter } = making;
  const text = node.textContent ?? '';
  if (
    (formulas.length === 0 && notes.length === 0) ||
    node.parentElement?.closest('code, pre')
  ) {
    return drawnTextOf(node, making);
  }
  const parts = splitMath(text, formulas).flatMap<string | number | IFormula>(
    part => (typeof part === 'string' ? splitFootnotes(part, notes) : [part])
  );
  return (
    <React.Fragment key={key}>
      {parts.map((part, index) =>
        typeof part === 'string' ? (
          drawn(part)
        ) : typeof part === 'number' ? (
          <FootnoteNumber key={index} number={part} trans={trans} />
        ) : (
          <Formula key={index} formula={part} typesetter={typesetter} />
        )
      )}
    </React.Fragment>
  );
}

/** A text as it was written. */
function textOf(node: Node, { formulas }: IMaking): string {
  return visible(joinMath(node.textContent ?? '', formulas));
}

/** A text as it is drawn: with places to break, which a text to copy must not have. */
function drawnTextOf(node: Node, { formulas }: IMaking): string {
  return drawn(joinMath(node.textContent ?? '', formulas));
}

/** Elements that are made in a way of their own. */
const SPECIAL: Record<
  string,
  (
    source: Element,
    key: number,
    depth: number,
    making: IMaking
  ) => React.ReactNode
> = {
  a: (source, key, depth, making) => {
    const href = safeLink(source.getAttribute('href'));
    const inner = children(source, depth, making);
    if (href) {
      return (
        <Link key={key} href={href}>
          {inner}
        </Link>
      );
    }
    const path = ownFile(source.getAttribute('href'));
    return path ? (
      <FileLink
        key={key}
        path={path}
        line={fileLine(source.getAttribute('href'))}
        trans={making.trans}
      >
        {inner}
      </FileLink>
    ) : (
      <React.Fragment key={key}>{inner}</React.Fragment>
    );
  },
  img: (source, key, _, making) => image(source, key, making),
  // The box of a task list, as a character, which a screen reader reads too.
  input: source =>
    source.getAttribute('type') === 'checkbox'
      ? source.hasAttribute('checked')
        ? '☑ '
        : '☐ '
      : null,
  table: (source, key, depth, making) => (
    <div key={key} className="jp-NotifyMarkdown-scroll" tabIndex={0}>
      <table>
        {children(source, depth, making).filter(
          child => typeof child !== 'string'
        )}
      </table>
    </div>
  ),
  pre: (source, key, depth, making) => {
    const written = joinMath(source.textContent ?? '', making.formulas).trim();
    return (
      <Code
        key={key}
        text={textOf(source, making)}
        trans={making.trans}
        draw={
          making.diagrams.has(written) ? () => making.draw(written) : undefined
        }
      >
        {children(source, depth, making)}
      </Code>
    );
  },
  span: (source, key, depth, making) => {
    const names = [...source.classList].filter(one => HIGHLIGHT.test(one));
    const inner = children(source, depth, making);
    return source.closest('pre') && names.length ? (
      <span key={key} className={names.join(' ')}>
        {inner}
      </span>
    ) : (
      <React.Fragment key={key}>{inner}</React.Fragment>
    );
  }
};

/** An image if it may be loaded, else its description. */
function image(source: Element, key: number, making: IMaking): React.ReactNode {
  const address = source.getAttribute('src');
  const { formulas, images, trans } = making;
  const alt = drawn(joinMath(source.getAttribute('alt') ?? '', formulas));
  if (++making.drawn > MAX_IMAGES) {
    return alt;
  }
  const src = safeImage(address, images);
  if (src === null) {
    const path = ownFile(address);
    return path ? (
      <OwnImage key={key} path={path} alt={alt} trans={trans} />
    ) : (
      alt
    );
  }
  // To load an image from the text itself or from this server tells no other host anything.
  return src.startsWith('data:') || (images && src.startsWith(images)) ? (
    <img
      key={key}
      src={src}
      alt={alt}
      loading="lazy"
      referrerPolicy="no-referrer"
    />
  ) : (
    <RemoteImage key={key} src={src} alt={alt} trans={trans} />
  );
}

/** The few attributes that a kept element keeps. */
function attributes(source: Element, making: IMaking): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  const number = (name: string) => {
    const value = parseInt(source.getAttribute(name) ?? '', 10);
    return Number.isFinite(value)
      ? Math.max(-1e6, Math.min(value, 1e6))
      : undefined;
  };
  switch (source.localName) {
    case 'td':
    case 'th': {
      const align =
        source.getAttribute('align') ??
        (source instanceof HTMLElement ? source.style.textAlign : '');
      if (align && /^(left|right|center)$/.test(align)) {
        kept.style = { textAlign: align };
      }
      Object.assign(
        kept,
        spans(number('colspan') ?? 1, number('rowspan') ?? 1, making)
      );
      break;
    }
    case 'ol':
      kept.start = number('start');
      break;
    case 'abbr':
      kept.title = visible(source.getAttribute('title') ?? '') || undefined;
      break;
  }
  return kept;
}

/** The columns and rows that a cell spans, unless the text's other cells already span too many. */
function spans(
  colSpan: number,
  rowSpan: number,
  making: IMaking
): { colSpan?: number; rowSpan?: number } {
  const places = colSpan * rowSpan;
  // A `rowspan` of 0 means all rows that follow; those are few.
  if (colSpan < 1 || rowSpan < 0 || places === 1) {
    return {};
  }
  const spanned = making.spanned + Math.max(places, colSpan);
  if (spanned > MAX_SPANNED) {
    return {};
  }
  making.spanned = spanned;
  return { colSpan, rowSpan };
}

function line(node: Node, depth: number, links: boolean): React.ReactNode[] {
  return [...node.childNodes].map((child, key) => {
    if (child.nodeType === Node.TEXT_NODE) {
      return drawn(child.textContent ?? '');
    }
    if (child.nodeType !== Node.ELEMENT_NODE) {
      return null;
    }
    const source = child as Element;
    const name = source.localName;
    if (DROPPED.has(name)) {
      return null;
    }
    if (depth > MAX_DEPTH) {
      return drawn(source.textContent ?? '');
    }
    if (name === 'img') {
      return drawn(source.getAttribute('alt') ?? '');
    }
    const inner = line(source, depth + 1, links);
    const href =
      links && name === 'a' ? safeLink(source.getAttribute('href')) : null;
    if (href) {
      return (
        <Link key={key} href={href}>
          {inner}
        </Link>
      );
    }
    if (INLINE.has(name) && name !== 'wbr') {
      return React.createElement(name, { key }, inner);
    }
    return (
      <React.Fragment key={key}>
        {inner}
        {BREAKS.test(name) ? ' ' : null}
      </React.Fragment>
    );
  });
}

function Link(props: { href: string; children: React.ReactNode }): JSX.Element {
  return (
    <a href={props.href} target="_blank" rel="noopener noreferrer nofollow">
      {props.children}
    </a>
  );
}
