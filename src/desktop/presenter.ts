/**
 * Shows new messages on the desktop while no tab of this server is in front; loaded once a
 * user turned that on.
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

/** The most messages at once that are shown one by one; more are only counted. */
const MOST = 3;

/** Age in ms from which a message was missed rather than received: only the bell counts it. */
const FRESH_MS = 5 * 60_000;

/** Number of messages in a minute that are shown one by one. */
const MOST_PER_MINUTE = 6;

/**
 * Decides which messages appear on the desktop, and shows them.
 */
export class DesktopPresenter implements IDisposable {
  /**
   * Make a presenter, which follows the model until it is disposed.
   */
  constructor(options: DesktopPresenter.IOptions) {
    this._model = options.model;
    this._trans = options.trans;
    this._tabs = new TabCoordinator(options.server);
    this._server = options.server;
    this._model.changed.connect(this._onChanged, this);
  }

  /** True if the user wants nothing now (JupyterLab's do-not-disturb). */
  silent = false;

  /** True once disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Show nothing any more, and close the notifications that are shown.
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

  /**
   * Show what is new in a change of the model.
   */
  follow(change: NotificationModel.IChange): void {
    for (const [id, shown] of this._shown) {
      const row = this._model.get(id);
      if (!row || !isUnread(row)) {
        this._shown.delete(id);
        shown.close();
      } else if (row.image && !shown.icon) {
        void this._addPicture(row, shown);
      }
    }
    // A snapshot holds messages from before: the toasts sum them up.
    if (change.type === 'changes') {
      const rows = fresh(change, this._model.now());
      if (rows.length > 0) {
        void this._show(rows);
      }
    }
  }

  private _onChanged(
    _: INotificationModel,
    change: NotificationModel.IChange
  ): void {
    this.follow(change);
  }

  private async _show(rows: readonly Row[]): Promise<void> {
    const names = new Map(rows.map(row => [`${row.id}@${row.position}`, row]));
    // A message that arrives during do-not-disturb stays silent, even if it ends a moment later.
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
    // Silent messages are claimed too, or another tab could show them later.
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
      this._showOne(row, null);
      const shown = this._shown.get(row.id);
      if (row.image && shown) {
        void this._addPicture(row, shown);
      }
    }
  }

  /** Show a message again with its picture, which arrives a moment later; that makes no sound. */
  private async _addPicture(row: Row, shown: Notification): Promise<void> {
    const { desktopPicture } = await import('../components/pictures');
    const picture = await desktopPicture(row);
    if (picture && this._shown.get(row.id) === shown && !this._isDisposed) {
      this._showOne(row, picture);
    }
  }

  private _showOne(row: Row, picture: string | null): void {
    const { text } = summarize(row.message, row.markdown);
    const shown = this._notify(
      senderOf(row, this._trans),
      text,
      row.id,
      row.id,
      picture
    );
    if (shown) {
      this._shown.set(row.id, shown);
      shown.addEventListener('close', () => {
        if (this._shown.get(row.id) === shown) {
          this._shown.delete(row.id);
        }
      });
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
    id: string | null,
    picture: string | null = null
  ): Notification | null {
    let shown: Notification;
    try {
      shown = new Notification(title, {
        body,
        lang: document.documentElement.lang,
        // Only some browsers know `image`, which is larger.
        ...(picture && { icon: picture, image: picture }),
        // By its tag, a message that two tabs show is one notification on the desktop.
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
   * The options of a presenter.
   */
  export interface IOptions {
    model: INotificationModel;
    /** The server's address, which is the same in all of its tabs. */
    server: string;
    trans: TranslationBundle;
  }
}

/**
 * Find the rows of a change that are news for the desktop: announced just now, and not meant for
 * the center alone.
 */
export function fresh(change: NotificationModel.IChange, now: number): Row[] {
  return change.notifications.filter(
    row =>
      change.announced.includes(row.id) &&
      (row.autoClose !== 0 || row.banner) &&
      now - Date.parse(row.updated) < FRESH_MS
  );
}
