/**
 * The user's own programs: the README's lines in a shell, a script with a progress, and a cell of a
 * notebook.
 */
import type { Page } from '@playwright/test';
import { type ChildProcess, spawn } from 'child_process';
import * as fs from 'fs';
import * as path from 'path';

import {
  closeCenter,
  badge,
  center,
  expect,
  openCenter,
  rows,
  test,
  toastEvents,
  SETTINGS,
  toasts,
  untilKernel,
  useLab
} from './lab';
import { writeNotebook } from './notebookFile';

const lab = useLab({
  // A command may take longer to end than a toast usually stays.
  settings: { [SETTINGS]: { defaultAutoClose: 0 } }
});
let page: Page;

test.beforeAll(async ({ browser }) => {
  fs.writeFileSync(path.join(lab.root, 'report.md'), '# What failed\n');
  fs.writeFileSync(path.join(lab.root, 'Makefile'), 'all:\n\t@echo made\n');
  page = await lab.open(browser);
  // All toasts of these tests have room.
  await page.setViewportSize({ width: 1280, height: 1600 });
});

/** Start a program on the server's machine, outside of it; it reads what is written to it. */
function start(command: string, ...args: string[]): ChildProcess {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(JUPYTER|JPY_)/.test(name)
    )
  );
  const runtime = path.join(path.dirname(lab.root), 'runtime');
  return spawn(command, args, {
    cwd: lab.root,
    env: { ...env, JUPYTER_RUNTIME_DIR: runtime },
    stdio: ['pipe', 'inherit', 'inherit']
  });
}

/** Begin a command of JupyterLab, whose result is no JSON. */
async function begin(
  page: Page,
  id: string,
  args: Record<string, unknown> = {}
): Promise<void> {
  await page.evaluate(
    ([id, args]) => {
      void (window as any).jupyterapp.commands.execute(id, args);
    },
    [id, args] as [string, any]
  );
}

/** Run a program to its end, and expect that it succeeds. */
async function run(command: string, ...args: string[]): Promise<void> {
  const child = start(command, ...args);
  child.stdin!.end();
  const code = await new Promise(resolve => child.once('exit', resolve));
  expect(code, args.join(' ')).toBe(0);
}

/** The blocks of a section of the README, as they stand there. */
function readme(heading: string, language: string): string[] {
  const text = fs.readFileSync(
    path.join(__dirname, '..', '..', 'README.md'),
    'utf8'
  );
  const section = text.split(`\n### ${heading}\n`)[1].split('\n### ')[0];
  return section
    .split('```' + language + '\n')
    .slice(1)
    .map(block => block.split('```')[0].trim());
}

test('Each line of the README that shows something shows it', async () => {
  const lines = readme('From a terminal', 'bash')[0].split('\n');
  const line = (begin: string) => {
    const found = lines.filter(each => each.includes(begin));
    expect(found).toHaveLength(1);
    return found[0];
  };
  const shell = (text: string) => run('bash', '-c', text);
  // While the center is open, it shows what toasts would.
  await closeCenter(page);

  await shell(line('Deployment complete'));
  await expect(toasts(page, 'Deployment complete')).toBeVisible();

  await shell(line('Nightly run failed'));
  await expect(toasts(page, 'Nightly run failed')).toBeVisible();

  await shell(line('Run ended'));
  const ended = toasts(page, 'Run ended');
  // One that has folded opens under the pointer.
  await ended.hover();
  await expect(ended.getByRole('button', { name: 'Open log' })).toBeVisible();

  await openCenter(page);
  await expect(rows(page, 'Deployment complete')).toBeVisible();

  await shell(line('Epoch 31 of 50'));
  const bar = rows(page, 'Epoch 31 of 50').getByRole('progressbar');
  await expect(bar).toHaveAttribute('aria-valuenow', '62');

  await shell(line('Build ended'));
  await expect(rows(page, 'Build ended')).toBeVisible();
  expect(await toastEvents(page, 'Build ended')).toEqual([]);

  await shell(line('notify run'));
  await expect(rows(page, 'make: done in')).toBeVisible();

  // The bell's number comes after the row.
  await expect(badge(page)).toHaveText('6');
  await shell(line('notify read'));
  await expect(badge(page)).toHaveText('5');

  await shell(line('notify revoke'));
  await expect(rows(page, 'Epoch 31 of 50')).toHaveCount(0);

  await shell(line('notify done'));
  await expect(rows(page)).toHaveCount(0);
  await expect(toasts(page)).toHaveCount(0);
});

test('The bar of a tracked loop moves, and the loop ends in success', async () => {
  await openCenter(page);
  const script = start(
    'python',
    '-c',
    `
from jupyterlab_notify import notify
for batch in notify.track(range(40), "Fitting"):
    if batch % 8 == 4:
        input()
`
  );
  const ended = new Promise(resolve => script.once('exit', resolve));
  const bar = rows(page, 'Fitting').getByRole('progressbar');
  // The script goes on once its progress was seen.
  for (const percent of ['10', '30', '50', '70', '90']) {
    await expect(bar).toHaveAttribute('aria-valuenow', percent);
    script.stdin!.write('\n');
  }
  expect(await ended).toBe(0);
  await expect(rows(page, /Fitting: done, 40 in/)).toBeVisible();
  await expect(rows(page, 'Fitting')).toHaveCount(1);
});

test('Of a program that was killed its notification says so', async () => {
  await openCenter(page);
  const script = start(
    'python',
    '-c',
    `
import time
import jupyter_notify.progress as progress
progress.HEARTBEAT_S = 5
from jupyterlab_notify import notify
with notify.progress("Simulating", total=10) as p:
    p.update(3)
    time.sleep(60)
`
  );
  const row = rows(page, 'Simulating');
  // The progress may be sent once before its first step.
  await expect(row.getByRole('progressbar')).toHaveAttribute(
    'aria-valuenow',
    '30'
  );
  script.kill('SIGKILL');
  await expect(row).toContainText(
    /Stopped reporting at \d+:\d+\s(AM|PM), at 30\s?%/
  );
  await expect(row.getByRole('progressbar')).toHaveCount(0);
});

test('A program that asks waits for the answer, and no longer than it said', async () => {
  await openCenter(page);
  const ask = (name: string, question: string, options: string) => {
    const script = start(
      'python',
      '-c',
      `
from jupyterlab_notify import notify
answer = notify.ask(${JSON.stringify(question)}, ${options})
open("${name}", "w").write(repr(answer))
`
    );
    return new Promise(resolve => script.once('exit', resolve));
  };
  const said = (name: string) =>
    fs.readFileSync(path.join(lab.root, name), 'utf8');

  const answered = ask(
    'chosen',
    'Loss is rising. Continue?',
    'choices=["Stop", "Continue"]'
  );
  const row = rows(page, 'Loss is rising. Continue?');
  await row.getByRole('button', { name: 'Continue', exact: true }).click();
  expect(await answered).toBe(0);
  expect(said('chosen')).toBe("'Continue'");
  await expect(row).toContainText('You answered: Continue');

  const late = ask('late', 'Is anybody there?', 'timeout=8');
  await expect(rows(page, 'Is anybody there?')).toBeVisible();
  expect(await late).toBe(0);
  expect(said('late')).toBe('None');
  await expect(rows(page, 'Is anybody there?')).toHaveCount(0);
});

test('Each block of the README in a notebook shows what it says, and the button of a cell leads to the cell', async () => {
  const blocks = readme('From Python', 'python');
  expect(blocks.length).toBeGreaterThan(4);
  writeNotebook(lab.root, 'cells.ipynb', [
    {
      id: 'first',
      source: `import base64, time
figure = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==")
loader = [1, 2, 3, 4]
def train(batch):
    time.sleep(0.02)`
    },
    ...blocks.map((source, index) => ({ id: `block-${index}`, source })),
    { id: 'next', source: 'pass' }
  ]);
  await begin(page, 'docmanager:open', { path: 'cells.ipynb' });
  await expect(page.locator('.jp-Notebook .jp-CodeCell')).toHaveCount(
    blocks.length + 2
  );
  await untilKernel(page);
  await begin(page, 'notebook:run-all-cells');
  // Look in the center, where the message stays however long the kernel takes to start.
  await openCenter(page);
  const row = rows(page, 'The training: done in');
  await row.locator('.jp-NotifyRow-summary').click({ timeout: 120_000 });
  for (const text of [
    /Done/,
    /Stored/,
    /Training done/,
    /Training: done, 4 in/,
    /Copying: done, 3 in .*, c/,
    /Evaluating: done, 4 in/,
    /The disk is full/
  ]) {
    await expect(
      rows(page).locator('.jp-NotifyRow-summary', { hasText: text })
    ).toHaveCount(1);
  }
  await expect(center(page).getByRole('progressbar')).toHaveCount(0);
  const active = page.locator('.jp-Notebook .jp-CodeCell.jp-mod-active');
  await expect(active).toContainText('pass');

  await row.getByRole('button', { name: 'Go to cell' }).click();
  await expect(active).toContainText('The training');
});
