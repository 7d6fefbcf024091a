/**
 * Diagrams in a text of Markdown, which are drawn only when the user asks: which they are, and
 * which of them may be drawn at all; no DOM.
 */

/** The longest diagram that is drawn, in characters, in lines (a semicolon ends one too), in links. */
const LONGEST = { chars: 3000, lines: 100, links: 100 };

/** The signs that join nodes in most kinds; hundreds of them take ten seconds to lay out. */
const LINK = /--|==|-\./g;

/** The first line of a block of code that is a diagram. */
const BEGIN = /^( {0,3})(`{3,}|~{3,})[ \t]*\{?\.?mermaid\b[^`]*$/i;

/** The kinds that are drawn. In other kinds a single number can ask for a million rows. */
const KIND =
  /^(?:graph|flowchart|sequenceDiagram|classDiagram|stateDiagram|erDiagram|gantt|pie|gitGraph|journey|mindmap|timeline|quadrantChart|xychart-beta|sankey-beta|requirementDiagram|kanban|C4[A-Z][A-Za-z]+)\b/;

/**
 * The parts that a diagram must not have. Some would load something, with the user's cookies:
 * images, styles, elements of HTML, addresses; in styles also what is quoted or written with an
 * escape (`u\72l(`). Others would draw for ever: a configuration of its own, days that a plan
 * leaves out, an axis of too many marks.
 */
const HARMFUL =
  /%%\{|@\{|@import|url\s*\(|image-set|\\(?!n)|src\s*=|\/\/|<\s*[a-z!/]+[\s=>/]|\b(?:classDef|style|linkStyle)\b.*["']|^\s*(?:excludes|includes|tickinterval)\b/im;

/** The most `&` signs: each node that they list is joined with each node on the other side. */
const MOST_JOINED = 10;

/**
 * Return the diagrams of a text that may be drawn, as they stand in their blocks of code.
 */
export function takeDiagrams(source: string): Set<string> {
  const found = new Set<string>();
  if (!/mermaid/i.test(source)) {
    return found;
  }
  let begun: { indent: number; fence: string; lines: string[] } | null = null;
  for (const line of source.split(/\r\n|\r|\n/)) {
    if (begun === null) {
      const [, indent, fence] = BEGIN.exec(line) ?? [];
      begun = fence ? { indent: indent.length, fence, lines: [] } : null;
    } else if (isEnd(line, begun.fence)) {
      const text = begun.lines.join('\n').trim();
      if (isHarmless(text)) {
        found.add(text);
      }
      begun = null;
    } else {
      const indent = /^ */.exec(line)![0].length;
      begun.lines.push(line.slice(Math.min(indent, begun.indent)));
    }
  }
  return found;
}

function isEnd(line: string, fence: string): boolean {
  const mark = line.trim();
  return mark.startsWith(fence) && mark.replaceAll(fence[0], '') === '';
}

/** Tell if a diagram loads nothing and is drawn in a moment. */
function isHarmless(text: string): boolean {
  return (
    KIND.test(text) &&
    text.length <= LONGEST.chars &&
    text.split(/[\n;]/).length <= LONGEST.lines &&
    (text.match(LINK)?.length ?? 0) <= LONGEST.links &&
    text.split('&').length - 1 <= MOST_JOINED &&
    !HARMFUL.test(text)
  );
}
