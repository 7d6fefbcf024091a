/**
 * Pictures of messages: in rows, toasts and on the desktop, replaced while they are looked at,
 * and fetched only for a user who is there.
 */
import type { Locator, Page } from '@playwright/test';

import { hasNoViolations } from './axe';
import { coveredParts } from './boxes';
import {
  center,
  closeCenter,
  expect,
  openCenter,
  rows,
  setTheme,
  test,
  toasts,
  untilLauncher,
  useLab
} from './lab';
import { givePicture, png } from './pictureFile';

const lab = useLab();

const give = (name: string, picture: Buffer) => givePicture(lab, name, picture);

let page: Page;
/** The pictures that the page has asked for, by their addresses. */
let asked: string[];

test.beforeAll(async ({ browser }) => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    permissions: ['notifications']
  });
  page = await lab.open(browser, { context });
  await untilLauncher(page);
  page.on('request', request => {
    if (request.url().includes('/image/')) {
      asked.push(request.url());
    }
  });
});

test.afterAll(() => page?.context().close());

test.beforeEach(async () => {
  asked = [];
  await closeCenter(page);
  for (const { id } of await lab.list('inbox', 200)) {
    await lab.revoke(id);
  }
  await expect(toasts(page)).toHaveCount(0);
});

/** Move the mouse, as a user who is present does. */
async function beThere(): Promise<void> {
  await page.mouse.move(400, 700);
  await page.mouse.move(410, 700);
}

/** Read the red of a picture's corner; null while another picture takes its place. */
async function redOf(image: Locator): Promise<number | null> {
  return image.evaluate(async (node: HTMLImageElement) => {
    try {
      await node.decode();
    } catch {
      return null;
    }
    const canvas = document.createElement('canvas');
    canvas.width = node.naturalWidth;
    canvas.height = node.naturalHeight;
    const context = canvas.getContext('2d')!;
    context.drawImage(node, 0, 0);
    return context.getImageData(canvas.width - 5, 5, 1, 1).data[0];
  });
}

test('a row shows its picture small, and whole when it is open', async () => {
  await lab.push({ message: 'Training done', key: 'done', autoClose: 0 });
  await give('done', png(100));
  await openCenter(page);
  await beThere();
  const row = rows(page, 'Training done');
  const small = row.locator('.jp-NotifyThumbnail img');
  await expect.poll(() => redOf(small)).toBe(100);
  const box = (await small.boundingBox())!;
  expect(box.width).toBeLessThan(60);

  await row.click();
  const link = row.getByRole('link', { name: 'Picture' });
  const whole = link.locator('img');
  await expect.poll(() => redOf(whole)).toBe(100);
  await expect(small).toHaveCount(0);
  const large = (await whole.boundingBox())!;
  expect(large.width).toBeGreaterThan(200);
  expect(large.width / large.height).toBeCloseTo(640 / 480, 1);
  const panel = (await center(page).boundingBox())!;
  expect(large.x + large.width).toBeLessThanOrEqual(panel.x + panel.width);
  // Both come from one request.
  expect(asked).toHaveLength(1);
  await hasNoViolations(page, '.jp-NotifyCenter');

  const [opened] = await Promise.all([
    page.context().waitForEvent('page'),
    link.click()
  ]);
  await expect(opened.locator('img')).toHaveJSProperty('naturalWidth', 640);
  await opened.close();
});

test('lines drawn on nothing can be seen in the dark theme', async () => {
  await setTheme(page, 'dark');
  try {
    await lab.push({ message: 'Lines', key: 'lines', autoClose: false });
    await give('lines', png(100));
    const toast = toasts(page, 'Lines').locator('.jp-toast-message');
    const ground = (locator: Locator, pseudo?: string) =>
      locator.evaluate((node, pseudo) => {
        const { backgroundColor, backgroundImage } = getComputedStyle(
          node,
          pseudo
        );
        return [backgroundColor, backgroundImage.split('"')[0]];
      }, pseudo);
    const white = 'rgb(255, 255, 255)';
    // The code that loads pictures may come after a move.
    await expect
      .poll(async () => {
        await beThere();
        return ground(toast, '::before');
      })
      .toEqual([white, 'url(']);
    await openCenter(page);
    const row = rows(page, 'Lines');
    const shown = row.locator('.jp-NotifyThumbnail img, .jp-NotifyPicture img');
    await expect.poll(() => ground(shown)).toEqual([white, 'none']);
    await row.click();
    await expect(row.locator('.jp-NotifyPicture img')).toBeVisible();
    await expect.poll(() => ground(shown)).toEqual([white, 'none']);
  } finally {
    await setTheme(page, 'light');
  }
});

test('JPEG, GIF and WebP are shown as PNG is, up to 2 MiB and nothing else', async () => {
  const drawn = (type: string) =>
    page.evaluate(type => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 64;
      return canvas.toDataURL(type).split(',')[1];
    }, type);
  const pictures = {
    jpeg: await drawn('image/jpeg'),
    webp: await drawn('image/webp'),
    // Chromium writes none.
    gif: 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'
  };
  await openCenter(page);
  await beThere();
  for (const [key, picture] of Object.entries(pictures)) {
    await lab.push({ message: `A ${key}`, key, autoClose: 0 });
    await give(key, Buffer.from(picture, 'base64'));
    const small = rows(page, `A ${key}`).locator('.jp-NotifyThumbnail img');
    await expect(small).toHaveJSProperty(
      'naturalWidth',
      key === 'gif' ? 1 : 64
    );
  }
  const status = async (body: Buffer) => {
    const { status } = await fetch(
      `${lab.url}/jupyterlab-notify/ingest/jpeg/image`,
      {
        method: 'PUT',
        headers: { Authorization: `Bearer ${lab.token}` },
        body: new Uint8Array(body)
      }
    );
    return status;
  };
  const small = png(1);
  expect(
    await status(Buffer.concat([small, Buffer.alloc(2 * 1024 * 1024)]))
  ).toBe(413);
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  expect(await status(Buffer.from(svg))).toBeGreaterThanOrEqual(400);
  await expect(
    rows(page, 'A jpeg').locator('.jp-NotifyThumbnail img')
  ).toHaveJSProperty('naturalWidth', 64);
});

test('the buttons of a row stand beside its text, also where that runs against the page', async () => {
  const words = { ltr: 'Done', rtl: 'اكتملت المهمة بنجاح' };
  for (const [key, message] of Object.entries(words)) {
    const actions = [{ label: 'Open log', url: 'https://example.org/' }];
    await lab.push({ message, key, autoClose: 0, body: message, actions });
    await give(key, png(100));
  }
  await openCenter(page);
  const turn = (direction: string) =>
    page.evaluate(direction => {
      document.documentElement.dir = direction;
    }, direction);
  try {
    for (const direction of Object.keys(words)) {
      await turn(direction);
      const against = words[direction === 'ltr' ? 'rtl' : 'ltr'];
      const row = rows(page, against);
      await expect(row.locator('.jp-NotifyThumbnail')).toBeVisible();
      await row.locator('.jp-NotifyRow-meta').hover();
      for (const name of ['Open log', 'Mark as read', 'Done']) {
        await expect(row.getByRole('button', { name })).toBeInViewport({
          ratio: 1
        });
      }
      expect(await coveredParts(row)).toEqual([]);
      // The ground behind the buttons covers no text either.
      const boxes = await row.evaluate(node =>
        ['.jp-NotifyRow-tools', '.jp-NotifyRow-text'].map(part => {
          const { left, right } = node
            .querySelector(part)!
            .getBoundingClientRect();
          return { left, right };
        })
      );
      const [tools, text] = boxes;
      expect(
        tools.left >= text.right || tools.right <= text.left,
        JSON.stringify(boxes)
      ).toBe(true);
    }
  } finally {
    await turn('');
  }
});

test('a curve grows in an open row, and nothing else of it changes', async () => {
  await lab.push({ message: 'Epoch 1', key: 'curve', type: 'in-progress' });
  await give('curve', png(10));
  await openCenter(page);
  await beThere();
  const row = rows(page, 'Epoch 1');
  await row.click();
  const picture = row.locator('.jp-NotifyPicture img');
  await expect.poll(() => redOf(picture)).toBe(10);
  const before = await picture.boundingBox();
  await give('curve', png(200));
  await expect.poll(() => redOf(picture)).toBe(200);
  await expect.poll(() => picture.boundingBox()).toEqual(before);
  await expect(row).toHaveClass(/jp-mod-open/);
});

test('a toast shows a picture that comes with it, and after it', async () => {
  await beThere();
  await lab.push({ message: 'Loss', key: 'loss', autoClose: false });
  const toast = toasts(page, 'Loss');
  await expect(toast).toBeVisible();
  await expect(toast).not.toHaveAttribute('data-jp-notify-image');
  await give('loss', png(77));
  await beThere();
  const image = () =>
    toast
      .locator('.jp-toast-message')
      .evaluate(node => getComputedStyle(node, '::before').backgroundImage);
  await expect.poll(image).toMatch(/^url\("blob:/);
  const first = await image();
  await give('loss', png(78));
  await expect.poll(image).not.toBe(first);
  await expect(toast).toContainText('Loss');
  // When the picture is removed, the text stays.
  await lab.api('DELETE', 'jupyterlab-notify/ingest/loss/image');
  await expect(toast).not.toHaveAttribute('data-jp-notify-image');
});

test('a toast with a picture folds to one line as others do', async () => {
  await beThere();
  await lab.push({ message: 'No picture', type: 'error' });
  await lab.push({ message: 'A picture', key: 'drawn', type: 'error' });
  await give('drawn', png(77));
  await beThere();
  const plain = toasts(page, 'No picture');
  const pictured = toasts(page, 'A picture');
  await expect(pictured).toHaveAttribute('data-jp-notify-image');
  for (const toast of [plain, pictured]) {
    await expect(toast).toHaveAttribute('data-jp-notify-folded', '');
  }
  const height = async (toast: Locator) => (await toast.boundingBox())!.height;
  expect(await height(pictured)).toBe(await height(plain));
  // It opens as before.
  await pictured.hover();
  await expect.poll(() => height(pictured)).toBeGreaterThan(48);
});

test('a picture one pixel wide or high can be seen and pressed in an open row', async () => {
  await openCenter(page);
  await beThere();
  for (const [name, width, height] of [
    ['Tall', 1, 2000],
    ['Wide', 2000, 1]
  ] as const) {
    await lab.push({ message: name, key: name, autoClose: 0 });
    await give(name, png(99, width, height));
    const row = rows(page, name);
    await row.click();
    const picture = row.locator('.jp-NotifyPicture');
    await expect(picture.locator('img')).toBeVisible();
    const box = (await picture.boundingBox())!;
    expect(Math.min(box.width, box.height), name).toBeGreaterThanOrEqual(24);
  }
});

test('a picture that went shows that, or nothing', async () => {
  await lab.push({ message: 'Lost', key: 'lost', autoClose: 0 });
  await page.route('**/image/*', route => route.fulfill({ status: 404 }));
  try {
    await give('lost', png(1));
    await openCenter(page);
    await beThere();
    const row = rows(page, 'Lost');
    await row.click();
    await expect(row).toContainText('The picture could not be fetched.');
  } finally {
    await page.unroute('**/image/*');
  }
  const row = rows(page, 'Lost');
  await row.getByRole('button', { name: 'Retry' }).click();
  await expect.poll(() => redOf(row.locator('.jp-NotifyPicture img'))).toBe(1);
});

test('nothing is fetched in a tab that nobody has touched', async ({
  browser
}) => {
  const tab = await lab.open(browser, { path: 'lab/workspaces/forgotten' });
  try {
    let count = 0;
    tab.on('request', request => {
      count += Number(request.url().includes('/image/'));
    });
    await lab.push({ message: 'Every minute', key: 'm', autoClose: false });
    await give('m', png(5));
    const toast = toasts(tab, 'Every minute');
    await expect(toast).toHaveAttribute('data-jp-notify-image', /./);
    await give('m', png(6));
    // A later message has arrived, so a request would have been made by now.
    await lab.push({ message: 'Later', autoClose: false });
    await expect(toasts(tab, 'Later')).toBeVisible();
    expect(count).toBe(0);
    await tab.mouse.move(300, 600);
    await expect.poll(() => count).toBe(1);
  } finally {
    await tab.context().close();
  }
});
