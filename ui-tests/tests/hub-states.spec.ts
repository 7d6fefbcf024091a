/**
 * A picture of every state of the hub's pages, in both themes and two widths, to be looked at after
 * a change: `make states` writes them to ui-tests/test-results/states/.
 */
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import * as path from 'path';

import { Hub, open } from './hub-page';

const FOLDER = path.resolve(__dirname, '..', 'test-results', 'states');

/** `zoë` may write to one group. */
const SITE = `
c.JupyterHub.load_roles.append(
    {"name": "teachers", "users": ["zoë"], "scopes": ["custom:notify:publish!group=students"]}
)
`;

const LONG =
  'The nightly pipeline has written 1,204 files to /shared/lake/2026/events/by-detector/north, of ' +
  'which 17 could not be checked';

const BODY = [
  'Reading and writing files **pauses**; running kernels stay.',
  '',
  '| folder | from | until |',
  '| --- | --- | --- |',
  '| `/home` | 22:00 | 22:40 |',
  '| `/shared/lake` | 22:40 | 23:30 |'
].join('\n');

type Who = 'root' | 'zoë' | 'bob' | 'nobody';

/** A state: who opens which page, and what is done there. */
interface IState {
  who: Who;
  /** The page below the service's address. */
  path?: string;
  /** The page below the hub's, instead. */
  hub?: string;
  show?(page: Page): Promise<unknown>;
}

let hub: Hub;
/** What was sent to four users, who have answered by now. */
let sent: string;
let upkeep: string;
const people = {} as Record<Who, BrowserContext>;

const compose = (fields: Record<string, string>): string =>
  `?${new URLSearchParams(fields)}`;

const STATES: Record<string, IState> = {
  'hub-compose-empty': { who: 'root', path: '' },
  'hub-compose-preview': {
    who: 'root',
    path: compose({
      message: 'Tonight from 22:00 the file system is moved',
      details: BODY,
      type: 'warning',
      banner: '1',
      choices: 'Fine, Please wait',
      to: 'users',
      users: 'ada, bob, nobody-here'
    }),
    show: page =>
      expect(page.locator('#jn-recipients')).toContainText('Unknown to the hub')
  },
  'hub-compose-repeating': {
    who: 'root',
    path: compose({ message: 'Group seminar in room 4', to: 'all' }),
    show: async page => {
      await page.getByText('Repeating…', { exact: true }).click();
      await expect(page.getByLabel('Time zone')).toBeVisible();
    }
  },
  'hub-compose-maintenance': {
    who: 'root',
    path: compose({
      message: 'New storage',
      details: BODY,
      to: 'all',
      when: 'maintenance',
      timezone: 'UTC',
      starts: '2035-05-05T22:00',
      ends: '2035-05-05T23:30',
      banner: '1'
    }),
    show: page => expect(page.locator('#jn-preview .jn-banner')).toBeVisible()
  },
  'hub-compose-refused': {
    who: 'root',
    path: compose({ to: 'users', details: BODY }),
    show: async page => {
      await page.getByRole('button', { name: /^Send/ }).first().click();
      await expect(page.getByRole('alert')).toBeVisible();
    }
  },
  'hub-results': {
    who: 'root',
    path: 'history/SENT',
    show: page => expect(page.locator('.jn-legend')).toContainText('replied')
  },
  'hub-maintenance': {
    who: 'root',
    path: 'history/UPKEEP',
    show: page => expect(page.locator('.jn-notices li')).toHaveCount(5)
  },
  'hub-edit': {
    who: 'root',
    path: 'history/SENT',
    show: async page => {
      await page.getByRole('button', { name: 'Edit' }).click();
      await expect(page.getByRole('button', { name: 'Save' })).toBeVisible();
    }
  },
  'hub-history': { who: 'root', path: 'history' },
  'hub-history-no-result': {
    who: 'root',
    path: 'history',
    show: async page => {
      await page.getByLabel('Search').fill('what nobody has sent');
      await expect(page.locator('.jn-history tbody tr')).toHaveCount(0);
    }
  },
  'hub-inbox-administrator': { who: 'root', path: 'inbox' },
  'hub-alerts': { who: 'root', path: 'alerts' },
  'hub-templates': { who: 'root', path: 'templates' },
  'hub-home-administrator': { who: 'root', hub: 'hub/home' },
  'hub-compose-group-sender': { who: 'zoë', path: '' },
  'hub-compose-group-sender-group': {
    who: 'zoë',
    path: compose({ message: 'Hand in until Friday', group: 'students' }),
    show: page => expect(page.locator('#jn-recipients')).toContainText('2')
  },
  'hub-history-group-sender': { who: 'zoë', path: 'history' },
  'hub-inbox-user': { who: 'bob', path: 'inbox' },
  'hub-inbox-user-opened': {
    who: 'bob',
    path: 'inbox',
    show: page => page.locator('.jn-item summary').first().click()
  },
  'hub-home-user': { who: 'bob', hub: 'hub/home' },
  'hub-spawn-user': { who: 'bob', hub: 'hub/spawn-pending/bob' },
  'hub-composer-refused-user': { who: 'bob', path: 'history' },
  'hub-login': { who: 'nobody', hub: 'hub/login' },
  'hub-service-nobody': { who: 'nobody', path: 'inbox' }
};

test.beforeAll(async ({ browser }) => {
  hub = await Hub.start(SITE, { templates: true });
  for (const who of ['root', 'zoë', 'bob'] as const) {
    people[who] = await hub.login(browser, who);
  }
  people.nobody = await browser.newContext();
  for (const [summary, type] of [
    ['Job 4711 finished in 3 h 12 min', 'success'],
    ['You are using 92 % of your home directory', 'warning'],
    [LONG, 'error']
  ]) {
    await hub.api('root', 'POST', 'services/quota/notifications', {
      recipient: 'bob',
      summary,
      body: BODY,
      type
    });
  }
  await hub.broadcast({
    summary: 'Maintenance tonight from 22:00: all servers restart',
    body: BODY,
    type: 'warning',
    banner: true,
    audience: 'all'
  });
  const begins = Date.now() + 3 * 3_600_000;
  upkeep = await hub.broadcast({
    summary: 'New storage',
    body: BODY,
    banner: true,
    audience: 'all',
    maintenance: true,
    timezone: 'UTC',
    starts: new Date(begins).toISOString(),
    ends: new Date(begins + 5_400_000).toISOString(),
    leads_min: [1440, 60, 10]
  });
  sent = await hub.broadcastToFour();
});

test.afterAll(async () => {
  await hub?.stop();
});

for (const [name, state] of Object.entries(STATES)) {
  test(name, async () => {
    const where =
      state.hub === undefined
        ? `${hub.place.service}/${(state.path ?? '').replace('SENT', sent).replace('UPKEEP', upkeep)}`
        : `${hub.place.url}/${state.hub}`;
    const page = await open(people[state.who], where);
    await state.show?.(page);
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme });
      for (const width of [1280, 480]) {
        await page.setViewportSize({ width, height: 800 });
        await page.screenshot({
          path: path.join(FOLDER, `${name}-${width}-${theme}.png`),
          animations: 'disabled',
          caret: 'hide',
          fullPage: true
        });
      }
    }
    await page.close();
  });
}
