/**
 * All settings are on one page, and what was set on the pages of earlier versions still counts.
 */
import type { Locator, Page } from '@playwright/test';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';

import { hasNoViolations } from './axe';
import {
  center,
  expect,
  type Lab,
  openCenter,
  openSettings,
  pressToast,
  runCommand,
  SETTINGS,
  setTheme,
  test,
  toasts,
  useLab
} from './lab';

/** A site's settings by the names of earlier versions. */
const site = fs.mkdtempSync(path.join(os.tmpdir(), 'notify-site-'));
fs.writeFileSync(
  path.join(site, 'overrides.json'),
  JSON.stringify({
    'jupyterlab_notify:toasts': {
      toastPosition: 'bottom-right',
      defaultAutoClose: 60
    },
    'jupyterlab_notify:actions': {
      allowedCommands: ['help:about', 'filebrowser:go-to-path'],
      allowedArguments: { 'help:about': ['more'] }
    }
  })
);

const plain = useLab();
const earlier = useLab({
  config: `c.LabApp.app_settings_dir = ${JSON.stringify(site)}`,
  settings: {
    // An invalid value or an unknown setting keeps no other from being carried over.
    'jupyterlab_notify:toasts': {
      desktopNotifications: 'loud',
      unknown: 1,
      defaultAutoClose: 0,
      openOnError: true
    },
    'jupyterlab_notify:desktop': { desktopNotifications: true },
    [SETTINGS]: { openOnError: false }
  }
});

test.afterAll(() => fs.rmSync(site, { recursive: true }));

/** Read the settings of a page, as the server keeps them. */
async function kept(lab: Lab, plugin: string): Promise<object> {
  const { body } = await lab.api('GET', `lab/api/settings/${plugin}`);
  return body.settings;
}

/** The titles of the pages that the editor lists for us. */
function pages(page: Page): Locator {
  return page.locator('.jp-PluginList-entry').filter({
    hasText: /Notif|Welcome/
  });
}

test("The center's Settings… land on one page with all of them", async ({
  browser
}) => {
  const page = await plain.open(browser);
  await page.setViewportSize({ width: 1280, height: 800 });
  // Also if the editor is open already, at another page.
  await runCommand(page, 'settingeditor:open', { query: 'Terminal' });
  await expect(pages(page)).toHaveCount(0);
  await expect(page.locator('.jp-PluginList-entry').first()).toBeVisible();
  await openCenter(page);
  await center(page).getByRole('button', { name: 'More' }).click();
  await page.locator('.lm-Menu-itemLabel', { hasText: 'Settings…' }).click();
  const editor = page.locator('.jp-SettingsPanel');
  const form = editor.locator('form').filter({ hasText: 'Corner' });
  await expect(form).toBeVisible();
  // The description of the page is shown once.
  await expect(
    editor
      .getByText('Toasts, the notification center, the desktop')
      .filter({ visible: true })
  ).toHaveCount(1);
  // In the order in which users look for them; settings for administrators are last.
  const titles = [
    'Corner',
    'Seconds until a toast closes',
    'Types that are announced',
    'Notify me on the desktop',
    'Muted sources',
    'Do not disturb',
    'Show Welcome Messages',
    'Number of unread notifications',
    'For administrators: commands',
    'For administrators: hosts'
  ];
  let last = 0;
  for (const title of titles) {
    const found = form.getByText(title).first();
    await found.scrollIntoViewIfNeeded();
    const top = await found.evaluate((node: HTMLElement) => {
      const form = node.closest('form')!;
      return (
        node.getBoundingClientRect().top - form.getBoundingClientRect().top
      );
    });
    expect(top, title).toBeGreaterThan(last);
    last = top;
  }
  // Each of our fields has a heading, and the entries of a list have names for people.
  await expect(
    form
      .getByRole('group', { name: 'Welcome messages' })
      .getByRole('button', { name: 'Show Welcome Messages' })
  ).toBeVisible();
  await expect(
    form.getByRole('heading', { name: 'Command', exact: true }).first()
  ).toBeVisible();
  await expect(form.getByText('allowedCommands-0')).toHaveCount(0);
  // JupyterLab's own page is called Notifications.
  await expect(pages(page).filter({ hasText: /^Notification/ })).toContainText([
    'Notification Center'
  ]);
  await expect(
    pages(page).filter({ hasText: /Notification(s on| Toasts| Actions)/ })
  ).toHaveCount(0);
  // Without a central service there is no setting for its channels.
  await expect(form.getByText('When you are away')).toHaveCount(0);
  // Opening the settings changes none of them.
  expect(await kept(plain, SETTINGS)).toEqual({});
  for (const theme of ['dark', 'light'] as const) {
    await setTheme(page, theme);
    await hasNoViolations(page, '.jp-NotifySetting');
  }
  await page.context().close();
});

// Longer than a screen: one carrying over, whose outcome shows in many places.
test('What a user and a site had set on the earlier pages is carried over', async ({
  browser
}) => {
  const page = await earlier.open(browser);
  // The toast has the site's corner and the user's time: it stays.
  await earlier.push({ message: 'at the bottom' });
  const toast = toasts(page, 'at the bottom');
  await expect(toast).toBeVisible();
  await expect
    .poll(async () => (await toast.boundingBox())!.y)
    .toBeGreaterThan(300);
  await expect
    .poll(() => kept(earlier, SETTINGS))
    .toEqual({
      defaultAutoClose: 0,
      desktopNotifications: true,
      // A value on the new page goes before the earlier one.
      openOnError: false
    });
  await expect
    .poll(() => kept(earlier, 'jupyterlab_notify:toasts'))
    .toEqual({});
  // A site's arguments of one command leave those of the others as they are.
  await earlier.push({
    message: 'with buttons',
    autoClose: false,
    actions: [
      {
        label: 'Elsewhere',
        commandId: 'filebrowser:go-to-path',
        args: { path: '/', run: 'this' }
      },
      { label: 'About', commandId: 'help:about', args: { more: 'yes' } }
    ]
  });
  await pressToast(toasts(page, 'with buttons'), 'Elsewhere');
  const question = page.getByRole('dialog').filter({ hasText: 'Run' });
  await expect(question).toContainText('filebrowser:go-to-path');
  await question.getByRole('button', { name: 'Cancel' }).click();
  await pressToast(toasts(page, 'with buttons'), 'About');
  await expect(
    page.getByRole('dialog').filter({ hasText: 'Version' })
  ).toBeVisible();
  await page.keyboard.press('Escape');
  const field = await openSettings(page, 'Notify me on the desktop');
  await expect(field).toBeVisible();
  // Reset to its default, the setting has the site's value again.
  await page.evaluate(async plugin => {
    const app = (window as any).jupyterapp;
    for (const token of (app.pluginRegistry ?? app)._services.keys()) {
      if (token.name === '@jupyterlab/coreutils:ISettingRegistry') {
        const registry = await app.resolveRequiredService(token);
        await registry.remove(plugin, 'defaultAutoClose');
      }
    }
  }, SETTINGS);
  await expect
    .poll(() => kept(earlier, SETTINGS))
    .toEqual({ desktopNotifications: true, openOnError: false });
  await page.context().close();
});
