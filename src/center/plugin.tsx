/**
 * The way to the notification center: the bell, the command, the side panel.
 *
 * This is loaded at start and is small; the center itself, in `center/`, is
 * loaded when it is first shown.
 */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
  type LabShell
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { bellIcon, ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { SplitPanel } from '@lumino/widgets';
import * as React from 'react';

import type { ICenterHost, ICenterProps } from '../components/context';
import { addCommand } from '../palette';
import { followSettings, LAB_NOTIFICATIONS } from '../settings';
import { INotificationActions, INotificationModel } from '../tokens';

namespace CommandIDs {
  export const toggleCenter = 'jupyterlab-notify:toggle-center';
}

/** Right of JupyterLab's own top bar (900), and of what others put there. */
const BELL_RANK = 2000;

/** Below all others on that side: its tab, which is not always in sight, moves none of theirs. */
const PANEL_RANK = 10_000;

/** How long the bell lets others draw first: a toast counts more than its number. */
const BELL_LAG_MS = 50;

/** The highest count that the badge shows. */
const MAX_COUNT = 99;

/** The width at which the panel first opens, if that is no more than this part of the window. */
const WIDTH_PX = 380;
const MOST = 0.36;

/** Where this browser remembers the panel's width; JupyterLab keeps widths by workspace. */
const WIDTH = 'jupyterlab_notify:center-width';

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

  /** Whether nothing rings now (JupyterLab's do-not-disturb). */
  get silent(): boolean {
    return this._silent;
  }
  set silent(silent: boolean) {
    this._silent = silent;
    this.update();
  }

  /**
   * Put the keyboard at the bell.
   */
  focus(): void {
    this.node.querySelector('button')?.focus();
  }

  /**
   * Let go of the model.
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
            {count > MAX_COUNT ? `${MAX_COUNT}+` : count}
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
  private _timer: number | undefined = undefined;
}

/**
 * The namespace of {@link NotificationBell}'s options.
 */
export namespace NotificationBell {
  /**
   * What a bell needs.
   */
  export interface IOptions extends Pick<ICenterProps, 'model' | 'trans'> {
    /** Whether the center is in sight. */
    isOpen: () => boolean;
    /** Show or hide it. */
    toggle: () => void;
  }
}

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

  /** What its menu runs. */
  get commands(): CommandRegistry {
    return this._options.commands;
  }

  /** Whether a user can see it. */
  get visible(): boolean {
    return this.isVisible;
  }

  /** Whether it stands beyond the right edge of the window. */
  get outside(): boolean {
    return this.node.getBoundingClientRect().right > window.innerWidth;
  }

  /** It was shown or hidden. */
  get visibleChanged(): ISignal<this, boolean> {
    return this._visibleChanged;
  }

  /** It should take the focus, or show a notification. */
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
   * Make room for sentences, the first time that this page opens the panel: JupyterLab's own width
   * for it is made for lists of names, and that of a user is forgotten where JupyterLab saves
   * its layout while the side is closed.
   */
  widen(): void {
    const side = this._side();
    if (!side || this._widened) {
      return;
    }
    this._widened = true;
    const { split, own } = side;
    const known = Private.knownWidth();
    const given = split.relativeSizes()[own];
    // A side that was open has the width that the user gave it.
    if (known !== null && given > 0) {
      return;
    }
    const wanted = known ?? Math.min(MOST, WIDTH_PX / split.node.clientWidth);
    if (given < wanted) {
      Private.takeWidth(side, wanted);
    }
    Private.rememberWidth(split.relativeSizes()[own]);
  }

  /**
   * Have the width that JupyterLab saved, if it came back with the least.
   *
   * @param saved - How JupyterLab's areas shared the window: sizes that are applied before the
   *   page has any are lost.
   */
  restoreWidth(saved: readonly number[]): void {
    const side = this._side();
    if (!side || !this.isVisible) {
      return;
    }
    const { split, own } = side;
    const { node } = split.widgets[own];
    const least = parseFloat(getComputedStyle(node).minWidth) || 0;
    const wanted = saved[own] * split.node.clientWidth;
    if (node.offsetWidth <= least + 1 && wanted > least + 2) {
      Private.takeWidth(side, saved[own]);
    }
  }

  /**
   * What was asked for, once.
   */
  takeRequest(): ICenterHost.IRequest | undefined {
    const request = this._request;
    this._request = undefined;
    return request;
  }

  /**
   * What is in the panel: nothing before it was first in sight.
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

  /** The tab's close, and the button's: it is put away, not destroyed. */
  protected onCloseRequest(msg: Message): void {
    this._options.hide();
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._onVisible();
  }

  protected onBeforeHide(msg: Message): void {
    super.onBeforeHide(msg);
    const side = this._side();
    if (side) {
      Private.rememberWidth(side.split.relativeSizes()[side.own]);
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

  /** Where the panel is, if it is at a side. */
  private _side(): Private.ISide | null {
    let side = this.parent;
    while (side?.parent && !(side.parent instanceof SplitPanel)) {
      side = side.parent;
    }
    const split = side?.parent;
    return side && split instanceof SplitPanel
      ? { split, own: split.widgets.indexOf(side) }
      : null;
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
   * What a panel needs.
   */
  export interface IOptions extends Omit<ICenterProps, 'host'> {
    /** Put the panel away. */
    hide: () => void;
    /** What the menu runs. */
    commands: CommandRegistry;
  }
}

/**
 * The plugin of the bell and the panel.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab_notify:center',
  description: 'Adds the bell and the notification center.',
  autoStart: true,
  requires: [INotificationModel, INotificationActions, IRenderMimeRegistry],
  optional: [ICommandPalette, ILayoutRestorer, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    actions: INotificationActions,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settingRegistry: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');
    // Both are in JupyterLab and in Notebook 7, whose shells share no token.
    const shell = app.shell as JupyterFrontEnd.IShell &
      Partial<Pick<LabShell, 'collapseLeft' | 'collapseRight' | 'restored'>>;

    const hide = () => {
      const hadFocus = panel.node.contains(document.activeElement);
      // The user may have moved the panel to the other side.
      if ([...shell.widgets('left')].includes(panel)) {
        shell.collapseLeft?.();
      } else {
        shell.collapseRight?.();
      }
      if (hadFocus) {
        bell.focus();
      }
    };
    const show = (request: ICenterHost.IRequest) => {
      shell.activateById(panel.id);
      panel.widen();
      panel.request(request);
      requestAnimationFrame(() => {
        // A window that is too narrow for both sides would push it out, and the bell too.
        if (panel.outside) {
          shell.collapseLeft?.();
        }
      });
    };
    const panel = new CenterPanel({
      model,
      actions,
      rendermime,
      trans,
      language: translator?.languageCode,
      hide,
      commands
    });
    const bell = new NotificationBell({
      model,
      trans,
      isOpen: () => panel.isVisible,
      toggle: () => void commands.execute(CommandIDs.toggleCenter)
    });
    if (settingRegistry) {
      followSettings(settingRegistry, LAB_NOTIFICATIONS, values => {
        bell.silent = values.doNotDisturbMode === true;
      }).catch(() => undefined); // The toasts say it.
    }
    panel.visibleChanged.connect(() => {
      bell.update();
      commands.notifyCommandChanged(CommandIDs.toggleCenter);
    });

    addCommand(app, palette, trans, CommandIDs.toggleCenter, {
      label: trans.__('Notifications'),
      caption: trans.__('Show or hide the notification center'),
      isToggleable: true,
      isToggled: () => panel.isVisible,
      execute: () => {
        if (panel.isVisible) {
          hide();
        } else {
          show({ id: null, focus: true, read: true });
        }
      }
    });

    model.openRequested.connect((_, { id, by }) => {
      if (by === 'program') {
        // Where nobody looks, or somebody reads another message, it only adds to the count.
        if (document.visibilityState === 'visible' && !panel.isVisible) {
          show({ id, focus: false, read: false });
        }
        return;
      }
      // Nobody is torn from a sentence.
      const active = document.activeElement as HTMLElement | null;
      const typing =
        active?.isContentEditable || active?.matches('input, textarea');
      show({ id, focus: !typing || panel.node.contains(active), read: true });
    });

    shell.add(panel, 'right', { rank: PANEL_RANK, type: 'Notifications' });
    shell.add(bell, 'top', { rank: BELL_RANK });
    restorer?.add(panel, 'jupyterlab-notify-center');
    void shell.restored?.then(layout => {
      const saved = layout?.relativeSizes;
      if (saved) {
        requestAnimationFrame(() => panel.restoreWidth(saved));
      }
    });
  }
};

export default plugin;

namespace Private {
  /**
   * What shares the width of the window, and which part of it holds the panel.
   */
  export interface ISide {
    split: SplitPanel;
    own: number;
  }

  /**
   * Give the panel a part of the window, at the cost of what has most of it.
   */
  export function takeWidth({ split, own }: ISide, part: number): void {
    const sizes = split.relativeSizes();
    const main = sizes.indexOf(Math.max(...sizes));
    if (own !== main) {
      sizes[main] -= part - sizes[own];
      sizes[own] = part;
      split.setRelativeSizes(sizes);
    }
  }

  /**
   * The part of the window that the panel had last; null if it was never open.
   */
  export function knownWidth(): number | null {
    try {
      const part = Number(localStorage.getItem(key()));
      return part > 0 && part < 1 ? part : null;
    } catch {
      return null;
    }
  }

  /**
   * Remember that part.
   */
  export function rememberWidth(part: number): void {
    try {
      if (part > 0) {
        localStorage.setItem(key(), part.toFixed(4));
      }
    } catch {
      // Without storage it opens as it does for the first time.
    }
  }

  function key(): string {
    return `${WIDTH}:${PageConfig.getOption('workspace') || 'default'}`;
  }
}
