/**
 * One notification in the list, closed or open in place.
 */
import * as React from 'react';

import { typeLabel } from '../text/labels';
import { isUnread } from '../state';
import type { Notification } from '../wire';
import { Shared } from '../components/context';
import { Glyph, IconButton, TypeIcon } from '../components/icons';
import { Actions, Body, Summary } from '../components/message';

/**
 * What a row is asked to do; the same object for all rows, so that they need not be drawn anew.
 */
export interface IRowHandlers {
  toggle(row: Notification): void;
  select(row: Notification, range: boolean): void;
  read(row: Notification, read: boolean): void;
  dismiss(row: Notification, dismissed: boolean): void;
}

/**
 * The state of a row.
 */
export interface IRowProps {
  row: Notification;
  now: Date;
  open: boolean;
  /** Whether the keyboard is at this row: the one that Tab comes to. */
  current: boolean;
  selected: boolean;
  /** Whether several are being selected. */
  selecting: boolean;
  position: number;
  size: number;
  handlers: IRowHandlers;
}

/**
 * One notification.
 */
export const Row = React.memo((props: IRowProps): JSX.Element => {
  const { row, now, open, current, selected, selecting, handlers } = props;
  const { trans, times, percent } = React.useContext(Shared);
  const id = `jp-notify-${row.id}`;
  const when = new Date(row.updated);
  const tab = current ? 0 : -1;
  const unread = isUnread(row);
  const progress = row.type === 'in-progress' ? row.progress : null;

  const onClick = (event: React.MouseEvent) => {
    if ((event.target as Element).closest('a, button, input, label')) {
      return;
    }
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      handlers.select(row, event.shiftKey);
    } else if (window.getSelection()?.isCollapsed !== false) {
      // Not when words of the message were just marked with the mouse.
      handlers.toggle(row);
    }
  };

  return (
    <article
      id={id}
      data-id={row.id}
      className={classes('jp-NotifyRow', {
        'jp-mod-unread': unread,
        'jp-mod-open': open,
        'jp-mod-selected': selected,
        'jp-mod-selecting': selecting
      })}
      tabIndex={tab}
      aria-posinset={props.position}
      aria-setsize={props.size}
      aria-labelledby={`${id}-state ${id}-summary`}
      aria-describedby={`${id}-meta`}
    >
      <div className="jp-NotifyRow-head" onClick={onClick}>
        <span className="jp-NotifyRow-dot" aria-hidden="true" />
        <span className="jp-NotifyRow-lead">
          <TypeIcon type={row.type} progress={row.progress} />
          <label className="jp-NotifyRow-check">
            <input
              type="checkbox"
              tabIndex={tab}
              checked={selected}
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
        <div className="jp-NotifyRow-text">
          <span id={`${id}-state`} className="jp-NotifyHidden">
            {stateLabel(row, trans)}
          </span>
          <Summary
            row={row}
            open={open}
            id={`${id}-summary`}
            className="jp-NotifyRow-summary"
          />
          {row.type === 'in-progress' && (
            <div
              className={classes('jp-NotifyProgress', {
                'jp-mod-unknown': progress === null
              })}
              role="progressbar"
              aria-label={trans.__('Progress')}
              aria-valuemin={0}
              aria-valuemax={100}
              aria-valuenow={
                progress === null ? undefined : Math.round(progress * 100)
              }
            >
              <span
                style={
                  progress === null
                    ? undefined
                    : { width: `${progress * 100}%` }
                }
              />
            </div>
          )}
          <div id={`${id}-meta`} className="jp-NotifyRow-meta">
            <span className="jp-NotifyRow-source">{row.source}</span>
            {row.origin !== 'ingest' && (
              <span>
                {row.origin === 'broadcast'
                  ? trans.__('to everyone')
                  : trans.__('to you')}
              </span>
            )}
            {progress !== null && <span>{percent.format(progress)}</span>}
            {row.expiresAt && (
              <span>{times.expires(new Date(row.expiresAt), now)}</span>
            )}
            {open ? (
              <time dateTime={row.updated}>{times.exact(when)}</time>
            ) : (
              <span className="jp-NotifyHidden">{times.exact(when)}</span>
            )}
          </div>
        </div>
        <time
          className="jp-NotifyRow-when"
          dateTime={row.updated}
          title={times.exact(when)}
        >
          {times.ago(when, now)}
        </time>
        <div className="jp-NotifyRow-tools">
          {row.dismissed === null && (
            <IconButton
              tabIndex={tab}
              label={
                unread ? trans.__('Mark as read') : trans.__('Mark as unread')
              }
              hint={unread ? 'R' : 'U'}
              onClick={() => handlers.read(row, unread)}
            >
              <Glyph name={unread ? 'check' : 'dot'} />
            </IconButton>
          )}
          {row.dismissed !== null ? (
            <IconButton
              tabIndex={tab}
              label={trans.__('Move back to the inbox')}
              hint="E"
              onClick={() => handlers.dismiss(row, false)}
            >
              <Glyph name="back" />
            </IconButton>
          ) : row.dismissable ? (
            <IconButton
              tabIndex={tab}
              label={trans.__('Dismiss')}
              hint="E"
              onClick={() => handlers.dismiss(row, true)}
            >
              <Glyph name="close" />
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
      </div>
      {open && (
        <div id={`${id}-details`} className="jp-NotifyRow-details">
          {row.hasBody && <Body row={row} />}
          {row.actions.length > 0 && <Actions row={row} tab={tab} />}
        </div>
      )}
    </article>
  );
});
Row.displayName = 'Row';

function stateLabel(
  row: Notification,
  trans: React.ContextType<typeof Shared>['trans']
): string {
  const type = typeLabel(row.type, trans);
  return isUnread(row) ? trans.__('Unread, %1:', type) : trans.__('%1:', type);
}

/** The names whose condition holds, after the first. */
export function classes(
  first: string,
  others: Record<string, boolean>
): string {
  return [first, ...Object.keys(others).filter(name => others[name])].join(' ');
}
