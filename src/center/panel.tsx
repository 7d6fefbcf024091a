/**
 * The side panel of the center, which loads the center when it is first shown.
 */
import { bellIcon, ReactWidget } from '@jupyterlab/ui-components';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { SplitPanel } from '@lumino/widgets';
import * as React from 'react';

import type { ICenterHost, ICenterProps } from '../components/context';
import {
  firstWidth,
  type ISide,
  knownWidth,
  partOf,
  rememberWidth,
  setPart
} from './panelWidth';

/**
 * The side panel of the center: empty until it is first shown.
 */
export class CenterPanel extends ReactWidget implements ICenterHost {
  /**
   * Make a panel.
   */
  constructor(options: CenterPanel.IOptions) {
    super();
    this._options = options;
    this.id = 'jp-notify-center';
    this.addClass('jp-NotifyCenter');
    this.addClass('jp-NotifySurface');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', options.trans.__('Notifications'));
    this.title.icon = bellIcon;
    this.title.className = 'jp-NotifyCenter-tab';
    this.title.caption = options.trans.__('Notifications');
  }

  /** The commands that the panel's menu runs. */
  get commands(): CommandRegistry {
    return this._options.commands;
  }

  /** The application's shell. */
  get shell(): JupyterFrontEnd.IShell {
    return this._options.shell;
  }

  /** True if a user can see the panel. */
  get visible(): boolean {
    return this.isVisible;
  }

  /** True if the panel is open, also while JupyterLab hides its whole shell to change the theme. */
  get isOpen(): boolean {
    return this.isAttached && !this.node.closest('.lm-mod-hidden:not(#main)');
  }

  /** The side area that holds the panel, if one does. */
  get side(): ISide | null {
    let side = this.parent;
    while (side?.parent && !(side.parent instanceof SplitPanel)) {
      side = side.parent;
    }
    const split = side?.parent;
    return side && split instanceof SplitPanel
      ? { split, own: split.widgets.indexOf(side) }
      : null;
  }

  /** Emitted when the panel was shown or hidden. */
  get visibleChanged(): ISignal<this, boolean> {
    return this._visibleChanged;
  }

  /** Emitted when the panel should take the focus, or show a notification. */
  get requested(): ISignal<this, void> {
    return this._requested;
  }

  /**
   * Ask the center for something, now or as soon as it is loaded.
   */
  request(request: ICenterHost.IRequest): void {
    this._request = request;
    this._requested.emit();
  }

  /**
   * Make room for sentences the first time that this page opens the panel: JupyterLab's default
   * width is meant for lists of names, and JupyterLab forgets the user's width if it saves its
   * layout while the side is closed.
   */
  widen(): void {
    const { side } = this;
    if (!side || this._widened) {
      return;
    }
    this._widened = true;
    const known = knownWidth();
    const given = partOf(side);
    // A side that was open has the width that the user gave it.
    if (known !== null && given > 0) {
      return;
    }
    const wanted = known ?? firstWidth(side);
    if (given < wanted) {
      setPart(side, wanted);
    }
    rememberWidth(side);
  }

  /**
   * Take the pending request; it is given out once.
   */
  takeRequest(): ICenterHost.IRequest | undefined {
    const request = this._request;
    this._request = undefined;
    return request;
  }

  /**
   * Draw the content; there is none before the panel was first in sight.
   */
  protected render(): JSX.Element | null {
    const { trans } = this._options;
    if (this._center) {
      return <this._center {...this._options} host={this} />;
    }
    if (!this._failed) {
      return null;
    }
    return (
      <div className="jp-NotifyEmpty" role="alert">
        <p>{trans.__('The notification center could not be loaded.')}</p>
        <button
          type="button"
          className="jp-mod-styled jp-mod-accept"
          onClick={() => void this._load()}
        >
          {trans.__('Retry')}
        </button>
      </div>
    );
  }

  /** Return the keyboard focus to the part of the page that the user worked in. */
  leave(): void {
    this._options.leave();
  }

  /** Hide the panel instead of destroying it, when its tab or its button asks to close it. */
  protected onCloseRequest(msg: Message): void {
    this._options.hide();
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._onVisible();
  }

  protected onBeforeHide(msg: Message): void {
    super.onBeforeHide(msg);
    const { side } = this;
    if (side) {
      rememberWidth(side);
    }
  }

  protected onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._visibleChanged.emit(false);
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._onVisible();
    }
  }

  private _onVisible(): void {
    void this._load();
    this._visibleChanged.emit(true);
  }

  private async _load(): Promise<void> {
    if (this._center || this._loading) {
      return;
    }
    this._loading = true;
    try {
      this._center = (await import('./view')).Center;
    } catch (reason) {
      console.error('The notification center could not be loaded.', reason);
      this._failed = true;
    }
    this._loading = false;
    this.update();
  }

  private readonly _options: CenterPanel.IOptions;
  private readonly _requested = new Signal<this, void>(this);
  private readonly _visibleChanged = new Signal<this, boolean>(this);
  private _center: React.ComponentType<ICenterProps> | null = null;
  private _failed = false;
  private _loading = false;
  private _request: ICenterHost.IRequest | undefined;
  private _widened = false;
}

/**
 * The namespace of {@link CenterPanel}'s options.
 */
export namespace CenterPanel {
  /**
   * The options of a panel.
   */
  export interface IOptions extends Omit<ICenterProps, 'host'> {
    /** Hide the panel. */
    hide: () => void;
    /** Return the keyboard focus to the part of the page that the user worked in. */
    leave: () => void;
    /** The commands that the menu runs. */
    commands: CommandRegistry;
    /** The application's shell, in which they open things. */
    shell: JupyterFrontEnd.IShell;
  }
}
