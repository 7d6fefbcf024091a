/**
 * How the plugins follow settings, their own and JupyterLab's.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

/**
 * The plugin of JupyterLab's own notifications, whose do-not-disturb counts for ours too.
 */
export const LAB_NOTIFICATIONS = '@jupyterlab/apputils-extension:notification';

/**
 * Hand over a plugin's settings, now and whenever they change.
 *
 * @param registry - Where they are.
 * @param id - The plugin.
 * @param read - What takes them: values that are not set are the defaults.
 * @throws If they cannot be read; then nothing is handed over.
 */
export async function followSettings(
  registry: ISettingRegistry,
  id: string,
  read: (values: ISettingRegistry.ISettings['composite']) => void
): Promise<void> {
  const settings = await registry.load(id);
  settings.changed.connect(() => read(settings.composite));
  read(settings.composite);
}
