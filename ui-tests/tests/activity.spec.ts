/**
 * A forgotten tab lets its server be culled: at a real JupyterHub, a hidden tab with this extension
 * gives the proxy no more signs of its user's activity than one of bare JupyterLab, and messages
 * still arrive in it at once.
 */
import { type ChildProcess, spawn } from 'child_process';
import type { CDPSession } from '@playwright/test';
import * as path from 'path';
import { createInterface } from 'readline';

import { launchOptions } from '../browser';
import { expect, test } from './lab';

// Only in a browser with windows is a tab behind another one hidden.
test.use({ launchOptions: launchOptions(true) });

/** A user with this extension, and one with JupyterLab alone. */
const USER = 'ada';
const BARE = 'bob';

/**
 * Time in seconds for which the proxy is watched: several keep-alive frames, `make test-activity`
 * more.
 */
const WATCHED_S = Number(process.env.NOTIFY_ACTIVITY_S || 90);

/** Time in seconds in which JupyterLab's own requests fall silent in a hidden tab. */
const SETTLED_S = 75;

/** The hub's description that `python -m tests.support.hub` prints. */
interface IHub {
  url: string;
  password: string;
  service_token: string;
}

let hub: IHub;
let child: ChildProcess;

test.beforeAll(async () => {
  child = spawn(
    'python3',
    ['-m', 'tests.support.hub', '--user', USER, '--bare', BARE],
    {
      cwd: path.resolve(__dirname, '..', '..'),
      stdio: ['pipe', 'pipe', 'inherit']
    }
  );
  for await (const line of createInterface({ input: child.stdout! })) {
    hub = JSON.parse(line);
    return;
  }
  throw new Error('The hub did not start.');
});

test.afterAll(async () => {
  if (child.exitCode === null) {
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.stdin!.end();
    await ended;
  }
});

// Longer than a screen: one long watch, which no second test should pay for.
test('a hidden tab gives no sign of activity, and still gets messages at once', async ({
  browser
}) => {
  test.setTimeout((WATCHED_S + SETTLED_S + 180) * 1000);
  const session = await browser.newBrowserCDPSession();
  const user = await Tab.open(session);
  const bare = await Tab.open(session);
  await user.signIn(USER);
  await bare.signIn(BARE);
  await expect.poll(() => user.evaluate(HAS_BELL)).toBe(true);
  expect(await bare.evaluate(HAS_BELL)).toBe(false);
  for (const tab of [user, bare]) {
    await tab.hide();
  }
  await new Promise(resolve => setTimeout(resolve, SETTLED_S * 1000));

  const before = await activity();
  await new Promise(resolve => setTimeout(resolve, WATCHED_S * 1000));
  const after = await activity();
  test.info().annotations.push({
    type: 'last activity',
    description: JSON.stringify({ before, after })
  });
  // Bare JupyterLab is silent, and so is this extension.
  expect(after[BARE]).toBe(before[BARE]);
  expect(after[USER]).toBe(before[USER]);

  // It listened all the while.
  const pushed = Date.now();
  const receipt = await push('Still there?');
  expect(receipt.tabs).toBe(1);
  await expect
    .poll(() => user.frames.some(frame => frame.includes('Still there?')))
    .toBe(true);
  const arrived_ms = Date.now() - pushed;
  test.info().annotations.push({
    type: 'arrived after',
    description: `${arrived_ms} ms`
  });
  console.log(
    `In ${WATCHED_S} s the hub's last activity of a hidden tab with this extension moved by ` +
      `${moved(before, after, USER)} s, of one without by ${moved(before, after, BARE)} s; then a ` +
      `message arrived after ${arrived_ms} ms.`
  );
  // The pages were hidden to the end, and the watched activity moves when somebody works.
  for (const [tab, name] of [
    [user, USER],
    [bare, BARE]
  ] as const) {
    expect(await tab.evaluate('document.hidden')).toBe(true);
    const asked = `fetch('/user/${name}/api/contents', {
      headers: { 'X-XSRFToken': /_xsrf=([^;]*)/.exec(document.cookie)[1] }
    }).then(({ status }) => status)`;
    expect(await tab.evaluate(asked)).toBe(200);
  }
  for (const name of [USER, BARE]) {
    await expect
      .poll(async () => (await activity())[name] > after[name])
      .toBe(true);
  }
});

/** True in a page of JupyterLab that has this extension's bell. */
const HAS_BELL = `!!document.querySelector('#jp-main-dock-panel')
  && !!document.querySelector('.jp-NotifyBell')`;

/**
 * A browser's tab, spoken to in the browser's own protocol: Playwright makes the browser take each
 * of its pages for one in sight.
 */
class Tab {
  static async open(browser: CDPSession): Promise<Tab> {
    const { browserContextId } = await browser.send(
      'Target.createBrowserContext'
    );
    const tab = new Tab(browser, browserContextId);
    const { targetId } = await browser.send('Target.createTarget', {
      url: 'about:blank',
      browserContextId
    });
    const { sessionId } = await browser.send('Target.attachToTarget', {
      targetId,
      flatten: false
    });
    tab._sessionId = sessionId;
    await tab._send('Network.enable');
    return tab;
  }

  private constructor(browser: CDPSession, context: string) {
    this._browser = browser;
    this._context = context;
    browser.on('Target.receivedMessageFromTarget', event => {
      if (event.sessionId === this._sessionId) {
        const { id, method, params, result } = JSON.parse(event.message);
        this._waiting.get(id)?.(result);
        if (method === 'Network.webSocketFrameReceived') {
          this.frames.push(params.response.payloadData);
        }
      }
    });
  }

  /** Frames that came over WebSockets. */
  readonly frames: string[] = [];

  async evaluate(expression: string): Promise<unknown> {
    const answer = await this._send('Runtime.evaluate', {
      expression,
      awaitPromise: true
    });
    return answer?.result?.value;
  }

  /** Go to a user's JupyterLab through the hub's login page. */
  async signIn(user: string): Promise<void> {
    await this._send('Page.navigate', { url: `${hub.url}/user/${user}/lab` });
    await expect
      .poll(() => this.evaluate('!!document.querySelector("#username_input")'))
      .toBe(true);
    await this.evaluate(`
      document.querySelector('#username_input').value = ${JSON.stringify(user)};
      document.querySelector('#password_input').value = ${JSON.stringify(hub.password)};
      document.querySelector('#login_submit').click();
    `);
    await expect
      .poll(() =>
        this.evaluate('!!document.querySelector("#jp-main-dock-panel")')
      )
      .toBe(true);
  }

  /** Open another tab in front of it. */
  async hide(): Promise<void> {
    await this._browser.send('Target.createTarget', {
      url: 'about:blank',
      browserContextId: this._context
    });
    await expect.poll(() => this.evaluate('document.hidden')).toBe(true);
  }

  private async _send(method: string, params = {}): Promise<any> {
    const id = ++this._last;
    const answer = new Promise(resolve => this._waiting.set(id, resolve));
    await this._browser.send('Target.sendMessageToTarget', {
      sessionId: this._sessionId,
      message: JSON.stringify({ id, method, params })
    });
    return answer;
  }

  private readonly _browser: CDPSession;
  private readonly _context: string;
  private readonly _waiting = new Map<number, (result: any) => void>();
  private _last = 0;
  private _sessionId = '';
}

/** Read the last activity of each user, as the proxy has it. */
async function activity(): Promise<Record<string, string>> {
  const answer = await fetch(`${hub.url}/hub/api/proxy`, {
    headers: { Authorization: `Bearer ${hub.service_token}` }
  });
  expect(answer.status).toBe(200);
  const routes = await answer.json();
  return Object.fromEntries(
    [USER, BARE].map(user => [
      user,
      routes[`/user/${user}/`].data.last_activity
    ])
  );
}

/** By how many seconds a user's last activity moved. */
function moved(
  before: Record<string, string>,
  after: Record<string, string>,
  user: string
): number {
  return (Date.parse(after[user]) - Date.parse(before[user])) / 1000;
}

async function push(message: string): Promise<{ tabs: number }> {
  // The token that the hub's script prints has expired by now.
  const minted = await fetch(`${hub.url}/hub/api/users/${USER}/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${hub.service_token}` },
    body: JSON.stringify({ expires_in: 300 })
  });
  expect(minted.status).toBe(201);
  const { token } = await minted.json();
  const answer = await fetch(
    `${hub.url}/user/${USER}/jupyterlab-notify/ingest`,
    {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${token}`
      },
      body: JSON.stringify({ message, autoClose: false })
    }
  );
  expect(answer.status).toBe(200);
  return answer.json();
}
