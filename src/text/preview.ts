/**
 * The line that a closed message shows of its longer text.
 */
import { stripMarkdown } from './plaintext';
import { visible } from './visible';

/**
 * The first words of a text of Markdown, in one line of plain text.
 *
 * @param start - How the text begins; it may end anywhere, also in a mark.
 */
export function previewOf(start: string): string {
  const lines = start
    // A link or an image that the end cuts would show its address.
    .replace(/!?\[[^[\]]*(?:\](?:\([^()]*)?)?$/, '')
    // The marks of footnotes say nothing here.
    .replace(/\[\^[^[\]\s]{1,40}\]:?/g, '')
    .split('\n')
    // Lines that only draw are left out: fences, rulers of tables and of texts.
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
