/**
 * The parts of a message: its line, its text, its buttons. The center's rows and the banner show
 * them.
 */
import * as React from 'react';

import { visible } from '../text/visible';
import type { Action, Notification } from '../wire';
import { Shared } from './context';
import { PlainSummary } from './plainText';
import { useBody } from './useBody';
import '../../style/surface.css';
import '../../style/messages.css';

/**
 * The line of a message, with links only where they can be followed.
 *
 * @param props.whole - whether all of it is shown; else its end may be cut off.
 */
export function Summary(props: {
  row: Notification;
  links: boolean;
  whole: boolean;
  id?: string;
  className?: string;
}): JSX.Element {
  const { row, links, whole, id, className } = props;
  const { markdown } = React.useContext(Shared);
  const rendered = useRendered(
    row.markdown ? row.message : null,
    source => markdown.inline(source, links, whole),
    `${links} ${whole}`
  );
  return (
    <div id={id} className={`jp-NotifySummary ${className ?? ''}`} dir="auto">
      {rendered ?? <PlainSummary text={row.message} whole={whole} />}
    </div>
  );
}

/**
 * The text of a message, fetched when it is first shown.
 */
export function Body(props: { row: Notification }): JSX.Element | null {
  const { markdown, trans } = React.useContext(Shared);
  const { body, failure, retry } = useBody(props.row);
  const rendered = useRendered(body ?? null, source => markdown.block(source));

  if (failure && body === undefined && props.row.ended !== null) {
    return (
      <div className="jp-NotifyBody">
        {trans.__('Its text is not here: it expired before anybody opened it.')}
      </div>
    );
  }
  if (failure && body === undefined) {
    return (
      <div className="jp-NotifyBody-failed" role="alert">
        <span>{trans.__('The text could not be fetched. %1', failure)}</span>
        <button type="button" className="jp-NotifyLink" onClick={retry}>
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
  return (
    <div className="jp-NotifyRow-actions">
      {row.actions.map((_, index) => (
        <ActionButton key={index} row={row} index={index} tab={tab} />
      ))}
    </div>
  );
}

/**
 * One of the buttons of a message.
 */
export function ActionButton(props: {
  row: Notification;
  index: number;
  tab?: number;
}): JSX.Element {
  const { row, index, tab } = props;
  const { actions, fail, trans } = React.useContext(Shared);
  const [running, setRunning] = React.useState(false);
  const action = row.actions[index];
  // Of a button with both, the command runs.
  const url = action.commandId ? null : action.url;
  const run = async () => {
    setRunning(true);
    try {
      await actions.run(row, index);
    } catch (reason) {
      fail(reason);
    } finally {
      setRunning(false);
    }
  };
  return (
    <button
      type="button"
      tabIndex={tab}
      className={actionClass(action)}
      title={
        visible([action.caption, url].filter(Boolean).join('\n')) || undefined
      }
      aria-disabled={running}
      onClick={() => running || void run()}
    >
      <bdi className="jp-NotifyAction-label">{visible(action.label)}</bdi>
      {url && (
        <>
          <span aria-hidden="true">↗</span>
          <span className="jp-NotifyHidden">
            {' '}
            {trans.__('(opens in a new tab)')}
          </span>
        </>
      )}
    </button>
  );
}

/** Return JupyterLab's own button classes, so that our buttons follow the theme. */
export function actionClass({
  displayType
}: Pick<Action, 'displayType'>): string {
  switch (displayType) {
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

/** Return the text rendered from Markdown; the earlier text stays until a new one is ready. */
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
