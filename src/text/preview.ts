/**
 * The line that a closed message shows of its longer text.
 */
import { stripMarkdown } from './plaintext';
import { visible } from './visible';

/**
 * The first words of a text of Markdown, in one line of plain text.
 *
 * @param start - The beginning of the text; it may end anywhere, also within a mark.
 */
export function previewOf(start: string): string {
  const lines = start
    // A link or an image that is cut off would show its address.
    .replace(/!?\[[^[\]]*(?:\](?:\([^()]*)?)?$/, '')
    // The marks of footnotes lead nowhere here.
    .replace(/\[\^[^[\]\s]{1,40}\]:?/g, '')
    .split('\n')
    // Leave out lines without words: fences of code, and rulers of tables and texts.
    .filter(line => !/^\s*(?:`{3,}|~{3,}|[-=*_|:\s]+$)/.test(line))
    .map(line =>
      line.replace(/^\s*(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ x]\]\s+)?/i, '')
    );
  return visible(
    stripMarkdown(lines.join('\n'))
      .replace(/\s*\|\s*/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
  );
}
