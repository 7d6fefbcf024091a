/**
 * The Chromium that the tests drive: the system's own, or else the one that Playwright has
 * downloaded. Debian's build without windows comes first, since a page of JupyterLab costs it a
 * quarter less processor time. Run by itself it prints the path, and with --install it asks Playwright for a
 * download when there is none.
 */
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

// To watch the tests, a browser with windows is needed. Playwright's workers inherit the
// environment of this process, but not its arguments.
if (process.argv.some(flag => ['--debug', '--headed', '--ui'].includes(flag))) {
  process.env.NOTIFY_HEADED = '1';
}

const WINDOWLESS = 'chromium-headless-shell';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable'
];

const MAC_APPS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium'
];

function systemBrowser(windows) {
  if (process.env.CHROMIUM) {
    return process.env.CHROMIUM;
  }
  const folders = (process.env.PATH || '').split(path.delimiter);
  const names = windows ? NAMES : [WINDOWLESS, ...NAMES];
  const candidates = names.flatMap(name =>
    folders.map(folder => path.join(folder, name))
  );
  return [...candidates, ...MAC_APPS].find(file => fs.existsSync(file));
}

function playwrightBrowser() {
  const file = require('@playwright/test').chromium.executablePath();
  return fs.existsSync(file) ? file : undefined;
}

/**
 * Return the path of the browser.
 *
 * @param windows - Whether it needs windows, of which one has the focus.
 */
function findBrowser(windows = !!process.env.NOTIFY_HEADED) {
  return systemBrowser(windows) || playwrightBrowser();
}

/** Return the options with which Playwright starts the browser. */
function launchOptions(windows) {
  return {
    executablePath: findBrowser(windows),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
  };
}

module.exports = { findBrowser, launchOptions };

if (require.main === module) {
  let found = findBrowser();
  if (!found && process.argv.includes('--install')) {
    console.error('No Chromium on this machine: asking Playwright for its own');
    const playwright = path.join(
      path.dirname(require.resolve('@playwright/test/package.json')),
      'cli.js'
    );
    try {
      execFileSync(process.execPath, [playwright, 'install', 'chromium'], {
        stdio: ['ignore', 2, 2],
        timeout: 300000
      });
    } catch (error) {
      console.error(`The download failed: ${error.message}`);
    }
    found = findBrowser();
  }
  if (!found) {
    console.error(
      'No browser for the browser tests. Install Chromium or Chrome, for example\n' +
        '    apt-get install chromium      (Debian)\n' +
        '    brew install --cask chromium  (macOS)\n' +
        'or set CHROMIUM to the path of one.'
    );
    process.exit(1);
  }
  console.log(found);
}
