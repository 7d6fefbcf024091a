/**
 * The pictures of the hub's side in the README and the documentation; see screenshots.spec.ts.
 */
import * as fs from 'fs';
import * as path from 'path';

import { type BrowserContext, expect, type Page, test } from '@playwright/test';

import { Hub, open } from './hub-page';

const IMAGES = path.resolve(__dirname, '..', '..', 'docs', 'images');
const MAX_BYTES = 300_000;

let hub: Hub;
let administrator: BrowserContext;
let bob: BrowserContext;
let sent: string;

test.beforeAll(async ({ browser }) => {
  hub = await Hub.start('');
  const size = { viewport: { width: 1280, height: 800 } };
  administrator = await hub.login(browser, 'root', size);
  bob = await hub.login(browser, 'bob', size);
  for (const [summary, type] of [
    ['Job 4711 finished in 3 h 12 min', 'success'],
    ['You are using 92 % of your home directory', 'warning']
  ]) {
    await hub.api('root', 'POST', 'services/quota/notifications', {
      recipient: 'bob',
      summary,
      type
    });
  }
  await hub.broadcast({
    summary: 'Maintenance tonight from 22:00: all servers restart',
    type: 'warning',
    banner: true,
    audience: 'all'
  });
  sent = await hub.broadcastToFour();
});

test.afterAll(async () => {
  await hub?.stop();
});

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.NOTIFY_SCREENSHOTS
    ? IMAGES
    : test.info().outputPath('images');
  fs.mkdirSync(folder, { recursive: true });
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    const file = path.join(folder, `${name}-${scheme}.png`);
    await page.screenshot({ path: file, animations: 'disabled' });
    expect(fs.statSync(file).size).toBeLessThan(MAX_BYTES);
  }
  await page.close();
}

test('The page on which an administrator writes', async () => {
  const query = new URLSearchParams({
    message: 'Maintenance tonight: all servers will restart',
    details: 'Save your work before **22:00**. Running kernels are lost.',
    type: 'warning',
    to: 'all',
    banner: '1'
  });
  const page = await open(
    administrator,
    `${hub.place.service}/?${query.toString()}`
  );
  await expect(page.locator('#jn-preview .jn-banner')).toBeVisible();
  await expect(page.locator('#jn-recipients')).toContainText('users');
  await page.getByText('Banner, buttons and replies').click();
  await page.mouse.move(0, 0);
  await picture(page, 'hub-compose');
});

test('What became of a broadcast', async () => {
  const page = await open(
    administrator,
    `${hub.place.service}/history/${sent}`
  );
  await expect(page.locator('.jn-legend')).toContainText('1 replied');
  await expect(page.locator('.jn-deliveries tbody tr')).toHaveCount(4);
  await picture(page, 'hub-results');
});

test("The hub's home with a banner and the bell", async () => {
  const page = await open(bob, `${hub.place.url}/hub/home`);
  await expect(
    page.getByRole('link', { name: 'Notifications, 4 unread' })
  ).toBeVisible();
  await expect(page.locator('#jupyterhub-notify-banners .alert')).toContainText(
    'Maintenance tonight'
  );
  await page.setViewportSize({ width: 1280, height: 220 });
  await picture(page, 'hub-home');
});
