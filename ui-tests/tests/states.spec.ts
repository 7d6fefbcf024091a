/**
 * A picture of every state that a user may see, in both themes, to be looked at after a change:
 * `make states` writes them to ui-tests/test-results/states/.
 *
 * What the states promise is tested elsewhere; here a state only has to come about.
 */
import type { BrowserContextOptions, Locator, Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import { Central } from './central';
import {
  banners,
  bell,
  center,
  expect,
  Lab,
  openCenter,
  openNotebook,
  openSettings,
  Proxy,
  rows,
  runCommand,
  setTheme,
  summary,
  test,
  toasts,
  untilLauncher,
  untilReady,
  useLab,
  welcome
} from './lab';
import { givePicture, png } from './pictureFile';

const FOLDER = path.resolve(__dirname, '..', 'test-results', 'states');

const central = new Central();
test.beforeAll(() => central.start());
test.afterAll(() => central.stop());

const options = {
  // A getter, since the lab is started after the central service.
  get config() {
    return [
      central.config,
      'c.NotifyApp.central_name = "Science platform"'
    ].join('\n');
  }
};
const lab = useLab(options);
const notebook = useLab({ app: 'notebook' });

/** The way to JupyterLab of a page that loses its connection. */
const proxy = new Proxy();
test.beforeAll(() => proxy.start(lab));
test.afterAll(() => proxy.stop());
test.afterEach(() => proxy.restore());

/** A state: how it comes about in a page that is open, without messages, in its theme. */
interface IState {
  /** The application; by default JupyterLab. */
  in?: Lab;
  /** The window, where it is not 1280×800. */
  window?: BrowserContextOptions;
  /** Whether the user's system chooses the colours. */
  forcedColors?: 'active';
  /** Through this proxy. */
  via?: Proxy;
  /** The page below the base URL, where it is not JupyterLab's. */
  path?: string;
  show(page: Page): Promise<unknown>;
}

/** The types but that of a progress. */
const TYPES = ['default', 'info', 'success', 'warning', 'error'];

const LONG =
  'The nightly pipeline has written 1,204 files to /shared/lake/2026/events/by-detector/north, of ' +
  'which 17 could not be checked since their sums were not there; the others are complete';

const BODY = [
  'You use **460 GiB** of 500 GiB.[^1] At 100 % notebooks can no longer be saved.',
  '',
  '| folder | size | last used | owner | what it holds |',
  '| --- | ---: | --- | --- | --- |',
  '| `~/runs` | 310 GiB | today | you | checkpoints of the last training |',
  '| `~/tmp` | 96 GiB | March | you | what nobody has looked at since |',
  '',
  '```python',
  'import shutil',
  'shutil.rmtree("tmp")  # what was there is gone',
  '```',
  '',
  'The energy is $E = mc^2$, and the price between $200 and $300.',
  '',
  '$$\\int_0^1 x^2\\,dx = \\frac13$$',
  '',
  '[^1]: Counted at noon.'
].join('\n');

const ACTIONS = [
  {
    label: 'Open terminal',
    commandId: 'terminal:create-new',
    displayType: 'accent'
  },
  {
    label: 'Ask for more',
    url: 'https://example.org/quota',
    displayType: 'link'
  },
  { label: 'Delete', displayType: 'warn' },
  { label: 'Later' },
  { label: 'What is this?' }
];

/** Push something that stays in sight as a toast. */
const toast = (message: string, fields: Record<string, unknown> = {}) =>
  lab.push({ message, source: 'batch queue', autoClose: false, ...fields });

/** Push something for the center only. */
const row = (message: string, fields: Record<string, unknown> = {}) =>
  lab.push({ message, source: 'batch queue', autoClose: 0, ...fields });

const banner = (message: string, fields: Record<string, unknown> = {}) =>
  row(message, {
    source: 'operations',
    banner: true,
    type: 'warning',
    ...fields
  });

/** A morning's messages. */
async function several(): Promise<void> {
  await row('Welcome back! The summer school’s data are in /shared/school');
  await row('Your image build is ready', {
    type: 'success',
    source: 'image builder'
  });
  await row('Pipeline “nightly” failed in step 3: table not found', {
    type: 'error',
    source: 'airflow',
    body: 'The table `lake.events_2026` does not exist.'
  });
  await row('New kernels: **Python 3.13** and R 4.5', {
    type: 'info',
    markdown: true
  });
  await row('You are using 92 % of your home directory', {
    type: 'warning',
    source: 'quota',
    body: BODY,
    actions: ACTIONS.slice(0, 2)
  });
  await row('Training resnet-50 · epoch 31 of 50', {
    type: 'in-progress',
    source: 'train.ipynb',
    key: 'training',
    progress: 0.62
  });
}

async function severalOpen(page: Page): Promise<void> {
  await several();
  await openCenter(page);
  await expect(rows(page)).toHaveCount(6);
}

async function many(page: Page): Promise<void> {
  for (let index = 0; index < 70; index++) {
    await row(`Job ${4600 + index} ended`, { type: TYPES[index % 5] });
  }
  await openCenter(page);
  await expect(rows(page, 'Job 4669')).toBeVisible();
}

/** Wait until `BODY` is drawn there, with its formulas. */
async function untilBody(where: Locator): Promise<void> {
  await expect(where.locator('table')).toBeVisible();
  await expect(where.locator('mjx-container')).toHaveCount(2);
}

/** Open a row by its text. */
async function open(page: Page, text: string): Promise<void> {
  await rows(page, text)
    .locator('.jp-NotifyRow-summary')
    .click({ position: { x: 4, y: 4 } });
  await expect(rows(page, text)).toHaveClass(/jp-mod-open/);
}

/** Open the row that has `BODY`. */
async function openBody(page: Page): Promise<void> {
  await open(page, 'You are using');
  await untilBody(rows(page, 'You are using'));
}

/** Load the page anew, as a user who is greeted then. */
async function greeted(page: Page): Promise<void> {
  await page.reload();
  await untilReady(page);
  await expect(welcome(page)).toBeVisible();
}

/** Move the mouse: a picture is fetched only for a user who is there. */
async function beThere(page: Page): Promise<void> {
  await page.mouse.move(400, 700);
  await page.mouse.move(410, 700);
}

const choose = (page: Page, name: string | RegExp) =>
  page.locator('.lm-Menu-item').filter({ hasText: name }).click();

const view = (page: Page, name: string) =>
  center(page).getByRole('radio', { name, exact: true }).click();

const searchField = (page: Page) => center(page).getByRole('searchbox');

const STATES: Record<string, IState> = {
  'start-with-nothing': { show: async () => undefined },

  'welcome-one': {
    show: async page => {
      lab.greet(
        '1-news',
        { title: 'What is new' },
        'Python 3.13, and twice the memory.'
      );
      await greeted(page);
    }
  },
  'welcome-several-with-table-and-picture': {
    show: async page => {
      lab.greet(
        '1-school',
        { title: 'Welcome to the summer school' },
        `Everything that you need is here:\n\n| where | what |\n| --- | --- |\n| \`/shared\` | the data |\n| \`scratch/\` | **emptied on Sunday** |\n\n![A line](data:image/png;base64,${png(200, 400, 120).toString('base64')})`
      );
      lab.greet('2-news', { title: 'What is new' }, 'Twice the memory.');
      await greeted(page);
    }
  },
  'welcome-long': {
    show: async page => {
      lab.greet('1-long', { title: LONG }, `${LONG}.\n\n`.repeat(40));
      await greeted(page);
    }
  },
  'welcome-to-accept': {
    show: async page => {
      await central.tell('POST', 'welcome', {
        title: 'Acceptable use',
        body: 'Do not mine coins.\n\n- Not here.\n- Not elsewhere.',
        must_accept: true
      });
      await expect(async () => {
        await page.reload();
        await untilReady(page);
        await expect(welcome(page)).toBeVisible({ timeout: 3000 });
      }).toPass();
    }
  },

  'toast-one': {
    show: async page => {
      await toast('Job 4711 finished in 3 h 12 min', { type: 'success' });
      await expect(toasts(page)).toHaveCount(1);
    }
  },
  'toasts-five': {
    show: async page => {
      for (let index = 0; index < 5; index++) {
        await toast(`Job ${4711 + index} ended`, { type: TYPES[index] });
      }
      await expect(summary(page)).toBeVisible();
    }
  },
  'toasts-sixty': {
    show: async page => {
      for (let index = 0; index < 60; index++) {
        await toast(`Job ${4711 + index} ended`, { type: TYPES[index % 5] });
      }
      await expect(summary(page)).toContainText('56 more');
    }
  },
  'toasts-buttons': {
    show: async page => {
      for (const count of [0, 1, 3, 5]) {
        await toast(`With ${count} buttons`, {
          actions: ACTIONS.slice(0, count)
        });
      }
      await expect(toasts(page)).toHaveCount(4);
    }
  },
  'toasts-texts': {
    show: async page => {
      await toast(LONG, { type: 'warning' });
      await toast('🎉 Done 👩‍🚀🇫🇮 at last 🎉', { type: 'success' });
      await toast('اكتملت المهمة بنجاح في job-4711', { type: 'info' });
      await toast('`lake.events_2026` has **no** rows', {
        type: 'error',
        markdown: true
      });
      await expect(toasts(page)).toHaveCount(4);
    }
  },
  'toast-picture': {
    show: async page => {
      const { notification_id: id } = await toast('Training: loss 0.31', {
        type: 'info'
      });
      await givePicture(lab, id, png(200), 'batch queue');
      await beThere(page);
      await expect(toasts(page)).toHaveAttribute('data-jp-notify-image', /./);
    }
  },
  'toasts-folded': {
    show: async page => {
      for (const index of [1, 2, 3]) {
        await toast(`${index}: ${LONG}`, { type: TYPES[index] });
      }
      // They fold after eight seconds.
      await expect(toasts(page).first()).toHaveAttribute(
        'data-jp-notify-folded'
      );
    }
  },
  'toasts-over-a-notebook': {
    show: async page => {
      await openNotebook(page, 'train.ipynb');
      await toast('Job 4711 finished', {
        type: 'success',
        actions: ACTIONS.slice(0, 1)
      });
      await toast('Job 4712 failed', { type: 'error' });
      await expect(toasts(page)).toHaveCount(2);
    }
  },

  progress: {
    show: async page => {
      const job = { type: 'in-progress', source: 'train.ipynb' };
      await toast('Runs, how far is not known', job);
      await toast('Runs, at 62 %', { ...job, progress: 0.62 });
      await toast('Training', { ...job, key: 'ended', progress: 0.5 });
      await toast('Training ended', {
        key: 'ended',
        type: 'success',
        source: 'train.ipynb'
      });
      await banner('Copying to the new disks', {
        type: 'in-progress',
        progress: 0.3
      });
      await expect(toasts(page)).toHaveCount(3);
    }
  },
  'progress-stopped': {
    show: async page => {
      await row('Training resnet-50', {
        type: 'in-progress',
        progress: 0.3,
        key: 'stopped',
        heartbeat: 5
      });
      await openCenter(page);
      await expect(rows(page)).toContainText('Stopped reporting');
    }
  },

  'banner-one': {
    show: async page => {
      await banner('Servers are stopped on Thursday at 22:00 UTC');
      await expect(banners(page)).toHaveCount(1);
    }
  },
  'banners-three': {
    show: async page => {
      await banner('Servers are stopped on Thursday at 22:00 UTC', {
        dismissable: false
      });
      await banner('Saving to /scratch fails', {
        type: 'error',
        body: BODY,
        actions: ACTIONS.slice(1, 2)
      });
      await banner(LONG, { type: 'info' });
      await expect(banners(page)).toHaveCount(3);
    }
  },
  'banners-eight': {
    show: async page => {
      for (let index = 0; index < 8; index++) {
        await banner(`Storage server ${index} is down`, {
          dismissable: index % 2 === 0
        });
      }
      await expect(banners(page).first()).toBeVisible();
      await expect(page.getByText('5 more')).toBeVisible();
    }
  },
  'banner-opened': {
    show: async page => {
      await banner('Saving to /scratch fails', { type: 'error', body: BODY });
      await banners(page).getByRole('button', { name: 'Details' }).click();
      await untilBody(banners(page));
    }
  },
  'banner-countdown': {
    show: async page => {
      await central.tell('POST', 'broadcasts', {
        summary: 'The network is exchanged',
        category: 'maintenance',
        countdown: new Date(Date.now() + 3600_000).toISOString()
      });
      await expect(banners(page).getByRole('timer')).toBeVisible();
    }
  },

  'center-empty': {
    show: async page => {
      await openCenter(page);
      await expect(center(page)).toContainText('All quiet');
    }
  },
  'center-one': {
    show: async page => {
      await row('Your image build is ready', { type: 'success' });
      await openCenter(page);
      await expect(rows(page)).toHaveCount(1);
    }
  },
  'center-several': { show: severalOpen },
  'center-many': { show: many },
  'center-opened': {
    show: async page => {
      await severalOpen(page);
      await openBody(page);
    }
  },
  'center-picture-opened': {
    show: async page => {
      const { notification_id: id } = await row('Training: loss 0.31', {
        type: 'info',
        body: 'It falls.'
      });
      await givePicture(lab, id, png(200), 'batch queue');
      await openCenter(page);
      await beThere(page);
      await open(page, 'Training');
      await expect(rows(page).locator('img')).toBeVisible();
    }
  },
  'center-texts': {
    show: async page => {
      await row(LONG, { body: LONG });
      await row('x'.repeat(300), { source: 'y'.repeat(80) });
      await row('اكتملت المهمة بنجاح في job-4711', {
        source: 'قائمة الانتظار',
        body: 'نص'
      });
      await row('🎉 Done 👩‍🚀🇫🇮 at last 🎉', { actions: ACTIONS });
      await openCenter(page);
      await expect(rows(page)).toHaveCount(4);
    }
  },
  'center-hovered': {
    show: async page => {
      await severalOpen(page);
      await rows(page, 'You are using').hover();
    }
  },
  'center-keyboard': {
    show: async page => {
      await severalOpen(page);
      await rows(page).first().focus();
      await page.keyboard.press('ArrowDown');
    }
  },
  'center-menu': {
    show: async page => {
      await severalOpen(page);
      await rows(page, 'You are using').click({ button: 'right' });
      await expect(page.locator('.lm-Menu')).toBeVisible();
    }
  },
  'center-selected': {
    show: async page => {
      await severalOpen(page);
      await rows(page).first().focus();
      await page.keyboard.press('Shift+ArrowDown');
      await page.keyboard.press('Shift+ArrowDown');
      await expect(center(page).getByRole('toolbar')).toContainText(
        '3 selected'
      );
    }
  },
  'center-undo': {
    show: async page => {
      await severalOpen(page);
      await rows(page, 'You are using').focus();
      await page.keyboard.press('e');
      await expect(center(page).locator('.jp-NotifyUndo')).toContainText(
        'Done'
      );
    }
  },
  'center-search': {
    show: async page => {
      await severalOpen(page);
      await searchField(page).fill('pipeline');
      await expect(rows(page)).toHaveCount(1);
    }
  },
  'center-no-result': {
    show: async page => {
      await severalOpen(page);
      await searchField(page).fill('nothing has this word');
      await expect(rows(page)).toHaveCount(0);
    }
  },
  'center-completion': {
    show: async page => {
      await severalOpen(page);
      await searchField(page).focus();
      await page.keyboard.type('ty');
    }
  },
  'center-filter': {
    show: async page => {
      await severalOpen(page);
      await center(page)
        .getByRole('button', { name: /Filter/ })
        .click();
      await expect(
        center(page).getByRole('checkbox', { name: /quota/ })
      ).toBeVisible();
    }
  },
  'center-done': {
    show: async page => {
      await severalOpen(page);
      await lab.dismissAll();
      await view(page, 'Done');
      await expect(rows(page)).toHaveCount(6);
    }
  },
  'center-snoozed': {
    show: async page => {
      await severalOpen(page);
      await rows(page, 'You are using').click({ button: 'right' });
      await choose(page, 'Snooze until Tomorrow');
      await view(page, 'Snoozed');
      await expect(rows(page)).toContainText('Comes back');
    }
  },
  'center-muted': {
    show: async page => {
      await severalOpen(page);
      await rows(page, 'You are using').click({ button: 'right' });
      await choose(page, /^Mute/);
      await expect(center(page).locator('.jp-NotifyUndo')).toContainText(
        'Muted'
      );
      await page.mouse.move(400, 700);
    }
  },
  'center-quiet': {
    show: async page => {
      await severalOpen(page);
      await lab.api('PATCH', 'jupyterlab-notify/quiet', { doNotDisturb: true });
      await expect(bell(page)).toHaveClass(/jp-mod-silent/);
    }
  },
  'bell-menu': {
    show: async page => {
      await several();
      await bell(page).click({ button: 'right' });
      await expect(page.locator('.lm-Menu')).toBeVisible();
    }
  },
  'center-shortcuts': {
    show: async page => {
      await severalOpen(page);
      await rows(page).first().focus();
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog')).toBeVisible();
    }
  },
  'center-this-tab': {
    show: async page => {
      await several();
      await page.evaluate(async () => {
        const app = (window as any).jupyterapp;
        await app.commands.execute('apputils:notify', {
          message: 'Building the extension',
          type: 'in-progress',
          options: { autoClose: false, progress: 0.4 }
        });
      });
      await openCenter(page);
      await expect(center(page)).toContainText('Building the extension');
    }
  },
  'center-offline': {
    via: proxy,
    show: async page => {
      await severalOpen(page);
      proxy.cut();
      await expect(center(page)).toContainText('Reconnecting');
    }
  },
  'center-error': {
    show: async page => {
      await severalOpen(page);
      await page.route('**/jupyterlab-notify/notifications?*', route =>
        route.fulfill({
          status: 503,
          json: { success: false, message: 'The database is busy.' }
        })
      );
      await view(page, 'Done');
      await expect(center(page)).toContainText('could not be fetched');
    }
  },
  'center-loading': {
    show: async page => {
      await openCenter(page);
      await page.route('**/jupyterlab-notify/notifications?*', () => undefined);
      await view(page, 'Done');
      await expect(
        center(page).locator('.jp-NotifySkeleton-list')
      ).toBeVisible();
    }
  },
  'center-question': {
    show: async page => {
      await row('Loss is rising. Continue?', {
        type: 'warning',
        source: 'train.ipynb',
        reply: { choices: ['Stop', 'Continue'], text: true }
      });
      await openCenter(page);
      await open(page, 'Loss is rising');
    }
  },
  'center-as-a-page': {
    show: async page => {
      await several();
      await runCommand(page, 'jupyterlab-notify:open-in-main');
      await expect(page.locator('.jp-NotifyRow').first()).toBeVisible();
    }
  },

  'two-tabs': {
    show: async page => {
      await severalOpen(page);
      const other = await lab.open(page.context().browser()!, {
        context: page.context(),
        path: 'lab/workspaces/other'
      });
      await openCenter(other);
      await open(other, 'Pipeline');
      await other.close();
      await expect(rows(page, 'Pipeline')).not.toHaveClass(/jp-mod-unread/);
    }
  },

  settings: { show: page => openSettings(page, 'Toasts') },
  'send-form': {
    show: async page => {
      void runCommand(page, 'jupyterlab-notify:send').catch(() => undefined);
      await expect(page.locator('.jp-Dialog')).toBeVisible();
    }
  },

  'notebook-7-tree': {
    in: notebook,
    show: async page => {
      await notebook.push({
        message: 'Job 4711 finished',
        type: 'success',
        autoClose: false
      });
      await expect(toasts(page)).toHaveCount(1);
    }
  },
  'notebook-7-center': {
    in: notebook,
    path: 'notebooks/train.ipynb',
    show: async page => {
      await expect(page.locator('.jp-NotebookPanel')).toBeVisible();
      await notebook.push({ message: 'Job 4711 finished', type: 'success' });
      await openCenter(page);
      await expect(rows(page).first()).toBeVisible();
    }
  },
  'single-document': {
    show: async page => {
      await openNotebook(page, 'train.ipynb');
      await runCommand(page, 'application:toggle-mode');
      await several();
      await banner('Servers are stopped on Thursday at 22:00 UTC');
      await toast('Job 4712 failed', { type: 'error' });
      await expect(toasts(page)).toHaveCount(1);
    }
  },
  ...Object.fromEntries(
    [1920, 900, 480].map((width): [string, IState] => [
      `window-${width}`,
      { window: { viewport: { width, height: 800 } }, show: allAtOnce }
    ])
  ),
  ...Object.fromEntries(
    [1920, 900, 480].map((width): [string, IState] => [
      `window-${width}-center`,
      {
        window: { viewport: { width, height: 800 } },
        show: async page => {
          await severalOpen(page);
          await openBody(page);
        }
      }
    ])
  ),
  'zoom-200': {
    window: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
    show: allAtOnce
  },
  'zoom-200-center': {
    window: { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
    show: severalOpen
  },
  'high-contrast': { forcedColors: 'active', show: allAtOnce },
  'high-contrast-center': {
    forcedColors: 'active',
    show: async page => {
      await severalOpen(page);
      await openBody(page);
    }
  }
};

/** Toasts, banners and the bell. */
async function allAtOnce(page: Page): Promise<void> {
  await several();
  await banner('Servers are stopped on Thursday at 22:00 UTC');
  await banner('Saving to /scratch fails', { type: 'error', body: BODY });
  await toast('Job 4711 finished', {
    type: 'success',
    actions: ACTIONS.slice(0, 3)
  });
  await toast(LONG, { type: 'error' });
  await expect(toasts(page)).toHaveCount(2);
}

/** Leave nothing of a state to the next one. */
async function clear(): Promise<void> {
  for (const server of [lab, notebook]) {
    await server.api('PATCH', 'jupyterlab-notify/quiet', {
      doNotDisturb: false,
      unmute: 'quota'
    });
    for (const where of ['inbox', 'dismissed', 'snoozed'] as const) {
      for (const { id, source } of await server.list(where, 200)) {
        await server.revoke(id, source);
      }
    }
    fs.rmSync(server.welcomeFolder, { recursive: true });
  }
  await central.tell('DELETE', 'state');
}

test.beforeAll(() => {
  fs.mkdirSync(FOLDER, { recursive: true });
  for (const server of [lab, notebook]) {
    fs.copyFileSync(
      path.join(__dirname, 'train.ipynb'),
      path.join(server.root, 'train.ipynb')
    );
  }
});
test.beforeEach(clear);

for (const theme of ['light', 'dark'] as const) {
  for (const [name, state] of Object.entries(STATES)) {
    test(`${name} in the ${theme} theme`, async ({ browser }) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        locale: 'en-US',
        timezoneId: 'UTC',
        colorScheme: theme,
        ...state.window
      });
      const server = state.in ?? lab;
      const page = await server.open(browser, {
        context,
        via: state.via,
        path:
          state.path ??
          (state.in ? undefined : `lab/workspaces/${theme}-${name}`)
      });
      await setTheme(page, theme);
      await page.emulateMedia({ forcedColors: state.forcedColors });
      if (!state.in) {
        await untilLauncher(page);
      }
      await state.show(page);
      await page.screenshot({
        path: path.join(FOLDER, `${name}-${theme}.png`),
        animations: 'disabled',
        caret: 'hide',
        scale: 'css'
      });
      await context.close();
    });
  }
}
