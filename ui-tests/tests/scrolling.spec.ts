/**
 * The cost of scrolling in the center, however many messages there are.
 */
import type { CDPSession, Page } from '@playwright/test';

import { copy } from './database';
import { center, expect, openCenter, rows, test, useLab } from './lab';

const FEW = 10;
const MANY = 10_000;

/** Number of rows that somebody has scrolled past. */
const LOADED = 1000;

/** Distance in pixels that is scrolled and scrolled back, and the size of one step. */
const WAY = { px: 240, step_px: 24 };

/** Number of rounds; the fastest counts, since others may include other work of the machine. */
const ROUNDS = 4;

const lab = useLab();

test('Scrolling in ten thousand messages is as light as in ten', async ({
  browser
}) => {
  for (let index = 0; index < FEW; index++) {
    await lab.push({ message: `few ${index}`, source: 'few', autoClose: 0 });
  }
  const { notification_id: id } = await lab.push({
    message: 'many',
    source: 'many',
    autoClose: 0
  });
  copy(lab, id, MANY - FEW - 1);
  const context = await browser.newContext({
    // Even a list of ten is higher than this.
    viewport: { width: 1000, height: 420 }
  });
  const page = await lab.open(browser, { context });
  await openCenter(page);
  await expect(rows(page).first()).toHaveAttribute(
    'aria-setsize',
    String(MANY)
  );
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable');

  const search = center(page).getByRole('searchbox');
  await search.fill('from:few');
  await expect(rows(page)).toHaveCount(FEW);
  const few = await scroll(page, devtools);

  await search.fill('');
  await expect(rows(page).first()).toContainText('many');
  await loadOlder(page);
  const many = await scroll(page, devtools);
  await context.close();

  // The rows in sight, and some on either side.
  expect(many.rows).toBeLessThan(40);
  // Here rows are added and removed, while in the short list all rows stay.
  expect(many.work / few.work).toBeLessThan(6);
});

/** Scroll down until many are loaded, and then to the middle of them. */
async function loadOlder(page: Page): Promise<void> {
  await page.evaluate(async loaded => {
    const list = document.querySelector('.jp-NotifyList')!;
    const last = () =>
      [...list.querySelectorAll('.jp-NotifyRow')].at(-1)!.ariaPosInSet;
    while (Number(last()) < loaded) {
      list.scrollTop = list.scrollHeight;
      await new Promise(resolve => requestAnimationFrame(resolve));
    }
    list.scrollTop = list.scrollHeight / 2;
  }, LOADED);
}

/**
 * Scroll down and up again where the list is.
 *
 * @returns The most rows that were in the page, and how long the page's scripts, styles and layout
 *   took in the round in which they took least.
 */
async function scroll(
  page: Page,
  devtools: CDPSession
): Promise<{ rows: number; work: number }> {
  const counts: number[] = [];
  const works: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = await work(devtools);
    counts.push(
      await page.evaluate(async ({ px, step_px }) => {
        const list = document.querySelector('.jp-NotifyList')!;
        const start = list.scrollTop;
        let most = 0;
        for (let at = -px; at <= px; at += step_px) {
          list.scrollTop = start + px - Math.abs(at);
          await new Promise(resolve => requestAnimationFrame(resolve));
          most = Math.max(most, list.querySelectorAll('.jp-NotifyRow').length);
        }
        return most;
      }, WAY)
    );
    works.push((await work(devtools)) - before);
  }
  return { rows: Math.max(...counts), work: Math.min(...works) };
}

/** Measure how long a page has worked so far, in seconds. */
async function work(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  const parts = ['ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'];
  return metrics
    .filter(({ name }) => parts.includes(name))
    .reduce((sum, { value }) => sum + value, 0);
}
