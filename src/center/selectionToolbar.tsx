/**
 * The toolbar for the selected rows.
 */
import * as React from 'react';

import { Shared } from '../components/context';
import { Glyph, type GlyphName } from '../components/icons';
import { isSnoozed } from '../state';
import type { NotificationModel } from '../tokens';
import type { Notification } from '../wire';
import { applyBulk, type Bulk, takenBy } from './bulk';
import type { SelectionModel } from './selection';
import { canSnooze } from './snooze';
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
  /** Ask until when to snooze rows; if all of them are snoozed, bring them back. */
  snoozeMenu(rows: readonly Notification[], at: EventTarget): void;
  /** The selection was cleared: the focus goes to the list. */
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
      <bdi className="jp-NotifySelection-count">
        {trans._n(
          '%2 selected',
          '%2 selected',
          size,
          times.number.format(size)
        )}
      </bdi>
      <div className="jp-NotifySelection-buttons">
        {(view === 'dismissed'
          ? (['restore'] as const)
          : (['dismiss', 'markRead', 'markUnread'] as const)
        ).map(bulk => (
          <BulkButton key={bulk} bulk={bulk} chosen={chosen} undo={undo} />
        ))}
        {view !== 'dismissed' && (
          <SnoozeButton chosen={chosen} menu={props.snoozeMenu} />
        )}
      </div>
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

/** The labels of the buttons. */
function useWords(bulk: Bulk): {
  glyph: GlyphName;
  label: string;
  hint: string;
} {
  const { trans } = React.useContext(Shared);
  switch (bulk) {
    case 'dismiss':
      return { glyph: 'done', label: trans.__('Done'), hint: 'E' };
    case 'restore':
      return { glyph: 'back', label: trans.__('Move to inbox'), hint: 'E' };
    case 'markRead':
      return { glyph: 'check', label: trans.__('Mark read'), hint: 'R' };
    case 'markUnread':
      return { glyph: 'dot', label: trans.__('Mark unread'), hint: 'U' };
  }
}

/** The button that makes one change to the selected rows. */
function BulkButton(props: {
  bulk: Bulk;
  chosen: readonly Notification[];
  undo: UndoManager;
}): JSX.Element {
  const { bulk, chosen, undo } = props;
  const { glyph, label, hint } = useWords(bulk);
  return (
    <button
      type="button"
      className="jp-NotifySelection-button"
      title={`${label} (${hint})`}
      disabled={takenBy(bulk, chosen).length === 0}
      onClick={() => applyBulk(bulk, chosen, undo)}
    >
      <Glyph name={glyph} />
      {label}
    </button>
  );
}

/** The button that snoozes the selected rows; if all of them are snoozed, it brings them back. */
function SnoozeButton(props: {
  chosen: readonly Notification[];
  menu(rows: readonly Notification[], at: EventTarget): void;
}): JSX.Element {
  const { trans } = React.useContext(Shared);
  const taken = props.chosen.filter(canSnooze);
  const back = taken.length > 0 && taken.every(isSnoozed);
  const label = back ? trans.__('Bring back') : trans.__('Snooze');
  return (
    <button
      type="button"
      className="jp-NotifySelection-button"
      title={`${label} (Z)`}
      aria-haspopup={back ? undefined : 'menu'}
      disabled={taken.length === 0}
      onClick={event => props.menu(taken, event.currentTarget)}
    >
      <Glyph name={back ? 'back' : 'snooze'} />
      {label}
    </button>
  );
}
