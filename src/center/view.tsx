/**
 * The notification center, loaded when it is first opened.
 */
import * as React from 'react';

import {
  type ICenterHost,
  type ICenterProps,
  type IShared,
  Shared,
  useShared
} from '../components/context';
import { useNow, useSignal } from '../components/hooks';
import { Empty, Failed, Skeleton } from '../components/states';
import { UndoManager } from '../components/undo';
import { isSnoozed } from '../state';
import type { Counts, Notification } from '../wire';
import { bulkHandlers } from './bulk';
import { FilterBar } from './filter';
import { Header } from './header';
import { type IListHandle, type IListProps, List } from './list';
import type { Listing } from './listing';
import { Notices } from './notices';
import { withSource } from './query';
import { openRowMenu, openSnoozeMenu } from './rowMenu';
import { SelectionModel } from './selection';
import { SelectionToolbar } from './selectionToolbar';
import { addShortcuts } from './shortcuts';
import { type ISource, sourcesOf } from './sources';
import { ThisTab } from './thisTab';
import { UndoBar } from './undoBar';
import { useCenterKeys } from './useCenterKeys';
import { useKeptFocus } from './useKeptFocus';
import { usePanelRoom } from './usePanelRoom';
import { type IListingState, useListing } from './useListing';
import { useNews } from './useNews';
import { useRequests } from './useRequests';
import { useMarkRead, useRowActions } from './useRowActions';
import '../../style/center.css';

/**
 * The center: what its parts share, and the parts.
 */
export function Center(props: ICenterProps): JSX.Element {
  const { shared, failure, forget } = useShared(props);
  React.useMemo(() => addShortcuts(props.host.commands, shared.trans), []);
  usePanelRoom(props.host);
  return (
    <Shared.Provider value={shared}>
      <Content host={props.host} failure={failure} forget={forget} />
    </Shared.Provider>
  );
}

/** The props of the content: where the center is, and the last failure. */
interface IContentProps {
  host: ICenterHost;
  failure: string | null;
  forget(): void;
}

/** The hooks that hold the center's state, connected. */
// Longer than a screen: each hook takes what the ones before it give.
function useCenter({ host, forget }: IContentProps) {
  const shared = React.useContext(Shared);
  const { model } = shared;
  const root = React.useRef<HTMLDivElement>(null);
  const list = React.useRef<IListHandle>(null);
  const searchField = React.useRef<HTMLInputElement>(null);
  const [openId, setOpenId] = React.useState<string | null>(null);

  const shown = useListing(model, host, () => selection.clear());
  const { listing, rows } = shown;
  const selection = useSelection(listing, rows);
  const undo = useUndo(shared, forget, root, id => focusOn(id));
  const markRead = useMarkRead(model, shared.fail);
  const snoozeMenu = (chosen: readonly Notification[], at: EventTarget) =>
    chosen.every(isSnoozed)
      ? void undo.snooze(chosen, null)
      : openSnoozeMenu(until => void undo.snooze(chosen, until), at, shared);
  const handlers = useRowActions({
    selection,
    snoozeMenu,
    undo,
    openId,
    setOpenId,
    markRead,
    menu: (row, event) => {
      const chosen = rows.filter(({ id }) => selection.ids.has(id));
      openRowMenu(row, event, {
        ...shared,
        // The menu of one of the selected rows acts on all of them.
        handlers: selection.ids.has(row.id)
          ? bulkHandlers(chosen, undo)
          : handlers,
        undo,
        filterBy: source => shown.setSearch(withSource(shown.search, source))
      });
    }
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
  React.useEffect(() => {
    listing.held = openId;
  }, [openId]);
  const onKeyDown = useCenterKeys({
    host,
    rows,
    selection,
    undo,
    list,
    searchField,
    snoozeMenu
  });
  return {
    root,
    list,
    searchField,
    openId,
    shown,
    selection,
    undo,
    handlers,
    snoozeMenu,
    onKeyDown
  };
}

/** The parts of the center, from top to bottom. */
// Longer than a screen: one list of the parts, with what each is given.
function Content(props: IContentProps): JSX.Element {
  const { host, failure, forget } = props;
  const shared = React.useContext(Shared);
  const { model } = shared;
  const { root, list, searchField, shown, selection, undo, ...own } =
    useCenter(props);
  const visible = useSignal(host.visibleChanged, () => host.visible);
  const inSight = () => host.visible;
  const counts = useSignal(model.stateChanged, () => model.counts, inSight);
  const now = useNow(model, visible);
  const news = useNews(host, shared);
  const { listing, rows, view } = shown;
  const toList = () => list.current?.focus();
  return (
    <div
      className="jp-NotifyCenter-content"
      ref={root}
      tabIndex={-1}
      {...useKeptFocus(root, list, listing.awaiting)}
      onKeyDown={own.onKeyDown}
    >
      <Header host={host} counts={counts} undo={undo} />
      <FilterBar
        view={view}
        hasSnoozed={counts.snoozed > 0}
        search={shown.search}
        sources={useSources(shown, counts)}
        searchRef={searchField}
        onView={shown.setView}
        onSearch={shown.setSearch}
        onLeave={toList}
      />
      <Notices listing={listing} failure={failure} onClose={forget} />
      {!shown.filtered && (view === 'inbox' || view === 'unread') && (
        <ThisTab
          now={now}
          onLeave={() => (list.current ?? root.current)?.focus()}
        />
      )}
      <SelectionToolbar
        selection={selection}
        undo={undo}
        rows={rows}
        view={view}
        snoozeMenu={own.snoozeMenu}
        onLeave={toList}
      />
      <Main
        shown={shown}
        listRef={list}
        now={now}
        openId={own.openId}
        selection={selection.ids}
        total={knownTotal(shown, counts)}
        handlers={own.handlers}
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
  );
}

/** Return the senders in the list that is shown, as far as it is known, without its filter. */
function useSources(
  { filtered, listing, rows, view }: IListingState,
  counts: Readonly<Counts>
): readonly ISource[] {
  const last = React.useRef<readonly ISource[]>([]);
  const { model } = React.useContext(Shared);
  return React.useMemo(() => {
    if (!filtered) {
      last.current = sourcesOf(rows, listing.complete);
    } else if (view === 'inbox') {
      const { notifications } = model;
      last.current = sourcesOf(
        notifications,
        notifications.length >= counts.inbox
      );
    }
    return last.current;
  }, [rows, view, filtered, listing.complete]);
}

/** Count the rows, with those not loaded yet; return -1 if their number is not known. */
function knownTotal(shown: IListingState, counts: Readonly<Counts>): number {
  const { filtered, listing, rows, view } = shown;
  if (!filtered) {
    return Math.max(rows.length, counts[view]);
  }
  return listing.complete ? rows.length : -1;
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
      ) : listing.awaiting ? (
        <Skeleton />
      ) : listing.error !== null ? (
        <Failed reason={listing.error} onRetry={() => void listing.load()} />
      ) : listing.moreError !== null ? (
        <Failed
          reason={listing.moreError}
          onRetry={() => void listing.more()}
        />
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

/** Make the selection, which holds only rows of the list. */
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

/** The manager that makes the changes, and undoes the last one. */
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
