/**
 * The form of the command that sends a notification; loaded when it is first opened.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { typeLabel } from '../text/labels';
import {
  NOTIFICATION_TYPES,
  type IngestMessage,
  type NotificationType
} from '../wire';
import { type FieldName, type IProblem, isLink } from './check';
import '../../style/send.css';

/** The id of the sentence that says what is wrong. */
const PROBLEM = 'jp-notify-send-problem';

/** The most characters of its target that a button without a label shows. */
const SHOWN = 40;

/** The types as the form offers them: the plain one last. */
const TYPES: readonly NotificationType[] = [
  ...NOTIFICATION_TYPES.filter(type => type !== 'default'),
  'default'
];

/**
 * Ask for a message.
 *
 * @param values - The values with which the form begins.
 * @param problem - The problem with the last attempt.
 * @param trans - The language.
 * @param close_s - Seconds for which a toast stays by the settings; 0: until it is closed.
 * @returns The message, or null if the user does not send it.
 */
export async function askForMessage(
  values: Partial<IngestMessage>,
  problem: IProblem | null,
  trans: TranslationBundle,
  close_s: number
): Promise<IngestMessage | null> {
  const body = new SendForm(values, problem, trans, close_s);
  const { button, value } = await showDialog<IngestMessage>({
    title: trans.__('Send a Notification'),
    body,
    focusNodeSelector: `[name=${problem?.field ?? 'message'}]`,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Send') })
    ]
  });
  return button.accept ? value : null;
}

/** What a button without a label says: what it opens. */
function shorten(target: string): string {
  return target.length > SHOWN ? `${target.slice(0, SHOWN)}…` : target;
}

/**
 * The form: the fields of a message that users write by hand.
 */
class SendForm extends Widget implements Dialog.IBodyWidget<IngestMessage> {
  /**
   * Make a form.
   */
  constructor(
    private readonly _values: Partial<IngestMessage>,
    private readonly _problem: IProblem | null,
    trans: TranslationBundle,
    private readonly _close_s: number
  ) {
    super({ node: document.createElement('form') });
    this.addClass('jp-NotifySend');
    const hint = document.createElement('p');
    hint.className = 'jp-NotifySend-hint jp-mod-wide';
    hint.textContent = trans.__(
      'It goes to yourself: to all your tabs, and to nobody else.'
    );
    this.node.append(hint);
    if (_problem) {
      const alert = document.createElement('p');
      alert.id = PROBLEM;
      alert.className = 'jp-NotifySend-problem jp-mod-wide';
      alert.setAttribute('role', 'alert');
      alert.textContent = _problem.text;
      this.node.append(alert);
    }
    const [action] = _values.actions ?? [];
    this._message = this._add(
      trans.__('Message'),
      document.createElement('textarea'),
      'message'
    );
    this._message.rows = 3;
    this._message.parentElement!.classList.add('jp-mod-wide');
    this._message.value = _values.message ?? '';
    this._details = this._add(
      trans.__('Details (optional, Markdown)'),
      document.createElement('textarea'),
      'details'
    );
    this._details.rows = 2;
    this._details.parentElement!.classList.add('jp-mod-wide');
    this._details.value = _values.body ?? '';
    this._type = this._addTypes(_values.type ?? 'info', trans);
    this._close = this._addTimes(_values.autoClose ?? null, trans);
    this._label = this._add(
      trans.__('Button (optional)'),
      document.createElement('input'),
      'label'
    );
    const opens = action?.url ?? action?.commandId ?? '';
    this._label.value =
      action && action.label !== shorten(opens) ? action.label : '';
    this._label.placeholder = trans.__('What the button says');
    this._target = this._add(
      trans.__('What the button opens'),
      document.createElement('input'),
      'target'
    );
    this._target.value = opens;
    this._target.placeholder = trans.__('https://… or a command');
    this._target.title = trans.__(
      'A link, or the id of a command of JupyterLab; without either the button closes it.'
    );
    // A form that is submitted would load the page anew.
    this.node.addEventListener('submit', event => event.preventDefault());
  }

  /**
   * Read the message from the fields.
   */
  getValue(): IngestMessage {
    const label = this._label.value.trim();
    const target = this._target.value.trim();
    const [first, ...others] = this._values.actions ?? [];
    const same = first?.commandId === target ? first : null;
    const button = {
      label: label || shorten(target),
      ...(target && isLink(target) ? { url: target } : {}),
      ...(target && !isLink(target) ? { commandId: target } : {}),
      ...(same ? { args: same.args } : {})
    };
    return {
      ...this._values,
      message: this._message.value,
      body: this._details.value.trim() ? this._details.value : null,
      type: this._type.value as NotificationType,
      autoClose: JSON.parse(this._close.value),
      actions: label || target ? [button, ...others] : others
    };
  }

  private _addTypes(
    value: NotificationType,
    trans: TranslationBundle
  ): HTMLSelectElement {
    const field = this._add(trans.__('Type'), document.createElement('select'));
    for (const type of TYPES) {
      // Elsewhere the default type is called 'Message'; here that is the label of the text.
      const name =
        type === 'default' ? trans.__('Plain') : typeLabel(type, trans);
      field.add(new Option(name, type));
    }
    field.value = value;
    return field;
  }

  private _addTimes(
    value: IngestMessage['autoClose'],
    trans: TranslationBundle
  ): HTMLSelectElement {
    const field = this._add(
      trans.__('Toast'),
      document.createElement('select')
    );
    for (const [name, json] of [
      [
        this._close_s > 0
          ? trans.__('Default (%1 s)', this._close_s)
          : trans.__('Default (stays until it is closed)'),
        'null'
      ],
      [trans.__('Stays until it is closed'), 'false'],
      [trans.__('Closes after 5 seconds'), '5000'],
      [trans.__('Closes after 30 seconds'), '30000'],
      [trans.__('None: only in the center'), '0']
    ]) {
      field.add(new Option(name, json));
    }
    const autoClose = JSON.stringify(value);
    field.value = autoClose === 'true' ? 'null' : autoClose;
    if (field.selectedIndex < 0) {
      const name = trans.__(
        'Closes after %1 seconds',
        (value as number) / 1000
      );
      field.add(new Option(name, autoClose, true, true));
    }
    return field;
  }

  private _add<T extends HTMLElement>(
    label: string,
    field: T,
    fieldName?: FieldName
  ): T {
    const row = document.createElement('label');
    const name = document.createElement('span');
    name.textContent = label;
    field.classList.add('jp-mod-styled');
    if (fieldName) {
      field.setAttribute('name', fieldName);
      if (fieldName === this._problem?.field) {
        field.setAttribute('aria-invalid', 'true');
        field.setAttribute('aria-describedby', PROBLEM);
      }
    }
    row.append(name, field);
    this.node.append(row);
    return field;
  }

  private readonly _details: HTMLTextAreaElement;
  private readonly _message: HTMLTextAreaElement;
  private readonly _type: HTMLSelectElement;
  private readonly _close: HTMLSelectElement;
  private readonly _label: HTMLInputElement;
  private readonly _target: HTMLInputElement;
}
