/**
 * Decides which notifications toast, and for how long: the presenter behind the
 * toast plugin, which hands toasts to JupyterLab and to the view.
 */
import {
  Notification as LabNotification,
  type NotificationManager
} from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type {
  INotificationActions,
  INotificationModel,
  NotificationModel
} from '../tokens';
import { isPresentable, isUnread } from '../state';
import { NOTIFICATION_TYPES, type Notification } from '../wire';
import { ArrivalQueue } from './arrivals';
import { ToastContents } from './content';
import { planToasts } from './layout';
import { MissedToasts } from './missed';
import { ToastRelay } from './relay';
import { ShownToasts } from './shown';
import type { SummaryToast } from './summary';
import { ToastView } from './view';

/**
 * This many at once, or more, were missed rather than received: then, and after
 * a reload, only a few of them are shown.
 */
const MISSED = { from: 7, shown: 3 };

/**
 * The height of the toast that sums up, before it can be measured.
 */
const SUMMARY_HEIGHT = 40;

/**
 * The user's settings of toasts.
 */
export interface IToastSettings {
  /** Seconds after which a toast closes if its message does not say it; 0: it stays. */
  defaultAutoClose: number;
  /** True if the center opens at an error. */
  openOnError: boolean;
  /** The corner of the page in which toasts appear. */
  toastPosition: 'top-right' | 'bottom-right';
  /** The types that toast. */
  toastTypes: Notification['type'][];
}

/**
 * The settings of a user who changed none.
 */
export const DEFAULT_TOAST_SETTINGS: IToastSettings = {
  defaultAutoClose: 5,
  openOnError: false,
  toastPosition: 'top-right',
  toastTypes: [...NOTIFICATION_TYPES]
};

/**
 * Shows what the model announces, and removes the toasts of messages that were read, closed, put
 * away or revoked.
 */
// Longer than a screen: it listens to the user, the model and JupyterLab's manager.
export class ToastPresenter implements IDisposable {
  /**
   * Make a presenter; it shows nothing before {@link start}.
   */
  constructor(options: ToastPresenter.IOptions) {
    this._model = options.model;
    this._manager = options.manager ?? LabNotification.manager;
    this._opens = options.opens ?? (() => true);
    this._isOpen = options.isOpen ?? (() => false);
    const model = options.model;
    this._contents = new ToastContents({
      model,
      actions: options.actions,
      trans: options.trans,
      defaultAutoClose_s: () => this._settings.defaultAutoClose,
      opens: this._opens,
      open: id => {
        this._toasts.close(id);
        model.open(id);
      }
    });
    this._view = new ToastView({
      appeared: id => this._toasts.appeared(id),
      vanished: id => {
        if (this._toasts.vanished(id)) {
          this._fit();
        }
      },
      closed: id => this._onClosed(id),
      pressed: id => this._onPressed(id),
      done: id => this._onDone(id, options.trans),
      resized: () => this._fit()
    });
    this._relay = new ToastRelay(this._manager, this._view);
    this._toasts = new ShownToasts({
      contents: this._contents,
      model,
      relay: this._relay,
      view: this._view
    });
    this._queue = new ArrivalQueue(
      () => this._flush(),
      id => this._toasts.has(id)
    );
    this._missed = new MissedToasts(options.storageKey ?? '');
    this._makeSummary = async () => {
      // Loaded with the first toast; after a reload there may be none.
      const { SummaryToast } = await import('./standing');
      this._summary ??= new SummaryToast({
        relay: this._relay,
        trans: options.trans,
        opens: this._opens,
        open: () => {
          model.open(null);
          this.forgetMissed();
        }
      });
      this._sumUp();
    };
    this._model.changed.connect(this._onChanged, this);
    this._model.stateChanged.connect(this._sumUp, this);
    this._model.openRequested.connect(this._onOpenRequested, this);
    this._manager.changed.connect(this._onManagerChanged, this);
  }

  /** True once it was disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The user's settings. */
  get settings(): IToastSettings {
    return this._settings;
  }
  set settings(settings: IToastSettings) {
    this._settings = settings;
    this._view.atTop = settings.toastPosition === 'top-right';
  }

  /** True if the user wants no toasts now (JupyterLab's do-not-disturb). */
  get silent(): boolean {
    return this._silent;
  }
  set silent(silent: boolean) {
    this._silent = silent;
    if (silent) {
      this._closeAll();
      this._queue.clear();
      this.forgetMissed();
    }
  }

  /**
   * Show what has arrived so far, and from now on show arrivals at once.
   */
  start(): void {
    this._view.attach();
    this._started = true;
    this._flush();
  }

  /**
   * Tell the presenter that the center was opened or closed. While it is open, only errors toast;
   * afterwards the toasts that do not close by themselves come back.
   */
  toggled(): void {
    if (this._isOpen()) {
      this._view.place();
      for (const id of this._toasts.ids) {
        const row = this._model.get(id);
        if (row && !this._wanted(row)) {
          this._toasts.close(id);
        }
      }
      // An error that a flood kept from the screen may have a place now.
      this._fit();
    } else {
      this._missed.clear();
      this._bringBack(this._model.notifications);
      this._schedule();
    }
  }

  /**
   * Remove the toast that sums up: the user looks at the list.
   */
  forgetMissed(): void {
    this._missed.clear();
    this._sumUp();
  }

  /**
   * Remove all toasts and stop.
   */
  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    Signal.clearData(this);
    this._model.changed.disconnect(this._onChanged, this);
    this._model.stateChanged.disconnect(this._sumUp, this);
    this._model.openRequested.disconnect(this._onOpenRequested, this);
    this._manager.changed.disconnect(this._onManagerChanged, this);
    this._queue.dispose();
    this._summary?.hide();
    this._closeAll();
    this._view.dispose();
  }

  private _onChanged(
    _: INotificationModel,
    change: NotificationModel.IChange
  ): void {
    const snapshot = change.type === 'snapshot';
    if (snapshot) {
      this._missed.restore();
    }
    const touched = snapshot
      ? new Set([
          ...this._toasts.ids,
          ...this._missed.ids,
          ...this._queue.keys()
        ])
      : change.notifications.map(row => row.id);
    for (const id of touched) {
      const row = this._unread(id);
      // Its source may have been muted.
      if (!row || row.autoClose === 0) {
        if (this._toasts.has(id) && this._model.get(id)?.dismissed) {
          this._done.add(id);
        }
        this._queue.delete(id);
        this._missed.delete(id);
        this._toasts.close(id);
      } else if (this._toasts.has(id)) {
        this._toasts.refresh(row);
      } else if (this._done.delete(id)) {
        // The user has undone marking it as done.
        this._queue.set(id, true);
      }
    }

    for (const id of change.announced) {
      this._queue.count();
      if (!this._toasts.isVisible(id)) {
        this._missed.delete(id);
        this._queue.set(id, snapshot);
      }
      if (
        this._settings.openOnError &&
        !this._silent &&
        this._model.get(id)?.type === 'error'
      ) {
        this._model.open(id, 'program');
      }
    }
    if (snapshot) {
      this._bringBack(change.notifications);
    }
    this._schedule();
  }

  /**
   * Show again what does not close by itself: after a reload, and when the list was closed.
   */
  private _bringBack(rows: readonly Notification[]): void {
    for (const row of rows) {
      if (
        this._unread(row.id) &&
        this._contents.duration(row) === false &&
        !this._toasts.has(row.id) &&
        !this._queue.has(row.id)
      ) {
        this._queue.set(row.id, true);
      }
    }
  }

  private _schedule(): void {
    if (this._started) {
      this._queue.schedule();
    }
  }

  private _flush(): void {
    const arriving: { row: Notification; missed: boolean }[] = [];
    for (const [id, missed] of this._queue.take()) {
      const row = this._unread(id);
      if (row && this._wanted(row)) {
        arriving.push({ row, missed });
      }
    }
    if (arriving.length === 0) {
      this._fit();
      return;
    }
    const flood = this._queue.flushed();
    arriving.sort((a, b) => a.row.position - b.row.position);

    const missed =
      arriving.length >= MISSED.from || arriving.every(item => item.missed);
    const { show, sumUp } = planToasts(
      this._toasts.candidates(),
      arriving.map(({ row, missed }) => this._toasts.candidate(row, missed)),
      this._view.room,
      this._summaryHeight(),
      {
        most: missed ? MISSED.shown : Infinity,
        flood,
        summed: this._missed.size > 0
      }
    );
    this._putAside(sumUp, missed);
    for (const { row, missed } of arriving) {
      if (show.includes(row.id)) {
        this._show(row, missed);
      }
    }
    if (flood && this._isOpen()) {
      this._queue.postpone(
        arriving.map(({ row }) => row.id).filter(id => sumUp.includes(id))
      );
    }
    this._sumUp();
  }

  /**
   * Sum up toasts that, as measured, no longer fit, or else show missed ones that now have room:
   * those that stay, and a few of those that close by themselves and were never in sight.
   */
  private _fit(): void {
    if (!this._started || this._isDisposed) {
      return;
    }
    const summary = this._summaryHeight();
    const shown = this._toasts.candidates();
    const { sumUp } = planToasts(shown, [], this._view.room, summary, {
      summed: this._missed.size > 0
    });
    this._putAside(sumUp);
    const waiting = sumUp.length > 0 ? [] : this._waiting();
    if (waiting.length > 0) {
      const { show } = planToasts(
        // No toast in sight makes room for a missed one.
        shown.map(toast => ({ ...toast, urgency: Infinity })),
        waiting.map(row => this._toasts.candidate(row, true)),
        this._view.room,
        summary,
        { summed: this._missed.size > waiting.length }
      );
      for (const row of waiting.filter(({ id }) => show.includes(id))) {
        this._show(row, true);
      }
    }
    this._sumUp();
  }

  /**
   * The notifications to show as soon as there is room for them, oldest first.
   */
  private _waiting(): Notification[] {
    const few = this._missed.size < MISSED.from;
    return this._missed.ids
      .flatMap(id => this._unread(id) ?? [])
      .filter(
        row =>
          this._wanted(row) &&
          !this._toasts.has(row.id) &&
          !this._queue.has(row.id) &&
          (this._contents.duration(row) === false ||
            (few && !this._missed.wasSeen(row.id)))
      )
      .sort((a, b) => a.position - b.position);
  }

  /**
   * Remove toasts for which there is no room, and count them.
   *
   * @param old - Whether notifications without a toast count as seen.
   */
  private _putAside(ids: readonly string[], old = false): void {
    for (const id of ids) {
      this._missed.add(id, this._toasts.isVisible(id) ?? old);
      this._toasts.close(id);
    }
  }

  /**
   * The height of the toast that sums up; 0 while the center is open, since it is not shown then.
   */
  private _summaryHeight(): number {
    return this._isOpen()
      ? 0
      : (this._view.height(this._summary?.toast ?? null) ?? SUMMARY_HEIGHT);
  }

  private _show(row: Notification, quiet: boolean): void {
    this._missed.delete(row.id);
    this._toasts.show(row, quiet);
  }

  private _closeAll(): void {
    this._toasts.ids.forEach(id => this._toasts.close(id));
  }

  /**
   * Show, update or remove the toast that counts the notifications without a toast.
   */
  private _sumUp(): void {
    if (this._isDisposed) {
      return;
    }
    for (const id of this._missed.ids) {
      if (!this._unread(id)) {
        this._missed.delete(id);
        this._toasts.forgetHeight(id);
      }
    }
    // A user who sees the list needs no summary; only errors still wait for a place.
    const open = this._isOpen();
    if (open) {
      for (const id of this._missed.ids) {
        if (!this._wanted(this._model.get(id)!)) {
          this._missed.delete(id);
        }
      }
    }
    this._missed.save();
    if (open || this._missed.size === 0 || this._silent || !this._started) {
      this._summary?.hide();
      return;
    }
    if (!this._summary) {
      void this._makeSummary();
      return;
    }
    const visible = this._toasts.count();
    this._summary.show(
      Math.max(this._missed.size, this._model.counts.unread - visible),
      visible
    );
  }

  /**
   * The user closed a toast with its cross.
   */
  private _onClosed(toast: string): void {
    if (toast === this._summary?.toast) {
      this.forgetMissed();
      return;
    }
    const id = this._toasts.notificationOf(toast);
    if (id !== undefined) {
      this._toasts.close(id);
      this._closeForAll(id);
    }
  }

  /**
   * The user clicked a toast beside its buttons.
   */
  private _onPressed(toast: string): void {
    const id =
      toast === this._summary?.toast
        ? null
        : this._toasts.notificationOf(toast);
    if (id !== undefined) {
      this._model.open(id);
    }
  }

  /**
   * The user marked the message of a toast as done, which can be undone.
   */
  private _onDone(toast: string, trans: TranslationBundle): void {
    const row = this._model.get(this._toasts.notificationOf(toast) ?? '');
    if (row) {
      this._done.add(row.id);
      this._toasts.close(row.id);
      void import('../components/snackbar').then(({ undoOnPage }) =>
        undoOnPage(this._model, trans).undo.dismiss([row], true)
      );
    }
  }

  /**
   * The user removed a notification from JupyterLab's own list.
   */
  private _onManagerChanged(
    _: NotificationManager,
    change: LabNotification.IChange
  ): void {
    if (change.type !== 'removed') {
      return;
    }
    const toast = change.notification.id;
    this._relay.removed(toast);
    if (toast === this._summary?.toast) {
      this._summary!.removed();
      this._missed.clear();
      this._missed.save();
      return;
    }
    const id = this._toasts.removed(toast);
    if (id !== undefined) {
      this._closeForAll(id);
    }
  }

  private _onOpenRequested(
    _: INotificationModel,
    { id, by }: NotificationModel.IOpening
  ): void {
    if (by === 'program') {
      // A program opened the center, so the user may have seen nothing yet.
      return;
    }
    if (id !== null) {
      this._toasts.close(id);
    }
    this.forgetMissed();
  }

  /**
   * Close a notification in all tabs; those that are closed in one moment share a request.
   */
  private _closeForAll(id: string): void {
    if (this._closing.size === 0) {
      window.setTimeout(async () => {
        // Loaded with the first toast.
        const { closeForAll } = await import('./standing');
        closeForAll(this._model, this._closing);
        this._closing.clear();
      });
    }
    this._closing.add(id);
  }

  /**
   * A row, if nobody has read, closed or put it away.
   */
  private _unread(id: string): Notification | undefined {
    const row = this._model.get(id);
    return row && isUnread(row) && isPresentable(row) ? row : undefined;
  }

  private _wanted(row: Notification): boolean {
    return (
      !this._silent &&
      row.autoClose !== 0 &&
      (row.type === 'error' || !this._isOpen()) &&
      this._settings.toastTypes.includes(row.type)
    );
  }

  private readonly _model: INotificationModel;
  private readonly _contents: ToastContents;
  private readonly _manager: NotificationManager;
  private readonly _opens: () => boolean;
  private readonly _isOpen: () => boolean;
  private readonly _view: ToastView;
  private readonly _toasts: ShownToasts;
  private readonly _queue: ArrivalQueue;
  /** Notifications that the user closed in this moment. */
  private readonly _closing = new Set<string>();
  /** Notifications that there was no room for. */
  private readonly _missed: MissedToasts;
  private readonly _relay: ToastRelay;
  private readonly _makeSummary: () => Promise<void>;
  /** The toast that sums up, once there was something to sum up. */
  private _summary: SummaryToast | null = null;
  /** Notifications that were marked as done while they had a toast: it comes back if undone. */
  private readonly _done = new Set<string>();
  private _isDisposed = false;
  private _settings = DEFAULT_TOAST_SETTINGS;
  private _silent = false;
  private _started = false;
}

/**
 * The namespace of {@link ToastPresenter}'s options.
 */
export namespace ToastPresenter {
  /**
   * The options of a presenter.
   */
  export interface IOptions {
    /** The notifications. */
    model: INotificationModel;
    /** Runs the buttons; without it there are none. */
    actions: INotificationActions | null;
    /** The language. */
    trans: TranslationBundle;
    /** Tells whether something can show a notification in full; it can, unless given. */
    opens?: () => boolean;
    /** Tells whether the list of all is in sight; it is not, unless given. */
    isOpen?: () => boolean;
    /** A name that tells this server from others of the same origin. */
    storageKey?: string;
    /** JupyterLab's notifications, unless others are given. */
    manager?: NotificationManager;
  }
}
