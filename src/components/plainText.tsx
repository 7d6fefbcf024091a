/**
 * Texts that are shown as they were written, not formatted.
 */
import * as React from 'react';

import { drawn } from '../text/drawn';
import { scriptChanges } from '../text/scripts';

/**
 * The most changes between scripts in one line of text. With one letter each they fill two lines of
 * 3,500 pixels; nobody's sentences have as many.
 */
const MOST_CHANGES = 1000;

/** The most lines, characters and changes between scripts that are laid out together. */
const CHUNK = { lines: 50, chars: 2000, changes: 250 };

/** A part of a longer line, up to a blank if it has one. */
const PART = new RegExp(
  `.{1,${CHUNK.chars}}(?:\\s+|$)|.{${CHUNK.chars}}\\p{M}*`,
  'gsu'
);

/**
 * A text as it was written, in chunks, so that those out of sight are not laid out.
 */
export function PlainText(props: { text: string }): JSX.Element {
  const chunks: string[] = [];
  let lines: string[] = [];
  let chars = 0;
  const end = () => {
    if (lines.length > 0) {
      chunks.push(lines.join('\n'));
    }
    lines = [];
    chars = 0;
  };
  for (const line of props.text.split(/\r\n|\r|\n/)) {
    for (const part of line.length > CHUNK.chars ? line.match(PART)! : [line]) {
      if (
        lines.length === CHUNK.lines ||
        (chars > 0 && chars + part.length > CHUNK.chars)
      ) {
        end();
      }
      lines.push(part);
      chars += part.length;
    }
  }
  end();
  return <Chunks texts={chunks} />;
}

/**
 * The line of a message. One that changes its script very often is in chunks, or only its start is
 * shown where its end would be cut off anyway: to lay out all of it takes long.
 *
 * @param props.whole - whether all of it is shown.
 */
export function PlainSummary(props: {
  text: string;
  whole: boolean;
}): JSX.Element {
  const text = drawn(props.text);
  const changes = scriptChanges(text);
  if (changes.length <= MOST_CHANGES) {
    return <>{text}</>;
  }
  if (!props.whole) {
    return <>{`${text.slice(0, changes[MOST_CHANGES])}…`}</>;
  }
  const starts = changes.filter(
    (_, index) => (index + 1) % CHUNK.changes === 0
  );
  return (
    <Chunks
      texts={[0, ...starts].map((start, index) =>
        text.slice(start, starts[index])
      )}
    />
  );
}

function Chunks(props: { texts: string[] }): JSX.Element {
  return (
    <>
      {props.texts.map((text, index) => (
        <div key={index} className="jp-NotifyMarkdown-plain">
          {text}
        </div>
      ))}
    </>
  );
}
