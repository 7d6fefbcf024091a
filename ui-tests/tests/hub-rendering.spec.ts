/**
 * The `html` of messages that the service gives to other programs: none of a hundred strings that
 * try to run a script does so, in a page that has no policy of its own against it.
 */
import { type ChildProcess, execFileSync, spawn } from 'child_process';
import { mkdtempSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import * as path from 'path';

import { expect, type Page, test } from '@playwright/test';

import { freePort } from './ports';

const HUB = path.resolve(__dirname, '..', '..', 'hub');
/** NUL is refused: PostgreSQL cannot store it. */
const STRINGS: string[] = JSON.parse(
  execFileSync(
    'python3',
    [
      '-c',
      'import json; from tests.cross_site import CROSS_SITE; print(json.dumps(CROSS_SITE))'
    ],
    { cwd: HUB, encoding: 'utf-8' }
  )
).filter((text: string) => !text.includes('\0'));

/** Number of texts that are shown in one page. */
const TOGETHER = 10;

let directory: string;
let service: ChildProcess;
let url: string;
let administrator: string;
let user: string;

/** Run the command line; return what it says of a token. */
function token(...words: string[]): string {
  const said = execFileSync('jupyterhub-notify', [...words, '--json'], {
    cwd: directory,
    encoding: 'utf-8'
  });
  return JSON.parse(said).token;
}

/** Ask the service; return the answer's JSON. */
async function ask(
  as: string,
  method: string,
  where: string,
  body?: object
): Promise<any> {
  const answer = await fetch(`${url}/v1/${where}`, {
    method,
    headers: {
      Authorization: `Bearer ${as}`,
      'Content-Type': 'application/json'
    },
    body: body && JSON.stringify(body)
  });
  expect(answer.status, `${method} ${where}`).toBeLessThan(300);
  return answer.json();
}

test.beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'notify-rendering-'));
  administrator = token('init');
  user = token('token', 'create', 'ada', '--user');
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  service = spawn('jupyterhub-notify', ['serve', '--port', String(port)], {
    cwd: directory,
    stdio: 'ignore'
  });
  await expect(async () => {
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  }).toPass();
});

test.afterAll(async () => {
  if (service?.exitCode === null) {
    const ended = new Promise(resolve => service.once('exit', resolve));
    service.kill();
    await ended;
  }
  rmSync(directory, { recursive: true, force: true });
});

/** Show HTML as a page of its own, do with it what a user may, and return how many scripts ran. */
async function ran(page: Page, html: string): Promise<number> {
  let count = 0;
  page.removeAllListeners('dialog');
  page.on('dialog', dialog => {
    count += 1;
    void dialog.dismiss();
  });
  await page.goto('about:blank');
  await page.setContent(html, { waitUntil: 'commit' });
  count += await page.evaluate(async () => {
    // The same once more as inserted by a script, where `onerror` and the like work as well.
    const again = document.createElement('div');
    again.innerHTML = document.body?.innerHTML ?? '';
    document.body?.append(again);
    for (const one of document.querySelectorAll<HTMLElement>('*')) {
      for (const type of ['mouseover', 'focus', 'click', 'load', 'toggle']) {
        const event = new Event(type, { bubbles: true, cancelable: true });
        // The element's own handlers run, but only a link that is a script is followed.
        if (
          type === 'click' &&
          one.matches('a[href]') &&
          !/^javascript:/i.test((one as HTMLAnchorElement).href)
        ) {
          continue;
        }
        one.dispatchEvent(event);
      }
      if (one.matches('a[href]') && /^javascript:/i.test((one as any).href)) {
        one.click();
      }
    }
    // Wait until requests that were begun, such as for a missing picture, have ended.
    await new Promise(resolve => setTimeout(resolve, 0));
    await new Promise(resolve => requestAnimationFrame(resolve));
    await new Promise(resolve => setTimeout(resolve, 20));
    return (window as any).ran ? 1 : 0;
  });
  return count;
}

test('Strings that are shown as they were sent run, or else this tells nothing', async ({
  page
}) => {
  let scripts = 0;
  for (const text of [
    '<script>alert(1);window.ran=1</script>',
    '<svg onload=alert(1);window.ran=1>',
    '<a href="javascript:alert(1);window.ran=1">x</a>',
    '<p onclick=alert(1);window.ran=1>x</p>'
  ]) {
    scripts += Math.min(1, await ran(page, text));
  }
  expect(scripts).toBe(4);
});

test('None of a hundred cross-site strings runs in what the service renders', async ({
  page
}) => {
  expect(STRINGS.length).toBeGreaterThanOrEqual(100);
  await ask(
    administrator,
    'PUT',
    'services/admin/notifications',
    STRINGS.map((text, index) => ({
      key: `${index}`,
      recipient: 'ada',
      summary: text,
      body: text
    }))
  );
  const listed = await ask(user, 'GET', 'overview?limit=200');
  expect(listed.messages.length).toBe(STRINGS.length);
  const shown: string[] = listed.messages.map(
    ({ summary, body }: any) =>
      `<div>${summary.html}</div><div>${body.html}</div>`
  );
  for (let start = 0; start < shown.length; start += TOGETHER) {
    const html = shown.slice(start, start + TOGETHER).join('\n');
    expect(await ran(page, html), html).toBe(0);
  }
});
