/**
 * Decides which notifications toast, and for how long: the presenter behind the
 * toast plugin, which hands what shows to JupyterLab and to the view.
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
import { markToast } from '../ownToasts';
import { isPresentable, isUnread } from '../state';
import { NOTIFICATION_TYPES, type Notification } from '../wire';
import { estimateHeight, signature, ToastContents } from './content';
import { type IToastCandidate, planToasts, urgency } from './layout';
import { ToastView } from './view';

/**
 * How long messages are gathered that come right after another.
 */
const BATCH_MS = 50;

/**
 * More than this many in a second come faster than one can read.
 */
const FLOOD_PER_SECOND = 4;

/**
 * The time in which they are counted.
 */
const FLOOD_MS = 1000;

/**
 * More than this many at once were missed, not received: then, and after a
 * reload, only a few of them are shown.
 */
const MISSED = { from: 7, shown: 3 };

/**
 * The height of the toast that sums up, before it can be measured.
 */
const SUMMARY_HEIGHT = 40;

/**
 * How long a toast may take to appear before it no longer counts as shown:
 * JupyterLab shows none while its own list is open.
 */
const APPEAR_MS = 10_000;

/**
 * How long after a toast appeared JupyterLab may still take it for one that
 * is not there, and then drop what it is told of it.
 */
const SETTLE_MS = 100;

/**
 * What the user's settings say of toasts.
 */
export interface IToastSettings {
  /** Seconds after which a toast closes that does not say it itself; 0: it stays. */
  defaultAutoClose: number;
  /** Whether the center opens at an error. */
  openOnError: boolean;
  /** The corner. */
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
 * Shows what the model announces, and takes away what was read, closed, put away or
 * revoked.
 */
// Longer than a screen: what is shown, queued and summed up is one state.
export class ToastPresenter implements IDisposable {
  /**
   * Make a presenter; it shows nothing before {@link start}.
   */
  constructor(options: ToastPresenter.IOptions) {
    this._model = options.model;
    this._manager = options.manager ?? LabNotification.manager;
    this._trans = options.trans;
    this._opens = options.opens ?? (() => true);
    this._isOpen = options.isOpen ?? (() => false);
    this._contents = new ToastContents({
      model: options.model,
      actions: options.actions,
      trans: options.trans,
      defaultAutoClose_s: () => this._settings.defaultAutoClose,
      opens: this._opens,
      open: id => {
        this._close(id);
        this._model.open(id);
      }
    });
    this._view = new ToastView({
      appeared: id => this._onAppeared(id),
      vanished: id => this._onVanished(id),
      closed: id => this._onClosed(id),
      pressed: id => this._onPressed(id),
      resized: () => this._fit()
    });
    this._model.changed.connect(this._onChanged, this);
    this._model.stateChanged.connect(this._sumUp, this);
    this._model.openRequested.connect(this._onOpenRequested, this);
    this._manager.changed.connect(this._onManagerChanged, this);
  }

  /** Whether the presenter was given up. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** What the user's settings say. */
  get settings(): IToastSettings {
    return this._settings;
  }
  set settings(settings: IToastSettings) {
    this._settings = settings;
    this._view.atTop = settings.toastPosition === 'top-right';
  }

  /** Whether the user wants no toasts now (JupyterLab's do-not-disturb). */
  get silent(): boolean {
    return this._silent;
  }
  set silent(silent: boolean) {
    this._silent = silent;
    if (silent) {
      [...this._shown.keys()].forEach(id => this._close(id));
      this._queue.clear();
      this._postponed = [];
      this.forgetMissed();
    }
  }

  /**
   * Show what came in so far, and from now on at once.
   */
  start(): void {
    this._view.attach();
    this._started = true;
    this._flush();
  }

  /**
   * Say that the list of all was opened or closed: while it is in sight only errors toast. What
   * does not close by itself is back afterwards.
   */
  toggled(): void {
    if (this._isOpen()) {
      for (const id of [...this._shown.keys()]) {
        const row = this._model.get(id);
        if (row && !this._wanted(row)) {
          this._close(id);
        }
      }
      this.forgetMissed();
    } else {
      this._bringBack(this._model.notifications);
      this._schedule();
    }
  }

  /**
   * Take away the toast that sums up: the user looks at the list.
   */
  forgetMissed(): void {
    this._missed.clear();
    this._sumUp();
  }

  /**
   * Take all toasts away and stop.
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
    window.clearTimeout(this._timer);
    window.clearTimeout(this._floodTimer);
    this._missed.clear();
    this._sumUp();
    [...this._shown.keys()].forEach(id => this._close(id));
    this._view.dispose();
  }

  private _onChanged(
    _: INotificationModel,
    change: NotificationModel.IChange
  ): void {
    const snapshot = change.type === 'snapshot';
    const touched = snapshot
      ? new Set([...this._shown.keys(), ...this._missed, ...this._queue.keys()])
      : change.notifications.map(row => row.id);
    for (const id of touched) {
      const row = this._unread(id);
      // Its source may have been muted.
      if (!row || row.autoClose === 0) {
        this._queue.delete(id);
        this._missed.delete(id);
        this._close(id);
      } else if (this._shown.has(id)) {
        this._refresh(row);
      }
    }

    const now = Date.now();
    for (const id of change.announced) {
      this._arrivals.push(now);
      if (!this._shown.get(id)?.visible) {
        this._missed.delete(id);
        this._queue.set(id, { missed: snapshot });
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
        !this._shown.has(row.id) &&
        !this._queue.has(row.id)
      ) {
        this._queue.set(row.id, { missed: true });
      }
    }
  }

  /**
   * Show at once what comes alone; gather what comes right after another.
   */
  private _schedule(): void {
    if (!this._started || this._timer !== undefined) {
      return;
    }
    // No longer than that, also if the clock was set back.
    const wait = Math.min(BATCH_MS, this._flushedAt + BATCH_MS - Date.now());
    if (wait <= 0) {
      this._flush();
    } else {
      this._timer = window.setTimeout(() => this._flush(), wait);
    }
  }

  private _flush(): void {
    window.clearTimeout(this._timer);
    this._timer = undefined;
    const arriving: { row: Notification; missed: boolean }[] = [];
    for (const [id, { missed }] of this._queue) {
      const row = this._unread(id);
      if (row && this._wanted(row)) {
        arriving.push({ row, missed });
      }
    }
    this._queue.clear();
    if (arriving.length === 0) {
      this._sumUp();
      return;
    }
    const now = Date.now();
    this._flushedAt = now;
    this._arrivals = this._arrivals.filter(time => now - time < FLOOD_MS);
    arriving.sort((a, b) => a.row.position - b.row.position);

    const missed =
      arriving.length >= MISSED.from || arriving.every(item => item.missed);
    const flood = this._arrivals.length > FLOOD_PER_SECOND;
    const { show, sumUp } = planToasts(
      this._candidates(),
      arriving.map(({ row }) => ({
        id: row.id,
        height: estimateHeight(row),
        urgency: urgency(row.type)
      })),
      this._view.room,
      this._summaryHeight(),
      {
        most: missed ? MISSED.shown : Infinity,
        flood,
        summed: this._missed.size > 0
      }
    );
    for (const id of sumUp) {
      this._missed.add(id);
      this._close(id);
    }
    for (const { row, missed } of arriving) {
      if (show.includes(row.id)) {
        this._show(row, missed);
      }
    }
    if (flood && this._isOpen()) {
      this._showLater(
        arriving.map(({ row }) => row.id).filter(id => sumUp.includes(id))
      );
    }
    this._sumUp();
  }

  /**
   * Try again once the flood is over. While the center is open no toast sums up what a flood kept
   * from the screen: without this, whether the last message of a burst ever has a toast would hang
   * on the moment at which it came.
   *
   * @param ids - oldest first; the newest few are enough.
   */
  private _showLater(ids: readonly string[]): void {
    this._postponed = [...this._postponed, ...ids].slice(-MISSED.shown);
    if (this._postponed.length === 0 || this._floodTimer !== undefined) {
      return;
    }
    this._floodTimer = window.setTimeout(() => {
      this._floodTimer = undefined;
      for (const id of this._postponed) {
        if (!this._shown.has(id) && !this._queue.has(id)) {
          this._queue.set(id, { missed: false });
        }
      }
      this._postponed = [];
      this._flush();
    }, FLOOD_MS);
  }

  /**
   * Sum up what no longer fits, as measured.
   */
  private _fit(): void {
    const { sumUp } = planToasts(
      this._candidates(),
      [],
      this._view.room,
      this._summaryHeight(),
      { summed: this._missed.size > 0 }
    );
    for (const id of sumUp) {
      this._missed.add(id);
      this._close(id);
    }
    if (sumUp.length > 0) {
      this._sumUp();
    }
  }

  /**
   * The height of the toast that sums up: none where it does not show.
   */
  private _summaryHeight(): number {
    return this._isOpen()
      ? 0
      : (this._view.height(this._summary) ?? SUMMARY_HEIGHT);
  }

  private _candidates(): IToastCandidate[] {
    const now = Date.now();
    const candidates: IToastCandidate[] = [];
    for (const [id, shown] of this._shown) {
      const row = this._model.get(id);
      if (row && (shown.visible || now - shown.since < APPEAR_MS)) {
        candidates.push({
          id,
          height: this._view.height(shown.toast) ?? estimateHeight(row),
          urgency: urgency(row.type)
        });
      }
    }
    return candidates;
  }

  /**
   * Emit a toast, or replace the one that this notification has.
   */
  private _show(row: Notification, quiet: boolean): void {
    if (this._shown.has(row.id)) {
      this._refresh(row, true);
      return;
    }
    const { message, autoClose, actions } = this._contents.content(row);
    const shown: Private.IShown = {
      toast: '',
      content: signature(row),
      since: Date.now(),
      sticky: autoClose === false,
      visible: false
    };
    this._shown.set(row.id, shown);
    shown.toast = this._manager.notify(message, row.type, {
      autoClose,
      actions,
      data: markToast(row.id)
    });
    this._ids.set(shown.toast, row.id);
    this._unsettled.set(shown.toast, null);
    this._view.expect(shown.toast, this._contents.dress(row, quiet, false));
  }

  /**
   * Show a new state of a notification in the toast that it has.
   */
  private _refresh(row: Notification, force = false): void {
    const shown = this._shown.get(row.id)!;
    const content = signature(row);
    this._view.expect(
      shown.toast,
      this._contents.dress(row, false, shown.visible)
    );
    // A progress that moves is drawn in place: a new state of the toast would
    // restart its time and have it read out again.
    if (force || content !== shown.content) {
      const { message, autoClose, actions } = this._contents.content(row);
      shown.content = content;
      shown.sticky = autoClose === false;
      this._update({
        id: shown.toast,
        message,
        type: row.type,
        autoClose,
        actions,
        data: markToast(row.id)
      });
    }
  }

  /**
   * Show something else in a toast, and again as soon as JupyterLab has it: a
   * job that is over at once must not turn for ever.
   */
  private _update(update: Private.Update): void {
    this._manager.update(update);
    if (this._unsettled.has(update.id)) {
      this._unsettled.set(update.id, update);
    }
  }

  /**
   * Take a toast away, without that being the user's doing.
   */
  private _close(id: string): void {
    const shown = this._shown.get(id);
    if (shown) {
      this._shown.delete(id);
      this._retract(shown.toast);
    }
  }

  private _retract(toast: string): void {
    this._ids.delete(toast);
    this._unsettled.delete(toast);
    this._manager.dismiss(toast);
    this._view.close(toast);
  }

  /**
   * Show, update or take away the toast that counts what is not shown.
   */
  // Longer than a screen: one summary, from its count to its buttons.
  private _sumUp(): void {
    for (const id of this._missed) {
      if (!this._unread(id)) {
        this._missed.delete(id);
      }
    }
    // Who has the list in sight needs no sum of it.
    if (this._isOpen()) {
      this._missed.clear();
    }
    if (this._missed.size === 0 || this._silent || !this._started) {
      if (this._summary !== null) {
        const summary = this._summary;
        this._summary = null;
        this._summaryText = '';
        this._retract(summary);
      }
      return;
    }
    const now = Date.now();
    let visible = 0;
    for (const { since, sticky, visible: there } of this._shown.values()) {
      visible += there || sticky || now - since < APPEAR_MS ? 1 : 0;
    }
    const count = Math.max(
      this._missed.size,
      this._model.counts.unread - visible
    );
    const message =
      visible > 0
        ? this._trans._n('and %1 more', 'and %1 more', count)
        : this._trans._n(
            '%1 unread notification',
            '%1 unread notifications',
            count
          );
    if (message === this._summaryText) {
      return;
    }
    this._summaryText = message;
    if (this._summary === null) {
      const open = {
        label: this._trans.__('Open notifications'),
        displayType: 'accent' as const,
        callback: () => {
          this._model.open(null);
          this.forgetMissed();
        }
      };
      const actions = this._opens() ? [open] : [];
      this._summary = this._manager.notify(message, 'default', {
        autoClose: false,
        actions,
        data: markToast('')
      });
      this._unsettled.set(this._summary, null);
      this._view.expect(this._summary, {
        kind: 'summary',
        close: this._trans.__('Close'),
        meta: '',
        progress: null,
        role: 'status',
        live: true,
        folds: null,
        opens: this._opens()
      });
    } else {
      this._update({ id: this._summary, message });
    }
  }

  private _onAppeared(toast: string): void {
    const shown = this._shown.get(this._ids.get(toast) ?? '');
    if (shown) {
      shown.visible = true;
    }
    window.setTimeout(() => {
      const update = this._unsettled.get(toast);
      this._unsettled.delete(toast);
      if (update) {
        this._manager.update(update);
      }
    }, SETTLE_MS);
  }

  /**
   * A toast is gone from the page: its time was up, or JupyterLab's own list
   * opened, which takes all toasts away.
   */
  private _onVanished(toast: string): void {
    const id = this._ids.get(toast);
    const shown = id === undefined ? undefined : this._shown.get(id);
    if (id === undefined || !shown) {
      return;
    }
    shown.visible = false;
    if (!shown.sticky) {
      // It stays in the center: a copy in JupyterLab's list would stay for
      // ever.
      this._close(id);
    }
    this._sumUp();
  }

  /**
   * The user closed a toast with its cross.
   */
  private _onClosed(toast: string): void {
    if (toast === this._summary) {
      this.forgetMissed();
      return;
    }
    const id = this._ids.get(toast);
    if (id !== undefined) {
      this._close(id);
      this._closeForAll(id);
    }
  }

  /**
   * The user clicked a toast beside its buttons.
   */
  private _onPressed(toast: string): void {
    const id = toast === this._summary ? null : this._ids.get(toast);
    if (id !== undefined) {
      this._model.open(id);
    }
  }

  /**
   * JupyterLab's own list removed a notification: the user's doing as well.
   */
  private _onManagerChanged(
    _: NotificationManager,
    change: LabNotification.IChange
  ): void {
    if (change.type !== 'removed') {
      return;
    }
    const toast = change.notification.id;
    this._unsettled.delete(toast);
    if (toast === this._summary) {
      this._summary = null;
      this._summaryText = '';
      this._missed.clear();
      return;
    }
    const id = this._ids.get(toast);
    if (id !== undefined) {
      this._ids.delete(toast);
      this._shown.delete(id);
      this._closeForAll(id);
    }
  }

  private _onOpenRequested(
    _: INotificationModel,
    { id, by }: NotificationModel.IOpening
  ): void {
    if (by === 'program') {
      // Nobody has seen anything yet.
      return;
    }
    if (id !== null) {
      this._close(id);
    }
    this.forgetMissed();
  }

  /**
   * Close notifications for all tabs, those of one moment in one request.
   */
  private _closeForAll(id: string): void {
    if (this._closing.size === 0) {
      window.setTimeout(() => {
        const rows = [...this._closing].flatMap(
          each => this._model.get(each) ?? []
        );
        this._closing.clear();
        // What its sender keeps in sight can only be read.
        this._change(
          rows.filter(row => row.dismissable),
          { closed: true }
        );
        this._change(
          rows.filter(row => !row.dismissable),
          { read: true }
        );
      });
    }
    this._closing.add(id);
  }

  private _change(
    rows: Notification[],
    state: { read: true } | { closed: true }
  ): void {
    if (rows.length > 0) {
      this._model
        .change({ ids: rows.map(row => row.id) }, state)
        .catch((error: Error) => {
          LabNotification.error(error.message, { autoClose: 5000 });
        });
    }
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
  private readonly _trans: TranslationBundle;
  private readonly _opens: () => boolean;
  private readonly _isOpen: () => boolean;
  private readonly _view: ToastView;
  /** The toasts of notifications, oldest first. */
  private readonly _shown = new Map<string, Private.IShown>();
  /** The notification of each toast, by JupyterLab's id. */
  private readonly _ids = new Map<string, string>();
  /** What waits for the next flush. */
  private readonly _queue = new Map<string, { missed: boolean }>();
  /** What there was no room for. */
  private readonly _missed = new Set<string>();
  /** The toasts that JupyterLab may not know yet, and what they were to show since. */
  private readonly _unsettled = new Map<string, Private.Update | null>();
  private readonly _closing = new Set<string>();
  private _arrivals: number[] = [];
  private _floodTimer: number | undefined = undefined;
  private _flushedAt = 0;
  private _isDisposed = false;
  /** What a flood kept from the screen while the center was open, oldest first. */
  private _postponed: string[] = [];
  private _settings = DEFAULT_TOAST_SETTINGS;
  private _silent = false;
  private _started = false;
  private _summary: string | null = null;
  private _summaryText = '';
  private _timer: number | undefined = undefined;
}

/**
 * The namespace of {@link ToastPresenter}'s options.
 */
export namespace ToastPresenter {
  /**
   * What a presenter needs.
   */
  export interface IOptions {
    /** What is announced. */
    model: INotificationModel;
    /** What runs the buttons; without it there are none. */
    actions: INotificationActions | null;
    /** The language. */
    trans: TranslationBundle;
    /** Whether there is something that shows a notification in full; there is, unless given. */
    opens?: () => boolean;
    /** Whether the list of all is in sight; it is not, unless given. */
    isOpen?: () => boolean;
    /** JupyterLab's notifications, unless others are given. */
    manager?: NotificationManager;
  }
}

namespace Private {
  /**
   * What JupyterLab is told to show in a toast that is there.
   */
  export type Update = Parameters<NotificationManager['update']>[0];

  /**
   * A toast that was emitted.
   */
  export interface IShown {
    /** JupyterLab's id of it. */
    toast: string;
    /** What it shows, to see whether that changed. */
    content: string;
    /** When it was emitted. */
    since: number;
    /** Whether it stays until it is closed. */
    sticky: boolean;
    /** Whether it is on the page. */
    visible: boolean;
  }
}
