/**
 * Sends notifications through the server's ingest: the implementation of {@link INotifications}.
 */
import type { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

import { request } from '../request';
import { isActive } from '../state';
import type {
  INotificationModel,
  INotifications,
  NotificationModel,
  Notifications
} from '../tokens';
import {
  LIMITS,
  type IngestMessage,
  type Notification,
  type Receipt
} from '../wire';
import { observe } from './observe';

/**
 * The source, if the caller names none.
 */
const SOURCE = 'JupyterLab';

/**
 * Number of messages that are remembered as they were last sent, for updates; others are fetched
 * from the server.
 */
const REMEMBERED = 100;

/**
 * Number of signs of life within a heartbeat, so that one may be late, or lost.
 */
const BEATS = 3;

/**
 * The heartbeat of a hidden tab, in seconds: the longest that the server accepts. A hub's proxy
 * takes each request for the user's activity, so a hidden tab sends none on a timer.
 */
const HIDDEN_HEARTBEAT_S = LIMITS.maxHeartbeatS;

/**
 * Sends notifications to this tab's server.
 */
export class NotificationSender implements INotifications {
  /**
   * Make a sender.
   */
  constructor(options: NotificationSender.IOptions) {
    this._options = options;
    options.model.changed.connect(this._onChanged, this);
    document.addEventListener('visibilitychange', () => this._renew());
    window.addEventListener('pagehide', () => {
      if (document.hidden) {
        this._renew(true);
      }
    });
  }

  /**
   * Send a message; resolves once it is stored.
   */
  async emit(
    message: string,
    options: Notifications.IOptions = {}
  ): Promise<Notifications.ISent> {
    const whole: Private.Whole = {
      ...options,
      message,
      // Updates and revocations have to name both.
      source: options.source ?? SOURCE,
      key: options.key ?? UUID.uuid4()
    };
    const { notification_id: id } = await this._request<Receipt>('ingest', {
      method: 'POST',
      body: this._body(whole)
    });
    const sent = { id, key: whole.key, source: whole.source };
    const state = this._state(sent);
    state.over = false;
    this._accepted(state, id, whole);
    return sent;
  }

  /**
   * Replace a notification.
   */
  update(
    sent: Notifications.ISent,
    changes: Partial<IngestMessage>
  ): Promise<void> {
    const state = this._state(sent);
    return this._inTurn(state, async () => {
      const known = state.whole ?? (await this._fetch(sent));
      const { key, source } = known;
      state.over = false;
      await this._put(state, { ...known, ...changes, key, source });
    });
  }

  /**
   * Revoke a notification.
   */
  revoke(sent: Notifications.ISent): Promise<void> {
    const state = this._state(sent);
    return this._inTurn(state, async () => {
      // The notification may have been made anew under its key, with another id.
      const name = sent.source ? sent.key : sent.id;
      const query = sent.source
        ? `?source=${encodeURIComponent(sent.source)}`
        : '';
      await this._request<Receipt>(
        `ingest/${encodeURIComponent(name)}${query}`,
        { method: 'DELETE' }
      );
      this._end(state);
      this._states.delete(sent.id);
    });
  }

  /**
   * Observe notifications that arrive or change.
   */
  observe(
    observer: (notification: Notification) => void,
    filter?: Notifications.IFilter
  ): IDisposable {
    return observe(this._options.model, observer, filter);
  }

  private _onChanged(
    _: INotificationModel,
    change: NotificationModel.IChange
  ): void {
    const gone = change.notifications.filter(row => !isActive(row));
    for (const state of gone.length > 0 ? this._states.values() : []) {
      if (gone.some(row => row.id === state.id)) {
        this._end(state);
      }
    }
  }

  /**
   * Find the state of a notification that was sent from here, in this page or before a reload.
   */
  private _state({ id }: Notifications.ISent): Private.IState {
    const state = this._states.get(id) ?? {
      id,
      whole: null,
      last: Promise.resolve(),
      timer: undefined,
      over: false
    };
    // The least recently used state is the first to be forgotten.
    this._states.delete(id);
    this._states.set(id, state);
    for (const [other, { timer }] of this._states) {
      if (this._states.size <= REMEMBERED) {
        break;
      }
      if (timer === undefined) {
        this._states.delete(other);
      }
    }
    return state;
  }

  /**
   * Fetch a message as the server has it.
   */
  private async _fetch(sent: Notifications.ISent): Promise<Private.Whole> {
    const row = await this._options.model.detail(sent.id);
    return {
      message: row.message,
      type: row.type,
      autoClose: row.autoClose,
      actions: row.actions,
      body: row.body,
      markdown: row.markdown,
      progress: row.progress,
      expiresAt: row.expiresAt,
      banner: row.banner,
      dismissable: row.dismissable,
      data: row.data ?? undefined,
      key: row.key ?? sent.key,
      source: row.source
    };
  }

  private async _put(
    state: Private.IState,
    whole: Private.Whole,
    leaving = false
  ): Promise<void> {
    const receipt = await this._request<Receipt>(
      `ingest/${encodeURIComponent(whole.key)}`,
      {
        method: 'PUT',
        body: leaving ? whole : this._body(whole),
        keepalive: leaving
      }
    );
    this._accepted(state, receipt.notification_id, whole);
  }

  /**
   * Return a message as it is to be sent: from a hidden tab it has the longest heartbeat.
   */
  private _body(whole: Private.Whole): Private.Whole {
    return document.hidden && isLive(whole)
      ? { ...whole, heartbeat: HIDDEN_HEARTBEAT_S }
      : whole;
  }

  /**
   * Tell the server anew how long to wait for the next sign of life: the tab was hidden, came
   * back in sight, or is closed.
   */
  private _renew(leaving = false): void {
    for (const state of this._states.values()) {
      if (!state.over && state.whole !== null && isLive(state.whole)) {
        void this._inTurn(state, () => this._live(state, leaving)).catch(() =>
          this._beat(state)
        );
      }
    }
  }

  /**
   * Send a sign of life for a notification, unless it was revoked meanwhile.
   */
  private async _live(state: Private.IState, leaving = false): Promise<void> {
    if (!state.over && state.whole !== null && isLive(state.whole)) {
      await this._put(state, state.whole, leaving);
    }
  }

  /**
   * Schedule the next sign of life for a notification.
   */
  private _beat(state: Private.IState): void {
    window.clearTimeout(state.timer);
    state.timer = undefined;
    if (!state.over && isLive(state.whole) && !document.hidden) {
      state.timer = window.setTimeout(
        // If it does not get through, the next one may.
        () =>
          this._inTurn(state, () => this._live(state)).catch(() =>
            this._beat(state)
          ),
        (state.whole.heartbeat * 1000) / BEATS
      );
    }
  }

  /**
   * Remember a message that the server has stored, and go on sending signs of life.
   */
  private _accepted(
    state: Private.IState,
    id: string,
    whole: Private.Whole
  ): void {
    state.id = id;
    state.whole = whole;
    this._beat(state);
  }

  /**
   * Send no further sign of life, not even one that waits for its turn: it would bring back a
   * notification that was revoked.
   */
  private _end(state: Private.IState): void {
    state.over = true;
    window.clearTimeout(state.timer);
    state.timer = undefined;
  }

  /**
   * Send the requests of one notification one after the other: a bar must not move backwards.
   */
  private _inTurn(
    state: Private.IState,
    step: () => Promise<void>
  ): Promise<void> {
    const result = state.last.then(step);
    state.last = result.catch(() => undefined);
    return result;
  }

  private _request<T>(
    path: string,
    init: { method: string; body?: object; keepalive?: boolean }
  ): Promise<T> {
    const { serverSettings, trans } = this._options;
    return request<T>(path, init, serverSettings, trans);
  }

  private readonly _options: NotificationSender.IOptions;
  private readonly _states = new Map<string, Private.IState>();
}

/**
 * The namespace of {@link NotificationSender}'s options.
 */
export namespace NotificationSender {
  /**
   * The options of a sender.
   */
  export interface IOptions {
    /** The model that is observed. */
    model: INotificationModel;
    /** The server that messages go to. */
    serverSettings: ServerConnection.ISettings;
    /** The language of its error messages. */
    trans: TranslationBundle;
  }
}

function isLive(
  whole: Private.Whole | null
): whole is Private.Whole & { heartbeat: number } {
  return whole?.type === 'in-progress' && !!whole.heartbeat;
}

namespace Private {
  /**
   * A message with the names under which it can be replaced.
   */
  export type Whole = IngestMessage & { key: string; source: string };

  /**
   * The state of one notification that was sent from here, and its last request.
   */
  export interface IState {
    /** The present id of the notification. */
    id: string;
    /** The message as the server accepted it; null if it was sent before this page was loaded. */
    whole: Whole | null;
    last: Promise<void>;
    /** The timer of the next sign of life. */
    timer: number | undefined;
    /** True once the notification was revoked, by anybody, or has expired. */
    over: boolean;
  }
}
