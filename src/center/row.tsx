/**
 * One notification in the list, closed or open in place.
 */
import * as React from 'react';

import { typeLabel } from '../text/labels';
import { isDismissed, isSnoozed, isUnread } from '../state';
import { senderOf } from '../text/sender';
import type { Notification } from '../wire';
import { Shared } from '../components/context';
import { Glyph, IconButton, TypeIcon } from '../components/icons';
import { ActionButton, Actions, Body, Summary } from '../components/message';
import { Picture, Thumbnail } from '../components/pictures';
import { Reply } from '../components/reply';
import { isolate } from '../text/isolate';
import { previewOf } from '../text/preview';
import { untilText } from '../text/until';

/**
 * The actions of a row; the same object for all rows, so that they need not be drawn anew.
 */
export interface IRowHandlers {
  toggle(row: Notification): void;
  select(row: Notification, range: boolean): void;
  read(row: Notification, read: boolean): void;
  dismiss(row: Notification, dismissed: boolean): void;
  /** Keep a row out of sight until a time; null brings it back now. */
  snooze(row: Notification, until: Date | null): void;
  /** Open the menu of times until which a row can be snoozed. */
  snoozeMenu(row: Notification, at: EventTarget): void;
  /** Open the menu of a row, at the mouse or at the row. */
  menu(row: Notification, event: React.MouseEvent<HTMLElement>): void;
}

/**
 * The state of a row.
 */
export interface IRowProps {
  row: Notification;
  now: Date;
  open: boolean;
  /** True if this is the row that Tab reaches. */
  current: boolean;
  selected: boolean;
  /** True while several rows are being selected. */
  selecting: boolean;
  position: number;
  size: number;
  handlers: IRowHandlers;
}

/**
 * One notification.
 */
export const Row = React.memo((props: IRowProps): JSX.Element => {
  const { row, open, current, selected, selecting } = props;
  const { prefix } = React.useContext(Shared);
  const id = prefix + row.id;
  const tab = current ? 0 : -1;
  // A question that is over can only show its answer.
  const asksOrTells =
    row.reply !== null &&
    row.expired === null &&
    (row.ended === null || row.answer !== null);
  return (
    <article
      id={id}
      data-id={row.id}
      className={classes('jp-NotifyRow', {
        'jp-mod-unread': isUnread(row),
        'jp-mod-open': open,
        'jp-mod-gone': row.expired !== null,

        'jp-mod-selected': selected,
        'jp-mod-selecting': selecting
      })}
      tabIndex={tab}
      aria-posinset={props.position}
      aria-setsize={props.size}
      aria-labelledby={`${id}-state ${id}-summary`}
      aria-describedby={`${id}-preview ${id}-meta`}
      onContextMenu={event => props.handlers.menu(row, event)}
    >
      <RowHead {...props} id={id} tab={tab} />
      {(open || asksOrTells) && (
        <div id={`${id}-details`} className="jp-NotifyRow-details">
          {open && row.image && <Picture row={row} />}
          {open && row.hasBody && <Body row={row} />}
          {asksOrTells && (
            <Reply
              row={row}
              tab={tab}
              onWrite={open ? undefined : () => props.handlers.toggle(row)}
            />
          )}
          {open && row.actions.length > 0 && row.expired === null && (
            <Actions row={row} tab={tab} />
          )}
        </div>
      )}
    </article>
  );
});
Row.displayName = 'Row';

/** The props that the parts of a row share. */
interface IPartProps extends IRowProps {
  /** The id of the row's element. */
  id: string;
  /** 0 if Tab reaches the controls in the row, else -1. */
  tab: 0 | -1;
}

/** The part of a row that is in sight even while the row is closed. */
// Longer than a screen: one line of a row, mostly markup.
function RowHead(props: IPartProps): JSX.Element {
  const { row, now, open, handlers, id, tab } = props;
  const { trans, times } = React.useContext(Shared);
  const when = new Date(row.updated);

  const onClick = (event: React.MouseEvent) => {
    if ((event.target as Element).closest('a, button, input, label')) {
      return;
    }
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      handlers.select(row, event.shiftKey);
    } else if (window.getSelection()?.isCollapsed !== false) {
      // Not after words of the message were selected with the mouse.
      handlers.toggle(row);
    }
  };

  const onMouseDown = (event: React.MouseEvent<HTMLElement>) => {
    if (event.shiftKey) {
      // Shift and a click would select the text up to here. Without the browser's default the row
      // has to be focused here.
      event.preventDefault();
      event.currentTarget
        .closest<HTMLElement>('article')
        ?.focus({ preventScroll: true });
    }
  };

  return (
    <div
      className="jp-NotifyRow-head"
      onClick={onClick}
      onMouseDown={onMouseDown}
    >
      <span className="jp-NotifyRow-lead">
        <span className="jp-NotifyRow-dot" aria-hidden="true" />
        <label className="jp-NotifyRow-check">
          <input
            type="checkbox"
            tabIndex={tab}
            checked={props.selected}
            aria-label={trans.__('Select')}
            onChange={event =>
              handlers.select(
                row,
                (event.nativeEvent as MouseEvent).shiftKey === true
              )
            }
          />
        </label>
      </span>
      <TypeIcon type={row.type} progress={row.progress} />
      <div className="jp-NotifyRow-text">
        <span id={`${id}-state`} className="jp-NotifyHidden">
          {stateLabel(row, trans)}
        </span>
        <Summary
          row={row}
          links={open}
          whole={open}
          id={`${id}-summary`}
          className="jp-NotifyRow-summary"
        />
        {!open && row.preview && (
          <Preview id={`${id}-preview`} start={row.preview} />
        )}
        {row.type === 'in-progress' && <Progress value={row.progress} />}
        <Meta {...props} />
      </div>
      {!open && row.image && <Thumbnail row={row} />}
      <div className="jp-NotifyRow-when">
        <time dir="auto" dateTime={row.updated} title={times.exact(when)}>
          {times.inDay(when, now)}
        </time>
        {hasDetails(row) && (
          <span
            className="jp-NotifyRow-more"
            role="img"
            aria-label={trans.__('Has details')}
            title={trans.__('Has details')}
          >
            <Glyph name="caret" />
          </span>
        )}
      </div>
      <Tools {...props} />
    </div>
  );
}

/** The first words of a row's text, in one line. */
function Preview(props: { id: string; start: string }): JSX.Element {
  const { id, start } = props;
  const text = React.useMemo(() => previewOf(start), [start]);
  return (
    <div id={id} className="jp-NotifyRow-preview" dir="auto">
      {text}
    </div>
  );
}

/** Tell if an open row shows more than a closed one. */
function hasDetails(row: Notification): boolean {
  return row.hasBody || row.image !== null || row.actions.length > 0;
}

/** A progress, as a bar. */
export function Progress(props: { value: number | null }): JSX.Element {
  const { value } = props;
  const { trans } = React.useContext(Shared);
  return (
    <div
      className={classes('jp-NotifyProgress', {
        'jp-mod-unknown': value === null
      })}
      role="progressbar"
      aria-label={trans.__('Progress')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === null ? undefined : Math.round(value * 100)}
    >
      <span style={value === null ? undefined : { width: `${value * 100}%` }} />
    </div>
  );
}

/** The progress in words, or where it was when its sender fell silent. */
function HowFar(props: { row: Notification; now: Date }): JSX.Element | null {
  const { row, now } = props;
  const { trans, times, percent } = React.useContext(Shared);
  const progress = row.progress === null ? '' : percent.format(row.progress);
  // A question says in place of its buttons that its program is gone.
  if (row.stopped === null || row.reply) {
    return row.type === 'in-progress' && progress ? (
      <span>
        <bdi>{progress}</bdi>
      </span>
    ) : null;
  }
  const time = untilText(new Date(row.stopped), now, times.language);
  return (
    <span>
      <bdi>
        {progress
          ? trans.__('Stopped reporting at %1, at %2', time, isolate(progress))
          : trans.__('Stopped reporting at %1', time)}
      </bdi>
    </span>
  );
}

/** The line below the message: who, to whom, how far, until when. */
function Meta(props: IPartProps): JSX.Element {
  const { row, now, open, id } = props;
  const { trans, times } = React.useContext(Shared);
  const exact = times.exact(new Date(row.updated));
  return (
    <div id={`${id}-meta`} className="jp-NotifyRow-meta">
      <span className="jp-NotifyRow-source">
        <bdi>{senderOf(row, trans)}</bdi>
      </span>
      {row.origin !== 'ingest' && (
        <span>
          {row.origin === 'broadcast'
            ? trans.__('announcement')
            : trans.__('to you')}
        </span>
      )}
      <HowFar row={row} now={now} />
      {isSnoozed(row) && (
        <span className="jp-NotifyRow-snoozed">
          <bdi>
            {trans.__(
              'Comes back %1',
              untilText(new Date(row.snoozedUntil!), now, times.language)
            )}
          </bdi>
        </span>
      )}
      {row.expired !== null ? (
        <span className="jp-NotifyRow-gone">
          <bdi>
            {trans.__(
              'Expired at %1; it goes once it is closed',
              isolate(times.time(new Date(row.expired)))
            )}
          </bdi>
        </span>
      ) : row.ended !== null ? (
        <span className="jp-NotifyRow-gone">
          <bdi>
            {trans.__(
              'Expired: %1',
              isolate(times.moment(new Date(row.ended), now))
            )}
          </bdi>
        </span>
      ) : (
        row.expiresAt && (
          <span>
            <bdi>{times.expires(new Date(row.expiresAt), now)}</bdi>
          </span>
        )
      )}
      {open ? (
        <time dateTime={row.updated}>
          <bdi>{exact}</bdi>
        </time>
      ) : (
        <span className="jp-NotifyHidden">{exact}</span>
      )}
    </div>
  );
}

/** The buttons that a row shows under the pointer. */
// Longer than a screen: one list of buttons, with when each is there.
function Tools(props: IPartProps): JSX.Element {
  const { row, open, handlers, id, tab } = props;
  const { trans } = React.useContext(Shared);
  const unread = isUnread(row);
  const dismissed = isDismissed(row);
  const gone = row.expired !== null;
  return (
    <div className="jp-NotifyRow-tools">
      {!open && row.actions.length > 0 && (
        <ActionButton row={row} index={0} tab={tab} />
      )}
      {isSnoozed(row) ? (
        <IconButton
          tabIndex={tab}
          label={trans.__('Bring back now')}
          hint="Z"
          onClick={() => handlers.snooze(row, null)}
        >
          <Glyph name="back" />
        </IconButton>
      ) : !dismissed && !gone ? (
        <IconButton
          tabIndex={tab}
          label={unread ? trans.__('Mark as read') : trans.__('Mark as unread')}
          hint={unread ? 'R' : 'U'}
          onClick={() => handlers.read(row, unread)}
        >
          <Glyph name={unread ? 'check' : 'dot'} />
        </IconButton>
      ) : null}
      {dismissed ? (
        <IconButton
          tabIndex={tab}
          label={trans.__('Move back to the inbox')}
          hint="E"
          onClick={() => handlers.dismiss(row, false)}
        >
          <Glyph name="back" />
        </IconButton>
      ) : row.dismissable && !gone ? (
        <IconButton
          tabIndex={tab}
          label={trans.__('Done')}
          hint="E"
          onClick={() => handlers.dismiss(row, true)}
        >
          <Glyph name="done" />
        </IconButton>
      ) : null}
      <IconButton
        tabIndex={tab}
        className="jp-NotifyRow-caret"
        label={open ? trans.__('Hide details') : trans.__('Show details')}
        aria-expanded={open}
        aria-controls={open ? `${id}-details` : undefined}
        onClick={() => handlers.toggle(row)}
      >
        <Glyph name="caret" />
      </IconButton>
    </div>
  );
}

function stateLabel(
  row: Notification,
  trans: React.ContextType<typeof Shared>['trans']
): string {
  const type = typeLabel(row.type, trans);
  return isUnread(row) ? trans.__('Unread, %1:', type) : trans.__('%1:', type);
}

/** Join class names: the first, and those others whose condition holds. */
export function classes(
  first: string,
  others: Record<string, boolean>
): string {
  return [first, ...Object.keys(others).filter(name => others[name])].join(' ');
}
