/**
 * The browser tests: a JupyterLab of their own, on a free port, with data and
 * configuration in a new temporary directory, driven by the system's Chromium.
 */
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const baseConfig = require('@jupyterlab/galata/lib/playwright-config');

const { findBrowser } = require('./browser');

// Every worker loads this file again: what is chosen once is kept in the
// environment, which the workers inherit.
function once(name, choose) {
  process.env[name] = process.env[name] || choose();
  return process.env[name];
}

const port = once('NOTIFY_UI_PORT', () =>
  execFileSync(process.execPath, [
    '-e',
    "const s = require('net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })"
  ])
    .toString()
    .trim()
);

const home = once('NOTIFY_UI_HOME', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'notify-ui-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
});

const venvBin = path.resolve(__dirname, '..', '.venv', 'bin');
if (fs.existsSync(venvBin)) {
  process.env.PATH = `${venvBin}${path.delimiter}${process.env.PATH}`;
}

// JupyterLab's tests read the server's address here.
process.env.TARGET_URL = `http://127.0.0.1:${port}`;

module.exports = {
  ...baseConfig,
  testDir: 'tests',
  outputDir: 'test-results',
  forbidOnly: !!process.env.CI,
  retries: 0,
  workers: Number(process.env.NOTIFY_UI_WORKERS || 2),
  reporter: [['list'], ['html', { open: 'never' }]],
  use: {
    ...baseConfig.use,
    baseURL: process.env.TARGET_URL,
    video: 'off',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: findBrowser(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking']
    }
  },
  webServer: {
    command: 'jupyter lab --config jupyter_server_test_config.py',
    cwd: __dirname,
    url: `${process.env.TARGET_URL}/lab`,
    timeout: 120 * 1000,
    reuseExistingServer: false,
    // SIGTERM lets the server shut its kernels down.
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10000 },
    stdout: process.env.NOTIFY_UI_LOG ? 'pipe' : 'ignore',
    stderr: process.env.NOTIFY_UI_LOG ? 'pipe' : 'ignore',
    env: {
      ...process.env,
      HOME: home,
      IPYTHONDIR: path.join(home, 'ipython'),
      JUPYTER_CONFIG_DIR: path.join(home, 'config'),
      JUPYTER_DATA_DIR: path.join(home, 'data'),
      JUPYTER_RUNTIME_DIR: path.join(home, 'runtime')
    }
  }
};
