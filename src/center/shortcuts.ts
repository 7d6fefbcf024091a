/**
 * The list of the center's keys, which `?` shows.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

export namespace CommandIDs {
  export const shortcuts = 'jupyterlab-notify:show-shortcuts';
}

/**
 * Add the command that shows the keys, once.
 */
export function addShortcuts(
  commands: CommandRegistry,
  trans: TranslationBundle
): void {
  if (!commands.hasCommand(CommandIDs.shortcuts)) {
    commands.addCommand(CommandIDs.shortcuts, {
      label: trans.__('Keyboard Shortcuts'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const { Dialog, showDialog } = await import('@jupyterlab/apputils');
        await showDialog({
          title: trans.__('Keys of the notification center'),
          body: shortcuts(trans),
          buttons: [Dialog.okButton({ label: trans.__('Close') })]
        });
      }
    });
  }
}

/** List the shortcuts: the keys of each, which do the same or the opposite, and their effect. */
function lines(trans: TranslationBundle): [string[], string][] {
  const key = CommandRegistry.formatKeystroke;
  return [
    [['↓', '↑', 'J', 'K'], trans.__('Next and previous notification')],
    [[key('PageDown'), key('PageUp')], trans.__('Ten further, and back')],
    [[key('Home'), key('End')], trans.__('First and last notification')],
    [[key('Enter'), key('Space')], trans.__('Open or close it')],
    [['E', key('Delete')], trans.__('Done with it, or bring it back')],
    [['R'], trans.__('Mark as read')],
    [['U'], trans.__('Mark as unread')],
    [['S', 'Z'], trans.__('Snooze it, or bring it back')],
    [['X'], trans.__('Select it')],
    [
      [key('Shift ArrowDown'), key('Shift ArrowUp')],
      trans.__('Select one more, or one less on the way back')
    ],
    [[key('Accel A')], trans.__('Select all')],
    [[key('Accel Z')], trans.__('Undo')],
    [['/'], trans.__('Search')],
    [[key('Escape')], trans.__('Close it, select nothing, or leave the center')]
  ];
}

/**
 * The table of the dialog.
 *
 * It is made without React: a dialog whose body is React's waits until the browser is idle before
 * it takes the focus, and keys pressed until then would go to the center behind it.
 */
function table(trans: TranslationBundle): HTMLElement {
  const table = document.createElement('table');
  for (const [keys, what] of lines(trans)) {
    const row = table.insertRow();
    const head = document.createElement('th');
    head.scope = 'row';
    head.append(...keys.map(kbd));
    row.append(head);
    row.insertCell().textContent = what;
  }
  return table;
}

/** Make the element that shows a key. */
function kbd(key: string): HTMLElement {
  const node = document.createElement('kbd');
  node.textContent = key;
  return node;
}

/** Make the content of the dialog. */
function shortcuts(trans: TranslationBundle): Widget {
  const body = new Widget();
  body.addClass('jp-NotifyShortcuts');
  const hint = document.createElement('p');
  hint.textContent = trans.__(
    'With notifications selected, a key does the same to all of them.'
  );
  body.node.append(table(trans), hint);
  return body;
}
