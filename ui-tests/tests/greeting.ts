/**
 * The dialog of the welcome messages in a page: its parts, and a check that it stays away.
 */
import type { Locator, Page } from '@playwright/test';

import { expect, untilReady, welcome } from './lab';

/** The title of the message that is shown. */
export function titleOf(page: Page): Locator {
  return welcome(page).getByRole('heading').first();
}

/** A button of the dialog. */
export function buttonOf(page: Page, name: string): Locator {
  return welcome(page).getByRole('button', { name, exact: true });
}

/** Reload a page, and expect no greeting once it has asked for one. */
export async function staysQuiet(page: Page): Promise<void> {
  const asked = page.waitForResponse(/jupyterlab-notify\/welcome\?all=true/);
  await page.reload();
  await untilReady(page);
  await asked;
  await page.evaluate(() => new Promise(done => setTimeout(done, 100)));
  await expect(welcome(page)).toHaveCount(0);
}
