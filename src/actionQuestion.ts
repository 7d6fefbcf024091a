/**
 * The question whether a button may run its command; loaded when it is first asked.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';

import { senderOf } from './text/sender';
import { visible } from './text/visible';
import type { Action, Notification } from './wire';

/**
 * Ask the user whether a command may run.
 *
 * @param options.label - JupyterLab's label of the command, for the title; empty if it has none.
 */
export async function askWhetherToRun(options: {
  notification: Notification;
  action: Action;
  id: string;
  args: ReadonlyJSONObject;
  label: string;
  trans: TranslationBundle;
}): Promise<boolean> {
  const { notification, action, id, args, label, trans } = options;
  const body = new Question(
    trans.__(
      '“%1” from %2 wants to run this command in JupyterLab. Run it only if you know why.',
      visible(action.label),
      senderOf(notification, trans)
    ),
    [
      [trans.__('Command'), id],
      [
        trans.__('Arguments'),
        Object.keys(args).length > 0 ? JSON.stringify(args, null, 2) : ''
      ]
    ]
  );
  const { button } = await showDialog({
    title: trans.__('Run “%1”?', visible(label || id)),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Run') })
    ],
    // The Enter key of a user who is typing must not run the command.
    defaultButton: 0
  });
  return button.accept;
}

/**
 * The body of the dialog; everything in it is shown as plain text.
 */
class Question extends Widget {
  constructor(question: string, facts: [string, string][]) {
    super();
    this.addClass('jp-NotifyQuestion');
    const paragraph = document.createElement('p');
    paragraph.textContent = question;
    const list = document.createElement('dl');
    for (const [name, value] of facts) {
      if (value === '') {
        continue;
      }
      const term = document.createElement('dt');
      term.textContent = name;
      const definition = document.createElement('dd');
      definition.textContent = visible(value);
      list.append(term, definition);
    }
    this.node.append(paragraph, list);
  }
}
