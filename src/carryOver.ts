/**
 * Carries the user's settings over from the pages that earlier versions had; loaded where there are
 * any.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import { EARLIER, SETTINGS } from './settings';

/**
 * Set on the one page what the user had set on the others, unless that is set there already.
 */
export async function carryOver(registry: ISettingRegistry): Promise<void> {
  const { user } = await registry.load(SETTINGS);
  for (const id of EARLIER) {
    const values = registry.plugins[id]?.data.user ?? {};
    for (const [name, value] of Object.entries(values)) {
      if (user[name] === undefined && value !== undefined) {
        await registry.set(SETTINGS, name, value);
      }
      await registry.remove(id, name);
    }
  }
}
