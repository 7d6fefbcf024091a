/**
 * Notifications on the desktop: when the browser is asked, when they are
 * shown, and by which tab. The focus of the pages and the notifications are
 * real; what is shown is recorded, since there is no desktop to look at.
 */
import type { BrowserContext, Page } from '@playwright/test';

import { launchOptions } from '../browser';
import { type IShown, realFocus, record, shown } from './desktopPage';
import {
  banners,
  center,
  closeCenter,
  expect,
  LAB_NOTIFICATIONS,
  openCenter,
  openSettings,
  rows,
  setSetting,
  SETTINGS,
  test,
  toasts,
  untilReady,
  useLab
} from './lab';

// The focus is that of a real window.
test.use({ launchOptions: launchOptions(true) });

const lab = useLab({
  // Reachable also by a name of this machine that browsers do not consider secure.
  config: 'c.ServerApp.allow_remote_access = True'
});

let context: BrowserContext;
/** Two tabs of JupyterLab, and one of something else. */
let page: Page;
let other: Page;
let elsewhere: Page;

test.beforeAll(async ({ browser }) => {
  context = await browser.newContext({
    permissions: ['notifications'],
    viewport: { width: 1280, height: 800 }
  });
  await context.addInitScript(record);
  elsewhere = await context.newPage();
  page = await lab.open(browser, { context });
  other = await lab.open(browser, { context, path: 'lab/workspaces/other' });
  for (const tab of [page, other]) {
    await realFocus(tab);
  }
});

test.afterAll(() => context?.close());

test.beforeEach(async () => {
  for (const { id } of await lab.list('inbox', 200)) {
    await lab.revoke(id);
  }
  for (const tab of [page, other]) {
    await expect.poll(async () => (await inbox(tab)).length).toBe(0);
    await tab.evaluate(async () => {
      (window as any).desktop.length = 0;
      // JupyterLab may have brought the center back with its layout: then no toasts stand.
      const { commands } = (window as any).jupyterapp;
      const center = 'jupyterlab-notify:toggle-center';
      if (commands.isToggled(center)) {
        await commands.execute(center);
      }
    });
    await expect(center(tab)).toBeHidden();
  }
});

function inbox(tab: Page): Promise<unknown[]> {
  return tab.evaluate(() => [...(window as any).notifyModel.notifications]);
}

/** Go to a page, and wait until the others know. */
async function goTo(tab: Page): Promise<void> {
  // When a tab was closed or reloaded, the browser itself chooses another one some time later. And
  // a tab that it takes to be in front already it neither brings there nor removes.
  await expect(async () => {
    for (const one of [page, other, elsewhere]) {
      await one.bringToFront();
    }
    if (tab !== elsewhere) {
      await tab.bringToFront();
    }
    for (const one of [page, other]) {
      await expect
        .poll(() => one.evaluate(() => document.hasFocus()), { timeout: 1000 })
        .toBe(one === tab);
    }
  }).toPass({ timeout: 60_000 });
  const locks = tab === elsewhere ? 0 : 1;
  await expect
    .poll(() =>
      page.evaluate(async () => {
        const { held } = await navigator.locks.query();
        return held!.filter(({ name }) => name!.includes(':front:')).length;
      })
    )
    .toBe((await isOn(page)) ? locks : 0);
}

function isOn(tab: Page): Promise<boolean> {
  return tab.evaluate(() =>
    (window as any).jupyterapp.commands.isToggled(
      'jupyterlab-notify:toggle-desktop-notifications'
    )
  );
}

/** Turn them on, or off, in both tabs. */
async function turn(on: boolean): Promise<void> {
  await setSetting(page, SETTINGS, 'desktopNotifications', on);
  for (const tab of [page, other]) {
    await expect.poll(() => isOn(tab)).toBe(on);
  }
}

const item = () =>
  page.locator('.lm-Menu').getByText('Desktop Notifications', { exact: true });

test('are off, and nothing is asked, until the user wants them in the menu of the center', async () => {
  await goTo(elsewhere);
  await lab.push('before they are on');
  await expect.poll(async () => (await inbox(page)).length).toBe(1);
  expect(await page.evaluate(() => (window as any).asked)).toBe(0);

  await goTo(page);
  await openCenter(page);
  await center(page).getByRole('button', { name: 'More' }).click();
  await item().click();
  await expect.poll(() => isOn(page)).toBe(true);
  // The other tab learns of it.
  await expect.poll(() => isOn(other)).toBe(true);
  await closeCenter(page);

  await goTo(elsewhere);
  await lab.push({
    message: 'The job has **ended**',
    markdown: true,
    source: 'queue'
  });
  await expect
    .poll(() => shown(page, other))
    .toEqual([{ title: 'queue', body: 'The job has ended', closed: false }]);
});

test('show also what comes in while their script is still on its way', async ({
  browser
}) => {
  await turn(false);
  const own = await browser.newContext({ permissions: ['notifications'] });
  try {
    await own.addInitScript(record);
    const away = await own.newPage();
    const tab = await lab.open(browser, { context: own });
    await realFocus(tab);
    let release = () => {};
    const held = new Promise<void>(resolve => (release = resolve));
    await tab.route('**/jupyterlab_notify/static/**', async route => {
      await held;
      await route.continue();
    });
    const asked = tab.waitForRequest('**/jupyterlab_notify/static/**');
    await setSetting(tab, SETTINGS, 'desktopNotifications', true);
    await asked;
    await away.bringToFront();
    await expect
      .poll(() => tab.evaluate(() => document.hasFocus()))
      .toBe(false);
    await lab.push('The job has ended early');
    await expect.poll(async () => (await inbox(tab)).length).toBe(1);
    release();
    await expect
      .poll(() => shown(tab))
      .toMatchObject([{ body: 'The job has ended early' }]);
  } finally {
    await own.close();
  }
});

test('are shown only while no tab of JupyterLab is in front', async () => {
  await turn(true);
  await goTo(other);
  await lab.push({ message: 'somebody looks', autoClose: false });
  await expect(toasts(other, 'somebody looks')).toBeVisible();
  await expect.poll(async () => (await inbox(page)).length).toBe(1);
  await goTo(elsewhere);
  await lab.push('nobody looks');
  await expect
    .poll(() => shown(page, other))
    .toMatchObject([{ body: 'nobody looks' }]);
});

test('are shown once, however many tabs are open; a click brings a tab forward and opens the message', async () => {
  await turn(true);
  const third = await context.newPage();
  await third.goto(lab.address({ path: 'lab/workspaces/third' }));
  await untilReady(third);
  await realFocus(third);
  await goTo(elsewhere);
  for (const message of ['one', 'two']) {
    await lab.push({ message, body: `The text of ${message}.` });
  }
  const tabs = [page, other, third];
  await expect
    .poll(async () => (await shown(...tabs)).map(({ body }) => body).sort())
    .toEqual(['one', 'two']);

  for (const tab of tabs) {
    const found = await tab.evaluate(() => {
      const one = (window as any).desktop.find(
        ({ body }: IShown) => body === 'two'
      );
      one?.real.dispatchEvent(new Event('click'));
      return Boolean(one);
    });
    expect(await tab.evaluate(() => (window as any).forward)).toBe(
      Number(found)
    );
    if (found) {
      await expect(rows(tab, 'two')).toHaveClass(/jp-mod-open/);
      await expect(center(tab).getByText('The text of two.')).toBeVisible();
      await closeCenter(tab);
    }
  }
  // Messages that were read in any tab disappear from the desktop; others stay.
  await expect
    .poll(() => shown(...tabs))
    .toEqual(
      expect.arrayContaining([
        expect.objectContaining({ body: 'two', closed: true }),
        expect.objectContaining({ body: 'one', closed: false })
      ])
    );
  await lab.dismissAll();
  await expect
    .poll(async () => (await shown(...tabs)).every(({ closed }) => closed))
    .toBe(true);
  await third.close();
});

test('are shown whatever the clock of the browser says', async () => {
  await turn(true);
  for (const tab of [page, other]) {
    await tab.evaluate(() => {
      const now = Date.now;
      Date.now = () => now() + 6 * 60_000;
    });
  }
  await goTo(elsewhere);
  // The frame of the first message has the time of the server's clock.
  await lab.push({ message: 'ahead', autoClose: false });
  await expect
    .poll(() => shown(page, other))
    .toMatchObject([{ body: 'ahead' }]);
  await expect(
    toasts(page, 'ahead').locator('.jp-toast-message')
  ).toHaveAttribute('data-jp-notify-meta', /^[^·]*$/);
  for (const tab of [page, other]) {
    await tab.reload();
    await untilReady(tab);
    // The reload brought the emulation back.
    await realFocus(tab);
  }
});

test('are silent in do-not-disturb, in whichever tab that was turned on', async () => {
  await turn(true);
  await goTo(elsewhere);
  const heard = () =>
    other.evaluate(async id => {
      const app = (window as any).jupyterapp;
      for (const token of (app.pluginRegistry ?? app)._services.keys()) {
        if (token.name === '@jupyterlab/coreutils:ISettingRegistry') {
          const registry = await app.resolveRequiredService(token);
          return (await registry.get(id, 'doNotDisturbMode')).composite;
        }
      }
    }, LAB_NOTIFICATIONS);
  // Hold the tabs' lock: none can claim the message before do-not-disturb was turned off again.
  await page.evaluate(() => {
    const { baseUrl } = (window as any).jupyterapp.serviceManager
      .serverSettings;
    void navigator.locks.request(
      `jupyterlab_notify:desktop:${baseUrl}`,
      () => new Promise<void>(resolve => ((window as any).letGo = resolve))
    );
  });
  await page.waitForFunction(() => (window as any).letGo);
  await setSetting(page, LAB_NOTIFICATIONS, 'doNotDisturbMode', true);
  await expect.poll(heard).toBe(true);
  await lab.push({ message: 'a banner', banner: true });
  await expect(banners(other)).toHaveCount(1);
  await expect.poll(async () => (await inbox(page)).length).toBe(1);
  await setSetting(page, LAB_NOTIFICATIONS, 'doNotDisturbMode', false);
  await expect.poll(heard).toBe(false);
  await page.evaluate(() => (window as any).letGo());
  await lab.push('after it');
  await expect
    .poll(() => shown(page, other))
    .toMatchObject([{ body: 'after it' }]);
});

test('have the picture of a message, which comes after it, for a user who was there', async () => {
  await turn(true);
  await goTo(page);
  const pixel =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==';
  const give = async (key: string) => {
    const path = `${lab.url}/jupyterlab-notify/ingest/${key}/image`;
    const { status } = await fetch(path, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${lab.token}` },
      body: new Uint8Array(Buffer.from(pixel, 'base64'))
    });
    expect(status).toBe(200);
  };
  const icons = async () =>
    (
      await Promise.all(
        [page, other].map(tab =>
          tab.evaluate(() =>
            (window as any).desktop
              .filter(({ real }: any) => real.icon)
              .map(({ body, real }: any) => `${body} ${real.icon}`)
          )
        )
      )
    ).flat();
  // The first picture loads the code that notices if somebody is there.
  for (const message of ['first', 'second']) {
    await lab.push({ message, key: message, autoClose: false });
    for (const tab of [page, other]) {
      await expect(toasts(tab, message)).toHaveCount(1);
    }
    await give(message);
    for (const tab of [page, other]) {
      await expect(toasts(tab, message)).toHaveAttribute(
        'data-jp-notify-image',
        /./
      );
      await tab.evaluate(() => window.dispatchEvent(new Event('pointermove')));
    }
  }
  await goTo(elsewhere);
  await lab.push({ message: 'Loss', key: 'loss', autoClose: false });
  await expect
    .poll(async () => (await shown(page, other)).map(({ body }) => body))
    .toContain('Loss');
  await give('loss');
  await expect.poll(icons).toContainEqual(expect.stringMatching(/^Loss blob:/));
});

test('are no flood: what was there before is not shown, and many at once are counted', async () => {
  await turn(true);
  await goTo(elsewhere);
  await lab.push({ message: 'center only', autoClose: 0 });
  await Promise.all(
    Array.from({ length: 40 }, (_, index) => lab.push(`message ${index}`))
  );
  await expect
    .poll(async () =>
      (await shown(page, other)).some(({ body }) =>
        /new notifications/.test(body)
      )
    )
    .toBe(true);
  await expect.poll(async () => (await inbox(other)).length).toBe(41);
  const all = await shown(page, other);
  expect(
    all.filter(({ body }) => /^message/.test(body)).length
  ).toBeLessThanOrEqual(12);
  expect(all.filter(({ body }) => body === 'center only')).toEqual([]);

  // A page that is loaded behind others finds them all unread.
  await page.reload();
  await untilReady(page);
  // The reload brought the emulation back.
  await realFocus(page);
  await lab.push('after the reload');
  await expect.poll(async () => (await inbox(page)).length).toBe(42);
  expect(
    (await shown(page)).filter(({ body }) => /^message/.test(body))
  ).toEqual([]);
});

test('tell the other tabs once what was changed', async () => {
  await turn(false);
  await page.evaluate(() => {
    const app = (window as any).jupyterapp;
    const { baseUrl } = app.serviceManager.serverSettings;
    const told: unknown[] = ((window as any).told = []);
    const channel = new BroadcastChannel(
      `jupyterlab_notify:desktop:${baseUrl}`
    );
    channel.onmessage = ({ data }) => told.push(data);
  });
  await turn(true);
  await turn(false);
  await turn(true);
  const told = () => page.evaluate(() => (window as any).told);
  await expect.poll(told).toHaveLength(3);
});

test('end when they are turned off', async () => {
  await turn(true);
  await goTo(elsewhere);
  await lab.push('still on');
  await expect.poll(async () => (await shown(page, other)).length).toBe(1);
  await turn(false);
  await expect
    .poll(async () => (await shown(page, other)).every(one => one.closed))
    .toBe(true);
  await lab.push('off by now');
  for (const tab of [page, other]) {
    await expect.poll(async () => (await inbox(tab)).length).toBe(2);
  }
  expect(await shown(page, other)).toHaveLength(1);
});

test('say so where the browser refuses, and stay on in others', async ({
  browser
}) => {
  await turn(true);
  const strict = await browser.newContext();
  await strict.addInitScript(record);
  const tab = await lab.open(browser, { context: strict });
  await openCenter(tab);
  await center(tab).getByRole('button', { name: 'More' }).click();
  await tab.locator('.lm-Menu').getByText('Desktop Notifications').click();
  const dialog = tab.getByRole('dialog');
  await expect(dialog).toContainText('Your browser blocks notifications');
  await dialog.getByRole('button').first().click();
  await expect(dialog).toHaveCount(0);
  expect(await isOn(tab)).toBe(false);

  const setting = await openSettings(tab, 'Notify me on the desktop');
  await expect(setting).toContainText('Your browser blocks notifications');
  await setting.locator('input').click();
  await expect(setting.locator('input')).not.toBeChecked();
  await strict.close();
  const { body } = await lab.api('GET', `lab/api/settings/${SETTINGS}`);
  expect(body.settings.desktopNotifications).toBe(true);
});

test('say so where the page is not loaded in a secure way', async ({
  browser
}) => {
  const plain = await browser.newContext();
  const tab = await plain.newPage();
  // In a workspace of its own: JupyterLab would open the editor of settings, which an earlier test
  // has left open, after it says that the page is restored, and then there are two.
  const address = lab.address({ path: 'lab/workspaces/plain' });
  await tab.goto(address.replace('127.0.0.1', '0.0.0.0'));
  await untilReady(tab);
  expect(await tab.evaluate(() => window.isSecureContext)).toBe(false);
  const setting = await openSettings(tab, 'Notify me on the desktop');
  await expect(setting).toContainText(
    'only for pages that are loaded over HTTPS'
  );
  await plain.close();
});

test('are turned on and off by the box in the settings', async () => {
  await turn(false);
  await goTo(page);
  const box = (await openSettings(page, 'Notify me on the desktop')).locator(
    'input'
  );
  await expect(box).not.toBeChecked();
  await box.click();
  await expect(box).toBeChecked();
  await expect.poll(() => isOn(other)).toBe(true);
  await box.click();
  await expect(box).not.toBeChecked();
  await expect.poll(() => isOn(other)).toBe(false);
});
