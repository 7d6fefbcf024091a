/**
 * Several selected rows, by keyboard and mouse, and the keyboard's way out of the center and into
 * it.
 */
import { hiddenHeight } from './boxes';
import {
  check,
  counts,
  holdList,
  open,
  page,
  push,
  pushMany,
  reload,
  searchField,
  undo,
  useCenter,
  view
} from './centerPage';
import {
  badge,
  center,
  closeCenter,
  expect,
  rows,
  runCommand,
  runFromPalette,
  test
} from './lab';

useCenter();

const NAMES = ['alpha', 'beta', 'gamma', 'delta'];

const bar = () => center(page).getByRole('toolbar');

/** Four messages, of which the newest three are selected. */
async function select(): Promise<void> {
  for (const name of NAMES) {
    await push(name);
  }
  await expect(rows(page)).toHaveCount(4);
  for (const name of ['delta', 'gamma', 'beta']) {
    await check(name);
  }
  await expect(bar()).toContainText('3 selected');
}

test.describe('With rows selected', () => {
  for (const key of ['e', 'Delete']) {
    test(`${key} puts all of them away, and one Undo brings all back`, async () => {
      await select();
      // Also while the keyboard is at a row that is not selected.
      await rows(page, 'alpha').focus();
      await page.keyboard.press(key);
      await expect(rows(page)).toHaveText([/alpha/]);
      await expect.poll(counts).toMatchObject({ inbox: 1 });
      await undo('Marked 3 as done');
      await expect(rows(page)).toHaveCount(4);
      await expect.poll(counts).toMatchObject({ inbox: 4 });
    });
  }

  test('older ones come when all that were loaded are put away, and the keyboard goes on', async () => {
    await pushMany(70, index => `message ${index}`);
    await expect(badge(page)).toHaveText('70');
    await reload();
    await rows(page, 'message 69').focus();
    await page.keyboard.press('Control+a');
    await expect(bar()).toContainText('50 selected');
    await page.keyboard.press('e');
    await expect(rows(page, 'message 19')).toBeFocused();
    await page.keyboard.press('Control+a');
    await expect(bar()).toContainText('20 selected');
    await page.keyboard.press('e');
    await expect(center(page)).toContainText('All quiet');
    await undo('Marked 20 as done');
    await expect(rows(page, 'message 19')).toBeVisible();
  });

  for (const how of ['a key', 'the toolbar']) {
    test(`${how} puts all away while the list is asked for, and the keyboard goes on`, async () => {
      await pushMany(70, index => `message ${index}`);
      await expect(badge(page)).toHaveText('70');
      const answer = await holdList('inbox');
      await reload();
      await rows(page, 'message 69').focus();
      await page.keyboard.press('Control+a');
      await expect(bar()).toContainText('50 selected');
      if (how === 'a key') {
        await page.keyboard.press('e');
      } else {
        await bar().getByRole('button', { name: 'Done' }).press('Enter');
      }
      await expect(rows(page)).toHaveCount(0);
      await expect(center(page)).not.toContainText('All quiet');
      await expect.poll(counts).toMatchObject({ inbox: 20 });
      answer();
      await expect(rows(page, 'message 19')).toBeFocused();
    });
  }

  test('E brings all of them back, in the list of what is done', async () => {
    await select();
    await page.keyboard.press('e');
    await expect(rows(page)).toHaveCount(1);
    await view('Done');
    await expect(rows(page)).toHaveCount(3);
    await rows(page, 'gamma').focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('e');
    await expect(rows(page)).toHaveCount(0);
    await expect.poll(counts).toMatchObject({ inbox: 4, dismissed: 0 });
    await undo('3 back in the inbox');
    await expect(rows(page)).toHaveCount(3);
  });

  test('R and U mark all of them, each with one Undo', async () => {
    await select();
    await page.keyboard.press('r');
    await expect(badge(page)).toHaveText('1');
    await undo('Marked 3 as read');
    await expect(badge(page)).toHaveText('4');
    await rows(page, 'alpha').focus();
    await page.keyboard.press('r');
    await expect(badge(page)).toHaveText('1');
    await page.keyboard.press('u');
    await expect(badge(page)).toHaveText('4');
    await undo('Marked 3 as unread');
    await expect(badge(page)).toHaveText('1');
  });

  test("the menu of one of them acts on all, and another row's on that row", async () => {
    const item = (name: string) =>
      page.locator('.lm-Menu').getByRole('menuitem', { name });
    await select();
    await rows(page, 'gamma').click({ button: 'right' });
    await item('Mark as Read').click();
    await undo('Marked 3 as read');
    await rows(page, 'gamma').click({ button: 'right' });
    await item('Snooze for an Hour').click();
    await expect(rows(page)).toHaveText([/alpha/]);
    await undo('3');
    await expect(rows(page)).toHaveCount(4);
    for (const name of ['delta', 'gamma', 'beta']) {
      await rows(page, name).getByRole('checkbox').check();
    }
    await rows(page, 'alpha').click({ button: 'right' });
    await item('Done').click();
    await expect(rows(page)).toHaveCount(3);
    await expect(bar()).toContainText('3 selected');
    await rows(page, 'gamma').click({ button: 'right' });
    await item('Done').click();
    await expect(rows(page)).toHaveCount(0);
    await undo('Marked 3 as done');
  });

  test('the keys act on them also from the toolbar, but not from the search field', async () => {
    await select();
    await searchField().focus();
    await page.keyboard.press('Delete');
    await expect(bar()).toContainText('3 selected');
    await expect.poll(counts).toMatchObject({ inbox: 4 });
    await bar().getByRole('button', { name: 'Select all' }).focus();
    await page.keyboard.press('e');
    await expect(rows(page)).toHaveText([/alpha/]);
  });

  test('the toolbar says in words what it does, and the types stay in sight', async () => {
    await select();
    await expect(bar().getByRole('button')).toHaveText([
      'Done',
      'Mark read',
      'Mark unread',
      'Snooze',
      'Select all',
      'Clear'
    ]);
    for (const name of NAMES) {
      await expect(rows(page, name).locator('.jp-NotifyIcon')).toBeVisible();
      await expect(rows(page, name).getByRole('checkbox')).toBeVisible();
    }
  });
});

test('A click with Shift selects the rows to there, and no text', async () => {
  for (const name of NAMES) {
    await push(name);
  }
  await check('delta');
  await rows(page, 'alpha').click({ modifiers: ['Shift'] });
  await expect(bar()).toContainText('4 selected');
  expect(await page.evaluate(() => String(getSelection()))).toBe('');
  await expect(rows(page, 'alpha')).toBeFocused();
  await rows(page, 'gamma').getByRole('checkbox').click();
  await rows(page, 'alpha')
    .getByRole('checkbox')
    .click({ modifiers: ['Shift'] });
  expect(await page.evaluate(() => String(getSelection()))).toBe('');
});

test('The question mark lists the keys, and the keyboard comes back', async () => {
  await push('alpha');
  await rows(page, 'alpha').focus();
  // The dialog has the focus as soon as it is visible, however busy the browser is.
  const idle = await page.evaluateHandle(() => {
    const { requestIdleCallback } = window;
    window.requestIdleCallback = () => 0;
    return requestIdleCallback;
  });
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Keys of the notification center');
  await expect(
    dialog.getByRole('row', { name: 'R Mark as read' })
  ).toBeVisible();
  await expect(
    dialog.getByRole('row', { name: 'Home End First and last notification' })
  ).toBeVisible();
  // All of them are in sight, also where their words need two lines.
  await page.setViewportSize({ width: 480, height: 800 });
  expect(await hiddenHeight(dialog)).toBe(0);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press('Escape');
  await page.evaluate(requestIdleCallback => {
    window.requestIdleCallback = requestIdleCallback;
  }, idle);
  await expect(dialog).toHaveCount(0);
  await expect(rows(page, 'alpha')).toBeFocused();
  // In a field the key is a character.
  await searchField().focus();
  await page.keyboard.press('?');
  await expect(searchField()).toHaveValue('?');
});

test('Escape closes the row, then clears the selection, then leaves the center', async () => {
  await push('alpha', { body: 'its body' });
  await push('beta');
  await open(rows(page, 'alpha'));
  await check('beta');
  await rows(page, 'alpha').focus();
  await page.keyboard.press('Escape');
  await expect(bar()).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(rows(page, 'alpha')).not.toHaveClass(/jp-mod-open/);
  await page.keyboard.press('Escape');
  // The main area has the focus again, and the center is still open.
  await expect(
    page.locator('#jp-main-dock-panel :focus, #jp-main-dock-panel:focus')
  ).not.toHaveCount(0);
  await expect(center(page)).toBeVisible();
  await searchField().focus();
  await page.keyboard.press('Escape');
  await expect(searchField()).not.toBeFocused();
});

test('Focus Newest Notification opens the center and puts the keyboard on the newest', async () => {
  await push('older');
  await push('newest', { body: 'its body' });
  await expect(rows(page)).toHaveCount(2);
  await closeCenter(page);
  await page.keyboard.press('Control+Shift+c');
  await runFromPalette(
    page,
    'focus newest notification',
    'jupyterlab-notify:focus-newest'
  );
  await expect(rows(page, 'newest')).toBeFocused();
  await expect(rows(page, 'newest')).not.toHaveClass(/jp-mod-open/);
  await expect(badge(page)).toHaveText('2');
  // From another list too.
  await view('Done');
  await runCommand(page, 'jupyterlab-notify:focus-newest');
  await expect(rows(page, 'newest')).toBeFocused();
});
