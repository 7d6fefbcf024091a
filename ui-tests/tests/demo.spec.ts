/**
 * `make demo`, with shorter pauses than a user needs.
 */
import { type ChildProcess, spawn } from 'child_process';
import { once } from 'events';
import * as path from 'path';
import * as readline from 'readline';

import { banners, expect, openCenter, rows, test, welcome } from './lab';

const DEMO = `
import sys
sys.path.insert(0, "scripts")
import demo
demo.BETWEEN_S, demo.PROGRESS_S = 0.05, 1.5
push = demo.Server.push
def push_when_seen(server, **payload):
    push(server, **payload)
    # The progress goes on, and ends, only once the one before was seen.
    if payload.get("progress") in (0.2, 0.8):
        input()
demo.Server.push = push_when_seen
demo.main()
`;

let child: ChildProcess;
const said: string[] = [];

test.beforeAll(() => {
  child = spawn('python', ['-u', '-c', DEMO, '--no-browser'], {
    cwd: path.resolve(__dirname, '..', '..'),
    stdio: ['pipe', 'pipe', 'inherit']
  });
  readline
    .createInterface(child.stdout!)
    .on('line', line => said.push(line.trim()));
});

test.afterAll(async () => {
  // Killed, it would leave its JupyterLab and its service behind.
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
});

/** The address of its JupyterLab, once the demo has printed it. */
const url = () => said.find(line => line.startsWith('http://'));

test('The demo shows a message of every kind and a progress to its end, and leaves nothing running', async ({
  page
}) => {
  await expect.poll(url, { timeout: 90_000 }).toBeTruthy();
  await page.goto(url()!);
  await expect(
    welcome(page).getByRole('heading', { name: 'Welcome to this server' })
  ).toBeVisible();
  await welcome(page).getByRole('button', { name: 'Close' }).last().click();
  await expect(banners(page, 'archive is read-only')).toBeVisible();
  await expect(banners(page, 'Maintenance tonight')).toBeVisible();
  await openCenter(page);
  const quota = rows(page, 'home directory is 92 % full');
  await expect(quota).toHaveCount(1);
  const job = rows(page, 'Job 48215');
  const bar = job.getByRole('progressbar');
  await expect(bar).toBeVisible();
  for (const percent of ['20', '80']) {
    await expect(bar).toHaveAttribute('aria-valuenow', percent);
    child.stdin!.write('\n');
  }
  await expect(job).toContainText('120 frames stacked');
  await expect(bar).toHaveCount(0);
  for (const text of [
    'Two people shared',
    'A new image',
    'Job 48213',
    'Job 48214 failed',
    'Maintenance tonight',
    'archive is read-only',
    '200 core hours'
  ]) {
    await expect(rows(page, text)).toHaveCount(1);
  }

  // The alert ends with its cause.
  await expect(quota).toHaveCount(0);

  const { origin, searchParams } = new URL(url()!);
  const status = await page.request.get(`${origin}/jupyterlab-notify/status`, {
    headers: { Authorization: `Bearer ${searchParams.get('token')}` }
  });
  const central = (await status.json()).central.url;
  expect((await fetch(`${central}/v1/broadcasts`)).status).toBe(200);
  await page.close();
  child.kill('SIGTERM');
  await once(child, 'exit');
  expect(child.exitCode).toBe(0);
  // Its last line may arrive after its end.
  await expect.poll(() => said).toContain('Stopped.');
  for (const gone of [origin, central]) {
    await expect(fetch(gone)).rejects.toThrow();
  }
});
