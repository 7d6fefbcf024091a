/**
 * Parts of a text that are more than an element: formulas, code that can be copied, links to the
 * user's own files, and footnotes.
 */
import { Clipboard, showErrorMessage } from '@jupyterlab/apputils';
import type { ILatexTypesetter } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { type IFormula, isHarmless, typeset, written } from '../text/math';
import { visible } from '../text/visible';
import { openOwnFile } from './openOwnFile';

/** Time in ms for which a button says that it has copied. */
const COPIED_MS = 2000;

/** Resolves when the last formula in the queue has been drawn. */
let turn: Promise<void> = Promise.resolve();

/**
 * A formula, drawn by JupyterLab's typesetter; shown as written if it may not or cannot be drawn.
 */
export function Formula(props: {
  formula: IFormula;
  typesetter: ILatexTypesetter | null;
}): JSX.Element {
  const { formula, typesetter } = props;
  const host = React.useRef<HTMLSpanElement>(null);
  const drawn = !!typesetter && isHarmless(formula);
  const source = drawn ? typeset(formula) : written(formula);
  React.useLayoutEffect(() => {
    // React does not touch the content of an element that it made empty.
    const node = host.current!;
    node.textContent = visible(source);
    if (drawn) {
      // Each formula has a task of its own: many in one task would block the page.
      turn = turn
        .then(() => new Promise<void>(next => setTimeout(next)))
        .then(() => (node.isConnected ? typesetter.typeset(node) : undefined))
        .catch(reason => {
          console.warn('A formula could not be drawn.', reason);
        });
    }
  }, [source, drawn]);
  return (
    <span
      key={source}
      ref={host}
      className={`jp-NotifyMarkdown-math ${formula.display ? 'jp-mod-display' : ''}`}
      dir="ltr"
    />
  );
}

/** The MIME type of JupyterLab's renderer of diagrams. */
export const DIAGRAM_TYPE = 'text/vnd.mermaid';

/**
 * Code, with a button that copies it, and one that draws it if it is a diagram.
 *
 * @param draw - draws the diagram, if the code is one.
 */
export function Code(props: {
  text: string;
  trans: TranslationBundle;
  children: React.ReactNode;
  draw?: () => Promise<string | null>;
}): JSX.Element {
  const { text, trans, children, draw } = props;
  const [copied, setCopied] = React.useState(false);
  React.useEffect(() => {
    if (copied) {
      const timer = setTimeout(() => setCopied(false), COPIED_MS);
      return () => clearTimeout(timer);
    }
  }, [copied]);
  const label = copied ? trans.__('Copied') : trans.__('Copy');
  return (
    <>
      {draw && <Diagram key={text} draw={draw} trans={trans} />}
      <div className="jp-NotifyMarkdown-code">
        <pre tabIndex={0}>{children}</pre>
        <button
          type="button"
          className="jp-NotifyMarkdown-button jp-NotifyMarkdown-copy"
          aria-live="polite"
          onClick={() => {
            Clipboard.copyToSystem(text);
            setCopied(true);
          }}
        >
          {label}
        </button>
      </div>
    </>
  );
}

/**
 * A button that draws a diagram, and then the diagram.
 */
function Diagram(props: {
  draw: () => Promise<string | null>;
  trans: TranslationBundle;
}): JSX.Element {
  const { draw, trans } = props;
  const [state, setState] = React.useState<
    'asked' | 'drawing' | 'failed' | { src: string }
  >('asked');
  if (typeof state === 'object') {
    return <img src={state.src} alt={trans.__('The diagram below')} />;
  }
  if (state === 'failed') {
    return (
      <p className="jp-NotifyMarkdown-note" role="status">
        {trans.__('This diagram could not be drawn.')}
      </p>
    );
  }
  return (
    <button
      type="button"
      className="jp-NotifyLink"
      aria-disabled={state === 'drawing'}
      onClick={() => {
        if (state === 'asked') {
          setState('drawing');
          draw().then(
            src => setState(src === null ? 'failed' : { src }),
            reason => {
              console.warn('A diagram could not be drawn.', reason);
              setState('failed');
            }
          );
        }
      }}
    >
      {state === 'drawing'
        ? trans.__('Drawing this diagram…')
        : trans.__('Draw this diagram')}
    </button>
  );
}

/**
 * A link to one of the user's own files, which opens in JupyterLab.
 */
export function FileLink(props: {
  path: string;
  line: number | null;
  trans: TranslationBundle;
  children: React.ReactNode;
}): JSX.Element {
  const { path, line, trans, children } = props;
  return (
    <button
      type="button"
      className="jp-NotifyMarkdown-button jp-NotifyMarkdown-file"
      title={visible(path)}
      onClick={() =>
        openOwnFile(path, line).catch(reason =>
          showErrorMessage(
            trans.__('The file could not be opened'),
            reason?.response?.status === 404
              ? trans.__('“%1” is not there.', visible(path))
              : reason instanceof Error
                ? reason
                : String(reason)
          )
        )
      }
    >
      {children}
    </button>
  );
}

/**
 * The number of a footnote; a click moves the focus to the footnote.
 */
export function FootnoteNumber(props: {
  number: number;
  trans: TranslationBundle;
}): JSX.Element {
  const { number, trans } = props;
  return (
    <sup>
      <button
        type="button"
        className="jp-NotifyMarkdown-button jp-NotifyMarkdown-note-number"
        aria-label={trans.__('Footnote %1', number)}
        onClick={({ currentTarget }) => {
          const note = currentTarget
            .closest('.jp-NotifyMarkdown')
            ?.querySelector<HTMLElement>(
              `.jp-NotifyMarkdown-notes > li:nth-of-type(${number})`
            );
          note?.setAttribute('tabindex', '-1');
          note?.focus();
        }}
      >
        {number}
      </button>
    </sup>
  );
}
