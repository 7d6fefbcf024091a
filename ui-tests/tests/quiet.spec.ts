/**
 * Being left alone: do not disturb for a while, which the server keeps, and muted sources.
 */
import type { BrowserContext, Locator, Page } from '@playwright/test';

import { hasNoViolations } from './axe';
import {
  badge,
  banners,
  bell,
  center,
  closeCenter,
  expect,
  LAB_NOTIFICATIONS,
  openCenter,
  openSettings,
  rows,
  runCommand,
  runFromPalette,
  setSetting,
  setTheme,
  test,
  toasts,
  untilLauncher,
  untilMenu,
  useLab
} from './lab';

const DND = 'jupyterlab-notify:do-not-disturb';
const MUTE = 'jupyterlab-notify:mute-source';

for (const app of ['lab', 'notebook'] as const) {
  test.describe(app === 'lab' ? 'In JupyterLab' : 'In Notebook', () => {
    const lab = useLab({ app });
    let context: BrowserContext;
    let page: Page;
    let other: Page;

    test.beforeAll(async ({ browser }) => {
      context = await browser.newContext({ timezoneId: 'UTC' });
      // A workspace of its own: JupyterLab reloads the second tab of a workspace as another one.
      other = await lab.open(browser, {
        context,
        ...(app === 'lab' ? { path: 'lab/workspaces/other' } : {})
      });
      page = await lab.open(browser, { context, window: true });
      // Only the tab that the user is in tells the server of JupyterLab's switch. In this browser all
      // tabs would have the focus.
      await other.evaluate(() => {
        document.hasFocus = () => false;
      });
      if (app === 'lab') {
        await untilLauncher(page);
      }
    });

    test.afterAll(() => context?.close());

    test.beforeEach(async () => {
      await quiet({ doNotDisturb: false });
      await quiet({ unmute: 'quota' });
      await lab.dismissAll();
      for (const tab of [page, other]) {
        await expect(badge(tab)).toHaveCount(0);
        await expect(bell(tab)).not.toHaveClass(/jp-mod-silent/);
      }
    });

    const quiet = (change: object) =>
      lab.api('PATCH', 'jupyterlab-notify/quiet', change);
    const held = async () =>
      (await lab.api('GET', 'jupyterlab-notify/quiet')).body;

    test("The bell's menu turns do not disturb on for an hour, all tabs and JupyterLab's switch follow, and the panel turns it off", async () => {
      await bell(page).click({ button: 'right' });
      await menuItem(page, 'Do Not Disturb for an Hour').click();
      for (const tab of [page, other]) {
        await expect(bell(tab)).toHaveClass(/jp-mod-silent/);
        await expect.poll(() => labSwitch(tab)).toBe(true);
      }
      const { doNotDisturb, until } = await held();
      expect(doNotDisturb).toBe(true);
      const ahead = Date.parse(until) - Date.now();
      expect(ahead).toBeGreaterThan(3_000_000);
      expect(ahead).toBeLessThanOrEqual(3_600_000);

      await lab.push({ message: 'not now', type: 'error' });
      await expect(badge(page)).toHaveText('1');
      await expect(toasts(page)).toHaveCount(0);

      await openCenter(page);
      const strip = center(page).getByText(/^Do not disturb until .*\d.*\./);
      await expect(strip).toBeVisible();
      for (const theme of ['dark', 'light'] as const) {
        if (app === 'lab') {
          await setTheme(page, theme);
        }
        await hasNoViolations(page, '#jp-notify-center');
      }
      await center(page).getByRole('button', { name: 'Turn off' }).click();
      await expect(strip).toHaveCount(0);
      for (const tab of [page, other]) {
        await expect(bell(tab)).not.toHaveClass(/jp-mod-silent/);
        await expect.poll(() => labSwitch(tab)).toBe(false);
      }
      await closeCenter(page);
    });

    test('The palette offers until tomorrow and until I turn it off, and turning it off only while it is on', async () => {
      await palette(page, 'disturb until tomorrow');
      await expect.poll(async () => (await held()).doNotDisturb).toBe(true);
      const end = new Date((await held()).until);
      expect(end.getUTCHours()).toBe(9);
      expect(end.getTime()).toBeGreaterThan(Date.now());
      await palette(page, 'disturb until i turn it off');
      await expect.poll(async () => (await held()).until).toBe(null);
      await palette(page, 'turn off do not disturb');
      await expect.poll(async () => (await held()).doNotDisturb).toBe(false);
      // An open menu does not change any more.
      await expect(bell(page)).not.toHaveClass(/jp-mod-silent/);
      await bell(page).click({ button: 'right' });
      await expect(menuItem(page, 'Do Not Disturb for an Hour')).toBeVisible();
      await expect(menuItem(page, 'Turn Off Do Not Disturb')).toBeHidden();
      await untilMenu(page);
      await page.keyboard.press('Escape');
    });

    test("JupyterLab's own switch tells the server, and so all tabs", async () => {
      await setSetting(page, LAB_NOTIFICATIONS, 'doNotDisturbMode', true);
      await expect.poll(async () => (await held()).doNotDisturb).toBe(true);
      await expect(bell(other)).toHaveClass(/jp-mod-silent/);
      await setSetting(page, LAB_NOTIFICATIONS, 'doNotDisturbMode', false);
      await expect.poll(async () => (await held()).doNotDisturb).toBe(false);
      await expect(bell(other)).not.toHaveClass(/jp-mod-silent/);
    });

    test('Its end is kept by the server: every tab hears again, and toasts', async () => {
      const quietFor = async (ms: number) => {
        const until = new Date(Date.now() + ms).toISOString();
        const { status } = await quiet({ doNotDisturb: true, until });
        expect(status).toBe(200);
      };
      await quietFor(3_600_000);
      for (const tab of [page, other]) {
        await expect(bell(tab)).toHaveClass(/jp-mod-silent/);
      }
      // Let it end only after it was seen: a few seconds may be over before it is drawn.
      await quietFor(3000);
      for (const tab of [page, other]) {
        await expect(bell(tab)).not.toHaveClass(/jp-mod-silent/);
      }
      await lab.push({ message: 'heard again', type: 'error' });
      await expect(toasts(page, 'heard again')).toBeVisible();
    });

    test('Messages of a muted source go to the center only, in every tab, but for what must stay in sight', async () => {
      const { notification_id: id } = await lab.push({
        source: 'quota',
        message: 'the first',
        type: 'error',
        banner: true
      });
      await expect(toasts(page, 'the first')).toBeVisible();
      await expect(banners(page, 'the first')).toBeVisible();
      expect(await label(page, { id })).toBe('Mute quota');
      await runCommand(page, MUTE, { id });
      for (const tab of [page, other]) {
        await expect(toasts(tab, 'the first')).toHaveCount(0);
        await expect(banners(tab, 'the first')).toHaveCount(0);
      }
      await lab.push({ source: 'quota', message: 'quiet', type: 'error' });
      await lab.push({
        source: 'quota',
        message: 'must be seen',
        type: 'error',
        banner: true,
        dismissable: false
      });
      const last = await lab.push({ message: 'of another', type: 'error' });
      await expect(toasts(page, 'must be seen')).toBeVisible();
      await expect(banners(page, 'must be seen')).toBeVisible();
      await expect(toasts(page, 'of another')).toBeVisible();
      await expect(toasts(page, 'quiet')).toHaveCount(0);
      await expect(badge(page)).toHaveText('4');
      await openCenter(page);
      await expect(rows(page, 'quiet')).toBeVisible();
      await closeCenter(page);
      expect(last.durable).toBe(true);
      for (const row of await lab.list()) {
        await lab.revoke(row.id);
      }
    });

    test('What cannot be dismissed cannot be muted', async () => {
      const { notification_id: id } = await lab.push({
        source: 'quota',
        message: 'for all',
        dismissable: false,
        autoClose: 0
      });
      await expect(badge(page)).toHaveText('1');
      expect(await enabled(page, { id })).toBe(false);
      await lab.revoke(id);
    });

    if (app === 'lab') {
      test('The settings list what is muted, and unmute it', async () => {
        await quiet({ mute: 'quota' });
        const muted = await openSettings(page, 'Muted sources');
        const unmute = muted.getByRole('button', { name: 'Unmute quota' });
        await expect(unmute).toBeVisible();
        await unmute.click();
        await expect(unmute).toHaveCount(0);
        await expect.poll(async () => (await held()).muted).toEqual([]);
      });

      test('The settings turn do not disturb on and off', async () => {
        const field = await openSettings(page, 'Do not disturb');
        const state = field.getByRole('status');
        await expect(state).toHaveText('It is off.');
        await field
          .getByRole('button', { name: 'until I Turn It Off' })
          .click();
        await expect(state).toHaveText('It is on until you turn it off.');
        await field.getByRole('button', { name: 'for an Hour' }).click();
        await expect(state).toHaveText(/^It is on until .*\d.*\.$/);
        await field.getByRole('button', { name: 'Turn Off' }).click();
        await expect(state).toHaveText('It is off.');
        await expect.poll(async () => (await held()).doNotDisturb).toBe(false);
      });
    }
  });
}

function menuItem(page: Page, name: string): Locator {
  return page.locator('.lm-Menu-item').filter({ hasText: name });
}

/** JupyterLab's own switch, as a tab has it. */
function labSwitch(page: Page): Promise<boolean> {
  return page.evaluate(async plugin => {
    const app = (window as any).jupyterapp;
    for (const token of (app.pluginRegistry ?? app)._services.keys()) {
      if (token.name === '@jupyterlab/coreutils:ISettingRegistry') {
        const registry = await app.resolveRequiredService(token);
        return (await registry.load(plugin)).composite.doNotDisturbMode;
      }
    }
  }, LAB_NOTIFICATIONS);
}

function label(page: Page, args: object): Promise<string> {
  return page.evaluate(
    ([id, args]) =>
      (window as any).jupyterapp.commands.label(id, args) as string,
    [MUTE, args] as const
  );
}

function enabled(page: Page, args: object): Promise<boolean> {
  return page.evaluate(
    ([id, args]) =>
      (window as any).jupyterapp.commands.isEnabled(id, args) as boolean,
    [MUTE, args] as const
  );
}

async function palette(page: Page, words: string): Promise<void> {
  await runCommand(page, 'apputils:activate-command-palette');
  await runFromPalette(page, words, DND);
}
