/**
 * Sends notifications through the server's ingest: what is behind {@link INotifications}.
 */
import type { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { request } from '../request';
import type {
  INotificationModel,
  INotifications,
  NotificationModel,
  Notifications
} from '../tokens';
import type { IngestMessage, Notification, Receipt } from '../wire';

/**
 * Who says it, if the caller names nobody.
 */
const SOURCE = 'JupyterLab';

/**
 * Sends notifications to this tab's server.
 */
export class NotificationSender implements INotifications {
  /**
   * Make a sender.
   */
  constructor(options: NotificationSender.IOptions) {
    this._options = options;
  }

  /**
   * Send a message; resolves once it is stored.
   */
  async emit(
    message: string,
    options: Notifications.IOptions = {}
  ): Promise<Notifications.ISent> {
    const whole: IngestMessage = {
      ...options,
      message,
      // An update and a revocation have to name both.
      source: options.source ?? SOURCE,
      key: options.key ?? UUID.uuid4()
    };
    const receipt = await this._request<Receipt>('ingest', {
      method: 'POST',
      body: whole
    });
    const sent = { id: receipt.notification_id, key: whole.key! };
    this._sent.set(sent, { whole, last: Promise.resolve() });
    return sent;
  }

  /**
   * Say something else in its place.
   */
  update(
    sent: Notifications.ISent,
    changes: Partial<IngestMessage>
  ): Promise<void> {
    const state = this._state(sent);
    const { key, source } = state.whole;
    state.whole = { ...state.whole, ...changes, key, source };
    const body = state.whole;
    return this._inTurn(state, `ingest/${encodeURIComponent(sent.key)}`, {
      method: 'PUT',
      body
    });
  }

  /**
   * Take a notification back.
   */
  revoke(sent: Notifications.ISent): Promise<void> {
    const state = this._state(sent);
    const source = encodeURIComponent(state.whole.source!);
    return this._inTurn(
      state,
      `ingest/${encodeURIComponent(sent.key)}?source=${source}`,
      { method: 'DELETE' }
    );
  }

  /**
   * Be told of notifications that come in or change.
   */
  observe(
    observer: (notification: Notification) => void,
    filter: Notifications.IFilter = {}
  ): IDisposable {
    const { model } = this._options;
    const onChanged = (
      _: INotificationModel,
      change: NotificationModel.IChange
    ) => {
      for (const row of change.notifications) {
        if (
          (filter.id === undefined || filter.id === row.id) &&
          (filter.key === undefined || filter.key === row.key) &&
          (filter.source === undefined || filter.source === row.source)
        ) {
          observer(row);
        }
      }
    };
    model.changed.connect(onChanged);
    return new DisposableDelegate(() => {
      model.changed.disconnect(onChanged);
    });
  }

  /**
   * Send what belongs to one notification one after the other: a bar must not move backwards.
   */
  private _inTurn(
    state: Private.IState,
    path: string,
    init: { method: string; body?: object }
  ): Promise<void> {
    const result = state.last.then(async () => {
      await this._request<Receipt>(path, init);
    });
    state.last = result.catch(() => undefined);
    return result;
  }

  private _state(sent: Notifications.ISent): Private.IState {
    const state = this._sent.get(sent);
    if (!state) {
      throw new Error('Only what emit() returned can be updated or revoked.');
    }
    return state;
  }

  private _request<T>(
    path: string,
    init: { method: string; body?: object }
  ): Promise<T> {
    const { serverSettings, trans } = this._options;
    return request<T>(path, init, serverSettings, trans);
  }

  private readonly _options: NotificationSender.IOptions;
  private readonly _sent = new WeakMap<Notifications.ISent, Private.IState>();
}

/**
 * The namespace of {@link NotificationSender}'s options.
 */
export namespace NotificationSender {
  /**
   * What it needs to send.
   */
  export interface IOptions {
    /** What is observed. */
    model: INotificationModel;
    /** Where messages go. */
    serverSettings: ServerConnection.ISettings;
    /** The language of its error messages. */
    trans: TranslationBundle;
  }
}

namespace Private {
  /**
   * What was last said under a key, and the request that says it.
   */
  export interface IState {
    whole: IngestMessage;
    last: Promise<void>;
  }
}
