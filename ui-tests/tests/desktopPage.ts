/**
 * Desktop notifications of a page, written down as it shows them, and the focus of a real browser.
 */
import type { Page } from '@playwright/test';

/** A desktop notification that a tab showed. */
export interface IShown {
  title: string;
  body: string;
  closed: boolean;
}

/** Runs in the page, before anything else. */
export function record(): void {
  const Real = window.Notification;
  const shown: (IShown & { real: Notification })[] = ((window as any).desktop =
    []);
  (window as any).asked = 0;
  // Only a click on a real desktop lets a page come forward: that it asks for it is what can be seen.
  const focus = window.focus.bind(window);
  (window as any).forward = 0;
  window.focus = () => {
    (window as any).forward += 1;
    focus();
  };
  window.Notification = class extends Real {
    static requestPermission() {
      (window as any).asked += 1;
      return Real.requestPermission();
    }
    constructor(title: string, options?: NotificationOptions) {
      super(title, options);
      const one = {
        title,
        body: options?.body ?? '',
        closed: false,
        real: this as Notification
      };
      this.addEventListener('close', () => {
        one.closed = true;
      });
      shown.push(one);
    }
    close() {
      // One that is closed before the desktop has it tells of no end.
      shown.find(({ real }) => real === this)!.closed = true;
      super.close();
    }
  };
}

/** Let a page be in front only when it is, not always as in other tests. */
export async function realFocus(tab: Page): Promise<void> {
  const session = await tab.context().newCDPSession(tab);
  await session.send('Emulation.setFocusEmulationEnabled', { enabled: false });
}

/** Return what these tabs showed. */
export async function shown(...tabs: Page[]): Promise<IShown[]> {
  const all = await Promise.all(
    tabs.map(tab =>
      tab.evaluate(() =>
        (window as any).desktop.map((one: IShown) => ({
          title: one.title,
          body: one.body,
          closed: one.closed
        }))
      )
    )
  );
  return all.flat();
}
