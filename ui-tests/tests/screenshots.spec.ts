/**
 * The pictures of the README and the documentation.
 *
 * `make screenshots` writes them to docs/images/. In any other run they go to
 * the test's own results, and what they show is checked all the same.
 */
import type { Locator, Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import { backdate } from './database';
import {
  badge,
  banners,
  center,
  closeCenter,
  expect,
  openLab,
  rows,
  runCommand,
  setTheme,
  test,
  toasts,
  useLab,
  welcome
} from './lab';

const IMAGES = path.resolve(__dirname, '..', '..', 'docs', 'images');

const MAX_BYTES = 300_000;

/** Time at which the pictures are taken, whatever the day: nothing in them is of today. */
const NOW = new Date('2026-06-09T14:37:20Z');

const lab = useLab({
  // The messages in the pictures are old.
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
  message: 'Job 4712 failed: out of memory after 11 min',
  // Only errors are toasts while the center is open.
  type: 'error',
  source: 'batch queue',
  autoClose: false,
  body: 'The job asked for 16 GB and reached 16.4 GB.',
  actions: [{ label: 'Dismiss' }]
};

/** A message that has to stay in sight, but without a toast. */
const OUTAGE = {
  message: 'Saving to /scratch fails until about 15:30 UTC',
  type: 'error',
  source: 'Platform team',
  banner: true,
  autoClose: 0,
  body: [
    'One of four storage servers is down. Work in your **home directory** meanwhile:',
    '',
    '- what is on `/scratch` is safe, and can be read;',
    '- jobs that write there wait, and go on by themselves.'
  ].join('\n'),
  actions: [{ label: 'State of the repair', url: 'https://example.org/status' }]
};

const UPDATE = {
  message: 'Servers are stopped on Thursday at 22:00 UTC for an update',
  type: 'warning',
  source: 'operations',
  banner: true,
  autoClose: 0,
  body: 'Save your notebooks before.'
};

/** The welcome messages, by id: title and text. */
const WELCOME: Record<string, [string, string]> = {
  '1-school': [
    'Welcome to the summer school',
    [
      'Everything that you need is here already:',
      '',
      '| where | what |',
      '| --- | --- |',
      '| `/shared/school` | the data, 240,000 galaxies |',
      '| `lectures/` | one notebook a day, [with exercises](https://example.org/school) |',
      '| `scratch/` | yours to fill; **emptied on Sunday** |',
      '',
      '> Stuck? Ask in the forum, or any of the people with a green badge.'
    ].join('\n')
  ],
  '2-news': ['What is new', 'Python 3.13, and twice the memory.']
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
      // Ages are computed from the server's time in the frames: stop that clock as well.
      await context.routeWebSocket(/jupyterlab-notify\/stream/, socket => {
        socket.connectToServer().onMessage(frame => {
          const said = JSON.parse(String(frame));
          socket.send(JSON.stringify({ ...said, now: NOW.toISOString() }));
        });
      });
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

    test('the overview shows the bell, the banner, toasts and the center', async () => {
      await runCommand(page, 'jupyterlab-notify:toggle-center');
      const row = rows(page, 'You are using 92 %');
      // Click at the beginning: the row's buttons cover the end under the pointer.
      await row
        .locator('.jp-NotifyRow-summary')
        .click({ position: { x: 20, y: 8 } });
      await expect(row.locator('table')).toBeVisible();
      const id = ids['You are using 92 % of your home directory'];
      // Opening the message marks it as read, which the server may learn a moment later.
      await expect
        .poll(async () => (await lab.list()).find(one => one.id === id)?.read)
        .toEqual(expect.any(String));
      await lab.change(id, { read: false });
      const outage = await lab.push(OUTAGE);
      const newest = await lab.push(NEWEST);
      await expect(toasts(page, 'Job 4712 failed')).toBeVisible();
      await expect(banners(page)).toHaveText([/Saving to/]);
      await expect(rows(page)).toHaveCount(MESSAGES.length + 2);
      await expect(badge(page)).toHaveText('5');
      await expect(toasts(page)).toHaveCount(1);
      await expect(page.locator('.jp-Notification-Status')).toContainText('1');
      await untilQuiet(page);
      await save(page, `overview-${theme}.png`);
      await lab.revoke(newest.notification_id);
      await lab.revoke(outage.notification_id);
      await expect(toasts(page, 'Job 4712 failed')).toHaveCount(0);
      await expect(banners(page)).toHaveCount(0);
    });

    test('the center shows types, senders, times, days and an opened message', async () => {
      await expect(center(page).locator('.jp-NotifyList-day')).toHaveText(
        ['Today', 'Yesterday', 'Sunday, June 7'],
        { useInnerText: true }
      );
      await expect(rows(page).locator('.jp-NotifyRow-when')).toHaveText(
        ['now', '12 min', '1 hr', '2 hr', '6:04 PM', '4:40 PM', '11:27 AM'],
        { useInnerText: true }
      );
      await save(page, `center-${theme}.png`, await around(center(page), 0));
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
      await expect(
        rows(page, 'Training').getByRole('progressbar')
      ).toHaveAttribute('aria-valuenow', '66');
      await closeCenter(page);
      const toast = toasts(page, 'Training');
      await expect(toast).toContainText('epoch 33 of 50');
      await expect(toast).toHaveAttribute('data-jp-notify-progress', '66');
      await lab.push({
        message: 'Your environment was updated',
        type: 'success',
        source: 'image builder',
        autoClose: false,
        actions: [{ label: 'What is new?', url: 'https://example.org/' }]
      });
      await expect(toasts(page)).toHaveCount(2);
      // The toasts go to the corner that the center leaves.
      await expect
        .poll(async () => (await toast.boundingBox())!.x)
        .toBeGreaterThan(900);
      await save(page, `toasts-${theme}.png`, {
        x: 800,
        y: 0,
        width: 480,
        height: 232
      });
      await lab.push(training);
      await lab.revoke(
        (await lab.list()).find(row => row.message.startsWith('Your env'))!.id
      );
    });

    test('the banner shows several messages, and one of them whole', async () => {
      const pushed = [await lab.push(UPDATE), await lab.push(OUTAGE)];
      await expect(banners(page)).toHaveText([/Saving to/, /Servers are/]);
      const outage = banners(page, 'Saving to');
      await outage.getByRole('button', { name: 'Details' }).click();
      await expect(outage.locator('.jp-NotifyBody li')).toHaveCount(2);
      await expect(toasts(page)).toHaveCount(1);
      await save(page, `banner-${theme}.png`, {
        x: 0,
        y: 0,
        width: 1280,
        height: 400
      });
      for (const { notification_id } of pushed) {
        await lab.revoke(notification_id);
      }
      await expect(banners(page)).toHaveCount(0);
    });

    test('the welcome messages greet in the middle of the page', async () => {
      for (const [id, [title, text]] of Object.entries(WELCOME)) {
        lab.greet(id, { title }, text);
      }
      await runCommand(page, 'jupyterlab-notify:show-welcome');
      const card = page.locator('.jp-NotifyWelcome-card');
      await expect(card).toContainText('1 of 2');
      await expect(card.getByRole('heading')).toHaveText(
        'Welcome to the summer school'
      );
      await expect(card.locator('tbody tr')).toHaveCount(3);
      await save(page, `welcome-${theme}.png`, await around(card, 56));
      fs.rmSync(lab.welcomeFolder, { recursive: true });
      await page.keyboard.press('Escape');
      await expect(welcome(page)).toHaveCount(0);
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

type Part = { x: number; y: number; width: number; height: number };

/** A part of the page, with so many pixels around it. */
async function around(part: Locator, margin: number): Promise<Part> {
  const { x, y, width, height } = (await part.boundingBox())!;
  return {
    x: x - margin,
    y: y - margin,
    width: width + 2 * margin,
    height: height + 2 * margin
  };
}

async function save(page: Page, name: string, clip?: Part): Promise<void> {
  // Move the pointer away from everything.
  await page.mouse.move(400, 700);
  const file =
    process.env.NOTIFY_SCREENSHOTS === '1'
      ? path.join(IMAGES, name)
      : test.info().outputPath(name);
  const picture = await page.screenshot({
    path: file,
    clip,
    animations: 'disabled',
    caret: 'hide',
    scale: 'css'
  });
  expect(picture.length).toBeLessThan(MAX_BYTES);
}
