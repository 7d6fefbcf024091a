/**
 * The plugin of the notification center: the bell, the command, the side panel.
 *
 * This is loaded at start and is small; the center itself, `view.tsx`, is loaded when it is first
 * shown.
 */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
  type LabShell
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { ICenterHost } from '../components/context';
import { addCommand } from '../palette';
import { followSettings, LAB_NOTIFICATIONS, SETTINGS } from '../settings';
import { INotificationActions, INotificationModel } from '../tokens';
import { NotificationBell } from './bell';
import { LazyPageTitle, OneBell } from './oneBell';
// The panel's content is loaded when it is first opened; its frame has to be there at once.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { CenterPanel } from './panel';

namespace CommandIDs {
  export const toggleCenter = 'jupyterlab-notify:toggle-center';

  export const openAll = 'jupyterlab-notify:open-in-main';

  export const focusNewest = 'jupyterlab-notify:focus-newest';
}

/**
 * The id of the plugin.
 */
const PLUGIN_ID = 'jupyterlab_notify:center';

/** The rank of the bell, to the right of JupyterLab's own top bar (900) and of others' items. */
const BELL_RANK = 2000;

/**
 * The rank of the panel, below all others on its side: its tab, which is not always in sight, must
 * not move their tabs.
 */
const PANEL_RANK = 10_000;

/**
 * The plugin of the bell and the panel.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Adds the bell and the notification center.',
  autoStart: true,
  requires: [INotificationModel, INotificationActions, IRenderMimeRegistry],
  optional: [ICommandPalette, ILayoutRestorer, ISettingRegistry, ITranslator],
  // Longer than a screen: the commands and wiring of one plugin, in order.
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
    // The shells of JupyterLab and of Notebook 7 both have these, but share no token.
    const shell = app.shell as JupyterFrontEnd.IShell &
      Partial<Pick<LabShell, 'collapseLeft' | 'collapseRight'>>;

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
    };
    const leave = () => {
      const { currentWidget } = shell;
      if (currentWidget) {
        shell.activateById(currentWidget.id);
      } else {
        bell.focus();
      }
    };
    const options = {
      model,
      actions,
      rendermime,
      trans,
      language: translator?.languageCode,
      leave,
      commands,
      shell
    };
    const panel = new CenterPanel({ ...options, hide });
    const bell = new NotificationBell({
      model,
      trans,
      isOpen: () => panel.isOpen,
      toggle: () => void commands.execute(CommandIDs.toggleCenter)
    });
    const oneBell = new OneBell(commands);
    const title = new LazyPageTitle(model);
    if (settingRegistry) {
      followSettings(settingRegistry, SETTINGS, values => {
        oneBell.both = values.jupyterlabBell === true;
        title.enabled = values.countInTitle !== false;
      }).catch(() => (title.enabled = true));
      followSettings(settingRegistry, LAB_NOTIFICATIONS, values => {
        bell.silent = values.doNotDisturbMode === true;
      }).catch(() => undefined); // The plugin of the toasts logs it.
    }
    const changed = () => {
      bell.update();
      commands.notifyCommandChanged(CommandIDs.toggleCenter);
    };
    panel.visibleChanged.connect(changed);

    addCommand(app, palette, trans, CommandIDs.toggleCenter, {
      label: trans.__('Notifications'),
      caption: trans.__('Show or hide the notification center'),
      isToggleable: true,
      isToggled: () => panel.isOpen,
      execute: () => {
        if (panel.isOpen) {
          hide();
        } else {
          show({ id: null, focus: true, read: true });
        }
      }
    });

    // Notebook's main area has room for one document only.
    if ('mode' in shell) {
      let full: CenterPanel | null = null;
      addCommand(app, palette, trans, CommandIDs.openAll, {
        label: trans.__('See All Notifications'),
        isToggled: () => !!full?.isOpen,
        execute: () => {
          if (!full || full.isDisposed) {
            full = new CenterPanel({ ...options, hide: () => full!.dispose() });
            full.id += '-main';
            full.addClass('jp-mod-main');
            full.title.label = trans.__('Notifications');
            full.title.closable = true;
            full.visibleChanged.connect(changed);
            full.disposed.connect(changed);
            shell.add(full, 'main');
          }
          shell.activateById(full.id);
          full.request({ id: null, focus: true, read: true });
        }
      });
    }

    addCommand(app, palette, trans, CommandIDs.focusNewest, {
      label: trans.__('Focus Newest Notification'),
      execute: () =>
        show({
          id: model.notifications[0]?.id ?? null,
          focus: true,
          read: true,
          closed: true
        })
    });

    model.openRequested.connect((_, { id, by }) => {
      if (by === 'program') {
        // While nobody looks, or the center is open already, the message only adds to the count.
        if (document.visibilityState === 'visible' && !panel.isOpen) {
          show({ id, focus: false, read: false });
        }
        return;
      }
      // A user who is typing keeps the focus.
      const active = document.activeElement as HTMLElement | null;
      const typing =
        active?.isContentEditable || active?.matches('input, textarea');
      show({ id, focus: !typing || panel.node.contains(active), read: true });
    });

    shell.add(panel, 'right', { rank: PANEL_RANK, type: 'Notifications' });
    shell.add(bell, 'top', { rank: BELL_RANK });
    const header = shell.node.querySelector('#top-panel-wrapper');
    if (header) {
      void import('./bellPlace').then(({ followHeader }) =>
        followHeader(shell, bell, header, BELL_RANK)
      );
    }
    restorer?.add(panel, 'jupyterlab-notify-center');
    // The page was opened by a link to a message, which the menu of a row copies.
    const asked = new URLSearchParams(window.location.search).get(
      'notification'
    );
    if (asked) {
      void app.restored.then(() =>
        show({ id: asked, focus: true, read: true })
      );
    }
  }
};

export default plugin;
