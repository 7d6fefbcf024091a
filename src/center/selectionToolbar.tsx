/**
 * The toolbar for the selected rows.
 */
import * as React from 'react';

import { Shared } from '../components/context';
import { Glyph, IconButton } from '../components/icons';
import { isUnread } from '../state';
import type { NotificationModel } from '../tokens';
import type { Notification } from '../wire';
import type { SelectionModel } from './selection';
import type { UndoManager } from '../components/undo';

/**
 * The toolbar; there is none while nothing is selected.
 */
// Longer than a screen: mostly markup.
export function SelectionToolbar(props: {
  selection: SelectionModel;
  undo: UndoManager;
  rows: readonly Notification[];
  view: NotificationModel.IQuery['view'];
  /** The selection was cleared: the keyboard goes to the list. */
  onLeave(): void;
}): JSX.Element | null {
  const { selection, undo, rows, view } = props;
  const { times, trans } = React.useContext(Shared);
  const { size } = selection.ids;
  if (size === 0) {
    return null;
  }
  const chosen = rows.filter(row => selection.ids.has(row.id));
  return (
    <div
      className="jp-NotifySelection"
      role="toolbar"
      aria-label={trans.__('For the selected notifications')}
    >
      <span className="jp-NotifySelection-count">
        {trans._n(
          '%2 selected',
          '%2 selected',
          size,
          times.number.format(size)
        )}
      </span>
      {view === 'dismissed' ? (
        <IconButton
          label={trans.__('Move the selected back to the inbox')}
          onClick={() => void undo.dismiss(chosen, false)}
        >
          <Glyph name="back" />
        </IconButton>
      ) : (
        <InboxButtons chosen={chosen} undo={undo} />
      )}
      <span className="jp-NotifySelection-space" />
      <button
        type="button"
        className="jp-NotifyLink"
        disabled={size === rows.length}
        onClick={() => selection.selectAll()}
      >
        {trans.__('Select all')}
      </button>
      <button
        type="button"
        className="jp-NotifyLink"
        onClick={() => {
          selection.clear();
          props.onLeave();
        }}
      >
        {trans.__('Clear')}
      </button>
    </div>
  );
}

/** What is done to rows of the inbox. */
function InboxButtons(props: {
  chosen: readonly Notification[];
  undo: UndoManager;
}): JSX.Element {
  const { chosen, undo } = props;
  const { trans } = React.useContext(Shared);
  const unread = chosen.filter(isUnread);
  const read = chosen.filter(row => !isUnread(row));
  const dismissable = chosen.filter(row => row.dismissable);
  return (
    <>
      <IconButton
        label={trans.__('Mark the selected as read')}
        disabled={unread.length === 0}
        onClick={() => void undo.read(unread, true)}
      >
        <Glyph name="check" />
      </IconButton>
      <IconButton
        label={trans.__('Mark the selected as unread')}
        disabled={read.length === 0}
        onClick={() => void undo.read(read, false)}
      >
        <Glyph name="dot" />
      </IconButton>
      <IconButton
        label={trans.__('Mark the selected as done')}
        disabled={dismissable.length === 0}
        onClick={() => void undo.dismiss(dismissable, true)}
      >
        <Glyph name="done" />
      </IconButton>
    </>
  );
}
