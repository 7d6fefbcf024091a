/**
 * The agreement between the tabs of one server in one browser: whether one of them is in front, and
 * which of them shows a message on the desktop.
 */
import type { IDisposable } from '@lumino/disposable';

/** Number of claims that are remembered; tabs differ by seconds in what they have seen. */
const REMEMBERED = 100;

/**
 * Time in ms for which a claim is held as a lock too: storage reaches other tabs a moment later.
 */
const HELD_MS = 10_000;

/**
 * This tab's part in the agreement.
 *
 * The browser releases Web Locks when a tab ends, however it ends, so a tab that crashes in front
 * leaves nothing behind.
 */
export class TabCoordinator implements IDisposable {
  /**
   * Take part in the agreement.
   *
   * @param server - the name of the server; each server of this origin has its own agreement.
   */
  constructor(server: string) {
    this._front = `jupyterlab_notify:front:${server}`;
    this._claims = `jupyterlab_notify:desktop:${server}`;
    for (const event of ['focus', 'blur', 'pageshow', 'pagehide']) {
      window.addEventListener(event, this);
    }
    document.addEventListener('visibilitychange', this);
    this.handleEvent();
  }

  /** True once disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Leave the agreement.
   */
  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    for (const event of ['focus', 'blur', 'pageshow', 'pagehide']) {
      window.removeEventListener(event, this);
    }
    document.removeEventListener('visibilitychange', this);
    this._release?.();
  }

  /** Somebody came to this tab, or left it. */
  handleEvent(event?: Event): void {
    const front =
      event?.type !== 'pagehide' &&
      document.visibilityState === 'visible' &&
      document.hasFocus();
    if (front === Boolean(this._release)) {
      return;
    }
    this._release?.();
    this._release = null;
    if (front) {
      const held = new Promise<void>(resolve => {
        this._release = resolve;
      });
      void navigator.locks.request(this._front, { mode: 'shared' }, () => held);
    }
  }

  /**
   * Claim messages for this tab, so that no other tab gets them.
   *
   * @returns The messages to show on the desktop: those that no tab had claimed; none if a tab is
   *   in front, which shows them in its page.
   */
  claim(names: readonly string[]): Promise<string[]> {
    return navigator.locks.request(this._claims, async () => {
      const known = this._read();
      const mine: string[] = [];
      for (const name of names) {
        if (!known.includes(name) && (await this._take(name))) {
          mine.push(name);
        }
      }
      if (mine.length === 0) {
        return [];
      }
      try {
        localStorage.setItem(
          this._claims,
          JSON.stringify([...known, ...mine].slice(-REMEMBERED))
        );
      } catch {
        // The browser shows each tag once, so without storage only the sound may come twice.
      }
      const { held } = await navigator.locks.query();
      return held?.some(lock => lock.name === this._front) ? [] : mine;
    });
  }

  private _take(name: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      navigator.locks
        .request(`${this._claims}:${name}`, { ifAvailable: true }, lock => {
          resolve(lock !== null);
          return (
            lock && new Promise(release => window.setTimeout(release, HELD_MS))
          );
        })
        .catch(reject);
    });
  }

  private _read(): string[] {
    try {
      const known = JSON.parse(localStorage.getItem(this._claims) ?? '[]');
      return Array.isArray(known) ? known : [];
    } catch {
      return [];
    }
  }

  private readonly _front: string;
  private readonly _claims: string;
  private _isDisposed = false;
  private _release: (() => void) | null = null;
}
