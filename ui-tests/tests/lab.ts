/**
 * Fixtures for the browser tests: a JupyterLab of their own here, a way to break the connection to
 * it in `proxy.ts`, and what a user sees in its pages in `page.ts`.
 *
 * A file of tests says `const lab = useLab()` and gets a server that is started before its first
 * test and stopped after its last, with directories of its own: it may be killed, and its database
 * deleted.
 */
import {
  type Browser,
  type BrowserContext,
  expect,
  type Page,
  test
} from '@playwright/test';
import { type ChildProcess, spawn } from 'child_process';
import { randomBytes } from 'crypto';
import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';

import {
  type IOpenOptions,
  LAB_NOTIFICATIONS,
  newWindow,
  openLab
} from './page';
import { freePort } from './ports';

export { expect, test };
export * from './page';
export * from './proxy';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;

/** Variables that would let a server see the machine that the tests run on. */
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
  closed: string | null;
  dismissed: string | null;
  [field: string]: unknown;
}

/** An answer of the server. */
export interface IAnswer<T = any> {
  status: number;
  body: T;
}

/** The options with which a server is started. */
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

/**
 * A real server with directories of its own.
 */
// Longer than two screens: all that a test may ask of one server.
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

  /** The path of its database. */
  get database(): string {
    return path.join(this._folder, 'data', 'notify', 'notifications.sqlite');
  }

  /** All that the server has logged. */
  get log(): string {
    return fs.readFileSync(this._logFile, 'utf8');
  }

  /** Start it, and wait until it answers. */
  // Longer than a screen: the server's whole configuration, in order.
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
          // A module in that folder says why it is there.
          PYTHONPATH: path.resolve(
            __dirname,
            '..',
            '..',
            'tests',
            'support',
            'left_out'
          )
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

  /** Close its pages, stop it as a user would, and remove what it has written. */
  async stop(): Promise<void> {
    // A page whose server is gone would ask for it all through the files that follow, in the same
    // browser.
    await Promise.all(this._opened.splice(0).map(opened => opened.close()));
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
      // An answer that is not JSON stays text.
    }
    return { status: response.status, body: answer };
  }

  /** Push a notification, or its text, the way a hub does. */
  async push(payload: IPayload | string): Promise<IReceipt> {
    const message =
      typeof payload === 'string' ? { message: payload } : payload;
    const receipt = await this._ok<IReceipt>(
      'POST',
      'jupyterlab-notify/ingest',
      message
    );
    for (const name of [receipt.notification_id, message.key]) {
      if (typeof name === 'string' && typeof message.source === 'string') {
        this._sources.set(name, message.source);
      }
    }
    return receipt;
  }

  /** Revoke a notification as its sender: by default as the source that pushed it here. */
  async revoke(
    idOrKey: string,
    source = this._sources.get(idOrKey)
  ): Promise<void> {
    const name = encodeURIComponent(idOrKey);
    const as = source ? `?source=${encodeURIComponent(source)}` : '';
    await this._ok('DELETE', `jupyterlab-notify/ingest/${name}${as}`);
  }

  /** Read its status: version, store, tabs, counts. */
  async status(): Promise<any> {
    return this._ok('GET', 'jupyterlab-notify/status');
  }

  /** The newest notifications of a view, newest first. */
  async list(
    view: 'inbox' | 'unread' | 'dismissed' | 'snoozed' = 'inbox',
    limit = 50
  ): Promise<IRow[]> {
    const page = await this._ok<{ notifications: IRow[] }>(
      'GET',
      `jupyterlab-notify/notifications?view=${view}&limit=${limit}`
    );
    return page.notifications;
  }

  /** Change a notification's state, as its user does in another tab. */
  async change(
    id: string,
    state: { read?: boolean; closed?: boolean; dismissed?: boolean }
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

  /** The folder of this user's welcome messages, as files. */
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

  /** Open a page, and wait until it is ready: see `openLab`. */
  async open(browser: Browser, options: IOpenOptions = {}): Promise<Page> {
    const context = options.context ?? (await browser.newContext());
    const page = options.window
      ? await newWindow(context)
      : await context.newPage();
    this._opened.push(options.context ? page : context);
    await openLab(page, this, options);
    return page;
  }

  /** Make the address of a page. */
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
        // JupyterLab does not ask for updates; a setting keeps it from asking for news.
        'c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"',
        // The second look at a silent sender is meant for clocks that differ; here they do not.
        'from jupyterlab_notify.app import NotifyApp',
        'from jupyterlab_notify.timings import StorageTimings, Timings',
        'NotifyApp.timings = Timings(storage=StorageTimings(second_look_ms=500))',
        // Tests push more at once than one sender may.
        'c.NotifyApp.ingest_rate = 0',
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
  /** What `open` has opened: a page, or the context that it made for it. */
  private readonly _opened: (Page | BrowserContext)[] = [];
  /** The sources of messages that were pushed here and named one, by id. */
  private readonly _sources = new Map<string, string>();
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

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
