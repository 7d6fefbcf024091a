/**
 * The plugin that tells the user when cells of a notebook are done. Most of its code is in
 * `watcher.ts`, which is loaded with the first cell that is run.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import {
  INotebookTracker,
  NotebookActions,
  type NotebookPanel
} from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { bellIcon, CommandToolbarButton } from '@jupyterlab/ui-components';

import { addCommand } from '../palette';
import { INotifications } from '../tokens';
import type { CellWatcher } from './watcher';

namespace CommandIDs {
  export const whenDone = 'jupyterlab-notify:notify-when-done';
}

/**
 * The plugin that adds the command, and its button in the toolbar.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab_notify:cells',
  description: 'Tells the user when cells of a notebook are done.',
  autoStart: true,
  requires: [INotifications],
  optional: [
    INotebookTracker,
    IToolbarWidgetRegistry,
    ICommandPalette,
    ISettingRegistry,
    ITranslator
  ],
  // Longer than a screen: the command and wiring of one plugin, in order.
  activate: (
    app: JupyterFrontEnd,
    sender: INotifications,
    tracker: INotebookTracker | null,
    toolbars: IToolbarWidgetRegistry | null,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    if (!tracker) {
      return;
    }
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load('jupyterlab_notify');
    const id = CommandIDs.whenDone;

    // The ids of the panels and cells that the user waits for, by notebook: a copy of a notebook
    // has the same cells' ids.
    const notebooks = new WeakMap<object, Set<string>>();
    const awaitedIn = ({ content }: NotebookPanel) => {
      const ids = notebooks.get(content.model!) ?? new Set();
      notebooks.set(content.model!, ids);
      return ids;
    };
    const changed = () => commands.notifyCommandChanged(id);

    let loading: Promise<CellWatcher> | undefined;
    const load = () =>
      (loading ??= import('./watcher').then(
        ({ CellWatcher }) =>
          new CellWatcher({
            awaitedIn,
            changed,
            commands,
            registry,
            sender,
            tracker,
            trans
          })
      ));
    const hear =
      (what: 'scheduled' | 'executed') =>
      (_: unknown, event: CellWatcher.IEvent) => {
        const at = Date.now();
        load().then(
          watcher => watcher[what](event, at),
          reason => {
            loading = undefined;
            console.warn('Nobody will be told when cells are done.', reason);
          }
        );
      };
    NotebookActions.executionScheduled.connect(hear('scheduled'));
    NotebookActions.executed.connect(hear('executed'));

    /** Find the notebook that a call of the command is about. */
    const find = (args: { of?: unknown }) =>
      tracker.find(panel => panel.id === args.of) ?? tracker.currentWidget;
    const idOf = (args: { of?: unknown }, panel: NotebookPanel) =>
      args.of === 'cell' ? panel.content.activeCell?.model.id : panel.id;
    const isAwaited = (args: { of?: unknown }) => {
      const panel = find(args);
      return !!panel && awaitedIn(panel).has(idOf(args, panel)!);
    };
    addCommand(app, palette, trans, id, {
      label: trans.__('Notify When Done'),
      caption: args =>
        isAwaited(args)
          ? trans.__('You will be notified when the cells are done')
          : trans.__('Notify me when the cells are done'),
      icon: args => (args.of === 'cell' ? undefined : bellIcon),
      isToggleable: true,
      isToggled: isAwaited,
      isEnabled: args => !!find(args),
      describedBy: async () => ({
        args: (await import('./watcher')).ARGUMENTS
      }),
      execute: async args => {
        const panel = find(args);
        const id = panel && idOf(args, panel);
        if (!id) {
          return;
        }
        const awaited = awaitedIn(panel);
        if (!awaited.delete(id)) {
          awaited.add(id);
        }
        changed();
        (await load()).mark(panel, id);
      }
    });
    tracker.currentChanged.connect(changed);

    toolbars?.addFactory<NotebookPanel>(
      'Notebook',
      'notifyWhenDone',
      panel =>
        new CommandToolbarButton({
          commands,
          id,
          args: { of: panel.id },
          label: ''
        })
    );
  }
};

export default plugin;
