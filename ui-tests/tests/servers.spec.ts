/**
 * Two servers of one user, with one home directory: a change in a tab of one server shows in a tab
 * of the other, while both are open.
 */
import type { Locator, Page } from '@playwright/test';

import {
  badge,
  banners,
  bell,
  center,
  closeCenter,
  expect,
  Lab,
  openCenter,
  pressToast,
  rows,
  runCommand,
  setSetting,
  SETTINGS,
  test,
  toasts,
  untilLauncher,
  untilReady,
  useLab
} from './lab';

const lab = useLab();
const beside = new Lab({ beside: lab });
let one: Page;
let two: Page;

test.beforeAll(async ({ browser }) => {
  await beside.start();
  [one, two] = [await lab.open(browser), await beside.open(browser)];
  // JupyterLab gives its launcher the focus, and so the keys.
  await untilLauncher(one);
});

test.afterAll(() => beside.stop());

test.beforeEach(async () => {
  await lab.dismissAll();
  for (const page of [one, two]) {
    await expect(badge(page)).toHaveCount(0);
  }
});

const entry = (page: Page, name: string | RegExp): Locator =>
  page.locator('.lm-Menu-item').filter({ hasText: name });

test('What is closed, read and done in one is so in the other, and so is its undo', async () => {
  await lab.push({ message: 'Closed there', autoClose: false });
  await beside.push({ message: 'Stays', type: 'error', banner: true });
  for (const page of [one, two]) {
    await expect(toasts(page, 'Closed there')).toBeVisible();
    await expect(banners(page, 'Stays')).toBeVisible();
    await expect(badge(page)).toHaveText('2');
  }
  await pressToast(toasts(two, 'Closed there'), 'Close');
  await expect(toasts(one, 'Closed there')).toHaveCount(0);
  await expect(badge(one)).toHaveText('1');

  for (const page of [one, two]) {
    await openCenter(page);
  }
  await rows(one, 'Stays').focus();
  await one.keyboard.press('r');
  await expect(rows(two, 'Stays')).not.toHaveClass(/jp-mod-unread/);
  await rows(one, 'Stays').focus();
  await one.keyboard.press('e');
  await expect(rows(two, 'Stays')).toHaveCount(0);
  await expect(banners(two)).toHaveCount(0);
  await center(one)
    .locator('.jp-NotifyUndo')
    .getByRole('button', { name: 'Undo' })
    .click();
  await expect(rows(two, 'Stays')).toHaveCount(1);
  await expect(banners(two, 'Stays')).toBeVisible();
});

test('What is snoozed in one is out of sight in the other, and comes back there', async () => {
  await beside.push({ message: 'Later', autoClose: 0 });
  for (const page of [one, two]) {
    await openCenter(page);
    await expect(rows(page, 'Later')).toHaveCount(1);
  }
  await rows(two, 'Later').click({ button: 'right' });
  await entry(two, 'Snooze for an Hour').click();
  await expect(rows(one, 'Later')).toHaveCount(0);
  await expect(badge(one)).toHaveCount(0);
  await center(one)
    .getByRole('radio', { name: /^Snoozed/ })
    .click();
  await rows(one, 'Later').focus();
  await one.keyboard.press('z');
  await expect(rows(two, 'Later')).toHaveCount(1);
  await center(one).getByRole('radio', { name: 'Inbox' }).click();
});

test('Do not disturb and a muted source, said in one, are left alone in the other', async () => {
  await bell(one).click({ button: 'right' });
  await entry(one, 'Do Not Disturb for an Hour').click();
  await expect(bell(two)).toHaveClass(/jp-mod-silent/);
  await openCenter(two);
  await center(two).getByRole('button', { name: 'Turn off' }).click();
  await expect(bell(one)).not.toHaveClass(/jp-mod-silent/);

  const { notification_id: id } = await lab.push({
    message: 'Too often',
    source: 'quota',
    type: 'error'
  });
  for (const page of [one, two]) {
    await expect(toasts(page, 'Too often')).toBeVisible();
  }
  await runCommand(one, 'jupyterlab-notify:mute-source', { id });
  await expect(toasts(two, 'Too often')).toHaveCount(0);
  await beside.push({ message: 'Again', source: 'quota', type: 'error' });
  await beside.push({ message: 'Another', type: 'error' });
  for (const page of [one, two]) {
    await expect(toasts(page, 'Another')).toBeVisible();
    await expect(toasts(page, 'Again')).toHaveCount(0);
    await openCenter(page);
    await expect(rows(page, 'Again')).toBeVisible();
  }
  await beside.api('PATCH', 'jupyterlab-notify/quiet', { unmute: 'quota' });
});

test('A setting that is made in one holds in the other from its next load', async () => {
  await setSetting(one, SETTINGS, 'toastTypes', ['error']);
  await two.reload();
  await untilReady(two);
  await closeCenter(two);
  await lab.push({ message: 'Some news', autoClose: false });
  await lab.push({ message: 'A failure', type: 'error' });
  await expect(toasts(two, 'A failure')).toBeVisible();
  await expect(toasts(two, 'Some news')).toHaveCount(0);
});
