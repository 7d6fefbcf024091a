/**
 * The line that counts what is out of sight. The presenter says when there is one.
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
   * Show how many there are beside those that are in sight.
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

  /** Take it away. */
  hide(): void {
    const toast = this._toast;
    if (toast !== null) {
      // First, or its removal would be taken for the user's doing.
      this.removed();
      this._options.relay.retract(toast);
    }
  }

  /** JupyterLab has taken it away. */
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
