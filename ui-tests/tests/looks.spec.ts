/**
 * What stays in sight while the look of the page changes: another theme, the colours of the user's
 * system, and texts from right to left.
 */
import type { Locator, Page } from '@playwright/test';

import { coveredParts } from './boxes';
import { backdate } from './database';
import {
  banners,
  center,
  expect,
  type Lab,
  openCenter,
  rows,
  runCommand,
  setSetting,
  setTheme,
  test,
  toastEvents,
  toasts,
  untilLauncher,
  untilMenu,
  useLab
} from './lab';

const lab = useLab();

test.beforeEach(() => lab.dismissAll());

test('Another theme leaves the list where one reads it', async ({
  browser
}) => {
  await pushMany(lab, 60);
  const page = await lab.open(browser);
  await openCenter(page);
  await expect(rows(page, 'message 59')).toBeVisible();
  await center(page)
    .getByRole('feed')
    .evaluate(node => node.scrollTo(0, 1500));
  const heading = center(page).locator('.jp-NotifyList-sticky');
  await expect(heading).toBeVisible();
  // Wait until the list has drawn and measured the rows that are in sight now.
  let read: string[] = [];
  await expect(async () => {
    const last = read;
    read = await inSight(page);
    expect(read.length).toBeGreaterThan(3);
    expect(read).not.toContain('message 59');
    expect(read).toEqual(last);
  }).toPass();
  for (const theme of ['dark', 'light'] as const) {
    await setTheme(page, theme);
    await expect.poll(() => inSight(page)).toEqual(read);
    await expect(heading).toBeVisible();
    // A message that then arrives on top moves no row, and is counted.
    await lab.push({ message: `arrived in ${theme}`, autoClose: 0 });
    await expect(center(page).locator('.jp-NotifyList-news')).toHaveText(
      theme === 'dark' ? '1 new' : '2 new'
    );
    // The new row is measured a moment after it is in the page.
    await expect.poll(() => inSight(page)).toEqual(read);
  }
  await page.context().close();
});

test('Another theme brings back no toast that the open center has put away', async ({
  browser
}) => {
  const page = await lab.open(browser, { path: 'lab/workspaces/again' });
  const message = 'stays in the center';
  await lab.push({ message, type: 'warning', autoClose: false });
  await expect(toasts(page, message)).toBeVisible();
  await openCenter(page);
  await expect(toasts(page, message)).toHaveCount(0);
  for (const theme of ['dark', 'light'] as const) {
    await setTheme(page, theme);
    // Toasts that the change of the theme may cause appear before this one.
    await lab.push({ message: `in ${theme}`, type: 'error' });
    await expect(toasts(page, `in ${theme}`)).toBeVisible();
  }
  const events = await toastEvents(page, message);
  expect(events.map(event => event.what)).toEqual(['appeared', 'gone']);
  await page.context().close();
});

test('A progress is drawn in the colours of the system too', async ({
  browser
}) => {
  const fields = { type: 'in-progress', progress: 0.5 };
  for (const colorScheme of ['light', 'dark'] as const) {
    // Begin without toasts: only a few have room at once.
    await lab.dismissAll();
    await lab.push({ ...fields, message: 'in a banner', banner: true });
    const context = await browser.newContext({
      forcedColors: 'active',
      colorScheme
    });
    // In a workspace of its own: in the shared one the center may be open, and then no toast shows.
    const page = await lab.open(browser, {
      context,
      path: `lab/workspaces/${colorScheme}`
    });
    const banner = banners(page, 'in a banner');
    await isHalfDrawn(
      banner.locator('.jp-NotifyBanner-progress > span'),
      '',
      banner
    );
    // A progress that arrived before the page shows toasts has no toast.
    const first = { message: `first in ${colorScheme}`, autoClose: false };
    await lab.push(first);
    await expect(toasts(page, first.message)).toBeVisible();
    const message = `a toast in ${colorScheme}`;
    await lab.push({ ...fields, message, autoClose: false });
    const toast = toasts(page, message);
    await expect(toast).toHaveAttribute('data-jp-notify-progress', '50');
    await isHalfDrawn(toast, '::after', toast);
    await context.close();
  }
});

test('The buttons of a row stand over the end of its line, on either side', async ({
  browser
}) => {
  const words = { ltr: 'The job is finished', rtl: 'اكتملت المهمة بنجاح' };
  for (const message of Object.values(words)) {
    await lab.push({
      message,
      autoClose: 0,
      body: message,
      actions: [{ label: 'Go', url: 'https://example.org/' }]
    });
  }
  const page = await lab.open(browser);
  // JupyterLab gives its launcher the focus, and so the keys.
  await untilLauncher(page);
  await openCenter(page);
  // Also if the whole page has the other direction.
  for (const direction of Object.keys(words)) {
    await page.evaluate(direction => {
      document.documentElement.dir = direction;
    }, direction);
    for (const message of Object.values(words)) {
      const row = rows(page, message);
      await row.locator('.jp-NotifyRow-meta').hover();
      await expect(row.getByRole('button', { name: 'Done' })).toBeInViewport();
      expect(await coveredParts(row)).toEqual([]);
      await row.press('Enter');
      await expect(row).toHaveClass(/jp-mod-open/);
      expect(await coveredParts(row)).toEqual([]);
      await row.press('Enter');
    }
  }
  await page.context().close();
});

test('A short first button of a row can be read in full', async ({
  browser
}) => {
  const actions = [{ label: 'Open log' }, { label: 'More' }];
  await lab.push({ message: 'Report', body: 'b', autoClose: 0, actions });
  const page = await lab.open(browser);
  await openCenter(page);
  await rows(page, 'Report').hover();
  const label = rows(page, 'Report').locator('.jp-NotifyAction-label');
  await expect(label).toHaveText('Open log');
  expect(
    await label.evaluate(node => node.scrollWidth - node.clientWidth)
  ).toBeLessThanOrEqual(0);
  await page.context().close();
});

test('A number stays before its word where the page runs from right to left', async ({
  browser
}) => {
  await lab.push({ message: 'one', autoClose: 0 });
  const page = await lab.open(browser);
  // JupyterLab gives its launcher the focus, and so the keys.
  await untilLauncher(page);
  await page.evaluate(() => {
    document.documentElement.dir = 'rtl';
  });
  await openCenter(page);
  await rows(page, 'one').focus();
  await page.keyboard.press('x');
  for (const text of ['1 unread', '1 selected']) {
    const [number, word] = await center(page)
      .getByText(text, { exact: true })
      .evaluate(node =>
        [0, 2].map(at => {
          const letter = document.createRange();
          letter.setStart(node.firstChild!, at);
          letter.setEnd(node.firstChild!, at + 1);
          return letter.getBoundingClientRect().left;
        })
      );
    expect(number).toBeLessThan(word);
  }
  await page.context().close();
});

test('A time keeps its order, whichever way the page and its language run', async ({
  browser
}) => {
  const { notification_id: id } = await lab.push({
    message: 'yesterday',
    body: 'Its text.',
    autoClose: 0
  });
  backdate(lab, { [id]: new Date(Date.now() - 24 * 3_600_000) });
  await lab.push({ message: 'for long', autoClose: 0, ttl: 3 * 24 * 3600 });
  for (const locale of ['ar', 'en_GB', 'en']) {
    const { status } = await lab.api(
      'PUT',
      'lab/api/settings/@jupyterlab/translation-extension:plugin',
      { raw: JSON.stringify({ locale }) }
    );
    expect(status).toBe(204);
    for (const direction of ['rtl', 'ltr']) {
      const page = await lab.open(browser);
      await untilLauncher(page);
      await page.evaluate(direction => {
        document.documentElement.dir = direction;
      }, direction);
      await openCenter(page);
      const old = rows(page, 'yesterday');
      const look = (text: Locator, before = '', after = '') =>
        keepsOrder(text, locale, before, after);
      await look(old.locator('.jp-NotifyRow-when time'));
      await old.press('Enter');
      await look(old.locator('.jp-NotifyRow-meta time'));
      await look(
        rows(page, 'for long').locator('.jp-NotifyRow-meta > span', {
          hasText: /^expires/
        }),
        'expires '
      );
      await old.press('z');
      await look(
        page.locator('.lm-Menu-itemLabel', { hasText: 'Next Week' }),
        'Snooze until Next Week, '
      );
      await untilMenu(page);
      await page.keyboard.press('Escape');
      await runCommand(page, 'jupyterlab-notify:do-not-disturb', {
        for: 'tomorrow'
      });
      await look(
        center(page).locator('.jp-NotifyNotice > span'),
        'Do not disturb until ',
        '.'
      );
      await runCommand(page, 'jupyterlab-notify:do-not-disturb', {
        for: 'off'
      });
      await page.context().close();
    }
  }
});

/**
 * Check that a time stands in a text as it would by itself.
 *
 * @param before - What the text says before the time; `after`: after it.
 */
async function keepsOrder(
  text: Locator,
  locale: string,
  before: string,
  after: string
): Promise<void> {
  await expect(text).toBeVisible();
  const [there, alone] = await text.evaluate(
    (node, [dir, before, after]) => {
      // The letters in the order in which one reads them, each with its place.
      const letters = (root: Node) => {
        const all: [string, number][] = [];
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const range = document.createRange();
          [...walker.currentNode.textContent!].forEach((letter, at) => {
            range.setStart(walker.currentNode, at);
            range.setEnd(walker.currentNode, at + 1);
            if (!/[\u2066-\u2069]/.test(letter)) {
              all.push([letter, range.getBoundingClientRect().left]);
            }
          });
        }
        return all;
      };
      const seen = (all: [string, number][]) =>
        [...all]
          .sort(([, a], [, b]) => a - b)
          .map(([letter]) => letter)
          .join('');
      // On one line, however wide the panel is.
      (node as HTMLElement).style.whiteSpace = 'nowrap';
      const time = letters(node).slice(
        before.length,
        -after.length || undefined
      );
      const copy = document.createElement('span');
      copy.dir = dir;
      copy.style.whiteSpace = 'nowrap';
      copy.style.position = 'absolute';
      copy.textContent = time.map(([letter]) => letter).join('');
      document.body.append(copy);
      const alone = seen(letters(copy));
      copy.remove();
      return [seen(time), alone];
    },
    [locale === 'ar' ? 'rtl' : 'ltr', before, after]
  );
  expect(there).toEqual(alone);
}

test('A progress that says no number looks like none, also where nothing moves', async ({
  browser
}) => {
  const fields = { message: 'at work', type: 'in-progress', autoClose: 0 };
  await lab.push({ ...fields, banner: true });
  // All pages of the tests have less motion.
  const page = await lab.open(browser);
  await openCenter(page);
  for (const bar of [
    rows(page).locator('.jp-NotifyProgress'),
    banners(page).locator('.jp-NotifyBanner-progress')
  ]) {
    await expect(bar).toBeVisible();
    const [whole, drawn] = await bar.evaluate(node =>
      [node, node.firstElementChild!].map(
        part => part.getBoundingClientRect().width
      )
    );
    expect(drawn).toBeCloseTo(whole, 0);
    await expect(bar.locator('span')).toHaveCSS(
      'background-image',
      /repeating-linear-gradient/
    );
  }
  await page.context().close();
});

test('The words of center and banner grow with the size that JupyterLab is set to', async ({
  browser
}) => {
  const choices = ['Yes'];
  await lab.push({ message: 'a banner', banner: true, autoClose: 0 });
  await lab.push({ message: 'a question', autoClose: 0, reply: { choices } });
  const page = await lab.open(browser);
  await openCenter(page);
  const parts = [
    center(page).getByText('Today').first(),
    center(page).getByText('2 unread'),
    center(page).getByText('Inbox', { exact: true }),
    rows(page, 'a question').locator('.jp-NotifyRow-meta'),
    rows(page, 'a question').getByRole('button', { name: 'Yes' }),
    banners(page, 'a banner').locator('.jp-NotifyBanner-source')
  ];
  const sizes = () =>
    Promise.all(
      parts.map(part =>
        part.evaluate(node => parseFloat(getComputedStyle(node).fontSize))
      )
    );
  const before = await sizes();
  await setSetting(page, '@jupyterlab/apputils-extension:themes', 'overrides', {
    'ui-font-size1': '26px'
  });
  await expect.poll(sizes).toEqual(before.map(size => 2 * size));
  await setSetting(page, '@jupyterlab/apputils-extension:themes', 'overrides', {
    'ui-font-size1': null
  });
  await page.context().close();
});

/** Push so many for the center only, in order. */
async function pushMany(lab: Lab, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await lab.push({ message: `message ${index}`, autoClose: 0 });
  }
}

/** Read the summaries of the rows that a user sees, top down. */
function inSight(page: Page): Promise<string[]> {
  return center(page)
    .getByRole('feed')
    .evaluate(list => {
      const { top, bottom } = list.getBoundingClientRect();
      return [...list.querySelectorAll('.jp-NotifyRow')]
        .map(row => ({ row, box: row.getBoundingClientRect() }))
        .filter(({ box }) => box.bottom > top && box.top < bottom)
        .sort((a, b) => a.box.top - b.box.top)
        .map(
          ({ row }) => row.querySelector('.jp-NotifyRow-summary')!.textContent!
        );
    });
}

/** Expect that half of a bar has another colour than what it lies on. */
async function isHalfDrawn(
  bar: Locator,
  pseudo: string,
  ground: Locator
): Promise<void> {
  const colour = (part: Locator, pseudo: string) =>
    part.evaluate(
      (node, pseudo) => getComputedStyle(node, pseudo || null).backgroundColor,
      pseudo
    );
  await expect(bar).toBeVisible();
  expect(await colour(bar, pseudo)).not.toBe(await colour(ground, ''));
}
