/**
 * What is in a message: its line, its text, its buttons. The center's rows and the banner show
 * them.
 */
import * as React from 'react';

import type { Action, Notification } from '../wire';
import { onReconnected, Shared } from './context';
import '../../style/messages.css';

/**
 * How often the text of a progress is fetched while it goes on, in ms.
 */
const PROGRESS_FETCH_MS = 3000;

/**
 * The line of a message, with links only where they can be followed.
 */
export function Summary(props: {
  row: Notification;
  open: boolean;
  id?: string;
  className?: string;
}): JSX.Element {
  const { row, open, id, className } = props;
  const { markdown } = React.useContext(Shared);
  const rendered = useRendered(
    row.markdown ? row.message : null,
    source => markdown.inline(source, open),
    open
  );
  return (
    <div id={id} className={`jp-NotifySummary ${className ?? ''}`} dir="auto">
      {rendered ?? row.message}
    </div>
  );
}

/**
 * The text of a message, fetched when it is first shown.
 */
export function Body(props: { row: Notification }): JSX.Element | null {
  const { row } = props;
  const { model, fetched, markdown, trans } = React.useContext(Shared);
  const [attempt, setAttempt] = React.useState(0);
  const [failure, setFailure] = React.useState<string | null>(null);
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  const known = fetched.get(row.id);
  const stale = !known || hasNewContent(known.row, row);
  if (known && !stale && known.row.seq < row.seq) {
    // Only the user's state is newer: the body is that of this row too.
    fetched.set(row.id, { row, body: known.body });
  }
  const body = known?.body;
  const askedAt = React.useRef(0);

  React.useEffect(() => {
    if (!stale) {
      return;
    }
    let gone = false;
    let state: 'waiting' | 'asking' | 'failed' = 'waiting';
    let again = false;
    const ask = () => {
      askedAt.current = Date.now();
      state = 'asking';
      again = false;
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
          if (gone) {
            return;
          }
          if (again) {
            ask();
            return;
          }
          state = 'failed';
          setFailure(reason instanceof Error ? reason.message : String(reason));
        }
      );
    };
    // What could not be fetched while the server was away can be once it is back, also if that
    // is known only later.
    const ignore = onReconnected(model, () => {
      again = state === 'asking';
      if (state === 'failed') {
        ask();
      }
    });
    // Each step of a progress may bring another text; its end is not waited for.
    const wait =
      known && row.type === 'in-progress'
        ? askedAt.current + PROGRESS_FETCH_MS - Date.now()
        : 0;
    let timer: number | undefined;
    const askLater = () => {
      timer = window.setTimeout(ask, Math.max(0, wait));
    };
    if (known && document.hidden) {
      // Nobody reads it, and a hub's proxy would take the request for the user's activity.
      document.addEventListener('visibilitychange', askLater, { once: true });
    } else if (wait > 0) {
      askLater();
    } else {
      ask();
    }
    return () => {
      gone = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', askLater);
      ignore();
    };
    // That it was read just now is no reason to ask again for what was not answered yet.
  }, [row.id, stale ? (known ? row.seq : row.updated) : 0, attempt]);

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

/**
 * The buttons of a message.
 */
export function Actions(props: {
  row: Notification;
  tab?: number;
}): JSX.Element {
  const { row, tab } = props;
  const { actions, fail, trans } = React.useContext(Shared);
  const [running, setRunning] = React.useState<readonly number[]>([]);
  const run = async (index: number) => {
    setRunning(others => [...others, index]);
    try {
      await actions.run(row, index);
    } catch (reason) {
      fail(reason);
    } finally {
      setRunning(others => others.filter(other => other !== index));
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
          aria-disabled={running.includes(index)}
          onClick={() => running.includes(index) || void run(index)}
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
 * Whether the sender changed a row, not only the user its state: then its body may be another.
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
export function useRendered(
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
