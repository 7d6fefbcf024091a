/**
 * The toast that counts the notifications out of sight. The presenter says when there is one.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { markToast } from '../ownToasts';
import type { ToastRelay } from './relay';

/**
 * The toast that sums up.
 */
export class SummaryToast {
  constructor(options: SummaryToast.IOptions) {
    this._options = options;
  }

  /** JupyterLab's id of it, while it shows. */
  get toast(): string | null {
    return this._toast;
  }

  /**
   * Show the number of notifications besides those in sight.
   */
  show(count: number, inSight: number): void {
    const { open, relay, trans } = this._options;
    const message =
      inSight > 0
        ? trans._n('and %1 more', 'and %1 more', count)
        : trans._n('%1 unread notification', '%1 unread notifications', count);
    if (message === this._text) {
      return;
    }
    this._text = message;
    if (this._toast !== null) {
      relay.update({ id: this._toast, message });
      return;
    }
    const opens = this._options.opens();
    const action = {
      label: trans.__('Open notifications'),
      displayType: 'accent' as const,
      callback: open
    };
    this._toast = relay.notify(
      message,
      'default',
      {
        autoClose: false,
        actions: opens ? [action] : [],
        data: markToast('')
      },
      {
        kind: 'summary',
        close: trans.__('Close'),
        meta: '',
        progress: null,
        role: 'status',
        live: true,
        folds: null,
        opens
      }
    );
  }

  /** Remove the toast. */
  hide(): void {
    const toast = this._toast;
    if (toast !== null) {
      // Forget it first, or its removal would count as the user's doing.
      this.removed();
      this._options.relay.retract(toast);
    }
  }

  /** Note that JupyterLab has removed the toast. */
  removed(): void {
    this._toast = null;
    this._text = '';
  }

  private readonly _options: SummaryToast.IOptions;
  private _text = '';
  private _toast: string | null = null;
}

/**
 * The namespace of {@link SummaryToast}'s options.
 */
export namespace SummaryToast {
  /**
   * The options of a summary.
   */
  export interface IOptions {
    relay: ToastRelay;
    trans: TranslationBundle;
    /** Tells whether there is a list that can be opened. */
    opens: () => boolean;
    /** Open the list. */
    open: () => void;
  }
}
