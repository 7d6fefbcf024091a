/**
 * Carries the user's settings over from the pages that earlier versions had; loaded where there are
 * any.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { JSONValue } from '@lumino/coreutils';

import { EARLIER, SETTINGS } from './settings';

/**
 * Set on the one page what the user had set on the others, unless that is set there already.
 */
export async function carryOver(registry: ISettingRegistry): Promise<void> {
  const { plugin, user } = await registry.load(SETTINGS);
  for (const id of EARLIER) {
    const values = registry.plugins[id]?.data.user ?? {};
    for (const [name, value] of Object.entries(values)) {
      // One that is not valid, or no setting of ours, would keep all the others from being set.
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
