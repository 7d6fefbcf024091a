/**
 * The bell and the notification center: what they show, what can be done with
 * a mouse, with a keyboard, and what a screen reader is told.
 */
import { gzipSync } from 'zlib';

import type { Locator, Page } from '@playwright/test';

import { hasNoViolations } from './axe';
import { backdate, write } from './database';
import {
  badge,
  bell,
  center,
  closeCenter,
  expect,
  type IPayload,
  Lab,
  openCenter,
  Proxy,
  rows,
  runCommand,
  runFromPalette,
  setMotion,
  setTheme,
  test,
  toasts,
  untilLauncher,
  untilReady,
  useLab
} from './lab';

/** What the build made. */

const lab = useLab();
const proxy = new Proxy();

/** The tab that is looked at, and another one of the same browser. */
let page: Page;
let other: Page;

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

test.describe('The bell', () => {
  test('counts what is unread', async () => {
    await expect(badge(page)).toHaveCount(0);
    await expect(bell(page)).toHaveAccessibleName('Notifications');

    const id = await push('one');
    await push('two');
    await expect(badge(page)).toHaveText('2');
    await expect(bell(page)).toHaveAccessibleName('Notifications, 2 unread');
    await expect(center(page).getByText('2 unread')).toBeVisible();

    await lab.change(id, { read: true });
    await expect(badge(page)).toHaveText('1');
    await pushMany(99, index => `message ${index}`);
    await expect(badge(page)).toHaveText('99+');
    await expect(bell(page)).toHaveAccessibleName('Notifications, 100 unread');
  });

  test('stands in the top bar and opens and closes the center by a click', async () => {
    await expect(
      page.locator('#jp-top-panel').locator(bell(page))
    ).toBeVisible();
    await expect(bell(page)).toHaveAttribute('aria-pressed', 'true');
    await bell(page).click();
    await expect(center(page)).toBeHidden();
    await expect(bell(page)).toHaveAttribute('aria-pressed', 'false');
    await bell(page).click();
    await expect(center(page)).toBeVisible();
    await center(page).getByRole('button', { name: 'Close' }).click();
    await expect(center(page)).toBeHidden();
    await bell(page).click();
    await expect(center(page)).toBeVisible();
  });

  test('opens and closes the center by keyboard, and the focus follows', async () => {
    await push('a message');
    await expect(rows(page, 'a message')).toBeVisible();
    await closeCenter(page);
    await bell(page).focus();
    await page.keyboard.press('Enter');
    await expect(rows(page, 'a message')).toBeFocused();
    await center(page).getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Space');
    await expect(center(page)).toBeHidden();
    await expect(bell(page)).toBeFocused();
    await page.keyboard.press('Space');
    await expect(rows(page, 'a message')).toBeFocused();
  });

  test('has a command that does the same, which the palette offers', async () => {
    await runCommand(page, 'jupyterlab-notify:toggle-center');
    await expect(center(page)).toBeHidden();
    await runCommand(page, 'apputils:activate-command-palette');
    await page.locator('#modal-command-palette input').fill('notifications');
    await page
      .locator(
        '#modal-command-palette [data-command="jupyterlab-notify:toggle-center"]'
      )
      .first()
      .click();
    await expect(center(page)).toBeVisible();
    await expect
      .poll(() =>
        center(page).evaluate(node => node.contains(document.activeElement))
      )
      .toBe(true);
  });

  test('is the only one while the center is closed, but for keyboards', async () => {
    const tabs = page.locator('.jp-SideBar.jp-mod-right .lm-TabBar-tab');
    const tab = tabs.and(page.locator('.jp-NotifyCenter-tab'));
    const height = async () => (await tab.boundingBox())!.height;
    await expect.poll(height).toBeGreaterThan(20);
    await closeCenter(page);
    await expect.poll(height).toBe(0);

    // Its bar's arrow keys go through all tabs, from the first to the last.
    await tabs.first().focus();
    await page.keyboard.press('ArrowUp');
    await expect(tab).toBeFocused();
    await expect.poll(height).toBeGreaterThan(20);
    await page.keyboard.press('Enter');
    await expect(center(page)).toBeVisible();
  });
});

test.describe('The list', () => {
  test('has the newest first, grouped by day', async () => {
    const now = new Date();
    const old = await push('of last year');
    const days = await push('of five days ago');
    const yesterday = await push('of yesterday');
    await push('of now');
    await push('of now too');
    backdate(lab, {
      [old]: new Date(Date.UTC(now.getUTCFullYear() - 1, 2, 14, 12)),
      [days]: at(now, -5, 16, 40),
      [yesterday]: at(now, -1, 18, 4)
    });
    await reload();

    const label = new Intl.DateTimeFormat('en-US', {
      day: 'numeric',
      month: 'long',
      ...(at(now, -5, 0, 0).getUTCFullYear() === now.getUTCFullYear()
        ? { weekday: 'long' }
        : { year: 'numeric' }),
      timeZone: 'UTC'
    }).format(at(now, -5, 0, 0));
    const texts = center(page).locator(
      '.jp-NotifyList-day, .jp-NotifyRow-summary'
    );
    await expect(texts).toHaveCount(9);
    const shown = await texts.evaluateAll(nodes =>
      nodes
        .map(node => ({
          top: node.getBoundingClientRect().top,
          text: node.textContent
        }))
        .sort((a, b) => a.top - b.top)
        .map(({ text }) => text)
    );
    expect(shown).toEqual([
      'Today',
      'of now too',
      'of now',
      'Yesterday',
      'of yesterday',
      label,
      'of five days ago',
      `March 14, ${now.getUTCFullYear() - 1}`,
      'of last year'
    ]);
    await expect(
      rows(page, 'of yesterday').locator('.jp-NotifyRow-when')
    ).toHaveText('6:04 PM');
  });

  for (const [type, name] of [
    ['error', 'Error'],
    ['warning', 'Warning'],
    ['success', 'Success'],
    ['info', 'Information'],
    ['in-progress', 'In progress'],
    ['default', 'Message']
  ]) {
    test(`shows type, summary, source and age of type ${type}`, async () => {
      const id = await push(`The ${type} one`, { type, source: 'batch queue' });
      backdate(lab, { [id]: new Date(Date.now() - 12.5 * 60_000) });
      // It looks at the clock when it is opened, and then once a minute.
      await closeCenter(page);
      await openCenter(page);
      await reload();
      const row = rows(page, `The ${type} one`);
      await expect(row.locator(`.jp-NotifyIcon-${type}`)).toBeVisible();
      await expect(row.locator('.jp-NotifyRow-source')).toHaveText(
        'batch queue'
      );
      await expect(row.locator('.jp-NotifyRow-when')).toHaveText('12 min');
      await expect(row).toHaveAccessibleName(
        `Unread, ${name}: The ${type} one`
      );
      await expect(row).toHaveAccessibleDescription(/^batch queue/);
    });
  }

  test('tells when a message expires', async () => {
    await push('a message', { ttl: 3 * 24 * 3600 });
    await expect(rows(page, 'a message')).toContainText('expires in 3 days');
  });

  test('lets an expired and a revoked message go', async () => {
    await push('stays');
    const revoked = await push('revoked');
    await push('expired', { key: 'soon', ttl: 3600 });
    await expect(rows(page)).toHaveCount(3);
    // Only once it was seen: a second may be over before it is drawn.
    await push('expired', { key: 'soon', ttl: 1 });
    await lab.revoke(revoked);
    await expect(rows(page, 'revoked')).toHaveCount(0);
    await expect(rows(page, 'expired')).toHaveCount(0);
    await expect(rows(page)).toHaveText([/stays/]);
    await expect(badge(page)).toHaveText('1');
  });
});

test.describe('An opened message', () => {
  test('shows its Markdown body in place, with table and code', async () => {
    await push('a message with a body', {
      body: [
        '## Heading',
        '',
        'You use **460 GiB**.',
        '',
        '| folder | size |',
        '| --- | ---: |',
        '| `~/runs` | 310 GiB |',
        '',
        '```python',
        'for run in runs:',
        '    run.archive()',
        '```',
        '',
        '- one',
        '- two',
        '',
        '[the handbook](https://example.org/handbook)'
      ].join('\n')
    });
    await push('the one above');
    const row = rows(page, 'a message with a body');
    await expect(row.locator('.jp-NotifyBody')).toHaveCount(0);
    await open(row);
    const body = row.locator('.jp-NotifyBody');
    await expect(body.getByRole('heading', { name: 'Heading' })).toBeVisible();
    await expect(body.locator('strong')).toHaveText('460 GiB');
    await expect(body.locator('table td')).toHaveText(['~/runs', '310 GiB']);
    await expect(body.locator('pre')).toHaveText(
      'for run in runs:\n    run.archive()'
    );
    await expect(body.locator('li')).toHaveText(['one', 'two']);
    const link = body.getByRole('link', { name: 'the handbook' });
    await expect(link).toHaveAttribute('href', 'https://example.org/handbook');
    await expect(link).toHaveAttribute('rel', /noopener/);
    await expect(link).toHaveAttribute('target', '_blank');

    await row.getByRole('button', { name: 'Hide details' }).click();
    await expect(body).toHaveCount(0);
  });

  test('is one at a time', async () => {
    await push('first', { body: 'body of the first' });
    await push('second', { body: 'body of the second' });
    await open(rows(page, 'first'));
    await expect(center(page).getByText('body of the first')).toBeVisible();
    await open(rows(page, 'second'));
    await expect(center(page).getByText('body of the second')).toBeVisible();
    await expect(center(page).getByText('body of the first')).toHaveCount(0);
  });

  test('is read, in the store and in the other tab', async () => {
    const id = await push('to be read');
    await expect(badge(page)).toHaveText('1');
    await expect(badge(other)).toHaveText('1');
    const inOther = rows(other, 'to be read');
    await expect(inOther).toHaveClass(/jp-mod-unread/);
    await open(rows(page, 'to be read'));
    await expect(badge(page)).toHaveCount(0);
    await expect(badge(other)).toHaveCount(0);
    await expect(inOther).not.toHaveClass(/jp-mod-unread/);
    await expect
      .poll(() => state(id))
      .toMatchObject({ read: expect.any(String) });
  });

  test('has its actions, which work', async () => {
    await push('what to do?', {
      actions: [
        { label: 'About', commandId: 'help:about', displayType: 'accent' },
        { label: 'Put away', caption: 'For good' }
      ]
    });
    const row = rows(page, 'what to do?');
    await open(row);
    await expect(row.getByRole('button', { name: 'Put away' })).toHaveAttribute(
      'title',
      'For good'
    );
    await row.getByRole('button', { name: 'About' }).click();
    const dialog = page.locator('.jp-Dialog');
    await expect(dialog).toContainText('Project Jupyter Contributors');
    // Called Dismiss or Close, by the version.
    await dialog.locator('.jp-Dialog-footer button').click();
    await expect(dialog).toHaveCount(0);
    await row.getByRole('button', { name: 'Put away' }).click();
    await expect(row).toHaveCount(0);
    await expect.poll(counts).toMatchObject({ dismissed: 1 });
  });

  test('has a progress bar that moves, and stays in its place', async () => {
    const progress = (value: number) =>
      push(`epoch ${value * 50} of 50`, {
        type: 'in-progress',
        key: 'training',
        progress: value
      });
    await progress(0.1);
    await push('above');
    const row = rows(page, 'of 50');
    await open(row);
    const bar = row.getByRole('progressbar');
    await expect(bar).toHaveAttribute('aria-valuenow', '10');
    await expect(row).toContainText('10%');
    const width = () =>
      bar.evaluate(
        node =>
          node.firstElementChild!.getBoundingClientRect().width /
          node.getBoundingClientRect().width
      );
    await expect.poll(width).toBeCloseTo(0.1);
    await progress(0.6);
    await expect(bar).toHaveAttribute('aria-valuenow', '60');
    await expect.poll(width).toBeCloseTo(0.6);
    await expect(row).toContainText('epoch 30 of 50');
    await expect(row).toHaveClass(/jp-mod-open/);
    await expect(rows(page)).toHaveText([/above/, /of 50/]);
    await push('done', { type: 'success', key: 'training' });
    await expect(rows(page)).toHaveText([/done/, /above/]);
    await expect(center(page).getByRole('progressbar')).toHaveCount(0);
  });

  test('opens from the toast that was cut, even if it is older than what is loaded', async () => {
    const text = `The whole story: ${'and so on, '.repeat(40)}the end.`;
    await lab.push({ message: text, autoClose: false });
    await expect(toasts(page, 'The whole story')).toBeVisible();
    await expect(toasts(page)).not.toContainText('the end.');
    await pushMany(120, index => `message ${index}`);
    await closeCenter(page);
    await reloadPage();
    await untilLauncher(page);
    const toast = toasts(page, 'The whole story');
    await toast.getByRole('button', { name: 'Show more' }).click();
    const row = rows(page, 'The whole story');
    await expect(row).toBeInViewport();
    await expect(row).toHaveClass(/jp-mod-open/);
    await expect(row).toContainText('the end.');
    await expect(row).toBeFocused();
    await expect(toast).toHaveCount(0);
    await expect(row).not.toHaveClass(/jp-mod-unread/);
  });
});

test.describe('The filters', () => {
  test('tell inbox, unread and dismissed apart', async () => {
    const read = await push('is read');
    const dismissed = await push('is dismissed');
    await push('is unread');
    await lab.change(read, { read: true });
    await lab.change(dismissed, { dismissed: true });
    await expect(rows(page)).toHaveText([/is unread/, /is read/]);
    await view('Unread');
    await expect(rows(page)).toHaveText([/is unread/]);
    await view('Dismissed');
    await expect(rows(page)).toHaveText([/is dismissed/]);
    await expect(
      rows(page).getByRole('button', { name: 'Move back to the inbox' })
    ).toHaveCount(1);
    await rows(page).hover();
    await rows(page)
      .getByRole('button', { name: 'Move back to the inbox' })
      .click();
    await expect(rows(page)).toHaveCount(0);
    await view('Inbox');
    await expect(rows(page)).toHaveCount(3);
  });

  test('keep what one reads in the unread list until it is left', async () => {
    await push('one');
    await push('two');
    await view('Unread');
    await open(rows(page, 'one'));
    await expect(badge(page)).toHaveText('1');
    await expect(rows(page)).toHaveText([/two/, /one/]);
    await view('Inbox');
    await view('Unread');
    await expect(rows(page)).toHaveText([/two/]);
  });

  test('find by type, sender and words, also of the body', async () => {
    await push('Disk full', { type: 'error', source: 'quota' });
    await push('Disk nearly full', { type: 'warning', source: 'quota' });
    await push('Pipeline failed', {
      type: 'error',
      source: 'airflow',
      body: 'The *table* was not found.'
    });
    await expect(rows(page)).toHaveCount(3);
    const results: [string, RegExp[]][] = [
      ['type:error', [/Pipeline failed/, /Disk full/]],
      ['from:quota', [/Disk nearly full/, /Disk full/]],
      ['type:error from:quota', [/Disk full/]],
      ['type:error,warning disk', [/Disk nearly full/, /Disk full/]],
      ['DISK', [/Disk nearly full/, /Disk full/]],
      ['"nearly full"', [/Disk nearly full/]],
      ['was not found', [/Pipeline failed/]],
      ['%', []],
      ['', [/Pipeline failed/, /Disk nearly full/, /Disk full/]]
    ];
    for (const [search, expected] of results) {
      await searchField().fill(search);
      await expect(rows(page), search).toHaveText(expected);
    }
  });

  test('have a menu of types that says the same as the search field', async () => {
    await push('an error', { type: 'error' });
    await push('a warning', { type: 'warning' });
    await push('a success', { type: 'success' });
    await center(page).getByRole('button', { name: 'Filter by type' }).click();
    await center(page).getByRole('checkbox', { name: 'Errors' }).check();
    await center(page).getByRole('checkbox', { name: 'Warnings' }).check();
    await expect(searchField()).toHaveValue('type:error type:warning');
    await expect(rows(page)).toHaveText([/a warning/, /an error/]);
    await center(page).getByRole('button', { name: 'All types' }).click();
    await expect(rows(page)).toHaveCount(3);
    await expect(searchField()).toHaveValue('');
  });

  test('show what comes in only where it belongs', async () => {
    await push('an error', { type: 'error' });
    await searchField().fill('type:error');
    await expect(rows(page)).toHaveCount(1);
    await push('a success', { type: 'success' });
    await push('another error', { type: 'error' });
    await expect(rows(page)).toHaveText([/another error/, /an error/]);
    await searchField().fill('');
    await expect(rows(page)).toHaveCount(3);
  });
});

test.describe('Read, unread and dismiss', () => {
  test('one message, and undo', async () => {
    await push('first');
    const id = await push('second');
    await press(rows(page, 'second'), 'Mark as read');
    await expect(badge(page)).toHaveText('1');
    await expect
      .poll(() => state(id))
      .toMatchObject({ read: expect.any(String) });
    await undo('Marked as read: “second”');
    await expect(badge(page)).toHaveText('2');

    await press(rows(page, 'second'), 'Mark as read');
    await press(rows(page, 'second'), 'Mark as unread');
    await expect(badge(page)).toHaveText('2');
    await undo('Marked as unread: “second”');
    await expect(badge(page)).toHaveText('1');

    await press(rows(page, 'second'), 'Dismiss');
    await expect(rows(page)).toHaveText([/first/]);
    await expect(rows(other)).toHaveText([/first/]);
    await expect.poll(counts).toMatchObject({ dismissed: 1 });
    await undo('Dismissed “second”');
    await expect(rows(page)).toHaveText([/second/, /first/]);
    await expect(rows(other)).toHaveText([/second/, /first/]);
    await expect.poll(counts).toMatchObject({ dismissed: 0 });
  });

  test('a selection, and undo', async () => {
    for (const name of ['alpha', 'beta', 'gamma', 'delta']) {
      await push(name);
    }
    await expect(rows(page)).toHaveCount(4);
    await check('alpha');
    await check('gamma');
    const bar = center(page).getByRole('toolbar');
    await expect(bar).toContainText('2 selected');
    await bar
      .getByRole('button', { name: 'Mark the selected as read' })
      .click();
    await expect(badge(page)).toHaveText('2');
    await expect(rows(page, 'alpha')).not.toHaveClass(/jp-mod-unread/);
    await expect(rows(page, 'beta')).toHaveClass(/jp-mod-unread/);
    await undo('Marked 2 as read');
    await expect(badge(page)).toHaveText('4');

    await bar.getByRole('button', { name: 'Dismiss the selected' }).click();
    await expect(rows(page)).toHaveText([/delta/, /beta/]);
    await expect(bar).toHaveCount(0);
    await undo('Dismissed 2 notifications');
    await expect(rows(page)).toHaveCount(4);

    // With the Shift key from one to another.
    await check('delta');
    await rows(page, 'alpha')
      .locator('.jp-NotifyRow-summary')
      .click({ modifiers: ['Shift'] });
    await expect(bar).toContainText('4 selected');
    await bar.getByRole('button', { name: 'Clear' }).click();
    await expect(bar).toHaveCount(0);
  });

  test('all messages, those not loaded too, and undo', async () => {
    await pushMany(130, index => `message ${index}`);
    await expect(badge(page)).toHaveText('99+');
    await center(page)
      .getByRole('button', { name: 'Mark all as read' })
      .click();
    await expect(badge(page)).toHaveCount(0);
    await expect(badge(other)).toHaveCount(0);
    await undo('Marked 130 as read');
    await expect(center(page).getByText('130 unread')).toBeVisible();

    await center(page).getByRole('button', { name: 'Dismiss all' }).click();
    await expect(rows(page)).toHaveCount(0);
    await expect(center(page)).toContainText('All quiet');
    await expect.poll(counts).toMatchObject({
      inbox: 0,
      dismissed: 130
    });
    await undo('Dismissed 130 notifications');
    await expect(rows(page, 'message 129')).toBeVisible();
    await expect.poll(counts).toMatchObject({
      inbox: 130,
      unread: 130,
      dismissed: 0
    });
  });

  test('all messages, and says that another database knows nothing to undo', async () => {
    await push('one');
    await push('two');
    await center(page).getByRole('button', { name: 'Dismiss all' }).click();
    const bar = center(page).locator('.jp-NotifyUndo');
    await expect(bar).toContainText('Dismissed 2 notifications');
    write(lab, [['UPDATE state SET epoch = ?', 'another']]);
    await bar.getByRole('button', { name: 'Undo' }).click();
    await expect(center(page).locator('.jp-NotifyNotice')).toContainText(
      'This can no longer be undone: the list was loaded anew meanwhile.'
    );
    await expect.poll(counts).toMatchObject({ inbox: 0, dismissed: 2 });
  });

  test('all messages, by the commands of the palette', async () => {
    await push('one');
    await push('two');
    await expect(badge(other)).toHaveText('2');
    for (const [words, id, done] of [
      [
        'mark all notif',
        'jupyterlab-notify:mark-all-read',
        () => expect(badge(other)).toHaveCount(0)
      ],
      [
        'dismiss all notif',
        'jupyterlab-notify:dismiss-all',
        () => expect(rows(other)).toHaveCount(0)
      ]
    ] as const) {
      await expect(rows(other)).toHaveCount(2);
      await runCommand(page, 'apputils:activate-command-palette');
      await runFromPalette(page, words, id);
      await done();
    }
    await expect.poll(counts).toEqual({ inbox: 0, unread: 0, dismissed: 2 });
  });

  test('leave what cannot be dismissed where it is', async () => {
    await push('stays', { dismissable: false });
    await push('goes');
    // What comes in on top would move the row away from under the pointer.
    await expect(rows(page)).toHaveCount(2);
    const row = rows(page, 'stays');
    await row.hover();
    await expect(
      row.getByRole('button', { name: 'Mark as read' })
    ).toBeVisible();
    await expect(row.getByRole('button', { name: 'Dismiss' })).toHaveCount(0);
    await center(page).getByRole('button', { name: 'Dismiss all' }).click();
    await expect(rows(page)).toHaveText([/stays/]);
  });
});

test.describe('A long list', () => {
  test('keeps its place when a message comes in, and offers it', async () => {
    await pushMany(80, index => `message ${index}.`);
    await expect(rows(page, 'message 79.')).toBeVisible();
    const list = center(page).getByRole('feed');
    await list.evaluate(node => node.scrollTo(0, 900));
    const first = () =>
      list.evaluate(async node => {
        // What was brought into the page by then is measured.
        for (let frames = 0; frames < 2; frames++) {
          await new Promise(resolve => requestAnimationFrame(resolve));
        }
        const top = node.getBoundingClientRect().top;
        const row = [...node.querySelectorAll('.jp-NotifyRow')]
          .map(row => ({
            text: row.querySelector('.jp-NotifyRow-summary')!.textContent,
            top: row.getBoundingClientRect().top - top
          }))
          .filter(row => row.top >= 0)
          .sort((a, b) => a.top - b.top)[0];
        return `${row.text} at ${Math.round(row.top)}`;
      });
    const pill = center(page).locator('.jp-NotifyList-news');
    await expect(pill).toHaveCount(0);
    // What was just brought into the page is measured first.
    let before = '';
    await expect
      .poll(async () => {
        const last = before;
        before = await first();
        return before === last;
      })
      .toBe(true);
    await push('something new');
    await expect(pill).toHaveText('1 new');
    // The row that came is measured a moment after it is in the page.
    await expect.poll(first).toBe(before);
    await push('something newer');
    await expect(pill).toHaveText('2 new');
    await expect.poll(first).toBe(before);
    await pill.click();
    await expect(rows(page, 'something newer')).toBeInViewport();
    await expect(pill).toHaveCount(0);
  });

  test('shows older messages once they can be fetched again', async () => {
    await pushMany(60, index => `message ${index}.`);
    await expect(rows(page, 'message 59.')).toBeVisible();
    await page.route('**/jupyterlab-notify/notifications?*', route =>
      route.abort()
    );
    await reload();
    await expect(center(page).getByRole('alert')).toContainText(
      'The list could not be fetched'
    );
    await page.unrouteAll();
    await center(page).getByRole('button', { name: 'Retry' }).click();
    await expect(center(page).getByRole('alert')).toHaveCount(0);
    await page.route('**/jupyterlab-notify/notifications?*', route =>
      route.abort()
    );
    const list = center(page).getByRole('feed');
    await list.evaluate(node => node.scrollTo(0, node.scrollHeight));
    await expect(list).toContainText(
      'Older notifications could not be fetched'
    );
    await page.unrouteAll();
    await list.getByRole('button', { name: 'Retry' }).click();
    await expect(list).not.toContainText('could not be fetched');
    await list.evaluate(node => node.scrollTo(0, node.scrollHeight));
    await expect(rows(page, 'message 0.')).toBeVisible();
  });
});

test.describe('The center says', () => {
  test('that there is nothing, or nothing that matches', async () => {
    await expect(center(page)).toContainText('All quiet');
    await view('Unread');
    await expect(center(page)).toContainText('All read');
    await view('Dismissed');
    await expect(center(page)).toContainText('Nothing dismissed');
    await view('Inbox');
    await push('a message');
    await searchField().fill('no such thing');
    await expect(center(page)).toContainText('Nothing matches');
    await center(page).getByRole('button', { name: 'Clear filter' }).click();
    await expect(rows(page, 'a message')).toBeVisible();
    await expect(searchField()).toHaveValue('');
  });

  test('that it could not be loaded, and opens what was asked for once it is', async ({
    browser
  }) => {
    // One in which it was not open: JupyterLab would open it again.
    const tab = await lab.open(browser, { path: 'lab/workspaces/late' });
    await tab.route('**/jupyterlab_notify/static/*.js*', route =>
      route.abort()
    );
    await lab.push({
      message: 'a message',
      body: 'its body',
      autoClose: false
    });
    await toasts(tab, 'a message')
      .getByRole('button', { name: 'Show more' })
      .click();
    await expect(center(tab).getByRole('alert')).toContainText(
      'The notification center could not be loaded.'
    );
    await tab.unrouteAll();
    await center(tab).getByRole('button', { name: 'Retry' }).click();
    const row = rows(tab, 'a message');
    await expect(row.locator('.jp-NotifyBody')).toHaveText('its body');
    // Its styles came with it.
    await expect(row.locator('.jp-NotifyRow-head')).toHaveCSS(
      'display',
      'grid'
    );
    await expect(row.locator('.jp-NotifyBody')).toHaveCSS(
      'padding',
      '9px 11px'
    );
    await tab.context().close();
  });

  test('that the list could not be fetched, and tries again', async () => {
    await page.route('**/jupyterlab-notify/notifications?*', route =>
      route.fulfill({
        status: 503,
        json: { success: false, message: 'The database is busy.' }
      })
    );
    await view('Dismissed');
    await expect(center(page)).toContainText(
      'The notifications could not be fetched'
    );
    await expect(center(page)).toContainText('The database is busy.');
    await page.unrouteAll();
    await center(page).getByRole('button', { name: 'Retry' }).click();
    await expect(center(page)).toContainText('Nothing dismissed');
  });

  test('that a body could not be fetched, and tries again', async () => {
    const id = await push('a message', { body: 'its body' });
    // It is asked for once more when it is marked as read.
    await lab.change(id, { read: true });
    await expect(rows(page, 'a message')).not.toHaveClass(/jp-mod-unread/);
    await page.route('**/jupyterlab-notify/notifications/*', route =>
      route.request().method() === 'GET' ? route.abort() : route.continue()
    );
    const row = rows(page, 'a message');
    await open(row);
    await expect(row.getByRole('alert')).toContainText(
      'The text could not be fetched'
    );
    await page.unrouteAll();
    await row.getByRole('button', { name: 'Retry' }).click();
    await expect(row.locator('.jp-NotifyBody')).toHaveText('its body');
  });

  test('that a change was refused, and shows the row as it is', async () => {
    await push('a message');
    await page.route('**/jupyterlab-notify/notifications/*', route =>
      route.fulfill({
        status: 500,
        json: { success: false, message: 'The disk is full.' }
      })
    );
    await press(rows(page, 'a message'), 'Dismiss');
    await expect(center(page).getByRole('alert')).toContainText(
      'The disk is full.'
    );
    await expect(rows(page, 'a message')).toHaveClass(/jp-mod-unread/);
    await expect(badge(page)).toHaveText('1');
    await page.unrouteAll();
    await center(page)
      .getByRole('button', { name: 'Close this message' })
      .click();
    await expect(center(page).getByRole('alert')).toHaveCount(0);
  });

  test('that it is not connected, and that no more once it is', async () => {
    await push('known before', { body: 'its body' });
    const row = rows(page, 'known before');
    await expect(row).toBeVisible();
    proxy.cut();
    const notice = center(page).getByText('Reconnecting');
    await expect(notice).toBeVisible();
    await expect(row).toBeVisible();
    await open(row);
    await expect(row.getByRole('alert')).toContainText(
      'The text could not be fetched'
    );
    await expect(row).toHaveClass(/jp-mod-unread/);
    // What one did not ask for is not complained of.
    await expect(center(page).getByRole('alert')).toHaveCount(1);
    await page.keyboard.press('Delete');
    const complaint = center(page).locator('.jp-NotifyNotice.jp-mod-error');
    await expect(complaint).toHaveText(
      'The server cannot be reached. Try again in a moment.'
    );
    await push('sent meanwhile');
    proxy.restore();
    await expect(rows(page, 'sent meanwhile')).toBeVisible();
    await expect(notice).toHaveCount(0);
    await expect(complaint).toHaveCount(0);
    // Nobody presses Retry, and it is read as if the server had been there.
    await expect(row.locator('.jp-NotifyBody')).toHaveText('its body');
    await expect(row).not.toHaveClass(/jp-mod-unread/);
    await expect.poll(counts).toMatchObject({ unread: 1 });
  });
});

test.describe('Nothing overflows the panel:', () => {
  const word = 'x'.repeat(4000);
  const text = 'A sentence of some words. '.repeat(160).slice(0, 4000);
  const messages: Record<string, IPayload> = {
    'a message of 4,000 characters': { message: text },
    'a word of 4,000 characters': { message: word },
    'a word of 4,000 characters in Markdown': {
      message: `**${word.slice(4)}**`,
      markdown: true
    },
    'long source, buttons, captions': {
      message: 'x',
      source: 'w'.repeat(80),
      actions: Array.from({ length: 5 }, (_, index) => ({
        label: 'm'.repeat(80),
        displayType: ['default', 'accent', 'warn', 'link', 'default'][index],
        ...(index % 2 ? { url: 'https://example.org/' } : {})
      }))
    },
    'a body of wide things': {
      message: 'x',
      body: [
        word,
        '',
        `| ${'column | '.repeat(30)}`,
        `| ${'--- | '.repeat(30)}`,
        `| ${'value | '.repeat(30)}`,
        '',
        '```',
        word,
        '```',
        '',
        `> > > > ${word}`,
        '',
        `\`${word}\``,
        '',
        `# ${word}`,
        '',
        `[${word}](https://example.org/${word.slice(0, 500)})`
      ].join('\n')
    }
  };

  for (const [name, payload] of Object.entries(messages)) {
    test(name, async () => {
      await push(payload.message, payload);
      await expect(rows(page)).toHaveCount(1);
      const height = async () => (await rows(page).boundingBox())!.height;
      await fits();
      await expect.poll(height).toBeLessThan(160);
      await open(rows(page));
      if (payload.body) {
        await expect(rows(page).locator('.jp-NotifyBody table')).toBeVisible();
      }
      await fits();
      if (payload.message.length > 100) {
        await expect.poll(height).toBeGreaterThan(400);
      }
    });
  }

  /** Nothing reaches over the panel's edge, and nothing but a table or code scrolls sideways. */
  async function fits(): Promise<void> {
    const wide = () =>
      center(page).evaluate(node => {
        const edge = node.getBoundingClientRect();
        return [node, ...node.querySelectorAll<HTMLElement>('*')]
          .filter(one => {
            if (one.closest('.jp-NotifyHidden')) {
              return false;
            }
            const scrolling = one.closest('pre, .jp-NotifyMarkdown-scroll');
            const { left, right, width } = one.getBoundingClientRect();
            if (scrolling && scrolling !== one) {
              return false;
            }
            return (
              (width > 0 && (right > edge.right + 1 || left < edge.left - 1)) ||
              (!scrolling &&
                one.clientWidth > 0 &&
                one.scrollWidth > one.clientWidth + 1 &&
                getComputedStyle(one).overflowX !== 'hidden') ||
              (one.matches('.jp-NotifyList') &&
                one.scrollWidth > one.clientWidth)
            );
          })
          .map(one => `${one.tagName}.${one.className}`);
      });
    await expect.poll(wide).toEqual([]);
  }
});

test.describe('The keyboard', () => {
  test('goes through the list, opens and closes', async () => {
    for (const name of ['alpha', 'beta', 'gamma']) {
      await push(name, { body: `body of ${name}` });
    }
    await expect(rows(page)).toHaveCount(3);
    await searchField().focus();
    await page.keyboard.press('ArrowDown');
    await expect(rows(page, 'gamma')).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await expect(rows(page, 'beta')).toBeFocused();
    await page.keyboard.press('End');
    await expect(rows(page, 'alpha')).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await expect(rows(page, 'alpha')).toBeFocused();
    await page.keyboard.press('Home');
    await expect(rows(page, 'gamma')).toBeFocused();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await expect(rows(page, 'beta')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(center(page).getByText('body of beta')).toBeVisible();
    await expect(badge(page)).toHaveText('2');
    await page.keyboard.press('Escape');
    await expect(center(page).getByText('body of beta')).toHaveCount(0);
    await expect(rows(page, 'beta')).toBeFocused();
    await page.keyboard.press('Space');
    await expect(center(page).getByText('body of beta')).toBeVisible();
    await page.keyboard.press('/');
    await expect(searchField()).toBeFocused();
  });

  test('dismisses, and the focus goes on to the next row', async () => {
    for (const name of ['alpha', 'beta', 'gamma', 'delta']) {
      await push(name);
    }
    await expect(rows(page)).toHaveCount(4);
    await rows(page, 'gamma').focus();
    await page.keyboard.press('e');
    await expect(rows(page)).toHaveText([/delta/, /beta/, /alpha/]);
    await expect(rows(page, 'beta')).toBeFocused();
    await page.keyboard.press('Delete');
    await expect(rows(page)).toHaveText([/delta/, /alpha/]);
    await expect(rows(page, 'alpha')).toBeFocused();
    await page.keyboard.press('e');
    await expect(rows(page, 'delta')).toBeFocused();
    await page.keyboard.press('e');
    await expect(rows(page)).toHaveCount(0);
    // The last one was undone by the keyboard as well.
    await center(page).getByRole('button', { name: 'Undo' }).focus();
    await page.keyboard.press('Enter');
    await expect(rows(page, 'delta')).toBeFocused();
    await page.keyboard.press('e');
    await expect(rows(page)).toHaveCount(0);
    await searchField().focus();
    await expect.poll(counts).toMatchObject({ inbox: 0 });
  });

  test('undoes with Ctrl+Z', async () => {
    await push('alpha');
    await push('beta');
    await expect(rows(page)).toHaveCount(2);
    await rows(page, 'alpha').focus();
    await page.keyboard.press('e');
    await expect(rows(page)).toHaveText([/beta/]);
    await expect(center(page).locator('.jp-NotifyUndo')).toBeVisible();
    await expect(rows(page, 'beta')).toBeFocused();
    await page.keyboard.press('Control+z');
    await expect(rows(page)).toHaveText([/beta/, /alpha/]);
    await expect(rows(page, 'alpha')).toBeFocused();
  });

  test('undoes with Ctrl+Z at once, also what the server has yet to answer', async () => {
    await push('alpha');
    await push('beta');
    await expect(rows(page)).toHaveCount(2);
    let answer: () => void = () => undefined;
    const held = new Promise<void>(resolve => (answer = resolve));
    await page.route('**/jupyterlab-notify/notifications/*', async route => {
      await held;
      await route.continue();
    });
    await rows(page, 'alpha').focus();
    await page.keyboard.press('e');
    await page.keyboard.press('Control+z');
    await expect(rows(page)).toHaveText([/beta/]);
    answer();
    await expect(rows(page)).toHaveText([/beta/, /alpha/]);
    await expect(rows(page, 'alpha')).toBeFocused();
    await expect.poll(counts).toMatchObject({ inbox: 2, dismissed: 0 });
  });

  test('undoes with Ctrl+Z what changed meanwhile, and says what cannot be undone', async () => {
    const job = { type: 'in-progress', key: 'job' };
    const id = await push('step', { ...job, progress: 0.1 });
    await rows(page, 'step').focus();
    await page.keyboard.press('e');
    const bar = center(page).locator('.jp-NotifyUndo');
    await expect(bar).toContainText('Dismissed “step”');
    await push('step', { ...job, progress: 0.2 });
    await page.keyboard.press('Control+z');
    await expect(rows(page)).toHaveText([/step/]);

    await rows(page, 'step').focus();
    await page.keyboard.press('e');
    await expect(bar).toContainText('Dismissed “step”');
    await lab.change(id, { dismissed: false });
    await expect(rows(page)).toHaveText([/step/]);
    await rows(page, 'step').focus();
    await page.keyboard.press('Control+z');
    await expect(center(page).locator('.jp-NotifyNotice')).toContainText(
      'Nothing could be undone'
    );
  });

  test('selects, marks read and unread', async () => {
    for (const name of ['alpha', 'beta', 'gamma', 'delta']) {
      await push(name);
    }
    await rows(page, 'delta').focus();
    await page.keyboard.press('r');
    await expect(badge(page)).toHaveText('3');
    await page.keyboard.press('u');
    await expect(badge(page)).toHaveText('4');
    await page.keyboard.press('x');
    const bar = center(page).getByRole('toolbar');
    await expect(bar).toContainText('1 selected');
    await page.keyboard.press('Shift+ArrowDown');
    await expect(bar).toContainText('2 selected');
    await page.keyboard.press('Control+a');
    await expect(bar).toContainText('4 selected');
    await page.keyboard.press('Escape');
    await expect(bar).toHaveCount(0);
    await expect(rows(page, 'gamma')).toBeFocused();
  });

  test('reaches every control by Tab, and only one row', async () => {
    await push('alpha', { actions: [{ label: 'Press me' }] });
    await push('beta');
    await expect(rows(page)).toHaveCount(2);
    const opened = rows(page, 'alpha');
    await open(opened);
    await expect(
      opened.getByRole('button', { name: 'Press me' })
    ).toBeVisible();
    await expect(badge(page)).toHaveText('1');
    await center(page)
      .getByRole('button', { name: 'Mark all as read' })
      .focus();
    const names: string[] = [];
    for (let step = 0; step < 20; step++) {
      const name = await page.evaluate(() => {
        const node = document.activeElement as HTMLElement;
        return node.closest('#jp-notify-center')
          ? (node.getAttribute('aria-label') ??
              node.dataset.id ??
              node.textContent ??
              '')
          : null;
      });
      if (name === null) {
        break;
      }
      // What an earlier test did may still be undone.
      if (name !== 'Undo') {
        names.push(name);
      }
      await page.keyboard.press('Tab');
    }
    const [beta, alpha] = await lab.list();
    expect(beta.message).toBe('beta');
    expect(names).toEqual([
      'Mark all as read',
      'Dismiss all',
      'More',
      'Close',
      'Inbox',
      'Search notifications',
      'Filter by type',
      alpha.id,
      'Select',
      'Mark as unread',
      'Dismiss',
      'Hide details',
      'Press me'
    ]);
  });

  test('changes the view with the arrows', async () => {
    await center(page).getByRole('radio', { name: 'Inbox' }).focus();
    await page.keyboard.press('ArrowRight');
    await expect(
      center(page).getByRole('radio', { name: 'Unread' })
    ).toBeFocused();
    await expect(
      center(page).getByRole('radio', { name: 'Unread' })
    ).toBeChecked();
    await page.keyboard.press('ArrowLeft');
    await expect(
      center(page).getByRole('radio', { name: 'Inbox' })
    ).toBeChecked();
  });
});

test.describe('A screen reader', () => {
  test('hears new messages', async () => {
    const log = center(page).getByRole('log');
    await expect(log).toHaveAttribute('aria-live', 'polite');
    await push('The job has ended');
    await expect(log).toHaveText('New notification: The job has ended');
  });

  test('hears what was done', async () => {
    await push('a message');
    await press(rows(page, 'a message'), 'Dismiss');
    await expect(
      center(page)
        .getByRole('status')
        .filter({ hasText: 'Dismissed “a message”' })
    ).toBeVisible();
  });

  test('is told where in the feed it is', async () => {
    await pushMany(70, index => `message ${index}.`);
    const row = rows(page, 'message 60.');
    await expect(row).toHaveAttribute('aria-posinset', '10');
    await expect(row).toHaveAttribute('aria-setsize', '70');
    await expect(center(page).getByRole('feed')).toHaveAccessibleName(
      'Notifications'
    );
  });
});

test('The center and the bell stay in a window that is too narrow for both sides', async ({
  browser
}) => {
  const context = await browser.newContext({
    viewport: { width: 480, height: 700 }
  });
  const tab = await lab.open(browser, { context, path: 'lab/workspaces/slim' });
  const files = tab.locator('#filebrowser');
  await expect(files).toBeVisible();
  await openCenter(tab);
  await expect(files).toBeHidden();
  for (const where of [
    bell(tab),
    center(tab).getByRole('button', { name: 'Close' })
  ]) {
    await expect(where).toBeInViewport({ ratio: 1 });
  }
  await closeCenter(tab);
  await context.close();
});

test('The panel is there again after a reload, as wide as it was, also if it was closed', async () => {
  await push('a message');
  await expect.poll(panelWidth).toBeGreaterThan(340);
  await expect.poll(savedLayout).toBe('open and wide');
  const before = await panelWidth();
  await reloadPage();
  await expect(rows(page, 'a message')).toBeVisible();
  await expect
    .poll(async () => Math.abs((await panelWidth()) - before))
    .toBeLessThan(3);

  // Made wider by hand, and closed while JupyterLab saves its layout.
  const { x } = (await center(page).boundingBox())!;
  await page.mouse.move(x - 1, 400);
  await page.mouse.down();
  await page.mouse.move(x - 81, 400);
  await page.mouse.up();
  // The 80 pixels that the edge was moved by.
  await expect.poll(panelWidth).toBeGreaterThan(before + 75);
  const wider = await panelWidth();
  await closeCenter(page);
  await expect.poll(savedLayout).toBe('closed or narrow');
  await reloadPage();
  await expect(center(page)).toBeHidden();
  await openCenter(page);
  await expect.poll(panelWidth).toBeGreaterThan(wider - 3);
  await expect.poll(panelWidth).toBeLessThan(wider + 3);
});

test('The panel has its width also where JupyterLab lost it as it restored its layout', async () => {
  await push('a message');
  await expect.poll(panelWidth).toBeGreaterThan(340);
  await expect.poll(savedLayout).toBe('open and wide');
  const before = await panelWidth();
  await page.evaluate(() => sessionStorage.setItem('lose', 'the sizes'));
  await page.addInitScript(() => {
    if (sessionStorage.getItem('lose') === null) {
      return;
    }
    const wait = setInterval(() => {
      const app = (window as any).jupyterapp;
      if (app) {
        clearInterval(wait);
        void app.restored.then(() => {
          const split = app.shell._hsplitPanel;
          const sizes = split.relativeSizes();
          split.setRelativeSizes([...sizes.slice(0, -1), 0]);
          sessionStorage.removeItem('lose');
        });
      }
    }, 1);
  });
  await reloadPage();
  await expect(rows(page, 'a message')).toBeVisible();
  await expect
    .poll(async () => Math.abs((await panelWidth()) - before))
    .toBeLessThan(3);
  expect(await page.evaluate(() => sessionStorage.getItem('lose'))).toBeNull();
});

for (const theme of ['light', 'dark'] as const) {
  test.describe(`In the ${theme} theme axe finds nothing wrong with`, () => {
    test.beforeAll(async () => {
      await setTheme(page, theme);
    });

    test.afterAll(async () => {
      await setTheme(page, 'light');
    });

    test('the empty center and the bell', async () => {
      await expect(center(page)).toContainText('All quiet');
      await hasNoViolations(page, '#jp-notify-center', '#jp-notify-bell');
    });

    test('many messages, some selected, and the bar that undoes', async () => {
      await pushMixed();
      await hasNoViolations(page, '#jp-notify-center', '#jp-notify-bell');
      await check('a success');
      await expect(rows(page, 'a warning').getByRole('checkbox')).toHaveCSS(
        'color-scheme',
        theme === 'dark' ? 'dark' : /^(normal|light)/
      );
      await press(rows(page, 'an info'), 'Dismiss');
      await rows(page, 'a warning').hover();
      await hasNoViolations(page, '#jp-notify-center');
      await center(page)
        .getByRole('button', { name: 'Filter by type' })
        .click();
      await hasNoViolations(page, '#jp-notify-center');
      await page.keyboard.press('Escape');
      await searchField().fill('no such thing');
      await expect(center(page)).toContainText('Nothing matches');
      await hasNoViolations(page, '#jp-notify-center');
    });

    test('an opened message', async () => {
      await pushMixed();
      const row = rows(page, 'an error');
      await open(row);
      await expect(row.locator('table')).toBeVisible();
      await hasNoViolations(page, '#jp-notify-center');
      await row.focus();
      await hasNoViolations(page, '#jp-notify-center');
    });

    test('toasts of all types', async () => {
      for (const types of [TYPES.slice(0, 3), TYPES.slice(3)]) {
        for (const type of types) {
          await lab.push({
            message: `A toast of type ${type}`,
            type,
            autoClose: false,
            ...(type === 'in-progress' ? { progress: 0.4 } : {}),
            ...(type === 'error' || type === 'info'
              ? {
                  actions: [
                    { label: 'Later' },
                    { label: 'Now', displayType: 'accent' }
                  ]
                }
              : {})
          });
          await expect(toasts(page, `type ${type}`)).toBeVisible();
        }
        await hasNoViolations(page, '.jp-toastContainer');
        await lab.dismissAll();
        await expect(toasts(page)).toHaveCount(0);
      }
    });
  });
}

test('Nothing moves by itself for who wants less motion', async () => {
  await lab.push({ message: 'at work', type: 'in-progress' });
  const bar = rows(page, 'at work').locator('.jp-NotifyProgress > span');
  const toast = toasts(page, 'at work');
  /** How long the bar's way takes, and that of a toast into the page, in s. */
  const motion = async () => [
    await bar.evaluate(node =>
      parseFloat(getComputedStyle(node).animationDuration)
    ),
    // A toast that has come has no animation any more: a copy of it begins with one.
    await toast.evaluate(node => {
      const copy = node.cloneNode(false) as HTMLElement;
      copy.removeAttribute('id');
      copy.classList.add('Toastify--animate');
      node.parentElement!.append(copy);
      const duration = parseFloat(getComputedStyle(copy).animationDuration);
      copy.remove();
      return duration;
    })
  ];
  // All tests have less motion but this one.
  await setMotion(page, true);
  try {
    // The browser works out the styles anew some time after the media was changed.
    await expect
      .poll(async () => Math.min(...(await motion())))
      .toBeGreaterThan(0.1);
  } finally {
    await setMotion(page, false);
  }
  // A toast is taken away when its animation ends: there is one.
  await expect.poll(motion).toEqual([0, 0.001]);
  await press(rows(page, 'at work'), 'Dismiss');
  await expect(toast).toHaveCount(0);
});

test('Where the system chooses the colours, what is unread and chosen can still be told', async () => {
  await push('unread');
  await page.emulateMedia({ forcedColors: 'active' });
  try {
    // What the system does to its colour is in no computed style.
    await expect(rows(page, 'unread').locator('.jp-NotifyRow-dot')).toHaveCSS(
      'forced-color-adjust',
      'none'
    );
    const views = center(page).locator('.jp-NotifyFilter-view');
    await expect(views.and(page.locator('.jp-mod-on'))).toHaveCSS(
      'border-top-width',
      '1px'
    );
    for (const view of await views
      .and(page.locator(':not(.jp-mod-on)'))
      .all()) {
      await expect(view).toHaveCSS('border-top-width', '0px');
    }
  } finally {
    await page.emulateMedia({ forcedColors: null });
  }
});

test('A tab loads less than 30 KB before anything is opened', async ({
  browser
}) => {
  const tab = await lab.open(browser, { path: 'lab/workspaces/early' });
  const urls: string[] = await tab.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => name)
      .filter(name => name.includes('/jupyterlab_notify/static/'))
  );
  expect(urls.length).toBeGreaterThan(1);
  const files = await Promise.all(
    urls.map(async url => (await tab.request.get(url)).body())
  );
  const map = await tab.request.get(`${urls[0]}.map`);
  await tab.context().close();
  test.skip(map.ok(), 'A development build is larger.');
  const packed = files.map(file => gzipSync(file, { level: 9 }).length);
  expect(packed.reduce((sum, size) => sum + size)).toBeLessThan(30_000);
});

test('says when messages are kept in memory only', async ({ browser }) => {
  const memory = new Lab({ config: 'c.NotifyApp.database = ""' });
  try {
    await memory.start();
    const tab = await memory.open(browser);
    await openCenter(tab);
    expect((await memory.push('kept in memory')).durable).toBe(false);
    await expect(rows(tab, 'kept in memory')).toBeVisible();
    await expect(
      center(tab).getByText('Messages are kept in memory only')
    ).toBeVisible();
    await tab.context().close();
  } finally {
    await memory.stop();
  }
});

const COUNT = 2000;

// The last one, for it takes long to take so many back.
test('A very long list loads to its end as one scrolls, each row once, with few of them in the page', async () => {
  test.setTimeout(600_000);
  // It would draw two thousand messages as well.
  await other.close();
  let next = 0;
  const sender = async () => {
    while (next < COUNT) {
      await push(`message ${next++}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, sender));
  const ids = await allIds();
  expect(new Set(ids).size).toBe(COUNT);
  await expect(center(page).locator(`[data-id="${ids[0]}"]`)).toBeVisible();
  const seen = await page.evaluate(
    async last => {
      const list = document.querySelector('.jp-NotifyList')!;
      const frame = () =>
        new Promise(resolve => requestAnimationFrame(resolve));
      const seen = new Set<string>();
      let most = 0;
      let twice = 0;
      const look = () => {
        const nodes = [...list.querySelectorAll<HTMLElement>('.jp-NotifyRow')];
        const ids = nodes.map(node => node.dataset.id!);
        most = Math.max(most, list.querySelectorAll('*').length);
        twice += ids.length - new Set(ids).size;
        ids.forEach(id => seen.add(id));
      };
      // Until the oldest is in sight: the test's own time limits it.
      while (!seen.has(last)) {
        list.scrollTop += list.clientHeight / 2;
        await frame();
        look();
      }
      return { ids: [...seen], most, twice };
    },
    ids[COUNT - 1]
  );
  expect(seen.twice).toBe(0);
  expect(seen.ids).toEqual(ids);
  expect(seen.most).toBeLessThan(2000);
  await center(page)
    .getByRole('feed')
    .evaluate(node => node.scrollTo(0, node.scrollHeight));
  const oldest = center(page).locator(`[data-id="${ids[COUNT - 1]}"]`);
  await expect(oldest).toBeInViewport();
  await expect(oldest).toHaveAttribute('aria-posinset', String(COUNT));
});

const TYPES = ['error', 'warning', 'success', 'info', 'in-progress', 'default'];

/** Push for the center only, and return the id. */
async function push(
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
async function pushMany(
  count: number,
  message: (index: number) => string
): Promise<void> {
  for (let index = 0; index < count; index++) {
    await push(message(index));
  }
}

async function pushMixed(): Promise<void> {
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
async function allIds(): Promise<string[]> {
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

async function counts(): Promise<unknown> {
  return (await lab.status()).counts;
}

async function state(id: string): Promise<unknown> {
  return (await lab.list()).find(row => row.id === id);
}

/** Take everything back, and the center to where it starts. */
async function empty(): Promise<void> {
  await page.unrouteAll();
  for (const where of ['inbox', 'dismissed'] as const) {
    for (;;) {
      const batch = await lab.list(where, 200);
      await Promise.all(batch.map(row => lab.revoke(row.id)));
      if (batch.length < 200) {
        break;
      }
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

/** Have the list asked for again. */
async function reload(): Promise<void> {
  for (const name of ['Unread', 'Inbox'] as const) {
    // Who goes on before that has not left the other list.
    const asked = page.waitForRequest(/jupyterlab-notify\/notifications\?/);
    await view(name);
    await asked;
  }
}

async function view(name: 'Inbox' | 'Unread' | 'Dismissed'): Promise<void> {
  const loaded = page.getByRole('radio', { name, exact: true });
  if (!(await loaded.isChecked())) {
    await loaded.click();
    await expect(loaded).toBeChecked();
  }
}

function searchField(): Locator {
  return center(page).getByRole('searchbox');
}

async function open(row: Locator): Promise<void> {
  await row
    .locator('.jp-NotifyRow-summary')
    .click({ position: { x: 4, y: 4 } });
  await expect(row).toHaveClass(/jp-mod-open/);
}

/** Press one of the buttons that a row shows when one points at it. */
async function press(row: Locator, name: string): Promise<void> {
  await row.hover();
  await row.getByRole('button', { name, exact: true }).click();
}

async function check(text: string): Promise<void> {
  const row = rows(page, text);
  await row.hover();
  await row.getByRole('checkbox', { name: 'Select' }).check();
}

/** See what was done, and take it back. */
async function undo(label: string): Promise<void> {
  const bar = center(page).locator('.jp-NotifyUndo');
  await expect(bar).toContainText(label);
  await bar.getByRole('button', { name: 'Undo' }).click();
  await expect(bar).toHaveCount(0);
}

/** How wide the panel is, in pixels. */
async function panelWidth(): Promise<number> {
  return Math.round((await center(page).boundingBox())!.width);
}

/** The panel in the layout that JupyterLab saved, which it does some time after a change. */
async function savedLayout(): Promise<string> {
  const { body } = await lab.api('GET', 'lab/api/workspaces/default');
  const layout = body.data['layout-restorer:data'];
  return layout.right.collapsed || layout.relativeSizes[2] < 0.28
    ? 'closed or narrow'
    : 'open and wide';
}

/** Load the page again. */
async function reloadPage(): Promise<void> {
  await page.reload();
  await untilReady(page);
}

/** A time of another day, in UTC. */
function at(now: Date, days: number, hour: number, minute: number): Date {
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
