/**
 * Closed rows, their menu, and the help of the search field.
 */
import {
  counts,
  lab,
  open,
  other,
  page,
  push,
  pushMany,
  searchField,
  undo,
  useCenter,
  view
} from './centerPage';
import {
  center,
  closeCenter,
  expect,
  openCenter,
  rows,
  runCommand,
  test,
  toasts,
  untilMenu,
  untilReady
} from './lab';
import { write } from './database';
import { hasNoViolations } from './axe';

useCenter();

test.describe('A closed row', () => {
  test('shows how its text begins in one line, and that there is more', async () => {
    await push('with a text', {
      body: '# Why\n\nThe disk is **full**: see [the log](https://example.org/).'
    });
    await push('with a button', { actions: [{ label: 'Retry' }] });
    await push('with nothing');
    const row = rows(page, 'with a text');
    await expect(row.locator('.jp-NotifyRow-preview')).toHaveText(
      'Why The disk is full: see the log.'
    );
    const mark = { name: 'Has details' };
    await expect(row.getByRole('img', mark)).toBeVisible();
    await expect(
      rows(page, 'with a button').getByRole('img', mark)
    ).toBeVisible();
    const bare = rows(page, 'with nothing');
    await expect(bare.getByRole('img', mark)).toHaveCount(0);
    await expect(bare.locator('.jp-NotifyRow-preview')).toHaveCount(0);
    await open(row);
    await expect(row.locator('.jp-NotifyRow-preview')).toHaveCount(0);
    await expect(row.locator('.jp-NotifyBody')).toContainText('The disk');
  });

  test('has its first button under the pointer, which works', async () => {
    await push('a question', {
      actions: [
        { label: 'Files', commandId: 'filebrowser:activate' },
        { label: 'No' }
      ]
    });
    const row = rows(page, 'a question');
    await row.hover();
    await expect(row.getByRole('button', { name: 'No' })).toHaveCount(0);
    await row.getByRole('button', { name: 'Files' }).click();
    await expect(page.locator('#filebrowser')).toBeVisible();
    await expect(row).not.toHaveClass(/jp-mod-unread/);
  });
});

test('The heading of the day stays in sight while one scrolls', async () => {
  await pushMany(40, index => `message ${index}.`);
  const heading = center(page).locator('.jp-NotifyList-sticky');
  await expect(heading).toHaveCount(0);
  // With fewer of them the list has nothing to scroll.
  await expect(rows(page, 'message 39.')).toBeVisible();
  await rows(page).first().hover();
  await page.mouse.wheel(0, 600);
  await expect(heading).toHaveText('Today');
  await expect(heading).toBeInViewport();
  // No part of a row shows beside the heading.
  const list = center(page).locator('.jp-NotifyList');
  const ends = () =>
    list.evaluate(node => node.getBoundingClientRect().x + node.clientWidth);
  await expect
    .poll(async () => {
      const box = (await heading.boundingBox())!;
      return Math.round(box.x + box.width - (await ends()));
    })
    .toBe(0);
  // The heading does not cover the focused row.
  await rows(page, 'message 30.').focus();
  for (let step = 0; step < 8; step++) {
    await page.keyboard.press('ArrowUp');
  }
  // If there is no heading, nothing is covered.
  const below = async () => {
    const box = await heading.boundingBox();
    const row = (await rows(page, 'message 38.').boundingBox())!;
    return box ? row.y - (box.y + box.height) : 0;
  };
  await expect.poll(below).toBeGreaterThanOrEqual(-1);
});

test('An opened message that expires stays, greyed, until it is closed, and is found under Done', async () => {
  await push('alpha', { body: 'its body' });
  const id = await push('beta', { body: 'another body', ttl: 3600 });
  const row = rows(page, 'beta');
  await open(row);
  await expect(row.locator('.jp-NotifyBody')).toHaveText('another body');
  // The same message again, which now ends in a moment.
  write(lab, [
    ['UPDATE notifications SET expires_ms = ? WHERE id = ?', Date.now(), id]
  ]);
  await push('gamma');
  await expect(row).toHaveClass(/jp-mod-gone/);
  await expect(row).toContainText('it goes once it is closed');
  await expect(row.locator('.jp-NotifyBody')).toHaveText('another body');
  await expect(row.getByRole('button', { name: 'Done' })).toHaveCount(0);
  await hasNoViolations(page, '#jp-notify-center');
  await row.focus();
  await page.keyboard.press('Escape');
  await expect(rows(page)).toHaveText([/gamma/, /alpha/]);
  await expect(rows(page, 'alpha')).toBeFocused();
  await view('Done');
  await expect(rows(page)).toHaveText([/beta/]);
  await open(row);
  await expect(row.locator('.jp-NotifyBody')).toHaveText('another body');
  await expect(row).not.toHaveClass(/jp-mod-gone/);
  await expect(row).toContainText('Expired:');
});

test.describe('The menu of a row', () => {
  const item = (name: string | RegExp) =>
    page.locator('.lm-Menu').getByRole('menuitem', { name });

  test('marks, puts away and filters', async () => {
    await push('alpha', { source: 'batch queue' });
    await push('beta');
    await rows(page, 'alpha').click({ button: 'right' });
    await item('Mark as Read').click();
    await expect.poll(counts).toMatchObject({ unread: 1 });
    await rows(page, 'alpha').click({ button: 'right' });
    await item('Mark as Unread').click();
    await expect.poll(counts).toMatchObject({ unread: 2 });
    await rows(page, 'alpha').click({ button: 'right' });
    await item('Only from batch queue').click();
    await expect(searchField()).toHaveValue('from:"batch queue"');
    await expect(rows(page)).toHaveText([/alpha/]);
    await rows(page, 'alpha').focus();
    // The keyboard opens it as well.
    await page.keyboard.press('Shift+F10');
    await item('Done').click();
    await expect.poll(counts).toMatchObject({ inbox: 1 });
  });

  test('mutes its sender, with one undo', async () => {
    const muted = async () =>
      (await lab.api('GET', 'jupyterlab-notify/quiet')).body.muted;
    // The sender's name is shown without hidden characters, and as far as there is room.
    await push('alpha', { source: `batch \u202e${'queue '.repeat(8)}` });
    await push('beta', { dismissable: false });
    await rows(page, 'beta').click({ button: 'right' });
    await expect(item('Mute a sender')).toBeDisabled();
    await untilMenu(page);
    await page.keyboard.press('Escape');
    await rows(page, 'alpha').click({ button: 'right' });
    await item(/^Mute batch \\u202equeue .{20,30}…$/).click();
    await expect.poll(muted).toHaveLength(1);
    // Under the pointer the bar waits for the other tab, which is slow to draw.
    await center(page).locator('.jp-NotifyUndo').hover();
    // A menu says what its tab knew when it was opened.
    await other.waitForFunction(
      () => (window as any).notifyModel.quiet?.muted.length > 0
    );
    await rows(other, 'alpha').click({ button: 'right' });
    await expect(
      other.locator('.lm-Menu').getByRole('menuitem', { name: /^Unmute batch/ })
    ).toBeVisible();
    await untilMenu(other);
    await other.keyboard.press('Escape');
    await undo('Muted “batch');
    await expect.poll(muted).toEqual([]);
  });

  test('copies the text, and a link that leads to it', async ({ browser }) => {
    await page
      .context()
      .grantPermissions(['clipboard-read', 'clipboard-write']);
    await push('alpha', { body: 'Its **body**\u202egnp' });
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    await rows(page, 'alpha').click({ button: 'right' });
    await item('Copy Text').click();
    await expect.poll(copied).toBe('alpha\n\nIts **body**\\u202egnp');
    await rows(page, 'alpha').click({ button: 'right' });
    await item('Copy Link').click();
    await expect.poll(copied).toContain('?notification=');
    const context = await browser.newContext();
    const tab = await context.newPage();
    await tab.goto(`${lab.url}/login?token=${lab.token}`);
    const link = new URL(await copied());
    await tab.goto(`${lab.url}${link.pathname}${link.search}`);
    await untilReady(tab);
    await expect(
      rows(tab, 'alpha').locator('.jp-NotifyBody strong')
    ).toHaveText('body');
    await context.close();
  });
});

test.describe('The search', () => {
  const options = () => center(page).getByRole('option');

  test('completes types and senders', async () => {
    await push('alpha', { source: 'batch queue', type: 'error' });
    await push('beta', { source: 'quota' });
    await expect(rows(page)).toHaveCount(2);
    await searchField().fill('t');
    await expect(options()).toHaveText(['type:']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(searchField()).toHaveValue('type:');
    await expect(options().first()).toHaveText('type:error');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(searchField()).toHaveValue('type:error ');
    await expect(options()).toHaveCount(0);
    await expect(rows(page)).toHaveText([/alpha/]);
    await searchField().fill('from:q');
    await expect(options()).toHaveText(['from:quota', 'from:"batch queue"']);
    await options().first().click();
    await expect(searchField()).toHaveValue('from:quota ');
    await expect(rows(page)).toHaveText([/beta/]);
    // Escape takes the offer away first, then the search.
    await searchField().fill('from:');
    await expect(options()).toHaveCount(2);
    await hasNoViolations(page, '#jp-notify-center');
    await page.keyboard.press('Escape');
    await expect(options()).toHaveCount(0);
    await expect(searchField()).toHaveValue('from:');
    await page.keyboard.press('Escape');
    await expect(searchField()).toHaveValue('');
    await expect(rows(page)).toHaveCount(2);
    await page.keyboard.press('ArrowDown');
    await expect(rows(page).first()).toBeFocused();
  });

  test('is completed by Tab, which then leaves the field', async () => {
    await push('alpha', { source: 'batch queue', type: 'error' });
    await push('beta', { source: 'batch runner', type: 'warning' });
    await push('gamma', { source: 'quota' });
    await expect(rows(page)).toHaveCount(3);
    const types = async (text: string) => {
      await searchField().pressSequentially(text);
      await expect(options().first()).toBeVisible();
    };
    await searchField().focus();
    await types('ty');
    await page.keyboard.press('Tab');
    await expect(searchField()).toHaveValue('type:');
    await types('error,w');
    await page.keyboard.press('Tab');
    await expect(searchField()).toHaveValue('type:error,warning ');
    await expect(rows(page)).toHaveText([/beta/, /alpha/]);
    await types('from:ba');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const chosen = await options()
      .and(page.locator('[aria-selected="true"]'))
      .textContent();
    await page.keyboard.press('Tab');
    await expect(searchField()).toHaveValue(`${chosen} `);
    await expect(rows(page)).toHaveCount(1);
    await expect(searchField()).toBeFocused();
    await expect(options()).toHaveCount(0);
    await page.keyboard.press('Tab');
    await expect(searchField()).not.toBeFocused();
    // Shift+Tab leaves the field without a completion.
    await searchField().fill('type:');
    await expect(options().first()).toBeVisible();
    await page.keyboard.press('Shift+Tab');
    await expect(searchField()).toHaveValue('type:');
    await expect(searchField()).not.toBeFocused();
    await searchField().fill('');
  });

  test('has a menu that ends within the center, however low that is', async () => {
    for (let index = 0; index < 12; index++) {
      await push(`from one of many, ${index}`, { source: `sender ${index}` });
    }
    await expect(rows(page)).toHaveCount(12);
    const size = page.viewportSize()!;
    try {
      for (const height of [500, 360, 800]) {
        await page.setViewportSize({ ...size, height });
        const button = center(page).getByRole('button', {
          name: 'Filter by type and sender'
        });
        await button.click();
        const menu = (await page
          .locator('.jp-NotifyTypes-menu')
          .boundingBox())!;
        const panel = (await center(page).boundingBox())!;
        expect(menu.y + menu.height, `at ${height} px`).toBeLessThanOrEqual(
          panel.y + panel.height
        );
        // What does not fit can be scrolled to.
        await center(page).getByRole('checkbox', { name: 'sender 9' }).click();
        await center(page)
          .getByRole('button', { name: 'All types and senders' })
          .click();
        await expect(rows(page)).toHaveCount(12);
      }
    } finally {
      await page.setViewportSize(size);
    }
  });

  test('has a menu of the senders, with how many each has sent', async () => {
    await push('alpha', { source: 'batch queue' });
    await push('beta', { source: 'batch queue' });
    await push('gamma', { source: 'quota' });
    await expect(rows(page)).toHaveCount(3);
    await center(page).getByRole('button', { name: 'Filter by type' }).click();
    const senders = center(page).getByRole('group', { name: 'Senders' });
    await expect(senders.locator('label')).toHaveText([
      'batch queue2',
      'quota1'
    ]);
    await hasNoViolations(page, '#jp-notify-center');
    await senders.getByRole('checkbox', { name: 'quota' }).check();
    await expect(searchField()).toHaveValue('from:quota');
    await expect(rows(page)).toHaveText([/gamma/]);
    await senders.getByRole('checkbox', { name: 'quota' }).uncheck();
    await expect(rows(page)).toHaveCount(3);
  });
});

test('See All Notifications shows the same inbox as a page of the main area', async () => {
  await push('alpha', { body: 'its body' });
  await center(page).getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'See All Notifications' }).click();
  const full = page.locator('#jp-notify-center-main');
  const row = full.locator('.jp-NotifyRow', { hasText: 'alpha' });
  await expect(row).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(row.locator('.jp-NotifyBody')).toHaveText('its body');
  await expect(rows(page, 'alpha')).not.toHaveClass(/jp-mod-unread/);
  await hasNoViolations(page, '#jp-notify-center-main', '#jp-notify-center');
  // The command opens the same page again.
  await runCommand(page, 'jupyterlab-notify:open-in-main');
  await expect(full).toHaveCount(1);
  // While the page is in sight, only errors are toasts, and they are below its bars.
  await closeCenter(page);
  await lab.push({ message: 'beta', autoClose: false });
  await expect(
    full.locator('.jp-NotifyRow', { hasText: 'beta' })
  ).toBeVisible();
  await lab.push({ message: 'gamma', type: 'error' });
  const toast = toasts(page, 'gamma');
  await expect(toast).toBeVisible();
  await expect(toasts(page)).toHaveCount(1);
  const bar = (await full.locator('.jp-NotifyFilter').boundingBox())!;
  await expect
    .poll(async () => (await toast.boundingBox())!.y)
    .toBeGreaterThanOrEqual(bar.y + bar.height);
  // Behind another page they are back.
  await full.getByRole('button', { name: 'Close' }).click();
  await expect(toasts(page, 'beta')).toBeVisible();
  await openCenter(page);
  await expect(full).toHaveCount(0);
  await expect(center(page)).toBeVisible();
});
