/**
 * The settings that the plugins follow, their own and JupyterLab's.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

/**
 * The plugin that holds the settings of all our plugins, so that they are on one page.
 */
export const SETTINGS = 'jupyterlab_notify:center';

/**
 * The plugins that had settings pages of their own in earlier versions.
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
 * @param registry - The registry of settings.
 * @param id - The id of the plugin.
 * @param read - Receives the settings; a value that nobody set is its default.
 * @throws If the settings cannot be read; `read` is then not called.
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
        // The earlier settings still apply; the next start tries again.
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
 * Read the settings that the site and the user made for the earlier plugins. Their schemas have no
 * defaults of their own, so each default comes from the site, which names only those entries of an
 * object that differ.
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
