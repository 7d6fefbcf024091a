/**
 * The rest of the pages at `/services/notify/`, at a real JupyterHub: templates, alerts, several
 * messages at once, a user's inbox and other channels, what a group's sender and other pages may do,
 * and the hub's pages on the way to a server.
 */
import { execFile } from 'child_process';
import { mkdtempSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import * as path from 'path';
import { promisify } from 'util';

import { type BrowserContext, expect, type Page, test } from '@playwright/test';

import { hasNoViolations } from './axe';
import { fits, Hub, linesUp, open } from './hub-page';

/** A spawn page with a question, and a server that stays pending during a test. */
const SITE = `
c.Spawner.options_form = "Size: <input name='size' value='small'>"
c.Spawner.cmd = ["sleep", "600"]
c.JupyterHub.load_roles.append(
    {"name": "teachers", "users": ["ada"], "scopes": ["custom:notify:publish!group=students"]}
)
`;

let hub: Hub;
let administrator: BrowserContext;
let bob: BrowserContext;
/** Complaints in any page's console: there may be none. */
const complaints: string[] = [];

test.beforeAll(async ({ browser }) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'notify-hub-'));
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  // Nobody listens at port 9.
  const channels = file(
    'channels.yaml',
    'after: 1s\napprise:\n  - {name: chat, url: "json://127.0.0.1:9/{username}"}\n'
  );
  hub = await Hub.start(SITE, {
    configure: `environment={"JUPYTERHUB_NOTIFY_CHANNELS": ${JSON.stringify(channels)}}`
  });
  administrator = await hub.login(browser, 'root');
  bob = await hub.login(browser, 'bob');
});

test.afterAll(async () => {
  await hub?.stop();
});

test.afterEach(() => {
  expect(complaints.splice(0)).toEqual([]);
});

const at = (where: string): string => `${hub.place.service}/${where}`;

test('What is written is saved as a template, started from, and deleted', async ({
  browser
}) => {
  const page = await open(
    administrator,
    at(
      '?message=Storage+moves&details=Save+*all*&type=warning&to=users&users=bob&banner=1&choices=Yes,No'
    ),
    complaints
  );
  // The field is shown, since the banner is chosen; the site has one channel.
  await page.getByLabel('Important: also by chat').check();
  await page.getByRole('button', { name: 'Save as template' }).click();
  const name = page.getByLabel('Name', { exact: true });
  await expect(name).toHaveValue('Storage moves');
  await name.fill('Storage / every month');
  await page.keyboard.press('Enter');
  await expect(
    page.getByText('Saved as “Storage / every month”')
  ).toBeVisible();

  await page.goto(at('templates'));
  await page.getByRole('link', { name: 'Storage / every month' }).click();
  await expect(page.getByLabel('Message', { exact: true })).toHaveValue(
    'Storage moves'
  );
  await expect(page.getByLabel('Details')).toHaveValue('Save *all*');
  await expect(page.getByRole('radio', { name: 'Warning' })).toBeChecked();
  await expect(page.getByLabel('Names, or a pasted list')).toHaveValue('bob');
  await expect(page.getByLabel('Replies to choose from')).toHaveValue(
    'Yes, No'
  );
  await expect(page.getByLabel('Start from')).toContainText(
    'Storage / every month'
  );
  await expect(page.getByLabel('Important: also by chat')).toBeChecked();

  // The sender of a group may start from the template, but not delete it.
  const ada = await hub.login(browser, 'ada');
  const theirs = await open(ada, at('templates'), complaints);
  await expect(theirs.locator('.jn-history tbody tr')).toHaveCount(1);
  await expect(theirs.getByRole('button', { name: /^Delete/ })).toHaveCount(0);
  await expect(theirs.locator('.jn-tabs a')).toHaveText([
    /Inbox/,
    'Compose',
    'History',
    'Templates'
  ]);
  await ada.close();

  await page.goto(at('templates'));
  await page.getByRole('button', { name: 'Delete Storage' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText('There are no templates yet.')).toBeVisible();
  await page.close();
});

test('The alerts page says whom an alert does not reach, and which channel fails', async () => {
  await hub.api('root', 'POST', 'alerts/alertmanager', {
    version: '4',
    groupKey: 'g',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'DiskFull', username: 'who-is-that' }
      },
      { status: 'firing', labels: { alertname: 'NodeDown' } }
    ]
  });
  await hub.api('root', 'POST', 'services/quota/notifications', {
    recipient: 'bob',
    summary: 'Your disk is full',
    important: true
  });
  const page = await open(administrator, at('alerts'), complaints);
  const row = (text: string) => page.locator('tbody tr', { hasText: text });
  await expect(row('who-is-that')).toContainText('whom the hub does not know');
  await expect(row('NodeDown')).toContainText('no label that names a user');
  await expect(async () => {
    await page.reload();
    await expect(page.getByText('chat fails:')).toBeVisible({ timeout: 1000 });
  }).toPass();
  await page.close();
  const answer = await bob.request.get(at('alerts'), {
    headers: { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' }
  });
  expect(answer.status()).toBe(403);
  expect(await answer.text()).not.toContain('who-is-that');
});

test('Several messages are chosen and changed together, and taken back', async () => {
  for (const summary of ['First', 'Second', 'Third']) {
    await hub.api('root', 'POST', 'services/quota/notifications', {
      recipient: 'bob',
      summary
    });
  }
  const page = await open(bob, at('inbox?q=r'), complaints);
  const pick = (name: string) =>
    page.getByRole('checkbox', { name: `Select: ${name}` });
  const item = (name: string) => page.locator('.jn-item', { hasText: name });
  await pick('First').focus();
  await page.keyboard.press('Space');
  await pick('Third').check();
  await expect(page.getByText('2 selected')).toBeVisible();
  // Messages that arrive meanwhile do not change the selection.
  await hub.api('root', 'POST', 'services/quota/notifications', {
    recipient: 'bob',
    summary: 'A further one'
  });
  await expect(item('A further one')).toBeVisible();
  await expect(pick('First')).toBeChecked();
  await page.getByRole('button', { name: 'Mark as read', exact: true }).click();
  await expect(item('First')).not.toHaveClass(/jn-is-unread/);
  await expect(item('A further one')).toHaveClass(/jn-is-unread/);
  await expect(page.getByRole('button', { name: 'Undo' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(item('First')).toHaveClass(/jn-is-unread/);

  await pick('First').check();
  await page.locator('#jn-select-all').check();
  await page.getByRole('button', { name: 'Done', exact: true }).click();
  await expect(item('Third')).toHaveCount(0);
  await expect(item('A further one')).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(item('Third')).toBeVisible();
  await page.close();
});

test('A user chooses the other channels on the inbox page', async () => {
  const page = await open(bob, at('inbox'), complaints);
  await page.getByText('When you are away').click();
  await page.getByLabel('Nothing from').fill('22:00');
  await page.getByLabel('until', { exact: true }).fill('07:00');
  await page.getByLabel('Time zone').fill('Europe/Berlin');
  await page.getByLabel('Sent', { exact: true }).selectOption('daily');
  await page.getByLabel('Chat').uncheck();
  await expect(page.locator('#jn-channels-said')).toHaveText('Saved.');
  await expect
    .poll(async () => hub.api('bob', 'GET', 'channels'))
    .toMatchObject({
      channels: [{ name: 'chat', on: false }],
      digest: 'daily',
      quiet_from: '22:00',
      quiet_until: '07:00',
      timezone: 'Europe/Berlin'
    });
  await page.getByLabel('Time zone').fill('Middle/Earth');
  await page.getByLabel('Time zone').blur();
  await expect(page.locator('#jn-channels-said')).toContainText('Middle/Earth');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('422')]);
  expect((await hub.api('bob', 'GET', 'channels')).timezone).toBe(
    'Europe/Berlin'
  );
  await page.close();
});

test('A word of any length stays within each page', async () => {
  const id = await hub.broadcast({
    summary: 'Unbroken'.repeat(40),
    body: 'Endless'.repeat(60),
    users: ['root']
  });
  const page = await open(administrator, at(`history/${id}`), complaints);
  // The title has several lines: its icon stands beside the first. Both are replaced as outcomes
  // come.
  await expect(async () => {
    const icon = await page.locator('#jn-title svg').boundingBox();
    const title = await page.locator('#jn-title h1').boundingBox();
    expect(title?.height).toBeGreaterThan(50);
    expect(icon!.y - title!.y).toBeLessThan(10);
  }).toPass();
  for (const where of [
    `history/${id}`,
    'history',
    `?duplicate=${id}`,
    'inbox'
  ]) {
    await page.goto(at(where));
    await expect(page.locator('.jn')).toContainText('Unbroken');
    for (const width of [480, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await fits(page);
    }
  }
  await page.close();
});

test('A user sees an inbox and nothing else; it has the state of the lab', async () => {
  const id = await hub.broadcast({
    summary: 'For *bob* alone',
    body: 'Details of it',
    users: ['bob']
  });
  const page = await open(bob, at('inbox'), complaints);
  await expect(page.locator('.jn-tabs a')).toHaveText([/Inbox/]);
  const item = page.locator(`[data-jn-id="${id}"]`);
  await expect(item).toContainText('Unread:');
  await page.getByLabel('Search').fill('details OF');
  await expect(page.locator('.jn-item')).toHaveCount(1);
  await item.locator('summary').click();
  await expect(item.locator('.jn-body em')).toHaveText('bob');
  await expect
    .poll(async () => {
      const all = await hub.api('bob', 'GET', 'broadcasts');
      return Boolean(all.find((one: any) => one.id === id).read);
    })
    .toBe(true);
  await item.getByRole('button', { name: 'Done' }).click();
  await expect(item).toHaveCount(0);
  await page.goto(at('inbox?view=done'));
  await item.locator('summary').click();
  // A lab of the user does the same.
  await hub.api('bob', 'POST', `broadcasts/${id}/restore`);
  await expect(item).toHaveCount(0);
  await page.goto(at('inbox'));
  await expect(item).toBeVisible();
  await hub.api('root', 'DELETE', `admin/broadcasts/${id}`);
  await expect(item).toHaveCount(0);

  for (const path of ['history', `history/${id}`]) {
    const answer = await page.request.get(at(path), {
      headers: { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' }
    });
    expect(answer.status()).toBe(403);
    expect(await answer.text()).not.toContain('For *bob*');
  }
  await page.close();
});

test('What came within one second is newest first too', async () => {
  for (const number of ['First', 'Second', 'Third']) {
    await hub.api('root', 'POST', 'services/quota/notifications', {
      recipient: 'bob',
      summary: `${number} of three`
    });
  }
  const page = await open(bob, at('inbox?q=of+three'), complaints);
  await expect(page.locator('.jn-item')).toHaveText([
    /Third of three/,
    /Second of three/,
    /First of three/
  ]);
  await page.close();
});

test("A group's sender composes for the group alone", async ({ browser }) => {
  const ada = await hub.login(browser, 'ada');
  const page = await open(ada, at(''), complaints);
  await expect(page.locator('.jn-to .jn-chip')).toContainText([
    'Groups…',
    'Users…'
  ]);
  await expect(page.getByText('Everyone', { exact: true })).toHaveCount(0);
  const students = page.getByRole('checkbox', { name: 'students' });
  await students.focus();
  await students.press('Space');
  await expect(page.locator('#jn-recipients')).toContainText('2 users');
  await expect(page.locator('.jn-panel-groups .jn-chip')).toHaveCount(1);
  await ada.close();
});

test('A page of the same origin reads the number of unread messages, and no more', async () => {
  const page = await open(bob, `${hub.place.url}/hub/home`, []);
  const statuses = await page.evaluate(async service => {
    const status = async (path: string, mode: RequestMode) =>
      (await fetch(`${service}/${path}`, { mode })).status;
    return {
      unread: await status('v1/unread', 'cors'),
      overview: await status('v1/overview', 'cors'),
      trick: await status('v1/overview', 'no-cors'),
      inbox: await status('inbox', 'cors')
    };
  }, hub.place.service);
  expect(statuses).toEqual({
    unread: 200,
    overview: 403,
    trick: 403,
    inbox: 403
  });
  await page.close();
});

test('Two pages and the command line send at once; each message is there once', async ({
  browser
}) => {
  const second = await hub.login(browser, 'root');
  const send = async (context: BrowserContext, message: string) => {
    const page = await open(
      context,
      at(`?message=${message}&to=users&users=bob`),
      complaints
    );
    await page.getByRole('button', { name: 'Send to 1' }).click();
    await page.getByRole('button', { name: 'Send now' }).click();
    await expect(page.getByText('shown now')).toBeVisible();
    return page;
  };
  const command = promisify(execFile)(
    'jupyterhub-notify',
    ['broadcast', 'From-a-terminal', '--user', 'bob', '--url', at('')],
    {
      env: { ...process.env, JUPYTERHUB_NOTIFY_TOKEN: hub.place.tokens.root }
    }
  );
  const [one, two] = await Promise.all([
    send(administrator, 'From-one-page'),
    send(second, 'From-another-page'),
    command
  ]);
  const seen: string[] = (await hub.api('bob', 'GET', 'broadcasts'))
    .map((each: any) => each.summary.gfm)
    .filter((text: string) => text.startsWith('From-'));
  const sent = ['From-a-terminal', 'From-another-page', 'From-one-page'];
  expect(seen.sort()).toEqual(sent);

  // One page revokes the message that the other page shows.
  await two.goto(one.url());
  await one.getByRole('button', { name: 'Revoke' }).click();
  await one.getByRole('button', { name: 'Revoke', exact: true }).last().click();
  await expect(one.getByText('revoked', { exact: true })).toBeVisible();
  await two.reload();
  await expect(two.getByText('revoked', { exact: true })).toBeVisible();
  const left = (await hub.api('bob', 'GET', 'broadcasts')).map(
    (each: any) => each.summary.gfm
  );
  expect(left).not.toContain('From-one-page');
  expect(left).toContain('From-another-page');
  await one.close();
  await second.close();
});

test('The page before a server starts, and the one while it does, show banners and the bell', async () => {
  const id = await hub.broadcast({
    summary: 'Servers start slowly today',
    type: 'warning',
    banner: true,
    audience: 'all'
  });
  const shown = async (page: Page) => {
    await expect(
      page.locator('#jupyterhub-notify-banners .alert')
    ).toContainText('Servers start slowly today');
    await expect(
      page.getByRole('link', { name: /^Notifications/ }).first()
    ).toBeVisible();
    await hasNoViolations(
      page,
      '#jupyterhub-notify-banners',
      '#jupyterhub-notify-bell'
    );
  };
  const page = await open(bob, `${hub.place.url}/hub/spawn`, complaints);
  await expect(page.getByText('Size:')).toBeVisible();
  await shown(page);
  await page.screenshot({ path: test.info().outputPath('spawn.png') });
  await page.getByRole('button', { name: 'Start' }).click();
  await page.waitForURL('**/hub/spawn-pending/**');
  await shown(page);
  await page.screenshot({ path: test.info().outputPath('pending.png') });
  await page.close();
  await hub.api('root', 'DELETE', `admin/broadcasts/${id}`);
});

for (const scheme of ['light', 'dark'] as const) {
  test(`Templates, alerts and a selection are accessible and fit, also at 200 %, ${scheme}`, async () => {
    await hub.api('root', 'PUT', 'admin/templates/saved/long', {
      summary: 'very '.repeat(80),
      users: ['bob']
    });
    await hub.api('root', 'POST', 'services/quota/notifications', {
      recipient: 'root',
      summary: `A ${'long '.repeat(40)}message`,
      key: 'long'
    });
    // The console is not checked here: it reports that the policy blocks the styles of axe and of
    // screenshots.
    const page = await open(administrator, at(''));
    await page.emulateMedia({ colorScheme: scheme });
    for (const name of ['', 'templates', 'alerts', 'history', 'inbox']) {
      // 640 px is what 200 % leaves of 1280.
      for (const width of [480, 640, 1280, 1920]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(at(name));
        if (name === 'inbox') {
          await page.locator('[data-jn-pick]').first().check();
          await page.getByText('When you are away').click();
        }
        await fits(page);
        await linesUp(page);
        await page.screenshot({
          path: test.info().outputPath(`${name || 'compose'}-${width}.png`),
          fullPage: true
        });
      }
      await hasNoViolations(page, '.jn');
    }
    await page.goto(at('?message=x'));
    await page.getByRole('button', { name: 'Save as template' }).click();
    await hasNoViolations(page, '#jn-save');
    await page.close();
  });
}
