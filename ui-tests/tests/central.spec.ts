/**
 * Messages of a central service in the center: rows that say where they came from, and texts that
 * are fetched when they are opened.
 */
import type { Page } from '@playwright/test';

import { Central } from './central';
import {
  badge,
  banners,
  expect,
  openCenter,
  rows,
  test,
  untilReady,
  useLab,
  welcome
} from './lab';

const central = new Central();
test.beforeAll(async () => {
  await central.start();
});
test.afterAll(() => central.stop());

const lab = useLab({
  // A getter, since the lab is started after the central service.
  get config() {
    return [
      central.config,
      'c.NotifyApp.central_name = "Science platform"'
    ].join('\n');
  }
});

let page: Page;

test.beforeAll(async ({ browser }) => {
  page = await lab.open(browser);
  await openCenter(page);
});

test.afterAll(() => page?.context().close());

/** The facts that a row states besides its time. */
const facts = (text: string) =>
  rows(page, text).locator('.jp-NotifyRow-meta > span:not(.jp-NotifyHidden)');

test('A row says where it came from: a sender’s push, a broadcast, a message to the user', async () => {
  await lab.push({ message: 'pushed', source: 'batch queue' });
  await central.tell('POST', 'broadcasts', {
    summary: 'broadcast',
    category: 'info'
  });
  await central.tell('POST', 'messages', { summary: 'personal' });
  await expect(rows(page)).toHaveCount(3);
  await expect(facts('pushed')).toHaveText(['batch queue']);
  await expect(facts('broadcast')).toHaveText([
    'Science platform',
    'announcement'
  ]);
  await expect(facts('personal')).toHaveText(['Science platform', 'to you']);
});

test('A text is fetched when it is first opened; if the service does not give it the row says so, and a second try shows it', async () => {
  const { id } = await central.tell('POST', 'messages', {
    summary: 'with a text',
    body: 'The **whole** text.'
  });
  const row = rows(page, 'with a text');
  await expect(row).toBeVisible();
  expect(await central.requests(`messages/${id}`)).toEqual([]);

  await central.tell('POST', 'fault', {
    kind: 'status',
    status: 503,
    path: `GET .*messages/${id}`
  });
  await row.locator('.jp-NotifyRow-summary').click();
  const alert = row.getByRole('alert');
  await expect(alert).toContainText('The text could not be fetched.');
  await expect(alert).toContainText('central service');
  // Opening the message marked it as read, and the service learns of that.
  await expect(row).not.toHaveClass(/jp-mod-unread/);
  await expect
    .poll(async () =>
      (await central.requests('notifications/read')).map(({ body }) => body)
    )
    .toContainEqual({ ids: [id] });

  const tries = (await central.requests(`messages/${id}`)).length;
  await alert.getByRole('button', { name: 'Retry' }).click();
  await expect
    .poll(async () => (await central.requests(`messages/${id}`)).length)
    .toBeGreaterThan(tries);
  await expect(alert).toBeVisible();

  await central.tell('DELETE', 'fault');
  await alert.getByRole('button', { name: 'Retry' }).click();
  await expect(row.locator('.jp-NotifyBody strong')).toHaveText('whole');
  await expect(alert).toHaveCount(0);

  // From then on the lab has the text.
  const asked = (await central.requests(`messages/${id}`)).length;
  await page.reload();
  await untilReady(page);
  await openCenter(page);
  await row.locator('.jp-NotifyRow-summary').click();
  await expect(row.locator('.jp-NotifyBody strong')).toHaveText('whole');
  expect((await central.requests(`messages/${id}`)).length).toBe(asked);
});

test('What is read elsewhere is read here', async () => {
  await lab.push({ message: 'unread', autoClose: 0 });
  const { id } = await central.tell('POST', 'messages', {
    summary: 'read elsewhere'
  });
  const row = rows(page, 'read elsewhere');
  await expect(row).toHaveClass(/jp-mod-unread/);
  const { unread } = (await lab.status()).counts;
  await expect(badge(page)).toHaveText(String(unread));
  await central.tell('POST', 'read', { ids: [id] });
  await expect(row).not.toHaveClass(/jp-mod-unread/);
  await expect(badge(page)).toHaveText(String(unread - 1));
});

test('In a small window a countdown leaves the line to the message', async ({
  browser
}) => {
  const message = 'The network is exchanged';
  const { id } = await central.tell('POST', 'broadcasts', {
    summary: message,
    category: 'outage',
    countdown: new Date(Date.now() + 3600_000).toISOString()
  });
  const context = await browser.newContext({
    viewport: { width: 480, height: 800 }
  });
  const small = await lab.open(browser, { context });
  const banner = banners(small, message);
  const summary = banner.locator('.jp-NotifyBanner-summary');
  const countdown = banner.getByRole('timer');
  await expect(countdown).toBeVisible();
  await expect
    .poll(() => summary.evaluate(node => node.scrollHeight - node.clientHeight))
    .toBeLessThanOrEqual(1);
  await expect
    .poll(async () => {
      const line = (await summary.boundingBox())!;
      return (await countdown.boundingBox())!.y - (line.y + line.height);
    })
    .toBeGreaterThanOrEqual(0);
  await context.close();
  await central.tell('DELETE', `broadcasts/${id}`);
});

test('Of the buttons of what must be accepted one is blue: to accept it', async ({
  browser
}) => {
  const ids: string[] = [];
  for (const title of ['Acceptable use', 'Privacy']) {
    const { id } = await central.tell('POST', 'welcome', {
      title,
      body: title,
      must_accept: true
    });
    ids.push(id);
  }
  const context = await browser.newContext();
  const tab = await lab.open(browser, { context });
  const dialog = welcome(tab);
  const blue = dialog.locator('.jp-mod-accept');
  for (let left = ids.length; left > 0; left--) {
    await expect(blue).toHaveText('Accept');
    await blue.click();
  }
  await expect(dialog).toHaveCount(0);
  await context.close();
});
