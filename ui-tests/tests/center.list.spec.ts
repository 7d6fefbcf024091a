/**
 * The list of the center: its rows, its width, and how it scrolls.
 */
import {
  allIds,
  at,
  lab,
  open,
  other,
  page,
  push,
  pushMany,
  reload,
  useCenter
} from './centerPage';
import { backdate } from './database';
import {
  badge,
  center,
  closeCenter,
  expect,
  type IPayload,
  openCenter,
  rows,
  test
} from './lab';

useCenter();

test.describe('The list', () => {
  test('has the newest first, grouped by day', async () => {
    const now = new Date();
    const old = await push('of last year');
    const days = await push('of five days ago');
    const yesterday = await push('of yesterday');
    await push('of now');
    await push('of now too');
    // One that arrives later would bring its former time.
    await expect(rows(page)).toHaveCount(5);
    backdate(lab, {
      [old]: new Date(Date.UTC(now.getUTCFullYear() - 1, 2, 14, 12)),
      [days]: at(now, -5, 16, 40),
      [yesterday]: at(now, -1, 18, 4)
    });
    await reload();

    const label = new Intl.DateTimeFormat('en-US', {
      day: 'numeric',
      month: 'long',
      ...(at(now, -5, 0, 0).getUTCFullYear() === now.getUTCFullYear()
        ? { weekday: 'long' }
        : { year: 'numeric' }),
      timeZone: 'UTC'
    }).format(at(now, -5, 0, 0));
    const texts = center(page).locator(
      '.jp-NotifyList-day, .jp-NotifyRow-summary'
    );
    await expect(texts).toHaveCount(9);
    const shown = await texts.evaluateAll(nodes =>
      nodes
        .map(node => ({
          top: node.getBoundingClientRect().top,
          text: node.textContent
        }))
        .sort((a, b) => a.top - b.top)
        .map(({ text }) => text)
    );
    expect(shown).toEqual([
      'Today',
      'of now too',
      'of now',
      'Yesterday',
      'of yesterday',
      label,
      'of five days ago',
      `March 14, ${now.getUTCFullYear() - 1}`,
      'of last year'
    ]);
    await expect(
      rows(page, 'of yesterday').locator('.jp-NotifyRow-when')
    ).toHaveText('6:04 PM');
    // The heading says the date.
    await expect(
      rows(page, 'of five days ago').locator('.jp-NotifyRow-when')
    ).toHaveText('4:40 PM');
  });

  for (const [type, name] of [
    ['error', 'Error'],
    ['warning', 'Warning'],
    ['success', 'Success'],
    ['info', 'Information'],
    ['in-progress', 'In progress'],
    ['default', 'Message']
  ]) {
    test(`shows type, summary, source and age of type ${type}`, async () => {
      const id = await push(`The ${type} one`, { type, source: 'batch queue' });
      await expect(rows(page, `The ${type} one`)).toBeVisible();
      const then = new Date(Date.now() - 12.5 * 60_000);
      // Soon after midnight that was yesterday, whose rows have a time of day.
      const isToday = then.getDate() === new Date().getDate();
      backdate(lab, { [id]: then });
      // The center reads the clock when it is opened, and then once a minute.
      await closeCenter(page);
      await openCenter(page);
      await reload();
      const row = rows(page, `The ${type} one`);
      await expect(row.locator(`.jp-NotifyIcon-${type}`)).toBeVisible();
      await expect(row.locator('.jp-NotifyRow-source')).toHaveText(
        'batch queue'
      );
      await expect(row.locator('.jp-NotifyRow-when')).toHaveText(
        isToday ? '12 min' : /^11:\d\d PM$/
      );
      await expect(row).toHaveAccessibleName(
        `Unread, ${name}: The ${type} one`
      );
      await expect(row).toHaveAccessibleDescription(/^batch queue/);
    });
  }

  test('tells when a message expires', async () => {
    await push('a message', { ttl: 3 * 24 * 3600 });
    await expect(rows(page, 'a message')).toContainText('expires in 3 days');
  });

  test('keeps words from right to left, and what stands beside them, in one piece each', async () => {
    await push('ההרצה נכשלה: 3 מתוך 10', {
      source: 'מחשב 7',
      type: 'error',
      ttl: 3 * 24 * 3600
    });
    const row = rows(page, 'ההרצה נכשלה');
    await expect(row).toContainText('expires in 3 days');
    const summary = row.locator('.jp-NotifyRow-summary');
    await expect(summary).toHaveCSS('direction', 'rtl');
    const pieces = await row
      .locator('.jp-NotifyRow-meta > span:not(.jp-NotifyHidden)')
      .evaluateAll(spans =>
        spans.map(span => {
          const range = document.createRange();
          range.selectNodeContents(span);
          const { left, right } = range.getBoundingClientRect();
          return { text: span.textContent, left, right };
        })
      );
    expect(pieces.map(piece => piece.text)).toEqual([
      '\u2068מחשב 7\u2069',
      'expires in 3 days'
    ]);
    expect(pieces[0].right).toBeLessThanOrEqual(pieces[1].left);
    // Its words run the other way: the first letter is the last from the left.
    const [first, last] = await row
      .locator('.jp-NotifyRow-source bdi')
      .evaluate(node => {
        const text = node.firstChild!;
        const at = (index: number) => {
          const range = document.createRange();
          range.setStart(text, index);
          range.setEnd(text, index + 1);
          return range.getBoundingClientRect().left;
        };
        return [at(1), at(6)];
      });
    expect(first).toBeGreaterThan(last);
  });

  test('lets an expired and a revoked message go', async () => {
    await push('stays');
    const revoked = await push('revoked');
    await push('expired', { key: 'soon', ttl: 3600 });
    await expect(rows(page)).toHaveCount(3);
    // Let it expire only after it was seen: a second may be over before it is drawn.
    await push('expired', { key: 'soon', ttl: 1 });
    await lab.revoke(revoked);
    await expect(rows(page, 'revoked')).toHaveCount(0);
    await expect(rows(page, 'expired')).toHaveCount(0);
    await expect(rows(page)).toHaveText([/stays/]);
    await expect(badge(page)).toHaveText('1');
  });
});

test.describe('A long list', () => {
  test('keeps its place when a message comes in, and offers it', async () => {
    await pushMany(80, index => `message ${index}.`);
    await expect(rows(page, 'message 79.')).toBeVisible();
    const list = center(page).getByRole('feed');
    await list.evaluate(node => node.scrollTo(0, 900));
    const first = () =>
      list.evaluate(async node => {
        // After two frames the rows in the page are measured.
        for (let frames = 0; frames < 2; frames++) {
          await new Promise(resolve => requestAnimationFrame(resolve));
        }
        const top = node.getBoundingClientRect().top;
        const row = [...node.querySelectorAll('.jp-NotifyRow')]
          .map(row => ({
            text: row.querySelector('.jp-NotifyRow-summary')!.textContent,
            top: row.getBoundingClientRect().top - top
          }))
          .filter(row => row.top >= 0)
          .sort((a, b) => a.top - b.top)[0];
        return `${row.text} at ${Math.round(row.top)}`;
      });
    const pill = center(page).locator('.jp-NotifyList-news');
    await expect(pill).toHaveCount(0);
    // Rows that just came into the page are measured first.
    let before = '';
    await expect
      .poll(async () => {
        const last = before;
        before = await first();
        return before === last;
      })
      .toBe(true);
    await push('something new');
    await expect(pill).toHaveText('1 new');
    // The new row is measured a moment after it is in the page.
    await expect.poll(first).toBe(before);
    await push('something newer');
    await expect(pill).toHaveText('2 new');
    await expect.poll(first).toBe(before);
    await pill.click();
    await expect(rows(page, 'something newer')).toBeInViewport();
    await expect(pill).toHaveCount(0);
  });

  test('shows older messages once they can be fetched again', async () => {
    await pushMany(60, index => `message ${index}.`);
    await expect(rows(page, 'message 59.')).toBeVisible();
    await page.route('**/jupyterlab-notify/notifications?*', route =>
      route.abort()
    );
    await reload();
    await expect(center(page).getByRole('alert')).toContainText(
      'The list could not be fetched'
    );
    await page.unrouteAll();
    await center(page).getByRole('button', { name: 'Retry' }).click();
    await expect(center(page).getByRole('alert')).toHaveCount(0);
    const list = center(page).getByRole('feed');
    // What was wrong is no longer said as soon as the page is asked for again.
    await expect(list).toHaveAttribute('aria-busy', 'false');
    await page.route('**/jupyterlab-notify/notifications?*', route =>
      route.abort()
    );
    await list.evaluate(node => node.scrollTo(0, node.scrollHeight));
    await expect(list).toContainText(
      'Older notifications could not be fetched'
    );
    await page.unrouteAll();
    await list.getByRole('button', { name: 'Retry' }).click();
    await expect(list).not.toContainText('could not be fetched');
    await expect(list).toHaveAttribute('aria-busy', 'false');
    await list.evaluate(node => node.scrollTo(0, node.scrollHeight));
    await expect(rows(page, 'message 0.')).toBeVisible();
  });
});

test.describe('Nothing overflows the panel:', () => {
  const word = 'x'.repeat(4000);
  const text = 'A sentence of some words. '.repeat(160).slice(0, 4000);
  const messages: Record<string, IPayload> = {
    'a message of 4,000 characters': { message: text },
    'a word of 4,000 characters': { message: word },
    'a word of 4,000 characters in Markdown': {
      message: `**${word.slice(4)}**`,
      markdown: true
    },
    'long source, buttons, captions': {
      message: 'x',
      source: 'w'.repeat(80),
      actions: Array.from({ length: 5 }, (_, index) => ({
        label: 'm'.repeat(80),
        displayType: ['default', 'accent', 'warn', 'link', 'default'][index],
        ...(index % 2 ? { url: 'https://example.org/' } : {})
      }))
    },
    'a body of wide things': {
      message: 'x',
      body: [
        word,
        '',
        `| ${'column | '.repeat(30)}`,
        `| ${'--- | '.repeat(30)}`,
        `| ${'value | '.repeat(30)}`,
        '',
        '```',
        word,
        '```',
        '',
        `> > > > ${word}`,
        '',
        `\`${word}\``,
        '',
        `# ${word}`,
        '',
        `[${word}](https://example.org/${word.slice(0, 500)})`
      ].join('\n')
    }
  };

  for (const [name, payload] of Object.entries(messages)) {
    test(name, async () => {
      await push(payload.message, payload);
      await expect(rows(page)).toHaveCount(1);
      const height = async () => (await rows(page).boundingBox())!.height;
      await fits();
      await expect.poll(height).toBeLessThan(160);
      await open(rows(page));
      if (payload.body) {
        await expect(rows(page).locator('.jp-NotifyBody table')).toBeVisible();
      }
      await fits();
      if (payload.message.length > 100) {
        await expect.poll(height).toBeGreaterThan(400);
      }
    });
  }

  /** Nothing reaches over the panel's edge, and nothing but a table or code scrolls sideways. */
  async function fits(): Promise<void> {
    const wide = () =>
      center(page).evaluate(node => {
        const edge = node.getBoundingClientRect();
        return [node, ...node.querySelectorAll<HTMLElement>('*')]
          .filter(one => {
            if (one.closest('.jp-NotifyHidden')) {
              return false;
            }
            const scrolling = one.closest('pre, .jp-NotifyMarkdown-scroll');
            const { left, right, width } = one.getBoundingClientRect();
            if (scrolling && scrolling !== one) {
              return false;
            }
            return (
              (width > 0 && (right > edge.right + 1 || left < edge.left - 1)) ||
              (!scrolling &&
                one.clientWidth > 0 &&
                one.scrollWidth > one.clientWidth + 1 &&
                getComputedStyle(one).overflowX !== 'hidden') ||
              (one.matches('.jp-NotifyList') &&
                one.scrollWidth > one.clientWidth)
            );
          })
          .map(one => `${one.tagName}.${one.className}`);
      });
    await expect.poll(wide).toEqual([]);
  }
});

const COUNT = 2000;

// The last test, since it takes long to remove so many messages.
test('A very long list loads to its end as one scrolls, each row once, with few of them in the page', async () => {
  test.setTimeout(600_000);
  // The other tab would draw two thousand messages as well.
  await other.close();
  let next = 0;
  const sender = async () => {
    while (next < COUNT) {
      await push(`message ${next++}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, sender));
  const ids = await allIds();
  expect(new Set(ids).size).toBe(COUNT);
  await expect(center(page).locator(`[data-id="${ids[0]}"]`)).toBeVisible();
  const seen = await page.evaluate(
    async last => {
      const list = document.querySelector('.jp-NotifyList')!;
      const frame = () =>
        new Promise(resolve => requestAnimationFrame(resolve));
      const seen = new Set<string>();
      let most = 0;
      let twice = 0;
      const look = () => {
        const nodes = [...list.querySelectorAll<HTMLElement>('.jp-NotifyRow')];
        const ids = nodes.map(node => node.dataset.id!);
        most = Math.max(most, list.querySelectorAll('*').length);
        twice += ids.length - new Set(ids).size;
        ids.forEach(id => seen.add(id));
      };
      // Until the oldest is in sight: the test's own time limits it.
      while (!seen.has(last)) {
        list.scrollTop += list.clientHeight / 2;
        await frame();
        look();
      }
      return { ids: [...seen], most, twice };
    },
    ids[COUNT - 1]
  );
  expect(seen.twice).toBe(0);
  expect(seen.ids).toEqual(ids);
  expect(seen.most).toBeLessThan(2000);
  await center(page)
    .getByRole('feed')
    .evaluate(node => node.scrollTo(0, node.scrollHeight));
  const oldest = center(page).locator(`[data-id="${ids[COUNT - 1]}"]`);
  await expect(oldest).toBeInViewport();
  await expect(oldest).toHaveAttribute('aria-posinset', String(COUNT));
});
