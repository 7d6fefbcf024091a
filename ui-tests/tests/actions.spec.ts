/**
 * Buttons of a notification: their effects, and the questions that they ask first.
 */
import type { Page } from '@playwright/test';
import * as http from 'http';
import type { AddressInfo } from 'net';

import {
  badge,
  closeCenter,
  expect,
  openCenter,
  pressToast,
  rows,
  setSetting,
  SETTINGS,
  test,
  toasts,
  untilLauncher,
  useLab
} from './lab';

const lab = useLab();
let page: Page;

test.beforeAll(async ({ browser }) => {
  page = await lab.open(browser);
  await untilLauncher(page);
  // The commands that a notification asks to run, with their arguments.
  await page.evaluate(() => {
    const calls: unknown[] = ((window as any).calls = []);
    (window as any).jupyterapp.commands.addCommand('test:record', {
      label: 'Record a Call',
      execute: (args: unknown) => calls.push(args)
    });
  });
});

test.beforeEach(async () => {
  await lab.dismissAll();
  await closeCenter(page);
  await expect(toasts(page)).toHaveCount(0);
  await page.evaluate(() => {
    (window as any).calls.length = 0;
  });
});

const calls = () => page.evaluate(() => (window as any).calls);
const dialog = () => page.getByRole('dialog');

/** Push a notification with one button, and click that in its toast. */
async function pushAndClick(
  action: Record<string, unknown>,
  more: Record<string, unknown> = {}
): Promise<string> {
  const { notification_id } = await lab.push({
    message: 'The run is ready.',
    source: 'queue',
    autoClose: false,
    actions: [{ label: 'Go', ...action }],
    ...more
  });
  await pressToast(toasts(page), 'Go');
  return notification_id;
}

test('a command on the list of the site runs at once', async () => {
  const files = page.locator('#filebrowser');
  await page.evaluate(() =>
    (window as any).jupyterapp.commands.execute('filebrowser:activate')
  );
  await expect(files).toBeVisible();
  const id = await pushAndClick({ commandId: 'filebrowser:toggle-main' });
  await expect(files).toBeHidden();
  await expect(dialog()).toHaveCount(0);
  // It was answered: it no longer asks for attention.
  await expect(toasts(page)).toHaveCount(0);
  await expect(badge(page)).toBeHidden();
  // The tab shows the change before the server has it.
  await expect
    .poll(() => lab.list())
    .toMatchObject([{ id, read: expect.any(String), dismissed: null }]);
});

test('another command is named first, and runs only when the user agrees', async () => {
  await pushAndClick({
    commandId: 'test:record',
    args: { path: 'results/run 12.csv' }
  });
  await expect(dialog()).toContainText('Run “Record a Call”?');
  await expect(dialog()).toContainText('“Go” from queue');
  await expect(dialog()).toContainText('test:record');
  await expect(dialog()).toContainText('results/run 12.csv');
  expect(await calls()).toEqual([]);

  await dialog().getByRole('button', { name: 'Run' }).click();
  await expect.poll(calls).toEqual([{ path: 'results/run 12.csv' }]);
  await expect(toasts(page)).toHaveCount(0);
});

test('another command does not run when the user cancels, nor by the Enter key', async () => {
  await pushAndClick({ commandId: 'test:record' });
  await dialog().getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog()).toHaveCount(0);
  // Nothing was answered yet.
  await expect(toasts(page)).toHaveCount(1);
  await expect(badge(page)).toHaveText('1');

  await pressToast(toasts(page), 'Go');
  await expect(dialog().getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog()).toHaveCount(0);

  // A later command runs, so the earlier ones would have run by now.
  await pressToast(toasts(page), 'Go');
  await dialog().getByRole('button', { name: 'Run' }).click();
  await expect.poll(calls).toHaveLength(1);
});

test('the list of commands is a setting', async () => {
  await setSetting(page, SETTINGS, 'allowedCommands', ['test:record']);
  await pushAndClick({ commandId: 'test:record', args: { n: 1 } });
  await expect.poll(calls).toEqual([{ n: 1 }]);
  await expect(dialog()).toHaveCount(0);

  await expect(toasts(page)).toHaveCount(0);
  await setSetting(page, SETTINGS, 'allowedCommands', []);
  await pushAndClick({ commandId: 'filebrowser:toggle-main' });
  await expect(dialog()).toContainText('filebrowser:toggle-main');
  await dialog().getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog()).toHaveCount(0);
});

test('a listed command asks first when it carries what is not listed', async () => {
  await setSetting(page, SETTINGS, 'allowedCommands', [
    'test:record',
    'docmanager:open'
  ]);
  await setSetting(page, SETTINGS, 'allowedArguments', {
    'test:record': ['n', 'toString'],
    'docmanager:open': ['path']
  });
  await pushAndClick({ commandId: 'test:record', args: { n: 1 } });
  await expect.poll(calls).toEqual([{ n: 1 }]);
  await expect(toasts(page)).toHaveCount(0);
  for (const [commandId, args, said] of [
    ['test:record', { n: 1, other: 'start' }, 'start'],
    ['test:record', { n: { kernel: 'python3' } }, 'kernel'],
    ['test:record', { n: ['first'] }, 'first'],
    ['test:record', { N: 1 }, '"N"'],
    ['test:record', { constructor: 1 }, 'constructor'],
    [
      'docmanager:open',
      { path: 'new.ipynb', factory: 'Notebook', kernel: { name: 'python3' } },
      'python3'
    ]
  ] as const) {
    await pushAndClick({ commandId, args });
    await expect(dialog()).toContainText('wants to run this command');
    await expect(dialog()).toContainText(said);
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await expect(dialog()).toHaveCount(0);
    await lab.dismissAll();
    await expect(toasts(page)).toHaveCount(0);
  }
  expect(await calls()).toEqual([{ n: 1 }]);
  expect((await lab.api('GET', 'api/sessions')).body).toEqual([]);
});

test('a command that does not exist says so', async () => {
  await pushAndClick({ commandId: 'no-such:command' });
  await expect(dialog()).toContainText('This command is not available');
  await expect(dialog()).toContainText('no-such:command');
  await dialog().getByRole('button').first().click();
  await expect(dialog()).toHaveCount(0);
  await expect(toasts(page)).toHaveCount(1);
});

test('a command that fails says so', async () => {
  await page.evaluate(() => {
    (window as any).jupyterapp.commands.addCommand('test:fail', {
      execute: () => Promise.reject(new Error('The disk is full.'))
    });
  });
  await pushAndClick({ commandId: 'test:fail' });
  await dialog().getByRole('button', { name: 'Run' }).click();
  await expect(dialog()).toContainText('The disk is full.');
  await dialog().getByRole('button').first().click();
  await expect(dialog()).toHaveCount(0);
  await expect(badge(page)).toHaveText('1');
});

test.describe('a link', () => {
  let target: http.Server;
  let url: string;
  let referrer: string | undefined;

  test.beforeAll(async () => {
    target = http.createServer((request, response) => {
      if (request.url?.startsWith('/report')) {
        referrer = request.headers.referer;
      }
      response.setHeader('Content-Type', 'text/html');
      response.end('<title>The report</title>');
    });
    await new Promise<void>(resolve => target.listen(0, '127.0.0.1', resolve));
    const { port } = target.address() as AddressInfo;
    url = `http://127.0.0.1:${port}/report?run=12`;
  });

  test.afterAll(() => {
    target.close();
    target.closeAllConnections();
  });

  for (const where of ['toast', 'center'] as const) {
    test(`opens a new tab that knows nothing of this one, from the ${where}`, async () => {
      const opened = page.context().waitForEvent('page');
      const before = page.url();
      if (where === 'toast') {
        await pushAndClick({ url });
      } else {
        await lab.push({
          message: 'The run is ready.',
          autoClose: 0,
          actions: [{ label: 'Go', url }]
        });
        await openCenter(page);
        await rows(page).locator('.jp-NotifyRow-summary').click();
        await rows(page).getByRole('button', { name: 'Go' }).click();
      }
      const tab = await opened;
      await expect(tab).toHaveTitle('The report');
      expect(tab.url()).toBe(url);
      expect(await tab.evaluate(() => window.opener)).toBeNull();
      expect(referrer).toBeUndefined();
      expect(page.url()).toBe(before);
      await tab.close();
      await expect(badge(page)).toBeHidden();
    });
  }
});

test('a link that is neither web nor mail is refused when it comes in', async () => {
  for (const url of ['javascript:alert(1)', 'file:///etc/passwd', 'data:,x']) {
    const answer = await lab.api('POST', 'jupyterlab-notify/ingest', {
      message: 'Click!',
      actions: [{ label: 'Go', url }]
    });
    expect(answer.status).toBe(400);
  }
  expect(await lab.list()).toEqual([]);
});

test('a button with neither closes', async () => {
  const id = await pushAndClick({});
  await expect(toasts(page)).toHaveCount(0);
  await expect(badge(page)).toBeHidden();
  await expect
    .poll(() => lab.list('inbox', 1))
    .toMatchObject([{ id, closed: expect.any(String), dismissed: null }]);
});

test('what its sender keeps in sight is read, not closed, by such a button', async () => {
  const id = await pushAndClick({}, { dismissable: false });
  await expect(toasts(page)).toHaveCount(0);
  await expect(badge(page)).toBeHidden();
  expect(await lab.list()).toMatchObject([
    { id, closed: null, dismissed: null }
  ]);
  await lab.revoke(id);
});
