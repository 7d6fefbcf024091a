/**
 * The diagrams of a text that may be drawn.
 */
import { takeDiagrams } from '../text/diagrams';

const fence = (text: string, info = 'mermaid') =>
  `Before.\n\n\`\`\`${info}\n${text}\n\`\`\`\n\nAfter.`;
const taken = (source: string) => [...takeDiagrams(source)];
const GRAPH = 'graph TD\n  A --> B';

describe('takeDiagrams', () => {
  it.each([
    ['in backticks', fence(GRAPH)],
    ['in tildes', `~~~mermaid\n${GRAPH}\n~~~`],
    ['in a longer fence', `\`\`\`\`\`mermaid\n${GRAPH}\n\`\`\`\`\``],
    ['of MyST', fence(GRAPH, '{mermaid}')],
    ['written large, after a blank', fence(GRAPH, ' Mermaid')],
    ['with lines of Windows', fence(GRAPH).replaceAll('\n', '\r\n')],
    ['set in', `  \`\`\`mermaid\n  graph TD\n    A --> B\n  \`\`\``],
    ['twice the same', `${fence(GRAPH)}\n\n${fence(GRAPH)}`]
  ])('takes one %s as it stands there', (_, source) => {
    expect(taken(source)).toEqual([GRAPH]);
  });

  it.each([
    ['sequenceDiagram\nAda->>Bob: Hello'],
    ['stateDiagram-v2\n[*] --> Still'],
    ['pie title Quota\n"used" : 1200000'],
    ['gantt\ndateFormat YYYY-MM-DD\nTrain :2026-11-01, 3d'],
    ['flowchart LR\nA -->|yes| B & C'],
    ['graph TD\nA["two\\nlines"]:::x\nclassDef x fill:#f9f,color:rgb(0,0,0)']
  ])('takes other kinds: %j', text => {
    expect(taken(fence(text))).toEqual([text]);
  });

  it.each([
    ['no diagram', fence('x = 1', 'python')],
    ['no end', `\`\`\`mermaid\n${GRAPH}`],
    ['nothing', fence('')],
    ['an image', fence('flowchart LR\nA@{ img: "/logout" }')],
    ['an address', fence('graph TD\nclick A "https://example.org"')],
    ['one without its scheme', fence('graph TD\nA[//example.org/x.png]')],
    ['a style that loads', fence('graph TD\nstyle A fill:url(/logout)')],
    ['a style of escapes', fence('stateDiagram\nclassDef x a:u\\72l(/logout)')],
    ['a set of images', fence('stateDiagram\nclassDef x a:image-set(b)')],
    ['a quoted style', fence("stateDiagram\nclassDef x a:src('/logout')")],
    ['HTML', fence('graph TD\nA["<img src=/logout>"]')],
    ['a closed element', fence('graph TD\nA["<image/x>"]')],
    ['its own configuration', fence(`%%{init: {"themeCSS": "x"}}%%\n${GRAPH}`)],
    ['front matter', fence(`---\nconfig: {}\n---\n${GRAPH}`)],
    ['days left out', fence('gantt\n  excludes monday\nA :2026-11-01, 9d')],
    ['an axis of marks', fence('gantt\ntickInterval 1millisecond\nA :1d')],
    ['rows without end', fence('packet-beta\n0-99999999: "a"')],
    ['columns without end', fence('block-beta\ncolumns 99999999')],
    ['too many lines', fence(`graph TD\n${'A-->B\n'.repeat(100)}`)],
    ['too many semicolons', fence(`graph TD${';a-->b'.repeat(100)}`)],
    ['too many links', fence(`graph TD\na${'-->b'.repeat(101)}`)],
    ['too many characters', fence(`graph TD\nA[${'x'.repeat(3000)}]`)],
    ['each with each', fence(`graph TD\n${'a&'.repeat(50)}a-->b`)]
  ])('leaves one with %s as code', (_, source) => {
    expect(taken(source)).toEqual([]);
  });

  it('takes time of the length of a text', () => {
    for (const unit of [
      '`',
      '```mermaid\n',
      '~~~mermaid\n~',
      'mermaid ',
      '\n'
    ]) {
      takeDiagrams(`mermaid${unit.repeat(32_000 / unit.length)}`);
    }
  });
});
