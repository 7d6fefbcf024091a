/**
 * A real JupyterHub: a message that it pushes through its proxy, as hubs in the
 * field do, is a toast in the browser of the user who logged in there.
 */
import { type ChildProcess, spawn } from 'child_process';
import * as path from 'path';
import { createInterface } from 'readline';

import {
  badge,
  banners,
  bell,
  expect,
  openCenter,
  rows,
  test,
  toasts
} from './lab';

/** The hub's description that `python -m tests.support.hub` prints. */
interface IHub {
  /** The hub's address, without a slash at the end. */
  url: string;
  /** The address of the user's server. */
  server: string;
  user: string;
  password: string;
  /** A token of the user, for five minutes. */
  token: string;
  /** The token of a service of the hub. */
  messenger_token: string;
}

/** A hub's message: the example of the contract. */
const PAYLOAD = {
  message: 'Maintenance scheduled for 10 PM tonight',
  type: 'warning',
  autoClose: false,
  actions: [
    {
      label: 'Dismiss',
      caption: 'Close this notification',
      displayType: 'default'
    }
  ]
};

let hub: IHub;
let child: ChildProcess;

test.beforeAll(async () => {
  child = spawn('python3', ['-m', 'tests.support.hub', '--user', 'ada'], {
    cwd: path.resolve(__dirname, '..', '..'),
    stdio: ['pipe', 'pipe', 'inherit']
  });
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

// Longer than a screen: one user at one hub, whose start costs seconds.
test('What a JupyterHub pushes is a toast in the page of its user', async ({
  page
}) => {
  await page.goto(`${hub.server}/lab`);
  await page.getByLabel('Username').fill(hub.user);
  await page.getByLabel('Password').fill(hub.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${hub.server}/lab**`);
  await expect(bell(page)).toBeVisible();
  await expect
    .poll(async () => {
      const answer = await fetch(`${hub.server}/jupyterlab-notify/status`, {
        headers: { Authorization: `Bearer ${hub.token}` }
      });
      return (await answer.json()).tabs;
    })
    .toBe(1);

  for (const alias of [
    'jupyterlab-notifications-extension/ingest',
    'jupyterlab-notify/ingest'
  ]) {
    const answer = await push(alias, hub.token);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      success: true,
      tabs: 1,
      durable: true
    });
  }
  const toast = toasts(page, PAYLOAD.message);
  await expect(toast).toHaveCount(2);
  await expect(badge(page)).toHaveText('2');
  await expect(toast.first()).toHaveAttribute('data-jp-notify', 'warning');
  await expect(toast.first().locator('.jp-toast-message')).toHaveAttribute(
    'data-jp-notify-meta',
    // The message was pushed with the user's own token, so its sender is not known.
    'Jupyter'
  );

  await toast.first().hover();
  await toast
    .first()
    .locator('.jp-toast-button', { hasText: 'Dismiss' })
    .click();
  await expect(toast).toHaveCount(1);
  await openCenter(page);
  await expect(rows(page, PAYLOAD.message)).toHaveCount(2);
  await rows(page)
    .last()
    .locator('.jp-NotifyRow-summary')
    .click({ position: { x: 4, y: 4 } });
  await expect(badge(page)).toHaveCount(0);

  expect((await push('jupyterlab-notify/ingest', 'a wrong token')).status).toBe(
    403
  );
  await expect(rows(page)).toHaveCount(2);

  // If a service claims another name, both names are shown wherever the message is.
  const answer = await push('jupyterlab-notify/ingest', hub.messenger_token, {
    message: 'Your disk is full',
    type: 'error',
    source: 'quota',
    banner: true
  });
  expect(answer.status).toBe(200);
  const both = 'quota, via messenger';
  const shown = toasts(page, 'Your disk is full');
  await expect(shown.locator('.jp-toast-message')).toHaveAttribute(
    'data-jp-notify-meta',
    both
  );
  await expect(
    rows(page, 'Your disk is full').locator('.jp-NotifyRow-source')
  ).toHaveText(both);
  await expect(
    banners(page, 'Your disk is full').locator('.jp-NotifyBanner-source')
  ).toHaveText(both);
});

function push(
  where: string,
  token: string,
  payload: object = PAYLOAD
): Promise<Response> {
  return fetch(`${hub.server}/${where}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${token}`
    },
    body: JSON.stringify(payload),
    signal: AbortSignal.timeout(30_000)
  });
}
