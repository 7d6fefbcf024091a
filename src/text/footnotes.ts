/**
 * Footnotes of a text of Markdown, which JupyterLab's parser does not know: they become a list at
 * its end; no DOM.
 */

/** The name and text of a footnote, where it is written. */
const NOTE = /^\[\^([^\]\s]{1,40})\]:[ \t]*(.*)$/;

/** The mark of a footnote in the text. */
const REFERENCE = /\[\^([^\]\s]{1,40})\]/;

/** The most footnotes of a text. */
const MOST = 50;

/**
 * Return a text with its footnotes as a list at its end, and their names in the order of the list.
 */
export function takeFootnotes(source: string): {
  source: string;
  notes: string[];
} {
  const kept: string[] = [];
  const texts = new Map<string, string>();
  let fence: string | null = null;
  let last: string | null = null;
  for (const line of source.split(/\r\n|\r|\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== null) {
      fence = mark?.startsWith(fence) && line.trim() === mark ? null : fence;
    } else {
      fence = mark ?? null;
    }
    const note = fence === null && !mark ? NOTE.exec(line) : null;
    if (note && texts.size < MOST && !texts.has(note[1])) {
      last = note[1];
      texts.set(last, note[2]);
    } else if (last !== null && /^(?: {2,}|\t)\S/.test(line)) {
      // Indented lines continue a note.
      texts.set(last, `${texts.get(last)} ${line.trim()}`);
    } else {
      last = null;
      kept.push(line);
    }
  }
  const text = kept.join('\n');
  // In the order in which the text refers to them; others are not shown.
  const notes = [
    ...new Set(
      [...text.matchAll(new RegExp(REFERENCE, 'g'))].map(one => one[1])
    )
  ].filter(name => texts.has(name));
  if (notes.length === 0 || fence !== null) {
    return { source, notes: [] };
  }
  const list = notes.map((name, index) => `${index + 1}. ${texts.get(name)}`);
  return { source: `${text}\n\n---\n\n${list.join('\n')}\n`, notes };
}

/**
 * Split a text into its parts: texts, and the numbers of footnotes.
 */
export function splitFootnotes(
  text: string,
  notes: readonly string[]
): (string | number)[] {
  if (notes.length === 0) {
    return [text];
  }
  return text
    .split(REFERENCE)
    .map((part, index) => {
      if (index % 2 === 0) {
        return part;
      }
      const number = notes.indexOf(part) + 1;
      return number > 0 ? number : `[^${part}]`;
    })
    .filter(part => part !== '');
}
