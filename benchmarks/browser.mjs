// Measures in a real Chromium. bench_toast.py, bench_center.py and bench_bundle.py start the server
// and call it: node browser.mjs toast|center|bundle URL TOKEN ROUNDS. It prints a JSON object with
// milliseconds, or with the names of files for bundle.
import { createRequire } from 'module';

const require = createRequire(
  new URL('../ui-tests/package.json', import.meta.url)
);
const { chromium } = require('@playwright/test');
const { findBrowser } = require('./browser');

const [what, url, token, rounds] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: findBrowser(),
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
});

async function openLab() {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 }
  });
  // Note when a frame of the stream has come into the page, before anything is done with it.
  await page.addInitScript(() => {
    window.WebSocket = class extends window.WebSocket {
      constructor(...options) {
        super(...options);
        if (String(options[0]).includes('/jupyterlab-notify/')) {
          this.addEventListener('message', ({ data }) => {
            window.benchFrame = { data, at: performance.now() };
          });
        }
      }
    };
  });
  await page.goto(`${url}lab?token=${token}`);
  await page.waitForSelector('.jp-LauncherCard', { timeout: 60000 });
  await page.waitForSelector(
    '.jp-NotifyBell, .jp-Notify-bell, [class*=jp-Notify]'
  );
  // The start's own work is over when the page has been quiet for a while.
  await page.waitForLoadState('networkidle');
  return page;
}

/** Milliseconds from the POST to the element that shows it, in four ways by turns. */
// Longer than a screen: the function runs in the page, so it must be whole.
async function toast(page) {
  return page.evaluate(
    async ({ url, token, rounds }) => {
      const headers = { Authorization: `Bearer ${token}` };
      const post = (path, body, method = 'POST') =>
        fetch(url + path, { method, headers, body: JSON.stringify(body) });
      const shown = text =>
        new Promise(resolve => {
          const there = () =>
            [
              ...document.querySelectorAll('.Toastify__toast, .bench-bare')
            ].some(node => node.textContent.includes(text));
          const observer = new MutationObserver(() => {
            if (there()) {
              observer.disconnect();
              resolve(performance.now());
            }
          });
          observer.observe(document.body, {
            childList: true,
            subtree: true,
            characterData: true
          });
        });
      let own;
      const socket = new WebSocket(url.replace('http', 'ws') + 'bench/socket');
      await new Promise(resolve => (socket.onopen = resolve));
      socket.onmessage = event => {
        const { message } = JSON.parse(event.data);
        if (message.startsWith('own')) {
          const options = { autoClose: false };
          window.jupyterapp.commands
            .execute('apputils:notify', { message, type: 'info', options })
            .then(id => (own = id));
          return;
        }
        const node = document.createElement('div');
        node.className = 'bench-bare';
        node.textContent = message;
        document.body.append(node);
      };
      const times = { bare: [], own: [], frame: [], toast: [] };
      for (let round = -3; round < rounds; round++) {
        for (const [name, path] of [
          ['bare', 'bench/push'],
          ['own', 'bench/push'],
          ['toast', 'jupyterlab-notify/ingest']
        ]) {
          const text = `${name} round ${round} of the benchmark`;
          const seen = shown(text);
          const began = performance.now();
          const answer = post(path, { message: text, type: 'info' });
          const ended = await seen;
          await answer;
          if (round >= 0) {
            times[name].push(ended - began);
            if (name === 'toast') {
              const { data, at } = window.benchFrame;
              if (!data.includes(text)) {
                throw new Error('Another frame came than that of the toast.');
              }
              times.frame.push(at - began);
            }
          }
          document
            .querySelectorAll('.bench-bare')
            .forEach(node => node.remove());
          if (name === 'own') {
            await window.jupyterapp.commands.execute(
              'apputils:dismiss-notification',
              { id: own }
            );
          }
          if (name === 'toast') {
            await post(
              'jupyterlab-notify/notifications',
              { all: true, dismissed: true },
              'PATCH'
            );
          }
          while (
            [...document.querySelectorAll('.Toastify__toast')].some(n =>
              n.textContent.includes(text)
            )
          ) {
            await new Promise(resolve => setTimeout(resolve, 50));
          }
          await new Promise(resolve => setTimeout(resolve, 100));
        }
      }
      return times;
    },
    { url, token, rounds: Number(rounds) }
  );
}

/** Milliseconds from the click on the bell to the first row, in a fresh page and again. */
async function center() {
  const times = { first: [], again: [] };
  for (let round = 0; round < Number(rounds); round++) {
    const page = await openLab();
    for (const name of ['first', 'again']) {
      times[name].push(
        await page.evaluate(async () => {
          const bell = document.querySelector('[aria-label^="Notifications"]');
          const row = () =>
            [
              ...document.querySelectorAll(
                '.jp-NotifyCenter [data-id], .jp-NotifyCenter [role=listitem], .jp-NotifyCenter article'
              )
            ].some(node => node.offsetParent !== null);
          const began = performance.now();
          bell.click();
          while (!row()) {
            await new Promise(resolve => requestAnimationFrame(resolve));
          }
          const ended = performance.now();
          return ended - began;
        })
      );
      await page.evaluate(async () => {
        document.querySelector('[aria-label^="Notifications"]').click();
        await new Promise(resolve => setTimeout(resolve, 500));
      });
    }
    await page.close();
  }
  return times;
}

/** The files of the extension that the browser fetches at start, and for the center. */
async function bundle(page) {
  const files = () =>
    page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map(entry => new URL(entry.name).pathname)
        .filter(path => path.includes('/extensions/jupyterlab_notify/static/'))
        .map(path => path.split('/').pop())
    );
  const start = await files();
  await page.click('[aria-label^="Notifications"]');
  await page.waitForSelector('.jp-NotifyCenter input');
  return {
    start,
    center: (await files()).filter(name => !start.includes(name))
  };
}

const measures = { toast, center, bundle };

try {
  const page = what === 'center' ? null : await openLab();
  console.log(JSON.stringify(await measures[what](page)));
} finally {
  await browser.close();
}
