/**
 * The plain text of a message, for toasts, which show nothing else.
 */

import { visible } from './visible';

/**
 * The most characters of a toast's message; JupyterLab cuts what is longer.
 */
export const MAX_TOAST_LENGTH = 140;

/**
 * The most lines of a toast's message.
 */
const MAX_TOAST_LINES = 4;

/**
 * Number of characters of a longer Markdown message that are looked at first.
 */
const STRIPPED = 600;

/**
 * The most marks times characters that are stripped: some 10 ms.
 */
const MOST_WORK = 400_000;

const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&gt;': '>',
  '&lt;': '<',
  '&nbsp;': ' ',
  '&quot;': '"',
  '&#39;': "'"
};

/**
 * Strip the marks of inline Markdown, and keep the words.
 *
 * The result is text: it is safe only where it is shown as text.
 */
export function stripMarkdown(markdown: string): string {
  // Code keeps its marks, and an escaped mark is a character: both are put
  // aside, in the private use area, while the other marks go.
  const kept: string[] = [];
  const keep = (text: string) =>
    String.fromCharCode(0xe000, kept.push(text) - 1 + 0xe001);
  const text = markdown
    .replace(/[\uE000-\uF8FF]/g, '')
    .replace(
      /\\([!-/:-@[-`{-~])|(`+)([^`]|[^`][\s\S]*?[^`])\2(?!`)/g,
      (_, escaped, marks, code) => keep(escaped ?? code.trim())
    )
    .replace(/<((?:https?:\/\/|mailto:)[^\s<>]*)>/g, '$1')
    .replace(/<\/?[a-z][^<>]*>/gi, '')
    .replace(/!?\[([^[\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+"[^"]*")?\)/g, '$1')
    .replace(/!?\[([^[\]]*)\]\[[^[\]]*\]/g, '$1')
    .replace(/^[ \t]{0,3}(?:#{1,6}[ \t]+|>[ \t]?)/gm, '')
    .replace(/(\*\*\*|\*\*|\*|~~)(?=\S)([\s\S]*?\S)\1/g, '$2')
    .replace(/(\*\*\*|\*\*|\*|~~)(?=\S)([\s\S]*?\S)\1/g, '$2')
    .replace(
      /(^|[^\p{L}\p{N}_])(__|_)(?=\S)([^_]*?\S)\2(?![\p{L}\p{N}_])/gu,
      '$1$3'
    )
    .replace(/&(?:amp|gt|lt|nbsp|quot|#39);/g, entity => ENTITIES[entity]);
  return text.replace(
    /\uE000([\uE001-\uF8FF])/g,
    (_, index) => kept[index.charCodeAt(0) - 0xe001] ?? ''
  );
}

/**
 * Strip only as much of a long text of Markdown as a toast may show: to search the whole text for
 * the ends of marks that have none takes long.
 */
function stripStart(markdown: string): { text: string; all: boolean } {
  if (markdown.length > STRIPPED) {
    // Marks whose end is cut off go too, and a link that is cut off goes with its text.
    const start = markdown
      .slice(0, STRIPPED)
      .replace(/!?\[[^[\]]*(?:\](?:\([^()]*)?)?$/, '');
    const text = stripMarkdown(start).replace(
      /(^|\s)(?:\*\*\*|\*\*|~~)(?=\S)/g,
      '$1'
    );
    if (text.replace(/\s+/g, ' ').length > 2 * MAX_TOAST_LENGTH) {
      return { text, all: false };
    }
  }
  // Each mark may search the rest of the text for its end: past a bound, the text stays as written.
  const marks = markdown.match(/[*_~`[<\\]/g)?.length ?? 0;
  const text =
    marks * markdown.length > MOST_WORK ? markdown : stripMarkdown(markdown);
  return { text, all: true };
}

/**
 * Make the text that a toast can show of a message.
 *
 * @returns The text, and whether something had to be left out.
 */
export function summarize(
  message: string,
  markdown: boolean
): { text: string; cut: boolean } {
  const stripped = markdown
    ? stripStart(message)
    : { text: message, all: true };
  const lines = visible(stripped.text)
    .split(/\r\n|\r|\n/)
    .map(line => line.replace(/\s+/g, ' ').trim())
    .filter(line => line !== '');
  let text = lines.slice(0, MAX_TOAST_LINES).join('\n');
  let cut = lines.length > MAX_TOAST_LINES || !stripped.all;
  const characters = Array.from(text);
  if (text.length > MAX_TOAST_LENGTH) {
    cut = true;
    // Whole characters, so that no emoji is halved; what counts for
    // JupyterLab is their UTF-16 length.
    let length = 0;
    let count = 0;
    while (length + characters[count].length < MAX_TOAST_LENGTH) {
      length += characters[count++].length;
    }
    text = characters.slice(0, count).join('');
    const space = text.search(/\s\S{0,19}$/);
    text = (space > 0 ? text.slice(0, space) : text).trimEnd();
  }
  return { text: cut ? `${text}…` : text, cut };
}
