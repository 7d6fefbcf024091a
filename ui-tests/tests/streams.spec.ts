/**
 * The promise that no tab misses a message or shows it twice, whatever happens to its connection,
 * to the server, or to the database.
 *
 * Two tabs are of one browser and connected directly; the third is of another browser, and its
 * connection goes through a proxy that can break it.
 */
import type { Page } from '@playwright/test';

import {
  badge,
  closeCenter,
  expect,
  modelRows,
  openCenter,
  Proxy,
  rows,
  summary,
  test,
  toastEvents,
  toasts,
  untilQuiet,
  untilReady,
  useLab
} from './lab';

/**
 * The shortest pause between attempts of a hidden tab. A visible tab tries about every second: it
 * is back before that, even on a computer that is busy with other tests.
 */
const LONG_PAUSE_MS = 7500;

/** Time in ms for which a tab is away by its own clock. */
const AWAY_MS = 60_000;

const lab = useLab();
const proxy = new Proxy();
let tabs: Page[];
let near: Page;
let far: Page;

test.beforeAll(async ({ browser }) => {
  await proxy.start(lab);
  const behind = await lab.open(browser);
  // In front, as is the only tab of the other browser.
  near = await lab.open(browser, {
    context: behind.context(),
    path: 'lab/workspaces/near'
  });
  far = await lab.open(browser, { via: proxy });
  tabs = [near, behind, far];
  // A tab that is reloaded loses this mark.
  for (const tab of tabs) {
    await tab.evaluate(() => {
      (window as any).sameTab = true;
    });
  }
});

test.afterAll(() => proxy.stop());

test.beforeEach(async () => {
  proxy.restore();
  await lab.dismissAll();
  for (const tab of tabs) {
    await expect.poll(() => connected(tab)).toBe(true);
    await closeDialogs(tab);
    await look(tab);
    await closeCenter(tab);
    await untilQuiet(tab);
  }
  await look(near);
});

test.afterEach(async () => {
  for (const tab of tabs) {
    expect(await tab.evaluate(() => (window as any).sameTab)).toBe(true);
  }
});

/** Bring a tab to the front: tabs behind it are drawn only once a second. */
async function look(tab: Page): Promise<void> {
  await tab.bringToFront();
}

function connected(tab: Page): Promise<boolean> {
  return tab.evaluate(() => (window as any).notifyModel.connected);
}

/** Close the dialogs in which JupyterLab says that it has lost its server. */
async function closeDialogs(tab: Page): Promise<void> {
  const dialog = tab.locator('.jp-Dialog');
  await expect(async () => {
    if (await dialog.count()) {
      await tab.keyboard.press('Escape');
    }
    await expect(dialog).toHaveCount(0, { timeout: 300 });
  }).toPass();
}

/** Messages that a tab holds, newest first. */
async function messages(tab: Page): Promise<string[]> {
  return (await modelRows(tab)).map(row => row.message);
}

/** All rows of the open center with their places, by scrolling through it. */
function scrollThrough(tab: Page): Promise<[number, string][]> {
  return tab.evaluate(async () => {
    const list = document.querySelector('.jp-NotifyList')!;
    const seen = new Map<string, [number, string]>();
    const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
    list.scrollTop = 0;
    for (;;) {
      await frame();
      await frame();
      for (const row of list.querySelectorAll('.jp-NotifyRow')) {
        const place = Number(row.getAttribute('aria-posinset'));
        const text = row.querySelector('.jp-NotifyRow-summary')!.textContent!;
        seen.set(`${place} ${text}`, [place, text]);
      }
      if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) {
        break;
      }
      list.scrollTop += list.clientHeight / 2;
    }
    return [...seen.values()].sort((a, b) => a[0] - b[0]);
  });
}

/** Note how long after the return a tab showed what it had missed: no test depends on a second. */
function back(shown: number, returned: number): void {
  test.info().annotations.push({
    type: 'back after',
    description: `${Math.round(shown - returned)} ms`
  });
  expect(shown - returned).toBeLessThan(LONG_PAUSE_MS);
}

/** Find the time at which a toast with this text first came, and expect that it came once. */
async function shownOnce(tab: Page, text: string): Promise<number> {
  await expect(toasts(tab, text)).toHaveCount(1);
  const events = await toastEvents(tab, text);
  expect(events.map(event => event.what)).toEqual(['appeared']);
  return events[0].at;
}

test('50 messages in a second are in each of three tabs once, and leave half of the window', async () => {
  const began = Date.now();
  const expected = Array.from({ length: 50 }, (_, i) => `Message ${i + 1}.`);
  await Promise.all(
    expected.map(async (message, i) => {
      await new Promise(resolve => setTimeout(resolve, 18 * i));
      return lab.push({ message, autoClose: false });
    })
  );
  test.info().annotations.push({
    type: 'sent in',
    description: `${Date.now() - began} ms`
  });

  for (const tab of tabs) {
    await expect(badge(tab)).toHaveText('50');
    expect((await messages(tab)).sort()).toEqual([...expected].sort());

    // They are drawn, and what did not fit is counted in one toast.
    await expect(async () => {
      await expect(summary(tab)).toHaveCount(1, { timeout: 100 });
      const shown = await toasts(tab).count();
      expect(shown).toBeGreaterThanOrEqual(1);
      await expect(summary(tab)).toContainText(`and ${50 - shown} more`, {
        timeout: 100
      });
      const boxes = await tab
        .locator('.jp-toastContainer .Toastify__toast')
        .evaluateAll(nodes =>
          nodes.map(node => node.getBoundingClientRect().toJSON())
        );
      const top = Math.min(...boxes.map(box => box.top));
      const bottom = Math.max(...boxes.map(box => box.bottom));
      expect(bottom - top).toBeLessThanOrEqual(768 / 2);
    }).toPass();
  }

  for (const tab of tabs) {
    await look(tab);
    await openCenter(tab);
    await expect(rows(tab).first()).toHaveAttribute('aria-setsize', '50');
    const listed = await scrollThrough(tab);
    expect(listed.map(([place]) => place)).toEqual(
      expected.map((_, i) => i + 1)
    );
    expect(listed.map(([, text]) => text).sort()).toEqual([...expected].sort());
    // A user who looks at the list needs no summary.
    await expect(summary(tab)).toHaveCount(0);
  }
});

test('what is read in the center of one tab, is read in all', async () => {
  await lab.push({ message: 'Read me.', autoClose: false });
  await lab.push({ message: 'Not me.', autoClose: false });
  for (const tab of tabs) {
    await expect(toasts(tab)).toHaveCount(2);
    await expect(badge(tab)).toHaveText('2');
  }
  await openCenter(far);
  const unread = rows(far, 'Read me.');
  await expect(unread).toHaveClass(/jp-mod-unread/);

  await openCenter(near);
  await rows(near, 'Read me.').locator('.jp-NotifyRow-summary').click();
  for (const tab of tabs) {
    await expect(badge(tab)).toHaveText('1');
  }
  await expect(unread).not.toHaveClass(/jp-mod-unread/);
  await closeCenter(far);
  await closeCenter(near);
  for (const tab of tabs) {
    await expect(toasts(tab, 'Not me.')).toBeVisible();
    await expect(toasts(tab, 'Read me.')).toHaveCount(0);
  }
  expect(await lab.list('unread')).toMatchObject([{ message: 'Not me.' }]);
});

test('a toast that is closed in one tab, is closed in all', async () => {
  await lab.push({ message: 'Away with me.', autoClose: false });
  for (const tab of tabs) {
    await expect(toasts(tab, 'Away with me.')).toBeVisible();
  }
  await toasts(far).getByTitle('Close', { exact: true }).click();
  for (const tab of tabs) {
    await expect(toasts(tab)).toHaveCount(0);
    await expect(badge(tab)).toBeHidden();
  }
  expect(await lab.list('unread')).toEqual([]);
  expect(await lab.list()).toMatchObject([{ message: 'Away with me.' }]);
});

test('a tab that was cut off shows what it has missed once, soon after the return', async () => {
  let attempts = 0;
  far.on('websocket', socket => {
    attempts += socket.url().includes('/jupyterlab-notify/stream') ? 1 : 0;
  });
  await lab.push({ message: 'Before the cut.', autoClose: false });
  await shownOnce(far, 'Before the cut.');

  proxy.cut();
  await expect.poll(() => connected(far)).toBe(false);
  await lab.push({ message: 'Missed one.', autoClose: false });
  await lab.push({ message: 'Missed two.', autoClose: false });
  await lab.revoke((await lab.push('Taken back.')).notification_id);
  await shownOnce(near, 'Missed one.');
  // The tab's clock is a minute ahead, and after five failed attempts the pauses are the longest.
  await far.evaluate(away => {
    const now = ((window as any).now = Date.now);
    Date.now = () => now() + away;
  }, AWAY_MS);
  await expect.poll(() => attempts, { timeout: 60_000 }).toBeGreaterThan(5);
  expect(await messages(far)).toEqual(['Before the cut.']);

  const returned = proxy.restore();
  for (const text of ['Missed one.', 'Missed two.']) {
    const shown = (await shownOnce(far, text)) - AWAY_MS;
    back(shown, returned);
  }
  await shownOnce(far, 'Before the cut.');
  expect(await toastEvents(far, 'Taken back.')).toEqual([]);
  expect(await messages(far)).toEqual([
    'Missed two.',
    'Missed one.',
    'Before the cut.'
  ]);
  await expect(badge(far)).toHaveText('3');
  await far.evaluate(() => {
    Date.now = (window as any).now;
  });
});

for (const event of ['online', 'focus'] as const) {
  test(`a tab whose connection died unnoticed finds out at ${event}`, async () => {
    const text = `Into the void before ${event}.`;
    proxy.freeze();
    await lab.push({ message: text, autoClose: false });
    await shownOnce(near, text);
    expect(await messages(far)).toEqual([]);
    expect(await connected(far)).toBe(true);

    const returned = Date.now();
    await far.evaluate(event => {
      window.dispatchEvent(new Event(event));
    }, event);
    const shown = await shownOnce(far, text);
    back(shown, returned);
    expect(await messages(far)).toEqual([text]);
  });
}

test('a browser that was offline shows what it has missed once it is online', async () => {
  await far.context().setOffline(true);
  await lab.push({ message: 'While offline.', autoClose: false });
  await shownOnce(near, 'While offline.');
  expect(await messages(far)).toEqual([]);
  const returned = Date.now();
  await far.context().setOffline(false);
  back(await shownOnce(far, 'While offline.'), returned);
  expect(await messages(far)).toEqual(['While offline.']);
});

test('someone who was away gets what stays, the newest few and how many more, and a reload announces nothing again', async ({
  browser
}) => {
  const { notification_id: stays } = await lab.push({
    message: 'The quota is nearly full.',
    type: 'warning',
    autoClose: false
  });
  for (let i = 1; i <= 15; i++) {
    await lab.push({ message: `Meanwhile ${i}.`, autoClose: 60_000 });
  }
  const tab = await lab.open(browser);
  await expect(summary(tab)).toContainText('and 13 more');
  await expect(toasts(tab)).toHaveCount(3);
  // The first is the oldest of all, but the only one that waits for the user.
  for (const text of ['The quota', 'Meanwhile 14.', 'Meanwhile 15.']) {
    await expect(toasts(tab, text)).toBeVisible();
  }
  await expect(badge(tab)).toHaveText('16');
  expect(await toastEvents(tab, 'Meanwhile')).toHaveLength(2);
  // The message that stays is above an error that closes by itself, but below an error that stays.
  const errors = [
    await lab.push({
      message: 'An error that passes.',
      type: 'error',
      autoClose: 60_000
    }),
    await lab.push({ message: 'An error that stays.', type: 'error' })
  ];
  const tops = async () => {
    const boxes = await toasts(tab).evaluateAll(all =>
      all.map(one => ({
        top: one.getBoundingClientRect().top,
        text: one.querySelector('.jp-toast-message')!.textContent
      }))
    );
    return boxes.sort((a, b) => a.top - b.top).map(({ text }) => text);
  };
  await expect
    .poll(tops)
    .toEqual([
      'An error that stays.',
      'The quota is nearly full.',
      'An error that passes.',
      'Meanwhile 15.'
    ]);
  for (const { notification_id } of errors) {
    await lab.revoke(notification_id);
  }
  await expect(badge(tab)).toHaveText('16');

  await tab.reload();
  await untilReady(tab);
  await lab.push({ message: 'Now.', autoClose: false });
  await expect(toasts(tab, 'Now.')).toBeVisible();
  await expect(badge(tab)).toHaveText('17');
  expect(await toastEvents(tab, 'Meanwhile')).toEqual([]);
  await expect(toasts(tab, 'The quota')).toBeVisible();
  await expect(toasts(tab)).toHaveCount(2);
  await lab.revoke(stays);
  await tab.context().close();
});

test('what was answered before a SIGKILL is shown once, soon after the return', async () => {
  const answered: string[] = [];
  let killed: Promise<void> | undefined;
  // The server dies while it is still answering.
  await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      const message = `Urgent ${i + 1}.`;
      try {
        await lab.push({ message, autoClose: false });
        answered.push(message);
      } catch {
        // Nothing is promised for a message that was not answered.
      }
      if (answered.length >= 4) {
        killed ??= lab.kill9();
      }
    })
  );
  await killed;
  expect(answered.length).toBeGreaterThanOrEqual(4);
  for (const tab of tabs) {
    await expect.poll(() => connected(tab)).toBe(false);
  }

  await lab.start();
  const returned = Date.now();
  await lab.push({ message: 'Back again.', type: 'error', autoClose: false });
  for (const tab of tabs) {
    const shown = await shownOnce(tab, 'Back again.');
    // A browser may draw a hidden tab late.
    if (tab === near || tab === far) {
      back(shown, returned);
    }
    const held = await messages(tab);
    expect(new Set(held).size).toBe(held.length);
    expect(held).toEqual(expect.arrayContaining(answered));
    await expect(badge(tab)).toHaveText(String(held.length));
    // None of them was announced twice.
    for (const text of answered) {
      const came = (await toastEvents(tab, text)).filter(
        event => event.what === 'appeared'
      );
      expect(came.length).toBeLessThanOrEqual(1);
    }
  }
  const stored = (await lab.list()).map(row => row.message);
  expect(stored).toEqual(expect.arrayContaining(answered));
  expect(await messages(near)).toEqual(stored);
});

test('a database that is deleted under the server is followed by a new one, and the tabs go with it', async () => {
  await lab.push({ message: 'Of the old one.', autoClose: false });
  for (const tab of tabs) {
    await shownOnce(tab, 'Of the old one.');
  }
  await openCenter(near);
  await expect(rows(near, 'Of the old one.')).toBeVisible();
  const { epoch } = (await lab.status()).store;

  lab.deleteDatabase();
  const receipt = await lab.push({
    message: 'Of the new one.',
    // The center is open in one of the tabs, where only errors are toasts.
    type: 'error',
    autoClose: false
  });
  expect(receipt.durable).toBe(true);
  for (const tab of tabs) {
    await shownOnce(tab, 'Of the new one.');
    await expect(toasts(tab, 'Of the old one.')).toHaveCount(0);
    await expect(badge(tab)).toHaveText('1');
    expect(await messages(tab)).toEqual(['Of the new one.']);
  }
  await expect(rows(near, 'Of the new one.')).toBeVisible();
  await expect(rows(near, 'Of the old one.')).toHaveCount(0);
  expect((await lab.status()).store.epoch).not.toBe(epoch);

  // The new database works: a change in it reaches all tabs.
  await lab.change(receipt.notification_id, { dismissed: true });
  for (const tab of tabs) {
    await expect(toasts(tab)).toHaveCount(0);
    await expect(badge(tab)).toBeHidden();
  }
});
