/**
 * A message of the center: what it shows when it is opened, how it is found, read and put away.
 */
import {
  check,
  counts,
  holdList,
  lab,
  open,
  other,
  page,
  press,
  push,
  pushMany,
  reloadPage,
  searchField,
  state,
  undo,
  useCenter,
  view
} from './centerPage';
import { write } from './database';
import {
  badge,
  center,
  closeCenter,
  expect,
  pressToast,
  rows,
  runCommand,
  runFromPalette,
  test,
  toasts,
  untilLauncher
} from './lab';

useCenter();

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
    await expect(center(page).locator('.jp-NotifyBody')).toHaveText(
      'body of the first'
    );
    await open(rows(page, 'second'));
    await expect(center(page).locator('.jp-NotifyBody')).toHaveText(
      'body of the second'
    );
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
    // The button's name, Dismiss or Close, depends on the version.
    await dialog.locator('.jp-Dialog-footer button').click();
    await expect(dialog).toHaveCount(0);
    await row.getByRole('button', { name: 'Put away' }).click();
    await expect
      .poll(() => lab.list('inbox', 1))
      .toMatchObject([{ closed: expect.any(String), dismissed: null }]);
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
    await lab.push({ message: text, type: 'error', autoClose: false });
    await expect(toasts(page, 'The whole story')).toBeVisible();
    await expect(toasts(page)).not.toContainText('the end.');
    await pushMany(120, index => `message ${index}`);
    await closeCenter(page);
    await reloadPage();
    await untilLauncher(page);
    const toast = toasts(page, 'The whole story');
    await pressToast(toast, 'Show more');
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
    await view('Done');
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

  test('keep in the unread list what one reads before the server has answered', async () => {
    await push('one');
    await push('two');
    await expect(rows(page)).toHaveCount(2);
    const answer = await holdList('unread');
    await view('Unread');
    await open(rows(page, 'one'));
    await expect(badge(page)).toHaveText('1');
    await expect.poll(counts).toMatchObject({ unread: 1 });
    const answered = page.waitForResponse('**/notifications?*unread*');
    answer();
    await answered;
    await expect(center(page).locator('[aria-busy="true"]')).toHaveCount(0);
    await expect(rows(page)).toHaveText([/two/, /one/]);
    await expect(rows(page, 'one')).toHaveClass(/jp-mod-open/);
  });

  test('are chosen at once: what is pressed right after is in the new list', async () => {
    await push('one');
    await push('two');
    await expect(rows(page)).toHaveCount(2);
    await page.evaluate(async () => {
      const find = (selector: string, text: string) =>
        [...document.querySelectorAll<HTMLElement>(selector)].find(node =>
          node.textContent?.includes(text)
        )!;
      find('#jp-notify-center [role="radio"]', 'Unread').click();
      // React draws in a microtask, which comes before any next click of a user.
      await Promise.resolve();
      find('#jp-notify-center .jp-NotifyRow-summary', 'one').click();
    });
    await expect(badge(page)).toHaveText('1');
    await expect(rows(page, 'one')).toHaveClass(/jp-mod-open/);
    await expect(rows(page)).toHaveText([/two/, /one/]);
  });

  test('show nothing that was asked for in a list that was left since', async () => {
    const read = await push('is read');
    await push('is unread');
    await lab.change(read, { read: true });
    await expect(rows(page)).toHaveText([/is unread/, /is read/]);
    await view('Unread');
    await expect(rows(page)).toHaveText([/is unread/]);
    const answer = await holdList('inbox');
    await page.evaluate(id => (window as any).notifyModel.open(id), read);
    await expect(rows(page)).toHaveText([/is unread/, /is read/]);
    await view('Unread');
    await expect(rows(page)).toHaveText([/is unread/]);
    const answered = page.waitForResponse('**/notifications?*inbox*');
    answer();
    await answered;
    // What the answer brings about is there once the next one is.
    await push('is newer');
    await expect(rows(page)).toHaveText([/is newer/, /is unread/]);
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
    await center(page)
      .getByRole('button', { name: 'All types and senders' })
      .click();
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

    await press(rows(page, 'second'), 'Done');
    await expect(rows(page)).toHaveText([/first/]);
    await expect(rows(other)).toHaveText([/first/]);
    await expect.poll(counts).toMatchObject({ dismissed: 1 });
    await undo('Done: “second”');
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
    await bar.getByRole('button', { name: 'Mark read' }).click();
    await expect(badge(page)).toHaveText('2');
    await expect(rows(page, 'alpha')).not.toHaveClass(/jp-mod-unread/);
    await expect(rows(page, 'beta')).toHaveClass(/jp-mod-unread/);
    await undo('Marked 2 as read');
    await expect(badge(page)).toHaveText('4');

    await bar.getByRole('button', { name: 'Done', exact: true }).click();
    await expect(rows(page)).toHaveText([/delta/, /beta/]);
    await expect(bar).toHaveCount(0);
    await undo('Marked 2 as done');
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
    // What this tab has not heard of is not marked.
    await expect(center(page).getByText('130 unread')).toBeVisible();
    await expect(badge(page)).toHaveText('99+');
    await center(page)
      .getByRole('button', { name: 'Mark all as read' })
      .click();
    await expect(badge(page)).toHaveCount(0);
    await expect(badge(other)).toHaveCount(0);
    await undo('Marked 130 as read');
    await expect(center(page).getByText('130 unread')).toBeVisible();

    await center(page)
      .getByRole('button', { name: 'Mark all as done' })
      .click();
    await expect(rows(page)).toHaveCount(0);
    await expect(center(page)).toContainText('All quiet');
    await expect.poll(counts).toMatchObject({
      inbox: 0,
      dismissed: 130
    });
    await undo('Marked 130 as done');
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
    await center(page)
      .getByRole('button', { name: 'Mark all as done' })
      .click();
    const bar = center(page).locator('.jp-NotifyUndo');
    await expect(bar).toContainText('Marked 2 as done');
    write(lab, [['UPDATE state SET epoch = ?', 'another']]);
    await bar.getByRole('button', { name: 'Undo' }).click();
    await expect(center(page).locator('.jp-NotifyNotice')).toContainText(
      'This can no longer be undone: the list was reloaded in the meantime.'
    );
    await expect.poll(counts).toMatchObject({ inbox: 0, dismissed: 2 });
  });

  test('all messages, by the commands of the palette', async () => {
    await push('one');
    await push('two');
    await expect(badge(other)).toHaveText('2');
    for (const [words, id, done] of [
      [
        'notifications as read',
        'jupyterlab-notify:mark-all-read',
        () => expect(badge(other)).toHaveCount(0)
      ],
      [
        'notifications as done',
        'jupyterlab-notify:dismiss-all',
        () => expect(rows(other)).toHaveCount(0)
      ]
    ] as const) {
      await expect(rows(other)).toHaveCount(2);
      await runCommand(page, 'apputils:activate-command-palette');
      await runFromPalette(page, words, id);
      await done();
    }
    await expect
      .poll(counts)
      .toEqual({ inbox: 0, unread: 0, dismissed: 2, snoozed: 0 });
  });

  test('leave what cannot be dismissed where it is', async () => {
    await push('stays', { dismissable: false });
    await push('goes');
    // A message that arrives on top would move the row away from under the pointer.
    await expect(rows(page)).toHaveCount(2);
    const row = rows(page, 'stays');
    await row.hover();
    await expect(
      row.getByRole('button', { name: 'Mark as read' })
    ).toBeVisible();
    await expect(row.getByRole('button', { name: 'Done' })).toHaveCount(0);
    await center(page)
      .getByRole('button', { name: 'Mark all as done' })
      .click();
    await expect(rows(page)).toHaveText([/stays/]);
  });
});
