/**
 * The promises of a toast, in two windows of one browser.
 */
import type { Page } from '@playwright/test';

import {
  badge,
  bell,
  closeCenter,
  expect,
  LAB_NOTIFICATIONS,
  openCenter,
  openSettings,
  pressToast,
  rows,
  runCommand,
  setMotion,
  setSetting,
  SETTINGS,
  test,
  toastEvents,
  toasts,
  toastTime,
  untilQuiet,
  untilReady,
  useLab
} from './lab';

const TYPES = [
  'default',
  'info',
  'success',
  'warning',
  'error',
  'in-progress'
] as const;

/** The message that hubs in the field send. */
const HUB_PAYLOAD = {
  message: 'Maintenance scheduled for 10 PM tonight',
  type: 'warning',
  autoClose: false,
  actions: [
    {
      label: 'Dismiss',
      caption: 'Close this notification',
      displayType: 'default'
    }
  ]
};

const lab = useLab();
let page: Page;
let other: Page;

test.beforeAll(async ({ browser }) => {
  other = await lab.open(browser);
  // A window of its own, so that both pages are in front: a browser draws hidden pages late.
  page = await lab.open(browser, {
    context: other.context(),
    window: true,
    path: 'lab/workspaces/other'
  });
});

test.beforeEach(async () => {
  await lab.dismissAll();
  for (const tab of [page, other]) {
    await closeCenter(tab);
    await untilQuiet(tab);
  }
  // A toast under the pointer would not close.
  await page.mouse.move(300, 700);
});

test('all six types appear, each with its text, its look and its icon', async () => {
  await page.setViewportSize({ width: 1024, height: 1600 });
  const icons = new Set<string>();
  const edges: string[] = [];
  for (const type of TYPES) {
    const { notification_id } = await lab.push({
      message: `This is ${type}.`,
      type,
      autoClose: false
    });
    const toast = toasts(page, `This is ${type}.`);
    await expect(toast).toBeVisible();
    await expect(toast).toHaveAttribute('data-jp-notify', type);
    if (type === 'default') {
      await expect(toast.locator('.Toastify__toast-icon')).toHaveCount(0);
    } else {
      icons.add(await toast.locator('.Toastify__toast-icon').innerHTML());
    }
    // Urgent messages are read out at once.
    await expect(toast.locator('.Toastify__toast-body')).toHaveAttribute(
      'role',
      type === 'error' || type === 'warning' ? 'alert' : 'status'
    );
    edges.push(
      await toast.evaluate(
        node => getComputedStyle(node).borderInlineStartColor
      )
    );
    // No more than four stand at once.
    await lab.change(notification_id, { read: true });
    await expect(toast).toHaveCount(0);
  }
  expect(icons.size).toBe(TYPES.length - 1);
  // In progress has a color of its own too, which a theme may share with info.
  expect(new Set(edges.slice(0, -1)).size).toBe(TYPES.length - 1);
  await page.setViewportSize({ width: 1024, height: 768 });
});

for (const [path, motion] of [
  ['jupyterlab-notify/ingest', true],
  ['jupyterlab-notifications-extension/ingest', false]
] as const) {
  test(`what a hub pushes to ${path} is a toast in every tab, and its Dismiss button closes it`, async () => {
    for (const tab of [page, other]) {
      await setMotion(tab, motion);
    }
    const answer = await lab.api('POST', path, HUB_PAYLOAD);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ success: true, tabs: 2 });
    for (const tab of [page, other]) {
      const toast = toasts(tab, HUB_PAYLOAD.message);
      await expect(toast).toBeVisible();
      await expect(toast).toHaveAttribute('data-jp-notify', 'warning');
      await expect(
        toast.getByRole('button', { name: 'Dismiss' }).first()
      ).toHaveAttribute('title', 'Close this notification');
    }
    await toasts(page).hover();
    await toasts(page)
      .locator('.jp-toast-button', { hasText: 'Dismiss' })
      .click();
    await expect(toasts(page)).toHaveCount(0);
    await expect(toasts(other)).toHaveCount(0);
    await expect.poll(() => lab.list('unread')).toEqual([]);
    expect((await lab.list('inbox'))[0]).toMatchObject({
      id: answer.body.notification_id,
      closed: expect.any(String),
      dismissed: null
    });
    for (const tab of [page, other]) {
      await setMotion(tab, false);
    }
  });
}

test('autoClose false stays, comes back after a reload, and not once it is closed', async () => {
  await lab.push({ message: 'I stay.', autoClose: false });
  await lab.push({ message: 'I go.', autoClose: 300 });
  await toastTime(page, 'I go.');
  await expect(toasts(page, 'I stay.')).toBeVisible();

  await page.reload();
  await untilReady(page);
  await expect(toasts(page, 'I stay.')).toBeVisible();
  expect(await toastEvents(page, 'I go.')).toEqual([]);

  await toasts(page, 'I stay.').getByTitle('Close', { exact: true }).click();
  await expect(toasts(page, 'I stay.')).toHaveCount(0);
  await expect
    .poll(async () => (await lab.list()).find(row => row.closed !== null))
    .toMatchObject({ message: 'I stay.', read: expect.any(String) });

  await page.reload();
  await untilReady(page);
  await lab.push({ message: 'I am next.', autoClose: false });
  await expect(toasts(page, 'I am next.')).toBeVisible();
  expect(await toastEvents(page, 'I stay.')).toEqual([]);
});

test('autoClose in milliseconds closes after that, and the message stays unread', async () => {
  const closer = { message: 'For a second and a half.', autoClose: 1500 };
  // Longer than the others take on a machine that is busy.
  await lab.push({ message: 'For a while.', autoClose: 120_000 });
  // This toast stays for the five seconds of the setting, and is pushed before the shorter one.
  await lab.push({ message: 'As usual.' });
  const { notification_id } = await lab.push(closer);
  expect(await toastTime(page, closer.message)).toBeGreaterThanOrEqual(1500);
  expect(await toastTime(page, 'As usual.')).toBeGreaterThanOrEqual(5000);
  const [, gone] = await toastEvents(page, closer.message);
  const [, later] = await toastEvents(page, 'As usual.');
  expect(gone.at).toBeLessThan(later.at);
  await expect(toasts(page, 'For a while.')).toBeVisible();

  expect(await lab.list('unread')).toContainEqual(
    expect.objectContaining({
      id: notification_id,
      read: null,
      dismissed: null
    })
  );
  await expect(badge(page)).toHaveText('3');
});

test('autoClose true, and none, go by the setting of the user', async () => {
  await setSetting(page, SETTINGS, 'defaultAutoClose', 1);
  // The last two close before the first: after the setting's one second, not the default's five.
  await lab.push({ message: 'For five seconds.', autoClose: 5000 });
  await lab.push({ message: 'Said true.', autoClose: true });
  await lab.push({ message: 'Said nothing.' });
  for (const text of ['Said true.', 'Said nothing.']) {
    expect(await toastTime(page, text)).toBeGreaterThanOrEqual(1000);
  }
  await toastTime(page, 'For five seconds.');
  const [, last] = await toastEvents(page, 'For five seconds.');
  for (const text of ['Said true.', 'Said nothing.']) {
    const [, gone] = await toastEvents(page, text);
    expect(gone.at).toBeLessThan(last.at);
  }

  await setSetting(page, SETTINGS, 'defaultAutoClose', 0);
  await lab.push({ message: 'Said true again.', autoClose: true });
  await lab.push({ message: 'In between.', autoClose: 300 });
  await toastTime(page, 'In between.');
  await expect(toasts(page, 'Said true again.')).toBeVisible();
  await setSetting(page, SETTINGS, 'defaultAutoClose', 5);
});

test('autoClose 0 is in the center only', async () => {
  await lab.push({ message: 'Quietly.', autoClose: 0 });
  await lab.push({ message: 'Loudly.', autoClose: false });
  await expect(toasts(page, 'Loudly.')).toBeVisible();
  await expect(badge(page)).toHaveText('2');
  await openCenter(page);
  await expect(rows(page, 'Quietly.')).toBeVisible();
  expect(await toastEvents(page, 'Quietly.')).toEqual([]);
});

test('the cross closes in every tab; the message stays in the inbox, read', async () => {
  const { notification_id } = await lab.push({
    message: 'Seen enough.',
    autoClose: false
  });
  await openCenter(other);
  await expect(rows(other, 'Seen enough.')).toBeVisible();
  await expect(toasts(page, 'Seen enough.')).toBeVisible();
  await toasts(page, 'Seen enough.')
    .getByTitle('Close', { exact: true })
    .click();
  for (const tab of [page, other]) {
    await expect(toasts(tab)).toHaveCount(0);
    await expect(badge(tab)).toBeHidden();
  }
  await expect(rows(other, 'Seen enough.')).toBeVisible();
  await expect(rows(other, 'Seen enough.')).not.toHaveClass(/jp-mod-unread/);
  expect(await lab.list('unread')).toEqual([]);
  expect(await lab.list('inbox')).toContainEqual(
    expect.objectContaining({ id: notification_id, dismissed: null })
  );

  // Marking the message as unread again does not make it news.
  await lab.change(notification_id, { read: false });
  await expect(badge(page)).toHaveText('1');
  await page.reload();
  await untilReady(page);
  await expect(badge(page)).toHaveText('1');
  await expect(toasts(page)).toHaveCount(0);
});

test('4,000 characters are cut, and Show more opens the center at all of them', async () => {
  const message =
    'The nightly run has failed. '.repeat(150).slice(0, 3990) + '. THE END.';
  expect(message.length).toBe(4000);
  await lab.push({ message, autoClose: false });
  const toast = toasts(page);
  await expect(toast).toHaveCount(1);
  await expect(toast.locator('.jp-toast-message')).toHaveText(/…$/);
  const shown = await toast.locator('.jp-toast-message').innerText();
  expect(shown.length).toBeLessThanOrEqual(140);
  expect(shown.startsWith('The nightly run has failed.')).toBe(true);
  expect(shown.endsWith('…')).toBe(true);

  await lab.push({ message: 'A short one on top.', autoClose: 0 });
  await pressToast(toast, 'Show more');
  const row = rows(page, 'THE END.');
  await expect(row).toHaveClass(/jp-mod-open/);
  await expect(row).toBeInViewport();
  await expect(row.locator('.jp-NotifyRow-summary')).toHaveText(message);
  await expect(toasts(page)).toHaveCount(0);
  // It was read, in all tabs.
  await expect(badge(page)).toHaveText('1');
  await expect(badge(other)).toHaveText('1');
});

// Longer than a screen: the life of one progress.
test('a progress moves in one toast and ends in success there', async () => {
  await setMotion(page, true);
  const job = { key: 'job-7', source: 'queue' };
  await lab.push({
    ...job,
    message: 'Stacking frames',
    type: 'in-progress',
    progress: 0.1
  });
  const toast = toasts(page);
  await expect(toast).toHaveAttribute('data-jp-notify-progress', '10');
  const id = await toast.getAttribute('id');
  for (const percent of [35, 60, 100]) {
    await lab.push({
      ...job,
      message: 'Stacking frames',
      type: 'in-progress',
      progress: percent / 100
    });
    await expect(toast).toHaveAttribute(
      'data-jp-notify-progress',
      String(percent)
    );
    await expect(toast.locator('.jp-toast-message')).toHaveAttribute(
      'data-jp-notify-meta',
      new RegExp(`queue · ${percent}`)
    );
  }
  // Under the pointer the toast stays until all of it was looked at.
  await toast.hover();
  await lab.push({
    ...job,
    message: 'Frames stacked',
    type: 'success',
    autoClose: 3000
  });
  await expect
    .poll(
      () =>
        toast.evaluateAll(found =>
          found.map(({ id, dataset, textContent }) => ({
            id,
            type: dataset.jpNotify,
            moving: 'jpNotifyProgress' in dataset,
            text: textContent
          }))
        ),
      { intervals: [100] }
    )
    .toEqual([
      {
        id,
        type: 'success',
        moving: false,
        text: expect.stringContaining('Frames stacked')
      }
    ]);
  // Only at its end does the toast close by itself.
  await page.mouse.move(300, 700);
  await expect(toast).toHaveCount(0);
  expect(
    (await toastEvents(page, 'Frames stacked')).map(event => event.what)
  ).toEqual(['appeared', 'gone']);
  expect(await lab.list('inbox')).toMatchObject([
    { key: 'job-7', type: 'success' }
  ]);
  await setMotion(page, false);
});

test('a job that is over before its toast was drawn shows its end, and closes', async () => {
  // On a slow machine, and with animations, a toast takes long to appear.
  await setMotion(page, true);
  const browser = await page.context().newCDPSession(page);
  await browser.send('Emulation.setCPUThrottlingRate', { rate: 8 });
  const job = { key: 'job-8', source: 'queue' };
  await lab.push({ ...job, message: 'A quick job', type: 'in-progress' });
  await lab.push({
    ...job,
    message: 'A quick job is over',
    type: 'success',
    autoClose: 6000
  });
  await expect(toasts(page, 'A quick job is over')).toBeVisible();
  await expect(toasts(page).locator('.Toastify__spinner')).toHaveCount(0);
  await browser.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  await toastTime(page, 'A quick job');
  await browser.detach();
  await setMotion(page, false);
});

test('the same key replaces what it said before, in every tab', async () => {
  const first = await lab.push({
    message: 'Disk 80 % full',
    key: 'disk',
    autoClose: false
  });
  for (const tab of [page, other]) {
    await expect(toasts(tab, 'Disk 80 % full')).toBeVisible();
  }
  const second = await lab.push({
    message: 'Disk 95 % full',
    key: 'disk',
    type: 'error',
    autoClose: false
  });
  expect(second.notification_id).toBe(first.notification_id);
  for (const tab of [page, other]) {
    await expect(toasts(tab, 'Disk 95 % full')).toHaveAttribute(
      'data-jp-notify',
      'error'
    );
    await expect(toasts(tab)).toHaveCount(1);
    await expect(badge(tab)).toHaveText('1');
  }
  // A toast that was drawn anew still leads to its row.
  await toasts(page).locator('.jp-toast-message').click();
  await expect(rows(page)).toHaveCount(1);
  await expect(toasts(page)).toHaveCount(0);
});

test('what its sender takes back is gone from every tab', async () => {
  await lab.push({ message: 'By its key.', key: 'k', type: 'error' });
  const { notification_id } = await lab.push({
    message: 'By its id.',
    type: 'error'
  });
  await openCenter(other);
  for (const tab of [page, other]) {
    await expect(toasts(tab)).toHaveCount(2);
  }
  await expect(rows(other)).toHaveCount(2);
  await lab.revoke('k');
  await lab.revoke(notification_id);
  for (const tab of [page, other]) {
    await expect(toasts(tab)).toHaveCount(0);
    await expect(badge(tab)).toBeHidden();
  }
  await expect(rows(other)).toHaveCount(0);
  expect(await lab.list('dismissed', 2)).not.toContainEqual(
    expect.objectContaining({ message: 'By its key.' })
  );
});

test('what expires is gone from every tab', async () => {
  const brief = { message: 'Not for long.', key: 'brief', autoClose: false };
  const until = { message: 'Until a moment.', key: 'until', autoClose: false };
  await lab.push({ ...brief, ttl: 3600 });
  await lab.push({ ...until, ttl: 3600 });
  for (const tab of [page, other]) {
    await expect(toasts(tab)).toHaveCount(2);
    await expect(badge(tab)).toHaveText('2');
  }
  // Let them expire only after they were seen: a second may be over before they are drawn.
  await lab.push({ ...brief, ttl: 1 });
  await lab.push({
    ...until,
    expiresAt: new Date(Date.now() + 1500).toISOString()
  });
  for (const tab of [page, other]) {
    await expect(toasts(tab)).toHaveCount(0);
    await expect(badge(tab)).toBeHidden();
  }
  expect(await lab.list('inbox')).toEqual([]);
});

test('do-not-disturb silences toasts, but neither the center nor the bell', async () => {
  await lab.push({ message: 'Before.', autoClose: false });
  await expect(toasts(page, 'Before.')).toBeVisible();
  await setSetting(page, LAB_NOTIFICATIONS, 'doNotDisturbMode', true);
  await expect(toasts(page)).toHaveCount(0);
  for (const tab of [page, other]) {
    await expect(bell(tab)).toHaveAccessibleName(
      'Notifications, 1 unread, do not disturb'
    );
  }

  await lab.push({ message: 'Silently.', type: 'error', autoClose: false });
  await expect(badge(page)).toHaveText('2');
  await openCenter(page);
  await expect(rows(page, 'Silently.')).toBeVisible();

  await setSetting(page, LAB_NOTIFICATIONS, 'doNotDisturbMode', false);
  await lab.push({ message: 'Aloud.', type: 'error' });
  await expect(toasts(page, 'Aloud.')).toBeVisible();
  await expect(bell(page)).toHaveAccessibleName('Notifications, 3 unread');
  expect(await toastEvents(page, 'Silently.')).toEqual([]);
});

test('only the types of the setting are announced', async () => {
  await setSetting(page, SETTINGS, 'toastTypes', ['warning', 'error']);
  await lab.push({ message: 'Some news.', type: 'info', autoClose: false });
  await lab.push({ message: 'Some trouble.', type: 'error', autoClose: false });
  await expect(toasts(page, 'Some trouble.')).toBeVisible();
  await expect(badge(page)).toHaveText('2');
  expect(await toastEvents(page, 'Some news.')).toEqual([]);
  await setSetting(page, SETTINGS, 'toastTypes', [...TYPES]);
});

test('the types are boxes in the settings editor', async () => {
  const saved = async () =>
    (await lab.api('GET', `lab/api/settings/${SETTINGS}`)).body.settings
      .toastTypes;
  await openSettings(page, 'Types that are announced');
  const types = page.getByRole('group', { name: 'Types that are announced' });
  await expect(types.getByRole('checkbox', { checked: true })).toHaveCount(6);
  await types.getByRole('checkbox', { name: 'Information' }).uncheck();
  await expect
    .poll(saved)
    .toEqual(['error', 'warning', 'success', 'in-progress', 'default']);
  await types.getByRole('checkbox', { name: 'Information' }).check();
  await expect.poll(async () => (await saved()).length).toBe(6);
  await runCommand(page, 'application:close');
});
