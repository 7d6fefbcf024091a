/**
 * The banner: what stands across the top of the workspace, and what a user
 * can do with it.
 */
import type { Page } from '@playwright/test';

import { hasNoViolations } from './axe';
import {
  badge,
  banners,
  center,
  closeCenter,
  expect,
  type IPayload,
  openCenter,
  rows,
  runCommand,
  setTheme,
  test,
  toasts,
  untilLauncher,
  untilReady,
  useLab
} from './lab';

const lab = useLab();

/** The tab that is looked at, and another one of the same browser. */
let page: Page;
let other: Page;

const SIZE = { width: 1280, height: 800 };

test.beforeAll(async ({ browser }) => {
  const context = await browser.newContext({ viewport: SIZE });
  page = await lab.open(browser, { context });
  other = await lab.open(browser, { context, path: 'lab/workspaces/other' });
  await page.bringToFront();
  await untilLauncher(page);
});

test.afterAll(() => page?.context().close());

test.beforeEach(async () => {
  await page.setViewportSize(SIZE);
  for (const { id } of await lab.list('inbox', 200)) {
    await lab.revoke(id);
  }
  await expect(banners(page)).toHaveCount(0);
  await expect(banners(other)).toHaveCount(0);
  // The workspace has the room back a moment after the banner is gone.
  await expect(page.locator('#jp-notify-banner')).toBeHidden();
});

/** Push a message for the banner that no toast shows. */
async function push(
  message: string,
  more: Partial<IPayload> = {}
): Promise<string> {
  const { notification_id } = await lab.push({
    message,
    banner: true,
    autoClose: 0,
    source: 'Platform team',
    ...more
  });
  return notification_id;
}

const MAINTENANCE = 'Maintenance tonight from 22:00 to 23:30 UTC';

const LONG =
  'Files in /project can be read but not written until the repair is done. '.repeat(
    8
  );

const details = () => page.getByRole('button', { name: 'Details' });

test('stands above the workspace and below the menu, in every tab', async () => {
  const before = (await page.locator('#jp-main-content-panel').boundingBox())!;
  await push(MAINTENANCE, { type: 'warning' });
  await expect(banners(page, MAINTENANCE)).toBeVisible();
  await expect(banners(other, MAINTENANCE)).toBeVisible();

  const menu = (await page.locator('#jp-top-panel').boundingBox())!;
  await expect
    .poll(async () => {
      const { x, y, width } = (await banners(page).boundingBox())!;
      return { x, y: Math.round(y), width };
    })
    .toEqual({ x: 0, y: Math.round(menu.y + menu.height), width: SIZE.width });
  const workspace = page.locator('#jp-main-content-panel');
  await expect
    .poll(async () => {
      const banner = (await banners(page).boundingBox())!;
      const below = (await workspace.boundingBox())!;
      return Math.round(below.y) - Math.round(banner.y + banner.height);
    })
    .toBe(0);
  await expect(banners(page)).toContainText('Platform team');

  // Once closed, the banner gives the room back.
  await banners(page).getByRole('button', { name: 'Close' }).click();
  await expect(banners(other)).toHaveCount(0);
  await expect
    .poll(async () => (await workspace.boundingBox())!)
    .toEqual(before);
});

test('is below the menu in the simple interface too', async () => {
  await push(MAINTENANCE);
  await expect(banners(page)).toBeVisible();
  await runCommand(page, 'application:toggle-mode');
  try {
    const menu = page.locator('#jp-menu-panel');
    const edge = async () => {
      const { y, height } = (await menu.boundingBox())!;
      return Math.round(y + height);
    };
    await expect.poll(edge).toBeGreaterThan(30);
    await expect
      .poll(async () => {
        const { y } = (await banners(page).boundingBox())!;
        return Math.round(y) - (await edge());
      })
      .toBe(0);
  } finally {
    await runCommand(page, 'application:toggle-mode');
  }
});

test('opens the full Markdown of a message, which then is read', async () => {
  const id = await push(MAINTENANCE, {
    type: 'warning',
    body: '## What happens\n\nServers are **stopped**.\n\n| a | b |\n| - | - |\n| 1 | 2 |'
  });
  await expect(badge(page)).toHaveText('1');
  await expect(details()).toHaveAttribute('aria-expanded', 'false');
  await details().click();
  const body = banners(page).locator('.jp-NotifyBody');
  await expect(body.getByRole('heading')).toHaveText('What happens');
  await expect(body.locator('strong')).toHaveText('stopped');
  await expect(body.locator('td')).toHaveText(['1', '2']);
  await expect(body).toBeInViewport({ ratio: 1 });
  await expect(badge(page)).toHaveCount(0);
  expect((await lab.list())[0]).toMatchObject({ id, dismissed: null });
  // Read is not dismissed: it stays in sight.
  await expect(banners(other)).toHaveCount(1);

  await page.getByRole('button', { name: 'Hide details' }).click();
  await expect(body).toHaveCount(0);
});

test('has no details where there are none, and the rest of a line that was cut', async () => {
  await push('Short and complete');
  await push(LONG, { source: 'storage' });
  const long = banners(page, LONG.slice(0, 40));
  await expect(long.getByRole('button', { name: 'Details' })).toBeVisible();
  await expect(
    banners(page, 'Short').getByRole('button', { name: 'Details' })
  ).toHaveCount(0);
  const height = async () => (await long.boundingBox())!.height;
  await expect.poll(height).toBeLessThan(60);
  const closed = await height();
  await long.getByRole('button', { name: 'Details' }).click();
  await expect.poll(height).toBeGreaterThan(closed + 15);
});

test('runs the buttons of a message', async () => {
  const id = await push(MAINTENANCE, { actions: [{ label: 'Understood' }] });
  await page.getByRole('button', { name: 'Understood' }).click();
  await expect(banners(page)).toHaveCount(0);
  await expect
    .poll(() => lab.list('inbox', 1))
    .toMatchObject([{ id, closed: expect.any(String) }]);
});

test('stacks several, the most severe first, and sums up what is more', async () => {
  await push('first info', { type: 'info' });
  await push('an outage', { type: 'error' });
  await push('second info', { type: 'info' });
  await push('a warning', { type: 'warning' });
  await push('a success', { type: 'success' });
  await expect(banners(page)).toHaveText([
    /an outage/,
    /a warning/,
    /a success/
  ]);
  const more = page.getByRole('button', { name: '2 more' });
  await expect(more).toHaveAttribute('aria-expanded', 'false');
  await more.click();
  await expect(banners(page)).toHaveText([
    /an outage/,
    /a warning/,
    /a success/,
    /second info/,
    /first info/
  ]);
  await page.getByRole('button', { name: 'Show fewer' }).click();
  await expect(banners(page)).toHaveCount(3);

  await banners(page, 'an outage')
    .getByRole('button', { name: 'Close' })
    .click();
  await expect(banners(page)).toHaveText([
    /a warning/,
    /a success/,
    /second info/
  ]);
  await expect(page.getByRole('button', { name: '1 more' })).toBeVisible();
});

test('is one line, and one that counts the others, while the window is small', async () => {
  await push('an outage', { type: 'error', body: 'Everything stands still.' });
  await push(LONG, { type: 'warning' });
  await expect(banners(page)).toHaveCount(2);
  for (const size of [
    { width: 700, height: 800 },
    { width: 1280, height: 500 }
  ]) {
    await page.setViewportSize(size);
    await expect(banners(page)).toHaveText([/an outage/]);
    await expect(page.getByRole('button', { name: '1 more' })).toBeVisible();
    await expect
      .poll(
        async () => (await page.locator('#jp-notify-banner').boundingBox())!
      )
      .toMatchObject({ x: 0, width: size.width, height: 62 });
  }
  // All messages can still be shown.
  await page.getByRole('button', { name: '1 more' }).click();
  await expect(banners(page)).toHaveCount(2);
  await expect
    .poll(async () => (await banners(page).nth(1).boundingBox())!.height)
    .toBeLessThan(40);
  await banners(page, 'an outage')
    .getByRole('button', { name: 'Details' })
    .click();
  await expect(page.getByText('Everything stands still.')).toBeInViewport();
});

test('can be closed only where its sender allows it; what is closed stays in the inbox, read', async () => {
  await push('an outage', { type: 'error', dismissable: false });
  const id = await push(MAINTENANCE, { type: 'warning' });
  await expect(banners(page)).toHaveCount(2);
  await expect(
    banners(page, 'an outage').getByRole('button', { name: 'Close' })
  ).toHaveCount(0);
  await banners(page, MAINTENANCE)
    .getByRole('button', { name: 'Close' })
    .click();
  await expect(banners(page)).toHaveText([/an outage/]);
  await expect(banners(other)).toHaveText([/an outage/]);
  await expect
    .poll(() => lab.list('inbox'))
    .toContainEqual(
      expect.objectContaining({ id, read: expect.any(String), dismissed: null })
    );

  await openCenter(page);
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page, MAINTENANCE)).not.toHaveClass(/jp-mod-unread/);
  await closeCenter(page);

  await page.reload();
  await untilReady(page);
  await untilLauncher(page);
  await expect(banners(page)).toHaveText([/an outage/]);
});

test('goes from every tab when its sender takes it back, and follows a change', async () => {
  await push('degraded', { type: 'warning', key: 'queue' });
  await expect(banners(page)).toHaveText([/degraded/]);
  const id = await push('down', { type: 'error', key: 'queue' });
  await expect(banners(page)).toHaveText([/down/]);
  await expect(banners(page)).toHaveClass(/jp-mod-error/);
  await lab.revoke(id);
  await expect(banners(page)).toHaveCount(0);
  await expect(banners(other)).toHaveCount(0);
});

test('takes no focus when it comes, and hands it on when it goes', async () => {
  // The reload before may have restored the center.
  await closeCenter(page);
  await openCenter(page);
  // The center takes the focus when it opens.
  await expect(page.locator('.jp-NotifyCenter-content')).toBeFocused();
  const field = center(page).getByLabel('Search notifications');
  await field.focus();
  await page.keyboard.type('mai');
  await push('an outage', { type: 'error' });
  await push(MAINTENANCE, { type: 'warning' });
  await expect(banners(page)).toHaveCount(2);
  await expect(field).toBeFocused();
  await page.keyboard.type('nte');
  await expect(field).toHaveValue('mainte');
  await field.fill('');
  await closeCenter(page);

  const dismiss = (text: string) =>
    banners(page, text).getByRole('button', { name: 'Close' });
  await dismiss('an outage').focus();
  await page.keyboard.press('Enter');
  await expect(banners(page)).toHaveCount(1);
  await expect(dismiss(MAINTENANCE)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(banners(page)).toHaveCount(0);
  await expect
    .poll(() =>
      page.evaluate(() =>
        document
          .querySelector('#jp-main-dock-panel')!
          .contains(document.activeElement)
      )
    )
    .toBe(true);
});

test('is read out once: at once what is severe, politely the rest, and not what a toast says', async () => {
  await page.evaluate(() => {
    const said: string[] = ((window as any).said = []);
    new MutationObserver(records => {
      for (const { target } of records) {
        const node = target instanceof Element ? target : target.parentElement;
        const live = node?.closest('[role="alert"], [role="status"]');
        if (live?.closest('#jp-notify-banner') && live.textContent) {
          said.push(`${live.getAttribute('role')}: ${live.textContent}`);
        }
      }
    }).observe(document.body, {
      childList: true,
      characterData: true,
      subtree: true
    });
  });
  const said = () => page.evaluate(() => (window as any).said as string[]);
  await push('new kernels', { type: 'info', key: 'kernels' });
  await expect.poll(said).toEqual(['status: Information: new kernels']);
  const first = await push('an outage', { type: 'error' });
  await expect
    .poll(said)
    .toEqual(['status: Information: new kernels', 'alert: Error: an outage']);

  // A message that a toast announces, or that only moves, is not announced again.
  await push('also a toast', { autoClose: false });
  await expect(toasts(page, 'also a toast')).toBeVisible();
  await lab.change(first, { read: true });
  await push('a warning', { type: 'warning' });
  await expect(banners(page)).toHaveCount(3);
  await expect
    .poll(said)
    .toEqual([
      'status: Information: new kernels',
      'alert: Error: an outage',
      'alert: Warning: a warning'
    ]);
});

test('leaves room for toasts below it', async () => {
  await push('an outage', { type: 'error' });
  await push('below the banner', { type: 'warning', autoClose: false });
  await expect(banners(page)).toHaveCount(2);
  await expect
    .poll(async () => {
      const toast = (await toasts(page, 'below the banner').boundingBox())!;
      const { y, height } = (await page
        .locator('#jp-notify-banner')
        .boundingBox())!;
      return toast.y - (y + height);
    })
    .toBeGreaterThan(0);
});

for (const theme of ['light', 'dark'] as const) {
  test(`in the ${theme} theme has its severity's colour, and axe finds nothing wrong`, async () => {
    await setTheme(page, theme);
    const types = ['error', 'warning', 'success', 'info'];
    const variables = ['error', 'warn', 'success', 'info'];
    for (const type of types) {
      await push(`of type ${type}`, {
        type,
        body: `The **text** of ${type}, with \`code\` and [a link](https://example.org).`,
        actions: [{ label: 'Later' }, { label: 'Now', displayType: 'accent' }]
      });
    }
    await expect(page.getByRole('button', { name: '1 more' })).toBeVisible();
    await hasNoViolations(page, '#jp-notify-banner');
    await page.getByRole('button', { name: '1 more' }).click();
    for (const [index, type] of types.entries()) {
      const item = banners(page, `of type ${type}`);
      await expect
        .poll(() =>
          item.evaluate((node, name) => {
            const probe = document.createElement('div');
            probe.style.color = `var(--jp-${name}-color1)`;
            document.body.append(probe);
            const { color } = getComputedStyle(probe);
            probe.remove();
            return getComputedStyle(node).borderLeftColor === color;
          }, variables[index])
        )
        .toBe(true);
    }
    const item = banners(page, 'of type error');
    await item.getByRole('button', { name: 'Details' }).click();
    await expect(item.locator('.jp-NotifyBody code')).toBeVisible();
    await hasNoViolations(page, '#jp-notify-banner');
    await setTheme(page, 'light');
  });
}
