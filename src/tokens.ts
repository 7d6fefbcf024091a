/**
 * What the plugins of this package, and other extensions, share: the tokens
 * and the interfaces behind them.
 */
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type {
  Changed,
  Counts,
  Notification,
  NotificationDetail,
  Page,
  StateChange
} from './wire';

/**
 * The namespace of the interfaces of {@link INotificationModel}.
 */
export namespace NotificationModel {
  /**
   * What the rows of a list have in common; every part that is given must hold.
   */
  export interface IQuery {
    /** The inbox (not dismissed), what of it is unread, or what was dismissed. */
    view: 'inbox' | 'unread' | 'dismissed';
    /** One of these types; none given: any. */
    types?: Notification['type'][];
    /** A sender, by a part of its name. */
    source?: string;
    /** Words that stand in the message, the body or the source. */
    text?: string;
  }

  /**
   * What came in over the stream.
   */
  export interface IChange {
    /**
     * `snapshot`: what was known is out of date and replaced by these rows.
     * `changes`: the present state of rows that changed.
     */
    type: 'snapshot' | 'changes';
    /** The rows, tombstones (`revoked`, `expired`) among them. */
    notifications: readonly Notification[];
    /**
     * Ids of rows that ask for attention and that this person has not been
     * shown in this browser: what a presenter may announce.
     */
    announced: readonly string[];
  }

  /**
   * The rows a change of state is for: ids, all of the inbox, or what an
   * earlier change touched (to undo it).
   */
  export type Selection =
    { ids: string[] } | { all: true } | { seqs: [number, number] };
}

/**
 * The notifications of this person's server, as this tab knows them.
 *
 * It is the only owner of that state. Presenters read it, listen to its
 * signals and call its commands; a command's effect comes back through
 * {@link changed}, in this tab as in every other.
 */
export interface INotificationModel {
  /** How many there are; kept by the server, whole history. */
  readonly counts: Readonly<Counts>;
  /** Whether the stream is open. */
  readonly connected: boolean;
  /** False while the server keeps messages in memory only. */
  readonly durable: boolean;
  /** Resolves at the first snapshot. */
  readonly ready: Promise<void>;
  /** Rows changed. */
  readonly changed: ISignal<INotificationModel, NotificationModel.IChange>;
  /** Counts, `connected` or `durable` changed. */
  readonly stateChanged: ISignal<INotificationModel, void>;
  /** Somebody asks that a notification be shown in full: its id, or null for the list. */
  readonly openRequested: ISignal<INotificationModel, string | null>;
  /** What this tab holds of the inbox (the newest, and the pinned ones), highest position first. */
  readonly notifications: readonly Notification[];
  /** A row that this tab holds. */
  get(id: string): Notification | undefined;
  /** A page of the list, from the server; at most `limit` (default 50) rows below `before`. */
  page(
    query: NotificationModel.IQuery,
    before?: number,
    limit?: number
  ): Promise<Page>;
  /** One notification whole, from the server; rejects when it is gone. */
  detail(id: string): Promise<NotificationDetail>;
  /** Mark read or unread, dismiss or bring back. Rejects with a sentence to show. */
  change(
    selection: NotificationModel.Selection,
    state: StateChange
  ): Promise<Changed>;
  /** Ask the center to open, at one notification or at the list. */
  open(id: string | null): void;
}

/**
 * The token of the model, for other extensions too.
 */
export const INotificationModel = new Token<INotificationModel>(
  'jupyterlab_notify:INotificationModel',
  'The notifications that this Jupyter server received, and what the person did with them.'
);

/**
 * Runs the buttons of a notification the way the site allows it.
 */
export interface INotificationActions {
  /**
   * Run a button: a link opens in a new tab (http, https, mailto only); a command on the
   * site's list runs, any other asks first; a button with neither dismisses.
   */
  run(notification: Notification, index: number): Promise<void>;
}

/**
 * The token of what runs the buttons.
 */
export const INotificationActions = new Token<INotificationActions>(
  'jupyterlab_notify:INotificationActions',
  'Runs the action buttons of notifications.'
);
