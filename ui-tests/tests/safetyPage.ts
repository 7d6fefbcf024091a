/**
 * A page that shows hostile texts, and what watches it: anything that runs, is requested or is
 * opened rings an alarm.
 */
import type { Page } from '@playwright/test';

import { SENTINEL } from './attacks';
import { Central } from './central';
import {
  expect,
  type IPayload,
  type Lab,
  openCenter,
  rows,
  test,
  toasts,
  useLab
} from './lab';

/** One pixel. */
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/**
 * Give a file of tests a server, a central service and a watched page. Each test starts with an
 * empty inbox and fails if an alarm has rung.
 */
// Longer than a screen: one hook for each step of a test's life, in order.
export function useWatchedPage(): WatchedPage {
  const central = new Central();
  test.beforeAll(async () => {
    await central.start();
  });
  test.afterAll(() => central.stop());
  const lab = useLab({
    // A getter, since the lab is started after the central service.
    get config() {
      return central.config;
    }
  });
  const watched = new WatchedPage(lab, central);

  test.beforeAll(async ({ browser }) => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 }
    });
    const { alarms } = watched;
    await context.exposeFunction('tellTest', (what: string) => {
      alarms.push(what);
    });
    await context.addInitScript(look);
    await context.addInitScript(() => {
      (window as any).ran = () => (window as any).tellTest('a script ran');
    });
    context.on('page', one => {
      if (watched.page && one !== watched.page) {
        alarms.push(`a page was opened: ${one.url()}`);
        void one.close();
      }
    });
    context.on('request', request => {
      if (request.url().startsWith(SENTINEL)) {
        alarms.push(`asked for ${request.url()}`);
      }
    });
    const page = (watched.page = await lab.open(browser, { context }));
    page.on('dialog', dialog => {
      alarms.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('framenavigated', frame => {
      if (!frame.url().startsWith(lab.url)) {
        alarms.push(`went to ${frame.url()}`);
      }
    });
    await openCenter(page);
    await watched.watchCommands();
  });

  test.afterAll(() => watched.page?.context().close());

  test.beforeEach(async () => {
    watched.alarms.length = 0;
    const all = await lab.list('inbox', 200);
    await Promise.all(all.map(row => lab.revoke(row.id, row.source)));
    await expect(rows(watched.page)).toHaveCount(0);
    await expect(toasts(watched.page)).toHaveCount(0);
  });

  test.afterEach(async () => {
    // The error of a missing image comes only after the server has answered.
    await watched.page.evaluate(async () => {
      await fetch('/no-such-image');
      await new Promise(resolve => setTimeout(resolve, 50));
    });
    expect(watched.alarms).toEqual([]);
  });
  return watched;
}

/** The page, and what tests do with it. */
export class WatchedPage {
  constructor(
    readonly lab: Lab,
    readonly central: Central
  ) {}

  /** The page, once the server has started. */
  page!: Page;
  /** Scripts that ran, and addresses that were requested; must stay empty. */
  readonly alarms: string[] = [];

  /** Let every command that runs ring the alarm, except those of the tests. */
  async watchCommands(): Promise<void> {
    await this.page.evaluate(() => {
      (window as any).jupyterapp.commands.commandExecuted.connect(
        (_: unknown, { id }: { id: string }) => {
          if (id === 'filebrowser:toggle-main') {
            void (window as any).tellTest(`the command ${id} ran`);
          }
        }
      );
    });
  }

  /** Expect the dialog that a link is not opened, and close it. */
  async refused(): Promise<void> {
    const dialog = this.page.locator('.jp-Dialog');
    await expect(dialog).toContainText('This link is not opened');
    await dialog.locator('.jp-Dialog-footer button').click();
    await expect(dialog).toHaveCount(0);
  }

  /**
   * Open every message of the list in turn, oldest first, press and point at all of it, and return
   * what was shown.
   */
  async openAll(): Promise<IShown[]> {
    const sent = (await this.lab.list('inbox', 200)).reverse();
    const shown: IShown[] = [];
    for (const { id } of sent) {
      // One call for each message: a call takes as long as all that it does in the page.
      shown.push(await this.page.evaluate(openInPage, id));
    }
    return shown;
  }

  /** Press and point at parts of the page, and expect that nothing happens. */
  async pokeAll(whole: string, ...parts: string[]): Promise<void> {
    await this.nothingForeign(whole, parts);
  }

  /**
   * Expect nothing in a part of the page that no text of a sender may bring about.
   *
   * @param poked - What is pressed and pointed at before.
   */
  async nothingForeign(
    selector: string,
    poked: readonly string[] = []
  ): Promise<void> {
    const found = await this.page.evaluate(
      ([selector, poked]) => {
        const { poke, foreign } = (window as any).look as ILook;
        poked.forEach(poke);
        // In this task, and again below: a toast that is pressed opens the center, which removes it.
        return foreign(selector);
      },
      [selector, poked] as const
    );
    const [later, count, display, dialogs] = await this.page.evaluate(
      selector =>
        [
          document.querySelector(selector) &&
            ((window as any).look as ILook).foreign(selector),
          document.querySelectorAll('iframe, object, embed, base').length,
          getComputedStyle(document.body).display,
          document.querySelectorAll('.jp-Dialog').length
        ] as const,
      selector
    );
    expect(found).toEqual([]);
    expect(later ?? []).toEqual([]);
    expect(this.alarms).toEqual([]);
    expect([count, display]).toEqual([0, 'block']);
    if (selector !== '.jp-Dialog') {
      expect(dialogs).toBe(0);
    }
  }
}

/** Join several strings to a text, as paragraphs: each string by itself would take minutes. */
export function inGroups(strings: readonly string[]): string[] {
  const groups: string[] = [];
  for (let start = 0; start < strings.length; start += 4) {
    groups.push(strings.slice(start, start + 4).join('\n\n'));
  }
  return groups;
}

/** A message with a string in each of its texts. */
export function everywhere(string: string): IPayload {
  return {
    message: string,
    body: string,
    source: string.slice(0, 80),
    key: string.slice(0, 200),
    actions: [
      { label: string.slice(0, 80), caption: string.slice(0, 200) },
      {
        label: string.slice(0, 80),
        caption: string.slice(0, 200),
        url: `https://example.org/${encodeURI(string)}`,
        displayType: 'link'
      }
    ],
    data: { [string]: string }
  };
}

/** The visible parts of a row. */
export interface IShown {
  summary: string;
  source: string;
  labels: string[];
  titles: string[];
  foreign: string[];
}

/** Runs in the page. */
async function openInPage(id: string): Promise<IShown> {
  const { poke, foreign } = (window as any).look as ILook;
  (window as any).notifyModel.open(id);
  const row = `#jp-notify-center [data-id="${id}"]`;
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  const until = async (what: string, selector: string, there: boolean) => {
    const end = Date.now() + 15_000;
    while ((document.querySelector(selector) !== null) !== there) {
      if (Date.now() > end) {
        throw new Error(`${what}: ${selector}`);
      }
      await frame();
    }
  };
  await until('not opened', `${row}.jp-mod-open`, true);
  await until('still loading', `${row} [aria-busy="true"]`, false);
  poke(`${row} .jp-NotifyRow-summary`);
  poke(`${row} .jp-NotifyBody`);
  await frame();
  const node = document.querySelector(row)!;
  const text = (selector: string) => node.querySelector(selector)!.textContent!;
  const actions = [...node.querySelectorAll('.jp-NotifyAction')];
  return {
    summary: text('.jp-NotifyRow-summary'),
    source: text('.jp-NotifyRow-source'),
    labels: actions.map(
      one => one.querySelector('.jp-NotifyAction-label')!.textContent!
    ),
    titles: actions.map(one => one.getAttribute('title')!),
    foreign: foreign(row)
  };
}

/** The functions of tests that run in the page. */
interface ILook {
  /** Press, and point at, whatever text brought with it. */
  poke: (selector: string) => void;
  /** Elements and attributes that no text of a sender's may bring about. */
  foreign: (selector: string) => string[];
}

/** Runs in the page, before anything else. */
// Longer than a screen: it is sent into the page as one function.
function look(): void {
  const poke = (selector: string) => {
    for (const root of document.querySelectorAll(selector)) {
      for (const node of root.querySelectorAll<HTMLElement>('*')) {
        for (const type of ['mouseover', 'focus', 'pointerdown', 'toggle']) {
          node.dispatchEvent(new Event(type, { bubbles: true }));
        }
        // Links are not pressed, since they lead elsewhere; they are checked below.
        if (!node.closest('a[href]')) {
          node.click();
        }
      }
    }
  };
  const foreign = (selector: string) => {
    const found: string[] = [];
    const roots = [...document.querySelectorAll(selector)];
    if (roots.length === 0) {
      return [`there is no ${selector}`];
    }
    for (const node of roots.flatMap(root => [
      ...root.querySelectorAll<HTMLElement>('*')
    ])) {
      const inText = node.closest(
        '.jp-NotifyBody, .jp-NotifyWelcome-body, .jp-NotifySummary > *, .jp-toast-message > *'
      );
      const inBody =
        inText && !node.matches('.jp-NotifyBody, .jp-NotifyWelcome-body');
      const names = node.getAttributeNames();
      if (
        node.matches(
          'script, iframe, object, embed, form, style, link, meta, base, textarea, select, video, audio, template, math, noscript, frame, dialog, portal'
        ) ||
        (inBody &&
          node.matches(
            'input, button:not(.jp-NotifyImage > .jp-NotifyLink, .jp-NotifyMarkdown-button), svg, label, div:not([class^="jp-Notify"])'
          )) ||
        names.some(name => name.startsWith('on')) ||
        names.some(name =>
          /^(data-commandlinker|srcdoc|formaction|action|ping|background|xlink|contenteditable|autofocus)/.test(
            name
          )
        ) ||
        (inBody &&
          (names.includes('id') ||
            names.includes('name') ||
            (names.includes('style') &&
              !/^text-align: (left|right|center);$/.test(
                node.getAttribute('style')!
              )) ||
            [...node.classList].some(
              name => !/^(jp-Notify[\w-]*|ͼ\w+|tok-[\w-]+)$/.test(name)
            ))) ||
        (node.matches('a') &&
          (!/^(https?:|mailto:)/.test(node.getAttribute('href') ?? '') ||
            node.getAttribute('target') !== '_blank' ||
            !node.getAttribute('rel')?.includes('noopener'))) ||
        (node.matches('img') &&
          !/^(https:|data:image\/)/.test(node.getAttribute('src') ?? ''))
      ) {
        found.push(node.outerHTML.slice(0, 300));
      }
    }
    return found;
  };
  (window as any).look = { poke, foreign };
}
