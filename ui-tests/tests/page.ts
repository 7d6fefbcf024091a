/**
 * A page of JupyterLab in a test: how it is loaded, and what a user sees and does in it.
 */
import {
  type BrowserContext,
  expect,
  type Locator,
  type Page
} from '@playwright/test';

import type { IRow, Lab } from './lab';
import type { Proxy } from './proxy';

/** Options for questions to a page that need no answer at each frame. */
const ONCE_IN_A_WHILE = { polling: 50 };

/**
 * The time in milliseconds by which requests of the product, the answers to them, and the frames of
 * its stream are late at most. Late ones show which test, or which part of the product, does not
 * wait for one, or counts on one before another.
 */
const LATE_MS = Number(process.env.NOTIFY_UI_LATE_MS || 0);

/** The options with which a page is opened. */
export interface IOpenOptions {
  /** Through this proxy instead of directly. */
  via?: Proxy;
  /** The page below the base URL; by default the application's first. */
  path?: string;
  /** In this context; by default in a new one, which shares nothing with others. */
  context?: BrowserContext;
  /** In a window of its own, and not in a tab: it is in front there. */
  window?: boolean;
  /** With the animations of toasts, for which tests wait a second each. */
  motion?: boolean;
}

/** Something that happened to a toast. */
export interface IToastEvent {
  what: 'appeared' | 'gone';
  id: string;
  text: string;
  /** Time, in milliseconds of the machine's clock. */
  at: number;
}

/**
 * Load JupyterLab in a page, and wait until it is restored and listens to
 * notifications.
 */
export async function openLab(
  page: Page,
  lab: Lab,
  options: IOpenOptions = {}
): Promise<void> {
  await page.addInitScript(recordToasts);
  await setMotion(page, options.motion ?? false);
  if (LATE_MS > 0) {
    await page.addInitScript(delayAnswers, LATE_MS);
    await page.addInitScript(delayFrames, LATE_MS);
  }
  // JupyterLab shows this dialog some time after a test has stopped the server.
  const lost = page.getByRole('dialog', { name: 'Server Connection Error' });
  await page.addLocatorHandler(
    lost,
    async () => {
      await lost.getByRole('button').last().click();
    },
    // Another such dialog may appear at once.
    { noWaitAfter: true }
  );
  await page.goto(lab.address(options));
  await untilReady(page);
}

/** Let each request of the product, and the answer to it, take up to so many milliseconds longer. */
function delayAnswers(most: number): void {
  const { fetch } = window;
  const later = () =>
    new Promise(resolve => setTimeout(resolve, Math.random() * most));
  window.fetch = async (resource, options) => {
    const url = resource instanceof Request ? resource.url : `${resource}`;
    if (!url.includes('/jupyterlab-notify/')) {
      return fetch(resource, options);
    }
    await later();
    const answer = await fetch(resource, options);
    await later();
    return answer;
  };
}

/** Let each frame of the product's stream, and its end, come up to so many milliseconds later. */
function delayFrames(most: number): void {
  window.WebSocket = class extends window.WebSocket {
    constructor(...options: ConstructorParameters<typeof window.WebSocket>) {
      super(...options);
      if (!`${options[0]}`.includes('/jupyterlab-notify/')) {
        return;
      }
      const passed = new WeakSet<Event>();
      // Frames stay in order, and do not add up their delays.
      let before = Promise.resolve();
      const delay = (event: Event, copy: () => Event) => {
        if (passed.has(event)) {
          return;
        }
        event.stopImmediatePropagation();
        const due = Date.now() + Math.random() * most;
        before = before.then(async () => {
          await new Promise(resolve => setTimeout(resolve, due - Date.now()));
          const late = copy();
          passed.add(late);
          this.dispatchEvent(late);
        });
      };
      this.addEventListener('message', event =>
        delay(event, () => new MessageEvent('message', { data: event.data }))
      );
      this.addEventListener('close', event =>
        delay(event, () => new CloseEvent('close', event))
      );
    }
  };
}

/**
 * Wait until a page that was loaded, or loaded again, is ready.
 */
export async function untilReady(page: Page): Promise<void> {
  await page.waitForFunction(() => (window as any).jupyterapp);
  await page.evaluate(async () => {
    const app = (window as any).jupyterapp;
    await app.restored;
    for (const token of (app.pluginRegistry ?? app)._services.keys()) {
      if (token.name === 'jupyterlab_notify:INotificationModel') {
        const model = await app.resolveRequiredService(token);
        await model.ready;
        (window as any).notifyModel = model;
        return;
      }
    }
    throw new Error('The model of notifications is not there.');
  });
}

/**
 * Wait until JupyterLab has opened its launcher, as it does where nothing was
 * open: a moment after a page is ready, it takes the focus there.
 */
export async function untilLauncher(page: Page): Promise<void> {
  await expect(page.locator('.jp-Launcher')).toBeVisible();
  await page.waitForFunction(() => document.activeElement !== document.body);
}

/**
 * Wait until the menu that was opened has the focus, and so the keys: it gets
 * them with the frame after it is there.
 */
export async function untilMenu(page: Page): Promise<void> {
  await expect(page.locator('.lm-Menu')).toBeFocused();
}

/**
 * Wait until a page shows nothing of what the inbox had: no toast, and no
 * number at the bell.
 */
export async function untilQuiet(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      const number = document.querySelector('.jp-NotifyBell-badge');
      return (
        !document.querySelector('.jp-toastContainer [data-jp-notify]') &&
        !number?.checkVisibility()
      );
    },
    undefined,
    ONCE_IN_A_WHILE
  );
}

/**
 * Have toasts move as they come and go, or not, as a user's system says.
 */
export async function setMotion(page: Page, motion: boolean): Promise<void> {
  await page.emulateMedia({
    reducedMotion: motion ? 'no-preference' : 'reduce'
  });
}

/**
 * List the toasts with a text that came and went on a page since it was loaded, also those that
 * were gone before anybody looked.
 */
export async function toastEvents(
  page: Page,
  text: string
): Promise<IToastEvent[]> {
  const events = await page.evaluate<IToastEvent[]>(
    () => (window as any).toastEvents
  );
  const ids = events
    .filter(event => event.text.includes(text))
    .map(event => event.id);
  return events.filter(event => ids.includes(event.id));
}

/**
 * Measure how long a toast was on a page; waits until it is gone.
 */
export async function toastTime(page: Page, text: string): Promise<number> {
  await expect
    .poll(
      async () => (await toastEvents(page, text)).map(event => event.what),
      {
        timeout: 30_000,
        intervals: [100],
        message: `the toast “${text}” came and went`
      }
    )
    .toEqual(['appeared', 'gone']);
  const [appeared, gone] = await toastEvents(page, text);
  return gone.at - appeared.at;
}

/**
 * Open the settings, as the center's menu does, and return one of our fields by its text.
 */
export async function openSettings(page: Page, says: string): Promise<Locator> {
  // JupyterLab 4.2 leaves an editor that is open at the page that it shows.
  await page.evaluate(() => {
    const { shell } = (window as any).jupyterapp;
    for (const widget of [...shell.widgets('main')]) {
      if (widget.id === 'setting-editor') {
        widget.close();
      }
    }
  });
  await runCommand(page, 'settingeditor:open', {
    query: 'Notification Center'
  });
  const field = page.locator('.jp-NotifySetting').filter({ hasText: says });
  await expect(field).toBeVisible();
  return field;
}

/**
 * Change a setting in a page, as the settings editor does.
 */
export async function setSetting(
  page: Page,
  plugin: string,
  name: string,
  value: unknown
): Promise<void> {
  await page.evaluate(
    async ([plugin, name, value]) => {
      const app = (window as any).jupyterapp;
      for (const token of (app.pluginRegistry ?? app)._services.keys()) {
        if (token.name === '@jupyterlab/coreutils:ISettingRegistry') {
          const registry = await app.resolveRequiredService(token);
          await registry.set(plugin, name, value);
          return;
        }
      }
      throw new Error('The settings are not there.');
    },
    [plugin, name, value] as [string, string, any]
  );
}

/**
 * Change the theme of a page, and wait until its colours are there.
 */
export async function setTheme(
  page: Page,
  theme: 'light' | 'dark'
): Promise<void> {
  await setSetting(
    page,
    '@jupyterlab/apputils-extension:themes',
    'theme',
    theme === 'light' ? 'JupyterLab Light' : 'JupyterLab Dark'
  );
  await expect(page.locator('body')).toHaveAttribute(
    'data-jp-theme-light',
    String(theme === 'light')
  );
  const colour = theme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(17, 17, 17)';
  // JupyterLab's, or Notebook's.
  await expect(page.locator('#jp-top-panel, #top-panel-wrapper')).toBeVisible();
  await expect
    .poll(() =>
      page.evaluate(() => {
        const probe = document.createElement('div');
        probe.style.background = 'var(--jp-layout-color0)';
        document.body.append(probe);
        const { backgroundColor } = getComputedStyle(probe);
        probe.remove();
        return backgroundColor;
      })
    )
    .toBe(colour);
}

/** The plugin that has all the settings. */
export const SETTINGS = 'jupyterlab_notify:center';
export const LAB_NOTIFICATIONS = '@jupyterlab/apputils-extension:notification';

/**
 * Run a command in a page.
 */
export async function runCommand(
  page: Page,
  id: string,
  args: Record<string, unknown> = {}
): Promise<void> {
  await page.evaluate(
    async ([id, args]) => {
      // The result may be a widget, which is too much to be sent here.
      await (window as any).jupyterapp.commands.execute(id, args);
    },
    [id, args] as [string, any]
  );
}

/**
 * Wait until the notebook in front is connected to its kernel. JupyterLab calls a
 * kernel idle that it has not reached yet, and may give up cells that are run then.
 */
export async function untilKernel(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const panel = (window as any).jupyterapp.shell.currentWidget;
    const kernel = panel?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
  });
}

/**
 * Open a notebook, and wait until its kernel runs cells.
 */
export async function openNotebook(page: Page, path: string): Promise<void> {
  await runCommand(page, 'docmanager:open', { path });
  await expect(
    page.locator('.jp-NotebookPanel:visible .jp-CodeCell').first()
  ).toBeVisible();
  await untilKernel(page);
}

/**
 * Find a command in the palette by words, and press Enter once the palette has selected it.
 */
export async function runFromPalette(
  page: Page,
  words: string,
  id: string
): Promise<void> {
  const palette = page.locator('#modal-command-palette');
  await palette.locator('input').fill(words);
  await expect(
    palette.locator(
      `.lm-CommandPalette-item.lm-mod-active:not(.lm-mod-disabled)[data-command="${id}"]`
    )
  ).toBeVisible();
  await page.keyboard.press('Enter');
}

/**
 * Read the rows of the inbox that a page's model holds, newest first.
 */
export function modelRows(page: Page): Promise<IRow[]> {
  return page.evaluate(() => [...(window as any).notifyModel.notifications]);
}

/** Toasts of ours on the page; those with this text, if one is given. */
export function toasts(page: Page, text?: string | RegExp): Locator {
  const all = page.locator(
    '.jp-toastContainer [data-jp-notify]:not([data-jp-notify="summary"])'
  );
  return text === undefined ? all : all.filter({ hasText: text });
}

/** Press a button of a toast with the mouse; one that has folded opens under it. */
export async function pressToast(
  toast: Locator,
  name: string | RegExp
): Promise<void> {
  await toast.hover();
  await toast.getByRole('button', { name }).click();
}

/** The toast that sums up what is not shown. */
export function summary(page: Page): Locator {
  return page.locator('.jp-toastContainer [data-jp-notify="summary"]');
}

/** The bell's button. */
export function bell(page: Page): Locator {
  return page.locator('.jp-NotifyBell-button');
}

/** The number at the bell; there is none when nothing is unread. */
export function badge(page: Page): Locator {
  return page.locator('.jp-NotifyBell-badge');
}

/** The notification center. */
export function center(page: Page): Locator {
  return page.locator('#jp-notify-center');
}

/** Rows of the center; those with this text, if one is given. */
export function rows(page: Page, text?: string | RegExp): Locator {
  const all = center(page).locator('.jp-NotifyRow');
  return text === undefined ? all : all.filter({ hasText: text });
}

/** The dialog of the welcome messages. */
export function welcome(page: Page): Locator {
  return page.locator('.jp-NotifyWelcome');
}

/** Messages of the banner; those with this text, if one is given. */
export function banners(page: Page, text?: string | RegExp): Locator {
  const all = page.locator('.jp-NotifyBanner-item');
  return text === undefined ? all : all.filter({ hasText: text });
}

/** Open the center with the bell, if it is not open. */
export async function openCenter(page: Page): Promise<Locator> {
  await pressBell(page, true);
  await expect(center(page).locator('.jp-NotifyCenter-content')).toBeVisible();
  return center(page);
}

/** Close the center with the bell, if it is open. */
export async function closeCenter(page: Page): Promise<void> {
  await pressBell(page, false);
  await expect(center(page)).toBeHidden();
}

async function pressBell(page: Page, open: boolean): Promise<void> {
  // After a reload JupyterLab restores the panel, and the bell is drawn a moment later.
  await page.waitForFunction(
    () => {
      const panel = document.querySelector('#jp-notify-center');
      const button = document.querySelector('.jp-NotifyBell-button');
      const shown = !!panel && panel.checkVisibility();
      return button?.getAttribute('aria-pressed') === String(shown);
    },
    undefined,
    ONCE_IN_A_WHILE
  );
  if ((await bell(page).getAttribute('aria-pressed')) !== String(open)) {
    await bell(page).click();
  }
}

/**
 * Open a window in a context that has a page: what is drawn behind another tab
 * is drawn once a second.
 */
export async function newWindow(context: BrowserContext): Promise<Page> {
  const page = await context.newCDPSession(context.pages()[0]);
  const { targetInfo } = await page.send('Target.getTargetInfo');
  const browser = await context.browser()!.newBrowserCDPSession();
  const opened = context.waitForEvent('page');
  await browser.send('Target.createTarget', {
    url: 'about:blank',
    browserContextId: targetInfo.browserContextId,
    newWindow: true
  });
  await Promise.all([page.detach(), browser.detach()]);
  return opened;
}

/** Runs in the page, before anything else. */
function recordToasts(): void {
  const events: IToastEvent[] = ((window as any).toastEvents = []);
  const record = (what: IToastEvent['what'], nodes: NodeList) => {
    for (const node of Array.from(nodes)) {
      if (node instanceof HTMLElement) {
        const found = node.matches('.Toastify__toast')
          ? [node]
          : Array.from(node.querySelectorAll('.Toastify__toast'));
        for (const { id, textContent } of found) {
          events.push({ what, id, text: textContent!, at: Date.now() });
        }
      }
    }
  };
  new MutationObserver(records => {
    for (const { addedNodes, removedNodes } of records) {
      record('appeared', addedNodes);
      record('gone', removedNodes);
    }
  }).observe(document, { childList: true, subtree: true });
}
