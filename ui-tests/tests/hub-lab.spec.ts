/**
 * The real lab against the real service, at a real JupyterHub that is set up by nothing but the
 * two lines. `make test` runs one hub; `make test-hubs` runs it with all that a site may have.
 */
import { type BrowserContext, expect, type Page, test } from '@playwright/test';

import { Hub } from './hub-page';
import { type IPollingProxy, startPollingProxy } from './polling-proxy';
import {
  banners,
  openCenter,
  rows,
  toasts,
  untilQuiet,
  untilReady,
  welcome
} from './page';

/** The parts of a site's configuration besides the two lines. */
interface IVariant {
  name: string;
  site?: string;
  python?: string;
  baseUrl?: string;
  /** True to hide from the lab all that the service has beyond Semaphore's routes. */
  polled?: boolean;
}

/** The hub's administrator, and what it sends as a publisher under its own name. */
const ADMIN = 'root';
const OWN = `services/${ADMIN}/notifications`;

const OWN_ROLES = `
c.JupyterHub.load_roles += [
    {"name": "user", "description": "ours", "scopes": ["self", "list:services"]},
]
`;

const MANAGED_ROLES = `
from jupyterhub.auth import DummyAuthenticator

class Managing(DummyAuthenticator):
    async def load_managed_roles(self):
        return [
            {"name": "notify-bot", "users": ["notify-bot"], "scopes": ["access:servers"]},
        ]

c.JupyterHub.authenticator_class = Managing
c.Managing.manage_roles = True
# Without it, hubs up to 6.1 do not start with managed roles that name users.
c.Managing.reset_managed_roles_on_startup = True
c.Managing.password = c.DummyAuthenticator.password
`;

const OWN_PAGE = `
import os, tempfile
site_pages = tempfile.mkdtemp(prefix="notify-pages-")
with open(os.path.join(site_pages, "page.html"), "w") as page:
    page.write("{% extends 'templates/page.html' %}{% block footer %}<i>Ours</i>{% endblock %}")
c.JupyterHub.template_paths = [site_pages]
`;

const PLAIN: IVariant = { name: 'plain' };
const OTHERS: IVariant[] = [
  {
    name: 'a user role of its own, a prefix',
    site: OWN_ROLES,
    baseUrl: '/a/b/'
  },
  { name: 'managed roles', site: MANAGED_ROLES },
  { name: 'a page.html of its own', site: OWN_PAGE },
  { name: 'JupyterHub 5', python: 'hub5' },
  {
    name: 'JupyterHub 5, a user role of its own, a prefix',
    python: 'hub5',
    site: OWN_ROLES,
    baseUrl: '/prefix/'
  },
  { name: 'JupyterHub 5, managed roles', python: 'hub5', site: MANAGED_ROLES },
  { name: 'polled as Semaphore is', polled: true }
];

for (const variant of process.env.NOTIFY_HUBS ? [PLAIN, ...OTHERS] : [PLAIN]) {
  test.describe(`A lab at a hub: ${variant.name}`, () => {
    test.describe.configure({ mode: 'serial' });
    hubTests(variant);
  });
}

// Longer than a screen: the tests of one hub, which share its page.
function hubTests(variant: IVariant): void {
  let hub: Hub;
  let ada: BrowserContext;
  let page: Page;
  let proxy: IPollingProxy | undefined;

  test.beforeAll(async ({ browser }) => {
    const spawnerArguments = ['--LabApp.expose_app_in_browser=True'];
    if (variant.polled) {
      proxy = await startPollingProxy();
      spawnerArguments.push(
        `--NotifyApp.central_url=${proxy.url}`,
        '--NotifyApp.central_interval=1',
        '--NotifyApp.central_token_variable=JUPYTERHUB_API_TOKEN'
      );
    }
    const site = `${variant.site ?? ''}
c.Spawner.args = ${JSON.stringify(spawnerArguments)}
`;
    hub = await Hub.start(site, {
      baseUrl: variant.baseUrl ?? '/',
      python: variant.python,
      spawn: ['ada'],
      templates: true
    });
    proxy?.lead(hub.place.service);
    ada = await hub.login(browser, 'ada', {
      viewport: { width: 1280, height: 800 }
    });
    page = await ada.newPage();
    await page.goto(`${hub.place.url}/user/ada/lab`);
    await untilReady(page);
    await untilQuiet(page);
  });

  test.afterAll(async () => {
    await hub?.stop();
    await proxy?.stop();
  });

  const send = (summary: string, more: object = {}) =>
    hub.api(ADMIN, 'POST', OWN, {
      recipient: 'ada',
      summary,
      ...more
    });
  /** Read from the service which messages ada has not read. */
  const unread = async (): Promise<string[]> =>
    (await hub.api('ada', 'GET', 'notifications/messages?unread=true')).map(
      (one: any) => one.summary.gfm
    );

  test('shows what is said, and lets go of what is taken back', async () => {
    const id = await hub.broadcast({
      summary: 'The disk moves tonight',
      audience: 'all',
      banner: true,
      type: 'warning'
    });
    await expect(banners(page, 'The disk moves tonight')).toBeVisible();
    await send('For Ada alone', { key: 'job/1', type: 'success' });
    await expect(toasts(page, 'For Ada alone')).toBeVisible();
    await hub.api(ADMIN, 'POST', OWN, {
      recipient: 'ada',
      key: 'job/2',
      template: 'quota',
      data: { used: 46 }
    });
    await openCenter(page);
    await expect(rows(page, '46 GB are used')).toBeVisible();
    // A list of what should be active: the first job is not in it any more.
    await hub.api(ADMIN, 'PUT', `${OWN}?scope=job/`, [
      { recipient: 'ada', key: 'job/2', template: 'quota', data: { used: 47 } }
    ]);
    await expect(rows(page, 'For Ada alone')).toHaveCount(0);
    await expect(rows(page, '47 GB are used')).toBeVisible();
    await hub.api(ADMIN, 'DELETE', `${OWN}/job%2F2`);
    await expect(rows(page, 'GB are used')).toHaveCount(0);
    await hub.api(ADMIN, 'DELETE', `admin/broadcasts/${id}`);
    await expect(banners(page)).toHaveCount(0);
    await expect(rows(page, 'The disk moves tonight')).toHaveCount(0);
  });

  test('lets go of what has expired', async () => {
    await send('Only for a moment', { key: 'moment' });
    await expect(rows(page, 'Only for a moment')).toBeVisible();
    // Let it expire only after it was seen: a second may be over before it is drawn.
    await send('Only for a moment', {
      key: 'moment',
      expires: new Date(Date.now() + 1500).toISOString()
    });
    await expect(rows(page, 'Only for a moment')).toHaveCount(0);
  });

  test('follows what was read, in both directions', async () => {
    await send('Read in the lab', { key: 'a' });
    await send('Read elsewhere', { key: 'b' });
    await expect(rows(page, 'Read elsewhere')).toHaveClass(/jp-mod-unread/);
    await rows(page, 'Read in the lab').hover();
    await rows(page, 'Read in the lab')
      .getByRole('button', { name: 'Mark as read' })
      .click();
    await expect.poll(unread).toEqual(['Read elsewhere']);
    const listed = await hub.api('ada', 'GET', 'notifications/messages');
    const ids = listed
      .filter((one: any) => one.summary.gfm === 'Read elsewhere')
      .map((one: any) => one.id);
    await hub.api('ada', 'POST', 'notifications/read', { ids });
    await expect(rows(page, 'Read elsewhere')).not.toHaveClass(/jp-mod-unread/);
    for (const key of ['a', 'b']) {
      await hub.api(ADMIN, 'DELETE', `${OWN}/${key}`);
    }
  });

  test('asks, and the answer reaches the sender', async () => {
    await send('May your home move?', {
      key: 'move',
      reply: { choices: ['Yes', 'Later'], text: true }
    });
    const row = rows(page, 'May your home move?');
    await row.getByRole('button', { name: 'Later', exact: true }).click();
    await expect(row).toContainText('You answered: Later');
    const answers = async () =>
      (await hub.api(ADMIN, 'GET', `${OWN}/move/receipts`)).map(
        (one: any) => one.reply
      );
    await expect.poll(answers).toEqual(['Later']);
    await row.getByRole('button', { name: 'Change' }).click();
    await row.getByRole('button', { name: 'Write an answer…' }).click();
    await row.getByRole('textbox').fill('In May');
    await row.getByRole('textbox').press('Enter');
    await expect(row).toContainText('You answered: In May');
    await expect.poll(answers).toEqual(['In May']);
    await hub.api(ADMIN, 'DELETE', `${OWN}/move`);
  });

  test('keeps an answer while the service is away', async () => {
    await send('Still there?', { key: 'there', reply: { choices: ['Yes'] } });
    const row = rows(page, 'Still there?');
    await expect(row).toBeVisible();
    await hub.tell('stop-service');
    await row.getByRole('button', { name: 'Yes' }).click();
    await expect(row).toContainText('You answered: Yes');
    await hub.tell('start-service');
    await expect
      .poll(
        async () =>
          (await hub.api(ADMIN, 'GET', `${OWN}/there/receipts`)).map(
            (one: any) => one.reply
          ),
        { timeout: 60_000 }
      )
      .toEqual(['Yes']);
    await send('After the start', { key: 'after' });
    await expect(rows(page, 'After the start')).toBeVisible({
      timeout: 60_000
    });
    for (const key of ['there', 'after']) {
      await hub.api(ADMIN, 'DELETE', `${OWN}/${key}`);
    }
  });

  test('greets with what must be accepted until it is', async () => {
    const made = await hub.api(ADMIN, 'POST', 'admin/welcome', {
      title: 'Acceptable use',
      body: 'Be **kind**.',
      must_accept: true
    });
    const news = await hub.api(ADMIN, 'POST', 'admin/welcome', {
      title: 'What is new',
      body: 'A faster disk.'
    });
    await page.reload();
    await untilReady(page);
    const dialog = welcome(page);
    await expect(dialog).toContainText('Acceptable use');
    await expect(dialog.getByRole('button', { name: 'Close' })).toHaveCount(0);
    await expect(dialog.getByText(/Don’t show/)).toHaveCount(0);
    for (let presses = 0; presses < 3; presses++) {
      await page.keyboard.press('Escape');
    }
    await expect(dialog).toBeVisible();
    await dialog.getByRole('button', { name: 'Accept' }).click();
    await expect(dialog).toContainText('What is new');
    await dialog.getByRole('button', { name: 'Don’t show this again' }).click();
    await expect(dialog).toHaveCount(0);
    const readers = async (id: string, what: string) =>
      (await hub.api(ADMIN, 'GET', `admin/welcome/${id}/readers`)).map(
        (one: any) => [one.user, Boolean(one[what])]
      );
    await expect
      .poll(() => readers(made.id, 'accepted_current'))
      .toEqual([['ada', true]]);
    // A reset that arrives before the dismissal would not undo it.
    await expect
      .poll(() => readers(news.id, 'dismissed'))
      .toEqual([['ada', true]]);
    // Messages that were put away are shown again, as for a new user; accepted ones are not.
    await hub.api('ada', 'POST', 'welcome/reset');
    await page.reload();
    await untilReady(page);
    // The lab asks again ten seconds after it last did.
    await expect(dialog).toContainText('What is new', { timeout: 60_000 });
    await expect(dialog).not.toContainText('Acceptable use');
    await dialog.getByRole('button', { name: 'Close' }).click();
  });
}
