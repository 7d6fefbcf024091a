/**
 * The pages at `/services/notify/` and the hub's own, at a real JupyterHub: what an administrator
 * sends and sees, and what neither a message nor a stranger can do.
 */
import { readFileSync } from 'fs';

import { type BrowserContext, expect, type Page, test } from '@playwright/test';

import { hasNoViolations } from './axe';
import { fits, Hub, linesUp, open, revoke } from './hub-page';

/** A site that announces something itself on its login page. */
const SITE = `
c.JupyterHub.load_groups["cn=chem,ou=labs"] = {"users": ["o'brien"]}
c.JupyterHub.template_vars = {"announcement_login": "Use your <b>own</b> account"}
`;

let hub: Hub;
let administrator: BrowserContext;
let bob: BrowserContext;
/** Complaints in any page's console: there may be none. */
const complaints: string[] = [];

test.beforeAll(async ({ browser }) => {
  hub = await Hub.start(SITE);
  administrator = await hub.login(browser, 'root');
  bob = await hub.login(browser, 'bob');
});

test.afterAll(async () => {
  await hub?.stop();
});

test.afterEach(() => {
  expect(complaints.splice(0)).toEqual([]);
});

const at = (path: string): string => `${hub.place.service}/${path}`;
const compose = (query = ''): Promise<Page> =>
  open(administrator, at(query), complaints);
const row = (page: Page, user: string) =>
  page.locator('.jn-deliveries tbody tr', { hasText: user });

// Longer than a screen: one broadcast, from the first letter to the last outcome.
test('An administrator sends, and sees the outcomes as they come', async () => {
  const page = await compose();
  await page.getByLabel('Message', { exact: true }).fill('The disk is full');
  await expect(page.locator('#jn-message-hint')).toHaveText('16 of 140');
  await page.getByLabel('Details').fill('Please **tidy up**.');
  await page.getByText('Warning', { exact: true }).click();
  await page.getByText('Users…', { exact: true }).click();
  const users = page.getByLabel('Names, or a pasted list');
  await users.fill('"bob"\n\u200bcarol@example.org;nobody-here\t"no body"');
  await expect(page.locator('#jn-recipients')).toContainText('2 users');
  await expect(page.locator('#jn-recipients')).toContainText(
    'Unknown to the hub: no body, nobody-here.'
  );
  await users.fill("bob, carol@example.org, o'");
  await expect(page.getByRole('option', { name: "o'brien" })).toBeVisible();
  await users.press('ArrowDown');
  await users.press('Enter');
  await expect(users).toHaveValue("bob, carol@example.org, o'brien, ");
  await expect(page.locator('#jn-recipients')).toContainText('3 users');
  await page.getByText('show names').click();
  await expect(page.locator('.jn-names')).toContainText(
    "bob, carol@example.org, o'brien"
  );

  const preview = page.locator('#jn-preview');
  await expect(preview.locator('.jn-toast')).toContainText('The disk is full');
  await expect(preview.locator('.jn-body strong')).toHaveText('tidy up');
  await expect(preview.locator('.jn-banner')).toHaveCount(0);
  await page.getByText('Banner, buttons and replies').click();
  await page.getByLabel('As a banner across the top').check();
  await expect(preview.locator('.jn-banner')).toBeVisible();
  await page.getByLabel('Replies to choose from').fill('Done, Later');
  await expect(preview.locator('.jn-mini', { hasText: 'Later' })).toBeVisible();

  await page.getByRole('button', { name: 'Send to 3' }).click();
  await expect(page.getByText('Not sent yet.')).toBeVisible();
  const id = page.url().split('/').pop()!;
  const waiting = await hub.api('bob', 'GET', 'broadcasts');
  expect(waiting.map((one: any) => one.id)).not.toContain(id);
  await page.getByRole('button', { name: 'Send now' }).click();
  await expect(page.getByText('shown now')).toBeVisible();
  await expect(row(page, 'bob')).toContainText('Waiting');

  const receipt = (user: string, fields: object) =>
    hub.api(user, 'POST', 'receipts', {
      receipts: [{ id, at: new Date().toISOString(), ...fields }]
    });
  await receipt('bob', { state: 'shown', tabs: 2 });
  await expect(row(page, 'bob')).toContainText('Shown in 2 tabs');
  await receipt('carol@example.org', { state: 'stored', server: 'gpu' });
  await expect(row(page, 'carol@example.org')).toContainText('gpu');
  await hub.api('bob', 'POST', `broadcasts/${id}/reply`, { reply: 'Later' });
  await expect(row(page, 'bob')).toContainText('Later');
  await expect(page.locator('.jn-legend')).toContainText('1 replied');
  await expect(page.locator('.jn-legend')).toContainText('1 stored');

  await page.getByLabel('Only').selectOption('replied');
  await expect(page.locator('.jn-deliveries tbody tr')).toHaveCount(1);
  await page.getByLabel('Only').selectOption('');
  await expect(page.locator('.jn-deliveries tbody tr')).toHaveCount(3);
  await page.getByPlaceholder('any user').fill('example');
  await expect(page.locator('.jn-deliveries tbody tr')).toHaveCount(1);
  // The click counts even if the results are drawn anew while the mouse button is down.
  const csv = page.getByRole('link', { name: 'CSV' });
  const pressed = await csv.elementHandle();
  await csv.hover();
  await page.mouse.down();
  await receipt('bob', { state: 'shown', tabs: 3 });
  await expect
    .poll(() => pressed!.evaluate(node => node.isConnected))
    .toBe(false);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.mouse.up()
  ]);
  const table = readFileSync(await download.path(), 'utf8');
  expect(table.split('\n')[0].trim()).toBe(
    'user,server,outcome,reason,tabs,reply,updated'
  );
  expect(table).toContain('carol@example.org,gpu,stored');
  expect(table).not.toContain('bob');
  await page.close();
});

test('What is undone was never sent, and can be sent otherwise', async () => {
  const page = await compose(
    '?message=Too+early&group=cn=chem,ou=labs&group=nobodys&type=error'
  );
  await expect(page.locator('#jn-recipients')).toContainText(
    'Unknown to the hub: nobodys.'
  );
  await page.getByRole('button', { name: 'Send to 1' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByLabel('Message', { exact: true })).toHaveValue(
    'Too early'
  );
  for (const name of ['cn=chem,ou=labs', 'nobodys']) {
    await expect(page.getByRole('checkbox', { name })).toBeChecked();
  }
  const seen = await hub.api("o'brien", 'GET', 'broadcasts');
  expect(seen.map((one: any) => one.summary.gfm)).not.toContain('Too early');
  await page.close();
});

for (const ahead of [-5, 5]) {
  test(`A browser’s clock that is off by ${ahead} minutes changes no time`, async () => {
    const page = await administrator.newPage();
    await page.addInitScript(off => {
      const real = Date.now;
      const there = () => real() + off;
      window.Date = new Proxy(Date, {
        construct: (date, words) =>
          Reflect.construct(date, words.length ? words : [there()]),
        get: (date, name) =>
          name === 'now' ? there : Reflect.get(date, name, date)
      });
    }, ahead * 60_000);
    await page.goto(at('?message=For+an+hour&to=users&users=bob'));
    const shown = await page.evaluate(() => Date.now());
    expect(Math.abs(shown - Date.now())).toBeGreaterThan(4 * 60_000);
    await page.getByText('Banner, buttons and replies').click();
    await page.getByLabel('Withdraw it after').selectOption('an hour');
    await page.getByRole('button', { name: 'Send to 1' }).click();
    // The message is held for a minute, although the browser's clock is five minutes off.
    await expect(page.locator('[data-jn-countdown]')).toHaveText(
      /^([1-9]|[1-5]\d|60) s$/
    );
    const id = page.url().split('/').pop()!;
    const sent = await hub.api('root', 'GET', `admin/broadcasts/${id}`);
    const minutes = (Date.parse(sent.ends) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(57);
    expect(minutes).toBeLessThan(62);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(page.getByLabel('Message', { exact: true })).toHaveValue(
      'For an hour'
    );
    await page.close();
  });
}

test('A rehearsal reaches its sender alone', async () => {
  const page = await compose('?message=Only+for+my+eyes');
  await page.getByRole('button', { name: 'Send to me first' }).click();
  await expect(page.getByText('Sent to you alone')).toBeVisible();
  const summaries = async (user: string) =>
    (await hub.api(user, 'GET', 'broadcasts')).map(
      (one: any) => one.summary.gfm
    );
  expect(await summaries('root')).toContain('Only for my eyes');
  expect(await summaries('bob')).not.toContain('Only for my eyes');
  await page.close();
});

test('A maintenance is one object: sent, shown with a countdown, moved, withdrawn', async () => {
  const local = (ms: number) =>
    new Date(Date.now() + ms).toISOString().slice(0, 16);
  const hour = 3_600_000;
  const page = await compose(
    `?message=New+storage&to=all&when=maintenance&timezone=UTC&starts=${local(3 * hour)}&ends=${local(4 * hour)}&banner=1`
  );
  await expect(page.locator('#jn-preview .jn-banner')).toContainText(
    /in [23] h/
  );
  await page.getByRole('button', { name: /^Send to \d/ }).click();
  await page.getByRole('button', { name: 'Send now' }).click();
  const notices = page.locator('.jn-notices li');
  await expect(notices).toHaveText([
    /announced/,
    /announced/,
    /announced/,
    /begins/,
    /is over/
  ]);
  await expect(page.locator('.jn-notices [aria-current]')).toHaveCount(1);
  const id = page.url().split('/').pop()!;
  const before = await hub.api('bob', 'GET', 'broadcasts');
  const mine = before.find((one: any) => one.id === id);
  expect(mine.countdown).toMatch(local(3 * hour).slice(0, 13));

  await page.getByRole('button', { name: 'Edit' }).click();
  await page
    .getByLabel('Begins')
    .fill(await page.getByLabel('Ends').inputValue());
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('#jn-edit-error')).toContainText('ends');
  expect(complaints.splice(0)).toEqual([expect.stringContaining('422')]);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await revoke(page);
  const after = await hub.api('bob', 'GET', 'broadcasts');
  expect(after.map((one: any) => one.id)).not.toContain(id);
  await page.close();
});

test('What was sent is in the history, is edited on every screen, and sent again', async () => {
  const id = await hub.broadcast({
    summary: 'A first wording',
    users: ['bob']
  });
  const page = await open(administrator, at('history'), complaints);
  await page.getByLabel('Search').fill('first word');
  await expect(page.locator('.jn-history tbody tr')).toHaveCount(1);
  await page.getByRole('link', { name: 'A first wording' }).click();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Message', { exact: true }).fill('A better wording');
  await page.getByLabel('Show it again').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(
    page.getByRole('heading', { name: 'A better wording' })
  ).toBeVisible();
  const [seen] = (await hub.api('bob', 'GET', 'broadcasts')).filter(
    (one: any) => one.id === id
  );
  expect(seen.summary.gfm).toBe('A better wording');
  await page.getByRole('link', { name: 'Duplicate' }).click();
  await expect(page.getByLabel('Message', { exact: true })).toHaveValue(
    'A better wording'
  );
  await expect(page.getByLabel('Names, or a pasted list')).toHaveValue('bob');
  await page.close();
});

test('A button that is pressed before the page has its script does what it says', async () => {
  const id = await hub.broadcast({ summary: 'Pressed early', users: ['bob'] });
  const page = await administrator.newPage();
  let release = () => {};
  await page.route('**/static/notify.js', async route => {
    await new Promise<void>(resolve => (release = resolve));
    await route.continue();
  });
  const press = async (path: string, name: string | RegExp) => {
    const asked = page.waitForRequest('**/static/notify.js');
    await page.goto(at(path), { waitUntil: 'commit' });
    await asked;
    await page.getByRole('button', { name }).first().click();
    release();
  };
  await press(`history/${id}`, 'Edit');
  const message = page.getByLabel('Message', { exact: true });
  await expect(message).toBeVisible();
  await expect(message).toHaveValue('Pressed early');
  await press('?message=Early&to=users&users=bob', /^Send/);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(message).toHaveValue('Early');
  await page.close();
});

test('A message that cannot be sent says why, at its field', async () => {
  const page = await compose('?to=users');
  await page.getByRole('button', { name: /^Send/ }).first().click();
  await expect(page.getByRole('alert')).toHaveText('Write a message first.');
  const message = page.getByLabel('Message', { exact: true });
  await expect(message).toBeFocused();
  await message.fill('Hello');
  await page.getByRole('button', { name: /^Send/ }).first().click();
  await expect(page.getByRole('alert')).toContainText('no user is named');
  await page.getByLabel('Names, or a pasted list').fill('bob');
  await page.getByText('Repeating…', { exact: true }).click();
  await page.getByLabel('Time zone').fill('Middle/Earth');
  await page.getByRole('button', { name: /^Send/ }).first().click();
  await expect(page.getByRole('alert')).toHaveText(
    'Middle/Earth is no time zone.'
  );
  await page.close();
});

/** Texts that would run if they were taken for HTML, or if htmx looked into them. */
const HOSTILE = [
  '<img src=x onerror="window.hostile=1">',
  '<script>window.hostile=1</script>',
  '[click](javascript:window.hostile=1)',
  '<div data-hx-get="/hubs/one/services/notify/history" data-hx-trigger="load" hx-on:load="window.hostile=1">x</div>',
  '"><svg onload=window.hostile=1>'
];

test('A hostile message runs nothing, and asks for nothing', async () => {
  const id = await hub.broadcast({
    summary: HOSTILE.join(' '),
    body: HOSTILE.join('\n\n'),
    reply: { choices: ['<img src=x onerror="window.hostile=1">'] },
    banner: true,
    audience: 'all'
  });
  const fill = encodeURIComponent(HOSTILE.join(' '));
  const pages = [
    at(`?message=${fill}&details=${fill}&banner=1&choices=${fill}`),
    at('history'),
    at(`history/${id}`),
    at('inbox'),
    `${hub.place.url}/hub/home`
  ];
  for (const url of pages) {
    const page = await open(administrator, url, complaints);
    const asked: string[] = [];
    page.on('request', request => asked.push(request.url()));
    for (const summary of await page.locator('.jn-item summary').all()) {
      await summary.click();
    }
    await expect(page.locator('body')).toContainText('onerror');
    expect(await page.evaluate('window.hostile')).toBeUndefined();
    expect(asked.filter(one => /\/history$|\/x$/.test(one))).toEqual([]);
    await page.close();
  }
  await hub.api('root', 'DELETE', `admin/broadcasts/${id}`);
});

test('Nothing of ours is inline, and the policy allows nothing that is', async () => {
  const page = await compose();
  for (const path of ['', 'history', 'inbox']) {
    const answer = await page.goto(at(path));
    const policy = answer!.headers()['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    const html = await answer!.text();
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/);
    const inline = await page.evaluate(text => {
      const parsed = new DOMParser().parseFromString(text, 'text/html');
      return [...parsed.querySelectorAll('*')].filter(
        one =>
          one.localName === 'style' ||
          [...one.attributes].some(
            ({ name, value }) =>
              name === 'style' ||
              /^(on|hx-on|data-hx-on)/.test(name) ||
              /^javascript:/i.test(value)
          )
      ).length;
    }, html);
    expect(inline).toBe(0);
  }
  await page.close();
});

test("The hub's own pages show what is for everyone, and a bell", async ({
  browser
}) => {
  const id = await hub.broadcast({
    summary: 'The cafeteria is closed',
    type: 'warning',
    banner: true,
    audience: 'all'
  });
  const own = await hub.broadcast({
    summary: 'Psst',
    users: ['bob'],
    banner: true
  });
  const nobody = await browser.newContext();
  const login = await open(nobody, `${hub.place.url}/hub/login`, complaints);
  const banners = (page: Page) =>
    page.locator('#jupyterhub-notify-banners .alert');
  await expect(banners(login)).toContainText(['The cafeteria is closed']);
  await expect(login.locator('.announcement')).toHaveText(
    'Use your own account'
  );
  await expect(login.locator('#jupyterhub-notify-bell')).toHaveCount(0);
  await login.screenshot({ path: test.info().outputPath('login.png') });
  await nobody.close();

  const home = await open(bob, `${hub.place.url}/hub/home`, complaints);
  await expect(banners(home)).toContainText(['The cafeteria is closed']);
  await expect(banners(home).filter({ hasText: 'Psst' })).toHaveCount(0);
  await expect(home.locator('.announcement')).toBeHidden();
  const bell = home.getByRole('link', { name: /^Notifications, \d+ unread$/ });
  await expect(bell).toBeVisible();
  await hasNoViolations(
    home,
    '#jupyterhub-notify-banners',
    '#jupyterhub-notify-bell'
  );
  await home.screenshot({ path: test.info().outputPath('home.png') });
  await home.getByRole('button', { name: 'Dismiss' }).first().click();
  await home.reload();
  await expect(bell).toBeVisible();
  await expect(banners(home).filter({ hasText: 'cafeteria' })).toHaveCount(0);
  await bell.click();
  await expect(home).toHaveURL(at('inbox'));
  await expect(home.locator('.jn-item', { hasText: 'Psst' })).toBeVisible();
  await home.close();
  for (const one of [id, own]) {
    await hub.api('root', 'DELETE', `admin/broadcasts/${one}`);
  }
});

test('On a small screen a banner has the whole line, and names stand as in a sentence', async () => {
  const begins = Date.now() + 7_200_000;
  const id = await hub.broadcast({
    summary: 'New storage',
    body: 'Reading and writing files pauses, and running kernels stay as they are.',
    banner: true,
    audience: 'all',
    maintenance: true,
    timezone: 'UTC',
    starts: new Date(begins).toISOString(),
    ends: new Date(begins + 3_600_000).toISOString()
  });
  const own = await hub.broadcast({
    summary: 'For three',
    users: ['ada', 'bob', "o'brien"]
  });
  const home = await open(bob, `${hub.place.url}/hub/home`, complaints);
  const banner = home.locator(`#jupyterhub-notify-banners [data-id="${id}"]`);
  const head = banner.locator('strong');
  const countdown = banner.getByText(/^in \d+ h/);
  for (const width of [1280, 480]) {
    await home.setViewportSize({ width, height: 800 });
    await fits(home);
    const [line, left, words] = await Promise.all(
      [head, countdown, banner.getByText('Reading and writing')].map(
        async one => (await one.boundingBox())!
      )
    );
    expect(Math.abs(line.y - left.y)).toBeLessThan(line.height / 2);
    expect(words.y).toBeGreaterThanOrEqual(left.y + left.height - 1);
    expect(words.x + words.width).toBeCloseTo(left.x + left.width, 0);
  }
  await home.close();

  const page = await open(administrator, at('history'), complaints);
  await page.setViewportSize({ width: 480, height: 800 });
  const names = page
    .locator('tr', { hasText: 'For three' })
    .locator('[data-label="To"] bdi');
  const boxes = await names.evaluateAll(all =>
    all.map(one => one.getBoundingClientRect().toJSON())
  );
  expect(boxes).toHaveLength(3);
  for (const [index, { left }] of boxes.slice(1).entries()) {
    const gap = left - boxes[index].right;
    expect(gap).toBeGreaterThan(0);
    expect(gap).toBeLessThan(boxes[0].height);
  }
  await page.close();
  for (const one of [id, own]) {
    await hub.api('root', 'DELETE', `admin/broadcasts/${one}`);
  }
});

test('All of it is done with the keyboard alone', async () => {
  const page = await compose('?to=users&users=bob');
  await expect(page.getByLabel('Message', { exact: true })).toBeFocused();
  await page.keyboard.type('Written without a mouse');
  await page.keyboard.press('Tab');
  await page.keyboard.type('As it should be.');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('radio', { name: 'Success' })).toBeChecked();
  const button = page.getByRole('button', { name: 'Send to 1' });
  await expect(button).toBeVisible();
  for (let presses = 0; presses < 12; presses++) {
    await page.keyboard.press('Tab');
    if (await button.evaluate(one => one === document.activeElement)) {
      break;
    }
  }
  await expect(button).toBeFocused();
  await page.keyboard.press('Enter');
  const undo = page.getByRole('button', { name: 'Undo' });
  await undo.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Details')).toHaveValue('As it should be.');
  await page.close();
});

for (const scheme of ['light', 'dark'] as const) {
  test(`Every page is accessible and fits, from 320 to 1920 px, ${scheme}`, async () => {
    const id = await hub.broadcast({
      summary: `A long message about the ${'very '.repeat(20)}long night`,
      body: '# A heading\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n`code` and [a link](https://example.org)',
      type: 'warning',
      banner: true,
      reply: { choices: ['Yes', 'No'], text: true },
      users: ['root', 'bob', 'carol@example.org', "o'brien"]
    });
    // The console is not checked here: it reports that the policy blocks the styles of axe and of
    // screenshots.
    const page = await open(administrator, at(''));
    await page.emulateMedia({ colorScheme: scheme });
    const views = {
      compose:
        '?message=Maintenance+tonight&details=Save+**your**+work&type=warning&to=users&users=bob&when=repeating&banner=1&choices=Yes,No',
      history: 'history',
      results: `history/${id}`,
      inbox: 'inbox'
    };
    for (const [name, path] of Object.entries(views)) {
      for (const width of [320, 480, 1920, 1280]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(at(path));
        if (name === 'compose') {
          await expect(page.locator('#jn-preview .jn-banner')).toBeVisible();
          await expect(page.locator('#jn-recipients')).toContainText('1 user');
        }
        if (name === 'inbox') {
          await page.locator('.jn-item summary').first().click();
        }
        await fits(page);
        await linesUp(page);
        await page.screenshot({
          path: test.info().outputPath(`${name}-${width}.png`),
          fullPage: true
        });
      }
      await hasNoViolations(page, '.jn');
    }
    await hub.api('root', 'DELETE', `admin/broadcasts/${id}`);
    await page.close();
  });
}
