/**
 * What the browser tests share: a JupyterLab of their own, a way to break the
 * connection to it, and what a user sees in its pages.
 *
 * A file of tests says `const lab = useLab()` and gets a server that is
 * started before its first test and stopped after its last, with directories
 * of its own: it may be killed, and its database deleted.
 */
import {
  type Browser,
  type BrowserContext,
  expect,
  type Locator,
  type Page,
  test
} from '@playwright/test';
import { type ChildProcess, spawn } from 'child_process';
import { randomBytes } from 'crypto';
import * as fs from 'fs';
import * as net from 'net';
import * as os from 'os';
import * as path from 'path';

export { expect, test };

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;

/** How often a page is asked for something, where not each time that it is drawn. */
const ONCE_IN_A_WHILE = { polling: 50 };

/** What would let a server see the machine that the tests run on. */
const FOREIGN = /^(JUPYTER|JPY_|IPYTHON|XDG_|NOTEBOOK)/;

/** A notification to push; any other field of the contract besides. */
export interface IPayload {
  message: string;
  [field: string]: unknown;
}

/** The answer to a push. */
export interface IReceipt {
  success: boolean;
  notification_id: string;
  seq: number;
  tabs: number;
  durable: boolean;
}

/** A row as the stream and the list carry it. */
export interface IRow {
  id: string;
  seq: number;
  position: number;
  type: string;
  message: string;
  source: string;
  progress: number | null;
  read: string | null;
  dismissed: string | null;
  [field: string]: unknown;
}

/** An answer of the server. */
export interface IAnswer<T = any> {
  status: number;
  body: T;
}

/** How a server is started. */
export interface ILabOptions {
  /** The application: JupyterLab, or Notebook 7. */
  app?: 'lab' | 'notebook';
  /** Lines of its Python configuration file, in which `c` is the configuration. */
  config?: string;
  /** Settings that its user has saved before: by plugin, then by name. */
  settings?: Record<string, Record<string, unknown>>;
  /** A server whose user's home directory this one has too. */
  beside?: Lab;
}

/** How a page is opened. */
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

/**
 * A real server with directories of its own.
 */
export class Lab {
  constructor(options: ILabOptions = {}) {
    this._options = options;
  }

  readonly token = randomBytes(16).toString('hex');

  /** Its port: the same after each restart. */
  port = 0;

  /** The base URL, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The folder whose files a user sees. */
  get root(): string {
    return path.join(this._folder, 'root');
  }

  /** Where the notifications are kept. */
  get database(): string {
    return path.join(this._folder, 'data', 'notify', 'notifications.sqlite');
  }

  /** All that the server has logged. */
  get log(): string {
    return fs.readFileSync(this._logFile, 'utf8');
  }

  /** Start it, and wait until it answers. */
  async start(): Promise<void> {
    if (this._options.beside) {
      this._folder = this._options.beside._folder;
    } else if (!this._folder) {
      this._folder = fs.mkdtempSync(path.join(os.tmpdir(), 'notify-ui-'));
      this._makeFolders();
    }
    this.port ||= await freePort();
    const folder = this._folder;
    const log = fs.openSync(this._logFile, 'a');
    const environment = Object.entries(process.env).filter(
      ([name]) => !FOREIGN.test(name)
    );
    const app = this._options.app ?? 'lab';
    const child = spawn(
      `jupyter-${app}`,
      ['--no-browser', '--allow-root', `--ServerApp.port=${this.port}`],
      {
        cwd: this.root,
        env: {
          ...Object.fromEntries(environment),
          HOME: folder,
          IPYTHONDIR: path.join(folder, 'ipython'),
          JUPYTER_CONFIG_DIR: path.join(folder, 'config'),
          JUPYTER_DATA_DIR: path.join(folder, 'data'),
          JUPYTER_RUNTIME_DIR: path.join(folder, 'runtime'),
          JUPYTER_TOKEN: this.token,
          // A module there says why.
          PYTHONPATH: path.resolve(__dirname, '..', '..', 'tests', 'left_out')
        },
        stdio: ['ignore', log, log]
      }
    );
    fs.closeSync(log);
    this._child = child;
    process.on('exit', this._onExit);
    let failure: unknown = undefined;
    child.on('error', error => {
      failure = error;
    });
    const end = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const answer = await this.api('GET', 'api/status').catch(() => null);
      if (answer?.status === 200) {
        return;
      }
      if (failure || child.exitCode !== null || Date.now() > end) {
        await this._end('SIGKILL');
        throw new Error(`The server did not start.\n${failure ?? this.log}`);
      }
      await pause(50);
    }
  }

  /** Stop it as a user would, and remove what it has written. */
  async stop(): Promise<void> {
    await this._end('SIGTERM');
    if (this._folder) {
      if (!this._options.beside) {
        fs.rmSync(this._folder, {
          recursive: true,
          force: true,
          maxRetries: 5
        });
      }
      this._folder = '';
    }
  }

  /** End it so that it can save nothing. */
  async kill9(): Promise<void> {
    await this._end('SIGKILL');
  }

  /** Start it again, on the same port and with what it has kept. */
  async restart(): Promise<void> {
    await this._end('SIGTERM');
    await this.start();
  }

  /** Ask it, with its token unless another one (or none: `null`) is given. */
  async api<T = any>(
    method: string,
    path: string,
    body?: unknown,
    token: string | null = this.token
  ): Promise<IAnswer<T>> {
    const response = await fetch(`${this.url}/${path}`, {
      method,
      headers: {
        'Content-Type': 'application/json',
        ...(token === null ? {} : { Authorization: `Bearer ${token}` })
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(10_000)
    });
    const text = await response.text();
    let answer: any = text;
    try {
      answer = JSON.parse(text);
    } catch {
      // As it is.
    }
    return { status: response.status, body: answer };
  }

  /** Push a notification, or its text, the way a hub does. */
  async push(payload: IPayload | string): Promise<IReceipt> {
    return this._ok<IReceipt>(
      'POST',
      'jupyterlab-notify/ingest',
      typeof payload === 'string' ? { message: payload } : payload
    );
  }

  /** Take one back, as its sender. */
  async revoke(idOrKey: string): Promise<void> {
    const name = encodeURIComponent(idOrKey);
    await this._ok('DELETE', `jupyterlab-notify/ingest/${name}`);
  }

  /** How it does: version, store, tabs, counts. */
  async status(): Promise<any> {
    return this._ok('GET', 'jupyterlab-notify/status');
  }

  /** The newest notifications of a view, newest first. */
  async list(
    view: 'inbox' | 'unread' | 'dismissed' = 'inbox',
    limit = 50
  ): Promise<IRow[]> {
    const page = await this._ok<{ notifications: IRow[] }>(
      'GET',
      `jupyterlab-notify/notifications?view=${view}&limit=${limit}`
    );
    return page.notifications;
  }

  /** Mark one read or unread, dismiss it or bring it back, as its user elsewhere. */
  async change(
    id: string,
    state: { read?: boolean; dismissed?: boolean }
  ): Promise<void> {
    await this._ok('PATCH', `jupyterlab-notify/notifications/${id}`, state);
  }

  /** Empty the inbox, so that the next test begins with nothing. */
  async dismissAll(): Promise<void> {
    await this._ok('PATCH', 'jupyterlab-notify/notifications', {
      all: true,
      dismissed: true
    });
  }

  /** Delete the database under the server's feet. */
  deleteDatabase(): void {
    for (const suffix of ['', '-wal', '-shm', '-journal']) {
      fs.rmSync(this.database + suffix, { force: true });
    }
  }

  /** Where this user's welcome messages are, as files. */
  get welcomeFolder(): string {
    const folder = path.join(this._folder, 'data', 'notify', 'welcome');
    fs.mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Write a welcome message as a file. */
  greet(id: string, front: Record<string, unknown>, body: string): void {
    const lines = Object.entries({ id, ...front }).map(
      ([name, value]) => `${name}: ${JSON.stringify(value)}`
    );
    fs.writeFileSync(
      path.join(this.welcomeFolder, `${id}.md`),
      `---\n${lines.join('\n')}\n---\n${body}\n`
    );
  }

  /** A page that is ready: see `openLab`. */
  async open(browser: Browser, options: IOpenOptions = {}): Promise<Page> {
    const context = options.context ?? (await browser.newContext());
    const page = options.window
      ? await newWindow(context)
      : await context.newPage();
    await openLab(page, this, options);
    return page;
  }

  /** Where a page of it is. */
  address(options: IOpenOptions = {}): string {
    const where =
      options.path ?? (this._options.app === 'notebook' ? 'tree' : 'lab');
    const url = new URL(
      where,
      options.via ? `http://127.0.0.1:${options.via.port}/` : `${this.url}/`
    );
    url.searchParams.set('token', this.token);
    return url.href;
  }

  private async _ok<T>(
    method: string,
    path: string,
    body?: unknown
  ): Promise<T> {
    const { status, body: answer } = await this.api<T>(method, path, body);
    if (status !== 200) {
      throw new Error(
        `${method} ${path}: ${status} ${JSON.stringify(answer).slice(0, 500)}`
      );
    }
    return answer;
  }

  private _makeFolders(): void {
    for (const name of ['root', 'config', 'data', 'runtime']) {
      fs.mkdirSync(path.join(this._folder, name));
    }
    fs.writeFileSync(
      path.join(this._folder, 'config', 'jupyter_server_config.py'),
      [
        'c = get_config()',
        'c.ServerApp.ip = "127.0.0.1"',
        'c.ServerApp.port_retries = 0',
        `c.ServerApp.root_dir = ${JSON.stringify(this.root)}`,
        // The tests look at the application in the page.
        'c.LabApp.expose_app_in_browser = True',
        'c.JupyterNotebookApp.expose_app_in_browser = True',
        // JupyterLab asks nobody for updates; the setting below says the same of news.
        'c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"',
        // The second look at a silent sender is for clocks that differ; here they do not.
        'from jupyterlab_notify.app import NotifyApp',
        'from jupyterlab_notify.timings import StorageTimings, Timings',
        'NotifyApp.timings = Timings(storage=StorageTimings(second_look_ms=500))',
        this._options.config ?? '',
        ''
      ].join('\n')
    );
    const settings = {
      [LAB_NOTIFICATIONS]: { fetchNews: 'false' },
      ...this._options.settings
    };
    for (const [plugin, values] of Object.entries(settings)) {
      const file = path.join(
        this._folder,
        'config',
        'lab',
        'user-settings',
        ...plugin.split(':')
      );
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(
        `${file}.jupyterlab-settings`,
        JSON.stringify(values, null, 2)
      );
    }
  }

  private async _end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this._child;
    this._child = null;
    process.off('exit', this._onExit);
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const ended = new Promise(resolve => child.once('exit', resolve));
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.kill(signal);
    await ended;
    clearTimeout(timer);
  }

  private get _logFile(): string {
    const name = this._options.beside ? 'server-beside.log' : 'server.log';
    return path.join(this._folder, name);
  }

  private readonly _onExit = () => {
    this._child?.kill('SIGKILL');
    fs.rmSync(this._folder, { recursive: true, force: true });
  };

  private readonly _options: ILabOptions;
  private _child: ChildProcess | null = null;
  private _folder = '';
}

/**
 * A server for the tests of this file: started before the first of them,
 * stopped after the last.
 */
export function useLab(options: ILabOptions = {}): Lab {
  const lab = new Lab(options);
  test.beforeAll(() => lab.start());
  test.afterAll(() => lab.stop());
  return lab;
}

/**
 * A TCP proxy in front of a server, through which the connections of one tab
 * can be broken while those of another stay up.
 */
export class Proxy {
  /** Where it listens. */
  port = 0;

  /** How many connections were tried while it refused them. */
  refused = 0;

  /** Listen, and pass everything on to a server. */
  async start(target: Lab): Promise<Proxy> {
    this._server = net.createServer(client => this._accept(client, target));
    await new Promise<void>(resolve =>
      this._server!.listen(0, '127.0.0.1', resolve)
    );
    this.port = (this._server.address() as net.AddressInfo).port;
    return this;
  }

  /** Cut every connection, and refuse new ones until `restore`. */
  cut(): void {
    this._open = false;
    this.refused = 0;
    this._destroy();
  }

  /** Let connections through again; returns when that was. */
  restore(): number {
    this._open = true;
    return Date.now();
  }

  /**
   * Forget the connections that are open without closing them, as a router
   * does: their ends wait for what never comes. New ones work.
   */
  freeze(): void {
    for (const socket of this._sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** Close it for good. */
  async stop(): Promise<void> {
    this._destroy();
    await new Promise(resolve =>
      this._server ? this._server.close(resolve) : resolve(undefined)
    );
  }

  private _accept(client: net.Socket, target: Lab): void {
    if (!this._open) {
      this.refused += 1;
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = net.connect(target.port, '127.0.0.1');
    for (const [one, other] of [
      [client, server],
      [server, client]
    ]) {
      this._sockets.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => {
        this._sockets.delete(one);
        other.destroy();
      });
    }
  }

  private _destroy(): void {
    for (const socket of this._sockets) {
      socket.destroy();
    }
    this._sockets.clear();
  }

  private readonly _sockets = new Set<net.Socket>();
  private _open = true;
  private _server: net.Server | null = null;
}

/** Something that happened to a toast. */
export interface IToastEvent {
  what: 'appeared' | 'gone';
  id: string;
  text: string;
  /** When, in milliseconds of the machine's clock. */
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
  // JupyterLab's own, at its leisure, after a test took the server away.
  const lost = page.getByRole('dialog', { name: 'Server Connection Error' });
  await page.addLocatorHandler(
    lost,
    async () => {
      await lost.getByRole('button').last().click();
    },
    // The next one may be there at once.
    { noWaitAfter: true }
  );
  await page.goto(lab.address(options));
  await untilReady(page);
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
 * What toasts came and went on a page since it was loaded, also those that
 * were gone before anybody looked; those with this text.
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
 * How long a toast was on a page; waits until it is gone.
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
  await expect(page.locator('#jp-top-panel')).toBeVisible();
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

/** Plugins with settings. */
export const TOASTS = 'jupyterlab_notify:toasts';
export const ACTIONS = 'jupyterlab_notify:actions';
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
      // What it returns may be a widget, which is too much to be sent here.
      await (window as any).jupyterapp.commands.execute(id, args);
    },
    [id, args] as [string, any]
  );
}

/**
 * Find a command in the palette by words, and run it with the Enter key once it is what that
 * key runs.
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
 * What the model of a page holds of the inbox, newest first.
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
async function newWindow(context: BrowserContext): Promise<Page> {
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

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
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

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
