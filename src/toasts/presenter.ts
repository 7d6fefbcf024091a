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
import { type IToastCandidate, planToasts, rank } from './layout';
import { MissedToasts } from './missed';
import { ToastRelay } from './relay';
import { SummaryToast } from './summary';
import { ToastView } from './view';

/**
 * The time in which messages that come right after another are gathered.
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
 * The time that a toast may take to appear before it no longer counts as shown:
 * JupyterLab shows none while its own list is open.
 */
const APPEAR_MS = 10_000;

/**
 * The user's settings of toasts.
 */
export interface IToastSettings {
  /** Seconds after which a toast closes that does not say it itself; 0: it stays. */
  defaultAutoClose: number;
  /** True if the center opens at an error. */
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
      done: id => this._onDone(id, options.trans),
      resized: () => this._fit()
    });
    this._relay = new ToastRelay(this._manager, this._view);
    this._missed = new MissedToasts(options.storageKey ?? '');
    this._summary = new SummaryToast({
      relay: this._relay,
      trans: options.trans,
      opens: this._opens,
      open: () => {
        this._model.open(null);
        this.forgetMissed();
      }
    });
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
      // An error that a flood kept from the screen may have a place now.
      this._fit();
    } else {
      this._missed.clear();
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
    this._summary.hide();
    [...this._shown.keys()].forEach(id => this._close(id));
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
          ...this._shown.keys(),
          ...this._missed.ids,
          ...this._queue.keys()
        ])
      : change.notifications.map(row => row.id);
    for (const id of touched) {
      const row = this._unread(id);
      // Its source may have been muted.
      if (!row || row.autoClose === 0) {
        if (this._shown.has(id) && this._model.get(id)?.dismissed) {
          this._done.add(id);
        }
        this._queue.delete(id);
        this._missed.delete(id);
        this._close(id);
      } else if (this._shown.has(id)) {
        this._refresh(row);
      } else if (this._done.delete(id)) {
        // That it was done was undone.
        this._queue.set(id, { missed: true });
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
      this._fit();
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
      arriving.map(({ row, missed }) => this._candidate(row, missed)),
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
   * Sum up what no longer fits, as measured, or show what there is room for again: what stays, and
   * of what passes a few that were never in sight.
   */
  private _fit(): void {
    if (!this._started || this._isDisposed) {
      return;
    }
    const summary = this._summaryHeight();
    const shown = this._candidates();
    const { sumUp } = planToasts(shown, [], this._view.room, summary, {
      summed: this._missed.size > 0
    });
    this._putAside(sumUp);
    const waiting = sumUp.length > 0 ? [] : this._waiting();
    if (waiting.length > 0) {
      const { show } = planToasts(
        // Nothing that is in sight makes room for it.
        shown.map(toast => ({ ...toast, urgency: Infinity })),
        waiting.map(row => this._candidate(row, true)),
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
          !this._shown.has(row.id) &&
          !this._queue.has(row.id) &&
          (this._contents.duration(row) === false ||
            (few && !this._missed.wasSeen(row.id)))
      )
      .sort((a, b) => a.position - b.position);
  }

  /**
   * Take toasts away for which there is no room, and count them.
   *
   * @param old - Whether those that were not shown yet are old news.
   */
  private _putAside(ids: readonly string[], old = false): void {
    for (const id of ids) {
      this._missed.add(id, this._shown.get(id)?.visible ?? old);
      this._close(id);
    }
  }

  /**
   * The height of the toast that sums up: none where it does not show.
   */
  private _summaryHeight(): number {
    return this._isOpen()
      ? 0
      : (this._view.height(this._summary.toast) ?? SUMMARY_HEIGHT);
  }

  private _candidates(): IToastCandidate[] {
    const now = Date.now();
    const candidates: IToastCandidate[] = [];
    for (const [id, shown] of this._shown) {
      const row = this._model.get(id);
      if (row && (shown.visible || now - shown.since < APPEAR_MS)) {
        candidates.push({
          id,
          height: this._view.height(shown.toast) ?? this._height(row),
          urgency: shown.rank
        });
      }
    }
    return candidates;
  }

  /** A row as a candidate for a place. */
  private _candidate(row: Notification, missed: boolean): IToastCandidate {
    return {
      id: row.id,
      height: this._height(row),
      urgency: this._rank(row, missed)
    };
  }

  private _rank(row: Notification, missed: boolean): number {
    return rank(row.type, this._contents.duration(row) === false, missed);
  }

  /** As high as it was the last time, or else about as high as it will be. */
  private _height(row: Notification): number {
    return this._heights.get(row.id) ?? estimateHeight(row);
  }

  /**
   * Emit a toast, or replace the one that this notification has.
   */
  private _show(row: Notification, quiet: boolean): void {
    this._missed.delete(row.id);
    if (this._shown.has(row.id)) {
      this._refresh(row, true);
      return;
    }
    const { message, autoClose, actions } = this._contents.content(row);
    const shown: Private.IShown = {
      toast: '',
      content: signature(row),
      since: Date.now(),
      rank: this._rank(row, quiet),
      sticky: autoClose === false,
      visible: false
    };
    this._shown.set(row.id, shown);
    shown.toast = this._relay.notify(
      message,
      row.type,
      { autoClose, actions, data: markToast(row.id) },
      this._contents.dress(row, quiet, false)
    );
    this._ids.set(shown.toast, row.id);
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
      shown.rank = this._rank(row, false);
      this._relay.update({
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
   * Take a toast away, without that being the user's doing.
   */
  private _close(id: string): void {
    const shown = this._shown.get(id);
    if (shown) {
      const height = this._view.height(shown.toast);
      if (height !== undefined) {
        // It may have been folded.
        const known = this._heights.get(id) ?? 0;
        this._heights.set(id, Math.max(known, height));
      }
      this._shown.delete(id);
      this._ids.delete(shown.toast);
      this._relay.retract(shown.toast);
    }
  }

  /**
   * Show, update or take away the toast that counts what is not shown.
   */
  private _sumUp(): void {
    if (this._isDisposed) {
      return;
    }
    for (const id of this._missed.ids) {
      if (!this._unread(id)) {
        this._missed.delete(id);
        this._heights.delete(id);
      }
    }
    // A user who has the list in sight needs no sum of it, but errors come as soon as there is a place.
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
      this._summary.hide();
      return;
    }
    const now = Date.now();
    let visible = 0;
    for (const { since, sticky, visible: there } of this._shown.values()) {
      visible += there || sticky || now - since < APPEAR_MS ? 1 : 0;
    }
    this._summary.show(
      Math.max(this._missed.size, this._model.counts.unread - visible),
      visible
    );
  }

  private _onAppeared(toast: string): void {
    const shown = this._shown.get(this._ids.get(toast) ?? '');
    if (shown) {
      shown.visible = true;
    }
    this._relay.appeared(toast);
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
    this._fit();
  }

  /**
   * The user closed a toast with its cross.
   */
  private _onClosed(toast: string): void {
    if (toast === this._summary.toast) {
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
    const id = toast === this._summary.toast ? null : this._ids.get(toast);
    if (id !== undefined) {
      this._model.open(id);
    }
  }

  /**
   * The user is done with the message of a toast, which can be undone.
   */
  private _onDone(toast: string, trans: TranslationBundle): void {
    const row = this._model.get(this._ids.get(toast) ?? '');
    if (row) {
      this._done.add(row.id);
      this._close(row.id);
      void import('../components/snackbar').then(({ undoOnPage }) =>
        undoOnPage(this._model, trans).undo.dismiss([row], true)
      );
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
    this._relay.removed(toast);
    if (toast === this._summary.toast) {
      this._summary.removed();
      this._missed.clear();
      this._missed.save();
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
        // A message that its sender keeps in sight can only be read.
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
  private readonly _opens: () => boolean;
  private readonly _isOpen: () => boolean;
  private readonly _view: ToastView;
  /** The toasts of notifications, oldest first. */
  private readonly _shown = new Map<string, Private.IShown>();
  /** The notification of each toast, by JupyterLab's id. */
  private readonly _ids = new Map<string, string>();
  /** Notifications that wait for the next flush. */
  private readonly _queue = new Map<string, { missed: boolean }>();
  /** Notifications that there was no room for. */
  private readonly _missed: MissedToasts;
  private readonly _relay: ToastRelay;
  private readonly _summary: SummaryToast;
  /** The heights of toasts that there is no room for. */
  private readonly _heights = new Map<string, number>();
  private readonly _closing = new Set<string>();
  /** Notifications that were done while their toasts were in sight: undone, they come back. */
  private readonly _done = new Set<string>();
  private _arrivals: number[] = [];
  private _floodTimer: number | undefined = undefined;
  private _flushedAt = 0;
  private _isDisposed = false;
  /** Notifications that a flood kept from the screen while the center was open, oldest first. */
  private _postponed: string[] = [];
  private _settings = DEFAULT_TOAST_SETTINGS;
  private _silent = false;
  private _started = false;
  private _timer: number | undefined = undefined;
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

namespace Private {
  /**
   * A toast that was emitted.
   */
  export interface IShown {
    /** JupyterLab's id of it. */
    toast: string;
    /** Its content, to see whether that changed. */
    content: string;
    /** Its claim to a place. */
    rank: number;
    /** The time at which it was emitted. */
    since: number;
    /** True if it stays until it is closed. */
    sticky: boolean;
    /** True if it is on the page. */
    visible: boolean;
  }
}
