/**
 * The notifications of this tab's server, as far as the tab knows them. They are kept nowhere else:
 * presenters read the model and call its commands.
 */
import type { ServerConnection } from '@jupyterlab/services';
import {
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { request } from './request';
import {
  allows,
  isActive,
  isDismissed,
  isInInbox,
  isPinned,
  isSnoozed,
  isUnread,
  withChange
} from './state';
import type { NotificationStream } from './stream';
import type { INotificationModel, NotificationModel } from './tokens';
import {
  LIMITS,
  type Changed,
  type ChangesFrame,
  type Counts,
  type Notification,
  type NotificationDetail,
  type Page,
  type Quiet,
  type QuietChange,
  type SnapshotFrame,
  type StateChange,
  type Welcome,
  type WelcomeVersion
} from './wire';

/**
 * The most rows that a tab holds, and the number that it keeps when there are more: a tab may stay
 * open for weeks. The server's list has them all.
 */
const HELD = { max: 1500, kept: 1000 };

/**
 * The notifications of one server.
 */
// Longer than a screen: rows, counts and pending changes must stay consistent together.
export class ServerNotifications implements INotificationModel, IDisposable {
  /**
   * Make a model that follows a stream.
   */
  constructor(options: ServerNotifications.IOptions) {
    this._settings = options.serverSettings;
    this._stream = options.stream;
    this._trans = options.trans ?? nullTranslator.load('jupyterlab_notify');
    this._presented = new Private.Presented(this._settings.baseUrl);
    this._stream.received.connect(this._onReceived, this);
    this._stream.connectedChanged.connect(this._onConnectedChanged, this);
  }

  /** The counts, with the user's pending changes applied. */
  get counts(): Readonly<Counts> {
    return this._counts;
  }

  /** True while the stream is open. */
  get connected(): boolean {
    return this._stream.connected;
  }

  /** False while the server keeps messages in memory only. */
  get durable(): boolean {
    return this._durable;
  }

  /** The do-not-disturb state and muted sources; null if the user never changed any. */
  get quiet(): Readonly<Quiet> | null {
    return this._quiet;
  }

  /** Resolves at the first snapshot. */
  get ready(): Promise<void> {
    return this._ready.promise;
  }

  /** Rows changed. */
  get changed(): ISignal<INotificationModel, NotificationModel.IChange> {
    return this._changed;
  }

  /** Counts, `connected` or `durable` changed. */
  get stateChanged(): ISignal<INotificationModel, void> {
    return this._stateChanged;
  }

  /** Somebody asked to show a notification in full, or the list. */
  get openRequested(): ISignal<INotificationModel, NotificationModel.IOpening> {
    return this._openRequested;
  }

  /** Welcome messages changed, or the user answered some. */
  get welcomeChanged(): ISignal<INotificationModel, void> {
    return this._welcomeChanged;
  }

  /** The rows of the inbox that this tab holds, highest position first. */
  get notifications(): readonly Notification[] {
    if (this._list === null) {
      this._list = [...this._rows.keys()]
        .map(id => this.get(id)!)
        .filter(isInInbox)
        .sort((a, b) => b.position - a.position);
    }
    return this._list;
  }

  /** True once disposed. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Stop following the stream.
   */
  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._stream.received.disconnect(this._onReceived, this);
    this._stream.connectedChanged.disconnect(this._onConnectedChanged, this);
    this._presented.flush();
    Signal.clearData(this);
  }

  /**
   * The server's time, in ms.
   */
  now(): number {
    return Date.now() + this._ahead;
  }

  /**
   * A row that this tab holds, with the user's pending changes.
   */
  get(id: string): Notification | undefined {
    const row = this._rows.get(id);
    return row && this._withPending(row);
  }

  /**
   * A page of the list, from the server.
   */
  async page(
    query: NotificationModel.IQuery,
    before?: number,
    limit?: number
  ): Promise<Page> {
    const parameters = new URLSearchParams({ view: query.view });
    for (const type of query.types ?? []) {
      parameters.append('type', type);
    }
    if (query.source) {
      parameters.set('source', query.source);
    }
    if (query.text) {
      parameters.set('q', query.text);
    }
    if (before !== undefined) {
      parameters.set('before', String(before));
    }
    if (limit !== undefined) {
      parameters.set('limit', String(limit));
    }
    const page = await this._request<Page>(`notifications?${parameters}`);
    // The stream may have overtaken this answer.
    page.notifications = page.notifications
      .filter(row => (this._gone.get(row.id) ?? -1) < row.seq)
      .map(row => {
        const held = this._rows.get(row.id);
        return this._withPending(held && held.seq > row.seq ? held : row);
      });
    return page;
  }

  /**
   * Fetch one notification whole from the server; rejects if it is gone.
   */
  detail(id: string): Promise<NotificationDetail> {
    return this._request<NotificationDetail>(
      `notifications/${encodeURIComponent(id)}`
    );
  }

  /**
   * Mark read or unread, close, put away or bring back; shown at once, and undone if
   * the server refuses.
   *
   * @throws An error whose message is a sentence to show.
   */
  async change(
    selection: NotificationModel.Selection,
    state: StateChange
  ): Promise<Changed> {
    const pending = this._anticipate(selection, state);
    try {
      const { answer, settled } = await pending.sent;
      pending.settled = settled;
      pending.epoch = Private.parseCursor(answer.cursor).epoch;
      this._retire();
      return answer;
    } catch (error) {
      this._forget([pending]);
      throw error;
    }
  }

  /**
   * Change the do-not-disturb state or the muted sources.
   *
   * @throws An error whose message is a sentence to show.
   */
  changeQuiet(change: QuietChange): Promise<Quiet> {
    // One after the other: of two requests on their way, the second may arrive first.
    const sent = Promise.allSettled([this._quietSent]).then(async () => {
      const cursor = this._cursor;
      const quiet = await this._request<Quiet>('quiet', change);
      // A frame that came meanwhile may know of a later change.
      if (cursor === this._cursor) {
        this._setQuiet(quiet);
        this._stateChanged.emit();
      }
      return quiet;
    });
    this._quietSent = sent;
    return sent;
  }

  /**
   * Answer a notification that asks for it.
   *
   * @throws An error whose message is a sentence to show.
   */
  reply(id: string, answer: string): Promise<Changed> {
    const path = `notifications/${encodeURIComponent(id)}/reply`;
    return this._request<Changed>(path, { answer }, 'POST');
  }

  /**
   * Fetch every welcome message from the server.
   */
  welcome(): Promise<Welcome> {
    return this._request<Welcome>('welcome?all=true');
  }

  /**
   * Say what the user did with welcome messages.
   *
   * @throws An error whose message is a sentence to show.
   */
  async answerWelcome(answer: NotificationModel.WelcomeAnswer): Promise<void> {
    const [what, which] =
      answer === 'reset' ? [answer] : Object.entries(answer)[0];
    const body = which === 'all' ? { all: true } : { ids: which };
    await this._request<WelcomeVersion>(`welcome/${what}`, body, 'POST');
  }

  /**
   * Ask the center to open, at one notification or at the list.
   */
  open(id: string | null, by: NotificationModel.IOpening['by'] = 'user'): void {
    this._openRequested.emit({ id, by });
  }

  /**
   * Apply a frame of the stream.
   */
  // Longer than a screen: the cases of one frame, applied in order.
  private _onReceived(
    _: NotificationStream,
    frame: SnapshotFrame | ChangesFrame
  ): void {
    const { epoch, seq } = Private.parseCursor(frame.cursor);
    const snapshot = frame.type === 'snapshot';
    const newStore = snapshot && epoch !== this._cursor.epoch;
    const rows = snapshot
      ? [...frame.notifications, ...frame.pinned]
      : frame.notifications;

    // In another epoch the rows that this tab has announced already get new positions.
    const held = new Map(snapshot ? this._rows : []);
    if (snapshot) {
      this._rows.clear();
      this._gone.clear();
    }
    this._cursor = { epoch, seq };
    // A server that was not restarted since an update does not send it.
    this._ahead = Date.parse(frame.now) - Date.now() || 0;
    this._presented.enter(epoch);
    // A server that was not restarted since an update does not send it.
    this._setQuiet(frame.quiet ?? null);

    const applied: Notification[] = [];
    const announced: string[] = [];
    let highest = -1;
    for (const row of rows) {
      const known = this._rows.get(row.id)?.seq ?? this._gone.get(row.id) ?? -1;
      if (known >= row.seq) {
        continue;
      }
      if (!isActive(row)) {
        this._rows.delete(row.id);
        this._gone.set(row.id, row.seq);
      } else {
        this._gone.delete(row.id);
        this._rows.set(row.id, row);
        if (
          isUnread(row) &&
          row.position > this._presented.position &&
          held.get(row.id)?.updated !== row.updated
        ) {
          announced.push(row.id);
        }
      }
      highest = Math.max(highest, row.position);
      applied.push(row);
    }
    this._trim();
    this._list = null;
    this._durable = frame.durable;
    this._serverCounts = frame.counts;

    const retired = this._retired();
    this._pending = this._pending.filter(change => !retired.includes(change));
    this._countPending();

    this._presented.advance(highest);
    this._ready.resolve();
    if (snapshot || applied.length > 0) {
      this._changed.emit({
        type: snapshot ? 'snapshot' : 'changes',
        notifications: applied.map(row => this._withPending(row)),
        announced: announced.filter(id => {
          const row = this.get(id);
          return row && isUnread(row);
        }),
        newStore
      });
    }
    if (!snapshot) {
      this._emitRows(Private.idsOf(retired), applied);
    }
    this._stateChanged.emit();
    if (frame.welcome !== this._welcome) {
      this._welcome = frame.welcome;
      this._welcomeChanged.emit();
    }
  }

  private _onConnectedChanged(): void {
    this._stateChanged.emit();
  }

  /**
   * Show a change before the server has made it.
   */
  private _anticipate(
    selection: NotificationModel.Selection,
    state: StateChange
  ): Private.IPending {
    const now = new Date(this.now()).toISOString();
    const ids = new Set<string>();
    const candidates =
      'ids' in selection
        ? selection.ids
        : 'all' in selection
          ? this.notifications.map(row => row.id)
          : [];
    for (const id of candidates) {
      const row = this.get(id);
      // The server leaves out a row that must stay in sight, or refuses the change.
      if (!row || allows(row, state)) {
        ids.add(id);
      }
    }
    const everything = !('ids' in selection);
    const cursor = this._cursor;
    // Of two requests that are on their way at once, either may arrive first: what the user did
    // last to a row would not be what stays.
    const earlier = this._pending
      .filter(
        change =>
          everything ||
          change.everything ||
          candidates.some(id => change.ids.has(id))
      )
      .map(change => change.sent);
    const pending: Private.IPending = {
      ids,
      state,
      now,
      everything,
      sent: Promise.allSettled(earlier).then(() =>
        this._patch(selection, state, cursor)
      ),
      settled: null,
      epoch: null
    };
    this._pending.push(pending);
    this._list = null;
    this._countPending();
    this._emitRows([...pending.ids]);
    this._stateChanged.emit();
    return pending;
  }

  /**
   * The pending changes whose effect the stream has brought.
   */
  private _retired(): Private.IPending[] {
    const { epoch, seq } = this._cursor;
    return this._pending.filter(
      change =>
        change.settled !== null &&
        (change.settled <= seq || change.epoch !== epoch)
    );
  }

  private _retire(): void {
    this._forget(this._retired());
  }

  /**
   * Drop pending changes, and show their rows as the server has them.
   */
  private _forget(changes: readonly Private.IPending[]): void {
    if (changes.length === 0) {
      return;
    }
    this._pending = this._pending.filter(change => !changes.includes(change));
    this._list = null;
    this._countPending();
    this._emitRows(Private.idsOf(changes));
    this._stateChanged.emit();
  }

  /**
   * Tell that rows look different now.
   */
  private _emitRows(
    ids: readonly string[],
    except: readonly Notification[] = []
  ): void {
    const told = new Set(except.map(row => row.id));
    const notifications: Notification[] = [];
    for (const id of ids) {
      const row = this.get(id);
      if (row && !told.has(id)) {
        told.add(id);
        notifications.push(row);
      }
    }
    if (notifications.length > 0) {
      this._changed.emit({ type: 'changes', notifications, announced: [] });
    }
  }

  /**
   * Store the do-not-disturb state and the muted sources: rows of a source that was muted or
   * unmuted look different now.
   */
  private _setQuiet(quiet: Quiet | null): void {
    const before = new Set(this._quiet?.muted);
    const after = new Set(quiet?.muted);
    this._quiet = quiet;
    const ids = [...this._rows.values()]
      .filter(({ source }) => before.has(source) !== after.has(source))
      .map(({ id }) => id);
    if (ids.length > 0) {
      this._list = null;
      this._emitRows(ids);
    }
  }

  private _withPending(given: Notification): Notification {
    // A muted message goes to the center only, unless its sender keeps it in sight.
    let row =
      given.dismissable && this._quiet?.muted.includes(given.source)
        ? { ...given, autoClose: 0, banner: false }
        : given;
    for (const { ids, now, state } of this._pending) {
      if (ids.has(row.id)) {
        row = withChange(row, state, now);
      }
    }
    return row;
  }

  /**
   * Apply the pending changes to the server's counts, as far as this tab holds the rows.
   */
  private _countPending(): void {
    const counts = { ...this._serverCounts };
    const ids = new Set(Private.idsOf(this._pending));
    for (const id of ids) {
      const row = this._rows.get(id);
      if (row) {
        Private.count(counts, row, -1);
        Private.count(counts, this._withPending(row), 1);
      }
    }
    if (this._pending.some(change => change.everything && change.state.read)) {
      counts.unread = 0;
    }
    counts.unread = Math.max(0, counts.unread);
    this._counts = Object.freeze(counts);
  }

  /**
   * Forget the older rows of a tab that has been open for long.
   */
  private _trim(): void {
    if (this._gone.size > HELD.max) {
      // No answer that is still on its way has a row that went so long ago.
      for (const id of [...this._gone.keys()].slice(0, -HELD.kept)) {
        this._gone.delete(id);
      }
    }
    if (this._rows.size <= HELD.max) {
      return;
    }
    const loose = [...this._rows.values()]
      .filter(row => !isPinned(row))
      .sort((a, b) => a.position - b.position);
    for (const row of loose.slice(0, this._rows.size - HELD.kept)) {
      this._rows.delete(row.id);
    }
  }

  /**
   * Have the server make a change, in as many requests as its ids need.
   *
   * @returns The server's answer, and the last seq of the change. An answer put together from
   *   several has seqs only if no other change has a seq between them: undoing takes back whatever
   *   lies in that range.
   */
  private async _patch(
    selection: NotificationModel.Selection,
    state: StateChange,
    { epoch, seq }: Private.ICursor
  ): Promise<Private.IResult> {
    const answers: Changed[] = [];
    if (!('ids' in selection)) {
      // Leave out messages that arrive meanwhile: the user has not seen them.
      const bound =
        'all' in selection && epoch ? { upTo: `${epoch}:${seq}` } : {};
      answers.push(
        await this._request('notifications', {
          ...selection,
          ...bound,
          ...state
        })
      );
    } else {
      // Rows that their sender has withdrawn meanwhile are left out: nobody misses them.
      for (let i = 0; i < selection.ids.length; i += LIMITS.ids) {
        const ids = selection.ids.slice(i, i + LIMITS.ids);
        answers.push(await this._request('notifications', { ids, ...state }));
      }
    }
    const seqs = answers.flatMap(answer => (answer.seqs ? [answer.seqs] : []));
    const joined = seqs.every(
      ([first], i) => i === 0 || first === seqs[i - 1][1] + 1
    );
    const settled = seqs.at(-1)?.[1] ?? 0;
    return {
      answer: {
        changed: answers.reduce((sum, answer) => sum + answer.changed, 0),
        seqs: settled && joined ? [seqs[0][0], settled] : null,
        cursor: answers.at(-1)?.cursor ?? `${epoch}:${seq}`
      },
      settled
    };
  }

  /**
   * Ask the server.
   *
   * @throws An error whose message is a sentence to show.
   */
  private _request<T>(
    path: string,
    body?: object,
    method = 'PATCH'
  ): Promise<T> {
    const init = body === undefined ? { method: 'GET' } : { method, body };
    return request<T>(path, init, this._settings, this._trans);
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _stream: NotificationStream;
  private readonly _trans: TranslationBundle;
  private readonly _presented: Private.Presented;
  private readonly _changed = new Signal<
    INotificationModel,
    NotificationModel.IChange
  >(this);
  private readonly _stateChanged = new Signal<INotificationModel, void>(this);
  private readonly _openRequested = new Signal<
    INotificationModel,
    NotificationModel.IOpening
  >(this);
  private readonly _welcomeChanged = new Signal<INotificationModel, void>(this);
  private readonly _ready = new PromiseDelegate<void>();
  /** The live rows as the server has them. */
  private readonly _rows = new Map<string, Notification>();
  /** The seqs at which rows were revoked or expired: an older state of such a row is ignored. */
  private readonly _gone = new Map<string, number>();
  /** Time in ms by which the server's clock is ahead of this browser's. */
  private _ahead = 0;
  private _counts: Readonly<Counts> = Private.NO_COUNTS;
  private _cursor: Private.ICursor = { epoch: '', seq: -1 };
  private _durable = true;
  private _isDisposed = false;
  private _list: readonly Notification[] | null = null;
  private _pending: Private.IPending[] = [];
  private _quiet: Quiet | null = null;
  /** The request for the last change of it, for which the next one waits. */
  private _quietSent: Promise<Quiet> | undefined;
  private _serverCounts: Counts = Private.NO_COUNTS;
  private _welcome: number | undefined;
}

/**
 * The namespace of {@link ServerNotifications}' options.
 */
export namespace ServerNotifications {
  /**
   * The options of a model.
   */
  export interface IOptions {
    /** The server that is asked for pages and told of changes. */
    serverSettings: ServerConnection.ISettings;
    /** The stream that brings the rows. */
    stream: NotificationStream;
    /** The language of its error messages. */
    trans?: TranslationBundle;
  }
}

namespace Private {
  /**
   * A state of the store: how far a tab has followed its changes.
   */
  export interface ICursor {
    epoch: string;
    seq: number;
  }

  /**
   * A change that the server has made, and the last seq of it.
   */
  export interface IResult {
    answer: Changed;
    settled: number;
  }

  /**
   * A change that is shown before the stream brings it.
   */
  export interface IPending {
    /** The rows that the change is for: if it is for everything, those of this tab. */
    readonly ids: ReadonlySet<string>;
    /** Resolves once the server has answered. */
    readonly sent: Promise<IResult>;
    readonly state: StateChange;
    readonly now: string;
    /** True if the change is for rows that are not named, also for some that this tab does not hold. */
    readonly everything: boolean;
    /** The last seq of the change, once the server has answered. */
    settled: number | null;
    /** The epoch of that seq. */
    epoch: string | null;
  }

  /** The counts before the first frame. */
  export const NO_COUNTS: Readonly<Counts> = Object.freeze({
    inbox: 0,
    unread: 0,
    dismissed: 0,
    snoozed: 0
  });

  /**
   * Return the ids of the rows that changes are for.
   */
  export function idsOf(changes: readonly IPending[]): string[] {
    return changes.flatMap(({ ids }) => [...ids]);
  }

  /**
   * Take a cursor apart.
   */
  export function parseCursor(cursor: string): ICursor {
    const colon = cursor.lastIndexOf(':');
    return {
      epoch: cursor.slice(0, colon),
      seq: Number(cursor.slice(colon + 1))
    };
  }

  /**
   * Add a row to the counts, or take it off.
   */
  export function count(counts: Counts, row: Notification, by: 1 | -1): void {
    counts.dismissed += isDismissed(row) ? by : 0;
    counts.snoozed += isSnoozed(row) ? by : 0;
    counts.inbox += isInInbox(row) ? by : 0;
    counts.unread += isUnread(row) ? by : 0;
  }

  /**
   * The highest position that was announced in this browser, kept over
   * reloads.
   *
   * A tab reads it once for an epoch and then keeps its own: a message that
   * another tab announced meanwhile is still new in this one.
   */
  export class Presented {
    constructor(baseUrl: string) {
      this._key = `jupyterlab_notify:presented:${baseUrl}`;
    }

    /** The highest announced position; below all others if nothing was announced yet. */
    get position(): number {
      return this._position;
    }

    /** Begin with the position that is stored for an epoch. */
    enter(epoch: string): void {
      if (epoch !== this._epoch) {
        this._epoch = epoch;
        this._position = this._stored();
      }
    }

    /** Remember that everything up to a position was announced. */
    advance(position: number): void {
      if (position > this._position) {
        this._position = position;
        if (document.hidden) {
          // In a hidden page the browser may call timers only once a minute.
          this._store();
        } else {
          // The toast need not wait for the storage.
          this._timer ??= window.setTimeout(() => this._store(), 0);
        }
      }
    }

    /** Store the position, if that is still to be done. */
    flush(): void {
      if (this._timer !== undefined) {
        this._store();
      }
    }

    private _store(): void {
      window.clearTimeout(this._timer);
      this._timer = undefined;
      const [epoch, position] = [this._epoch, this._position];
      if (position > this._stored()) {
        try {
          localStorage.setItem(this._key, JSON.stringify({ epoch, position }));
        } catch {
          // Without storage the only loss is that a reload announces again.
        }
      }
    }

    private _stored(): number {
      try {
        const { epoch, position } = JSON.parse(
          localStorage.getItem(this._key) ?? '{}'
        );
        return epoch === this._epoch && Number.isFinite(position)
          ? position
          : -1;
      } catch {
        return -1;
      }
    }

    private readonly _key: string;
    private _epoch: string | null = null;
    private _position = -1;
    private _timer: number | undefined;
  }
}
