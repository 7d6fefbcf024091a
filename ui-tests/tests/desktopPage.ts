/**
 * Desktop notifications of a page, recorded as it shows them, and the focus of a real browser.
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
  // A page can come forward only after a click on a real desktop, so count how often it asks.
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
      // A notification that is closed before the desktop has it emits no event.
      shown.find(({ real }) => real === this)!.closed = true;
      super.close();
    }
  };
}

/** Let a page have the focus only if it is in front; in other tests it always has. */
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
