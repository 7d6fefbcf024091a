/**
 * Placeholders shown where there are no rows, and notices about the list.
 */
import * as React from 'react';

import type { NotificationModel } from '../tokens';
import { Shared } from './context';
import { Glyph, IconButton } from './icons';

/**
 * A picture and a sentence in the place of an empty list.
 */
export function Empty(props: {
  view: NotificationModel.IQuery['view'];
  filtered: boolean;
  onClear(): void;
}): JSX.Element {
  const { trans } = React.useContext(Shared);
  const [title, text] = props.filtered
    ? [
        trans.__('Nothing matches'),
        trans.__('No notification here fits this search.')
      ]
    : {
        inbox: [
          trans.__('All quiet'),
          trans.__(
            'Messages from your platform, your jobs and your notebooks appear here.'
          )
        ],
        unread: [
          trans.__('All read'),
          trans.__('There is nothing new for you.')
        ],
        dismissed: [
          trans.__('Nothing done yet'),
          trans.__('What you are done with is kept here for a while.')
        ],
        snoozed: [
          trans.__('Nothing is snoozed'),
          trans.__('What you snooze waits here until its time.')
        ]
      }[props.view];
  return (
    <div className="jp-NotifyEmpty">
      <Picture kind={props.filtered ? 'search' : props.view} />
      <h3>{title}</h3>
      <p>{text}</p>
      {props.filtered && (
        <button
          type="button"
          className="jp-NotifyAction jp-NotifyAction-plain"
          onClick={props.onClear}
        >
          {trans.__('Clear filter')}
        </button>
      )}
    </div>
  );
}

/**
 * The reason why the list could not be fetched, and a button that tries again.
 */
export function Failed(props: {
  reason: string;
  onRetry(): void;
}): JSX.Element {
  const { trans } = React.useContext(Shared);
  return (
    <div className="jp-NotifyEmpty" role="alert">
      <Picture kind="failed" />
      <h3>{trans.__('The notifications could not be fetched')}</h3>
      <p>{props.reason}</p>
      <button
        type="button"
        className="jp-NotifyAction jp-mod-styled jp-mod-accept"
        onClick={props.onRetry}
      >
        {trans.__('Retry')}
      </button>
    </div>
  );
}

function Picture(props: {
  kind: NotificationModel.IQuery['view'] | 'search' | 'failed';
}): JSX.Element {
  const { kind } = props;
  return (
    <svg viewBox="0 0 96 96" aria-hidden="true" focusable="false">
      <ellipse
        className="jp-NotifyEmpty-ground"
        cx="48"
        cy="84"
        rx="27"
        ry="3.5"
      />
      {kind === 'search' ? (
        <>
          <circle className="jp-NotifyEmpty-fill" cx="43" cy="41" r="21" />
          <path d="M43 20a21 21 0 1 1 0 42 21 21 0 0 1 0-42zm15.5 36.5L75 73" />
          <path className="jp-NotifyEmpty-soft" d="M33 41h20" />
        </>
      ) : (
        <>
          <path
            className="jp-NotifyEmpty-fill"
            d="M48 19c-12 0-19 9-19 21v14l-7 9v3h52v-3l-7-9V40c0-12-7-21-19-21z"
          />
          <path d="M48 19c-12 0-19 9-19 21v14l-7 9v3h52v-3l-7-9V40c0-12-7-21-19-21zm0 0v-5m-7 52a7 7 0 0 0 14 0" />
          <path
            className="jp-NotifyEmpty-soft"
            d={
              kind === 'inbox'
                ? 'M70 17h9l-9 11h9m5-20h6l-6 7h6'
                : kind === 'failed'
                  ? 'm68 14 12 12m0-12-12 12'
                  : 'm66 22 5 5 11-12'
            }
          />
        </>
      )}
    </svg>
  );
}

/**
 * Placeholders for rows that are being fetched.
 */
export function Skeleton(): JSX.Element {
  const { trans } = React.useContext(Shared);
  return (
    <div className="jp-NotifySkeleton-list" role="status">
      <span className="jp-NotifyHidden">
        {trans.__('Loading notifications')}
      </span>
      {[78, 56, 88, 64, 72].map(width => (
        <div
          key={width}
          className="jp-NotifySkeleton jp-NotifySkeleton-row"
          aria-hidden="true"
        >
          <span style={{ width: `${width}%` }} />
          <span style={{ width: '32%' }} />
        </div>
      ))}
    </div>
  );
}

/**
 * One sentence across the list.
 */
export function Notice(props: {
  kind: 'quiet' | 'warning' | 'error';
  children: React.ReactNode;
}): JSX.Element {
  return (
    <div
      className={`jp-NotifyNotice jp-mod-${props.kind}`}
      role={props.kind === 'error' ? 'alert' : 'status'}
    >
      {props.children}
    </div>
  );
}

/**
 * The last failure, until the user closes it.
 */
export function Failure(props: {
  text: string | null;
  onClose(): void;
}): JSX.Element | null {
  const { trans } = React.useContext(Shared);
  return props.text === null ? null : (
    <Notice kind="error">
      <span>{props.text}</span>
      <IconButton
        label={trans.__('Close this message')}
        onClick={props.onClose}
      >
        <Glyph name="close" />
      </IconButton>
    </Notice>
  );
}
