/**
 * A check that every string that a user reads can be translated: a bundle of another language knows
 * only what goes through it, and what its tools find in the source.
 */
import * as fs from 'fs';
import * as path from 'path';
import * as ts from 'typescript';

const SOURCE = path.resolve(__dirname, '..');

/** Attributes, fields and arguments whose text a user reads, or a screen reader says. */
const READ =
  /^(alt|aria-?(description|label|placeholder|roledescription|valuetext)|caption|hint|innerText|label|placeholder|text|textContent|title)$/i;

/** Functions that translate, and the number of their arguments that are texts. */
const TEXTS: Record<string, number> = { __: 1, _n: 2, gettext: 1 };

/** Texts that no user reads: this one only tells a Lumino poll that it has to try again. */
const UNSEEN = ['The stream of notifications did not open.'];

/** Words have two letters: a single one is a key, and a sign is the same in every language. */
const WORDS = /\p{L}{2}/u;

/**
 * Find the places of a file that say something in words that no bundle translates.
 */
// Longer than a screen: one case for each place where a text may stand.
function untranslated(name: string, text: string): string[] {
  const file = ts.createSourceFile(
    name,
    text,
    ts.ScriptTarget.Latest,
    true,
    name.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS
  );
  const found: string[] = [];
  const report = (node: ts.Node) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    found.push(`${name}:${line + 1}: ${node.getText().trim()}`);
  };

  /** Find the words that an expression may become, but for those of functions that it calls. */
  const words = (node: ts.Node | undefined): void => {
    if (!node) {
      return;
    }
    if (ts.isStringLiteralLike(node)) {
      if (WORDS.test(node.text) && !UNSEEN.includes(node.text)) {
        report(node);
      }
    } else if (ts.isTemplateExpression(node)) {
      const { head, templateSpans } = node;
      const parts = [head, ...templateSpans.map(span => span.literal)];
      if (parts.some(part => WORDS.test(part.text))) {
        report(node);
      }
      templateSpans.forEach(span => words(span.expression));
    } else if (ts.isConditionalExpression(node)) {
      words(node.whenTrue);
      words(node.whenFalse);
    } else if (ts.isBinaryExpression(node)) {
      const operator = node.operatorToken.getText();
      if (['+', '??', '||'].includes(operator)) {
        words(node.left);
      }
      if (['+', '??', '||', '&&'].includes(operator)) {
        words(node.right);
      }
    } else if (
      ts.isParenthesizedExpression(node) ||
      ts.isAsExpression(node) ||
      ts.isJsxExpression(node)
    ) {
      words(node.expression);
    } else if (ts.isArrayLiteralExpression(node)) {
      node.elements.forEach(words);
    }
  };

  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) {
      if (WORDS.test(node.text)) {
        report(node);
      }
    } else if (ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent)) {
      words(node);
    } else if (ts.isJsxAttribute(node) && READ.test(node.name.getText())) {
      words(node.initializer);
    } else if (
      ts.isPropertyAssignment(node) &&
      READ.test(node.name.getText().replace(/['"]/g, ''))
    ) {
      words(node.initializer);
    } else if (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
      ts.isPropertyAccessExpression(node.left) &&
      READ.test(node.left.name.text)
    ) {
      words(node.right);
    } else if (ts.isNewExpression(node)) {
      // The message of an error is shown to the user where the work was asked for.
      if (/^(Error|Option)$/.test(node.expression.getText())) {
        words(node.arguments?.[0]);
      }
    } else if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression)
    ) {
      const { name } = node.expression;
      const [first, second] = node.arguments;
      if (name.text === 'setAttribute' && ts.isStringLiteralLike(first)) {
        if (READ.test(first.text)) {
          words(second);
        }
      }
      for (const argument of node.arguments.slice(0, TEXTS[name.text] ?? 0)) {
        if (!ts.isStringLiteralLike(argument)) {
          report(node);
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function sources(folder: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const name = path.join(folder, entry.name);
    return entry.isDirectory()
      ? entry.name === '__tests__'
        ? []
        : sources(name)
      : /\.tsx?$/.test(name)
        ? [name]
        : [];
  });
}

describe('Every string that a user reads', () => {
  it('goes through the translator', () => {
    const names = sources(SOURCE);
    expect(names.length).toBeGreaterThan(30);
    expect(
      names.flatMap(name =>
        untranslated(path.relative(SOURCE, name), fs.readFileSync(name, 'utf8'))
      )
    ).toEqual([]);
  });

  it.each([
    '<p>Hello</p>',
    '<p>{none ? "No messages" : trans.__("Messages")}</p>',
    '<p>{count > 0 && `${count} unread`}</p>',
    '<button title="Close" />',
    '<input aria-label={open ? "Hide" : trans.__("Show")} />',
    'const button = { label: "Open" }',
    'node.textContent = "Done"',
    'node.setAttribute("aria-label", "Close")',
    'throw new Error("It is gone.")',
    // No tool can read this out of the source.
    'trans.__(`${type} message`)',
    'trans._n("%1 file", plural, count)'
  ])('is missed in %s', text => {
    expect(untranslated('case.tsx', text)).toHaveLength(1);
  });

  it.each([
    '<p className="jp-Notify">{trans.__("Hello")} · {row.message}</p>',
    '<IconButton label={trans.__("Dismiss")} hint="E" />',
    '<p>{view === "inbox" && trans.__("All quiet")}</p>',
    'const item = { command: "notify:open", label: trans.__("Open") }',
    'throw new Error(trans.__("It is gone."))',
    'console.warn("It could not be loaded.")'
  ])('is not suspected in %s', text => {
    expect(untranslated('case.tsx', text)).toEqual([]);
  });
});
