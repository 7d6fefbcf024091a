/**
 * `NOTIFY_SLOW=4 make test-ui` runs the browser tests with pages that are four times as slow: tests
 * that read too early, and races in the product, show more often.
 */
const { chromium } = require('@playwright/test');

const rate = Number(process.env.NOTIFY_SLOW);

/** Slow down a page, and all that are opened from it. */
async function slowDown(context, page) {
  try {
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate });
  } catch (error) {
    // A page that is closed again already has nothing to slow down.
    if (!/closed|detached/.test(String(error))) {
      throw error;
    }
  }
}

module.exports = () => {
  const launch = chromium.launch.bind(chromium);
  chromium.launch = async options => {
    const browser = await launch(options);
    const newContext = browser.newContext.bind(browser);
    browser.newContext = async given => {
      const context = await newContext(given);
      context.on('page', page => void slowDown(context, page));
      return context;
    };
    return browser;
  };
};
