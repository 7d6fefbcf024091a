/**
 * The center for the eye and for a screen reader, and its keys.
 */
import {
  counts,
  lab,
  open,
  page,
  press,
  proxy,
  push,
  pushMany,
  searchField,
  useCenter,
  view
} from './centerPage';
import { badge, center, expect, pressToast, rows, test, toasts } from './lab';

useCenter();

test.describe('The center says', () => {
  test('that there is nothing, or nothing that matches', async () => {
    await expect(center(page)).toContainText('All quiet');
    await view('Unread');
    await expect(center(page)).toContainText('All read');
    await view('Done');
    await expect(center(page)).toContainText('Nothing done yet');
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
    // A workspace in which the center was not open: JupyterLab would open it again.
    const tab = await lab.open(browser, { path: 'lab/workspaces/late' });
    await tab.route('**/jupyterlab_notify/static/*.js*', route =>
      route.abort()
    );
    await lab.push({
      message: 'a message',
      body: 'its body',
      autoClose: false
    });
    await pressToast(toasts(tab, 'a message'), 'Show more');
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
    await view('Done');
    await expect(center(page)).toContainText(
      'The notifications could not be fetched'
    );
    await expect(center(page)).toContainText('The database is busy.');
    await page.unrouteAll();
    await center(page).getByRole('button', { name: 'Retry' }).click();
    await expect(center(page)).toContainText('Nothing done yet');
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
    await page.route('**/jupyterlab-notify/notifications?*', route =>
      route.fulfill({
        status: 500,
        json: { success: false, message: 'The disk is full.' }
      })
    );
    await press(rows(page, 'a message'), 'Done');
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
    // The user is not told of a failed change that the user did not ask for.
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
    // Nobody presses Retry: the text is fetched, and the message is marked as read.
    await expect(row.locator('.jp-NotifyBody')).toHaveText('its body');
    await expect(row).not.toHaveClass(/jp-mod-unread/);
    await expect.poll(counts).toMatchObject({ unread: 1 });
  });
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
    await expect(center(page).locator('.jp-NotifyBody')).toHaveText(
      'body of beta'
    );
    await expect(badge(page)).toHaveText('2');
    await page.keyboard.press('Escape');
    await expect(center(page).locator('.jp-NotifyBody')).toHaveCount(0);
    await expect(rows(page, 'beta')).toBeFocused();
    await page.keyboard.press('Space');
    await expect(center(page).locator('.jp-NotifyBody')).toHaveText(
      'body of beta'
    );
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
    // The last change is undone by the keyboard as well.
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

  test('undoes with Ctrl+Z in the list, and not what was typed to search', async () => {
    await push('alpha one');
    await push('alpha two');
    await push('beta');
    await expect(rows(page)).toHaveCount(3);
    await searchField().click();
    await page.keyboard.type('alpha');
    await expect(rows(page)).toHaveCount(2);
    await rows(page, 'alpha two').focus();
    await page.keyboard.press('e');
    await expect(rows(page)).toHaveText([/alpha one/]);
    await expect(center(page).locator('.jp-NotifyUndo')).toBeVisible();
    await page.keyboard.press('Control+z');
    await expect(rows(page)).toHaveText([/alpha two/, /alpha one/]);
    await expect(searchField()).toHaveValue('alpha');
    await expect(rows(page, 'alpha two')).toBeFocused();
  });

  test('goes to no row behind the bar that undoes', async () => {
    await pushMany(30, index => `message ${index}.`);
    await expect(badge(page)).toHaveText('30');
    await rows(page, 'message 29.').focus();
    await page.keyboard.press('e');
    const bar = center(page).locator('.jp-NotifyUndo');
    const gap = async () => {
      const row = (await center(page)
        .locator('.jp-NotifyRow:focus')
        .boundingBox())!;
      return (await bar.boundingBox())!.y - (row.y + row.height);
    };
    await expect(bar).toBeVisible();
    for (let index = 0; index < 20; index++) {
      await page.keyboard.press('ArrowDown');
    }
    await expect(rows(page, 'message 8.')).toBeFocused();
    await expect.poll(gap).toBeGreaterThanOrEqual(0);
    await page.keyboard.press('End');
    await expect(rows(page, 'message 0.')).toBeFocused();
    await expect.poll(gap).toBeGreaterThanOrEqual(0);
    await page.keyboard.press('e');
    await expect(rows(page, 'message 1.')).toBeFocused();
    await expect.poll(gap).toBeGreaterThanOrEqual(0);
  });

  test('stays in the center when a button has nothing left to do', async () => {
    await push('alpha');
    await push('beta');
    await expect(rows(page)).toHaveCount(2);
    const unread = center(page).locator('.jp-mod-unread');
    await center(page)
      .getByRole('button', { name: 'Mark all as read' })
      .press('Enter');
    await expect(unread).toHaveCount(0);
    await expect(rows(page, 'beta')).toBeFocused();
    await page.keyboard.press('Control+z');
    await expect(unread).toHaveCount(2);

    await rows(page, 'alpha').focus();
    await page.keyboard.press('x');
    await center(page)
      .getByRole('toolbar')
      .getByRole('button', { name: 'Mark read' })
      .press('Enter');
    await expect(unread).toHaveCount(1);
    await expect(rows(page, 'alpha')).toBeFocused();
    await page.keyboard.press('Control+z');
    await expect(unread).toHaveCount(2);
  });

  test('undoes with Ctrl+Z at once, also what the server has yet to answer', async () => {
    await push('alpha');
    await push('beta');
    await expect(rows(page)).toHaveCount(2);
    let answer: () => void = () => undefined;
    const held = new Promise<void>(resolve => (answer = resolve));
    await page.route('**/jupyterlab-notify/notifications?*', async route => {
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
    await expect(bar).toContainText('Done: “step”');
    await push('step', { ...job, progress: 0.2 });
    await page.keyboard.press('Control+z');
    await expect(rows(page)).toHaveText([/step/]);

    await rows(page, 'step').focus();
    await page.keyboard.press('e');
    await expect(bar).toContainText('Done: “step”');
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
    await page.keyboard.press('Shift+End');
    await expect(bar).toContainText('4 selected');
    // Back, as in a list of files.
    await page.keyboard.press('Shift+ArrowUp');
    await page.keyboard.press('Shift+ArrowUp');
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
      // A change of an earlier test may still be undone.
      if (name !== 'Undo') {
        names.push(name);
      }
      await page.keyboard.press('Tab');
    }
    const [beta, alpha] = await lab.list();
    expect(beta.message).toBe('beta');
    expect(names).toEqual([
      'Mark all as read',
      'Mark all as done',
      'More',
      'Close',
      'Inbox',
      'Search notifications',
      'Filter by type and sender',
      alpha.id,
      'Select',
      'Mark as unread',
      'Done',
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
    await press(rows(page, 'a message'), 'Done');
    await expect(
      center(page).getByRole('status').filter({ hasText: 'Done: “a message”' })
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
