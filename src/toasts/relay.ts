/**
 * Hands toasts to JupyterLab's manager, and repeats updates that came too early. Used by the
 * presenter and the summary.
 */
import type {
  Notification as LabNotification,
  NotificationManager
} from '@jupyterlab/apputils';

import type { IToastDress, ToastView } from './view';

/**
 * Time in ms after a toast has appeared for which JupyterLab may still not know it, and
 * may drop its updates.
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
   * Update a toast, and repeat the update once JupyterLab knows the toast: the
   * spinner of a job that ends at once must not turn for ever.
   */
  update(update: Update): void {
    this._manager.update(update);
    if (this._unsettled.has(update.id)) {
      this._unsettled.set(update.id, update);
    }
  }

  /** Remove a toast. */
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

  /** The toasts that JupyterLab may not know yet, each with its last update. */
  private readonly _unsettled = new Map<string, Update | null>();
}
