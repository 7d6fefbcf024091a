/**
 * Carries the user's settings over from the settings pages of earlier versions; loaded only if the
 * user has such settings.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { JSONValue } from '@lumino/coreutils';

import { EARLIER, SETTINGS } from './settings';

/**
 * Move the user's settings from the earlier pages to the one page; values set there already stay.
 */
export async function carryOver(registry: ISettingRegistry): Promise<void> {
  const { plugin, user } = await registry.load(SETTINGS);
  for (const id of EARLIER) {
    const values = registry.plugins[id]?.data.user ?? {};
    for (const [name, value] of Object.entries(values)) {
      // An invalid value, or an unknown setting, would keep all the others from being set.
      const errors = registry.validator.validateData(
        { ...plugin, raw: JSON.stringify({ [name]: value }) },
        false
      );
      if (errors) {
        console.warn(
          `The earlier setting ${name} is not valid, and is dropped.`
        );
      } else if (user[name] === undefined) {
        await registry.set(SETTINGS, name, value as JSONValue);
      }
      await registry.remove(id, name);
    }
  }
}
