/**
 * Hands toasts to JupyterLab's manager, and hands over again what it was told too early. The
 * presenter and the summary ask for it.
 */
import type {
  Notification as LabNotification,
  NotificationManager
} from '@jupyterlab/apputils';

import type { IToastDress, ToastView } from './view';

/**
 * The time after a toast appeared in which JupyterLab may still take it for one that
 * is not there, and then drop what it is told of it.
 */
const SETTLE_MS = 100;

/** A change of a toast that is there, as JupyterLab takes it. */
type Update = Parameters<NotificationManager['update']>[0];

/**
 * Emits, changes and retracts toasts.
 */
export class ToastRelay {
  constructor(
    private readonly _manager: NotificationManager,
    private readonly _view: ToastView
  ) {}

  /** Emit a toast; returns JupyterLab's id of it. */
  notify(
    message: string,
    type: LabNotification.TypeOptions,
    options: Parameters<NotificationManager['notify']>[2],
    dress: IToastDress
  ): string {
    const toast = this._manager.notify(message, type, options);
    this._unsettled.set(toast, null);
    this._view.expect(toast, dress);
    return toast;
  }

  /**
   * Show something else in a toast, and again as soon as JupyterLab has it: a
   * job that is over at once must not turn for ever.
   */
  update(update: Update): void {
    this._manager.update(update);
    if (this._unsettled.has(update.id)) {
      this._unsettled.set(update.id, update);
    }
  }

  /** Take a toast away. */
  retract(toast: string): void {
    this._unsettled.delete(toast);
    this._manager.dismiss(toast);
    this._view.close(toast);
  }

  /** A toast is gone from the manager. */
  removed(toast: string): void {
    this._unsettled.delete(toast);
  }

  /** A toast is on the page. */
  appeared(toast: string): void {
    window.setTimeout(() => {
      const update = this._unsettled.get(toast);
      this._unsettled.delete(toast);
      if (update) {
        this._manager.update(update);
      }
    }, SETTLE_MS);
  }

  /** The toasts that JupyterLab may not know yet, and what they were to show since. */
  private readonly _unsettled = new Map<string, Update | null>();
}
