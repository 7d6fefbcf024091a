/**
 * The look of a notification as a toast: its text, its buttons, what is around them, and how
 * long it stays. The presenter decides which notifications have a toast.
 */
import type { Notification as LabNotification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { locale } from '../text/locale';
import type { INotificationActions, INotificationModel } from '../tokens';
import type { Action, Notification } from '../wire';
import { summarize } from '../text/plaintext';
import { toastDuration } from './duration';
import { urgency } from './layout';
import { relativeTime } from '../text/relativeTime';
import { senderOf } from '../text/sender';
import { visible } from '../text/visible';
import type { IToastDress } from './view';

/**
 * The most buttons of a toast.
 */
const MAX_BUTTONS = 3;

/**
 * The part of a toast that JupyterLab draws.
 */
export interface IToastContent {
  message: string;
  /** In milliseconds; `false`: the toast stays until it is closed. */
  autoClose: number | false;
  actions: LabNotification.IAction[];
}

/**
 * Makes toasts of notifications.
 */
export class ToastContents {
  constructor(options: ToastContents.IOptions) {
    this._options = options;
    const known = locale(document.documentElement.lang);
    this._percent = new Intl.NumberFormat(known, { style: 'percent' });
    this._ago = new Intl.RelativeTimeFormat(known, { style: 'short' });
  }

  /**
   * The time for which a row's toast stays; see {@link toastDuration}.
   */
  duration(row: Notification): number | false {
    return toastDuration(row, this._options.defaultAutoClose_s());
  }

  /**
   * The part of a toast that JupyterLab draws.
   */
  content(row: Notification): IToastContent {
    const { text, cut } = summarize(row.message, row.markdown);
    const own = this._options.actions
      ? row.actions.map((action, index) => this._button(row, action, index))
      : [];
    const asked = (row.answer ?? row.stopped) ? null : row.reply;
    own.unshift(
      ...(asked?.choices ?? []).map(choice => this._choice(row, choice))
    );
    const longer = cut || row.hasBody || !!asked?.text;
    const crowded = own.length + Number(longer) > MAX_BUTTONS;
    const more = (longer || crowded) && this._options.opens();
    const actions = own.slice(0, MAX_BUTTONS - Number(more));
    if (more) {
      actions.push({
        label: this._options.trans.__('Show more'),
        displayType: actions.length === 0 ? 'accent' : 'default',
        callback: event => {
          event.preventDefault();
          this._options.open(row.id);
        }
      });
    }
    return { message: text, autoClose: this.duration(row), actions };
  }

  private _choice(row: Notification, choice: string): LabNotification.IAction {
    return {
      label: visible(choice),
      callback: event => {
        event.preventDefault();
        // The answer was not accepted: the user finds the question in the center.
        this._options.model
          .reply(row.id, choice)
          .catch(() => this._options.open(row.id));
      }
    };
  }

  private _button(
    row: Notification,
    action: Action,
    index: number
  ): LabNotification.IAction {
    const { actions, model } = this._options;
    return {
      label: visible(action.label),
      caption: visible(action.caption ?? '') || undefined,
      displayType: action.displayType ?? 'default',
      callback: event => {
        // Whether the toast closes is up to the action: the user may refuse its
        // command.
        event.preventDefault();
        void actions!.run(model.get(row.id) ?? row, index);
      }
    };
  }

  /**
   * The part of a toast that the view adds.
   *
   * @param quiet - Whether the notification was missed, so that it is not read out.
   * @param there - Whether the toast is on the page already.
   */
  dress(row: Notification, quiet: boolean, there: boolean): IToastDress {
    const percent =
      row.type === 'in-progress' && row.progress !== null
        ? Math.round(row.progress * 100)
        : null;
    const meta = [senderOf(row, this._options.trans)];
    if (percent !== null) {
      meta.push(this._percent.format(percent / 100));
    }
    if (row.stopped) {
      meta.push(this._options.trans.__('Stopped reporting'));
    }
    const age = this._options.model.now() - Date.parse(row.updated);
    if (age > 60_000) {
      meta.push(relativeTime(age, this._ago));
    }
    return {
      kind: row.type,
      close: row.dismissable
        ? this._options.trans.__('Close')
        : this._options.trans.__('Mark as read'),
      done: row.dismissable ? this._options.trans.__('Done') : undefined,
      meta: meta.join(' · '),
      progress: percent,
      role: urgency(row.type) > 0 ? 'alert' : 'status',
      live: !quiet && !(there && percent !== null),
      folds: this.duration(row) === false ? signature(row) : null,
      opens: this._options.opens(),
      pictured: row.image && row
    };
  }

  private readonly _options: ToastContents.IOptions;
  private readonly _percent: Intl.NumberFormat;
  private readonly _ago: Intl.RelativeTimeFormat;
}

/**
 * The namespace of {@link ToastContents}' options.
 */
export namespace ToastContents {
  /**
   * The options of the content of toasts.
   */
  export interface IOptions {
    /** Has the clock and the notifications, and takes answers. */
    model: Pick<INotificationModel, 'get' | 'now' | 'reply'>;
    /** Runs the buttons; without it there are none. */
    actions: INotificationActions | null;
    /** The language. */
    trans: TranslationBundle;
    /** Seconds after which a toast closes if its message does not say it; 0: it stays. */
    defaultAutoClose_s: () => number;
    /** Tells whether something can show a notification in full. */
    opens: () => boolean;
    /** Show a notification in full. */
    open: (id: string) => void;
  }
}

/**
 * Return the fields of a row that JupyterLab draws in its toast, to see whether they change.
 */
export function signature(row: Notification): string {
  const { type, message, markdown, hasBody, autoClose, actions, position } =
    row;
  return JSON.stringify([
    type,
    message,
    markdown,
    hasBody,
    autoClose,
    actions,
    position,
    row.reply,
    row.stopped
  ]);
}

/**
 * Estimate the height of a toast, in pixels, until it is on the page and can be measured.
 */
export function estimateHeight(row: Notification): number {
  const { text, cut } = summarize(row.message, row.markdown);
  const lines = text
    .split('\n')
    .reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 35)), 0);
  const labels = [
    ...row.actions.map(({ label }) => label),
    ...(row.reply?.choices ?? [])
  ].map(label => label.length + 4);
  if (cut || row.hasBody || row.reply?.text) {
    labels.push(13);
  }
  const buttons = Math.ceil(labels.reduce((sum, each) => sum + each, 0) / 38);
  return 48 + 18 * lines + (buttons > 0 ? 3 + 30 * buttons : 0);
}
