/**
 * The rows of a listing, grouped by day: only those in sight are in the page.
 */
import * as React from 'react';

import { Shared } from '../components/context';
import { Glyph } from '../components/icons';
import { isDismissed, isSnoozed } from '../state';
import type { Notification } from '../wire';
import { bulkKey, listKey } from './keymap';
import { canSnooze } from './snooze';
import type { Listing } from './listing';
import { type IRowHandlers, Row } from './row';
import { type IRovingFocus, useRovingFocus } from './useRovingFocus';
import { isDrawn, type Item, useVirtualRows } from './useVirtualRows';

/** Distance in pixels that a list may be scrolled and still count as at its top. */
const TOP_PX = 8;

/** Distance to the newest row, in pixels, up to which the list scrolls smoothly; a longer one is jumped. */
const SMOOTH_PX = 2500;

/** The media query of users who want no needless movement. */
const STILL = '(prefers-reduced-motion: reduce)';

/**
 * The requests that the center may make of its list.
 */
export interface IListHandle {
  /** Give the focus to the row that had it last. */
  focus(): void;
  /** Scroll a row into sight, and give it the focus if that is wanted. */
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
  /** The number of rows with those not loaded yet; -1 if that is not known. */
  total: number;
  label: string;
  handlers: IRowHandlers & {
    clear(): boolean;
    all(): void;
    extend(from: Notification, to: Notification): void;
  };
}

/**
 * The list.
 */
// Longer than a screen: it connects the hooks of the list to its rows.
export const List = React.forwardRef<IListHandle, IListProps>((props, ref) => {
  const { listing, rows, now, openId } = props;
  const scroller = React.useRef<HTMLDivElement>(null);
  const [atTop, setAtTop] = React.useState(true);
  const roving = useRovingFocus(rows, scroller);
  const { current, index } = roving;
  const { items, virtualizer, day, scrollTo, keepAtTop, letGo } =
    useVirtualRows({
      listing,
      rows,
      now,
      scroller,
      // New rows on top move nothing that the user reads, unless the list is at its top.
      still: !atTop || openId !== null,
      current
    });

  const go = (to: number, scroll = true) => {
    const row = rows[Math.max(0, Math.min(to, rows.length - 1))];
    if (row) {
      if (scroll) {
        scrollTo(row);
      }
      roving.moveTo(row);
    }
  };
  React.useImperativeHandle(ref, () => ({
    focus: () => (rows.length === 0 ? scroller.current?.focus() : go(index)),
    show: (id, focus) => {
      const to = rows.findIndex(row => row.id === id);
      if (to >= 0) {
        keepAtTop(rows[to]);
      }
      if (focus) {
        go(to < 0 ? index : to, to < 0);
      }
    }
  }));
  const toTop = () => {
    // From far away a smooth scroll would pass through all the rows between.
    const far = (scroller.current?.scrollTop ?? 0) > SMOOTH_PX;
    const still = window.matchMedia(STILL).matches;
    virtualizer.scrollToIndex(0, {
      behavior: far || still ? 'auto' : 'smooth'
    });
  };

  return (
    <div className="jp-NotifyList-frame">
      <News rows={rows} atTop={atTop} onClick={toTop} />
      {!atTop && (
        // The heading itself is above, out of sight.
        <div
          className="jp-NotifyList-day jp-NotifyList-sticky"
          style={{ right: scrollBarWidth(scroller.current) }}
          aria-hidden="true"
        >
          <bdi>{day}</bdi>
        </div>
      )}
      <div
        ref={scroller}
        className="jp-NotifyList"
        role="feed"
        tabIndex={-1}
        aria-label={props.label}
        aria-busy={listing.loading || listing.loadingMore}
        onScroll={({ currentTarget }) => {
          if (isDrawn(currentTarget)) {
            setAtTop(currentTarget.scrollTop <= TOP_PX);
          }
        }}
        onWheel={letGo}
        onPointerDown={letGo}
        onKeyDownCapture={letGo}
        onKeyDown={event => onKeyDown(event, props, roving, go)}
        onFocus={roving.onFocus}
        onBlur={roving.onBlur}
      >
        <div
          className="jp-NotifyList-sizer"
          role="presentation"
          style={{ height: virtualizer.getTotalSize() }}
        >
          {virtualizer.getVirtualItems().map(place => (
            <div
              key={place.key}
              ref={virtualizer.measureElement}
              data-index={place.index}
              className="jp-NotifyList-item"
              role="presentation"
              style={{ transform: `translateY(${place.start}px)` }}
            >
              <ListItem
                {...props}
                item={items[place.index]}
                current={current?.id}
              />
            </div>
          ))}
        </div>
      </div>
    </div>
  );
});
List.displayName = 'List';

/** Do what a key says, to the focused row. */
// Longer than a screen: one case for each key.
function onKeyDown(
  event: React.KeyboardEvent,
  { rows, openId, selection, handlers }: IListProps,
  { current: row, index }: IRovingFocus,
  go: (to: number) => void
): void {
  const target = event.target as HTMLElement;
  const inside =
    event.defaultPrevented || target.closest('.jp-NotifyRow-details') !== null;
  const key = listKey(event);
  if (!row || !key || (inside && event.key !== 'Escape')) {
    return;
  }
  if (selection.size > 0 && bulkKey(event)) {
    // The center does it, to all selected rows.
    return;
  }
  switch (key.do) {
    case 'move':
      if (key.select) {
        const to = Math.max(0, Math.min(index + key.by, rows.length - 1));
        handlers.extend(row, rows[to]);
      }
      go(index + key.by);
      break;
    case 'selectAll':
      // Keep the browser from selecting the page; the center ignores the event after that.
      event.preventDefault();
      handlers.all();
      return;
    case 'toggle':
      // Inside a row, Enter and Space belong to the button that has the focus.
      if (target.dataset.id !== row.id) {
        return;
      }
      handlers.toggle(row);
      break;
    case 'select':
      handlers.select(row, false);
      break;
    case 'dismiss':
      if (row.expired !== null || (!isDismissed(row) && !row.dismissable)) {
        return;
      }
      handlers.dismiss(row, !isDismissed(row));
      break;
    case 'snooze':
      if (row.expired === null && isSnoozed(row)) {
        handlers.snooze(row, null);
      } else if (row.expired === null && canSnooze(row)) {
        handlers.snoozeMenu(row, target);
      } else {
        return;
      }
      break;
    case 'markRead':
    case 'markUnread':
      handlers.read(row, key.do === 'markRead');
      break;
    case 'escape':
      if (!handlers.clear()) {
        const open = rows.find(one => one.id === openId);
        if (openId === null) {
          return;
        }
        if (open) {
          handlers.toggle(open);
          go(rows.indexOf(open));
        }
      }
  }
  event.preventDefault();
  event.stopPropagation();
}

/** The button that counts rows that arrived while the user read further down, and goes to them. */
function News(props: {
  rows: readonly Notification[];
  atTop: boolean;
  onClick(): void;
}): JSX.Element | null {
  const { rows, atTop, onClick } = props;
  const { trans } = React.useContext(Shared);
  const seen = React.useRef(rows[0]?.position ?? 0);
  if (atTop) {
    seen.current = rows[0]?.position ?? 0;
  }
  const fresh = rows.findIndex(row => row.position <= seen.current);
  return atTop || fresh <= 0 ? null : (
    <button type="button" className="jp-NotifyList-news" onClick={onClick}>
      <Glyph name="up" />
      <bdi>{trans._n('%1 new', '%1 new', fresh)}</bdi>
    </button>
  );
}

/** A row, the heading of a day, or the end. */
function ListItem(
  props: Omit<IListProps, 'rows' | 'label'> & {
    item: Item;
    /** The id of the row that Tab reaches. */
    current: string | undefined;
  }
): JSX.Element {
  const { item, selection } = props;
  switch (item.kind) {
    case 'row':
      return (
        <Row
          row={item.row}
          now={props.now}
          open={item.row.id === props.openId}
          current={item.row.id === props.current}
          selected={selection.has(item.row.id)}
          selecting={selection.size > 0}
          position={item.index + 1}
          size={props.total}
          handlers={props.handlers}
        />
      );
    case 'day':
      return (
        // A screen reader reads the date in every row.
        <div className="jp-NotifyList-day" aria-hidden="true">
          <bdi>{item.label}</bdi>
        </div>
      );
    case 'end':
      return <End listing={props.listing} />;
  }
}

/** The line below the last row: more rows are coming, or the reason why they are not. */
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

/** Measure the scroll bar of an element: its width is 0 where it is drawn over the content. */
function scrollBarWidth(element: HTMLElement | null): number {
  return element ? element.offsetWidth - element.clientWidth : 0;
}
