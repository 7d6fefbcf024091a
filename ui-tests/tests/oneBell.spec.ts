/**
 * One bell, one number: JupyterLab's own bell is hidden, what it lists is in the center, and the
 * number is in the page's title.
 */
import type { Locator, Page } from '@playwright/test';

import { hasNoViolations } from './axe';
import {
  badge,
  center,
  closeCenter,
  expect,
  openCenter,
  rows,
  runCommand,
  setSetting,
  setTheme,
  test,
  toasts,
  untilLauncher,
  useLab
} from './lab';

const CENTER = 'jupyterlab_notify:center';

for (const app of ['lab', 'notebook'] as const) {
  test.describe(app === 'lab' ? 'In JupyterLab' : 'In Notebook', () => {
    const lab = useLab({ app });
    let page: Page;

    test.beforeAll(async ({ browser }) => {
      page = await lab.open(browser);
      if (app === 'lab') {
        await untilLauncher(page);
      }
    });

    test.beforeEach(async () => {
      await lab.dismissAll();
      await clear(page);
      await expect(badge(page)).toHaveCount(0);
    });

    test('Their toasts stand off the open center too, also before there was one of ours', async () => {
      await openCenter(page);
      await say(page, 'of another extension');
      const toast = page.locator('.Toastify__toast', {
        hasText: 'of another extension'
      });
      const right = async () => {
        const box = (await toast.boundingBox())!;
        return box.x + box.width;
      };
      const panel = (await center(page).boundingBox())!;
      await expect.poll(right).toBeLessThanOrEqual(panel.x);
      await closeCenter(page);
      await expect.poll(right).toBeGreaterThan(panel.x);
    });

    test("JupyterLab's bell and its Show Notifications are hidden, until a setting brings them back", async () => {
      await expect(labBell(page)).toBeHidden();
      await expect(await showItem(page)).toBeHidden();
      // No separator of the menu follows another one.
      expect(await doubleSeparators(page)).toBe(0);

      await setSetting(page, CENTER, 'jupyterlabBell', true);
      // Notebook's file list has no place for that bell, but has the menu item.
      if (app === 'lab') {
        await expect(labBell(page)).toBeVisible();
      }
      await expect(await showItem(page)).toBeVisible();
      await setSetting(page, CENTER, 'jupyterlabBell', false);
      await expect(labBell(page)).toBeHidden();
      await expect(await showItem(page)).toBeHidden();
    });

    test('The number of unread ones is the same at the bell, in the center and in the title', async () => {
      await expect(page).toHaveTitle(/^\w/);
      const plain = await page.title();
      await openCenter(page);
      await lab.push({ message: 'one', autoClose: 0 });
      await lab.push({ message: 'two', autoClose: 0 });
      await expect(badge(page)).toHaveText('2');
      await expect(center(page).getByText('2 unread')).toBeVisible();
      await expect(page).toHaveTitle(`(2) ${plain}`);

      // JupyterLab writes a new title with each document.
      await page.evaluate(() => (document.title = 'other.ipynb'));
      await expect(page).toHaveTitle('(2) other.ipynb');
      // This tab's own messages are not counted with those that are kept.
      await say(page, 'of this tab');
      await expect(thisTab(page)).toContainText('of this tab');
      await expect(badge(page)).toHaveText('2');
      await expect(page).toHaveTitle(/^\(2\) \w/);

      await setSetting(page, CENTER, 'countInTitle', false);
      await expect(page).toHaveTitle(/^\w/);
      await setSetting(page, CENTER, 'countInTitle', true);
      await expect(page).toHaveTitle(/^\(2\) \w/);
      await lab.dismissAll();
      await expect(page).toHaveTitle(/^\w/);
    });

    test('What JupyterLab and other extensions say is on top of the center, with buttons and progress, while it lasts', async () => {
      await openCenter(page);
      await expect(thisTab(page)).toHaveCount(0);
      await lab.push({ message: 'a message of ours', type: 'error' });
      await expect(rows(page, 'a message of ours')).toBeVisible();
      await expect(toasts(page, 'a message of ours')).toBeVisible();
      // The message has a row, so its toast is not listed a second time.
      await expect(thisTab(page)).toHaveCount(0);

      const id = await say(page, 'Building the extension', {
        type: 'in-progress',
        progress: 0.25
      });
      const item = items(page, 'Building the extension');
      await expect(item).toBeVisible();
      const bar = item.getByRole('progressbar');
      await expect(bar).toHaveAttribute('aria-valuenow', '25');
      await runCommand(page, 'apputils:update-notification', {
        id,
        message: 'Building the extension',
        type: 'in-progress',
        progress: 0.75
      });
      await expect(bar).toHaveAttribute('aria-valuenow', '75');
      const above = (await thisTab(page).boundingBox())!;
      const row = (await rows(page, 'a message of ours').boundingBox())!;
      expect(above.y + above.height).toBeLessThanOrEqual(row.y);
      for (const theme of ['dark', 'light'] as const) {
        if (app === 'lab') {
          await setTheme(page, theme);
        }
        await hasNoViolations(page, '#jp-notify-center');
      }

      await say(page, 'A new version is there', { button: 'Reload' });
      await items(page, 'A new version is there')
        .getByRole('button', { name: 'Reload' })
        .click();
      await expect(items(page, 'A new version is there')).toHaveCount(0);
      expect(await page.evaluate(() => (window as any).pressed)).toEqual([
        'Reload'
      ]);

      await item.getByRole('button', { name: 'Dismiss' }).click();
      await expect(item).toHaveCount(0);
      await runCommand(page, 'apputils:notify', { message: 'by a command' });
      await expect(items(page, 'by a command')).toBeVisible();
      await thisTab(page).getByRole('button', { name: 'Clear' }).click();
      await expect(thisTab(page)).toHaveCount(0);
      // Clearing left ours alone.
      await expect(rows(page, 'a message of ours')).toHaveClass(
        /jp-mod-unread/
      );
      await expect(toasts(page, 'a message of ours')).toBeVisible();
    });

    test('The ring around the center is whole beside them, and their buttons stand off the ground', async () => {
      await openCenter(page);
      const id = await say(page, 'Something', { button: 'Reload' });
      await lab.push({ message: 'the last one', autoClose: 0 });
      await rows(page, 'the last one').focus();
      await page.keyboard.press('e');
      await expect(rows(page)).toHaveCount(0);
      await expect(
        center(page).locator('.jp-NotifyCenter-content')
      ).toBeFocused();

      const panel = (await center(page).boundingBox())!;
      const ground = (await thisTab(page).boundingBox())!;
      const button = (await items(page, 'Something')
        .getByRole('button', { name: 'Reload' })
        .boundingBox())!;
      /** A picture of one pixel, as text. */
      const pixel = async (x: number, y: number) =>
        (
          await page.screenshot({ clip: { x, y, width: 1, height: 1 } })
        ).toString('base64');
      const edge = Math.floor(panel.x + panel.width) - 1;
      const ring = await pixel(edge, panel.y + 20);
      expect(await pixel(edge, ground.y + 12)).toBe(ring);
      expect(await pixel(edge, ground.y + ground.height - 6)).toBe(ring);
      expect(await pixel(edge - 5, ground.y + 12)).not.toBe(ring);

      const [onGround, onButton] = await page.evaluate(
        ([x, y]) => {
          const brightness = (node: Element) => {
            const context = document.createElement('canvas').getContext('2d')!;
            context.fillStyle = getComputedStyle(node).backgroundColor;
            context.fillRect(0, 0, 1, 1);
            return context.getImageData(0, 0, 1, 1).data[0];
          };
          const button = document
            .elementFromPoint(x, y)!
            .closest('.jp-NotifyAction')!;
          return [
            brightness(button.closest('.jp-NotifyThisTab')!),
            brightness(button)
          ];
        },
        [button.x + 3, button.y + button.height / 2]
      );
      expect(Math.abs(onGround - onButton)).toBeGreaterThan(15);
      await runCommand(page, 'apputils:dismiss-notification', { id });
    });

    test('Long and many ones of this tab leave the list its room', async () => {
      await openCenter(page);
      await lab.push({ message: 'still in sight', autoClose: 0 });
      await say(page, 'word '.repeat(600));
      for (let index = 0; index < 12; index++) {
        await say(page, `one of many, ${index}`);
      }
      await expect(items(page)).toHaveCount(13);
      await expect(rows(page, 'still in sight')).toBeInViewport({ ratio: 1 });
      const section = (await thisTab(page).boundingBox())!;
      const panel = (await center(page).boundingBox())!;
      expect(section.height).toBeLessThanOrEqual(panel.height * 0.42);
      expect(section.width).toBeLessThanOrEqual(panel.width);
    });
  });
}

function labBell(page: Page): Locator {
  return page.locator('.jp-Notification-Status');
}

function thisTab(page: Page): Locator {
  return center(page).getByRole('region', { name: 'This tab' });
}

function items(page: Page, text?: string): Locator {
  const all = thisTab(page).getByRole('listitem');
  return text === undefined ? all : all.filter({ hasText: text });
}

/** Open the menu View, and return its item that shows JupyterLab's list. */
async function showItem(page: Page): Promise<Locator> {
  await openView(page);
  return page.locator(
    '.lm-Menu-content [data-command="apputils:display-notifications"]'
  );
}

async function openView(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByRole('menuitem', { name: 'View', exact: true }).click();
  await expect(page.locator('.lm-Menu-content').first()).toBeVisible();
}

/** Count the visible separators of the menu View that follow another one. */
async function doubleSeparators(page: Page): Promise<number> {
  return page
    .locator('.lm-Menu-content')
    .first()
    .evaluate(menu => {
      const types = Array.from(menu.querySelectorAll('.lm-Menu-item'))
        .filter(item => item.checkVisibility())
        .map(item => item.getAttribute('data-type'));
      return types.filter(
        (type, index) => type === 'separator' && types[index - 1] === type
      ).length;
    });
}

/** Say something as an extension does; the button runs a command that notes its label. */
async function say(
  page: Page,
  message: string,
  options: { type?: string; progress?: number; button?: string } = {}
): Promise<string> {
  return page.evaluate(
    async ([message, { type, progress, button }]) => {
      const held = window as any;
      const { commands } = held.jupyterapp;
      if (!commands.hasCommand('test:press')) {
        held.pressed = [];
        commands.addCommand('test:press', {
          execute: ({ label }: { label: string }) => held.pressed.push(label)
        });
      }
      const actions = button
        ? [{ label: button, commandId: 'test:press', args: { label: button } }]
        : [];
      const id = await commands.execute('apputils:notify', {
        message,
        type: type ?? 'info',
        options: { autoClose: false, progress, actions }
      });
      (held.said ??= []).push(id);
      return id;
    },
    [message, options] as const
  );
}

/** Remove the messages of this tab. */
async function clear(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const held = window as any;
    for (const id of held.said ?? []) {
      await held.jupyterapp.commands.execute('apputils:dismiss-notification', {
        id
      });
    }
    held.said = [];
  });
}
