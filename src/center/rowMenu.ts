/**
 * The menu of a row, which a click with the right button opens.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { MenuSvg } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';

import { cut, type UndoManager } from '../components/undo';
import { isDismissed, isInInbox, isSnoozed, isUnread } from '../state';
import { visible } from '../text/visible';
import type { INotificationModel } from '../tokens';
import type { Notification } from '../wire';
import type { IRowHandlers } from './row';
import { canSnooze, snoozeEntries } from './snooze';

/**
 * The options of the menu.
 */
export interface IRowMenuOptions {
  trans: TranslationBundle;
  model: Pick<INotificationModel, 'detail' | 'now' | 'quiet'>;
  handlers: Pick<IRowHandlers, 'read' | 'dismiss' | 'snooze'>;
  undo: Pick<UndoManager, 'mute'>;
  /** Show only the messages of a sender. */
  filterBy(source: string): void;
  /** Show a failure. */
  fail(reason: unknown): void;
}

/** One entry of a menu. */
export interface IEntry {
  label: string;
  enabled?: boolean;
  execute(): void | Promise<void>;
}

/** Entries from top to bottom; null is a line between two. */
type MenuEntries = (IEntry | null)[];

/**
 * Open the menu where the mouse is, or at the row if the keyboard asked for it.
 */
export function openRowMenu(
  row: Notification,
  event: MouseEvent,
  options: IRowMenuOptions
): void {
  openEntries(entries(row, options), event, options.fail);
}

/**
 * Open the menu that only snoozes.
 *
 * @param at - The focused element, at which the menu opens.
 */
export function openSnoozeMenu(
  snooze: (until: Date) => void,
  at: EventTarget,
  options: Pick<IRowMenuOptions, 'trans' | 'model' | 'fail'>
): void {
  openEntries(
    snoozeEntries(options.trans, options.model.now(), snooze),
    { target: at, clientX: 0, clientY: 0 },
    options.fail
  );
}

/** Open a menu. */
function openEntries(
  given: Readonly<MenuEntries>,
  event: Pick<MouseEvent, 'target' | 'clientX' | 'clientY'>,
  fail: (reason: unknown) => void
): void {
  const commands = new CommandRegistry();
  const menu = new MenuSvg({ commands });
  given.forEach((entry, index) => {
    if (entry === null) {
      menu.addItem({ type: 'separator' });
      return;
    }
    const id = `entry-${index}`;
    commands.addCommand(id, {
      label: entry.label,
      isEnabled: () => entry.enabled !== false,
      execute: async () => {
        try {
          await entry.execute();
        } catch (reason) {
          fail(reason);
        }
      },
      describedBy: { args: { type: 'object', properties: {} } }
    });
    menu.addItem({ command: id });
  });
  const element = event.target as HTMLElement;
  const from = document.activeElement as HTMLElement | null;
  menu.aboutToClose.connect(() => {
    if (from?.isConnected) {
      from.focus({ preventScroll: true });
    }
    // The chosen entry runs only after the menu is closed.
    setTimeout(() => menu.dispose());
  });
  const box = element.getBoundingClientRect();
  const byMouse = event.clientX > 0 || event.clientY > 0;
  menu.open(
    byMouse ? event.clientX : box.left + 24,
    byMouse ? event.clientY : box.top + 24
  );
}

/** List the entries of the menu. */
function entries(row: Notification, options: IRowMenuOptions): MenuEntries {
  return [
    ...stateEntries(row, options),
    null,
    ...copyEntries(row, options),
    null,
    ...senderEntries(row, options)
  ];
}

/** List the entries that change the row: read, done, snoozed. */
function stateEntries(
  row: Notification,
  { trans, model, handlers }: IRowMenuOptions
): MenuEntries {
  const unread = isUnread(row);
  const done = isDismissed(row);
  const found: MenuEntries = [
    {
      label: unread ? trans.__('Mark as Read') : trans.__('Mark as Unread'),
      enabled: isInInbox(row),
      execute: () => handlers.read(row, unread)
    },
    {
      label: done ? trans.__('Move Back to the Inbox') : trans.__('Done'),
      enabled: done || row.dismissable,
      execute: () => handlers.dismiss(row, !done)
    }
  ];
  if (isSnoozed(row)) {
    found.push({
      label: trans.__('Bring Back Now'),
      execute: () => handlers.snooze(row, null)
    });
  }
  if (canSnooze(row)) {
    const snooze = (until: Date) => handlers.snooze(row, until);
    found.push(null, ...snoozeEntries(trans, model.now(), snooze));
  }
  return found;
}

/** List the entries that copy from the row. */
function copyEntries(
  row: Notification,
  { trans, model }: IRowMenuOptions
): MenuEntries {
  return [
    {
      label: trans.__('Copy Text'),
      execute: async () => {
        const body = row.hasBody ? (await model.detail(row.id)).body : null;
        // What is pasted elsewhere is what the user has read.
        await copy(visible([row.message, body].filter(Boolean).join('\n\n')));
      }
    },
    {
      label: trans.__('Copy Link'),
      execute: () => copy(linkTo(row))
    }
  ];
}

/** List the entries for all messages of the row's sender. */
function senderEntries(
  row: Notification,
  { trans, model, undo, filterBy }: IRowMenuOptions
): MenuEntries {
  const sender = cut(visible(row.source));
  const muted = model.quiet?.muted.includes(row.source) === true;
  return [
    {
      label: trans.__('Only from %1', sender),
      execute: () => filterBy(row.source)
    },
    {
      label: muted
        ? trans.__('Unmute %1', sender)
        : trans.__('Mute %1', sender),
      // A message that must stay in sight cannot be muted.
      enabled: muted || row.dismissable,
      execute: () => undo.mute(row.source, !muted)
    }
  ];
}

/** Make a link to this page that shows a row. */
function linkTo(row: Notification): string {
  const link = new URL(window.location.pathname, window.location.href);
  link.searchParams.set('notification', row.id);
  return link.href;
}

async function copy(text: string): Promise<void> {
  // Not the browser's own clipboard: pages that are served without TLS have none.
  const { Clipboard } = await import('@jupyterlab/apputils');
  Clipboard.copyToSystem(text);
}
