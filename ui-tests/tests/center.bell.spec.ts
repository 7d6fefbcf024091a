/**
 * The bell, the panel of the center, and how both look.
 */
import type { Locator, Page } from '@playwright/test';
import { gzipSync } from 'zlib';

import { hasNoViolations } from './axe';
import {
  check,
  lab,
  open,
  page,
  panelWidth,
  press,
  push,
  pushMany,
  pushMixed,
  reloadPage,
  savedLayout,
  searchField,
  TYPES,
  useCenter
} from './centerPage';
import {
  badge,
  bell,
  center,
  closeCenter,
  expect,
  Lab,
  openCenter,
  rows,
  runCommand,
  setMotion,
  setTheme,
  test,
  toasts,
  untilLauncher
} from './lab';

useCenter();

test.describe('The bell', () => {
  test('counts what is unread', async () => {
    await expect(badge(page)).toHaveCount(0);
    await expect(bell(page)).toHaveAccessibleName('Notifications');

    const id = await push('one');
    await push('two');
    await expect(badge(page)).toHaveText('2');
    await expect(bell(page)).toHaveAccessibleName('Notifications, 2 unread');
    await expect(center(page).getByText('2 unread')).toBeVisible();

    await lab.change(id, { read: true });
    await expect(badge(page)).toHaveText('1');
    await pushMany(99, index => `message ${index}`);
    await expect(badge(page)).toHaveText('99+');
    await expect(bell(page)).toHaveAccessibleName('Notifications, 100 unread');
  });

  test('stands in the top bar and opens and closes the center by a click', async () => {
    await expect(
      page.locator('#jp-top-panel').locator(bell(page))
    ).toBeVisible();
    await expect(bell(page)).toHaveAttribute('aria-pressed', 'true');
    await bell(page).click();
    await expect(center(page)).toBeHidden();
    await expect(bell(page)).toHaveAttribute('aria-pressed', 'false');
    await bell(page).click();
    await expect(center(page)).toBeVisible();
    await center(page).getByRole('button', { name: 'Close' }).click();
    await expect(center(page)).toBeHidden();
    await bell(page).click();
    await expect(center(page)).toBeVisible();
  });

  test('opens and closes the center by keyboard, and the focus follows', async () => {
    await push('a message');
    await expect(rows(page, 'a message')).toBeVisible();
    await closeCenter(page);
    await bell(page).focus();
    await page.keyboard.press('Enter');
    await expect(rows(page, 'a message')).toBeFocused();
    await center(page).getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Space');
    await expect(center(page)).toBeHidden();
    await expect(bell(page)).toBeFocused();
    await page.keyboard.press('Space');
    await expect(rows(page, 'a message')).toBeFocused();
  });

  test('has a command that does the same, which the palette offers', async () => {
    await runCommand(page, 'jupyterlab-notify:toggle-center');
    await expect(center(page)).toBeHidden();
    await runCommand(page, 'apputils:activate-command-palette');
    await page.locator('#modal-command-palette input').fill('notifications');
    await page
      .locator(
        '#modal-command-palette [data-command="jupyterlab-notify:toggle-center"]'
      )
      .first()
      .click();
    await expect(center(page)).toBeVisible();
    await expect
      .poll(() =>
        center(page).evaluate(node => node.contains(document.activeElement))
      )
      .toBe(true);
  });

  test('is the only one while the center is closed, but for keyboards', async () => {
    const tabs = page.locator('.jp-SideBar.jp-mod-right .lm-TabBar-tab');
    const tab = tabs.and(page.locator('.jp-NotifyCenter-tab'));
    const height = async () => (await tab.boundingBox())!.height;
    await expect.poll(height).toBeGreaterThan(20);
    await closeCenter(page);
    await expect.poll(height).toBe(0);

    // The bar's arrow keys go through all tabs, from the first to the last.
    await tabs.first().focus();
    await page.keyboard.press('ArrowUp');
    await expect(tab).toBeFocused();
    await expect.poll(height).toBeGreaterThan(20);
    await page.keyboard.press('Enter');
    await expect(center(page)).toBeVisible();
  });
});

for (const late of [0, 400]) {
  const when = late ? ', also where JupyterLab is slow to follow it' : '';
  test(`A window that becomes small closes the left side, and the center stays in it${when}`, async ({
    browser
  }) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 700 }
    });
    const path = `lab/workspaces/less-${late}`;
    const tab = await lab.open(browser, { context, path });
    await openCenter(tab);
    await expect(tab.locator('.jp-FileBrowser')).toBeVisible();
    await followLate(tab, late);
    for (const width of [900, 660, 480]) {
      await tab.setViewportSize({ width, height: 700 });
      for (const where of [
        bell(tab),
        center(tab).getByRole('button', { name: 'Close' })
      ]) {
        await expect(where).toBeInViewport({ ratio: 1 });
      }
    }
    await expect(tab.locator('.jp-FileBrowser')).toBeHidden();
    await context.close();
  });
}

/** Have JupyterLab's areas follow the window so many ms later than they do; 0: as they do. */
async function followLate(tab: Page, ms: number): Promise<void> {
  await tab.evaluate(ms => {
    const { shell } = (window as any).jupyterapp;
    // The class's own method is behind one that an earlier call has set.
    delete shell.update;
    if (ms) {
      const update = shell.update.bind(shell);
      shell.update = () => setTimeout(update, ms);
    }
  }, ms);
}

test('In a window for one side only the side that was opened last stays', async ({
  browser
}) => {
  const context = await browser.newContext({
    viewport: { width: 700, height: 700 }
  });
  const tab = await lab.open(browser, { context, path: 'lab/workspaces/last' });
  await untilLauncher(tab);
  const files = tab.locator('.jp-FileBrowser');
  await expect(files).toBeVisible();
  await openCenter(tab);
  await expect(center(tab)).toBeInViewport({ ratio: 1 });
  await expect(files).toBeVisible();
  const needs = (width: number) =>
    tab.evaluate(width => {
      const { currentWidget } = (window as any).jupyterapp.shell;
      currentWidget.node.style.minWidth = `${width}px`;
      currentWidget.parent.fit();
    }, width);

  // What is opened between them later needs more room.
  await needs(350);
  await expect(files).toBeHidden();
  for (const where of [bell(tab), center(tab)]) {
    await expect(where).toBeInViewport({ ratio: 1 });
  }

  await runCommand(tab, 'application:toggle-left-area');
  await expect(center(tab)).toBeHidden();
  await expect(files).toBeVisible();
  await expect(bell(tab)).toBeInViewport({ ratio: 1 });

  await openCenter(tab);
  await expect(files).toBeHidden();
  await expect(center(tab)).toBeInViewport({ ratio: 1 });

  // Also if it is opened in the moment in which it has made way for the other side.
  await tab.evaluate(async () => {
    const { commands } = (window as any).jupyterapp;
    const panel = document.querySelector('#jp-notify-center')!;
    await commands.execute('application:toggle-left-area');
    while (panel.checkVisibility()) {
      await new Promise(requestAnimationFrame);
    }
    await commands.execute('jupyterlab-notify:toggle-center');
  });
  await expect(files).toBeHidden();
  await expect(center(tab)).toBeInViewport({ ratio: 1 });
  await context.close();
});

test('In a small window the center is a sheet over the page, and the bell stays', async ({
  browser
}) => {
  const context = await browser.newContext({
    viewport: { width: 480, height: 700 }
  });
  const tab = await lab.open(browser, { context, path: 'lab/workspaces/slim' });
  const page = tab.locator('#jp-main-split-panel');
  await openCenter(tab);
  // The panel has the whole width but for the frame's line.
  const width = async (part: Locator) => (await part.boundingBox())!.width;
  await expect
    .poll(async () => (await width(page)) - (await width(center(tab))))
    .toBeLessThanOrEqual(1);
  for (const where of [
    bell(tab),
    center(tab).getByRole('button', { name: 'Close' })
  ]) {
    await expect(where).toBeInViewport({ ratio: 1 });
    // Nothing lies over it.
    await where.click({ trial: true });
  }
  // An error is in the list that covers the page, and needs no toast.
  await lab.push({ message: 'on a small screen', type: 'error' });
  await expect(rows(tab, 'on a small screen')).toBeVisible();
  await expect(toasts(tab, 'on a small screen')).toBeHidden();
  await closeCenter(tab);
  await expect(toasts(tab, 'on a small screen')).toBeVisible();
  // If there is room for both, the panel is beside the page.
  await openCenter(tab);
  await tab.setViewportSize({ width: 1000, height: 700 });
  await expect
    .poll(async () => (await center(tab).boundingBox())!.x)
    .toBeGreaterThan(400);
  await context.close();
});

test('In Notebook the panel has one button to close it', async ({
  browser
}) => {
  const notebook = new Lab({ app: 'notebook' });
  await notebook.start();
  try {
    const tab = await notebook.open(browser);
    await openCenter(tab);
    await expect(
      tab.locator('#jp-right-stack').getByRole('button', {
        name: /^Close$|^Collapse side panel$/
      })
    ).toHaveCount(1);
    await closeCenter(tab);
    await tab.context().close();
  } finally {
    await notebook.stop();
  }
});

test('The panel is there again after a reload, as wide as it was, also if it was closed', async () => {
  await push('a message');
  await expect.poll(panelWidth).toBeGreaterThan(340);
  await expect.poll(savedLayout).toBe('open and wide');
  const before = await panelWidth();
  await reloadPage();
  await expect(rows(page, 'a message')).toBeVisible();
  await expect
    .poll(async () => Math.abs((await panelWidth()) - before))
    .toBeLessThan(3);

  // Made wider by hand, and closed while JupyterLab saves its layout.
  const { x } = (await center(page).boundingBox())!;
  await page.mouse.move(x - 1, 400);
  await page.mouse.down();
  await page.mouse.move(x - 81, 400);
  await page.mouse.up();
  // The 80 pixels that the edge was moved by.
  await expect.poll(panelWidth).toBeGreaterThan(before + 75);
  const wider = await panelWidth();
  await closeCenter(page);
  await expect.poll(savedLayout).toBe('closed or narrow');
  await reloadPage();
  await expect(center(page)).toBeHidden();
  await openCenter(page);
  await expect.poll(panelWidth).toBeGreaterThan(wider - 3);
  await expect.poll(panelWidth).toBeLessThan(wider + 3);
});

for (const late of [null, 0, 300]) {
  const when =
    late === null ? '' : `, and had its theme ${late} ms after the center`;
  test(`The panel has its width also where JupyterLab lost it as it restored its layout${when}`, async () => {
    await push('a message');
    await expect.poll(panelWidth).toBeGreaterThan(340);
    await expect.poll(savedLayout).toBe('open and wide');
    const before = await panelWidth();
    await page.evaluate(() => sessionStorage.setItem('lose', 'the sizes'));
    await page.addInitScript(loseSizes);
    if (late !== null) {
      // Until its theme comes the page has neither its width nor a least width of its sides.
      await page.route('**/api/themes/**', async route => {
        await page
          .locator('.jp-NotifyCenter-content')
          .waitFor({ state: 'attached' });
        await new Promise(resolve => setTimeout(resolve, late));
        await route.continue();
      });
    }
    await reloadPage();
    await expect(rows(page, 'a message')).toBeVisible();
    await expect
      .poll(async () => Math.abs((await panelWidth()) - before))
      .toBeLessThan(3);
    expect(
      await page.evaluate(() => sessionStorage.getItem('lose'))
    ).toBeNull();
  });
}

/** Lose the sizes of the layout as it is restored; in the page. */
function loseSizes(): void {
  if (sessionStorage.getItem('lose') === null) {
    return;
  }
  let app: any;
  Object.defineProperty(window, 'jupyterapp', {
    get: () => app,
    // Before any plugin of the page can wait for the layout.
    set: made => {
      app = made;
      void app.shell.restored.then(() => {
        const split = app.shell._hsplitPanel;
        const sizes = split.relativeSizes();
        split.setRelativeSizes([...sizes.slice(0, -1), 0]);
        sessionStorage.removeItem('lose');
      });
    }
  });
}

for (const late of [0, 400]) {
  const when = late ? ', also where JupyterLab is slow to follow it' : '';
  test(`The panel has its width again after the window was small${when}`, async () => {
    await expect.poll(panelWidth).toBeGreaterThan(340);
    const before = await panelWidth();
    const areas = page.locator('#jp-main-split-panel');
    await followLate(page, late);
    for (const widths of [
      [480, 1280],
      [900, 640, 480, 640, 900, 1280]
    ]) {
      for (const width of widths) {
        await page.setViewportSize({ width, height: 800 });
        await expect
          .poll(async () => {
            const areasWidth = (await areas.boundingBox())!.width;
            return areasWidth < width && areasWidth > width - 100;
          })
          .toBe(true);
      }
      await expect
        .poll(async () => Math.abs((await panelWidth()) - before))
        .toBeLessThan(3);
    }
    await followLate(page, 0);
  });
}

test('The panel is as wide as a panel where its layout was saved in a small window', async ({
  browser
}) => {
  const path = 'lab/workspaces/small-first';
  const open = async (width: number) => {
    const context = await browser.newContext({
      viewport: { width, height: 700 }
    });
    return lab.open(browser, { context, path });
  };
  const saved = async () => {
    const { body } = await lab.api('GET', 'lab/api/workspaces/small-first');
    const layout = body.data['layout-restorer:data'];
    return layout?.right.collapsed ? 0 : layout?.relativeSizes[2];
  };
  const tab = await open(480);
  await openCenter(tab);
  await expect.poll(saved).toBeGreaterThan(0.5);
  await tab.context().close();

  // Another browser, or a window of another day.
  const large = await open(1280);
  const width = async () => (await center(large).boundingBox())!.width;
  await expect(center(large).getByRole('searchbox')).toBeVisible();
  await expect.poll(width).toBeLessThan(0.36 * 1280 + 2);
  expect(await width()).toBeGreaterThan(340);

  // What the user drags it to is kept, however much it is.
  const { x } = (await center(large).boundingBox())!;
  await large.mouse.move(x - 1, 400);
  await large.mouse.down();
  await large.mouse.move(x - 301, 400);
  await large.mouse.up();
  await expect.poll(width).toBeGreaterThan(640);
  const wide = await width();
  await expect.poll(saved).toBeGreaterThan((wide - 3) / 1280);
  await large.reload();
  await expect(center(large).getByRole('searchbox')).toBeVisible();
  await expect
    .poll(async () => Math.abs((await width()) - wide))
    .toBeLessThan(3);
  await large.context().close();
});

for (const theme of ['light', 'dark'] as const) {
  test.describe(`In the ${theme} theme axe finds nothing wrong with`, () => {
    test.beforeAll(async () => {
      await setTheme(page, theme);
    });

    test.afterAll(async () => {
      await setTheme(page, 'light');
    });

    test('the empty center and the bell', async () => {
      await expect(center(page)).toContainText('All quiet');
      await hasNoViolations(page, '#jp-notify-center', '#jp-notify-bell');
    });

    test('many messages, some selected, and the bar that undoes', async () => {
      await pushMixed();
      await hasNoViolations(page, '#jp-notify-center', '#jp-notify-bell');
      await check('a success');
      await expect(rows(page, 'a warning').getByRole('checkbox')).toHaveCSS(
        'color-scheme',
        theme === 'dark' ? 'dark' : /^(normal|light)/
      );
      await press(rows(page, 'an info'), 'Done');
      await rows(page, 'a warning').hover();
      await hasNoViolations(page, '#jp-notify-center');
      await center(page)
        .getByRole('button', { name: 'Filter by type' })
        .click();
      await hasNoViolations(page, '#jp-notify-center');
      await page.keyboard.press('Escape');
      await searchField().fill('no such thing');
      await expect(center(page)).toContainText('Nothing matches');
      await hasNoViolations(page, '#jp-notify-center');
    });

    test('an opened message', async () => {
      await pushMixed();
      const row = rows(page, 'an error');
      await open(row);
      await expect(row.locator('table')).toBeVisible();
      await hasNoViolations(page, '#jp-notify-center');
      await row.focus();
      await hasNoViolations(page, '#jp-notify-center');
    });

    test('toasts of all types', async () => {
      // While the center is open, only errors are toasts.
      await closeCenter(page);
      for (const types of [TYPES.slice(0, 3), TYPES.slice(3)]) {
        for (const type of types) {
          await lab.push({
            message: `A toast of type ${type}`,
            type,
            autoClose: false,
            ...(type === 'in-progress' ? { progress: 0.4 } : {}),
            ...(type === 'error' || type === 'info'
              ? {
                  actions: [
                    { label: 'Later' },
                    { label: 'Now', displayType: 'accent' }
                  ]
                }
              : {})
          });
          await expect(toasts(page, `type ${type}`)).toBeVisible();
        }
        await hasNoViolations(page, '.jp-toastContainer');
        await lab.dismissAll();
        await expect(toasts(page)).toHaveCount(0);
      }
      await openCenter(page);
    });
  });
}

test('Nothing moves by itself for who wants less motion', async () => {
  await lab.push({ message: 'at work', type: 'in-progress' });
  const bar = rows(page, 'at work').locator('.jp-NotifyProgress > span');
  await lab.push({ message: 'went wrong', type: 'error' });
  const toast = toasts(page, 'went wrong');
  /** Measure how long the bar's animation takes, and that of a toast into the page, in s. */
  const motion = async () => [
    await bar.evaluate(node =>
      parseFloat(getComputedStyle(node).animationDuration)
    ),
    // A toast that has come has no animation any more: a copy of it begins with one.
    await toast.evaluate(node => {
      const copy = node.cloneNode(false) as HTMLElement;
      copy.removeAttribute('id');
      copy.classList.add('Toastify--animate');
      node.parentElement!.append(copy);
      const duration = parseFloat(getComputedStyle(copy).animationDuration);
      copy.remove();
      return duration;
    })
  ];
  // All tests have less motion but this one.
  await setMotion(page, true);
  try {
    // The browser works out the styles anew some time after the media was changed.
    await expect
      .poll(async () => Math.min(...(await motion())))
      .toBeGreaterThan(0.1);
  } finally {
    await setMotion(page, false);
  }
  // JupyterLab removes a toast when its animation ends, so there has to be one.
  await expect.poll(motion).toEqual([0, 0.001]);
  await press(rows(page, 'went wrong'), 'Done');
  await expect(toast).toHaveCount(0);
});

test('Where the system chooses the colours, what is unread and chosen can still be told', async () => {
  await push('unread');
  await page.emulateMedia({ forcedColors: 'active' });
  try {
    // Computed styles do not show the colours that the system forces.
    await expect(rows(page, 'unread').locator('.jp-NotifyRow-dot')).toHaveCSS(
      'forced-color-adjust',
      'none'
    );
    const views = center(page).locator('.jp-NotifyFilter-view');
    await expect(views.and(page.locator('.jp-mod-on'))).toHaveCSS(
      'border-top-width',
      '1px'
    );
    for (const view of await views
      .and(page.locator(':not(.jp-mod-on)'))
      .all()) {
      await expect(view).toHaveCSS('border-top-width', '0px');
    }
    // The bell tells whether the center is open.
    await expect(bell(page)).toHaveCSS('border-top-width', '2px');
    await closeCenter(page);
    await expect(bell(page)).toHaveCSS('border-top-width', '0px');
    await openCenter(page);
  } finally {
    await page.emulateMedia({ forcedColors: null });
  }
});

test('A tab loads less than 30 KB before anything is opened', async ({
  browser
}) => {
  const tab = await lab.open(browser, { path: 'lab/workspaces/early' });
  const urls: string[] = await tab.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => name)
      .filter(name => name.includes('/jupyterlab_notify/static/'))
  );
  expect(urls.length).toBeGreaterThan(1);
  const files = await Promise.all(
    urls.map(async url => (await tab.request.get(url)).body())
  );
  const map = await tab.request.get(`${urls[0]}.map`);
  await tab.context().close();
  test.skip(map.ok(), 'A development build is larger.');
  const packed = files.map(file => gzipSync(file, { level: 9 }).length);
  expect(packed.reduce((sum, size) => sum + size)).toBeLessThan(30 * 1024);
});

test('says when messages are kept in memory only', async ({ browser }) => {
  const memory = new Lab({ config: 'c.NotifyApp.database = ""' });
  try {
    await memory.start();
    const tab = await memory.open(browser);
    await openCenter(tab);
    expect((await memory.push('kept in memory')).durable).toBe(false);
    await expect(rows(tab, 'kept in memory')).toBeVisible();
    await expect(
      center(tab).getByText('Messages are kept in memory only')
    ).toBeVisible();
    await tab.context().close();
  } finally {
    await memory.stop();
  }
});
