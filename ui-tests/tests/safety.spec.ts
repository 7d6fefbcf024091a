/**
 * Content from outside, which is shown as text or dropped, never run: in toasts and in the center,
 * from the ingest and from a database that others wrote.
 */
import { ADDRESSES, ALL, CODE, FETCH, RUN, SENTINEL, STRINGS } from './attacks';
import { write } from './database';
import {
  closeCenter,
  expect,
  openCenter,
  rows,
  test,
  toasts,
  untilReady
} from './lab';
import { everywhere, inGroups, useWatchedPage } from './safetyPage';

const watched = useWatchedPage();
const { alarms, lab } = watched;

test('The alarms of these tests ring', async () => {
  const { page } = watched;
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
      // Two alarms: for the address, and for the page.
      await expect.poll(() => alarms.join()).toContain('a page was opened');
      await expect.poll(() => page.context().pages()).toHaveLength(1);
    }
    await page.evaluate(() => document.querySelector('#unsafe')!.remove());
    alarms.length = 0;
  }
});

test('JupyterLab listens to elements that name a command', async () => {
  const { page } = watched;
  await page.evaluate(() => {
    const node = document.createElement('a');
    node.dataset.commandlinkerCommand = 'filebrowser:toggle-main';
    document.body.append(node);
    node.click();
    node.remove();
  });
  // JupyterLab asks since 4.6; before, the command just ran.
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
  const shown = await watched.openAll();
  expect(shown).toHaveLength(STRINGS.length);
  for (const [index, string] of STRINGS.entries()) {
    const { summary, source, labels, titles } = shown[index];
    expect(summary).toBe(string);
    expect(source).toBe(string.slice(0, 80));
    expect(labels).toEqual([string.slice(0, 80), string.slice(0, 80)]);
    const caption = string.slice(0, 200);
    // Whatever the caption says, the address is shown.
    expect(titles).toEqual([
      caption,
      `${caption}\nhttps://example.org/${encodeURI(string)}`
    ]);
  }
  await watched.nothingForeign('.jp-NotifyCenter');
});

test('Markdown is shown without what could run, in the center', async () => {
  // These are shown one by one: in a group they could swallow the next text.
  const greedy =
    /<(script|style|textarea|template|noscript|select|title|svg|math|i?frame|object|applet|[!<])|```/i;
  const groups = ALL.filter(string => greedy.test(string));
  groups.push(...inGroups(ALL.filter(string => !greedy.test(string))));
  for (const string of groups) {
    await lab.push({ ...everywhere(string), markdown: true, autoClose: 0 });
  }
  const shown = await watched.openAll();
  expect(shown).toHaveLength(groups.length);
  expect(shown.flatMap(row => row.foreign)).toEqual([]);
  await watched.nothingForeign('.jp-NotifyCenter');
});

for (const markdown of [false, true]) {
  test(`A toast of ${markdown ? 'Markdown' : 'plain text'} is text`, async () => {
    const { page } = watched;
    const toast = toasts(page);
    let before: string | null = null;
    for (const [index, string] of STRINGS.entries()) {
      // A click on a toast whose text was cut has opened the center.
      await closeCenter(page);
      // Its sender takes it back, which is faster than closing it.
      if (before !== null) {
        await lab.revoke(before);
      }
      ({ notification_id: before } = await lab.push({
        ...everywhere(`No ${index} ${string}`),
        markdown,
        autoClose: false
      }));
      // Not the toast before, which may be fading.
      const shown = toasts(page, `No ${index} `).locator('.jp-toast-message');
      await expect(shown).toBeVisible();
      if (!markdown) {
        const text = `No ${index} ${string.split('\n')[0]}`;
        const words = text.slice(0, 100).replace(/ \S*$/, '');
        await expect(shown).toContainText(words);
      }
      await watched.pokeAll(
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
  const { page } = watched;
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
  await watched.watchCommands();

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
      await watched.refused();
      pressed += 1;
    }
  }
  expect(pressed).toBe(addresses.length);
});

test('A toast opens none of them either', async () => {
  const { page } = watched;
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
  await watched.watchCommands();
  const buttons = toasts(page).locator('.jp-toast-button');
  await expect(buttons).toHaveCount(3);
  for (let index = 0; index < 3; index++) {
    // One that has folded opens under the pointer.
    await toasts(page).hover();
    await buttons.nth(index).click();
    await watched.refused();
  }
  await openCenter(page);
});

test('The question before a command shows what it was given as text', async () => {
  const { page } = watched;
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
  await watched.nothingForeign('.jp-Dialog');
  await dialog.locator('.jp-Dialog-footer button').first().click();
  await expect(dialog).toHaveCount(0);

  await buttons.nth(1).click();
  await expect(dialog).toContainText('notebook:run-all-cells');
  await expect(dialog).toContainText(`“${string}” from ${string}`);
  await watched.nothingForeign('.jp-Dialog');
  await dialog.locator('.jp-Dialog-footer button').first().click();
  await expect(dialog).toHaveCount(0);
});

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
