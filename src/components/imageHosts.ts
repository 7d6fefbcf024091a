/**
 * The hosts from which images may be loaded: those that the site lists, and those that the user
 * has asked for in this browser.
 */
import { type ISignal, Signal } from '@lumino/signaling';

/** The key in the browser's storage. */
const KEY = 'jupyterlab_notify:image-hosts';

/** Number of hosts that are remembered. */
const REMEMBERED = 100;

/**
 * Holds the hosts.
 */
export class ImageHosts {
  /** The hosts changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The hosts that the site or the user has listed in the settings. */
  get listed(): readonly string[] {
    return this._listed;
  }
  set listed(hosts: readonly string[]) {
    this._listed = hosts.map(host => host.toLowerCase());
    this._changed.emit();
  }

  /**
   * Tell if images of a host may be loaded.
   */
  has(host: string): boolean {
    return this._listed.includes(host) || this._read().includes(host);
  }

  /**
   * Remember that the user wants the images of a host.
   */
  allow(host: string): void {
    this._session.add(host);
    try {
      const hosts = [...new Set([...this._read(), host])].slice(-REMEMBERED);
      localStorage.setItem(KEY, JSON.stringify(hosts));
    } catch {
      // Without storage the choice holds until the page is loaded again.
    }
    this._changed.emit();
  }

  private _read(): string[] {
    let stored: unknown = null;
    try {
      stored = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    } catch {
      // As if nothing was stored.
    }
    return [...this._session, ...(Array.isArray(stored) ? stored : [])];
  }

  private readonly _changed = new Signal<this, void>(this);
  private _listed: readonly string[] = [];
  private readonly _session = new Set<string>();
}

/**
 * The hosts of this page: the plugin that reads the settings writes them, images read them.
 */
export const imageHosts = new ImageHosts();
