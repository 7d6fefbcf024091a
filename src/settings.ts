/**
 * The settings that the plugins follow, their own and JupyterLab's.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

/**
 * The plugin that has the settings of all of ours, so that they are on one page.
 */
export const SETTINGS = 'jupyterlab_notify:center';

/**
 * The plugins that had pages of their own.
 */
export const EARLIER = ['toasts', 'desktop', 'actions'].map(
  name => `jupyterlab_notify:${name}`
);

/**
 * The plugin of JupyterLab's own notifications, whose do-not-disturb counts for ours too.
 */
export const LAB_NOTIFICATIONS = '@jupyterlab/apputils-extension:notification';

/** The values of settings, by name. */
type Values = ISettingRegistry.ISettings['composite'];

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
  read: (values: Values) => void
): Promise<void> {
  const settings = await registry.load(id);
  const isOwn = id === SETTINGS;
  const tell = () =>
    read(
      isOwn
        ? {
            ...settings.composite,
            ...earlier(registry, settings.composite),
            ...settings.user
          }
        : settings.composite
    );
  settings.changed.connect(tell);
  tell();
  if (isOwn && !carried && EARLIER.some(id => hasUser(registry, id))) {
    carried = true;
    void import('./carryOver')
      .then(({ carryOver }) => carryOver(registry))
      .catch(reason => {
        // They count all the same, and are carried over another time.
        console.warn('Earlier settings could not be carried over.', reason);
      });
  }
}

/** True once the user's earlier settings are being carried over. */
let carried = false;

function hasUser({ plugins }: ISettingRegistry, id: string): boolean {
  return Object.keys(plugins[id]?.data.user ?? {}).length > 0;
}

/**
 * Read the settings that a site and the user had for the earlier plugins. These have no defaults of
 * their own, so that a default is a site's; of an object it names only what differs.
 */
function earlier(
  { plugins }: ISettingRegistry,
  composite: Values
): Record<string, any> {
  const values: Record<string, any> = {};
  const found = EARLIER.flatMap(id => plugins[id] ?? []);
  for (const { schema } of found) {
    for (const [name, one] of Object.entries(schema.properties ?? {})) {
      const own = composite[name];
      values[name] =
        own && typeof own === 'object' && !Array.isArray(own)
          ? { ...own, ...(one.default as object) }
          : one.default;
    }
  }
  return Object.assign(values, ...found.map(({ data }) => data.user));
}
