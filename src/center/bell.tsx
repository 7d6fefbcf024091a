/**
 * The bell, which every page loads at its start.
 */
import { bellIcon, ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ICenterProps } from '../components/context';
import { countText } from './badge';

/** Time in ms after which the bell follows a change: a toast matters more, and is drawn first. */
const BELL_LAG_MS = 50;

/**
 * The bell in the top bar, with the number of unread notifications.
 */
export class NotificationBell extends ReactWidget {
  /**
   * Make a bell.
   */
  constructor(options: NotificationBell.IOptions) {
    super();
    this._options = options;
    this.id = 'jp-notify-bell';
    this.addClass('jp-NotifyBell');
    options.model.stateChanged.connect(this._onStateChanged, this);
  }

  /** True while nothing rings (JupyterLab's do-not-disturb). */
  get silent(): boolean {
    return this._silent;
  }
  set silent(silent: boolean) {
    this._silent = silent;
    this.update();
  }

  /**
   * Give the keyboard focus to the bell.
   */
  focus(): void {
    this.node.querySelector('button')?.focus();
  }

  /**
   * Stop following the model.
   */
  dispose(): void {
    this._options.model.stateChanged.disconnect(this._onStateChanged, this);
    window.clearTimeout(this._timer);
    super.dispose();
  }

  /**
   * The button.
   */
  protected render(): JSX.Element {
    const { isOpen, model, toggle, trans } = this._options;
    const count = model.counts.unread;
    const label = this._silent
      ? count
        ? trans._n(
            'Notifications, %1 unread, do not disturb',
            'Notifications, %1 unread, do not disturb',
            count
          )
        : trans.__('Notifications, do not disturb')
      : count
        ? trans._n(
            'Notifications, %1 unread',
            'Notifications, %1 unread',
            count
          )
        : trans.__('Notifications');
    return (
      <button
        type="button"
        className={`jp-NotifyBell-button ${this._silent ? 'jp-mod-silent' : ''}`}
        aria-label={label}
        aria-pressed={isOpen()}
        title={label}
        onClick={toggle}
      >
        <bellIcon.react tag="span" className="jp-NotifyBell-icon" />
        {count > 0 && (
          <span className="jp-NotifyBell-badge" aria-hidden="true">
            {countText(count)}
          </span>
        )}
      </button>
    );
  }

  private _onStateChanged(): void {
    this._timer ??= window.setTimeout(() => {
      this._timer = undefined;
      this.update();
    }, BELL_LAG_MS);
  }

  private readonly _options: NotificationBell.IOptions;
  private _silent = false;
  private _timer: number | undefined;
}

/**
 * The namespace of {@link NotificationBell}'s options.
 */
export namespace NotificationBell {
  /**
   * The options of a bell.
   */
  export interface IOptions extends Pick<ICenterProps, 'model' | 'trans'> {
    /** Tells if the center is in sight. */
    isOpen: () => boolean;
    /** Show or hide the center. */
    toggle: () => void;
  }
}
