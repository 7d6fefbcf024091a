/**
 * Messages about the user's own cells, with a real kernel: how they ended, how long they took, and
 * where they are.
 */
import type { Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import { ask, begin, cells, run, untilBusy } from './cellsPage';
import {
  expect,
  type IRow,
  Lab,
  openNotebook,
  pressToast,
  runCommand,
  setSetting,
  SETTINGS,
  test,
  toasts,
  untilKernel,
  useLab
} from './lab';
import { writeNotebook } from './notebookFile';

const CENTER = 'jupyterlab_notify:center';

const lab = useLab({ settings: { [SETTINGS]: { defaultAutoClose: 0 } } });
let page: Page;

test.beforeAll(async ({ browser }) => {
  page = await lab.open(browser);
  await page.setViewportSize({ width: 1280, height: 800 });
});

test.afterEach(async () => {
  await page.evaluate(() => {
    delete (document as any).hidden;
  });
  await lab.dismissAll();
  await expect(toasts(page)).toHaveCount(0);
});

/** Open a notebook of these cells in a lab, and wait for its kernel. */
async function notebook(
  tab: Page,
  name: string,
  sources: string[],
  server = lab
): Promise<void> {
  writeNotebook(
    server.root,
    name,
    sources.map((source, index) => ({
      id: `${name.split('.')[0]}-${index}`,
      source
    }))
  );
  if (server === lab) {
    await openNotebook(tab, name);
  }
}

/** The button in its toolbar. */
function button(tab: Page) {
  return tab
    .locator('.jp-NotebookPanel:visible .jp-NotebookPanel-toolbar')
    .getByRole('button', { name: /otif(y|ied).*done/ });
}

/** Have a page report that its tab is hidden: a browser without windows hides none. */
async function hide(tab: Page): Promise<void> {
  await tab.evaluate(() => {
    Object.defineProperty(document, 'hidden', {
      configurable: true,
      get: () => true
    });
  });
}

/** Let minutes pass on a page's clock. */
async function pass(tab: Page, minutes: number): Promise<void> {
  await tab.evaluate(minutes => {
    const now = Date.now;
    Date.now = () => now() + minutes * 60_000;
  }, minutes);
}

/** The inbox, once it has this many messages. */
async function inbox(count: number, server: Lab = lab): Promise<IRow[]> {
  await expect.poll(async () => (await server.list()).length).toBe(count);
  return server.list();
}

/** Code that holds a cell until a test lets it end. */
const WAIT = `
import os, time
while not os.path.exists("go"):
    time.sleep(0.02)
os.remove("go")`;

/** Let the cell end. */
function go(): void {
  fs.writeFileSync(path.join(lab.root, 'go'), '');
}

test("A cell's menu: the user is told when it is done, in every tab, and led to it", async ({
  browser
}) => {
  await notebook(page, 'menu.ipynb', [WAIT, 'pass', '"last"']);
  const other = await lab.open(browser, { path: 'lab/workspaces/other' });
  await ask(page, 0);
  const mark = (index: number) =>
    cells(page)
      .nth(index)
      .locator('.jp-InputPrompt')
      .evaluate(node => getComputedStyle(node, '::before').content);
  await expect.poll(() => mark(0)).toBe('""');
  expect(await mark(1)).toBe('none');
  await run(page, 0);
  // There is no message about the notebook's other cells.
  await run(page, 1);
  go();
  for (const tab of [page, other]) {
    await expect(toasts(tab, /menu\.ipynb: done in \d/)).toBeVisible();
  }
  await expect.poll(() => mark(0)).toBe('none');
  await other.context().close();
  const [row] = await inbox(1);
  expect(row).toMatchObject({ type: 'success', source: 'menu.ipynb' });

  await cells(page).nth(2).locator('.jp-InputArea-prompt').click();
  await pressToast(toasts(page), 'Go to cell');
  await expect(cells(page).nth(0)).toHaveClass(/jp-mod-active/);

  // The user asked for one message only.
  await run(page, 1);
  await expect(cells(page).nth(1)).toContainText('[3]:');
  await inbox(1);
});

test('The button in the toolbar: all cells that run, as one message', async () => {
  await notebook(page, 'all.ipynb', ['1', WAIT, '', '3']);
  await expect(button(page)).toHaveAttribute('aria-pressed', 'false');
  await begin(page, 'notebook:run-all-cells');
  await button(page).click();
  await expect(button(page)).toHaveAttribute('aria-pressed', 'true');
  go();
  await expect(toasts(page, /all\.ipynb: 3 cells done in \d/)).toBeVisible();
  await expect(button(page)).toHaveAttribute('aria-pressed', 'false');
  await inbox(1);
});

test('The button belongs to its own notebook', async () => {
  await notebook(page, 'left.ipynb', ['1']);
  await button(page).click();
  await notebook(page, 'right.ipynb', ['1']);
  await expect(button(page)).toHaveAttribute('aria-pressed', 'false');
  await run(page, 0);
  await expect(cells(page).nth(0)).toContainText('[1]:');
  await runCommand(page, 'docmanager:open', { path: 'left.ipynb' });
  await expect(button(page)).toHaveAttribute('aria-pressed', 'true');
  await run(page, 0);
  await expect(toasts(page, 'left.ipynb: done in')).toBeVisible();
  await inbox(1);
});

test("A notebook's copy, with the same cells' ids, is another notebook", async () => {
  await notebook(page, 'train.ipynb', ['1']);
  fs.copyFileSync(
    path.join(lab.root, 'train.ipynb'),
    path.join(lab.root, 'copy.ipynb')
  );
  await ask(page, 0);
  await openNotebook(page, 'copy.ipynb');
  await run(page, 0);
  await expect(cells(page).nth(0)).toContainText('[1]:');
  await ask(page, 0);
  await run(page, 0);
  await expect(toasts(page, 'copy.ipynb: done in')).toBeVisible();
  await runCommand(page, 'docmanager:open', { path: 'train.ipynb' });
  await expect(cells(page).nth(0)).toHaveClass(/jp-mod-notifyAwaited/);
  await pressToast(toasts(page, 'copy.ipynb'), 'Go to cell');
  await expect(
    page.getByRole('tab', { name: 'copy.ipynb', selected: true })
  ).toBeVisible();
  await runCommand(page, 'docmanager:open', { path: 'train.ipynb' });
  await run(page, 0);
  await expect(toasts(page, 'train.ipynb: done in')).toBeVisible();
  await inbox(2);
});

test('A cell that failed is told of with its exception, and led to', async () => {
  // The kernel gives up what is in its queue at the error, and runs what arrives later.
  const fails = `${WAIT}\ntime.sleep(1)\n{}["loss"]`;
  await notebook(page, 'fails.ipynb', ['1', fails, '3', '4']);
  await button(page).click();
  await begin(page, 'notebook:run-all-cells');
  await expect(cells(page).nth(3)).toContainText('[*]:');
  go();
  await expect(
    toasts(
      page,
      /fails\.ipynb: failed after .*, 1 of 4 cells done: KeyError: 'loss'/
    )
  ).toBeVisible();
  const [row] = await inbox(1);
  expect(row.type).toBe('error');
  await cells(page).nth(3).locator('.jp-InputArea-prompt').click();
  await pressToast(toasts(page), 'Go to cell');
  await expect(cells(page).nth(1)).toHaveClass(/jp-mod-active/);
});

test('A cell that is moved while it runs is told of, at its new place', async () => {
  await notebook(page, 'moved.ipynb', [`${WAIT}\n{}["loss"]`, '2']);
  await ask(page, 0);
  await run(page, 0);
  await untilBusy(page);
  await begin(page, 'notebook:move-cell-down');
  const moved = cells(page).nth(1);
  await expect(moved).toContainText('os.path.exists');
  await expect(moved).toHaveClass(/jp-mod-notifyAwaited/);
  go();
  await expect(
    toasts(page, /moved\.ipynb: failed after .*: KeyError: 'loss'/)
  ).toBeVisible();
  await expect(moved).not.toHaveClass(/jp-mod-notifyAwaited/);
  await inbox(1);
  await cells(page).nth(0).locator('.jp-InputArea-prompt').click();
  await pressToast(toasts(page), 'Go to cell');
  await expect(moved).toHaveClass(/jp-mod-active/);
});

test('A cell that is moved before it is run keeps its bell', async () => {
  await notebook(page, 'later.ipynb', ['1', '2', '3']);
  await ask(page, 0);
  for (const index of [1, 2]) {
    await begin(page, 'notebook:move-cell-down');
    await expect(cells(page).nth(index)).toHaveClass(/jp-mod-notifyAwaited/);
  }
  await run(page, 2);
  await expect(toasts(page, /later\.ipynb: done in/)).toBeVisible();
  await expect(cells(page).nth(2)).not.toHaveClass(/jp-mod-notifyAwaited/);
});

for (const [how, back] of [
  ['delete-cell', 'undo-cell-action'],
  ['cut-cell', 'undo-cell-action'],
  ['cut-cell', 'paste-cell-below']
]) {
  test(`A cell that comes back has its bell: ${how}, ${back}`, async () => {
    await notebook(page, `${how}-${back}.ipynb`, ['1', '2', '3']);
    await ask(page, 0);
    await begin(page, `notebook:${how}`);
    await expect(cells(page)).toHaveCount(2);
    await cells(page).nth(1).locator('.jp-InputArea-prompt').click();
    await begin(page, `notebook:${back}`);
    await expect(cells(page)).toHaveCount(3);
    const marked = page.locator(
      '.jp-NotebookPanel:visible .jp-mod-notifyAwaited'
    );
    await expect(marked).toHaveCount(1);
    await marked.locator('.jp-InputArea-prompt').click();
    await begin(page, 'notebook:run-cell');
    await expect(
      toasts(page, new RegExp(`${how}-${back}\\.ipynb: done in`))
    ).toBeVisible();
    await expect(marked).toHaveCount(0);
    await inbox(1);
  });
}

for (const how of ['delete-cell', 'cut-cell', 'merge-cell-below']) {
  test(`A cell is told of although it is gone while it runs: ${how}`, async () => {
    const name = `${how}.ipynb`;
    await notebook(page, name, [`${WAIT}\n{}["loss"]`, '2']);
    await ask(page, 0);
    await run(page, 0);
    await untilBusy(page);
    await begin(page, `notebook:${how}`);
    await expect(cells(page)).toHaveCount(1);
    go();
    await expect(
      toasts(page, new RegExp(`${how}.*: failed after .*: KeyError: 'loss'`))
    ).toBeVisible();
    await inbox(1);
  });
}

test('A notebook that is closed while its cells run is told of, and led to', async () => {
  await notebook(page, 'closed.ipynb', [WAIT, `${WAIT}\n{}["loss"]`, '3']);
  await button(page).click();
  // Closed while it is saved, it would end in a dialog about that.
  await runCommand(page, 'docmanager:save');
  await begin(page, 'notebook:run-all-cells');
  await untilBusy(page);
  await page.evaluate(() => {
    (window as any).jupyterapp.shell.currentWidget.dispose();
  });
  go();
  await expect.poll(() => fs.existsSync(path.join(lab.root, 'go'))).toBe(false);
  go();
  await expect(
    toasts(page, /closed\.ipynb: failed after .*, 1 of 3 cells done: KeyError/)
  ).toBeVisible();
  await inbox(1);
  await pressToast(toasts(page), 'Go to cell');
  await expect(cells(page).nth(1)).toHaveClass(/jp-mod-active/);
});

test('A cell that was interrupted is told of as such', async () => {
  const source = 'import time; print("begun", flush=True); time.sleep(600)';
  await notebook(page, 'stop.ipynb', [source]);
  await ask(page, 0);
  await run(page, 0);
  await expect(cells(page).nth(0)).toContainText('[*]:');
  // A kernel that is busy may not hear interrupts yet.
  await expect(
    cells(page).nth(0).locator('.jp-OutputArea-output')
  ).toContainText('begun');
  await begin(page, 'notebook:interrupt-kernel');
  await expect(toasts(page, /stop\.ipynb: interrupted after/)).toBeVisible();
  expect((await inbox(1))[0].type).toBe('warning');
});

test('A kernel that died is told of, whoever sees it if it was asked for', async () => {
  const dies = ['1', 'import os; os._exit(1)', '3'];
  await notebook(page, 'dies.ipynb', dies);
  await button(page).click();
  await begin(page, 'notebook:run-all-cells');
  await expect(
    toasts(page, /dies\.ipynb: the kernel died after/)
  ).toBeVisible();
  expect((await inbox(1))[0].type).toBe('error');
  await lab.dismissAll();
  await page.getByRole('dialog').getByRole('button', { name: 'Ok' }).click();

  // If nobody saw the kernel die, the user is told without having asked for it.
  await notebook(page, 'unseen.ipynb', dies);
  await hide(page);
  await begin(page, 'notebook:run-all-cells');
  await expect
    .poll(async () => (await lab.list())[0]?.message)
    .toMatch(/unseen\.ipynb: the kernel died after/);
  await inbox(1);
  await page.getByRole('dialog').getByRole('button', { name: 'Ok' }).click();
});

test('A long cell is told of if its tab was hidden, and after the time of the setting', async () => {
  await notebook(page, 'long.ipynb', [WAIT, '"last"']);
  const runFor = async (minutes: number) => {
    await run(page, 0);
    await untilBusy(page);
    await pass(page, minutes);
    go();
    await expect(cells(page).nth(0)).toContainText(/\[\d+\]:/);
  };
  await runFor(6);
  await hide(page);
  await runFor(4);
  await runFor(6);
  const [row] = await inbox(1);
  expect(row.message).toMatch(/^long\.ipynb: done in 6 min/);

  await setSetting(page, CENTER, 'longCells', 1);
  await runFor(2);
  await inbox(2);
  await setSetting(page, CENTER, 'longCells', 0);
  await runFor(60);
  await setSetting(page, CENTER, 'longCells', 5);
  await runFor(6);
  // If there had been a message about the run before, there would be four.
  expect((await inbox(3))[1].message).toMatch(/done in 2 min/);
});

test('A long cell is told of if its notebook was behind another tab', async () => {
  await notebook(page, 'behind.ipynb', [WAIT]);
  await run(page, 0);
  await untilBusy(page);
  await notebook(page, 'front.ipynb', ['1']);
  await pass(page, 7);
  go();
  await expect(toasts(page, /behind\.ipynb: done in 7 min/)).toBeVisible();
  await pressToast(toasts(page), 'Go to cell');
  await expect(cells(page).nth(0)).toContainText('os.path.exists');
});

test('Without notebooks nothing is missed', async ({ browser }) => {
  const bare = new Lab();
  const problems: string[] = [];
  try {
    await bare.start();
    const folder = path.join(path.dirname(bare.root), 'config', 'labconfig');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(
      path.join(folder, 'page_config.json'),
      JSON.stringify({
        disabledExtensions: { '@jupyterlab/notebook-extension': true }
      })
    );
    const context = await browser.newContext();
    context.on('console', message => {
      if (
        message.type() === 'error' &&
        message.text().includes('jupyterlab_notify')
      ) {
        problems.push(message.text());
      }
    });
    const tab = await bare.open(browser, { context });
    await bare.push('No notebook');
    await expect(toasts(tab, 'No notebook')).toBeVisible();
    expect(problems).toEqual([]);
    await context.close();
  } finally {
    await bare.stop();
  }
});

test('In Notebook 7 it is the same', async ({ browser }) => {
  const classic = new Lab({ app: 'notebook', beside: lab });
  try {
    await classic.start();
    await notebook(page, 'classic.ipynb', ['1', '2'], classic);
    const tab = await classic.open(browser, {
      path: 'notebooks/classic.ipynb'
    });
    await untilKernel(tab);
    await button(tab).click();
    await expect(button(tab)).toHaveAttribute('aria-pressed', 'true');
    await begin(tab, 'notebook:run-all-cells');
    await expect(
      toasts(tab, /classic\.ipynb: 2 cells done in \d/)
    ).toBeVisible();
    await ask(tab, 1);
    await run(tab, 1);
    await expect(toasts(tab, /classic\.ipynb: done in \d/)).toBeVisible();
    await tab.context().close();
  } finally {
    await classic.stop();
  }
});
