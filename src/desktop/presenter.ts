/**
 * Shows new messages on the desktop while no tab of this server is in front; loaded only if the
 * user has turned that on.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import { summarize } from '../text/plaintext';
import { senderOf } from '../text/sender';
import type { INotificationModel, NotificationModel } from '../tokens';
import { isUnread } from '../state';
import type { Notification as Row } from '../wire';
import { TabCoordinator } from './tabs';
import { permission } from './permission';

/** If more arrive at once, only their number is shown. */
const MOST = 3;

/** Older messages count as missed; only the bell counts them. */
const FRESH_MS = 5 * 60_000;

/** How many are shown one by one within a minute. */
const MOST_PER_MINUTE = 6;

/**
 * Decides which messages are shown, and shows them.
 */
export class DesktopPresenter implements IDisposable {
  /**
   * Create a presenter, which follows the model until it is disposed.
   */
  constructor(options: DesktopPresenter.IOptions) {
    this._model = options.model;
    this._trans = options.trans;
    this._tabs = new TabCoordinator(options.server);
    this._server = options.server;
    this._model.changed.connect(this._onChanged, this);
  }

  /** Whether JupyterLab's do-not-disturb mode is on. */
  silent = false;

  /** Whether the presenter is disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Stop, and close the notifications that are shown.
   */
  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._model.changed.disconnect(this._onChanged, this);
    this._tabs.dispose();
    this._shown.forEach(shown => shown.close());
    this._shown.clear();
  }

  private _onChanged(
    _: INotificationModel,
    change: NotificationModel.IChange
  ): void {
    for (const [id, shown] of this._shown) {
      const row = this._model.get(id);
      if (!row || !isUnread(row)) {
        this._shown.delete(id);
        shown.close();
      }
    }
    // A snapshot holds earlier messages, which the toasts sum up.
    if (change.type === 'changes') {
      const rows = fresh(change, this._model.now());
      if (rows.length > 0) {
        void this._show(rows);
      }
    }
  }

  private async _show(rows: readonly Row[]): Promise<void> {
    const names = new Map(rows.map(row => [`${row.id}@${row.position}`, row]));
    // If the mode ends a moment later, what came before it stays silent.
    const { silent } = this;
    let claimed: string[];
    try {
      claimed = await this._tabs.claim([...names.keys()]);
    } catch (reason) {
      console.warn('No desktop notification can be shown.', reason);
      return;
    }
    const mine = claimed
      .map(name => this._model.get(names.get(name)!.id))
      .filter((row): row is Row => row !== undefined && isUnread(row));
    // Silent messages are claimed too, so that no other tab shows them later.
    if (
      mine.length === 0 ||
      silent ||
      this.silent ||
      this._isDisposed ||
      permission() !== 'granted'
    ) {
      return;
    }
    const now = Date.now();
    this._times = this._times.filter(time => now - time < 60_000);
    if (
      mine.length > MOST ||
      this._times.length + mine.length > MOST_PER_MINUTE
    ) {
      this._sumUp(mine.length);
      return;
    }
    for (const row of mine) {
      this._times.push(now);
      const { text } = summarize(row.message, row.markdown);
      const shown = this._notify(
        senderOf(row, this._trans),
        text,
        row.id,
        row.id
      );
      if (shown) {
        this._shown.set(row.id, shown);
      }
    }
  }

  private _sumUp(count: number): void {
    this._uncounted += count;
    const number = this._uncounted;
    const shown = this._notify(
      this._trans.__('Notifications'),
      this._trans._n('%1 new notification', '%1 new notifications', number),
      'more',
      null
    );
    shown?.addEventListener('close', () => {
      this._uncounted = 0;
    });
  }

  private _notify(
    title: string,
    body: string,
    tag: string,
    id: string | null
  ): Notification | null {
    let shown: Notification;
    try {
      shown = new Notification(title, {
        body,
        lang: document.documentElement.lang,
        // With the same tag, a message from two tabs is shown once.
        tag: `jupyterlab_notify:${this._server}:${tag}`
      });
    } catch (reason) {
      // Browsers on phones have the class, but its constructor throws.
      console.warn('No desktop notification can be shown.', reason);
      return null;
    }
    shown.onclick = () => {
      window.focus();
      shown.close();
      this._model.open(id);
    };
    return shown;
  }

  private readonly _model: INotificationModel;
  private readonly _trans: TranslationBundle;
  private readonly _server: string;
  private readonly _tabs: TabCoordinator;
  private readonly _shown = new Map<string, Notification>();
  private _isDisposed = false;
  private _times: number[] = [];
  private _uncounted = 0;
}

/**
 * The namespace of {@link DesktopPresenter}'s options.
 */
export namespace DesktopPresenter {
  /**
   * The parts of a presenter.
   */
  export interface IOptions {
    model: INotificationModel;
    /** The server's base URL, which is the same in all of its tabs. */
    server: string;
    trans: TranslationBundle;
  }
}

/**
 * Return the messages of a change that are new on the desktop: announced, recent, and not meant
 * for the center only.
 */
export function fresh(change: NotificationModel.IChange, now: number): Row[] {
  return change.notifications.filter(
    row =>
      change.announced.includes(row.id) &&
      (row.autoClose !== 0 || row.banner) &&
      now - Date.parse(row.updated) < FRESH_MS
  );
}
