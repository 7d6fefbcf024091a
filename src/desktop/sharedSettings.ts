/**
 * Settings that take effect in every tab at once: JupyterLab does not tell other tabs of a change.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import { followSettings } from '../settings';

/**
 * Follows settings, and tells the other tabs of this browser that one changed here.
 */
export class SharedSettings {
  /**
   * Listen to the other tabs.
   *
   * @param ids - The plugins whose settings are shared.
   * @param channel - The name under which the tabs of one server talk.
   */
  constructor(
    registry: ISettingRegistry,
    ids: readonly string[],
    channel: string
  ) {
    this._registry = registry;
    this._channel =
      typeof BroadcastChannel === 'undefined'
        ? null
        : new BroadcastChannel(channel);
    this._channel?.addEventListener('message', ({ data }) => {
      if (ids.includes(data)) {
        this._heard.add(data);
        registry
          .reload(data)
          // While the server cannot be reached, this tab keeps the settings that it has.
          .catch(() => undefined)
          .finally(() => this._heard.delete(data));
      }
    });
  }

  /**
   * Follow one setting that is on or off.
   *
   * @param set - Receives the value, at first and at each change.
   * @param changed - Called after each change.
   */
  follow(
    id: string,
    name: string,
    set: (value: boolean) => void,
    changed: () => void
  ): Promise<void> {
    let known: boolean | null = null;
    return followSettings(this._registry, id, values => {
      const value = values[name] === true;
      if (value === known) {
        return;
      }
      const first = known === null;
      known = value;
      set(value);
      if (!first) {
        changed();
        if (!this._heard.has(id)) {
          this._channel?.postMessage(id);
        }
      }
    });
  }

  private readonly _channel: BroadcastChannel | null;
  /**
   * Plugins whose change came over the channel: all tabs know of it, and to tell them again would
   * never end.
   */
  private readonly _heard = new Set<string>();
  private readonly _registry: ISettingRegistry;
}
