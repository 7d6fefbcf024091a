/**
 * Notebook 7: the same plugins, in its file list and in a notebook's page, next to a
 * JupyterLab of the same server.
 */
import type { BrowserContext, Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import {
  badge,
  banners,
  bell,
  center,
  closeCenter,
  expect,
  openCenter,
  rows,
  test,
  toasts,
  useLab
} from './lab';

const lab = useLab({ app: 'notebook' });

let context: BrowserContext;

test.beforeAll(async ({ browser }) => {
  context = await browser.newContext({
    viewport: { width: 1280, height: 800 }
  });
  fs.copyFileSync(
    path.join(__dirname, 'train.ipynb'),
    path.join(lab.root, 'train.ipynb')
  );
});

test.afterAll(() => context?.close());

/** Its pages, and what is in sight in each once it is there. */
const PAGES = [
  ['tree', '.jp-DirListing', 'file list'],
  ['notebooks/train.ipynb', '.jp-NotebookPanel', "notebook's page"]
] as const;

for (const [where, shows, name] of PAGES) {
  test(`In the ${name} there are toasts, the bell and the center`, async ({
    browser
  }) => {
    const page = await lab.open(browser, { context, path: where });
    await expect(page.locator(shows)).toBeVisible();

    await lab.push({ message: `To the ${name}`, type: 'error' });
    const toast = toasts(page, `To the ${name}`);
    await expect(toast).toBeVisible();
    await expect(badge(page)).toHaveText('1');
    const top = page.locator('#top-panel-wrapper');
    await expect(top.locator(bell(page))).toBeVisible();
    await expect
      .poll(async () => {
        const bar = (await top.boundingBox())!;
        return (await toast.boundingBox())!.y - (bar.y + bar.height);
      })
      .toBeGreaterThanOrEqual(0);

    await openCenter(page);
    const row = rows(page, `To the ${name}`);
    await expect(row).toBeInViewport();
    await expect(async () => {
      const panel = (await center(page).boundingBox())!;
      expect(panel.width).toBeGreaterThan(240);
      expect(panel.x + panel.width).toBeLessThan(1281);
      const box = (await toast.boundingBox())!;
      expect(box.x + box.width).toBeLessThanOrEqual(panel.x);
    }).toPass({ timeout: 30_000 });
    await row.locator('.jp-NotifyRow-summary').click();
    await expect(badge(page)).toHaveCount(0);
    await expect(toast).toHaveCount(0);
    await row.hover();
    await row.getByRole('button', { name: 'Done' }).click();
    await expect(row).toHaveCount(0);

    await closeCenter(page);
    // A page that is closed sends nothing more.
    await expect.poll(() => lab.list()).toEqual([]);
    await page.close();
  });
}

for (const [where, shows, name] of PAGES) {
  test(`In the ${name} the header stays whole, with the bell in its place, and nothing moves when it counts`, async ({
    browser
  }) => {
    const page = await lab.open(browser, { context, path: where });
    await expect(page.locator(shows)).toBeVisible();
    await expect(bell(page)).toBeVisible();
    for (const width of [1280, 900, 800]) {
      await lab.dismissAll();
      await page.setViewportSize({ width, height: 800 });
      await expect(badge(page)).toHaveCount(0);
      const before = await settledHeader(page);
      const { header, parts } = before;
      const own = parts.find(part => part.id === 'jp-notify-bell')!;
      for (const part of parts) {
        // It stands in the line with the others, and over none of them.
        expect(part.y, part.id).toBeGreaterThanOrEqual(header.y);
        expect(part.bottom, part.id).toBeLessThanOrEqual(header.bottom);
        expect(
          part.id === own.id || part.right <= own.x || part.x >= own.right,
          `${part.id} beside the bell, ${width} px wide`
        ).toBe(true);
      }
      const middle = (box: IBox) => (box.y + box.bottom) / 2;
      expect(Math.abs(middle(own) - middle(header))).toBeLessThanOrEqual(2);
      expect(own.x).toBeGreaterThanOrEqual(0);
      expect(own.right).toBeLessThanOrEqual(width);

      for (let count = 1; count <= 12; count++) {
        await lab.push({ message: `number ${count}`, autoClose: 0 });
      }
      await expect(badge(page)).toHaveText('12');
      expect(await settledHeader(page)).toEqual(before);
    }

    // In a smaller window Notebook hides its header: the bell is then beside the menus.
    const menus = page.locator('#menu-panel');
    for (const width of [700, 480]) {
      await page.setViewportSize({ width, height: 800 });
      await expect(page.locator('#top-panel-wrapper')).toBeHidden();
      await expect(menus.locator(bell(page))).toBeInViewport({ ratio: 1 });
      await expect(badge(page)).toHaveText('12');
      // The bell does not break the element beside it into two lines.
      await expect
        .poll(async () => (await menus.boundingBox())!.height)
        .toBeLessThan(32);
    }
    await bell(page).click();
    await expect(rows(page, 'number 12')).toBeInViewport();
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 1280, height: 800 });
    const top = page.locator('#top-panel-wrapper');
    await expect(top.locator(bell(page))).toBeVisible();
    await lab.dismissAll();
    await page.close();
  });
}

test('In a small window the bell stands between the menus and the trust of a notebook', async ({
  browser
}) => {
  const notebook = JSON.parse(
    fs.readFileSync(path.join(__dirname, 'train.ipynb'), 'utf8')
  );
  const script = { 'text/html': '<script>1</script>' };
  notebook.cells.push({
    cell_type: 'code',
    id: 'foreign',
    execution_count: 1,
    metadata: {},
    source: '',
    outputs: [{ output_type: 'display_data', metadata: {}, data: script }]
  });
  fs.writeFileSync(
    path.join(lab.root, 'foreign.ipynb'),
    JSON.stringify(notebook)
  );
  const page = await lab.open(browser, { path: 'notebooks/foreign.ipynb' });
  const menus = page.locator('#menu-panel');
  await expect(menus.getByText('Not Trusted')).toBeVisible();
  // Wide enough for all of them, and not.
  for (const width of [640, 480, 400]) {
    await page.setViewportSize({ width, height: 800 });
    await expect(menus.locator(bell(page))).toBeInViewport({ ratio: 1 });
    await expect
      .poll(async () => {
        const own = (await bell(page).boundingBox())!;
        const bar = (await menus.locator('#jp-MainMenu').boundingBox())!;
        const last = (await menus.getByText('Help').boundingBox())!;
        const trust = (await menus.getByText('Not Trusted').boundingBox())!;
        return {
          menus: bar.x + bar.width <= own.x,
          help: last.x + last.width <= own.x,
          trust: own.x + own.width <= trust.x
        };
      })
      .toEqual({ menus: true, help: width >= 480, trust: true });
  }
  await page.context().close();
});

test('Reading in JupyterLab, closing in Notebook: the other follows', async ({
  browser
}) => {
  const inNotebook = await lab.open(browser, { context });
  const inLab = await lab.open(browser, { context, path: 'lab' });
  await lab.push({ message: 'first', autoClose: 0 });
  await lab.push({ message: 'second', type: 'error' });
  await expect(toasts(inNotebook, 'second')).toBeVisible();
  await expect(toasts(inLab, 'second')).toBeVisible();

  await openCenter(inLab);
  await rows(inLab, 'first').locator('.jp-NotifyRow-summary').click();
  await expect(badge(inNotebook)).toHaveText('1');

  await inNotebook.bringToFront();
  await openCenter(inNotebook);
  await expect(rows(inNotebook, 'first')).not.toHaveClass(/jp-mod-unread/);
  await toasts(inNotebook, 'second')
    .getByTitle('Close', { exact: true })
    .click();
  await expect(rows(inNotebook, 'second')).not.toHaveClass(/jp-mod-unread/);
  await expect(toasts(inLab)).toHaveCount(0);
  await expect(badge(inLab)).toHaveCount(0);
  await expect(rows(inLab)).toHaveText([/second/, /first/]);
});

test('The banner stands below the menus and above the pages, and gives the room back', async ({
  browser
}) => {
  for (const [where, shows] of PAGES) {
    const page = await lab.open(browser, { context, path: where });
    const main = page.locator('#main-panel');
    await expect(page.locator(shows)).toBeVisible();
    await expect(bell(page)).toBeVisible();
    // The page reaches its layout in a few steps.
    let before: Awaited<ReturnType<typeof main.boundingBox>> | undefined;
    await expect(async () => {
      const last = before;
      before = await main.boundingBox();
      expect(before).toEqual(last);
    }).toPass({ intervals: [500], timeout: 30_000 });
    await lab.push({
      message: 'Storage outage',
      type: 'error',
      banner: true,
      autoClose: 0,
      body: 'Nothing is **lost**.'
    });
    const banner = banners(page, 'Storage outage');
    await expect(banner).toBeInViewport({ ratio: 1 });
    await expect(async () => {
      const menu = (await page.locator('#top-panel-wrapper').boundingBox())!;
      const box = (await banner.boundingBox())!;
      expect(box).toMatchObject({ x: 0, width: 1280 });
      expect(box.y).toBeGreaterThanOrEqual(menu.y + menu.height);
      const { y } = (await main.boundingBox())!;
      expect(y).toBeGreaterThanOrEqual(box.y + box.height);
    }).toPass({ timeout: 30_000 });
    await banner.getByRole('button', { name: 'Details' }).click();
    await expect(banner.locator('.jp-NotifyBody strong')).toHaveText('lost');
    await banner.getByRole('button', { name: 'Close' }).click();
    await expect(banner).toHaveCount(0);
    await expect.poll(async () => main.boundingBox()).toEqual(before);
    // The next page has a banner of its own alone.
    await expect
      .poll(async () =>
        (await lab.list()).filter(row => row.banner && row.closed === null)
      )
      .toEqual([]);
    await page.close();
  }
});

/** The place of an element, in whole pixels. */
interface IBox {
  id: string;
  x: number;
  y: number;
  right: number;
  bottom: number;
}

/** The boxes of the header, of what is seen in it and of what is below it, once they stand still. */
async function settledHeader(
  page: Page
): Promise<{ header: IBox; parts: IBox[]; below: IBox[] }> {
  const measure = () =>
    page.evaluate(() => {
      const box = (element: Element): IBox => {
        const { x, y, right, bottom } = element.getBoundingClientRect();
        const [left, top, end, low] = [x, y, right, bottom].map(Math.round);
        return { id: element.id, x: left, y: top, right: end, bottom: low };
      };
      const found = (selector: string) =>
        [...document.querySelectorAll(selector)].filter(
          one => one.checkVisibility() && one.getBoundingClientRect().width > 0
        );
      return {
        header: box(document.querySelector('#top-panel-wrapper')!),
        // Except for the link that is out of sight until it has the focus.
        parts: found('#top-panel > :not(#jp-skiplink)').map(box),
        below: found('#menu-panel-wrapper, #main-panel').map(box)
      };
    });
  let last: Awaited<ReturnType<typeof measure>> | undefined;
  await expect(async () => {
    const before = last;
    last = await measure();
    // The first time there is nothing to compare with: the second is half a second later.
    expect(last).toEqual(before);
  }).toPass({ intervals: [500], timeout: 30_000 });
  return last!;
}
