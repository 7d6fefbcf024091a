/**
 * The sender as other extensions get it: its code is loaded when the first message is sent.
 */
import type { IDisposable } from '@lumino/disposable';

import type { INotifications, Notifications } from '../tokens';
import type { IngestMessage, Notification } from '../wire';
import { observe } from './observe';
import type { NotificationSender } from './sender';

/**
 * Sends notifications to this tab's server.
 */
export class LazySender implements INotifications {
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
    options?: Notifications.IOptions
  ): Promise<Notifications.ISent> {
    return (await this._load()).emit(message, options);
  }

  /**
   * Replace a notification.
   */
  async update(
    sent: Notifications.ISent,
    changes: Partial<IngestMessage>
  ): Promise<void> {
    return (await this._load()).update(sent, changes);
  }

  /**
   * Revoke a notification.
   */
  async revoke(sent: Notifications.ISent): Promise<void> {
    return (await this._load()).revoke(sent);
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

  /** Load the code once; its callers go on in the order in which they asked. */
  private _load(): Promise<NotificationSender> {
    this._sender ??= import('./sender').then(
      ({ NotificationSender }) => new NotificationSender(this._options),
      reason => {
        this._sender = undefined;
        console.error('What sends notifications could not be loaded.', reason);
        throw new Error(
          this._options.trans.__(
            'The server cannot be reached. Try again in a moment.'
          )
        );
      }
    );
    return this._sender;
  }

  private readonly _options: NotificationSender.IOptions;
  private _sender: Promise<NotificationSender> | undefined;
}
