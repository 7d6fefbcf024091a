/**
 * The place and time of toasts: they stand where the setting says, cover no control that users work
 * with, fold, fade, and wait for busy users. Boxes are measured.
 */
import type { Page } from '@playwright/test';
import * as fs from 'fs';
import * as path from 'path';

import { offMiddle } from './boxes';
import {
  banners,
  bell,
  center,
  closeCenter,
  expect,
  Lab,
  openCenter,
  rows,
  runCommand,
  setMotion,
  setSetting,
  SETTINGS,
  summary,
  test,
  toastEvents,
  toasts,
  toastTime,
  untilLauncher,
  untilQuiet,
  useLab
} from './lab';

const TOGGLE_CENTER = 'jupyterlab-notify:toggle-center';

const SIZE = { width: 1280, height: 800 };
const WIDTHS = [1920, 1280, 900, 480];

/** Controls that a toast must not cover. */
const CONTROLS = [
  '.jp-Toolbar button',
  '.jp-Toolbar jp-button',
  '.jp-Toolbar .jp-KernelName',
  '.jp-Toolbar .jp-Notebook-ExecutionIndicator',
  '.jp-DocumentSearch-overlay',
  '.jp-NotifyBanner button',
  '.jp-NotifyBell-button',
  '#jp-notify-center'
].join();

const lab = useLab();
let page: Page;

test.beforeAll(async ({ browser }) => {
  for (const name of ['one.ipynb', 'two.ipynb']) {
    fs.copyFileSync(
      path.join(__dirname, 'train.ipynb'),
      path.join(lab.root, name)
    );
  }
  fs.writeFileSync(path.join(lab.root, 'code.py'), 'print(1)\n');
  fs.writeFileSync(path.join(lab.root, 'text.md'), '# Title\n');
  page = await lab.open(browser);
  await untilLauncher(page);
});

test.beforeEach(async () => {
  await lab.dismissAll();
  await page.setViewportSize(SIZE);
  await closeCenter(page);
  await untilQuiet(page);
  await page.mouse.move(300, 700);
});

/** Three toasts that stay, one of them with buttons, and a banner with one. */
async function pushAll(server: Lab): Promise<void> {
  await server.push({
    message: 'The archive is down.',
    type: 'warning',
    banner: true,
    autoClose: 0,
    body: 'Until noon.'
  });
  for (const [index, label] of ['Go', 'Later', 'Menu'].entries()) {
    await server.push({
      message: `A toast that stays ${index}`,
      type: 'error',
      actions: [{ label }]
    });
  }
}

/**
 * List the controls that toasts of this page cover; there should be none.
 *
 * What stands below its own toolbar does not count: now and then JupyterLab leaves the buttons that
 * find no room in a second line, until the toolbar's size changes again.
 */
function met(tab: Page): Promise<string[]> {
  return tab.evaluate(controls => {
    const boxes = Array.from(
      document.querySelectorAll('.jp-toastContainer [data-jp-notify]')
    )
      .filter(node => node.checkVisibility({ visibilityProperty: true }))
      .map(node => node.getBoundingClientRect());
    return Array.from(document.querySelectorAll(controls))
      .filter(node => {
        const own = node.getBoundingClientRect();
        const bar = node.closest('.jp-Toolbar')?.getBoundingClientRect();
        return (
          own.width > 0 &&
          !(bar && own.top + own.height / 2 > bar.bottom) &&
          node.checkVisibility({ visibilityProperty: true }) &&
          boxes.some(
            box =>
              box.left < own.right &&
              box.right > own.left &&
              box.top < own.bottom &&
              box.bottom > own.top
          )
        );
      })
      .map(node => `${node.className} ${node.textContent?.slice(0, 30)}`);
  }, CONTROLS);
}

/** Measure at each width, with the center closed and open. */
async function measure(tab: Page): Promise<void> {
  for (const width of WIDTHS) {
    await tab.setViewportSize({ width, height: 800 });
    await expect(toasts(tab).first()).toBeVisible();
    await expect.poll(() => met(tab), `at ${width} px`).toEqual([]);
    // By its command: in a narrow window Notebook's bell is out of sight.
    await runCommand(tab, TOGGLE_CENTER);
    await expect(center(tab)).toBeVisible();
    await expect
      .poll(() => met(tab), `at ${width} px, with the center`)
      .toEqual([]);
    await runCommand(tab, TOGGLE_CENTER);
    await expect(center(tab)).toBeHidden();
  }
}

// The next three tests run before others split the page, which moves toasts down.
test('Toasts stand at the top right, below the bar and off the bell and the center', async () => {
  await lab.push({ message: 'Where am I?', type: 'error' });
  const toast = toasts(page, 'Where am I?');
  await expect(async () => {
    const bar = (await page.locator('#jp-top-panel').boundingBox())!;
    const own = (await bell(page).boundingBox())!;
    const box = (await toast.boundingBox())!;
    expect(box.y).toBeGreaterThanOrEqual(bar.y + bar.height);
    expect(box.y).toBeGreaterThanOrEqual(own.y + own.height);
    expect(box.y).toBeLessThan(120);
    expect(box.x + box.width).toBeGreaterThan(SIZE.width - 60);
    expect(box.x + box.width).toBeLessThanOrEqual(SIZE.width);
  }).toPass();

  // The toast does not cover the open center either.
  await openCenter(page);
  await expect(async () => {
    const panel = (await center(page).boundingBox())!;
    const box = (await toast.boundingBox())!;
    expect(box.x + box.width).toBeLessThanOrEqual(panel.x);
  }).toPass();
});

test('A setting puts toasts at the bottom right', async () => {
  await setSetting(page, SETTINGS, 'toastPosition', 'bottom-right');
  await lab.push({ message: 'Down here.', autoClose: false });
  await expect(async () => {
    const box = (await toasts(page, 'Down here.').boundingBox())!;
    expect(box.y).toBeGreaterThan(SIZE.height / 2);
    expect(box.y + box.height).toBeLessThanOrEqual(SIZE.height);
    expect(box.x + box.width).toBeGreaterThan(SIZE.width - 60);
  }).toPass();
  await setSetting(page, SETTINGS, 'toastPosition', 'top-right');
  await expect(async () => {
    const box = (await toasts(page, 'Down here.').boundingBox())!;
    expect(box.y).toBeLessThan(SIZE.height / 2);
  }).toPass();
});

/** Ways in which a bar moves, or is added, without a change of any size. */
const MOVES: [string, (bar: HTMLElement) => void][] = [
  [
    'one around it is moved',
    bar => (bar.parentElement!.style.transform = 'translateY(90px)')
  ],
  [
    'it glides down',
    bar => {
      bar.style.transition = 'top 0.4s';
      bar.style.top = bar.offsetTop + 'px';
      void bar.offsetTop;
      bar.style.top = bar.offsetTop + 90 + 'px';
    }
  ],
  [
    'it is added deep within the page',
    bar => {
      const other = bar.cloneNode(true) as HTMLElement;
      other.id = 'added';
      other.style.top = bar.offsetTop + 90 + 'px';
      bar.parentElement!.append(other);
    }
  ]
];

test('Toasts keep off a bar however it moved, and go back with it', async () => {
  await runCommand(page, 'docmanager:open', { path: 'one.ipynb' });
  await expect(page.locator('.jp-NotebookPanel-toolbar').last()).toBeVisible();
  await lab.push({ message: 'It stays.', type: 'error' });
  const toast = toasts(page, 'It stays.');
  // Toasts are placed anew when one folds, so wait for that.
  await expect(toast).toHaveAttribute('data-jp-notify-folded', '');
  await expect.poll(() => met(page)).toEqual([]);
  const top = async () => Math.round((await toast.boundingBox())!.y);
  const before = await top();
  /** Measure from the lowest bar, which may be that of the active cell, to the toast. */
  const gap = async () => {
    const bottoms = await page
      .locator('#jp-main-dock-panel .jp-Toolbar')
      .evaluateAll(bars => bars.map(bar => bar.getBoundingClientRect().bottom));
    return (await top()) - Math.round(Math.max(...bottoms));
  };
  const rest = await gap();
  for (const [how, move] of MOVES) {
    const bar = page
      .locator('#jp-main-dock-panel .jp-NotebookPanel-toolbar')
      .locator('visible=true')
      .last();
    await bar.evaluate(node => {
      node.dataset.before = node.style.cssText;
      node.parentElement!.dataset.before = node.parentElement!.style.cssText;
    });
    await bar.evaluate(move);
    await expect.poll(() => met(page), how).toEqual([]);
    await expect.poll(top, how).toBeGreaterThan(before);
    await expect.poll(gap, how).toBe(rest);
    await page.evaluate(() => {
      document.getElementById('added')?.remove();
      for (const node of document.querySelectorAll<HTMLElement>(
        '[data-before]'
      )) {
        node.style.cssText = node.dataset.before!;
        delete node.dataset.before;
      }
    });
    await expect.poll(top, `back after: ${how}`).toBe(before);
  }
});

/**
 * Surfaces to open: a name, the command that opens it, its arguments, and a selector of what is in
 * sight then.
 */
const SURFACES: [string, string, Record<string, unknown>, string][] = [
  ['the launcher', 'launcher:create', {}, '.jp-Launcher'],
  [
    'a notebook',
    'docmanager:open',
    { path: 'one.ipynb' },
    '.jp-NotebookPanel-toolbar .jp-KernelName'
  ],
  [
    'an editor',
    'docmanager:open',
    { path: 'code.py' },
    '.jp-FileEditor .cm-content'
  ],
  [
    'a text file',
    'docmanager:open',
    { path: 'text.md', factory: 'Editor' },
    '.jp-FileEditor .cm-content'
  ],
  ['a terminal', 'terminal:create-new', {}, '.jp-Terminal'],
  [
    'two notebooks, one above the other',
    'docmanager:open',
    { path: 'two.ipynb', options: { mode: 'split-bottom' } },
    '.jp-NotebookPanel-toolbar .jp-KernelName'
  ]
];

for (const [name, command, args, shows] of SURFACES) {
  test(`With ${name} open, no toast meets a control, at any width`, async () => {
    if (name.startsWith('two')) {
      await runCommand(page, 'docmanager:open', { path: 'one.ipynb' });
    }
    void runCommand(page, command, args);
    await expect(
      page.locator(shows).locator('visible=true').first()
    ).toBeVisible();
    await pushAll(lab);
    await expect(banners(page)).toBeVisible();
    await expect(toasts(page).first()).toBeVisible();
    await measure(page);
  });
}

test('While one searches in an editor, no toast meets the box for that, at any width', async () => {
  await runCommand(page, 'docmanager:open', { path: 'code.py' });
  await expect(page.locator('.jp-FileEditor:visible .cm-content')).toHaveCount(
    1
  );
  await pushAll(lab);
  await expect(toasts(page)).toHaveCount(3);
  await runCommand(page, 'documentsearch:startWithReplace');
  const box = page.locator('.jp-DocumentSearch-overlay:visible');
  await expect(box).toBeVisible();
  await measure(page);
  await page.setViewportSize(SIZE);
  await box.getByRole('button', { name: 'Close Search Box' }).click();
  await expect(box).toHaveCount(0);
});

test("In Notebook's file list and notebook, no toast meets a control, at any width", async ({
  browser
}) => {
  const notebook = new Lab({ app: 'notebook' });
  await notebook.start();
  try {
    fs.copyFileSync(
      path.join(__dirname, 'train.ipynb'),
      path.join(notebook.root, 'one.ipynb')
    );
    for (const [where, shows] of [
      ['tree', '.jp-DirListing'],
      ['notebooks/one.ipynb', '.jp-NotebookPanel-toolbar']
    ]) {
      const tab = await notebook.open(browser, { path: where });
      await expect(tab.locator(shows).first()).toBeVisible();
      await pushAll(notebook);
      await expect(toasts(tab).first()).toBeVisible();
      await measure(tab);
      await tab.context().close();
      await notebook.dismissAll();
    }
  } finally {
    await notebook.stop();
  }
});

test('Of six toasts four stand, and one line says how many more', async () => {
  for (let index = 0; index < 9; index++) {
    await lab.push({ message: `S${index}`, type: 'error' });
  }
  // The number of toasts that fit depends on the window; with the summary they are all messages.
  await expect(async () => {
    const stand = await toasts(page).count();
    expect(stand).toBeLessThanOrEqual(4);
    expect(await summary(page).innerText()).toContain(`and ${9 - stand} more`);
  }).toPass();
  await expect
    .poll(async () => (await summary(page).boundingBox())!.height)
    .toBeLessThan(52);
});

test('What stays folds to one line, opens under the pointer and the focus, and a click opens its row', async () => {
  await lab.push({
    message: `A message of some lines, ${'and so on, '.repeat(8)}`,
    autoClose: false,
    actions: [{ label: 'Later' }]
  });
  const toast = toasts(page, 'A message of some lines');
  const height = async () => (await toast.boundingBox())!.height;
  const button = toast.locator('.jp-toast-button', { hasText: 'Later' });
  await expect.poll(height).toBeGreaterThan(80);
  await expect(toast).toHaveAttribute('data-jp-notify-folded', '');
  await expect.poll(height).toBeLessThan(52);
  for (const part of ['.jp-toast-message', '.jp-Notification-Toast-Close']) {
    await expect
      .poll(() => offMiddle(toast, part), part)
      .toBeLessThanOrEqual(1);
  }

  await toast.hover();
  await expect.poll(height).toBeGreaterThan(80);
  await page.mouse.move(300, 700);
  await expect.poll(height).toBeLessThan(52);
  await button.focus();
  await expect.poll(height).toBeGreaterThan(80);
  await button.blur();
  await expect.poll(height).toBeLessThan(52);

  await toast.locator('.jp-toast-message').click();
  const row = rows(page, 'A message of some lines');
  await expect(row).toHaveClass(/jp-mod-open/);
  await expect(toast).toHaveCount(0);
});

test('A message of several lines folds to its first', async () => {
  await lab.push({ message: 'One line', type: 'error' });
  await lab.push({ message: 'First\nsecond\nthird', type: 'error' });
  const height = async (text: string) =>
    (await toasts(page, text).boundingBox())!.height;
  for (const text of ['One line', 'First']) {
    await expect(toasts(page, text)).toHaveAttribute(
      'data-jp-notify-folded',
      ''
    );
  }
  expect(await height('First')).toBe(await height('One line'));
});

test('While the center is open only errors toast, and what stays is back afterwards', async () => {
  await lab.push({ message: 'It stays.', autoClose: false });
  await expect(toasts(page, 'It stays.')).toBeVisible();
  await openCenter(page);
  await expect(toasts(page)).toHaveCount(0);
  await lab.push({ message: 'Some news.', autoClose: 60_000 });
  await lab.push({ message: 'An error.', type: 'error' });
  await expect(toasts(page, 'An error.')).toBeVisible();
  expect(await toastEvents(page, 'Some news.')).toEqual([]);
  await closeCenter(page);
  await expect(toasts(page)).toHaveText([/It stays/, /An error/]);
  await expect(bell(page)).toHaveAccessibleName('Notifications, 3 unread');
});

test('Toasts fade, and do not fly', async () => {
  await setMotion(page, true);
  await lab.push({ message: 'Softly.', autoClose: false });
  const toast = toasts(page, 'Softly.');
  await expect(toast).toBeVisible();
  // A toast that has appeared has no animation any more, but a copy of it begins with one.
  const name = await toast.evaluate(node => {
    const copy = node.cloneNode(false) as HTMLElement;
    copy.classList.add(
      'Toastify--animate',
      'Toastify__slide-enter--bottom-right'
    );
    node.parentElement!.append(copy);
    const { animationName } = getComputedStyle(copy);
    copy.remove();
    return animationName;
  });
  expect(name).toBe('jp-notify-appear');
  await setMotion(page, false);
});

test('The clocks stand still while a dialog is open, the tab is hidden, and the pointer is over any toast', async () => {
  const clock = (text: string) =>
    toasts(page, text)
      .locator('.Toastify__progress-bar')
      .evaluate(node => getComputedStyle(node).animationPlayState);
  // An earlier test may have left the pointer where the toasts come.
  await page.mouse.move(300, 700);
  await lab.push({ message: 'For a minute.', autoClose: 60_000 });
  await lab.push({ message: 'Beside it.', autoClose: 60_000 });
  await expect(toasts(page)).toHaveCount(2);
  await expect.poll(() => clock('For a minute.')).toBe('running');

  await toasts(page, 'Beside it.').hover();
  await expect.poll(() => clock('For a minute.')).toBe('paused');
  await page.mouse.move(300, 700);
  await expect.poll(() => clock('For a minute.')).toBe('running');

  void runCommand(page, 'help:about');
  const dialog = page.locator('.jp-Dialog');
  await expect(dialog).toBeVisible();
  await expect.poll(() => clock('For a minute.')).toBe('paused');
  // Escape would not do: the dialog may not have the focus yet.
  await dialog.locator('.jp-Dialog-footer button').last().click();
  await expect(dialog).toHaveCount(0);
  await page.mouse.move(300, 700);
  await expect.poll(() => clock('For a minute.')).toBe('running');

  // A browser without a screen hides no tab, so the page is told that it is hidden.
  for (const [hidden, state] of [
    [true, 'paused'],
    [false, 'running']
  ] as const) {
    await page.evaluate(value => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await expect.poll(() => clock('For a minute.')).toBe(state);
  }
});

test('An error stays although the user set a time', async () => {
  await lab.push({ message: 'It failed.', type: 'error' });
  await lab.push({ message: 'For a time.' });
  await toastTime(page, 'For a time.');
  await expect(toasts(page, 'It failed.')).toBeVisible();
  await expect(center(page)).toBeHidden();
});

test('What is not shown is summed up until the center opens, and then no more, also in a smaller window', async () => {
  for (let index = 0; index < 8; index++) {
    await lab.push({ message: `one of eight ${index}`, type: 'error' });
  }
  await expect(summary(page)).toContainText(/and \d+ more/);
  await openCenter(page);
  await expect(summary(page)).toHaveCount(0);
  try {
    // Room for two. A message so soon after eight others may have to wait for a second.
    await page.setViewportSize({ ...SIZE, height: 260 });
    await expect.poll(() => toasts(page).count()).toBeLessThan(3);
    await lab.push({ message: 'one more', type: 'error' });
    await expect(rows(page, 'one more')).toBeVisible();
    await expect(toasts(page, 'one more')).toBeVisible();
    await expect(summary(page)).toHaveCount(0);
  } finally {
    await page.setViewportSize(SIZE);
  }
});

test('An error opens the center only for who asked for that, and leaves keyboard and state alone', async () => {
  await lab.push({ message: 'First error.', type: 'error', autoClose: false });
  await expect(toasts(page, 'First error.')).toBeVisible();
  await expect(center(page)).toBeHidden();

  await setSetting(page, SETTINGS, 'openOnError', true);
  await lab.push({ message: 'No error.', type: 'info', autoClose: false });
  await expect(toasts(page, 'No error.')).toBeVisible();
  await expect(center(page)).toBeHidden();

  await page.evaluate(() => (document.activeElement as HTMLElement)?.blur());
  const { notification_id: id } = await lab.push({
    message: 'Second error.',
    type: 'error',
    autoClose: false
  });
  const row = rows(page, 'Second error.');
  await expect(row).toHaveClass(/jp-mod-open/);
  await expect(row).toHaveClass(/jp-mod-unread/);
  await expect(toasts(page, 'Second error.')).toBeVisible();
  await expect(page.locator('body')).toBeFocused();
  await setSetting(page, SETTINGS, 'openOnError', false);

  // The user who closes it has read it. In a panel as narrow as other tests leave it, rows have no
  // button for that: a click on the row does it in every panel.
  await row.getByText('Second error.').click();
  await expect(row).not.toHaveClass(/jp-mod-open/);
  await expect(row).not.toHaveClass(/jp-mod-unread/);
  await expect
    .poll(async () => (await lab.list()).find(one => one.id === id)?.read)
    .toEqual(expect.any(String));
});
