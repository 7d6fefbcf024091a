/**
 * The list of the center's keys, which `?` shows.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

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
          body: <Shortcuts trans={trans} />,
          buttons: [Dialog.okButton({ label: trans.__('Close') })]
        });
      }
    });
  }
}

/** Each line: the keys, of which any does it, and what it does. */
function lines(trans: TranslationBundle): [string[], string][] {
  const key = CommandRegistry.formatKeystroke;
  return [
    [['↓', '↑', 'J', 'K'], trans.__('Next and previous notification')],
    [[key('Enter'), key('Space')], trans.__('Open or close it')],
    [['E', key('Delete')], trans.__('Done with it, or bring it back')],
    [['R'], trans.__('Mark as read')],
    [['U'], trans.__('Mark as unread')],
    [['Z'], trans.__('Snooze it, or bring it back')],
    [['X'], trans.__('Select it')],
    [[key('Shift ArrowDown')], trans.__('Select the next one too')],
    [[key('Accel A')], trans.__('Select all')],
    [[key('Accel Z')], trans.__('Undo')],
    [['/'], trans.__('Search')],
    [[key('Escape')], trans.__('Close it, select nothing, or leave the center')]
  ];
}

/** The table of the dialog. */
function Shortcuts(props: { trans: TranslationBundle }): JSX.Element {
  const { trans } = props;
  return (
    <div className="jp-NotifyShortcuts">
      <table>
        <tbody>
          {lines(trans).map(([keys, what]) => (
            <tr key={what}>
              <th scope="row">
                {keys.map(key => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        {trans.__(
          'With notifications selected, a key does the same to all of them.'
        )}
      </p>
    </div>
  );
}
