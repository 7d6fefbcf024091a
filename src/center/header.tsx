/**
 * The head of the center: its title, and the buttons for the whole inbox.
 */
import type { IDisposable } from '@lumino/disposable';
import * as React from 'react';

import { type ICenterHost, Shared } from '../components/context';
import { Glyph, IconButton } from '../components/icons';
import type { Counts } from '../wire';
import { hasMenu, openMenu } from './menu';
import type { UndoManager } from '../components/undo';

/**
 * The head.
 */
export function Header(props: {
  host: ICenterHost;
  counts: Readonly<Counts>;
  undo: UndoManager;
}): JSX.Element {
  const { host, counts, undo } = props;
  const { times, trans } = React.useContext(Shared);
  const menu = React.useRef<IDisposable | null>(null);
  const onMenu = (event: React.MouseEvent<HTMLElement>) => {
    menu.current?.dispose();
    menu.current = openMenu(host, event.currentTarget, trans);
  };
  return (
    <div className="jp-NotifyHeader">
      <div className="jp-NotifyHeader-title">
        <h2>{trans.__('Notifications')}</h2>
        <bdi className="jp-NotifyHeader-unread">
          {counts.unread > 0 &&
            trans._n(
              '%2 unread',
              '%2 unread',
              counts.unread,
              times.number.format(counts.unread)
            )}
        </bdi>
      </div>
      <IconButton
        label={trans.__('Mark all as read')}
        disabled={counts.unread === 0}
        onClick={() => void undo.read('all', true)}
      >
        <Glyph name="allRead" />
      </IconButton>
      <IconButton
        label={trans.__('Mark all as done')}
        disabled={counts.inbox === 0}
        onClick={() => void undo.dismiss('all', true)}
      >
        <Glyph name="doneAll" />
      </IconButton>
      {hasMenu(host.commands) && (
        <IconButton
          label={trans.__('More')}
          aria-haspopup="menu"
          onClick={onMenu}
        >
          <Glyph name="more" />
        </IconButton>
      )}
      <IconButton label={trans.__('Close')} onClick={() => host.close()}>
        <Glyph name="close" />
      </IconButton>
    </div>
  );
}
