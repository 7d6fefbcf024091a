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
}): JSX.Element | null {
  const { now, manager = LabNotification.manager } = props;
  const { trans } = React.useContext(Shared);
  const all = useSignal(manager.changed, () => manager.notifications);
  const rows = all.filter(row => !isOwnToast(row));
  const heading = React.useId();
  if (rows.length === 0) {
    return null;
  }
  return (
    <section className="jp-NotifyThisTab" aria-labelledby={heading}>
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
          {visible(row.message)}
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
