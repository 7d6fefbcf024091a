/**
 * The rows of the list that are in the page: those in sight, and some on either side.
 */
import {
  defaultRangeExtractor,
  measureElement,
  observeElementOffset,
  useVirtualizer,
  type Virtualizer
} from '@tanstack/react-virtual';
import * as React from 'react';

import { Shared } from '../components/context';
import type { Notification } from '../wire';
import type { Listing } from './listing';

/** Number of rows before the end of the list at which it asks for more. */
const PREFETCH_ROWS = 25;

/** Height in pixels that the heading of the day covers at the list's top. */
const STICKY_PX = 30;

/** Height in pixels that the bar that undoes covers at the list's end, with the gap below it. */
const UNDO_PX = 56;

/** First guesses of heights, in pixels; the real ones are measured. */
const HEIGHTS_PX = { row: 58, day: 30, end: UNDO_PX };

/**
 * An item of the list.
 */
export type Item =
  | { kind: 'day'; key: string; label: string }
  | { kind: 'row'; key: string; row: Notification; index: number }
  | { kind: 'end'; key: string };

/**
 * The items of the list, and those of them that are in the page.
 */
export interface IVirtualRows {
  items: readonly Item[];
  virtualizer: Virtualizer<HTMLDivElement, Element>;
  /** The day of the first row in sight, whose heading stays at the top. */
  day: string | undefined;
  /** Scroll only as far as it takes to bring a row into sight. */
  scrollTo(row: Notification): void;
  /** Keep a row at the top, also while rows are loaded above it. */
  keepAtTop(row: Notification): void;
  /** Stop keeping a row at the top: the user scrolls. */
  letGo(): void;
}

/**
 * Lay the rows of a listing out, grouped by day, and load more as their end comes near.
 *
 * @param still - Whether rows that arrive on top must not move what the user reads.
 * @param current - The row that Tab reaches, which is in the page even far out of sight.
 */
// Longer than a screen: callbacks that share one virtualizer.
export function useVirtualRows(options: {
  listing: Listing;
  rows: readonly Notification[];
  now: Date;
  scroller: React.RefObject<HTMLDivElement>;
  still: boolean;
  current: Notification | undefined;
}): IVirtualRows {
  const { listing, rows, now, scroller, still, current } = options;
  const items = useItems(rows, now);
  const places = React.useMemo(
    () => new Map(items.map((item, index) => [item.key, index])),
    [items]
  );
  const currentPlace = current ? places.get(current.id) : undefined;
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: items.length,
    getScrollElement: () => scroller.current,
    getItemKey: place => items[place].key,
    estimateSize: place => HEIGHTS_PX[items[place].kind],
    overscan: 8,
    anchorTo: still ? 'end' : 'start',
    scrollEndThreshold: -1,
    // A row that is scrolled to stands below the heading that stays at the top, and above the bar
    // that undoes.
    scrollPaddingStart: STICKY_PX,
    scrollPaddingEnd: UNDO_PX,
    observeElementOffset: (instance, report) =>
      observeElementOffset(instance, (offset, isScrolling) => {
        if (isDrawn(instance.scrollElement)) {
          report(offset, isScrolling);
        }
      }),
    measureElement: (element, entry, instance) =>
      isDrawn(instance.scrollElement)
        ? measureElement(element, entry, instance)
        : (instance.measurementsCache[instance.indexFromElement(element)]
            ?.size ?? HEIGHTS_PX.row),
    rangeExtractor: range => {
      const shown = defaultRangeExtractor(range);
      return currentPlace === undefined || shown.includes(currentPlace)
        ? shown
        : [...shown, currentPlace].sort((a, b) => a - b);
    }
  });

  React.useEffect(() => {
    const element = scroller.current!;
    let drawn = isDrawn(element);
    const observer = new ResizeObserver(() => {
      const again = !drawn && isDrawn(element);
      drawn = isDrawn(element);
      if (again) {
        // Some browsers lose the place in the list meanwhile, and none tells of that.
        element.dispatchEvent(new Event('scroll'));
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const last = virtualizer.getVirtualItems().at(-1)?.index ?? 0;
  React.useEffect(() => {
    if (items.length - last < PREFETCH_ROWS && listing.moreError === null) {
      void listing.more();
    }
  }, [last, items, listing]);

  const kept = React.useRef<string | null>(null);
  const startAt = (id: string) => {
    const place = places.get(id);
    if (place !== undefined) {
      virtualizer.scrollToIndex(place, { align: 'start' });
    }
  };
  React.useLayoutEffect(() => {
    if (kept.current !== null) {
      startAt(kept.current);
    }
  }, [items]);

  return {
    items,
    virtualizer,
    day: dayAt(items, virtualizer.range?.startIndex ?? 0),
    scrollTo: row => {
      // The first row is shown with the heading of its day.
      const place = row === rows[0] ? 0 : places.get(row.id)!;
      virtualizer.scrollToIndex(place, { align: 'auto' });
    },
    keepAtTop: row => {
      kept.current = row.id;
      startAt(row.id);
    },
    letGo: () => {
      kept.current = null;
    }
  };
}

/**
 * Tell if an element is drawn. An element that is not, as while JupyterLab changes its theme, has
 * no height, and reports that it is scrolled to its top.
 */
export function isDrawn(element: Element | null): boolean {
  return element !== null && element.clientHeight > 0;
}

/** Find the heading above a place. */
function dayAt(items: readonly Item[], place: number): string | undefined {
  for (let at = Math.min(place, items.length - 1); at >= 0; at--) {
    const item = items[at];
    if (item.kind === 'day') {
      return item.label;
    }
  }
  return undefined;
}

/** The rows with the headings of their days, and what stands at the end. */
function useItems(rows: readonly Notification[], now: Date): readonly Item[] {
  const { times } = React.useContext(Shared);
  return React.useMemo(() => {
    const items: Item[] = [];
    let label = '';
    rows.forEach((row, index) => {
      const own = times.day(new Date(row.updated), now);
      if (own !== label) {
        label = own;
        items.push({ kind: 'day', key: `day ${row.id}`, label });
      }
      items.push({ kind: 'row', key: row.id, row, index });
    });
    items.push({ kind: 'end', key: 'end' });
    return items;
  }, [rows, times, now.toDateString()]);
}
