/**
 * What comes from outside is shown as text or dropped, never run: in toasts
 * and in the center, from the ingest and from a database that others wrote.
 */
import type { Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import {
  ADDRESSES,
  ALL,
  CODE,
  FETCH,
  MORE,
  RUN,
  SENTINEL,
  STRINGS
} from './attacks';
import { Central } from './central';
import { write } from './database';
import {
  closeCenter,
  banners,
  expect,
  type IPayload,
  openCenter,
  rows,
  test,
  toasts,
  untilReady,
  useLab,
  welcome
} from './lab';

/** One pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const central = new Central();
test.beforeAll(async () => {
  await central.start();
});
test.afterAll(() => central.stop());

const lab = useLab({
  // It is started after the central service.
  get config() {
    return central.config;
  }
});

let page: Page;
/** What must stay empty: what ran, and what was asked for. */
const alarms: string[] = [];

test.beforeAll(async ({ browser }) => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 }
  });
  await context.exposeFunction('tellTest', (what: string) => {
    alarms.push(what);
  });
  await context.addInitScript(look);
  await context.addInitScript(() => {
    (window as any).ran = () => (window as any).tellTest('a script ran');
  });
  context.on('page', one => {
    if (page && one !== page) {
      alarms.push(`a page was opened: ${one.url()}`);
      void one.close();
    }
  });
  context.on('request', request => {
    if (request.url().startsWith(SENTINEL)) {
      alarms.push(`asked for ${request.url()}`);
    }
  });
  page = await lab.open(browser, { context });
  page.on('dialog', dialog => {
    alarms.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('framenavigated', frame => {
    if (!frame.url().startsWith(lab.url)) {
      alarms.push(`went to ${frame.url()}`);
    }
  });
  await openCenter(page);
  await watchCommands();
});

test.afterAll(() => page?.context().close());

test.beforeEach(async () => {
  alarms.length = 0;
  const all = await lab.list('inbox', 200);
  await Promise.all(all.map(row => lab.revoke(row.id, row.source)));
  await expect(rows(page)).toHaveCount(0);
  await expect(toasts(page)).toHaveCount(0);
});

test.afterEach(async () => {
  // An image that is not there says so only when the server has.
  await page.evaluate(async () => {
    await fetch('/no-such-image');
    await new Promise(resolve => setTimeout(resolve, 50));
  });
  expect(alarms).toEqual([]);
});

test('The alarms of these tests ring', async () => {
  for (const string of [
    `<img src=x onerror=${RUN}>`,
    `<img src=x onerror="${CODE}">`,
    `<img src=x onerror="${FETCH}">`,
    `<iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`,
    `<details open ontoggle=${RUN}>x</details>`,
    `<a href="javascript:${RUN}">a link</a>`,
    `<a href="${SENTINEL}" target="_blank">a link</a>`
  ]) {
    await page.evaluate(string => {
      const node = document.createElement('div');
      node.id = 'unsafe';
      node.innerHTML = string;
      document.body.append(node);
      node.querySelector('a')?.click();
    }, string);
    await expect.poll(() => alarms, string).not.toEqual([]);
    if (string.includes('_blank')) {
      // It rings twice: for what is asked for, and for the page.
      await expect.poll(() => alarms.join()).toContain('a page was opened');
      await expect.poll(() => page.context().pages()).toHaveLength(1);
    }
    await page.evaluate(() => document.querySelector('#unsafe')!.remove());
    alarms.length = 0;
  }
});

test('JupyterLab listens to elements that name a command', async () => {
  await page.evaluate(() => {
    const node = document.createElement('a');
    node.dataset.commandlinkerCommand = 'filebrowser:toggle-main';
    document.body.append(node);
    node.click();
    node.remove();
  });
  // Since 4.6 it asks; before, the command just ran.
  const dialog = page.locator('.jp-Dialog');
  await expect
    .poll(async () => alarms.length + (await dialog.count()))
    .toBeGreaterThan(0);
  if (await dialog.count()) {
    await dialog.locator('.jp-Dialog-footer button').first().click();
  }
  await expect(dialog).toHaveCount(0);
  alarms.length = 0;
});

test('Text that is plain is shown letter by letter, in the center', async () => {
  for (const string of STRINGS) {
    await lab.push({ ...everywhere(string), autoClose: 0 });
  }
  const shown = await openAll();
  expect(shown).toHaveLength(STRINGS.length);
  for (const [index, string] of STRINGS.entries()) {
    const { summary, source, labels, titles } = shown[index];
    expect(summary).toBe(string);
    expect(source).toBe(string.slice(0, 80));
    expect(labels).toEqual([string.slice(0, 80), string.slice(0, 80)]);
    expect(titles).toEqual([string.slice(0, 200), string.slice(0, 200)]);
  }
  await nothingForeign('.jp-NotifyCenter');
});

test('Markdown is shown without what could run, in the center', async () => {
  // In a group these could swallow the next: each alone.
  const greedy =
    /<(script|style|textarea|template|noscript|select|title|svg|math|i?frame|object|applet|[!<])|```/i;
  const groups = ALL.filter(string => greedy.test(string));
  groups.push(...inGroups(ALL.filter(string => !greedy.test(string))));
  for (const string of groups) {
    await lab.push({ ...everywhere(string), markdown: true, autoClose: 0 });
  }
  const shown = await openAll();
  expect(shown).toHaveLength(groups.length);
  expect(shown.flatMap(row => row.foreign)).toEqual([]);
  await nothingForeign('.jp-NotifyCenter');
});

for (const markdown of [false, true]) {
  test(`A toast of ${markdown ? 'Markdown' : 'plain text'} is text`, async () => {
    const toast = toasts(page);
    for (const [index, string] of STRINGS.entries()) {
      // A click on a toast that was cut has opened it.
      await closeCenter(page);
      // In place of the one before, which takes no time to go.
      await lab.push({
        ...everywhere(`No ${index} ${string}`),
        key: 'the same',
        source: 'the same',
        markdown,
        autoClose: false
      });
      // Not the one before, which may be fading.
      const shown = toasts(page, `No ${index} `).locator('.jp-toast-message');
      await expect(shown).toBeVisible();
      if (!markdown) {
        const text = `No ${index} ${string.split('\n')[0]}`;
        const words = text.slice(0, 100).replace(/ \S*$/, '');
        await expect(shown).toContainText(words);
      }
      await pokeAll(
        '.jp-toastContainer',
        '.jp-toastContainer .jp-toast-message'
      );
    }
    await expect(toast).toHaveCount(1);
  });
}

test('The ingest refuses addresses that a button must not open', async () => {
  for (const url of ADDRESSES) {
    const answer = await lab.api('POST', 'jupyterlab-notify/ingest', {
      message: 'x',
      actions: [{ label: 'x', url }]
    });
    expect(answer.status, url).toBe(400);
    expect(answer.body.errors[0].field).toContain('url');
  }
  expect(await lab.list()).toHaveLength(0);
});

test('The browser opens none of them either, were they in the database', async () => {
  const addresses = ADDRESSES.filter(url => url);
  const ids: string[] = [];
  for (let start = 0; start < addresses.length; start += 5) {
    const { notification_id } = await lab.push({
      message: `From ${start}`,
      autoClose: 0
    });
    ids.push(notification_id);
  }
  write(
    lab,
    ids.map((id, index) => [
      'UPDATE notifications SET actions = ? WHERE id = ?',
      stored(addresses.slice(5 * index, 5 * index + 5)),
      id
    ])
  );
  await page.reload();
  await untilReady(page);
  await openCenter(page);
  await watchCommands();

  let pressed = 0;
  for (let index = 0; index < ids.length; index++) {
    const row = rows(page, `From ${5 * index}`);
    await row.locator('.jp-NotifyRow-summary').click();
    const buttons = row.locator('.jp-NotifyAction');
    await expect(buttons).toHaveCount(
      addresses.slice(5 * index, 5 * index + 5).length
    );
    for (const button of await buttons.all()) {
      await button.click();
      await refused();
      pressed += 1;
    }
  }
  expect(pressed).toBe(addresses.length);
});

test('A toast opens none of them either', async () => {
  const { notification_id } = await lab.push({
    message: 'Press one of these',
    autoClose: false
  });
  write(lab, [
    [
      'UPDATE notifications SET actions = ? WHERE id = ?',
      stored([ADDRESSES[0], ADDRESSES[2], ADDRESSES[5]]),
      notification_id
    ]
  ]);
  await page.reload();
  await untilReady(page);
  await closeCenter(page);
  await watchCommands();
  const buttons = toasts(page).locator('.jp-toast-button');
  await expect(buttons).toHaveCount(3);
  for (let index = 0; index < 3; index++) {
    await buttons.nth(index).click();
    await refused();
  }
  await openCenter(page);
});

test('The question before a command shows what it was given as text', async () => {
  const string = `<img src=x onerror=${RUN}>`;
  await lab.push({
    message: 'x',
    source: string,
    autoClose: 0,
    actions: [
      { label: string, commandId: string },
      {
        label: string,
        commandId: 'notebook:run-all-cells',
        args: { [string]: string }
      }
    ]
  });
  const row = rows(page);
  await row.locator('.jp-NotifyRow-summary').click();
  const buttons = row.locator('.jp-NotifyAction');
  const dialog = page.locator('.jp-Dialog');

  await buttons.nth(0).click();
  await expect(dialog).toContainText(string);
  await nothingForeign('.jp-Dialog');
  await dialog.locator('.jp-Dialog-footer button').first().click();
  await expect(dialog).toHaveCount(0);

  await buttons.nth(1).click();
  await expect(dialog).toContainText('notebook:run-all-cells');
  await expect(dialog).toContainText(`“${string}” from ${string}`);
  await nothingForeign('.jp-Dialog');
  await dialog.locator('.jp-Dialog-footer button').first().click();
  await expect(dialog).toHaveCount(0);
});

test('An image of another host is asked for only once the user wants it, without cookies, and not where a redirect leads', async () => {
  const asked: { url: string; referer?: string; cookie?: string }[] = [];
  const open = {
    'Access-Control-Allow-Origin': '*',
    'Content-Type': 'image/png'
  };
  const context = page.context();
  await context.route(/picture\.png|elsewhere/, async route => {
    const { referer, cookie } = await route.request().allHeaders();
    const url = route.request().url();
    asked.push({ url, referer, cookie });
    if (url.includes('?redirect')) {
      await route.fulfill({
        status: 302,
        headers: { ...open, Location: `${lab.url}/logout` }
      });
    } else {
      await route.fulfill({
        headers: url.includes('?closed')
          ? { ...open, 'Access-Control-Allow-Origin': 'https://nobody.example' }
          : open,
        body: Buffer.from(PIXEL, 'base64')
      });
    }
  });
  await lab.push({
    message: 'x',
    autoClose: 0,
    body: [
      '![one](https://images.example/picture.png?1)',
      '![two](https://images.example/picture.png?2)',
      '![closed](https://images.example/picture.png?closed)',
      '![away](https://images.example/picture.png?redirect)',
      `![own](${lab.url}/logout/picture.png?2)`,
      '![rooted](/logout/picture.png?3)',
      '![vague](//images.example/picture.png?5)',
      '![open](http://images.example/picture.png?6)',
      '![up](files/../logout/picture.png?7)',
      '![up](files/%2e%2e/logout/picture.png?8)'
    ].join('\n\n')
  });
  const body = rows(page).locator('.jp-NotifyBody');
  await rows(page).locator('.jp-NotifyRow-summary').click();
  const buttons = body.getByRole('button', {
    name: 'Load images from images.example'
  });
  await expect(buttons).toHaveCount(4);
  expect(asked).toEqual([]);
  await expect(body.locator('img')).toHaveCount(0);

  await buttons.first().click();
  await expect(buttons).toHaveCount(0);
  for (const name of ['one', 'two']) {
    const image = body.getByRole('img', { name });
    await expect
      .poll(() => image.evaluate((node: HTMLImageElement) => node.naturalWidth))
      .toBe(1);
    await expect(image).toHaveAttribute('src', /^data:image\/png/);
  }
  // What may not be read, or is somewhere else, is a link.
  for (const name of ['closed', 'away']) {
    await expect(
      body.getByRole('link', { name: `Image: ${name}` })
    ).toHaveAttribute('href', /^https:\/\/images\.example\/picture\.png/);
  }
  await expect(body.locator('img')).toHaveCount(2);
  expect(asked.map(({ url }) => url).sort()).toEqual(
    ['1', '2', 'closed', 'redirect'].map(
      query => `https://images.example/picture.png?${query}`
    )
  );
  expect(asked.flatMap(({ referer, cookie }) => [referer, cookie])).toEqual(
    Array(8).fill(undefined)
  );

  // It is remembered, for that host alone.
  await lab.push({
    message: 'later',
    autoClose: 0,
    body: '![three](https://images.example/picture.png?3) ![four](https://other.example/picture.png?4)'
  });
  await rows(page, 'later').locator('.jp-NotifyRow-summary').click();
  await expect(body.getByRole('img', { name: 'three' })).toBeVisible();
  await expect(
    body.getByRole('button', { name: 'Load images from other.example' })
  ).toBeVisible();
  await page.evaluate(() =>
    localStorage.removeItem('jupyterlab_notify:image-hosts')
  );
  await context.unrouteAll();
});

test("An image among the user's own files is shown", async () => {
  fs.mkdirSync(path.join(lab.root, 'files'), { recursive: true });
  for (const name of ['plot.png', 'a plot ü.png', 'files/deep.png']) {
    fs.writeFileSync(path.join(lab.root, name), Buffer.from(PIXEL, 'base64'));
  }
  const names = [
    'files/plot.png',
    'plot.png',
    'a%20plot%20ü.png',
    'files/deep.png'
  ];
  await lab.push({
    message: 'x',
    autoClose: 0,
    body: [...names, 'missing.png']
      .map((name, index) => `![image ${index}](${name})`)
      .join('\n\n')
  });
  await rows(page).locator('.jp-NotifyRow-summary').click();
  const body = rows(page).locator('.jp-NotifyBody');
  for (const index of names.keys()) {
    const image = body.getByRole('img', { name: `image ${index}` });
    await expect
      .poll(() => image.evaluate((node: HTMLImageElement) => node.naturalWidth))
      .toBe(1);
  }
  await expect(body).toContainText('image 4');
  await expect(body.locator('img')).toHaveCount(names.length);
});

test('Characters that hide or reorder others are shown as escapes, wherever a text is', async () => {
  const text =
    'invoice\u202egnp.exe\u3164\u2800\u034f\u{e0041}\u200b 👩\u200d🚀 ❤\ufe0f';
  const seen =
    'invoice\\u202egnp.exe\\u3164\\u2800\\u034f\\u{e0041}\\u200b 👩\u200d🚀 ❤\ufe0f';
  for (const markdown of [false, true]) {
    await lab.push({
      key: 'pose',
      // An error, since only those are toasts while the center is open.
      type: 'error',
      source: `the ${text}`,
      message: `message ${text}`,
      body: `body ${text}`,
      markdown,
      banner: true,
      autoClose: false,
      actions: [{ label: text, caption: text, commandId: text }]
    });
    const toast = toasts(page, 'message');
    await expect(toast.locator('.jp-toast-message')).toContainText(seen);
    await expect(toast.locator('.jp-toast-message')).toHaveAttribute(
      'data-jp-notify-meta',
      new RegExp(`^the invoice\\\\u202e`)
    );
    await expect(toast.getByRole('button', { name: seen })).toBeVisible();
    const banner = banners(page, 'message');
    await expect(banner).toContainText(`message ${seen}`);
    await expect(banner.locator('bdi').first()).toHaveText(`the ${seen}`);
    const row = rows(page, 'message');
    await expect(row).toContainText(`the ${seen}`);
    await row
      .locator('.jp-NotifyRow-summary')
      .click({ position: { x: 4, y: 4 } });
    await expect(row.locator('.jp-NotifyBody')).toContainText(`body ${seen}`);
    await expect(row.locator('.jp-NotifyAction')).toHaveAttribute(
      'title',
      seen
    );
    await lab.revoke('pose');
    await expect(rows(page)).toHaveCount(0);
    await expect(toast).toHaveCount(0);
  }
  const blank = await lab.api('POST', 'jupyterlab-notify/ingest', {
    message: '\u3164\u2800 \u202e\u{e0041}'
  });
  expect(blank.status).toBe(400);
});

test('The banner shows Markdown without what could run', async () => {
  expect(ALL.length).toBeGreaterThan(100);
  const banner = banners(page);
  for (const [index, string] of inGroups(ALL).entries()) {
    // In place of the one before, whose details stay open.
    await lab.push({
      ...everywhere(string),
      message: `No ${index} ${string}`,
      key: 'the same',
      markdown: true,
      banner: true,
      autoClose: 0,
      source: 'the same',
      body: `Body ${index}.\n\n${string}`
    });
    await expect(banner).toContainText(`No ${index} `);
    if (index === 0) {
      await banner.getByRole('button', { name: 'Details' }).click();
    }
    await expect(banner.locator('.jp-NotifyBody')).toContainText(
      `Body ${index}.`
    );
    await pokeAll(
      '#jp-notify-banner',
      '.jp-NotifyBanner-summary',
      '.jp-NotifyBanner-details .jp-NotifyBody'
    );
  }
});

test('What a central service sends is shown without what could run, in the center and the banner', async () => {
  const ids: string[] = [];
  const groups = inGroups(ALL);
  for (const string of groups) {
    await central.tell('POST', 'messages', { summary: string, body: string });
  }
  for (const string of MORE.slice(0, 12)) {
    const { id } = await central.tell('POST', 'broadcasts', {
      summary: string,
      body: string,
      category: 'outage'
    });
    ids.push(id);
  }
  await expect
    .poll(async () => (await lab.list('inbox', 200)).length)
    .toBe(groups.length + 12);
  const shown = await openAll();
  expect(shown.flatMap(row => row.foreign)).toEqual([]);
  await page.getByRole('button', { name: '9 more' }).click();
  await expect(banners(page)).toHaveCount(12);
  await nothingForeign('#jp-notify-banner');
  await nothingForeign('.jp-NotifyCenter');
  for (const id of ids) {
    await central.tell('DELETE', `broadcasts/${id}`);
  }
  for (const { id } of await central
    .tell<{ id: string }[]>('GET', 'state')
    .then((state: any) => Object.values(state.messages) as { id: string }[])) {
    await central.tell('DELETE', `messages/${id}`);
  }
  await expect(rows(page)).toHaveCount(0);
});

test('A welcome message is shown without what could run', async () => {
  const groups = inGroups(ALL);
  for (const [index, string] of groups.entries()) {
    await central.tell('POST', 'welcome', {
      title: `No ${index} ${string}`,
      summary: string,
      body: `Body ${index}.\n\n${string}`
    });
  }
  await expect
    .poll(async () => {
      const answer = await lab.api('GET', 'jupyterlab-notify/welcome');
      return answer.body.messages.length;
    })
    .toBe(groups.length);
  await page.evaluate(() =>
    (window as any).jupyterapp.commands.execute(
      'jupyterlab-notify:show-welcome'
    )
  );
  const dialog = welcome(page);
  const next = dialog.getByRole('button', { name: 'Next' });
  for (let number = 1; number <= groups.length; number++) {
    await expect(dialog).toContainText(`${number} of ${groups.length}`);
    const name = await dialog.getByRole('heading').first().textContent();
    const index = Number(/^No (\d+) /.exec(name!)![1]);
    // It is text, letter by letter.
    await expect(dialog.locator('.jp-NotifyWelcome-title > *')).toHaveCount(0);
    await expect(dialog.locator('.jp-NotifyWelcome-body')).toContainText(
      `Body ${index}.`
    );
    await pokeAll(
      '.jp-NotifyWelcome',
      '.jp-NotifyWelcome-title',
      '.jp-NotifyWelcome-summary',
      '.jp-NotifyWelcome-body'
    );
    if (number < groups.length) {
      await next.click();
    }
  }
  await dialog
    .getByRole('button', { name: 'Don’t show any welcome messages' })
    .click();
  await expect(dialog).toHaveCount(0);
});

/** Several to a text, each a paragraph: a page for each of them would take minutes. */
function inGroups(strings: readonly string[]): string[] {
  const groups: string[] = [];
  for (let start = 0; start < strings.length; start += 4) {
    groups.push(strings.slice(start, start + 4).join('\n\n'));
  }
  return groups;
}

/** A message with a string in each of its texts. */
function everywhere(string: string): IPayload {
  return {
    message: string,
    body: string,
    source: string.slice(0, 80),
    key: string.slice(0, 200),
    actions: [
      { label: string.slice(0, 80), caption: string.slice(0, 200) },
      {
        label: string.slice(0, 80),
        caption: string.slice(0, 200),
        url: `https://example.org/${encodeURI(string)}`,
        displayType: 'link'
      }
    ],
    data: { [string]: string }
  };
}

/** Buttons with addresses, the way the store keeps them. */
function stored(addresses: string[]): string {
  return JSON.stringify(
    addresses.map(url => ({
      label: JSON.stringify(url).slice(0, 80),
      caption: null,
      displayType: null,
      commandId: null,
      args: null,
      url
    }))
  );
}

/** The user is told that a link is not opened, and goes on. */
async function refused(): Promise<void> {
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog).toContainText('This link is not opened');
  await dialog.locator('.jp-Dialog-footer button').click();
  await expect(dialog).toHaveCount(0);
}

/** Have every command that runs ring the alarm, but those of the tests. */
async function watchCommands(): Promise<void> {
  await page.evaluate(() => {
    (window as any).jupyterapp.commands.commandExecuted.connect(
      (_: unknown, { id }: { id: string }) => {
        if (id === 'filebrowser:toggle-main') {
          void (window as any).tellTest(`the command ${id} ran`);
        }
      }
    );
  });
}

interface IShown {
  summary: string;
  source: string;
  labels: string[];
  titles: string[];
  foreign: string[];
}

/**
 * Open every message of the list in turn, oldest first, press and point at
 * all of it, and return what was shown.
 */
async function openAll(): Promise<IShown[]> {
  const sent = (await lab.list('inbox', 200)).reverse();
  const shown: IShown[] = [];
  for (const { id } of sent) {
    // One call for each: a way to the page and back takes as long as all of this.
    shown.push(await page.evaluate(openInPage, id));
  }
  return shown;
}

/** Runs in the page. */
async function openInPage(id: string): Promise<IShown> {
  const { poke, foreign } = (window as any).look as ILook;
  (window as any).notifyModel.open(id);
  const row = `#jp-notify-center [data-id="${id}"]`;
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  const until = async (what: string, selector: string, there: boolean) => {
    const end = Date.now() + 15_000;
    while ((document.querySelector(selector) !== null) !== there) {
      if (Date.now() > end) {
        throw new Error(`${what}: ${selector}`);
      }
      await frame();
    }
  };
  await until('not opened', `${row}.jp-mod-open`, true);
  await until('still loading', `${row} [aria-busy="true"]`, false);
  poke(`${row} .jp-NotifyRow-summary`);
  poke(`${row} .jp-NotifyBody`);
  await frame();
  const node = document.querySelector(row)!;
  const text = (selector: string) => node.querySelector(selector)!.textContent!;
  const actions = [...node.querySelectorAll('.jp-NotifyAction')];
  return {
    summary: text('.jp-NotifyRow-summary'),
    source: text('.jp-NotifyRow-source'),
    labels: actions.map(
      one => one.querySelector('.jp-NotifyAction-label')!.textContent!
    ),
    titles: actions.map(one => one.getAttribute('title')!),
    foreign: foreign(row)
  };
}

/** Press and point at parts of the page, and expect that nothing comes of it. */
async function pokeAll(whole: string, ...parts: string[]): Promise<void> {
  await page.evaluate(parts => {
    const { poke } = (window as any).look as ILook;
    parts.forEach(poke);
  }, parts);
  await nothingForeign(whole);
}

async function nothingForeign(selector: string): Promise<void> {
  const [found, count, display, dialogs] = await page.evaluate(
    selector =>
      [
        ((window as any).look as ILook).foreign(selector),
        document.querySelectorAll('iframe, object, embed, base').length,
        getComputedStyle(document.body).display,
        document.querySelectorAll('.jp-Dialog').length
      ] as const,
    selector
  );
  expect(found).toEqual([]);
  expect(alarms).toEqual([]);
  expect([count, display]).toEqual([0, 'block']);
  if (selector !== '.jp-Dialog') {
    expect(dialogs).toBe(0);
  }
}

/** What tests ask of a page, in it. */
interface ILook {
  /** Press, and point at, whatever text brought with it. */
  poke: (selector: string) => void;
  /** Elements and attributes that no text of a sender's may bring about. */
  foreign: (selector: string) => string[];
}

/** Runs in the page, before anything else. */
function look(): void {
  const poke = (selector: string) => {
    for (const root of document.querySelectorAll(selector)) {
      for (const node of root.querySelectorAll<HTMLElement>('*')) {
        for (const type of ['mouseover', 'focus', 'pointerdown', 'toggle']) {
          node.dispatchEvent(new Event(type, { bubbles: true }));
        }
        // What a link is must be seen below; where it leads is elsewhere.
        if (!node.closest('a[href]')) {
          node.click();
        }
      }
    }
  };
  const foreign = (selector: string) => {
    const found: string[] = [];
    const roots = [...document.querySelectorAll(selector)];
    if (roots.length === 0) {
      return [`there is no ${selector}`];
    }
    for (const node of roots.flatMap(root => [
      ...root.querySelectorAll<HTMLElement>('*')
    ])) {
      const inText = node.closest(
        '.jp-NotifyBody, .jp-NotifyWelcome-body, .jp-NotifySummary > *, .jp-toast-message > *'
      );
      const inBody =
        inText && !node.matches('.jp-NotifyBody, .jp-NotifyWelcome-body');
      const names = node.getAttributeNames();
      if (
        node.matches(
          'script, iframe, object, embed, form, style, link, meta, base, textarea, select, video, audio, template, math, noscript, frame, dialog, portal'
        ) ||
        (inBody &&
          node.matches(
            'input, button:not(.jp-NotifyImage > .jp-NotifyLink, .jp-NotifyMarkdown-button), svg, label, div:not([class^="jp-Notify"])'
          )) ||
        names.some(name => name.startsWith('on')) ||
        names.some(name =>
          /^(data-commandlinker|srcdoc|formaction|action|ping|background|xlink|contenteditable|autofocus)/.test(
            name
          )
        ) ||
        (inBody &&
          (names.includes('id') ||
            names.includes('name') ||
            (names.includes('style') &&
              !/^text-align: (left|right|center);$/.test(
                node.getAttribute('style')!
              )) ||
            [...node.classList].some(
              name => !/^(jp-Notify[\w-]*|ͼ\w+|tok-[\w-]+)$/.test(name)
            ))) ||
        (node.matches('a') &&
          (!/^(https?:|mailto:)/.test(node.getAttribute('href') ?? '') ||
            node.getAttribute('target') !== '_blank' ||
            !node.getAttribute('rel')?.includes('noopener'))) ||
        (node.matches('img') &&
          !/^(https:|data:image\/)/.test(node.getAttribute('src') ?? ''))
      ) {
        found.push(node.outerHTML.slice(0, 300));
      }
    }
    return found;
  };
  (window as any).look = { poke, foreign };
}
