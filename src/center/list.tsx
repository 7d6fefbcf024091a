/**
 * The rows of a listing, grouped by day: only those in sight are in the page.
 */
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import * as React from 'react';

import type { Notification } from '../wire';
import { Shared } from '../components/context';
import { Glyph } from '../components/icons';
import type { Listing } from './listing';
import { type IRowHandlers, Row } from './row';

/** How near to its end a list asks for more, in rows. */
const PREFETCH_ROWS = 25;

/** How far a list may be scrolled and still be at its top, in pixels. */
const TOP_PX = 8;

/** Up to this way to the newest one sees the rows pass by, in pixels. */
const SMOOTH_PX = 2500;

/** Somebody to whom nothing should move that need not. */
const STILL = '(prefers-reduced-motion: reduce)';

/** First guesses of heights, in pixels; the real ones are measured. */
const ROW_PX = 58;
const DAY_PX = 30;
const END_PX = 44;

type Item =
  | { kind: 'day'; key: string; label: string }
  | { kind: 'row'; key: string; row: Notification; index: number }
  | { kind: 'end'; key: string };

/**
 * What the center can ask of its list.
 */
export interface IListHandle {
  /** Put the keyboard at the row it was at. */
  focus(): void;
  /** Bring a row into sight, and the keyboard to it if that is wanted. */
  show(id: string | undefined, focus: boolean): void;
}

/**
 * The state of a list.
 */
export interface IListProps {
  listing: Listing;
  rows: readonly Notification[];
  now: Date;
  openId: string | null;
  selection: ReadonlySet<string>;
  /** How many rows there are with those not loaded yet; -1 if that is not known. */
  total: number;
  label: string;
  handlers: IRowHandlers & {
    clear(): boolean;
    all(): void;
    add(rows: readonly Notification[]): void;
  };
}

/**
 * The list.
 */
export const List = React.forwardRef<IListHandle, IListProps>((props, ref) => {
  const { listing, rows, now, openId, selection, handlers } = props;
  const { trans, times } = React.useContext(Shared);
  const scroller = React.useRef<HTMLDivElement>(null);
  const [atTop, setAtTop] = React.useState(true);

  const day = now.toDateString();
  const items = React.useMemo(() => {
    const made: Item[] = [];
    let label = '';
    rows.forEach((row, index) => {
      const own = times.day(new Date(row.updated), now);
      if (own !== label) {
        label = own;
        made.push({ kind: 'day', key: `day ${row.id}`, label });
      }
      made.push({ kind: 'row', key: row.id, row, index });
    });
    made.push({ kind: 'end', key: 'end' });
    return made;
  }, [rows, times, day]);
  const places = React.useMemo(
    () => new Map(items.map((item, index) => [item.key, index])),
    [items]
  );

  // The row that Tab comes to. When it leaves, the one in its place follows.
  const [currentId, setCurrentId] = React.useState<string | null>(null);
  const currentIndex = React.useRef(0);
  const found = rows.findIndex(row => row.id === currentId);
  const index =
    found >= 0 ? found : Math.min(currentIndex.current, rows.length - 1);
  currentIndex.current = Math.max(index, 0);
  const current: Notification | undefined = rows[index];
  const currentPlace = current ? places.get(current.id) : undefined;

  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    getItemKey: place => items[place].key,
    estimateSize: place =>
      items[place].kind === 'row'
        ? ROW_PX
        : items[place].kind === 'day'
          ? DAY_PX
          : END_PX,
    overscan: 8,
    // What comes in on top does not move what one reads, unless one is at the top.
    anchorTo: atTop && openId === null ? 'start' : 'end',
    scrollEndThreshold: -1,
    rangeExtractor: range => {
      const shown = defaultRangeExtractor(range);
      // Tab needs its row in the page, even far out of sight.
      return currentPlace === undefined || shown.includes(currentPlace)
        ? shown
        : [...shown, currentPlace].sort((a, b) => a - b);
    }
  });
  const shown = virtualizer.getVirtualItems();

  const last = shown[shown.length - 1]?.index ?? 0;
  React.useEffect(() => {
    if (items.length - last < PREFETCH_ROWS && listing.moreError === null) {
      void listing.more();
    }
  }, [last, items, listing]);

  // What came in on top while one was reading further down.
  const seen = React.useRef(rows[0]?.position ?? 0);
  if (atTop) {
    seen.current = rows[0]?.position ?? 0;
  }
  const fresh = rows.findIndex(row => row.position <= seen.current);
  const news = atTop || fresh < 0 ? 0 : fresh;

  const onScroll = () => setAtTop((scroller.current?.scrollTop ?? 0) <= TOP_PX);

  // The focus is kept when its row leaves, and moves once the next row is in the page.
  const wanted = React.useRef<string | null>(null);
  const focused = React.useRef<string | null>(null);
  const element = (id: string) =>
    scroller.current?.querySelector<HTMLElement>(
      `[data-id="${CSS.escape(id)}"]`
    );
  React.useLayoutEffect(() => {
    const lost =
      focused.current !== null &&
      document.activeElement === document.body &&
      !element(focused.current);
    const id = wanted.current ?? (lost ? (current?.id ?? null) : null);
    const target = id && element(id);
    if (target) {
      wanted.current = null;
      target.focus({ preventScroll: true });
    } else if (lost) {
      focused.current = null;
      scroller.current?.focus();
    }
  });

  // A row that was asked for is kept in sight while pages above it come in.
  const kept = React.useRef<string | null>(null);
  const letGo = () => {
    kept.current = null;
  };
  const startAt = (id: string) => {
    const place = places.get(id);
    if (place !== undefined) {
      const day = items[place - 1]?.kind === 'day';
      virtualizer.scrollToIndex(day ? place - 1 : place, { align: 'start' });
    }
  };
  React.useLayoutEffect(() => {
    if (kept.current !== null) {
      startAt(kept.current);
    }
  }, [items]);

  const go = (to: number, scroll = true) => {
    const row = rows[Math.max(0, Math.min(to, rows.length - 1))];
    if (row) {
      wanted.current = row.id;
      setCurrentId(row.id);
      if (scroll) {
        // The first row is shown with the heading of its day.
        const place = row === rows[0] ? 0 : places.get(row.id)!;
        virtualizer.scrollToIndex(place, { align: 'auto' });
      }
      if (row.id === current?.id) {
        element(row.id)?.focus({ preventScroll: true });
      }
    }
  };

  React.useImperativeHandle(ref, () => ({
    focus: () => {
      if (rows.length === 0) {
        scroller.current?.focus();
      } else {
        go(index);
      }
    },
    show: (id, focus) => {
      const to = rows.findIndex(row => row.id === id);
      if (to >= 0) {
        kept.current = rows[to].id;
        startAt(rows[to].id);
      }
      if (focus) {
        go(to < 0 ? index : to, to < 0);
      }
    }
  }));

  const toTop = () => {
    // Far away a smooth way would lead through all the rows between.
    const far = (scroller.current?.scrollTop ?? 0) > SMOOTH_PX;
    const still = window.matchMedia(STILL).matches;
    virtualizer.scrollToIndex(0, {
      behavior: far || still ? 'auto' : 'smooth'
    });
  };

  const onKeyDown = (event: React.KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (event.defaultPrevented || target.closest('.jp-NotifyRow-details')) {
      if (event.key !== 'Escape') {
        return;
      }
    }
    const row = current;
    const accel = event.ctrlKey || event.metaKey;
    if (!row || event.altKey) {
      return;
    }
    if (accel) {
      if (event.key.toLowerCase() === 'a') {
        event.preventDefault();
        handlers.all();
      }
      return;
    }
    const step = (by: number) => {
      if (event.shiftKey) {
        const to = rows[Math.max(0, Math.min(index + by, rows.length - 1))];
        handlers.add([row, to]);
      }
      go(index + by);
    };
    switch (event.key) {
      case 'ArrowDown':
        step(1);
        break;
      case 'ArrowUp':
        step(-1);
        break;
      case 'j':
        go(index + 1);
        break;
      case 'k':
        go(index - 1);
        break;
      case 'PageDown':
        go(index + 10);
        break;
      case 'PageUp':
        go(index - 10);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        go(rows.length - 1);
        break;
      case 'Enter':
      case ' ':
        // Inside the row these belong to the button that has the focus.
        if (target.dataset.id !== row.id) {
          return;
        }
        handlers.toggle(row);
        break;
      case 'x':
        handlers.select(row, false);
        break;
      case 'e':
      case 'Delete':
        if (row.dismissed === null && !row.dismissable) {
          return;
        }
        handlers.dismiss(row, row.dismissed === null);
        break;
      case 'u':
        handlers.read(row, false);
        break;
      case 'r':
        handlers.read(row, true);
        break;
      case 'Escape':
        if (!handlers.clear()) {
          if (openId === null) {
            return;
          }
          const open = rows.find(one => one.id === openId);
          if (open) {
            handlers.toggle(open);
            go(rows.indexOf(open));
          }
        }
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const onFocus = (event: React.FocusEvent) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-id]');
    focused.current = row?.dataset.id ?? null;
    if (row) {
      setCurrentId(focused.current);
    }
  };
  const onBlur = (event: React.FocusEvent) => {
    const id = focused.current;
    queueMicrotask(() => {
      // A row that was taken away while it had the focus is no farewell of the user's.
      if (
        document.activeElement !== document.body ||
        (id !== null && element(id))
      ) {
        if (!scroller.current?.contains(document.activeElement)) {
          focused.current = null;
        }
      }
    });
  };

  return (
    <div className="jp-NotifyList-frame">
      {news > 0 && (
        <button type="button" className="jp-NotifyList-news" onClick={toTop}>
          <Glyph name="up" />
          {trans._n('%1 new', '%1 new', news)}
        </button>
      )}
      <div
        ref={scroller}
        className="jp-NotifyList"
        role="feed"
        tabIndex={-1}
        aria-label={props.label}
        aria-busy={listing.loading || listing.loadingMore}
        onScroll={onScroll}
        onWheel={letGo}
        onPointerDown={letGo}
        onKeyDownCapture={letGo}
        onKeyDown={onKeyDown}
        onFocus={onFocus}
        onBlur={onBlur}
      >
        <div
          className="jp-NotifyList-sizer"
          role="presentation"
          style={{ height: virtualizer.getTotalSize() }}
        >
          {shown.map(place => {
            const item = items[place.index];
            return (
              <div
                key={place.key}
                ref={virtualizer.measureElement}
                data-index={place.index}
                className="jp-NotifyList-item"
                role="presentation"
                style={{ transform: `translateY(${place.start}px)` }}
              >
                {item.kind === 'row' ? (
                  <Row
                    row={item.row}
                    now={now}
                    open={item.row.id === openId}
                    current={item.row.id === current?.id}
                    selected={selection.has(item.row.id)}
                    selecting={selection.size > 0}
                    position={item.index + 1}
                    size={props.total}
                    handlers={handlers}
                  />
                ) : item.kind === 'day' ? (
                  // Every row says its own day to a screen reader.
                  <div className="jp-NotifyList-day" aria-hidden="true">
                    {item.label}
                  </div>
                ) : (
                  <End listing={listing} />
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
});
List.displayName = 'List';

/** What stands below the last row: more to come, or why it does not. */
function End(props: { listing: Listing }): JSX.Element {
  const { listing } = props;
  const { trans } = React.useContext(Shared);
  if (listing.moreError !== null) {
    return (
      <div className="jp-NotifyList-end">
        {trans.__('Older notifications could not be fetched.')}{' '}
        <button
          type="button"
          className="jp-NotifyLink"
          onClick={() => void listing.more()}
        >
          {trans.__('Retry')}
        </button>
      </div>
    );
  }
  return (
    <div className="jp-NotifyList-end" aria-hidden="true">
      {listing.complete ? '' : '…'}
    </div>
  );
}
