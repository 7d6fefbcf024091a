/**
 * Snoozing: from a row's menu and by a key, out of every tab's sight, and back by the server's
 * clock: unread, on top, with a toast.
 */
import { hasNoViolations } from './axe';
import { lab, open, other, page, push, undo, useCenter } from './centerPage';
import {
  banners,
  center,
  closeCenter,
  expect,
  openCenter,
  rows,
  test,
  toasts,
  untilMenu
} from './lab';

useCenter();

const snoozedTab = () =>
  center(page).getByRole('radio', { name: 'Snoozed', exact: true });

test.afterEach(async () => {
  // No snoozed message may come back during another test.
  const { body } = await lab.api(
    'GET',
    'jupyterlab-notify/notifications?view=snoozed'
  );
  for (const { id } of body.notifications) {
    await lab.revoke(id);
  }
  await center(page).getByRole('radio', { name: 'Inbox' }).click();
});

/** Choose an entry of the menu that is open. */
async function choose(name: string | RegExp): Promise<void> {
  await page.locator('.lm-Menu-item').filter({ hasText: name }).click();
}

test('a row is snoozed from its menu, in every tab, and undone', async () => {
  await push('Later', { banner: true });
  await push('Other');
  await expect(banners(page)).toHaveCount(1);
  await expect(snoozedTab()).toHaveCount(0);
  await rows(page, 'Later').click({ button: 'right' });
  await choose('Snooze until Tomorrow, 9:00 AM');
  await expect(rows(page, 'Later')).toHaveCount(0);
  await expect(rows(other, 'Later')).toHaveCount(0);
  await expect(banners(page)).toHaveCount(0);
  await expect(rows(page, 'Other')).toHaveCount(1);

  await snoozedTab().click();
  await expect(rows(page, 'Later')).toContainText(/Comes back .*9:00 AM/);
  // Under the pointer the bar waits until all was looked at.
  await center(page).locator('.jp-NotifyUndo').hover();
  await hasNoViolations(page, '.jp-NotifyCenter');
  await undo('Snoozed until');
  await expect(rows(page, 'Later')).toHaveCount(0);
  await center(page).getByRole('radio', { name: 'Inbox' }).click();
  await expect(rows(page, 'Later')).toHaveCount(1);
  await expect(rows(other, 'Later')).toHaveCount(1);
  await expect(banners(page)).toHaveCount(1);
  await expect(snoozedTab()).toHaveCount(0);
});

test('a row is snoozed until next week: Monday, at nine', async () => {
  await push('Next week');
  await rows(page, 'Next week').click({ button: 'right' });
  await choose('Snooze until Next Week');
  await expect(rows(page, 'Next week')).toHaveCount(0);
  await expect.poll(() => lab.list('snoozed')).toHaveLength(1);
  const [{ snoozedUntil }] = await lab.list('snoozed');
  const until = new Date(String(snoozedUntil));
  // The browser's time is UTC.
  expect([
    until.getUTCDay(),
    until.getUTCHours(),
    until.getUTCMinutes()
  ]).toEqual([1, 9, 0]);
  expect(until.getTime()).toBeGreaterThan(Date.now());
  expect(until.getTime()).toBeLessThanOrEqual(Date.now() + 8 * 86_400_000);
  await snoozedTab().click();
  await expect(rows(page, 'Next week')).toContainText(/Comes back .*9:00 AM/);
  await undo('Snoozed until');
});

test('Z asks until when, and brings back', async () => {
  await push('By key');
  await rows(page, 'By key').focus();
  await page.keyboard.press('z');
  await expect(page.locator('.lm-Menu-item')).toHaveCount(3);
  await untilMenu(page);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(rows(page, 'By key')).toHaveCount(0);
  await expect.poll(() => lab.list('snoozed')).toHaveLength(1);
  const [{ snoozedUntil }] = await lab.list('snoozed');
  const ahead = Date.parse(String(snoozedUntil)) - Date.now();
  expect(ahead).toBeGreaterThan(3_500_000);
  expect(ahead).toBeLessThan(3_700_000);
  await snoozedTab().click();
  await rows(page, 'By key').focus();
  await page.keyboard.press('z');
  await expect(rows(page, 'By key')).toHaveCount(0);
  await expect(rows(other, 'By key')).toHaveCount(1);
});

test('S with rows selected snoozes them all, with one undo', async () => {
  await push('One');
  await push('Two');
  await push('Stays', { dismissable: false });
  await expect(rows(page)).toHaveCount(3);
  await rows(page, 'One').focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('s');
  await choose('Snooze for an Hour');
  await expect(rows(page, 'One')).toHaveCount(0);
  await expect(rows(page, 'Two')).toHaveCount(0);
  await expect(rows(page, 'Stays')).toHaveCount(1);
  await undo('Snoozed 2');
  await expect(rows(page, 'One')).toHaveCount(1);
  await expect(rows(page, 'Two')).toHaveCount(1);
});

test('the bar of the selected rows snoozes them, and brings them back', async () => {
  await push('One');
  await push('Two');
  await push('Stays', { dismissable: false });
  const bar = center(page).getByRole('toolbar', {
    name: 'For the selected notifications'
  });
  await rows(page, 'Stays').focus();
  await page.keyboard.press('x');
  await expect(bar.getByRole('button', { name: 'Snooze' })).toBeDisabled();
  await page.keyboard.press('Control+a');
  await bar.getByRole('button', { name: 'Snooze' }).click();
  await choose('Snooze for an Hour');
  await expect(rows(page, 'One')).toHaveCount(0);
  await expect(rows(other, 'Two')).toHaveCount(0);
  await expect(rows(page, 'Stays')).toHaveCount(1);

  await snoozedTab().click();
  await rows(page, 'One').focus();
  await page.keyboard.press('Control+a');
  await hasNoViolations(page, '.jp-NotifyCenter');
  await bar.getByRole('button', { name: 'Bring back' }).click();
  await expect(rows(other, 'One')).toHaveCount(1);
  await expect(rows(other, 'Two')).toHaveCount(1);
  await undo('2 back in the inbox');
  await expect(rows(other, 'Two')).toHaveCount(0);
  await expect(rows(page, 'Two')).toHaveCount(1);
});

test('what must stay in sight has no such entry', async () => {
  await push('Outage', { dismissable: false });
  await rows(page, 'Outage').click({ button: 'right' });
  await expect(page.locator('.lm-Menu-item').first()).toBeVisible();
  await expect(
    page.locator('.lm-Menu-item').filter({ hasText: 'Snooze' })
  ).toHaveCount(0);
  await untilMenu(page);
  await page.keyboard.press('Escape');
});

test('it comes back by itself: unread, on top, with a toast', async () => {
  const { notification_id: id } = await lab.push('Comes back');
  await push('In between');
  await open(rows(page, 'Comes back'));
  await expect(rows(page, 'Comes back')).not.toHaveClass(/jp-mod-unread/);
  await closeCenter(page);
  const snooze = async (ms: number) => {
    const { status } = await lab.api(
      'PATCH',
      `jupyterlab-notify/notifications/${id}`,
      { snoozedUntil: new Date(Date.now() + ms).toISOString() }
    );
    expect(status).toBe(200);
  };
  await snooze(3_600_000);
  await expect(rows(other, 'Comes back')).toHaveCount(0);
  // Let it come back only after that was seen: two seconds may be over before it is drawn.
  await snooze(2000);
  await expect(toasts(page, 'Comes back')).toBeVisible();
  await openCenter(page);
  await expect(rows(page).first()).toContainText('Comes back');
  await expect(rows(page, 'Comes back')).toHaveClass(/jp-mod-unread/);
  await expect(rows(other).first()).toContainText('Comes back');
});
