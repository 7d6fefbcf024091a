/**
 * The administrator's page beside a user's lab, at a real JupyterHub: the lab shows what the
 * administrator sends, and the results show at once what the user does.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import * as path from 'path';

import { type BrowserContext, expect, type Page, test } from '@playwright/test';

import { Hub, looks, open, revoke } from './hub-page';
import {
  banners,
  closeCenter,
  openCenter,
  rows,
  toasts,
  untilQuiet,
  untilReady
} from './page';

const folder = mkdtempSync(path.join(tmpdir(), 'notify-beside-'));
/** A file: while it is missing, bob's server starts without the extension. */
const INSTALLED = path.join(folder, 'installed');
const RECORDING = path.resolve(
  ...[__dirname, '..', '..', 'hub', 'tests', 'recording_server.py']
);

const SITE = `
async def choose(spawner):
    if spawner.user.name == "bob":
        spawner.cmd = [sys.executable, ${JSON.stringify(RECORDING)}, "0", ${JSON.stringify(INSTALLED)}]
    else:
        spawner.args = ["--LabApp.expose_app_in_browser=True"]

c.Spawner.pre_spawn_hook = choose
`;

let hub: Hub;
let administrator: BrowserContext;
let ada: BrowserContext;
/** The lab of ada. */
let lab: Page;
const complaints: string[] = [];

test.describe.configure({ mode: 'serial' });

test.beforeAll(async ({ browser }) => {
  hub = await Hub.start(SITE, {
    configure:
      'environment={"JUPYTERHUB_NOTIFY_PUSH_GRACE_S": "0", "JUPYTERHUB_NOTIFY_PUSH_LOOK_S": "2"}',
    spawn: ['ada', 'bob']
  });
  const size = { viewport: { width: 1280, height: 800 } };
  administrator = await hub.login(browser, 'root', size);
  ada = await hub.login(browser, 'ada', size);
  lab = await ada.newPage();
  await lab.goto(`${hub.place.url}/user/ada/lab`);
  await untilReady(lab);
  await untilQuiet(lab);
});

test.afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test.afterEach(() => {
  expect(complaints.splice(0)).toEqual([]);
});

const at = (where: string): string => `${hub.place.service}/${where}`;
const row = (page: Page, user: string) =>
  page.locator('.jn-deliveries tbody tr', { hasText: user });
const isShown = (page: Page) =>
  expect(page.getByText('shown now')).toBeVisible();

/** Write a broadcast by the page's own address, and send it; return its id. */
async function send(
  page: Page,
  query: Record<string, string>
): Promise<string> {
  await page.goto(at(`?${new URLSearchParams(query)}`));
  await page.getByRole('button', { name: /^Send to \d/ }).click();
  await page.getByRole('button', { name: 'Send now' }).click();
  await expect(page.getByText('Not sent yet.')).toHaveCount(0);
  return page.url().split('/').pop()!;
}

test('What is sent is in the lab, and what the user does is in the results, live', async () => {
  const page = await open(administrator, at(''), complaints);
  await send(page, {
    message: 'The disk moves at noon',
    type: 'warning',
    to: 'users',
    users: 'ada, bob',
    banner: '1',
    choices: 'Fine, Too early'
  });
  await expect(banners(lab, 'The disk moves at noon')).toBeVisible();
  await expect(row(page, 'ada')).toContainText('Shown in 1 tab');
  await expect(row(page, 'bob')).toContainText('No extension (404)');
  await openCenter(lab);
  await rows(lab, 'The disk moves at noon')
    .getByRole('button', { name: 'Too early' })
    .click();
  await expect(row(page, 'ada')).toContainText('Too early');
  await expect(page.locator('.jn-legend')).toContainText('1 replied');

  // Retry, once the server of bob has the extension.
  await looks(administrator, 'failed', page.url());
  const retry = page.getByRole('button', { name: 'Retry 1 failed' });
  writeFileSync(INSTALLED, '');
  await retry.click();
  await expect(row(page, 'bob')).toContainText('Stored, no tab open');
  await expect(retry).toHaveCount(0);
  await expect(row(page, 'ada')).toContainText('Replied');
  await revoke(page);
  await expect(banners(lab, 'The disk moves at noon')).toHaveCount(0);
  // While the center is open, it shows everything, and nothing pops up beside it.
  await closeCenter(lab);
  await page.close();
});

test('A toast shows it as well, and its text is mended in place', async () => {
  const page = await open(administrator, at(''), complaints);
  await send(page, {
    message: 'The disk is ful',
    to: 'users',
    users: 'ada',
    banner: '1',
    auto_close: 'false'
  });
  await expect(toasts(lab, 'The disk is ful')).toBeVisible();
  const edit = async (message: string, again: boolean) => {
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit on every screen' });
    await dialog.getByLabel('Message').fill(message);
    await dialog.getByLabel('Show it again').setChecked(again);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('heading', { name: message })).toBeVisible();
  };
  await edit('The disk is full', false);
  await expect(banners(lab, 'The disk is full')).toBeVisible();
  await expect(toasts(lab, 'The disk is full')).toHaveCount(1);
  await banners(lab).getByRole('button', { name: 'Close' }).click();
  await expect(banners(lab)).toHaveCount(0);
  await expect(row(page, 'ada')).toContainText('Dismissed');

  // A user who has put the message away has read it, and is not told of a better wording.
  await edit('The disk is nearly full', false);
  await openCenter(lab);
  await expect(rows(lab, 'The disk is nearly full')).toBeVisible();
  await expect(banners(lab)).toHaveCount(0);
  await edit('The disk is full again', true);
  await expect(banners(lab, 'The disk is full again')).toBeVisible();
  await revoke(page);
  await expect(banners(lab)).toHaveCount(0);
  await page.close();
});

test('Two pages show the same: a change of one is in the other, and undoes nothing there', async () => {
  const one = await open(administrator, at(''), complaints);
  const id = await send(one, {
    message: 'First wording',
    to: 'users',
    users: 'ada',
    banner: '1'
  });
  const two = await open(administrator, at(`history/${id}`), complaints);
  await isShown(two);
  // A page behind another one is drawn only once a second.
  await one.bringToFront();
  await one.getByRole('button', { name: 'Edit' }).click();
  await two.getByRole('button', { name: 'Edit' }).click();
  // Both pages edit at the same time, each another field.
  await one.getByLabel('Message', { exact: true }).fill('Second wording');
  await one.getByRole('button', { name: 'Save' }).click();
  await expect(
    two.getByRole('heading', { name: 'Second wording', includeHidden: true })
  ).toBeVisible();
  await two.getByLabel('Details').fill('With **details**.');
  await two.getByRole('button', { name: 'Save' }).click();
  for (const page of [one, two]) {
    await expect(
      page.getByRole('heading', { name: 'Second wording' })
    ).toBeVisible();
    await expect(page.locator('#jn-says')).toContainText('With details.');
  }
  await expect(banners(lab, 'Second wording')).toBeVisible();
  // The dialog shows the present values.
  await one.bringToFront();
  await one.getByRole('button', { name: 'Edit' }).click();
  await expect(one.getByLabel('Details')).toHaveValue('With **details**.');
  await one.getByRole('button', { name: 'Cancel' }).click();
  await revoke(one);
  await expect(two.getByText('revoked', { exact: true })).toBeVisible();
  await expect(two.getByRole('button', { name: 'Revoke' })).toHaveCount(0);
  await expect(banners(lab)).toHaveCount(0);
  await one.close();
  await two.close();
});

/** Format a time from now as the value of a field for date and time in UTC. */
const local = (ms: number) =>
  new Date(Date.now() + ms).toISOString().slice(0, 16);
const HOUR_MS = 3_600_000;

test('A maintenance is moved and cancelled, and every banner is corrected', async () => {
  const page = await open(administrator, at(''), complaints);
  await send(page, {
    message: 'New storage',
    to: 'all',
    when: 'maintenance',
    timezone: 'UTC',
    starts: local(2.5 * HOUR_MS),
    ends: local(3.5 * HOUR_MS),
    banner: '1'
  });
  const timer = banners(lab, 'New storage').getByRole('timer');
  await expect(timer).toContainText('in 2 h');
  const home = await open(ada, `${hub.place.url}/hub/home`, complaints);
  const banner = home.locator('#jupyterhub-notify-banners .alert');
  await expect(banner).toContainText('New storage');
  await looks(administrator, 'maintenance', page.url());

  const inPage = (ms: number) =>
    page.evaluate(moment => {
      const date = new Date(moment);
      const inZone = date.getTime() - date.getTimezoneOffset() * 60_000;
      return new Date(inZone).toISOString().slice(0, 16);
    }, Date.now() + ms);
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Ends').fill(await inPage(6.5 * HOUR_MS));
  await page.getByLabel('Begins').fill(await inPage(5.5 * HOUR_MS));
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(timer).toContainText('in 5 h');
  await expect(banners(lab)).toHaveCount(1);
  await revoke(page);
  await expect(banners(lab)).toHaveCount(0);
  await home.reload();
  await expect(home.locator('#jupyterhub-notify-bell')).toBeVisible();
  await expect(banner).toHaveCount(0);
  await home.close();
  await page.close();
});

test('What repeats is shown at its times, and says when it comes again', async () => {
  const page = await open(administrator, at(''), complaints);
  const fill = async (
    message: string,
    starts: number,
    ends: number,
    now: boolean
  ) => {
    await page.goto(
      at(
        `?${new URLSearchParams({
          message,
          to: 'users',
          users: 'ada',
          when: 'repeating',
          timezone: 'UTC',
          starts: local(starts),
          ends: local(ends),
          banner: '1'
        })}`
      )
    );
    await page.getByLabel('Every', { exact: true }).selectOption('DAILY');
    if (!now) {
      // The default of a site.
      await page.locator('#jn-compose').evaluate((form: HTMLElement) => {
        form.dataset.jnUndo = '10';
      });
    }
    await page.getByRole('button', { name: 'Send to 1' }).click();
    if (now) {
      await page.getByRole('button', { name: 'Send now' }).click();
    }
    await page.waitForURL('**/history/*');
    await expect(page.getByText('Not sent yet.')).toHaveCount(0);
  };
  await fill('Backups run now', -HOUR_MS, HOUR_MS, true);
  await isShown(page);
  await expect(page.getByText('every day, UTC')).toBeVisible();
  await expect(banners(lab, 'Backups run now')).toBeVisible();
  await looks(administrator, 'repeating', page.url());
  await revoke(page);
  await expect(banners(lab)).toHaveCount(0);

  // When the ten seconds of this message are over, nothing is sent yet; the page says so.
  await fill('Backups run later', 2 * HOUR_MS, 3 * HOUR_MS, false);
  await expect(page.locator('.jn-state-coming')).toContainText('again');
  const seen = await hub.api('ada', 'GET', 'broadcasts');
  expect(seen.map((one: any) => one.summary.gfm)).not.toContain(
    'Backups run later'
  );
  await expect(rows(lab, 'Backups run later')).toHaveCount(0);
  await page.close();
});
