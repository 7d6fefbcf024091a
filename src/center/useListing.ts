/**
 * The list that the center shows: its view, its search, and the rows.
 */
import * as React from 'react';

import { type ICenterHost, onReconnected } from '../components/context';
import { useSignal } from '../components/hooks';
import { isDismissed, isSnoozed, isUnread } from '../state';
import type { INotificationModel, NotificationModel } from '../tokens';
import type { Notification } from '../wire';
import { Listing } from './listing';
import { parse } from './query';

/** Pause in ms after which a search counts as typed. */
const TYPING_MS = 200;

/**
 * The list, and the user's choices that determine it.
 */
export interface IListingState {
  listing: Listing;
  rows: readonly Notification[];
  view: NotificationModel.IQuery['view'];
  /** The text in the search field. */
  search: string;
  /** True if the search leaves anything out. */
  filtered: boolean;
  setView(view: NotificationModel.IQuery['view']): void;
  setSearch(search: string): void;
  /**
   * Bring a row into the list, in another view if it belongs there.
   *
   * @returns False if the user went on to another list meanwhile.
   */
  include(row: Notification): Promise<boolean>;
}

/**
 * Follow the model with a listing, and load what the user chooses.
 *
 * @param onLeave - Called before another list is loaded.
 */
// Longer than a screen: effects that share one listing.
export function useListing(
  model: INotificationModel,
  host: ICenterHost,
  onLeave: () => void
): IListingState {
  const listing = React.useMemo(() => new Listing(model), []);
  // A hidden center is not drawn anew; the rows are read again once it is shown.
  const rows = useSignal(
    listing.changed,
    () => listing.rows,
    () => host.visible
  );
  const [view, setView] =
    React.useState<NotificationModel.IQuery['view']>('inbox');
  const [search, setSearch] = React.useState('');
  const query = parse(search, view);
  const filtered = Boolean(query.text || query.source || query.types);
  useFollowed(listing, model, host);

  const key = JSON.stringify(query);
  const loaded = React.useRef<string | null>(null);
  // A layout effect, so that no row of the old list is shown, or pressed, under the new list's name.
  React.useLayoutEffect(() => {
    const before = loaded.current;
    const load = () => {
      // Meanwhile a request for one notification may have loaded the list that has it.
      if (loaded.current === before && before !== key) {
        loaded.current = key;
        onLeave();
        void listing.load(query);
      }
    };
    if (before !== null && listing.query.view !== view) {
      load();
      return;
    }
    const timer = setTimeout(load, before === null ? 0 : TYPING_MS);
    return () => clearTimeout(timer);
  }, [key]);

  const latest = React.useRef({ rows, view, filtered });
  latest.current = { rows, view, filtered };
  const include = async (row: Notification) => {
    const { rows, view, filtered } = latest.current;
    const home = isDismissed(row)
      ? 'dismissed'
      : isSnoozed(row)
        ? 'snoozed'
        : 'inbox';
    const inView = view === home || (view === 'unread' && isUnread(row));
    const here = rows.some(one => one.id === row.id);
    if (!here && (loaded.current === null || filtered || !inView)) {
      setSearch('');
      setView(home);
      const query = { view: home } as const;
      const key = JSON.stringify(query);
      loaded.current = key;
      await listing.load(query);
      if (loaded.current !== key) {
        return false;
      }
    }
    listing.include(row);
    return true;
  };

  return {
    listing,
    rows,
    view,
    search,
    filtered,
    setView,
    setSearch,
    include
  };
}

/** Tell a listing of changes, and whether the center is visible. */
function useFollowed(
  listing: Listing,
  model: INotificationModel,
  host: ICenterHost
): void {
  React.useEffect(() => {
    const onChanged = (_: unknown, change: NotificationModel.IChange) =>
      listing.apply(change);
    const onVisible = () => {
      listing.active = host.visible;
    };
    model.changed.connect(onChanged);
    const ignore = onReconnected(model, () => listing.retry());
    host.visibleChanged.connect(onVisible);
    onVisible();
    return () => {
      model.changed.disconnect(onChanged);
      ignore();
      host.visibleChanged.disconnect(onVisible);
      listing.dispose();
    };
  }, []);
}
