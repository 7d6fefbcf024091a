/**
 * Turns desktop notifications on and off: follows the settings, and loads the presenter while they
 * are on.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';

import { LAB_NOTIFICATIONS } from '../settings';
import type { INotificationModel } from '../tokens';
import { askPermission, obstacle, permission } from './permission';
import type { DesktopPresenter } from './presenter';
import { SharedSettings } from './sharedSettings';

/**
 * The setting that turns them on.
 */
export const SETTING = 'desktopNotifications';

/**
 * What the switch is made from.
 */
export interface ISwitchOptions {
  /** The id of the plugin, and of its settings. */
  id: string;
  model: INotificationModel;
  registry: ISettingRegistry;
  /** The base URL of the server, since tabs of different servers share a browser. */
  server: string;
  trans: TranslationBundle;
  /** Called when the state may have changed. */
  changed(): void;
}

/**
 * The switch of one tab.
 */
export class DesktopSwitch {
  constructor(private readonly _options: ISwitchOptions) {}

  /**
   * Whether they are on, and this browser shows them.
   */
  get isOn(): boolean {
    return this._on && permission() === 'granted';
  }

  /**
   * Follow the settings, and load the presenter once `ready` is resolved.
   */
  async start(ready: Promise<unknown>): Promise<void> {
    const { id, registry, server } = this._options;
    const shared = new SharedSettings(
      registry,
      [id, LAB_NOTIFICATIONS],
      `${id}:${server}`
    );
    const update = () => this._update();
    const results = await Promise.allSettled([
      shared.follow(id, SETTING, value => (this._on = value), update),
      shared.follow(
        LAB_NOTIFICATIONS,
        'doNotDisturbMode',
        value => (this._silent = value),
        update
      ),
      ready
    ]);
    for (const result of results) {
      if (result.status === 'rejected') {
        console.warn('A setting could not be read.', result.reason);
      }
    }
    this._update();
  }

  /**
   * Turn them on or off; return whether that was done. If this browser does not allow them, the
   * setting stays as it is, since it also applies to the user's other browsers.
   *
   * @throws An error with a sentence for the user, if the browser blocks them.
   */
  async turn(wanted: boolean): Promise<boolean> {
    const { id, registry, trans } = this._options;
    const blocked = wanted ? obstacle(await askPermission(), trans) : null;
    if (blocked) {
      throw new Error(blocked);
    }
    const done = !wanted || permission() === 'granted';
    if (done) {
      await registry.set(id, SETTING, wanted);
    }
    return done;
  }

  private _update(): void {
    if (this._on && !this._presenter) {
      const { model, server, trans } = this._options;
      this._presenter = import('./presenter').then(
        ({ DesktopPresenter }) => new DesktopPresenter({ model, server, trans })
      );
    } else if (!this._on && this._presenter) {
      void this._presenter.then(presenter => presenter.dispose());
      this._presenter = null;
    }
    this._presenter?.then(
      presenter => {
        presenter.silent = this._silent;
      },
      reason => {
        this._presenter = null;
        console.error('Desktop notifications could not be loaded.', reason);
      }
    );
    this._options.changed();
  }

  private _on = false;
  private _silent = false;
  private _presenter: Promise<DesktopPresenter> | null = null;
}
