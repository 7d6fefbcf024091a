/**
 * The welcome messages: when they are shown, how they are read, and how a user
 * keeps them from being shown again.
 */
import type { BrowserContext, Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import { hasNoViolations } from './axe';
import { buttonOf, staysQuiet, titleOf } from './greeting';
import {
  expect,
  openSettings,
  runCommand,
  setTheme,
  test,
  toastEvents,
  toasts,
  untilLauncher,
  untilReady,
  useLab,
  welcome
} from './lab';

const lab = useLab();

let context: BrowserContext;
let page: Page;

/** One pixel, for what only has to be an image. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

test.beforeAll(async ({ browser }) => {
  context = await browser.newContext({
    viewport: { width: 1280, height: 800 }
  });
  page = await lab.open(browser, { context });
});

test.afterAll(() => context?.close());

test.beforeEach(async () => {
  fs.rmSync(lab.welcomeFolder, { recursive: true });
  // As for a new user.
  const answer = await lab.api('POST', 'jupyterlab-notify/welcome/reset', {});
  expect(answer.status).toBe(200);
});

/** Load JupyterLab anew. */
async function again(tab = page): Promise<void> {
  await tab.reload();
  await untilReady(tab);
}

/** Wait until a toast with this text came, also one that is gone again. */
async function untilToast(text: string): Promise<void> {
  await expect.poll(() => toastEvents(page, text)).not.toEqual([]);
}

const title = () => titleOf(page);
const button = (name: string) => buttonOf(page, name);
const quiet = () => staysQuiet(page);

test('greets on start with Markdown and its images', async () => {
  fs.writeFileSync(
    path.join(lab.welcomeFolder, 'map.png'),
    Buffer.from(PIXEL, 'base64')
  );
  lab.greet(
    'hello',
    { title: 'Welcome to the platform' },
    `# First steps\n\nYour files are **safe**.\n\n![A map](map.png) ![A dot](data:image/png;base64,${PIXEL})\n\n| a | b |\n| - | - |\n| 1 | 2 |`
  );
  await again();
  const dialog = page.getByRole('dialog', { name: 'Welcome to the platform' });
  await expect(dialog).toBeVisible();
  await expect(dialog.locator('.jp-NotifyWelcome-body strong')).toHaveText(
    'safe'
  );
  await expect(dialog.locator('td')).toHaveText(['1', '2']);
  for (const name of ['A map', 'A dot']) {
    const image = dialog.getByRole('img', { name });
    await image.scrollIntoViewIfNeeded();
    await expect
      .poll(() => image.evaluate((node: HTMLImageElement) => node.naturalWidth))
      .toBe(1);
  }
  // One message has no pages.
  await expect(button('Next')).toHaveCount(0);
  await expect(dialog).not.toContainText('1 of 1');
});

test('keeps the keyboard in it, closes by Escape, and gives the focus back', async () => {
  lab.greet('hello', { title: 'Welcome' }, 'See [this](https://example.org).');
  await again();
  await untilLauncher(page);
  await expect(title()).toHaveText('Welcome');
  // A user who is typing when the dialog opens presses no button.
  await expect(page.locator('.jp-NotifyWelcome-body')).toBeFocused();
  // More than once around, in either direction.
  for (const key of ['Tab', 'Shift+Tab'] as const) {
    expect(await visit(key, 9)).toEqual(
      new Set([
        'the text',
        'this',
        'Don’t show this again',
        'Don’t show any welcome messages',
        'Close'
      ])
    );
  }
  await page.keyboard.press('Escape');
  await expect(welcome(page)).toHaveCount(0);

  const bell = page.locator('.jp-NotifyBell-button');
  await bell.focus();
  await runCommand(page, 'jupyterlab-notify:show-welcome');
  await expect(page.locator('.jp-NotifyWelcome-body')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(welcome(page)).toHaveCount(0);
  await expect(bell).toBeFocused();
});

test('keeps the keyboard in it from page to page', async () => {
  lab.greet('1-first', { title: 'First' }, 'One.');
  lab.greet('2-second', { title: 'Second' }, 'Two.');
  await again();
  await expect(title()).toHaveText('First');
  await button('Next').focus();
  await page.keyboard.press('Enter');
  await expect(title()).toHaveText('Second');
  // There is no next message: the button that had the focus cannot be pressed.
  await expect(page.locator('.jp-NotifyWelcome-body')).toBeFocused();
  for (const key of ['Tab', 'Shift+Tab'] as const) {
    expect(await visit(key, 9)).toEqual(
      new Set([
        'the text',
        'Don’t show this again',
        'Don’t show any welcome messages',
        'Back',
        'Close'
      ])
    );
  }
  await page.keyboard.press('Escape');
  await expect(welcome(page)).toHaveCount(0);
});

test('takes the blue button by Enter, from page to page and out', async () => {
  lab.greet('1-first', { title: 'First' }, 'One.');
  lab.greet('2-second', { title: 'Second' }, 'Two.');
  await again();
  for (const name of ['First', 'Second']) {
    await expect(title()).toHaveText(name);
    await expect(page.locator('.jp-NotifyWelcome-body')).toBeFocused();
    await page.waitForFunction(() =>
      document.querySelector('.jp-NotifyWelcome.jp-mod-ready')
    );
    await page.keyboard.press('Enter');
  }
  await expect(welcome(page)).toHaveCount(0);
});

test('has the toasts wait behind it', async () => {
  lab.greet('hello', { title: 'Welcome' }, 'x');
  await again();
  await expect(title()).toHaveText('Welcome');
  await lab.push({ message: 'Meanwhile.', autoClose: 60_000 });
  const toast = toasts(page, 'Meanwhile.');
  const clock = () =>
    toast
      .locator('.Toastify__progress-bar')
      .evaluate(node => getComputedStyle(node).animationPlayState);
  await expect.poll(clock).toBe('paused');
  await button('Close').click();
  await expect(welcome(page)).toHaveCount(0);
  await page.mouse.move(300, 700);
  await expect.poll(clock).toBe('running');
  await lab.dismissAll();
  await expect(toast).toHaveCount(0);
});

test('shows several messages as pages', async () => {
  for (const number of [1, 2, 3]) {
    lab.greet(`m${number}`, { title: `Message ${number}` }, `Text ${number}`);
  }
  await again();
  const shown: string[] = [];
  for (const number of [1, 2, 3]) {
    await expect(welcome(page)).toContainText(`${number} of 3`);
    shown.push((await title().textContent())!);
    if (number < 3) {
      await button('Next').click();
    }
  }
  expect(shown.sort()).toEqual(['Message 1', 'Message 2', 'Message 3']);
  await expect(button('Next')).toBeDisabled();
  await expect(page.locator('.jp-NotifyWelcome-body')).toBeFocused();
  await button('Back').click();
  await expect(welcome(page)).toContainText('2 of 3');
  await button('Close').click();
  await expect(welcome(page)).toHaveCount(0);
});

test('counts a view when it is closed, and comes until it was seen often enough', async () => {
  lab.greet('twice', { title: 'For the first two times', max_views: 2 }, 'x');
  for (let time = 0; time < 2; time++) {
    await again();
    await expect(title()).toHaveText('For the first two times');
    const counted = page.waitForResponse(/welcome\/seen/);
    await button('Close').click();
    await expect(welcome(page)).toHaveCount(0);
    expect((await counted).status()).toBe(200);
  }
  await quiet();
});

test('does not show again what the user does not want to see, only that', async () => {
  lab.greet('never', { title: 'Never again' }, 'x');
  lab.greet('stays', { title: 'Always there', dismissable: false }, 'x');
  await again();
  await expect(welcome(page)).toContainText('1 of 2');
  if ((await title().textContent()) !== 'Always there') {
    await button('Next').click();
  }
  await expect(title()).toHaveText('Always there');
  await expect(button('Don’t show this again')).toHaveCount(0);
  await (
    (await button('Next').isEnabled()) ? button('Next') : button('Back')
  ).click();
  await expect(title()).toHaveText('Never again');
  await button('Don’t show this again').click();
  // The other one is still to be read.
  await expect(title()).toHaveText('Always there');
  await expect(welcome(page)).not.toContainText('1 of');
  await button('Close').click();
  await again();
  await expect(title()).toHaveText('Always there');
  await expect(welcome(page)).not.toContainText('1 of');
  await button('Close').click();
});

test('shows none at all when the user wants none, until the reset in the Help menu', async () => {
  lab.greet('one', { title: 'One' }, 'x');
  lab.greet('two', { title: 'Two' }, 'x');
  await again();
  await button('Don’t show any welcome messages').click();
  await expect(welcome(page)).toHaveCount(0);
  await untilToast(
    '“Reset Welcome Messages” in the Help menu brings them back'
  );
  lab.greet('three', { title: 'Of later' }, 'x');
  await quiet();
  await untilLauncher(page);

  await page.getByRole('menuitem', { name: 'Help', exact: true }).click();
  await page
    .locator('#jp-mainmenu-help')
    .getByText('Reset Welcome Messages', { exact: true })
    .click();
  await expect(welcome(page)).toContainText('1 of 3');
  await button('Close').click();
  await expect(welcome(page)).toHaveCount(0);
});

test('says in the dialog when the server could not be told', async () => {
  lab.greet('hello', { title: 'Welcome' }, 'x');
  await again();
  await expect(title()).toHaveText('Welcome');
  await context.setOffline(true);
  try {
    await button('Don’t show this again').click();
    await expect(welcome(page).getByRole('alert')).toContainText(
      'The server cannot be reached'
    );
    await expect(button('Don’t show this again')).toBeEnabled();
  } finally {
    await context.setOffline(false);
  }
  await button('Don’t show this again').click();
  await expect(welcome(page)).toHaveCount(0);
});

test('has commands in the palette and the Help menu, and buttons in the settings', async () => {
  await quiet();
  // The launcher takes the focus, and the palette closes when it loses the focus.
  await untilLauncher(page);
  await runCommand(page, 'apputils:activate-command-palette');
  const palette = page.locator('#modal-command-palette');
  await palette.locator('input').fill('welcome');
  await expect(palette).toContainText('Show Welcome Messages');
  await expect(palette).toContainText('Reset Welcome Messages');
  await page.keyboard.press('Escape');
  await page.getByRole('menuitem', { name: 'Help', exact: true }).click();
  await page
    .locator('#jp-mainmenu-help')
    .getByText('Show Welcome Messages', { exact: true })
    .click();
  await untilToast('There are no welcome messages.');

  lab.greet('hello', { title: 'Welcome' }, 'x');
  await again();
  await button('Don’t show this again').click();
  await expect(welcome(page)).toHaveCount(0);
  const setting = await openSettings(page, 'Show Welcome Messages');
  await setting.getByRole('button', { name: 'Show Welcome' }).click();
  await expect(title()).toHaveText('Welcome');
  await button('Close').click();
  await setting.getByRole('button', { name: 'Reset Welcome' }).click();
  await expect(title()).toHaveText('Welcome');
  await button('Close').click();
});

for (const theme of ['light', 'dark'] as const) {
  test(`in the ${theme} theme axe finds nothing wrong with it`, async () => {
    lab.greet(
      'one',
      { title: 'Welcome to the platform' },
      '## First\n\nSome `code`, [a link](https://example.org), and\n\n```python\nprint("code")\n```\n\n> a quotation\n\n- [ ] a task'
    );
    lab.greet('two', { title: 'And one more' }, 'x');
    await again();
    await setTheme(page, theme);
    await expect(welcome(page)).toContainText('1 of 2');
    await hasNoViolations(page, '.jp-NotifyWelcome');
    await button('Close').click();
    await setTheme(page, 'light');
  });
}

/**
 * Press a key several times, and return where the focus was; the page itself counts as the
 * browser's own bars.
 */
async function visit(
  key: 'Tab' | 'Shift+Tab',
  times: number
): Promise<Set<string>> {
  const visited = new Set<string>();
  for (let step = 0; step < times; step++) {
    await page.keyboard.press(key);
    visited.add(
      await page.evaluate(() => {
        const node = document.activeElement!;
        return node === document.body
          ? 'the page'
          : node.matches('.jp-NotifyWelcome-body')
            ? 'the text'
            : node.closest('.jp-NotifyWelcome')
              ? node.textContent!
              : `outside: ${node.outerHTML.slice(0, 100)}`;
      })
    );
  }
  visited.delete('the page');
  return visited;
}
