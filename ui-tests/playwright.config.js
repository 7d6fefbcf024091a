/**
 * The browser tests, driven by the system's Chromium. Each file of them starts
 * a JupyterLab of its own: see tests/lab.ts.
 */
const fs = require('fs');
const path = require('path');

const baseConfig = require('@jupyterlab/galata/lib/playwright-config');

const { launchOptions } = require('./browser');

const venv = path.resolve(__dirname, '..', '.venv');
// Another environment within ours may come first: `make test-oldest` names one.
for (const name of ['', process.env.NOTIFY_ENVIRONMENT || '']) {
  const bin = path.join(venv, name, 'bin');
  if (fs.existsSync(bin)) {
    process.env.PATH = `${bin}${path.delimiter}${process.env.PATH}`;
  }
}

// Everything that tests talk to is on this machine, where a proxy is of no use.
for (const name of Object.keys(process.env)) {
  if (name.toLowerCase().endsWith('_proxy')) {
    delete process.env[name];
  }
}

if (process.env.NOTIFY_SLOW) {
  require('./slow')();
}

module.exports = {
  ...baseConfig,
  testDir: 'tests',
  // Two files have targets of their own in `make test`: `make attack`, and `make test-activity`,
  // which waits for minutes and so runs beside others. `make states` only takes pictures.
  testIgnore: [
    ...(process.env.NOTIFY_STATES ? [] : ['**/*states.spec.ts']),
    ...(process.env.NOTIFY_ATTACK ? [] : ['**/attack.spec.ts']),
    ...(process.env.NOTIFY_ACTIVITY_S ? [] : ['**/activity.spec.ts'])
  ],
  outputDir: 'test-results',
  forbidOnly: !!process.env.CI,
  retries: 0,
  // Enough for a machine that is busy with other tests. A test that promises a time has its own.
  timeout: 180 * 1000,
  expect: { timeout: 30 * 1000 },
  workers: Number(process.env.NOTIFY_UI_WORKERS || 2),
  reporter: [['list'], ['html', { open: 'never' }], ['./summary.js']],
  use: {
    ...baseConfig.use,
    video: 'off',
    // A trace of every test makes all of them half as long again: ask for one with
    // `--trace retain-on-failure`. The page's console and a screenshot are kept anyway.
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: launchOptions()
  }
};
