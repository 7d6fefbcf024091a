/**
 * Undo, wherever a change was made, and the toasts that get the places.
 */
import type { Page } from '@playwright/test';

import { hasNoViolations } from './axe';
import {
  badge,
  banners,
  closeCenter,
  expect,
  type IPayload,
  openCenter,
  pressToast,
  rows,
  runCommand,
  setTheme,
  summary,
  test,
  toasts,
  untilLauncher,
  untilReady,
  useLab
} from './lab';

const lab = useLab();

let page: Page;

const SIZE = { width: 1280, height: 800 };

test.beforeAll(async ({ browser }) => {
  const context = await browser.newContext({ viewport: SIZE });
  page = await lab.open(browser, { context });
  await untilLauncher(page);
});

test.afterAll(() => page?.context().close());

test.beforeEach(async () => {
  await page.setViewportSize(SIZE);
  for (const { id } of await lab.list('inbox', 200)) {
    await lab.revoke(id);
  }
  await expect(banners(page)).toHaveCount(0);
  await expect(toasts(page)).toHaveCount(0);
});

const bar = () => page.locator('.jp-NotifySnackbar');

async function banner(
  message: string,
  more: Partial<IPayload> = {}
): Promise<string> {
  const pushed = await lab.push({
    message,
    banner: true,
    autoClose: 0,
    ...more
  });
  await expect(banners(page, message)).toBeVisible();
  return pushed.notification_id;
}

async function undo(label: string): Promise<void> {
  await expect(bar()).toContainText(label);
  await bar().getByRole('button', { name: 'Undo' }).click();
  await expect(bar()).toHaveCount(0);
}

test('the command to mark all as read closes no banner, and can be undone', async () => {
  await banner('an outage');
  await lab.push({ message: 'a message', autoClose: 0 });
  // What this tab has not heard of is not marked.
  await expect(badge(page)).toHaveText('2');
  await runCommand(page, 'jupyterlab-notify:mark-all-read');
  await expect.poll(() => lab.list('unread')).toEqual([]);
  await expect(banners(page)).toHaveText([/an outage/]);
  await undo('Marked 2 as read');
  await expect.poll(async () => (await lab.list('unread')).length).toBe(2);
});

test('the command to mark all as done can be undone', async () => {
  const id = await banner('an outage');
  await runCommand(page, 'jupyterlab-notify:dismiss-all');
  await expect(banners(page)).toHaveCount(0);
  await expect.poll(() => lab.list()).toEqual([]);
  await undo('Marked 1 as done');
  await expect(banners(page)).toHaveText([/an outage/]);
  await expect
    .poll(() => lab.list())
    .toMatchObject([{ id, closed: null, read: null }]);
});

test('closing a banner and being done with it can be undone', async () => {
  const id = await banner('an outage');
  for (const [name, label] of [
    ['Close', 'Closed: “an outage”'],
    ['Done', 'Done: “an outage”']
  ]) {
    await banners(page).getByRole('button', { name }).click();
    await expect(banners(page)).toHaveCount(0);
    await undo(label);
    await expect(banners(page)).toHaveText([/an outage/]);
    await expect
      .poll(() => lab.list())
      .toMatchObject([{ id, read: null, closed: null, dismissed: null }]);
  }
});

test('done on a toast moves its message out of the inbox, and can be undone', async () => {
  const { notification_id: id } = await lab.push({
    message: 'a warning',
    type: 'warning',
    autoClose: false
  });
  await lab.push({
    message: 'kept by its sender',
    type: 'warning',
    autoClose: false,
    dismissable: false
  });
  const toast = toasts(page, 'a warning');
  await pressToast(toast, 'Done');
  await expect(toast).toHaveCount(0);
  await expect.poll(async () => (await lab.list()).length).toBe(1);
  await undo('Done: “a warning”');
  await expect
    .poll(() => lab.list())
    .toMatchObject([{ dismissed: null }, { id, read: null, dismissed: null }]);
  await expect(toast).toBeVisible();
  // The keyboard can do it too; and there is no such button if a message may only be read.
  await lab.push({ message: 'another', type: 'error' });
  await toasts(page, 'another').getByRole('button', { name: 'Done' }).focus();
  await page.keyboard.press('Enter');
  await expect(toasts(page, 'another')).toHaveCount(0);
  await expect.poll(async () => (await lab.list()).length).toBe(2);
  await expect(
    toasts(page, 'kept by its sender').getByRole('button', { name: 'Done' })
  ).toHaveCount(0);
});

test('a banner has its buttons in its line, its progress, and what is more on a line of its own', async () => {
  await banner('an outage', {
    type: 'error',
    dismissable: false,
    actions: [{ label: 'Status page', url: 'https://example.org/' }]
  });
  await banner('a copy', { type: 'in-progress', progress: 0.4, key: 'copy' });
  await lab.push({
    message: 'see [the plan](https://example.org/plan)',
    banner: true,
    autoClose: 0,
    type: 'warning',
    markdown: true
  });
  await expect(banners(page)).toHaveCount(3);
  const line = (text: string) =>
    banners(page, text).locator('.jp-NotifyBanner-line');
  const button = line('an outage').getByRole('button', { name: 'Status page' });
  await expect(button).toBeVisible();
  await expect(
    banners(page, 'a copy').getByRole('progressbar')
  ).toHaveAttribute('aria-valuenow', '40');
  // A link can be followed although the message has no details.
  await expect(
    banners(page, 'the plan').getByRole('link', { name: 'the plan' })
  ).toHaveAttribute('href', 'https://example.org/plan');
  const right = async (text: string) => {
    const box = (await line(text)
      .locator('.jp-NotifyBanner-source')
      .boundingBox())!;
    return Math.round(box.x + box.width);
  };
  await expect
    .poll(async () => (await right('a copy')) - (await right('the plan')))
    .toBe(0);
  const detailed = { type: 'error', body: 'More of it.', dismissable: false };
  const id = await banner('with details', detailed);
  const ends = () =>
    Promise.all(
      [
        button,
        line('with details').getByRole('button', { name: 'Details' })
      ].map(async each => {
        const box = (await each.boundingBox())!;
        return Math.round(box.x + box.width) - (await right('the plan'));
      })
    );
  await expect.poll(ends).toEqual([0, 0]);
  await lab.revoke(id);
  await expect(banners(page, 'a copy')).toBeVisible();

  for (const text of ['one more', 'two more']) {
    await lab.push({ message: text, banner: true, autoClose: 0 });
  }
  const more = page.getByRole('button', { name: '2 more' });
  await expect(more).toBeVisible();
  await expect
    .poll(async () => {
      const last = (await banners(page).last().boundingBox())!;
      const { y } = (await more.boundingBox())!;
      return y - Math.floor(last.y + last.height);
    })
    .toBeGreaterThanOrEqual(0);
  for (const theme of ['light', 'dark'] as const) {
    await setTheme(page, theme);
    await hasNoViolations(page, '#jp-notify-banner');
  }
  await setTheme(page, 'light');
});

test('after an absence what stays has the places, and a freed place is filled', async () => {
  const url = page.url();
  await page.goto('about:blank');
  for (let i = 0; i < 5; i++) {
    await lab.push({
      message: `stays ${i}`,
      type: 'warning',
      autoClose: false
    });
  }
  for (let i = 0; i < 25; i++) {
    await lab.push({ message: `passes ${i}`, autoClose: 5000 });
  }
  await page.goto(url);
  await untilReady(page);
  await expect(toasts(page, 'stays')).toHaveCount(4);
  await expect(toasts(page, 'passes')).toHaveCount(0);
  await expect(summary(page).filter({ hasText: 'and 26 more' })).toBeVisible();
  await expect(toasts(page, 'stays 0')).toHaveCount(0);
  await toasts(page, 'stays 4').getByTitle('Close', { exact: true }).click();
  await expect(toasts(page, 'stays 0')).toBeVisible();
  await expect(summary(page).filter({ hasText: 'and 25 more' })).toBeVisible();
  // A page that is reloaded sends nothing more.
  await expect
    .poll(async () => (await lab.list('unread', 200)).length)
    .toBe(29);
  for (let reload = 0; reload < 2; reload++) {
    await page.reload();
    await untilReady(page);
    await expect(toasts(page, 'stays')).toHaveCount(4);
    await expect(
      summary(page).filter({ hasText: 'and 25 more' })
    ).toBeVisible();
  }
});

test('a question is answered from its toast and from the banner, and its row says it', async () => {
  const ask = (message: string) =>
    lab.push({
      message,
      type: 'warning',
      banner: true,
      autoClose: false,
      reply: { choices: ['Stop', 'Continue'], text: true }
    });
  const answer = async () => (await lab.list())[0].answer;
  await ask('Loss is rising.');
  await pressToast(toasts(page, 'Loss is rising.'), 'Stop');
  await expect.poll(answer).toBe('Stop');
  await expect(toasts(page, 'Loss is rising.')).toHaveCount(0);

  await ask('The disk is full.');
  const banner = banners(page, 'The disk is full.');
  await banner.getByRole('button', { name: 'Answer…' }).click();
  await expect(banner.getByRole('textbox')).toBeVisible();
  await banner.getByRole('button', { name: 'Continue', exact: true }).click();
  await expect.poll(answer).toBe('Continue');
  await openCenter(page);
  await expect(rows(page, 'Loss is rising.')).toContainText(
    'You answered: Stop'
  );
  await expect(rows(page, 'The disk is full.')).toContainText(
    'You answered: Continue'
  );
  await closeCenter(page);
});

test('a long answer leaves the list its room, and is whole in the open row', async () => {
  const { notification_id: id } = await lab.push({
    message: 'What went wrong?',
    autoClose: 0,
    reply: { text: true }
  });
  await lab.api('POST', `jupyterlab-notify/notifications/${id}/reply`, {
    answer: `${'a long story '.repeat(200)}with an end`
  });
  await openCenter(page);
  const row = rows(page, 'What went wrong?');
  await expect(row).toContainText('You answered: a long story');
  const height = async () => (await row.boundingBox())!.height;
  await expect.poll(height).toBeLessThan(160);
  await row.locator('.jp-NotifyRow-summary').click();
  await expect.poll(height).toBeGreaterThan(600);
  await closeCenter(page);
});
