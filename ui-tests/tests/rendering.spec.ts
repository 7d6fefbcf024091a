/**
 * Texts with more than letters: formulas, footnotes, wide tables, code to copy, links to the
 * user's own files, and Markdown where there is no room for it.
 */
import type { Locator, Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import {
  closeCenter,
  expect,
  openCenter,
  rows,
  runCommand,
  test,
  toasts,
  useLab
} from './lab';
import { writeNotebook } from './notebookFile';

const lab = useLab();
let page: Page;

test.beforeAll(async ({ browser }) => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write']
  });
  page = await lab.open(browser, { context });
});

test.afterAll(() => page?.context().close());

/** Push a text, open its row, and wait until it is there. */
async function show(message: string, body: string): Promise<Locator> {
  await lab.push({ message, body, autoClose: 0 });
  await openCenter(page);
  await rows(page, message).locator('.jp-NotifyRow-summary').click();
  const text = rows(page, message).locator('.jp-NotifyMarkdown');
  await expect(text).toBeVisible();
  return text;
}

test('Formulas are drawn by JupyterLab, dollars stay dollars', async () => {
  const text = await show(
    'Fit',
    'The loss $x^2_i$ fell from $200 and $300:\n\n$$\\frac{1}{n}\\sum_{i=1}^n x_i$$\n\nNot `$y$`.'
  );
  await expect(text.locator('mjx-container')).toHaveCount(2);
  await expect(text).toContainText('fell from $200 and $300:');
  await expect(text.locator('code')).toHaveText('$y$');
  await expect(text.locator('.jp-mod-display mjx-container')).toBeVisible();
});

test('Formulas begin and end as in the Markdown cells of a notebook', async () => {
  const source = [
    'In \\\\(x^2\\\\), in `\\\\(y\\\\)`, and $z$.',
    '\\\\[\n\\sum_i x_i\n\\\\]',
    '\\begin{align}\na &= b \\\\\n&= c\n\\end{align}',
    '\\begin{equation*}\ne\n\\end{equation*}',
    '```\n\\begin{align}f\\end{align}\n```',
    'No formula: \\(x\\), \\[y\\], C:\\\\(x86).'
  ].join('\n\n');
  writeNotebook(lab.root, 'formulas.ipynb', [
    { id: 'formulas', source, markdown: true }
  ]);
  await runCommand(page, 'docmanager:open', {
    path: 'formulas.ipynb',
    kernelPreference: { shouldStart: false, autoStartDefault: false }
  });
  const own = page.locator('.jp-NotebookPanel .jp-RenderedMarkdown');
  await expect(own.locator('mjx-container')).toHaveCount(5);
  const text = await show('As in a cell', source);
  await expect(text.locator('mjx-container')).toHaveCount(5);
  // The same formulas, one after the other.
  const drawn = (where: Locator) =>
    where
      .locator('mjx-container')
      .evaluateAll(all => all.map(one => one.textContent));
  expect(await drawn(text)).toEqual(await drawn(own));
  await expect(text.locator('.jp-mod-display mjx-container')).toHaveCount(3);
  await expect(text.locator('code').first()).toHaveText('\\\\(y\\\\)');
  await expect(text.locator('pre')).toContainText(
    '\\begin{align}f\\end{align}'
  );
  await expect(text).toContainText('No formula: (x), [y], C:\\(x86).');
});

test('A formula that does more than to draw stays as it was written', async () => {
  const text = await show(
    'Hostile',
    '$\\def\\frac#1#2{0}$ $\\href{https://a.example}{x}$ $\\style{position:fixed;top:0}{x}$, $\\frac{1}{2}$'
  );
  await expect(text.locator('mjx-container')).toHaveCount(1);
  await expect(text.locator('mjx-mfrac')).toHaveCount(1);
  await expect(text).toContainText('$\\def\\frac#1#2{0}$');
  await expect(text.locator('a')).toHaveCount(0);
});

test('Thirty formulas are drawn without holding up the page', async () => {
  const formula = '$\\sqrt{\\frac{\\alpha^2+\\beta_i}{\\sum_{k=0}^n x_k}}$';
  // JupyterLab's typesetter draws them, and is loaded once.
  await expect(
    (await show('First', '$x$')).locator('mjx-container')
  ).toHaveCount(1);
  await page.evaluate(() => {
    (window as any).longest = 0;
    new PerformanceObserver(list => {
      for (const { duration } of list.getEntries()) {
        (window as any).longest = Math.max((window as any).longest, duration);
      }
    }).observe({ type: 'longtask' });
  });
  const text = await show('Many', `${formula}\n\n`.repeat(40));
  await expect(text.locator('mjx-container')).toHaveCount(30);
  const longest = await page.evaluate(() => (window as any).longest);
  test.info().annotations.push({
    type: 'longest task',
    description: `${longest} ms`
  });
  expect(longest).toBeLessThan(
    Number(process.env.NOTIFY_MAIN_THREAD_MS ?? 1000)
  );
});

test('A diagram is drawn when the user asks, and runs and loads nothing', async () => {
  const asked: string[] = [];
  page.on('request', request => asked.push(request.url()));
  const text = await show(
    'Pipeline',
    '```mermaid\ngraph LR\n  A[Load] --> B[Train]\n  click A "javascript:alert(1)"\n```\n\n' +
      '```mermaid\nflowchart LR\nA@{ img: "/logout" }\n```\n\n' +
      "```mermaid\nstateDiagram\nclassDef x mask:image-set('/logout' 1x)\n[*] --> A\nclass A x\n```\n\n" +
      '```mermaid\nstateDiagram\nclassDef x mask:u\\72l(/logout)\n[*] --> A\nclass A x\n```\n\n' +
      '```mermaid\ngraph nonsense -->\n```'
  );
  const draw = text.getByRole('button', { name: 'Draw this diagram' });
  // The diagrams between would load an image with the user's cookies: they stay code.
  await expect(draw).toHaveCount(2);
  await expect(text.locator('pre')).toHaveCount(5);
  await expect(text.locator('img')).toHaveCount(0);
  await draw.last().click();
  await expect(text.getByRole('status')).toHaveText(
    'This diagram could not be drawn.'
  );
  await draw.click();
  const image = text.locator('img');
  await expect(image).toHaveAttribute('src', /^data:image\/svg\+xml,/);
  await expect
    .poll(() => image.evaluate((one: HTMLImageElement) => one.naturalWidth))
    .toBeGreaterThan(50);
  // The text that it was made of can still be read and copied.
  await expect(text.locator('pre').first()).toContainText(
    'A[Load] --> B[Train]'
  );
  await expect(draw).toHaveCount(0);
  expect(asked.filter(url => url.includes('logout'))).toEqual([]);
});

test('A footnote is numbered, and its number leads to it', async () => {
  const text = await show(
    'Notes',
    'Measured twice[^a].\n\n[^a]: Once with **gloves**.\n\nThe end.'
  );
  await expect(text.locator('sup')).toHaveText('1');
  const note = text.locator('.jp-NotifyMarkdown-notes > li');
  await expect(note).toHaveText('Once with gloves.');
  await text.getByRole('button', { name: 'Footnote 1' }).click();
  await expect(note).toBeFocused();
});

test('A wide table scrolls by itself', async () => {
  const cells = Array.from({ length: 12 }, (_, index) => `column_${index}`);
  const line = (texts: string[]) => `| ${texts.join(' | ')} |`;
  const text = await show(
    'Wide',
    [line(cells), line(cells.map(() => '---')), line(cells)].join('\n')
  );
  const sizes = await text.evaluate(node => {
    const own = node.querySelector('.jp-NotifyMarkdown-scroll')!;
    return {
      table: own.scrollWidth - own.clientWidth,
      text: node.scrollWidth - node.clientWidth,
      page: document.documentElement.scrollWidth - window.innerWidth
    };
  });
  expect(sizes.table).toBeGreaterThan(100);
  expect(sizes).toMatchObject({ text: 0, page: 0 });
});

test('Code has a button that copies it', async () => {
  const text = await show('Code', '```\nfor x in y:\n    z <- "$1$"\n```');
  await text.locator('pre').hover();
  await text.getByRole('button', { name: 'Copy' }).click();
  await expect(text.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    'for x in y:\n    z <- "$1$"\n'
  );
});

test("A link to the user's own file opens it, and starts no kernel", async () => {
  fs.mkdirSync(path.join(lab.root, 'runs'));
  fs.writeFileSync(path.join(lab.root, 'runs', 'log 1.txt'), 'epoch 1');
  fs.copyFileSync(
    path.join(__dirname, 'train.ipynb'),
    path.join(lab.root, 'runs', 'train.ipynb')
  );
  fs.writeFileSync(
    path.join(lab.root, 'runs', 'long.txt'),
    Array.from({ length: 300 }, (_, index) => `step ${index + 1}`).join('\n')
  );
  const text = await show(
    'Files',
    '[the log](runs/log%201.txt), [the notebook](runs/train.ipynb), [the folder](runs/), [none](nothing.txt), ' +
      '[a step](runs/long.txt#L120), [another](runs/long.txt#L250-L260), [the last](runs/long.txt#L999)'
  );
  // Also in a file that is open already, and in a file with fewer lines.
  for (const [name, line] of [
    ['a step', 120],
    ['another', 250],
    ['the last', 300]
  ] as const) {
    await text.getByRole('button', { name }).click();
    await expect(
      page.locator('#jp-main-statusbar').getByText(`Ln ${line}, Col 1`)
    ).toBeVisible();
    await expect(
      page
        .locator('.jp-FileEditor:visible .cm-line')
        .getByText(`step ${line}`, { exact: true })
    ).toBeInViewport();
  }
  await text.getByRole('button', { name: 'the log' }).click();
  await expect(page.locator('.jp-FileEditor:visible')).toContainText('epoch 1');
  await text.getByRole('button', { name: 'the notebook' }).click();
  await expect(page.locator('.jp-NotebookPanel:visible')).toContainText(
    'Galaxies'
  );
  // Before 4.5 JupyterLab cannot be asked to open a notebook without its kernel.
  const version = await page.evaluate(() => (window as any).jupyterapp.version);
  if (!/^4\.[0-4]\./.test(version)) {
    await expect(
      page.locator('#jp-main-statusbar').getByText('No Kernel')
    ).toBeVisible();
    expect((await lab.api('GET', 'api/kernels')).body).toEqual([]);
  }
  await text.getByRole('button', { name: 'the folder' }).click();
  await expect(
    page.locator('.jp-DirListing-item', { hasText: 'train.ipynb' })
  ).toBeVisible();
  await text.getByRole('button', { name: 'none' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('The file could not be opened');
  await expect(dialog).toContainText('“nothing.txt” is not there.');
  await dialog.getByRole('button').last().click();
  await closeCenter(page);
});

test('Markdown is plain text in a toast, and plain text stays as it is', async () => {
  await lab.push({
    message: '**Run 12** is [done](https://example.org/12): `a*b*c` & _more_',
    markdown: true,
    autoClose: false
  });
  await lab.push({ message: '**Not** <b>this</b>', autoClose: false });
  await expect(toasts(page, 'Run 12').locator('.jp-toast-message')).toHaveText(
    'Run 12 is done: a*b*c & more'
  );
  await expect(toasts(page, 'Not').locator('.jp-toast-message')).toHaveText(
    '**Not** <b>this</b>'
  );
  await expect(
    page.locator('.jp-toast-message').locator('a, b, strong, code, em')
  ).toHaveCount(0);
});
