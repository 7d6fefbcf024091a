/**
 * One notification in the list, closed or open in place.
 */
import * as React from 'react';

import type { Action, Notification } from '../wire';
import { Shared } from './context';
import { Glyph, IconButton, TypeIcon } from './icons';

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
  const unread = row.read === null;
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
          <Summary row={row} open={open} id={`${id}-summary`} />
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

function Summary(props: {
  row: Notification;
  open: boolean;
  id: string;
}): JSX.Element {
  const { row, open, id } = props;
  const { markdown } = React.useContext(Shared);
  const rendered = useRendered(
    row.markdown ? row.message : null,
    source => markdown.inline(source, open),
    open
  );
  return (
    <div id={id} className="jp-NotifyRow-summary" dir="auto">
      {rendered ?? row.message}
    </div>
  );
}

function Body(props: { row: Notification }): JSX.Element | null {
  const { row } = props;
  const { model, fetched, markdown, trans } = React.useContext(Shared);
  const [attempt, setAttempt] = React.useState(0);
  const [failure, setFailure] = React.useState<string | null>(null);
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  const known = fetched.get(row.id);
  const stale = !known || hasNewContent(known.row, row);
  if (known && !stale && known.row.seq < row.seq) {
    // Only the person's state is newer: the body is that of this row too.
    fetched.set(row.id, { row, body: known.body });
  }
  const body = known?.body;

  React.useEffect(() => {
    if (!stale) {
      return;
    }
    let gone = false;
    setFailure(null);
    model.detail(row.id).then(
      detail => {
        // Answers to a row that changes fast may overtake each other.
        if ((fetched.get(row.id)?.row.seq ?? -1) < detail.seq) {
          fetched.set(row.id, { row: detail, body: detail.body });
        }
        draw();
      },
      reason => {
        if (!gone) {
          setFailure(reason instanceof Error ? reason.message : String(reason));
        }
      }
    );
    return () => {
      gone = true;
    };
  }, [row.id, stale ? row.seq : 0, attempt]);

  const rendered = useRendered(body ?? null, source => markdown.block(source));

  if (failure && body === undefined) {
    return (
      <div className="jp-NotifyBody-failed" role="alert">
        <span>{trans.__('The text could not be fetched. %1', failure)}</span>
        <button
          type="button"
          className="jp-NotifyLink"
          onClick={() => setAttempt(attempt + 1)}
        >
          {trans.__('Retry')}
        </button>
      </div>
    );
  }
  if (body === null || body === '') {
    return null;
  }
  if (body === undefined || rendered === null) {
    return (
      <div className="jp-NotifyBody jp-NotifySkeleton" aria-busy="true">
        <span />
        <span />
        <span />
      </div>
    );
  }
  return (
    <div className="jp-NotifyBody jp-NotifyMarkdown" dir="auto">
      {rendered}
    </div>
  );
}

function Actions(props: { row: Notification; tab: number }): JSX.Element {
  const { row, tab } = props;
  const { actions, fail, trans } = React.useContext(Shared);
  const [running, setRunning] = React.useState<number | null>(null);
  const run = async (index: number) => {
    setRunning(index);
    try {
      await actions.run(row, index);
    } catch (reason) {
      fail(reason);
    } finally {
      setRunning(null);
    }
  };
  return (
    <div className="jp-NotifyRow-actions">
      {row.actions.map((action, index) => (
        <button
          key={index}
          type="button"
          tabIndex={tab}
          className={actionClass(action)}
          title={action.caption ?? action.url ?? undefined}
          aria-disabled={running === index}
          onClick={() => running === null && void run(index)}
        >
          <span className="jp-NotifyAction-label">{action.label}</span>
          {action.url && (
            <>
              <span aria-hidden="true">↗</span>
              <span className="jp-NotifyHidden">
                {' '}
                {trans.__('(opens in a new tab)')}
              </span>
            </>
          )}
        </button>
      ))}
    </div>
  );
}

/** JupyterLab's own button classes, so that a theme's buttons are ours. */
function actionClass(action: Action): string {
  switch (action.displayType) {
    case 'accent':
      return 'jp-NotifyAction jp-mod-styled jp-mod-accept';
    case 'warn':
      return 'jp-NotifyAction jp-mod-styled jp-mod-warn';
    case 'link':
      return 'jp-NotifyAction jp-NotifyLink';
    default:
      return 'jp-NotifyAction jp-NotifyAction-plain';
  }
}

/**
 * Whether the sender changed a row, not only the person its state: then its body may be another.
 */
function hasNewContent(known: Notification, row: Notification): boolean {
  return (
    known.seq < row.seq &&
    (known.updated !== row.updated ||
      known.message !== row.message ||
      (known.read === row.read && known.dismissed === row.dismissed))
  );
}

/** Text made of Markdown, the earlier one until a new one is ready. */
function useRendered(
  source: string | null,
  render: (source: string) => Promise<React.ReactNode>,
  variant?: unknown
): React.ReactNode {
  const [rendered, setRendered] = React.useState<React.ReactNode>(null);
  React.useEffect(() => {
    let late = false;
    if (source === null) {
      setRendered(null);
      return;
    }
    void render(source).then(nodes => {
      if (!late) {
        setRendered(nodes);
      }
    });
    return () => {
      late = true;
    };
  }, [source, variant]);
  return rendered;
}

function stateLabel(
  row: Notification,
  trans: React.ContextType<typeof Shared>['trans']
): string {
  const types: Record<Notification['type'], string> = {
    error: trans.__('Error'),
    warning: trans.__('Warning'),
    success: trans.__('Success'),
    info: trans.__('Information'),
    'in-progress': trans.__('In progress'),
    default: trans.__('Message')
  };
  const type = types[row.type];
  return row.read === null
    ? trans.__('Unread, %1:', type)
    : trans.__('%1:', type);
}

/** The names whose condition holds, after the first. */
export function classes(
  first: string,
  others: Record<string, boolean>
): string {
  return [first, ...Object.keys(others).filter(name => others[name])].join(' ');
}
