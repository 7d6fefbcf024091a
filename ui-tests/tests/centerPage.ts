/**
 * Fixtures for the tests of the center: a JupyterLab with the center open in two tabs of one
 * browser, and the actions of a user in it.
 */
import type { Locator, Page } from '@playwright/test';

import {
  badge,
  center,
  expect,
  type Lab,
  openCenter,
  Proxy,
  rows,
  test,
  untilLauncher,
  untilReady,
  useLab
} from './lab';

/** The server of the file of tests that runs. */
export let lab: Lab;

/** The proxy through which the first tab is connected. */
export let proxy: Proxy;

/** The tab that is looked at, and another one of the same browser. */
export let page: Page;
export let other: Page;

/**
 * Have the center open in both tabs before the tests of this file, and empty before each.
 */
export function useCenter(): void {
  lab = useLab();
  proxy = new Proxy();

  test.beforeAll(async ({ browser }) => {
    await proxy.start(lab);
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      locale: 'en-US',
      timezoneId: 'UTC'
    });
    page = await lab.open(browser, { context, via: proxy });
    other = await lab.open(browser, { context, path: 'lab/workspaces/other' });
    await openCenter(other);
    // A page in the background is slow to draw.
    await page.bringToFront();
    await untilLauncher(page);
    await openCenter(page);
  });

  test.afterAll(async () => {
    await page?.context().close();
    await proxy.stop();
  });

  test.beforeEach(() => empty());
}

export const TYPES = [
  'error',
  'warning',
  'success',
  'info',
  'in-progress',
  'default'
];

/** Push for the center only, and return the id. */
export async function push(
  message: string,
  fields: Record<string, unknown> = {}
): Promise<string> {
  const receipt = await lab.push({
    source: 'a sender',
    ...fields,
    autoClose: 0,
    message
  });
  return receipt.notification_id;
}

/** Push many in order, as fast as one sender can. */
export async function pushMany(
  count: number,
  message: (index: number) => string
): Promise<void> {
  for (let index = 0; index < count; index++) {
    await push(message(index));
  }
}

export async function pushMixed(): Promise<void> {
  await push('an error', {
    type: 'error',
    body: '| a | b |\n| --- | --- |\n| 1 | `2` |\n\n```python\nimport this\n```\n\n[a link](https://example.org/)',
    actions: [
      { label: 'Default' },
      { label: 'Accent', displayType: 'accent' },
      { label: 'Warn', displayType: 'warn' },
      { label: 'Link', displayType: 'link', url: 'https://example.org/' }
    ]
  });
  await push('a default', { type: 'default', ttl: 3600 });
  await push('a progress', { type: 'in-progress', progress: 0.4 });
  await push('an unknown progress', { type: 'in-progress' });
  await push('a warning **in bold**', { type: 'warning', markdown: true });
  await push('a success', { type: 'success' });
  await push('an info', { type: 'info' });
  const read = await push('one that was read');
  await lab.change(read, { read: true });
  await expect(rows(page)).toHaveCount(8);
  await expect(rows(page, 'one that was read')).not.toHaveClass(
    /jp-mod-unread/
  );
}

/** Every id of the inbox, newest first, as the server has them. */
export async function allIds(): Promise<string[]> {
  const ids: string[] = [];
  let before = '';
  for (;;) {
    const { body: answer } = await lab.api(
      'GET',
      `jupyterlab-notify/notifications?limit=200${before}`
    );
    ids.push(...answer.notifications.map(({ id }: { id: string }) => id));
    if (answer.next === null) {
      return ids;
    }
    before = `&before=${answer.next}`;
  }
}

export async function counts(): Promise<unknown> {
  return (await lab.status()).counts;
}

export async function state(id: string): Promise<unknown> {
  return (await lab.list()).find(row => row.id === id);
}

/** Revoke everything, and reset the center. */
export async function empty(): Promise<void> {
  await page.unrouteAll();
  // A change that was on its way may move a row from one list to the other between the two.
  for (let found = 1; found > 0;) {
    found = 0;
    for (const where of ['inbox', 'dismissed'] as const) {
      const batch = await lab.list(where, 200);
      await Promise.all(batch.map(row => lab.revoke(row.id, row.source)));
      found += batch.length;
    }
  }
  await openCenter(page);
  await page.mouse.move(500, 700);
  const complaint = center(page).getByRole('button', {
    name: 'Close this message'
  });
  if (await complaint.isVisible()) {
    await complaint.click();
  }
  await searchField().fill('');
  await view('Inbox');
  await expect(rows(page)).toHaveCount(0);
  await expect(rows(other)).toHaveCount(0);
  await expect(badge(page)).toHaveCount(0);
}

/** Have the center fetch its list again. */
export async function reload(): Promise<void> {
  for (const name of ['Unread', 'Inbox'] as const) {
    // Until the list is asked for, the center has not left the other one.
    const asked = page.waitForRequest(/jupyterlab-notify\/notifications\?/);
    await view(name);
    await asked;
  }
}

/**
 * Hold back what the server says of a list, as if it were slow.
 *
 * @returns A function that lets the answers through.
 */
export async function holdList(name: 'inbox' | 'unread'): Promise<() => void> {
  let answer: () => void = () => undefined;
  const held = new Promise<void>(resolve => (answer = resolve));
  await page.route('**/jupyterlab-notify/notifications?*', async route => {
    const request = route.request();
    if (request.method() === 'GET' && request.url().includes(name)) {
      await held;
    }
    await route.continue();
  });
  return answer;
}

export async function view(name: 'Inbox' | 'Unread' | 'Done'): Promise<void> {
  const loaded = page.getByRole('radio', { name, exact: true });
  if (!(await loaded.isChecked())) {
    await loaded.click();
    await expect(loaded).toBeChecked();
  }
}

export function searchField(): Locator {
  return center(page).getByRole('searchbox');
}

export async function open(row: Locator): Promise<void> {
  await row
    .locator('.jp-NotifyRow-summary')
    .click({ position: { x: 4, y: 4 } });
  await expect(row).toHaveClass(/jp-mod-open/);
}

/** Press one of the buttons that a row shows under the pointer. */
export async function press(row: Locator, name: string): Promise<void> {
  await row.hover();
  await row.getByRole('button', { name, exact: true }).click();
}

export async function check(text: string): Promise<void> {
  const row = rows(page, text);
  await row.hover();
  await row.getByRole('checkbox', { name: 'Select' }).check();
}

/** Expect that the undo bar says what was done, and undo it. */
export async function undo(label: string): Promise<void> {
  const bar = center(page).locator('.jp-NotifyUndo');
  await expect(bar).toContainText(label);
  await bar.getByRole('button', { name: 'Undo' }).click();
  await expect(bar).toHaveCount(0);
}

/** Measure the panel's width, in pixels. */
export async function panelWidth(): Promise<number> {
  return Math.round((await center(page).boundingBox())!.width);
}

/** The panel in the layout that JupyterLab saved, which it does some time after a change. */
export async function savedLayout(): Promise<string> {
  const { body } = await lab.api('GET', 'lab/api/workspaces/default');
  const layout = body.data['layout-restorer:data'];
  return layout.right.collapsed || layout.relativeSizes[2] < 0.28
    ? 'closed or narrow'
    : 'open and wide';
}

/** Load the page again. */
export async function reloadPage(): Promise<void> {
  await page.reload();
  await untilReady(page);
}

/** A time of another day, in UTC. */
export function at(
  now: Date,
  days: number,
  hour: number,
  minute: number
): Date {
  return new Date(
    Date.UTC(
      now.getUTCFullYear(),
      now.getUTCMonth(),
      now.getUTCDate() + days,
      hour,
      minute
    )
  );
}
