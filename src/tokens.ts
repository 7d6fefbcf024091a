/**
 * The tokens and interfaces that the plugins of this package share with each other and with other
 * extensions.
 */
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type {
  Changed,
  Counts,
  IngestMessage,
  Notification,
  NotificationDetail,
  Page,
  Quiet,
  QuietChange,
  StateChange,
  Welcome
} from './wire';

/**
 * The namespace of the interfaces of {@link INotificationModel}.
 */
export namespace NotificationModel {
  /**
   * The conditions that the rows of a list meet; every part that is given must hold.
   */
  export interface IQuery {
    /** The inbox, its unread rows, the rows marked as done (`dismissed`), or the snoozed ones. */
    view: 'inbox' | 'unread' | 'dismissed' | 'snoozed';
    /** The types to include; all if not given. */
    types?: Notification['type'][];
    /** A sender, by a part of its name. */
    source?: string;
    /** Words in the message, the body or the source. */
    text?: string;
  }

  /**
   * A change that came in over the stream.
   */
  export interface IChange {
    /**
     * `snapshot`: these rows replace everything that was known.
     * `changes`: the present state of rows that changed.
     */
    type: 'snapshot' | 'changes';
    /** The rows, tombstones (`revoked`, `expired`) among them. */
    notifications: readonly Notification[];
    /**
     * Ids of the rows that a presenter may announce: they ask for attention, and have not been
     * announced in this browser.
     */
    announced: readonly string[];
    /** True for a snapshot of another store: nothing known before is in it. */
    newStore?: boolean;
  }

  /**
   * The rows that a change of state is for: some ids, the whole inbox, or, to undo an earlier
   * change, the rows that it touched, as of the cursor in its answer.
   */
  export type Selection =
    | { ids: string[] }
    | { all: true }
    | { seqs: [number, number]; upTo?: string };

  /**
   * The user's answer to welcome messages: some were seen or accepted; some, or all, are not to be
   * shown again; or all are to be shown again as if they were new.
   */
  export type WelcomeAnswer =
    | { seen: string[] }
    | { accept: string[] }
    | { dismiss: string[] | 'all' }
    | 'reset';

  /**
   * A request to open the center.
   */
  export interface IOpening {
    /** A notification to show in full, or null for the list. */
    id: string | null;
    /** Who asks: a user, or a program, which may ask while nobody is looking. */
    by: 'user' | 'program';
  }
}

/**
 * The notifications of this user's server, as this tab knows them.
 *
 * It is the only owner of that state. Presenters read it, listen to its
 * signals and call its commands; a command's effect comes back through
 * {@link changed}, in this tab as in every other.
 */
export interface INotificationModel {
  /** The counts, as the server keeps them, of the whole history. */
  readonly counts: Readonly<Counts>;
  /** True while the stream is open. */
  readonly connected: boolean;
  /** False while the server keeps messages in memory only. */
  readonly durable: boolean;
  /** The server's time, in ms; ages are computed from it, not from this browser's clock. */
  now(): number;
  /**
   * The do-not-disturb state and muted sources, on all servers of the user; null if the user never
   * changed any.
   */
  readonly quiet: Readonly<Quiet> | null;
  /** Resolves at the first snapshot. */
  readonly ready: Promise<void>;
  /** Rows changed. */
  readonly changed: ISignal<INotificationModel, NotificationModel.IChange>;
  /** Counts, `connected` or `durable` changed. */
  readonly stateChanged: ISignal<INotificationModel, void>;
  /** Somebody asked to show a notification in full, or the list. */
  readonly openRequested: ISignal<
    INotificationModel,
    NotificationModel.IOpening
  >;
  /** Welcome messages changed, or the user answered some, here or in another tab. */
  readonly welcomeChanged: ISignal<INotificationModel, void>;
  /**
   * The rows of the inbox that this tab holds (the newest, and the pinned ones), highest position
   * first.
   */
  readonly notifications: readonly Notification[];
  /** A row that this tab holds. */
  get(id: string): Notification | undefined;
  /** A page of the list, from the server; at most `limit` (default 50) rows below `before`. */
  page(
    query: NotificationModel.IQuery,
    before?: number,
    limit?: number
  ): Promise<Page>;
  /** Fetch one notification whole from the server; rejects if it is gone. */
  detail(id: string): Promise<NotificationDetail>;
  /** Mark read or unread, close, mark as done (`dismissed`) or bring back. Rejects with a sentence to show. */
  change(
    selection: NotificationModel.Selection,
    state: StateChange
  ): Promise<Changed>;
  /** Change the do-not-disturb state or the muted sources. Rejects with a sentence to show. */
  changeQuiet(change: QuietChange): Promise<Quiet>;
  /** Answer a notification that asks for it. Rejects with a sentence to show. */
  reply(id: string, answer: string): Promise<Changed>;
  /** Fetch every welcome message from the server, also those that are not due. */
  welcome(): Promise<Welcome>;
  /** Say what the user did with welcome messages. Rejects with a sentence to show. */
  answerWelcome(answer: NotificationModel.WelcomeAnswer): Promise<void>;
  /**
   * Ask the center to open, at one notification or at the list. If a user asks (the default), the
   * notification is marked as read and gets the keyboard focus. If a program asks, it is only
   * shown, and only in a visible tab whose center is closed.
   */
  open(id: string | null, by?: NotificationModel.IOpening['by']): void;
}

/**
 * The token of the model, for other extensions too.
 */
export const INotificationModel = new Token<INotificationModel>(
  'jupyterlab_notify:INotificationModel',
  'The notifications that this Jupyter server received, and what the user did with them.'
);

/**
 * Runs the buttons of a notification the way the site allows it.
 */
export interface INotificationActions {
  /**
   * Run a button: a link opens in a new tab (http, https, mailto only); a command on the
   * site's list runs, any other asks first; a button with neither closes the message.
   */
  run(notification: Notification, index: number): Promise<void>;
}

/**
 * The token of the object that runs the buttons.
 */
export const INotificationActions = new Token<INotificationActions>(
  'jupyterlab_notify:INotificationActions',
  'Runs the action buttons of notifications.'
);

/**
 * The namespace of the interfaces of {@link INotifications}.
 */
export namespace Notifications {
  /**
   * The parts of a message besides its text: type, longer text, buttons, progress, expiry, …
   */
  export type IOptions = Omit<IngestMessage, 'message'>;

  /**
   * The handle of a notification that was sent from here, to update or revoke it.
   */
  export interface ISent {
    /** The notification's id, as in {@link INotificationModel}. */
    readonly id: string;
    /** The key it was sent under; made up if none was given. */
    readonly key: string;
    /** The name of the sender. */
    readonly source: string;
  }

  /**
   * The conditions for the notifications to observe; every part that is given must hold.
   */
  export interface IFilter {
    /** The id of one notification. */
    id?: string;
    /** The sender's key. */
    key?: string;
    /** The name of the sender. */
    source?: string;
  }
}

/**
 * Sends notifications, for other extensions.
 *
 * A notification goes to the user's server first: it appears in every open tab and in the history,
 * and survives a reload. For a hint that only this tab needs, use JupyterLab's own `Notification`.
 */
export interface INotifications {
  /**
   * Send a message; resolves once it is stored. The returned handle may be kept, also over a
   * reload, to update or revoke the notification. A message with a `heartbeat` is renewed by this
   * page while the page is open; once the page is gone, the message says when it stopped
   * reporting. Browsers let a hidden tab act only once a minute, so a `heartbeat` should be 180
   * seconds or more.
   *
   * @throws An error whose message is a sentence to show: what is wrong, and in which field.
   */
  emit(
    message: string,
    options?: Notifications.IOptions
  ): Promise<Notifications.ISent>;
  /**
   * Change a notification in place; a field that is not given keeps the value that the server last
   * accepted. Updates arrive in the order in which they were asked for.
   */
  update(
    sent: Notifications.ISent,
    changes: Partial<IngestMessage>
  ): Promise<void>;
  /** Take a notification back: it disappears from every tab. */
  revoke(sent: Notifications.ISent): Promise<void>;
  /**
   * Observe each notification that arrives or changes, and, after a reload or a long absence, the
   * present state of those that this tab holds. A notification that was revoked or has expired
   * comes with `revoked` or `expired`, and without its text and key; an observer that filters by
   * that key is called all the same.
   */
  observe(
    observer: (notification: Notification) => void,
    filter?: Notifications.IFilter
  ): IDisposable;
}

/**
 * The token of the object that sends, for other extensions.
 */
export const INotifications = new Token<INotifications>(
  'jupyterlab_notify:INotifications',
  'Sends notifications to the user, and tells what becomes of them.'
);
