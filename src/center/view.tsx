/**
 * The notification center, loaded when it is first opened.
 */
import * as React from 'react';

import {
  type ICenterProps,
  type IShared,
  Shared,
  useShared
} from '../components/context';
import { useNow, useSignal } from '../components/hooks';
import { Empty, Failed, Skeleton } from '../components/states';
import { FilterBar } from './filter';
import { Header } from './header';
import { centerKey } from './keymap';
import { type IListHandle, type IListProps, List } from './list';
import type { Listing } from './listing';
import { Notices } from './notices';
import { SelectionModel } from './selection';
import { SelectionToolbar } from './selectionToolbar';
import { UndoManager } from '../components/undo';
import { UndoBar } from './undoBar';
import { useKeptFocus } from './useKeptFocus';
import { type IListingState, useListing } from './useListing';
import { useNews } from './useNews';
import { useRequests } from './useRequests';
import { useMarkRead, useRowActions } from './useRowActions';
import '../../style/center.css';

/**
 * The center. It composes the hooks that hold its state and the components that draw it, and is
 * as long as there are of these.
 */
// Longer than a screen: it connects the hooks of the panel to its parts.
export function Center(props: ICenterProps): JSX.Element {
  const { model, host } = props;
  const { shared, failure, forget } = useShared(props);
  const root = React.useRef<HTMLDivElement>(null);
  const list = React.useRef<IListHandle>(null);
  const searchField = React.useRef<HTMLInputElement>(null);
  const [openId, setOpenId] = React.useState<string | null>(null);

  const visible = useSignal(host.visibleChanged, () => host.visible);
  const inSight = () => host.visible;
  const counts = useSignal(model.stateChanged, () => model.counts, inSight);
  const now = useNow(model, visible);
  const news = useNews(host, shared);
  const shown = useListing(model, host, () => selection.clear());
  const { listing, rows, view } = shown;

  const selection = useSelection(listing, rows);
  const undo = useUndo(shared, forget, root, id => focusOn(id));
  const markRead = useMarkRead(model, shared.fail);
  const handlers = useRowActions({
    selection,
    undo,
    openId,
    setOpenId,
    markRead
  });
  const focusOn = useRequests({
    host,
    shared,
    rows,
    openId,
    list,
    root,
    include: shown.include,
    open: (row, read) => (read ? handlers.toggle(row) : setOpenId(row.id))
  });

  const onKeyDown = (event: React.KeyboardEvent) => {
    const key = centerKey(event);
    if (key === 'search') {
      event.preventDefault();
      searchField.current?.focus();
    } else if (key === 'undo' && undo.last) {
      event.preventDefault();
      event.stopPropagation();
      void undo.undo();
    }
  };

  return (
    <Shared.Provider value={shared}>
      <div
        className="jp-NotifyCenter-content"
        ref={root}
        tabIndex={-1}
        {...useKeptFocus(root, list)}
        onKeyDown={onKeyDown}
      >
        <Header host={host} counts={counts} undo={undo} />
        <FilterBar
          view={view}
          search={shown.search}
          unread={counts.unread}
          searchRef={searchField}
          onView={shown.setView}
          onSearch={shown.setSearch}
          onLeave={() => list.current?.focus()}
        />
        <Notices listing={listing} failure={failure} onClose={forget} />
        <SelectionToolbar
          selection={selection}
          undo={undo}
          rows={rows}
          view={view}
          onLeave={() => list.current?.focus()}
        />
        <Main
          shown={shown}
          listRef={list}
          now={now}
          openId={openId}
          selection={selection.ids}
          // How many there are with those not loaded yet, as far as that is known.
          total={
            !shown.filtered
              ? Math.max(rows.length, counts[view])
              : listing.complete
                ? rows.length
                : -1
          }
          handlers={handlers}
        />
        <UndoBar
          undo={undo.last}
          onUndo={() => void undo.undo()}
          onGone={() => undo.forget()}
        />
        <div className="jp-NotifyHidden" role="log" aria-live="polite">
          {news}
        </div>
      </div>
    </Shared.Provider>
  );
}

/** The list, or why there is none. */
function Main(
  props: Pick<
    IListProps,
    'now' | 'openId' | 'selection' | 'total' | 'handlers'
  > & { shown: IListingState; listRef: React.RefObject<IListHandle> }
): JSX.Element {
  const { shown, listRef, ...rest } = props;
  const { listing, rows, view } = shown;
  const { trans } = React.useContext(Shared);
  return (
    <div className="jp-NotifyMain">
      {rows.length > 0 ? (
        <List
          key={view}
          ref={listRef}
          listing={listing}
          rows={rows}
          label={trans.__('Notifications')}
          {...rest}
        />
      ) : listing.loading ? (
        <Skeleton />
      ) : listing.error !== null ? (
        <Failed reason={listing.error} onRetry={() => void listing.load()} />
      ) : (
        <Empty
          view={view}
          filtered={shown.filtered}
          onClear={() => shown.setSearch('')}
        />
      )}
    </div>
  );
}

/** The selection, which holds only what is in the list. */
function useSelection(
  listing: Listing,
  rows: IListingState['rows']
): SelectionModel {
  const selection = React.useMemo(() => new SelectionModel(listing), []);
  useSignal(selection.changed, () => selection.ids);
  React.useEffect(() => selection.keep(rows), [rows]);
  React.useEffect(() => () => selection.dispose(), []);
  return selection;
}

/** What makes the changes, and undoes the last one. */
function useUndo(
  shared: IShared,
  began: () => void,
  root: React.RefObject<HTMLElement>,
  focusOn: (id: string) => void
): UndoManager {
  const { fail, model, times, trans } = shared;
  const undo = React.useMemo(
    () =>
      new UndoManager({
        model,
        trans,
        format: count => times.number.format(count),
        began,
        failed: (reason, id) => {
          fail(reason);
          if (id !== null && root.current?.contains(document.activeElement)) {
            focusOn(id);
          }
        },
        restored: focusOn
      }),
    []
  );
  useSignal(undo.changed, () => undo.last);
  React.useEffect(() => () => undo.dispose(), []);
  return undo;
}
