/**
 * The welcome messages of one user in every tab of several servers, and those of a central
 * service.
 */
import type { BrowserContext, Page } from '@playwright/test';

import { Central } from './central';
import { buttonOf, staysQuiet, titleOf } from './greeting';
import {
  expect,
  Lab,
  runCommand,
  test,
  untilReady,
  useLab,
  welcome
} from './lab';

const lab = useLab();

test('is one for the user: what is answered in one tab goes in every tab of every server, also after they restart, and comes back with a reset', async ({
  browser
}) => {
  test.setTimeout(360_000);
  lab.greet('hello', { title: 'Welcome' }, 'x');
  const beside = new Lab({ beside: lab });
  const contexts: BrowserContext[] = [];
  try {
    await beside.start();
    const tabs: Page[] = [];
    for (const server of [lab, beside]) {
      const own = await browser.newContext();
      contexts.push(own);
      for (const workspace of ['a', 'b']) {
        tabs.push(
          await server.open(browser, {
            context: own,
            path: `lab/workspaces/${workspace}`
          })
        );
      }
    }
    const everywhere = async (count: number) => {
      for (const tab of tabs) {
        await expect(welcome(tab)).toHaveCount(count);
      }
    };
    await everywhere(1);
    await buttonOf(tabs[0], 'Close').click();
    await everywhere(0);
    await tabs[2].reload();
    await untilReady(tabs[2]);
    await buttonOf(tabs[2], 'Don’t show this again').click();
    await everywhere(0);

    await Promise.all([lab.restart(), beside.restart()]);
    await staysQuiet(tabs[0]);
    await staysQuiet(tabs[3]);
    await everywhere(0);
    await runCommand(tabs[3], 'jupyterlab-notify:reset-welcome');
    await everywhere(1);
    await buttonOf(tabs[1], 'Don’t show any welcome messages').click();
    await everywhere(0);
  } finally {
    await Promise.all(contexts.map(one => one.close()));
    await beside.stop();
  }
});

test.describe('Of a central service', () => {
  const central = new Central();
  let asking: Lab;

  test.beforeAll(async () => {
    await central.start();
    asking = new Lab({ config: central.config });
    await asking.start();
  });

  test.afterAll(async () => {
    await asking.stop();
    await central.stop();
  });

  test('a message greets, and the service learns that it shall not come again', async ({
    browser
  }) => {
    await central.tell('POST', 'welcome', {
      title: 'From the platform',
      summary: 'What is *new*',
      body: 'The **text**.'
    });
    const tab = await asking.open(browser);
    await expect(titleOf(tab)).toHaveText('From the platform');
    await expect(welcome(tab).locator('strong')).toHaveText('text');
    await expect(welcome(tab).locator('em')).toHaveText('new');
    await buttonOf(tab, 'Don’t show this again').click();
    await expect(welcome(tab)).toHaveCount(0);
    await expect
      .poll(async () => (await central.requests('welcome/dismiss')).length)
      .toBe(1);
    await staysQuiet(tab);
    await tab.context().close();
  });
});
