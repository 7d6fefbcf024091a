/**
 * The pictures of the README and the documentation.
 *
 * `make screenshots` writes them to docs/images/. In any other run they go to
 * the test's own results, and what they show is checked all the same.
 */
import type { Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import { backdate } from './database';
import {
  badge,
  center,
  expect,
  openLab,
  rows,
  runCommand,
  setTheme,
  test,
  toasts,
  useLab
} from './lab';

const IMAGES = path.resolve(__dirname, '..', '..', 'docs', 'images');

const MAX_BYTES = 300_000;

/** When the pictures are taken, whatever the day: nothing in them is of today. */
const NOW = new Date('2026-06-09T14:37:20Z');

const lab = useLab({
  // What the pictures show is old.
  config: 'c.NotifyApp.retention_days = 0'
});

/** A morning's messages, oldest first, with their age in minutes. */
const MESSAGES = [
  {
    age: 2 * 24 * 60 + 190,
    message: 'Welcome back! The summer school’s data are in /shared/school',
    type: 'default',
    source: 'Platform team',
    read: true
  },
  {
    age: 24 * 60 - 123,
    message: 'Your image build is ready',
    type: 'success',
    source: 'image builder',
    read: true
  },
  {
    age: 20 * 60 + 33,
    message: 'Pipeline “nightly” failed in step 3: table not found',
    type: 'error',
    source: 'airflow',
    body: 'The table `lake.events_2026` does not exist.',
    read: true
  },
  {
    age: 121,
    message: 'New kernels: Python 3.13 and R 4.5',
    type: 'info',
    source: 'Platform team',
    markdown: true,
    read: true
  },
  {
    age: 65,
    message: 'Job 4711 finished in 3 h 12 min',
    type: 'success',
    source: 'batch queue',
    body: 'All 128 tasks ended with code 0.'
  },
  {
    age: 12,
    message: 'You are using 92 % of your home directory',
    type: 'warning',
    source: 'quota',
    body: [
      'You use **460 GiB** of 500 GiB. At 100 % notebooks can no longer be saved.',
      '',
      '| folder | size | last used |',
      '| --- | ---: | --- |',
      '| `~/runs` | 310 GiB | today |',
      '| `~/tmp` | 96 GiB | March |'
    ].join('\n'),
    actions: [
      {
        label: 'Open terminal',
        commandId: 'terminal:create-new',
        displayType: 'accent'
      },
      { label: 'Ask for more', url: 'https://example.org/quota' }
    ]
  },
  {
    age: 0,
    message: 'Training resnet-50 · epoch 31 of 50',
    type: 'in-progress',
    source: 'train.ipynb',
    key: 'training',
    progress: 0.62
  }
];

const NEWEST = {
  message: 'Maintenance tonight 22:00–23:00 UTC. Save your work.',
  type: 'info',
  source: 'Platform team',
  autoClose: false,
  body: 'Servers are stopped at 22:00 UTC. Files are kept.',
  actions: [{ label: 'Dismiss' }]
};

const ids: Record<string, string> = {};

test.beforeAll(async () => {
  const times: Record<string, Date> = {};
  for (const { age, read, ...payload } of MESSAGES) {
    const { notification_id: id } = await lab.push(payload);
    ids[payload.message] = id;
    times[id] = new Date(NOW.getTime() - age * 60_000);
    if (read) {
      await lab.change(id, { read: true });
    }
  }
  backdate(lab, times);
  const notebook = path.join(__dirname, 'train.ipynb');
  fs.copyFileSync(notebook, path.join(lab.root, 'train.ipynb'));
});

for (const theme of ['light', 'dark']) {
  test.describe(`in the ${theme} theme`, () => {
    let page: Page;

    test.beforeAll(async ({ browser }) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        locale: 'en-US',
        timezoneId: 'UTC',
        colorScheme: theme as 'light' | 'dark'
      });
      await context.clock.setFixedTime(NOW);
      page = await context.newPage();
      await openLab(page, lab, {
        path: `lab/workspaces/${theme}/tree/train.ipynb`
      });
      await setTheme(page, theme as 'light' | 'dark');
      await expect(page.locator('.jp-NotebookPanel')).toBeVisible();
      await page.evaluate(async () => {
        const { serviceManager, shell } = (window as any).jupyterapp;
        await serviceManager.ready;
        shell.collapseLeft();
        for (const widget of [...shell.widgets('main')]) {
          if (widget.id.startsWith('launcher')) {
            widget.dispose();
          }
        }
      });
    });

    test.afterAll(() => page.context().close());

    test('the overview shows the bell, a toast and the center', async () => {
      await runCommand(page, 'jupyterlab-notify:toggle-center');
      const row = rows(page, 'You are using 92 %');
      await row.locator('.jp-NotifyRow-summary').click();
      await expect(row.locator('table')).toBeVisible();
      await lab.change(ids['You are using 92 % of your home directory'], {
        read: false
      });
      const { notification_id } = await lab.push(NEWEST);
      await expect(toasts(page, 'Maintenance tonight')).toBeVisible();
      await expect(rows(page)).toHaveCount(MESSAGES.length + 1);
      await expect(badge(page)).toHaveText('4');
      await expect(toasts(page)).toHaveCount(2);
      await expect(page.locator('.jp-Notification-Status')).toContainText('2');
      await untilQuiet(page);
      await save(page, `overview-${theme}.png`);
      await lab.revoke(notification_id);
      await expect(toasts(page, 'Maintenance tonight')).toHaveCount(0);
    });

    test('the center shows types, senders, times, days and an opened message', async () => {
      await expect(center(page).locator('.jp-NotifyList-day')).toHaveText(
        ['Today', 'Yesterday', 'Sunday, June 7'],
        { useInnerText: true }
      );
      await expect(rows(page).locator('.jp-NotifyRow-when')).toHaveText(
        ['now', '12 min', '1 hr', '2 hr', '6:04 PM', '4:40 PM', 'Jun 7'],
        { useInnerText: true }
      );
      await save(page, `center-${theme}.png`, center(page));
    });

    test('a progress is in its toast and in its row', async () => {
      const training = MESSAGES[MESSAGES.length - 1];
      for (const progress of [0.64, 0.66]) {
        await lab.push({
          ...training,
          message: `Training resnet-50 · epoch ${50 * progress} of 50`,
          progress
        });
      }
      const toast = toasts(page, 'Training');
      await expect(toast).toContainText('epoch 33 of 50');
      await expect(toast).toHaveAttribute('data-jp-notify-progress', '66');
      await expect(
        rows(page, 'Training').getByRole('progressbar')
      ).toHaveAttribute('aria-valuenow', '66');
      await lab.push({
        message: 'Your environment was updated',
        type: 'success',
        source: 'image builder',
        autoClose: false,
        actions: [{ label: 'What is new?', url: 'https://example.org/' }]
      });
      await expect(toasts(page)).toHaveCount(2);
      await save(
        page,
        `toasts-${theme}.png`,
        page.locator('.jp-toastContainer')
      );
      await lab.push(training);
      await lab.revoke(
        (await lab.list()).find(row => row.message.startsWith('Your env'))!.id
      );
    });
  });
}

/** Wait until the notebook has its kernel, and is saved as such. */
async function untilQuiet(page: Page): Promise<void> {
  await expect(
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
  ).toBeVisible();
  await runCommand(page, 'docmanager:save');
  await expect(page.locator('.jp-mod-dirty')).toHaveCount(0);
  await expect(
    page.locator('#jp-main-statusbar').getByText('Saving completed')
  ).toHaveCount(0);
}

async function save(
  page: Page,
  name: string,
  part: { screenshot: Page['screenshot'] } = page
): Promise<void> {
  // Nothing is pointed at.
  await page.mouse.move(400, 700);
  const file =
    process.env.NOTIFY_SCREENSHOTS === '1'
      ? path.join(IMAGES, name)
      : test.info().outputPath(name);
  const picture = await part.screenshot({
    path: file,
    animations: 'disabled',
    caret: 'hide',
    scale: 'css'
  });
  expect(picture.length).toBeLessThan(MAX_BYTES);
}
