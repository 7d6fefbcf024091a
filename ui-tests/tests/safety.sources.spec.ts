/**
 * Content from outside, which is shown as text or dropped, never run: images, characters that hide
 * others, and in the banner and the welcome dialog, from a central service.
 */
import * as fs from 'fs';
import * as path from 'path';

import { ALL, MORE } from './attacks';
import { banners, expect, rows, test, toasts, welcome } from './lab';
import { everywhere, inGroups, PIXEL, useWatchedPage } from './safetyPage';

const watched = useWatchedPage();
const { central, lab } = watched;

// Longer than a screen: the hosts' requests are compared at each step.
test('An image of another host is asked for only once the user wants it, without cookies, and not where a redirect leads', async () => {
  const { page } = watched;
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
  // An image that may not be read, or is somewhere else, becomes a link.
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

  // The choice is remembered, for that host alone.
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
  const { page } = watched;
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
  const { page } = watched;
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
  const { page } = watched;
  expect(ALL.length).toBeGreaterThan(100);
  const banner = banners(page);
  for (const [index, string] of inGroups(ALL).entries()) {
    // Replace the message before, whose details stay open.
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
    await watched.pokeAll(
      '#jp-notify-banner',
      '.jp-NotifyBanner-summary',
      '.jp-NotifyBanner-details .jp-NotifyBody'
    );
  }
});

test('What a central service sends is shown without what could run, in the center and the banner', async () => {
  const { page } = watched;
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
  const shown = await watched.openAll();
  expect(shown.flatMap(row => row.foreign)).toEqual([]);
  await page.getByRole('button', { name: '9 more' }).click();
  await expect(banners(page)).toHaveCount(12);
  await watched.nothingForeign('#jp-notify-banner');
  await watched.nothingForeign('.jp-NotifyCenter');
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
  const { page } = watched;
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
    await watched.pokeAll(
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
