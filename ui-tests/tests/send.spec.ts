/**
 * Sending from inside JupyterLab: the token for other extensions, the command and its form, and
 * the command that goes to a cell.
 */
import type { Page } from '@playwright/test';

import { hiddenHeight } from './boxes';
import {
  closeCenter,
  expect,
  pressToast,
  runCommand,
  runFromPalette,
  setTheme,
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
  await page.evaluate(async () => {
    const app = (window as any).jupyterapp;
    for (const token of (app.pluginRegistry ?? app)._services.keys()) {
      if (token.name === 'jupyterlab_notify:INotifications') {
        (window as any).notifications = await app.resolveRequiredService(token);
      }
    }
  });
});

test.beforeEach(async () => {
  await lab.dismissAll();
  await closeCenter(page);
  await expect(toasts(page)).toHaveCount(0);
});

test.describe('Another extension', () => {
  // Longer than a screen: the life of one notification, part of it in the page.
  test('emits, updates in order and revokes what every tab shows, and is told of it', async () => {
    const told = await page.evaluate(async () => {
      const { notifications } = window as any;
      const seen: [string, number | null, boolean][] = [];
      const observing = notifications.observe(
        (row: any) =>
          seen.push([row.message, row.progress, row.revoked !== null]),
        { source: 'indexer' }
      );
      (window as any).seen = seen;
      (window as any).observing = observing;
      const sent = await notifications.emit('Indexing', {
        type: 'in-progress',
        progress: 0,
        source: 'indexer'
      });
      (window as any).sent = sent;
      // The updates are sent without waiting for one another.
      await Promise.all(
        [0.2, 0.4, 0.6, 0.8].map(progress =>
          notifications.update(sent, { progress })
        )
      );
      return sent;
    });
    expect(await lab.list()).toMatchObject([
      {
        id: told.id,
        key: told.key,
        message: 'Indexing',
        progress: 0.8,
        source: 'indexer'
      }
    ]);
    await expect(toasts(page, 'Indexing')).toHaveAttribute(
      'data-jp-notify-progress',
      '80'
    );

    await page.evaluate(() => {
      const { notifications, sent } = window as any;
      return notifications.update(sent, {
        type: 'success',
        message: 'Indexed'
      });
    });
    await expect(toasts(page, 'Indexed')).toHaveCount(1);
    await page.evaluate(() => {
      const { notifications, sent } = window as any;
      return notifications.revoke(sent);
    });
    await expect(toasts(page)).toHaveCount(0);
    expect(await lab.list()).toHaveLength(0);
    await expect
      .poll(() => page.evaluate(() => (window as any).seen.at(-1)[2]))
      .toBe(true);
    const seen = await page.evaluate(() => (window as any).seen);
    const progress = seen
      .filter(([message]: [string]) => message === 'Indexing')
      .map(([, value]: [string, number]) => value);
    expect(progress).toEqual([...progress].sort());
    expect(seen.map(([message]: [string]) => message)).toContain('Indexed');

    // After it was disposed, the observer is not called any more.
    const count = await page.evaluate(() => {
      (window as any).observing.dispose();
      return (window as any).seen.length;
    });
    await lab.push({ message: 'quota', source: 'indexer' });
    await expect(toasts(page, 'quota')).toHaveCount(1);
    expect(await page.evaluate(() => (window as any).seen.length)).toBe(count);
  });

  test('is told in a sentence what is wrong, and nothing is stored', async () => {
    const problem = await page.evaluate(() =>
      (window as any).notifications
        .emit('x', { progress: 2, type: 'in-progress' })
        .then(
          () => 'stored',
          (error: Error) => error.message
        )
    );
    expect(problem).toContain('progress');
    expect(await lab.list()).toHaveLength(0);
  });
});

test.describe('The command', () => {
  test('sends at once what it is given', async () => {
    const id = await page.evaluate(() =>
      (window as any).jupyterapp.commands.execute('jupyterlab-notify:send', {
        message: 'From a menu',
        type: 'success',
        autoClose: false
      })
    );
    await expect(toasts(page, 'From a menu')).toHaveCount(1);
    expect(await lab.list()).toMatchObject([
      { id, type: 'success', autoClose: false }
    ]);
  });

  test('asks with a form from the palette, and keeps what was typed when it is refused', async () => {
    await page.keyboard.press('Control+Shift+C');
    await runFromPalette(page, 'send a notif', 'jupyterlab-notify:send');
    const form = page.getByRole('dialog');
    await expect(form.getByLabel('Message')).toBeFocused();

    await form.getByRole('button', { name: 'Send' }).click();
    await expect(form.getByRole('alert')).toHaveText(
      'A notification needs a message.'
    );
    // All of its fields are in sight, also with the sentence.
    expect(await hiddenHeight(form)).toBe(0);
    await form.getByLabel('Message').fill('Lunch\nis here');
    await expect(form).toContainText('It goes to yourself');
    await form.getByLabel('Details').fill('With **pasta**');
    await form.getByLabel('Type').selectOption('Warning');
    await expect(form.getByLabel('Toast')).toHaveText(/^Default \(5 s\)/);
    await form.getByLabel('Toast').selectOption('Stays until it is closed');
    await form.getByLabel('Button (optional)').fill('Menu');
    await form.getByLabel('What the button opens').fill('https://a b/');
    await form.getByRole('button', { name: 'Send' }).click();
    await expect(form.getByRole('alert')).toHaveText(
      'This is not a whole web or mail address: https://a b/'
    );
    await expect(form.getByLabel('What the button opens')).toBeFocused();
    await expect(form.getByLabel('Message')).toHaveValue('Lunch\nis here');
    await expect(form.getByLabel('Type')).toHaveValue('warning');
    await form.getByLabel('What the button opens').fill('example.org');
    await form.getByRole('button', { name: 'Send' }).click();
    await expect(form.getByLabel('Button (optional)')).toHaveValue('Menu');
    await expect(form.getByRole('alert')).toContainText(
      'neither an address, which begins with “https://”, nor a command'
    );
    await form
      .getByLabel('What the button opens')
      .fill('https://example.org/menu');
    await form.getByRole('button', { name: 'Send' }).click();
    await expect(form).toHaveCount(0);
    await expect(
      toasts(page, 'Lunch').getByRole('button', { name: 'Menu' })
    ).toBeVisible();
    expect(await lab.list()).toMatchObject([
      {
        message: 'Lunch\nis here',
        type: 'warning',
        preview: 'With **pasta**',
        autoClose: false,
        source: 'JupyterLab',
        actions: [{ label: 'Menu', url: 'https://example.org/menu' }]
      }
    ]);
  });

  test('has a form whose fields look alike in each theme', async () => {
    for (const theme of ['dark', 'light'] as const) {
      await setTheme(page, theme);
      await page.evaluate(() => {
        void (window as any).jupyterapp.commands.execute(
          'jupyterlab-notify:send',
          { form: true }
        );
      });
      const look = (name: string) =>
        page.getByLabel(name).evaluate(field => {
          const { backgroundColor, color } = getComputedStyle(field);
          return JSON.stringify({ backgroundColor, color });
        });
      await expect
        .poll(
          async () =>
            (await look('Message')) === (await look('Button (optional)'))
        )
        .toBe(true);
      // JupyterLab gives a dialog the focus when the browser has time for that.
      await expect(page.getByLabel('Message')).toBeFocused();
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
    }
  });

  test('sends nothing when the form is left', async () => {
    await page.evaluate(() => {
      void (window as any).jupyterapp.commands.execute(
        'jupyterlab-notify:send',
        { message: 'draft', form: true }
      );
    });
    await expect(page.getByLabel('Message')).toHaveValue('draft');
    await expect(page.getByLabel('Message')).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    expect(await lab.list()).toHaveLength(0);
  });
});

test('A button goes to a cell, in a notebook that is closed, in sight or out of it', async () => {
  const cells = Array.from({ length: 60 }, (_, index) => ({
    id: `cell-${index}`,
    cell_type: 'code',
    source: `x = ${index}`,
    metadata: {},
    outputs: [],
    execution_count: null
  }));
  const { status } = await lab.api('PUT', 'api/contents/run.ipynb', {
    type: 'notebook',
    content: {
      cells,
      metadata: {
        kernelspec: { name: 'python3', display_name: 'Python 3' }
      },
      nbformat: 4,
      nbformat_minor: 5
    }
  });
  expect(status).toBe(201);
  const go = async (cellId: string, message: string) => {
    await lab.push({
      message,
      autoClose: false,
      actions: [
        {
          label: 'Go to cell',
          commandId: 'jupyterlab-notify:go-to-cell',
          args: { path: 'run.ipynb', cellId }
        }
      ]
    });
    await pressToast(toasts(page, message), 'Go to cell');
  };
  const active = () =>
    page.evaluate(() => {
      const panel = (window as any).jupyterapp.shell.currentWidget;
      return panel?.content?.activeCell?.model.id;
    });

  const activeCell = page.locator('.jp-Notebook .jp-Cell.jp-mod-active');
  await go('cell-50', 'The training ended');
  await expect(page.getByRole('tab', { name: 'run.ipynb' })).toBeVisible();
  await expect.poll(active).toBe('cell-50');
  await expect(activeCell).toBeInViewport();

  await runCommand(page, 'launcher:create');
  await go('cell-3', 'The plot is there');
  await expect.poll(active).toBe('cell-3');
  await expect(activeCell).toBeInViewport();

  await go('cell-deleted', 'What is gone');
  await expect(page.getByRole('dialog')).toContainText('The cell is not there');
  await page.getByRole('dialog').getByRole('button').click();
});
