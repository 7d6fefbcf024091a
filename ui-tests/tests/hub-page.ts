/**
 * A real JupyterHub that `configure(c)` has set up, below a prefix, and what the tests of its
 * pages do with it.
 */
import { type ChildProcess, spawn } from 'child_process';
import * as path from 'path';
import { createInterface } from 'readline';

import {
  type Browser,
  type BrowserContext,
  expect,
  type Page,
  test
} from '@playwright/test';

/** The hub's description that `python -m tests.page_hub` prints. */
interface IPlace {
  /** The hub's address, without a slash at the end. */
  url: string;
  /** The service's, without a slash at the end. */
  service: string;
  password: string;
  /** A token of each user; that of `root` is an administrator's. */
  tokens: Record<string, string>;
}

/** The options with which a hub is started. */
export interface IHubOptions {
  /** Arguments of `configure(c, …)`. */
  configure?: string;
  /** Its prefix; by default one of two parts. */
  baseUrl?: string;
  /** `hub5` for JupyterHub 5. */
  python?: string;
  /** Users whose servers run. */
  spawn?: string[];
  /** True if the service has a template, `quota`. */
  templates?: boolean;
}

export class Hub {
  constructor(
    readonly place: IPlace,
    private _child: ChildProcess,
    private _lines: AsyncIterator<string>
  ) {}

  /** Start a hub; `site` are lines of its configuration. */
  static async start(site: string, options: IHubOptions = {}): Promise<Hub> {
    const child = spawn(
      'python3',
      [
        ...['-m', 'tests.page_hub', '--site', site],
        ...['--base-url', options.baseUrl ?? '/hubs/one/'],
        ...['--configure', options.configure ?? ''],
        ...(options.python ? ['--python', options.python] : []),
        ...(options.templates ? ['--templates'] : []),
        ...(options.spawn?.length ? ['--spawn', ...options.spawn] : [])
      ],
      {
        cwd: path.resolve(__dirname, '..', '..', 'hub'),
        stdio: ['pipe', 'pipe', 'inherit']
      }
    );
    const lines = createInterface({ input: child.stdout! })[
      Symbol.asyncIterator
    ]();
    const first = await lines.next();
    if (first.done) {
      throw new Error('The hub did not start.');
    }
    return new Hub(JSON.parse(first.value), child, lines);
  }

  /** Have the service stopped or started, as it does when its machine goes down. */
  async tell(what: 'stop-service' | 'start-service'): Promise<void> {
    this._child.stdin!.write(`${what}\n`);
    expect((await this._lines.next()).value).toBe(what);
  }

  /** Close the pages of all who have logged in, and stop it. */
  async stop(): Promise<void> {
    await Promise.all(this._contexts.splice(0).map(one => one.close()));
    if (this._child.exitCode === null) {
      const ended = new Promise(resolve => this._child.once('exit', resolve));
      this._child.stdin!.end();
      await ended;
    }
  }

  /** Ask the service with a user's token. */
  async api(
    user: string,
    method: string,
    where: string,
    body?: object
  ): Promise<any> {
    const answer = await fetch(`${this.place.service}/v1/${where}`, {
      method,
      headers: {
        Authorization: `Bearer ${this.place.tokens[user]}`,
        'Content-Type': 'application/json'
      },
      body: body && JSON.stringify(body)
    });
    expect(answer.status, `${method} ${where}`).toBeLessThan(300);
    const text = await answer.text();
    return text ? JSON.parse(text) : undefined;
  }

  /** Send a broadcast without the page; return its id. */
  async broadcast(fields: object): Promise<string> {
    return (await this.api('root', 'POST', 'admin/broadcasts', fields)).id;
  }

  /** Send a question to four users for pictures of its results; return its id. */
  async broadcastToFour(): Promise<string> {
    const id = await this.broadcast({
      summary: 'The quota service is slow',
      body: 'Saving may take **some seconds**. We are looking into it.',
      type: 'warning',
      reply: { choices: ['Fine here', 'Slow here'], text: true },
      users: ['ada', 'bob', 'carol@example.org', "o'brien"]
    });
    const receipt = (user: string, fields: object) =>
      this.api(user, 'POST', 'receipts', {
        receipts: [{ id, at: new Date().toISOString(), ...fields }]
      });
    await receipt('ada', { state: 'shown', tabs: 2 });
    await receipt('bob', { state: 'shown', tabs: 1 });
    await receipt('carol@example.org', { state: 'stored', server: 'gpu' });
    await this.api('bob', 'POST', `broadcasts/${id}/reply`, {
      reply: 'Slow here'
    });
    return id;
  }

  /** Log in at the hub as a user opens a page there; return the browser's context. */
  async login(
    browser: Browser,
    user: string,
    options: object = {}
  ): Promise<BrowserContext> {
    const context = await browser.newContext(options);
    this._contexts.push(context);
    const page = await context.newPage();
    await page.goto(this.place.service);
    await page.getByLabel('Username').fill(user);
    await page.getByLabel('Password').fill(this.place.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${this.place.service}/**`);
    await page.close();
    return context;
  }

  /** One for each login. */
  private readonly _contexts: BrowserContext[] = [];
}

/**
 * The two errors that htmx logs when a form changes again before the answer to its last request; a
 * request that fails logs others.
 */
const REPLACED = /^htmx:(afterRequest|sendAbort),/;

/** Open a page of the service; collect everything that its console complains of. */
export async function open(
  context: BrowserContext,
  url: string,
  complaints: string[] = []
): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', error => complaints.push(error.message));
  page.on('console', message => {
    if (
      ['error', 'warning'].includes(message.type()) &&
      !REPLACED.test(message.text())
    ) {
      complaints.push(message.text());
    }
  });
  // The console does not say what is in a failed answer.
  page.on('response', async response => {
    if (response.status() >= 500) {
      const says = await response.text().catch(() => '');
      complaints.push(`${response.status()} ${response.url()}: ${says}`);
    }
  });
  await page.goto(url);
  return page;
}

/** Expect that nothing reaches beyond the page. */
export async function fits(page: Page): Promise<void> {
  const beyond = await page.evaluate(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) {
      return [];
    }
    return [...document.querySelectorAll('body *')]
      .filter(one => one.getBoundingClientRect().right > root.clientWidth)
      .map(one => `${one.localName}#${one.id}.${one.className}`);
  });
  expect(beyond).toEqual([]);
}

/** Expect that buttons in more than one line begin each line at the same place. */
export async function linesUp(page: Page): Promise<void> {
  const begins = await page
    .locator('.jn-actions-bar, .jn-hold, .jn-row:not(:has(input))')
    .evaluateAll(bars =>
      bars.map(bar => {
        const lines = new Map<number, number>();
        for (const button of bar.querySelectorAll('.jn-button')) {
          const { left, bottom } = button.getBoundingClientRect();
          const line = Math.round(bottom);
          lines.set(line, Math.min(lines.get(line) ?? left, left));
        }
        return new Set([...lines.values()].map(Math.round)).size;
      })
    );
  expect(Math.max(1, ...begins)).toBe(1);
}

/**
 * Expect that a page fits in both themes, and take pictures for a human to look at.
 *
 * @param more - What else is expected in each theme.
 */
export async function looks(
  context: BrowserContext,
  name: string,
  url: string,
  more?: (page: Page) => Promise<void>
): Promise<void> {
  // A page of its own, whose console is not checked: it reports that the policy blocks the styles
  // of axe and of screenshots.
  const page = await open(context, url);
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of [480, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await fits(page);
      await page.screenshot({
        path: test.info().outputPath(`${name}-${scheme}-${width}.png`),
        fullPage: true
      });
    }
    await more?.(page);
  }
  await page.close();
}

/** Revoke the message whose results a page shows. */
export async function revoke(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Revoke' }).click();
  await page
    .getByRole('button', { name: 'Revoke', exact: true })
    .last()
    .click();
  await expect(page.getByText('revoked', { exact: true })).toBeVisible();
}
