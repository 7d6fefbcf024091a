/**
 * Messages of JupyterLab and other extensions in this tab, above the list: they are stored nowhere,
 * and are gone with the tab.
 */
import {
  Notification as LabNotification,
  type NotificationManager
} from '@jupyterlab/apputils';
import * as React from 'react';

import { Shared } from '../components/context';
import { useSignal } from '../components/hooks';
import { Glyph, IconButton, TypeIcon } from '../components/icons';
import { actionClass } from '../components/message';
import { isOwnToast } from '../ownToasts';
import { drawn } from '../text/drawn';
import { typeLabel } from '../text/labels';
import { visible } from '../text/visible';
import { Progress } from './row';

/**
 * The messages of this tab, newest first; nothing if there are none.
 */
export function ThisTab(props: {
  now: Date;
  /** JupyterLab's notifications, unless others are given. */
  manager?: NotificationManager;
  /** The focus was in the last message, which is gone. */
  onLeave(): void;
}): JSX.Element | null {
  const { now, manager = LabNotification.manager, onLeave } = props;
  const { trans } = React.useContext(Shared);
  const all = useSignal(manager.changed, () => manager.notifications);
  const rows = all.filter(row => !isOwnToast(row));
  const heading = React.useId();
  const focus = useHandedOn(rows.length, onLeave);
  if (rows.length === 0) {
    return null;
  }
  return (
    <section className="jp-NotifyThisTab" aria-labelledby={heading} {...focus}>
      <div className="jp-NotifyThisTab-head">
        <h3 id={heading}>{trans.__('This tab')}</h3>
        <button
          type="button"
          className="jp-NotifyLink"
          onClick={() => rows.forEach(row => manager.dismiss(row.id))}
        >
          {trans.__('Clear')}
        </button>
      </div>
      <ul className="jp-NotifyThisTab-list">
        {rows.map(row => (
          <Item
            key={row.id}
            row={row}
            now={now}
            onDismiss={() => manager.dismiss(row.id)}
          />
        ))}
      </ul>
    </section>
  );
}

/**
 * Hand the focus on when the element that has it goes with its message: to the message that takes
 * its place, or else to the last one.
 *
 * @param onLeave - Called if no message is left.
 * @returns The attributes of the element that holds the messages.
 */
function useHandedOn(
  count: number,
  onLeave: () => void
): React.HTMLAttributes<HTMLElement> & React.RefAttributes<HTMLElement> {
  const root = React.useRef<HTMLElement>(null);
  /** The place of the message that has the focus; null while the focus is elsewhere. */
  const place = React.useRef<number | null>(null);
  React.useLayoutEffect(() => {
    if (place.current === null || document.activeElement !== document.body) {
      return;
    }
    const crosses = root.current?.querySelectorAll<HTMLElement>('li > button');
    if (crosses?.length) {
      crosses[Math.min(place.current, crosses.length - 1)].focus();
    } else {
      place.current = null;
      onLeave();
    }
  }, [count]);
  return {
    ref: root,
    onFocus: ({ target }) => {
      const items = [...(root.current?.querySelectorAll('li') ?? [])];
      place.current = Math.max(
        0,
        items.findIndex(item => item.contains(target))
      );
    },
    onBlur: ({ target }) => {
      queueMicrotask(() => {
        // An element that goes takes the focus with it; any other one has lost it.
        if (
          target.isConnected &&
          !root.current?.contains(document.activeElement)
        ) {
          place.current = null;
        }
      });
    }
  };
}

/** One message of this tab. */
function Item(props: {
  row: LabNotification.INotification;
  now: Date;
  onDismiss(): void;
}): JSX.Element {
  const { row, now, onDismiss } = props;
  const { trans, times } = React.useContext(Shared);
  // JupyterLab's own command gives null if there are no actions.
  const actions = row.options.actions ?? [];
  const progress = row.options.progress ?? null;
  const when = new Date(row.modifiedAt);
  return (
    <li className="jp-NotifyThisTab-item">
      <TypeIcon type={row.type} progress={progress} />
      <div className="jp-NotifyThisTab-text">
        <span className="jp-NotifyHidden">
          {trans.__('%1:', typeLabel(row.type, trans))}
        </span>
        <div className="jp-NotifyThisTab-message" dir="auto">
          {drawn(row.message)}
        </div>
        {row.type === 'in-progress' && <Progress value={progress} />}
        {actions.length > 0 && (
          <div className="jp-NotifyRow-actions">
            {actions.map((action, index) => (
              <button
                key={index}
                type="button"
                className={actionClass(action)}
                title={visible(action.caption ?? '') || undefined}
                onClick={({ nativeEvent }) => {
                  // A button closes its message unless it prevents that, as in JupyterLab's list.
                  action.callback(nativeEvent);
                  if (!nativeEvent.defaultPrevented) {
                    onDismiss();
                  }
                }}
              >
                <bdi className="jp-NotifyAction-label">
                  {visible(action.label)}
                </bdi>
              </button>
            ))}
          </div>
        )}
      </div>
      <time
        className="jp-NotifyRow-when"
        dir="auto"
        dateTime={when.toISOString()}
        title={times.exact(when)}
      >
        {times.ago(when, now)}
      </time>
      <IconButton label={trans.__('Dismiss')} onClick={onDismiss}>
        <Glyph name="close" />
      </IconButton>
    </li>
  );
}
