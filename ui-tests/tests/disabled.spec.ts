/**
 * Ways of showing that a site disables, while the others go on.
 */
import type { Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import {
  banners,
  bell,
  expect,
  openCenter,
  rows,
  test,
  toasts,
  useLab
} from './lab';

const lab = useLab();

let page: Page;

test.beforeAll(() => {
  lab.greet('hello', { title: 'Welcome' }, 'x');
});

test.afterEach(() => page?.context().close());

/** Write what `jupyter labextension disable` writes. */
function disable(...plugins: string[]): void {
  const folder = path.join(path.dirname(lab.root), 'config', 'labconfig');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(
    path.join(folder, 'page_config.json'),
    JSON.stringify({
      disabledExtensions: Object.fromEntries(
        plugins.map(name => [`jupyterlab_notify:${name}`, true])
      )
    })
  );
}

const message = {
  message: 'Shown where it can be',
  banner: true,
  autoClose: false
};

test('With all others disabled the center works', async ({ browser }) => {
  disable('toasts', 'banner', 'welcome', 'desktop', 'commands');
  page = await lab.open(browser);
  await lab.push(message);
  await openCenter(page);
  await expect(rows(page, message.message)).toBeVisible();
  await expect(toasts(page)).toHaveCount(0);
  await expect(banners(page)).toHaveCount(0);
  await expect(page.locator('.jp-NotifyWelcome')).toHaveCount(0);
  await lab.dismissAll();
  await expect(rows(page)).toHaveCount(0);
});

test('With the center disabled all others work', async ({ browser }) => {
  disable('center');
  page = await lab.open(browser);
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await lab.push(message);
  await expect(banners(page, message.message)).toBeVisible();
  await expect(bell(page)).toHaveCount(0);
  await toasts(page, message.message)
    .getByTitle('Close', { exact: true })
    .click();
  await expect(toasts(page)).toHaveCount(0);
  await expect(banners(page)).toHaveCount(0);
  // There is no button that would open nothing.
  await lab.push({
    message: 'With more to say',
    body: 'this',
    autoClose: false
  });
  await expect(toasts(page, 'With more to say')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Show more' })).toHaveCount(0);
});
