/**
 * The rows of one list of the center: pages from the server, and what the
 * stream brings, merged. No DOM; the panel reads it and calls its commands.
 */
import { type ISignal, Signal } from '@lumino/signaling';

import {
  isActive,
  isDismissed,
  isInInbox,
  isSnoozed,
  isUnread
} from '../state';
import type { NotificationModel } from '../tokens';
import { LIMITS, type Notification, type Page } from '../wire';

/** Number of rows in a page. */
const PAGE_SIZE = 50;

/** Wait in ms for more changes before a list with a search asks the server again. */
const REFRESH_DELAY_MS = 300;

/**
 * Number of changes that are put aside while nobody looks; after more than that the server is
 * asked.
 */
const MOST_ASIDE = 500;

/** Rows that changed while a page was on its way, by id. */
type Late = Map<string, Notification>;

/**
 * The source of a listing's rows.
 */
export interface IListingSource {
  /** A page of the list; see INotificationModel.page. */
  page(
    query: NotificationModel.IQuery,
    before?: number,
    limit?: number
  ): Promise<Page>;
  /** The rows that are known without asking, shown until the first page is here. */
  readonly notifications: readonly Notification[];
}

/**
 * A list that loads page by page and stays true while notifications change.
 *
 * A row is applied as an upsert by id that ignores a lower seq, so that pages and
 * changes may come in any order.
 */
// Longer than a screen: pages, live changes and their order guard one list of rows.
export class Listing {
  constructor(
    source: IListingSource,
    query: NotificationModel.IQuery = { view: 'inbox' }
  ) {
    this._source = source;
    this._query = query;
  }

  /** Emitted when rows, query or state of the listing changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The conditions that all rows meet. */
  get query(): NotificationModel.IQuery {
    return this._query;
  }

  /** The rows, highest position first; a new array whenever one changed. */
  get rows(): readonly Notification[] {
    return this._rows;
  }

  /** True until the first page is here. */
  get loading(): boolean {
    return this._loading;
  }

  /** True while an older page is on its way. */
  get loadingMore(): boolean {
    return this._more !== null;
  }

  /** True while rows may be on their way that are not here: a list without rows is not empty yet. */
  get awaiting(): boolean {
    return (
      this._loading ||
      this._more !== null ||
      // Older rows are asked for once the answer is here.
      (this._asking && this._floor !== null)
    );
  }

  /** True if the oldest row is here. */
  get complete(): boolean {
    return this._floor === null && !this._loading && this._error === null;
  }

  /** The reason why the first page did not come, as a sentence to show; null if it did. */
  get error(): string | null {
    return this._error;
  }

  /** The reason why the next older page did not come, as a sentence to show. */
  get moreError(): string | null {
    return this._moreError;
  }

  /**
   * Leave this list for another one, or load it anew.
   *
   * @returns A promise that resolves when its first page is here, or failed to come.
   */
  load(query: NotificationModel.IQuery = this._query): Promise<void> {
    this._query = query;
    this._included = null;
    // Known rows are shown at once, except for a search for words: only the server
    // knows which rows match, so known rows would flicker in and out.
    this._rows = query.text
      ? []
      : this._source.notifications
          .filter(row => matches(row, query))
          .slice(0, PAGE_SIZE)
          .sort(byPosition);
    return this._fetch(PAGE_SIZE, true);
  }

  /**
   * Ask for the same list again, as far as it was loaded, and keep what is shown until the answer
   * is here.
   */
  refresh(): Promise<void> {
    return this._fetch(Math.max(this._rows.length, PAGE_SIZE), false);
  }

  /**
   * Ask again for what did not come: the server can be reached again.
   */
  retry(): void {
    if (this._error !== null) {
      void this.refresh();
    } else if (this._moreError !== null) {
      void this.more();
    }
  }

  /** The id of the row that the user reads: if the row expires, it stays until this id changes. */
  get held(): string | null {
    return this._held;
  }
  set held(id: string | null) {
    this._held = id;
    if (this._rows.some(row => row.expired !== null && row.id !== id)) {
      this._set(
        this._rows.filter(row => row.expired === null || row.id === id)
      );
    }
  }

  /** True while somebody looks; while nobody does, changes are put aside. */
  get active(): boolean {
    return this._active;
  }
  set active(active: boolean) {
    this._active = active;
    if (active && this._stale) {
      this._stale = false;
      this._aside.clear();
      void this.refresh();
    } else if (active && this._aside.size > 0) {
      const notifications = [...this._aside.values()];
      this._aside.clear();
      this.apply({ type: 'changes', notifications, announced: [] });
    }
  }

  /**
   * Load the next older page, if there is one and none is on its way.
   */
  more(): Promise<void> {
    if (this._more) {
      return this._more;
    }
    // A first page that arrives later would cut the older page off again.
    if (this._asking || this._floor === null) {
      return Promise.resolve();
    }
    const generation = this._generation;
    this._moreError = null;
    const more = this._request(this._floor, PAGE_SIZE).then(
      ([page, late]) => {
        if (generation === this._generation) {
          this._more = null;
          this._take(page, late, this._rows);
        }
      },
      reason => {
        if (generation === this._generation) {
          this._more = null;
          this._moreError = sentence(reason);
          this._changed.emit();
        }
      }
    );
    this._more = more;
    this._changed.emit();
    return more;
  }

  /**
   * Apply a change that came in over the stream.
   */
  apply(change: NotificationModel.IChange): void {
    if (change.newStore) {
      // Only the rows in this snapshot exist in the new store.
      const known = new Map(change.notifications.map(row => [row.id, row]));
      this._set(
        this._rows
          .filter(row => known.has(row.id))
          .map(row => known.get(row.id)!)
      );
    }
    if (!this._active) {
      for (const row of change.notifications) {
        this._aside.set(row.id, row);
      }
      this._stale ||=
        change.type === 'snapshot' || this._aside.size > MOST_ASIDE;
      if (this._stale) {
        this._aside.clear();
      }
      return;
    }
    if (change.type === 'snapshot') {
      // A snapshot has only the newest rows; the server may have the others all the same.
      void this.refresh();
    } else if (this._query.text && change.notifications.length > 0) {
      // Only the server can tell whether a body holds the words.
      this._refreshSoon();
    }
    for (const late of this._watching) {
      for (const row of change.notifications) {
        late.set(row.id, row);
      }
    }
    this._set(this._merge(this._rows, change.notifications, true));
    this._refill();
  }

  /**
   * Show one row even if its page is not loaded: somebody asked for it. It stays if the list is
   * asked for again, or if the first page comes only now.
   */
  include(row: Notification): void {
    this._included = row;
    this._set(this._merge(this._rows, [row], false));
  }

  /** Stop listening and asking. */
  dispose(): void {
    this._generation++;
    clearTimeout(this._timer);
    Signal.clearData(this);
  }

  private async _fetch(depth: number, fresh: boolean): Promise<void> {
    clearTimeout(this._timer);
    this._timer = undefined;
    const generation = ++this._generation;
    this._asking = true;
    this._loading = fresh || this._error !== null || this._loading;
    this._more = null;
    this._error = null;
    this._moreError = null;
    if (fresh) {
      this._floor = null;
    }
    this._changed.emit();
    try {
      const asked = this._included;
      const [[page, late], included] = await Promise.all([
        this._request(undefined, depth),
        asked ? this._source.page(this._query, asked.position + 1, 1) : null
      ]);
      if (generation !== this._generation) {
        return;
      }
      // It was fetched while the page was on its way, or the server has it still.
      const there =
        this._included !== asked ||
        included?.notifications.some(({ id }) => id === asked?.id);
      const kept = this._rows.filter(
        row =>
          (there && row.id === this._included?.id) || this._stays(row, page)
      );
      this._asking = this._loading = false;
      this._take(page, late, kept);
    } catch (reason) {
      if (generation === this._generation) {
        this._asking = this._loading = false;
        this._error = sentence(reason);
        this._changed.emit();
      }
    }
  }

  /**
   * Tell if a row that is not in a new first page stays: one that expired while the user reads it,
   * or that was marked as read in the list of unread rows, perhaps before its first page was here.
   */
  private _stays(row: Notification, page: Page): boolean {
    if (row.expired !== null) {
      return row.id === this._held;
    }
    return (
      this._query.view === 'unread' &&
      row.read !== null &&
      isInInbox(row) &&
      (page.next === null || row.position >= page.next)
    );
  }

  /**
   * Ask for a page, in as many requests as its length needs. Changes that arrive before the page
   * are newer than it.
   */
  private async _request(
    before: number | undefined,
    length: number
  ): Promise<[Page, Late]> {
    const generation = this._generation;
    const late: Late = new Map();
    const rows: Notification[] = [];
    this._watching.add(late);
    try {
      for (let rest = length; ; rest -= LIMITS.page) {
        const limit = Math.min(rest, LIMITS.page);
        const page = await this._source.page(this._query, before, limit);
        rows.push(...page.notifications);
        if (
          page.next === null ||
          rest <= LIMITS.page ||
          generation !== this._generation
        ) {
          return [{ ...page, notifications: rows }, late];
        }
        before = page.next;
      }
    } finally {
      this._watching.delete(late);
    }
  }

  private _take(page: Page, late: Late, rows: readonly Notification[]): void {
    this._floor = page.next;
    // The server may not have made a change yet that the user made before asking for this list.
    const kept = new Set(rows.map(row => row.id));
    const found = page.notifications.filter(
      row => kept.has(row.id) || matches(row, { view: this._query.view })
    );
    this._rows = this._merge(
      this._merge(rows, found, false),
      [...late.values()],
      true
    );
    this._changed.emit();
    this._refill();
  }

  /** Ask for older rows if none of those that were loaded is left: the list is not empty. */
  private _refill(): void {
    if (this._rows.length === 0 && this._moreError === null) {
      void this.more();
    }
  }

  /**
   * Return the rows with others upserted. A row with the same seq is applied too: the model shows
   * a user's change in it before the server has made the change.
   *
   * @param check - whether to check that the others match; the rows of a page do.
   */
  private _merge(
    rows: readonly Notification[],
    others: readonly Notification[],
    check: boolean
  ): readonly Notification[] {
    if (!others.length) {
      return rows;
    }
    const present = new Map(rows.map(row => [row.id, row]));
    let touched = false;
    for (const row of others) {
      const known = present.get(row.id);
      if (known && row.seq < known.seq) {
        continue;
      }
      const expired = known && row.id === this._held && endOf(known, row);
      if (known && expired) {
        // The tombstone has no text: show that of the known row.
        present.set(row.id, { ...known, seq: row.seq, expired });
        touched = true;
      } else if (!isActive(row)) {
        touched = present.delete(row.id) || touched;
      } else if (check && !this._belongs(row, known)) {
        touched = present.delete(row.id) || touched;
      } else {
        present.set(row.id, row);
        touched = true;
      }
    }
    return touched ? [...present.values()].sort(byPosition) : rows;
  }

  /** Tell if a changed row is shown in this list. */
  private _belongs(
    row: Notification,
    known: Notification | undefined
  ): boolean {
    if (known) {
      // A row that is read while in sight stays until the filter is left.
      const view = this._query.view === 'unread' ? 'inbox' : this._query.view;
      return matches(row, { ...this._query, view, text: undefined });
    }
    if (this._query.text) {
      return false;
    }
    // A row below the floor will come with its own page.
    return (
      matches(row, this._query) &&
      (this._floor === null || row.position >= this._floor)
    );
  }

  private _set(rows: readonly Notification[]): void {
    if (rows !== this._rows) {
      this._rows = rows;
      this._changed.emit();
    }
  }

  private _refreshSoon(): void {
    // Further changes do not put the refresh off: with a steady progress it would never come. Nor
    // does it break off a request that is on its way: a slow search would never end.
    this._timer ??= setTimeout(() => {
      this._timer = undefined;
      if (this._asking || this._more) {
        this._refreshSoon();
      } else {
        void this.refresh();
      }
    }, REFRESH_DELAY_MS);
  }

  private _source: IListingSource;
  private _query: NotificationModel.IQuery;
  private _rows: readonly Notification[] = [];
  private _active = true;
  /** Changes that came while nobody looked, by id; empty once the whole list is to be asked for. */
  private _aside: Late = new Map();
  private _stale = false;
  private _held: string | null = null;
  /** The row that somebody asked for last. */
  private _included: Notification | null = null;
  private _floor: number | null = null;
  private _loading = true;
  /** True while the first page is on its way, for the first time or anew. */
  private _asking = false;
  private _error: string | null = null;
  private _moreError: string | null = null;
  private _more: Promise<void> | null = null;
  /** Answers of an earlier generation are too late. */
  private _generation = 0;
  /** The rows that changed meanwhile, for each page that is on its way. */
  private _watching = new Set<Late>();
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _changed = new Signal<this, void>(this);
}

/**
 * Tell if a row meets a query, as far as a tab can know: `text` is not checked, since it may stand
 * in the body.
 */
export function matches(
  row: Notification,
  query: NotificationModel.IQuery
): boolean {
  const inView = {
    inbox: isInInbox,
    unread: isUnread,
    dismissed: isDismissed,
    snoozed: isSnoozed
  };
  if (!inView[query.view](row)) {
    return false;
  }
  if (query.types?.length && !query.types.includes(row.type)) {
    return false;
  }
  const source = query.source?.toLowerCase() ?? '';
  return [row.source, row.via].some(name =>
    name?.toLowerCase().includes(source)
  );
}

/**
 * Return the time at which a row expired, if it has done so just now; else null. A row that the
 * user had read has `ended` instead of `expired`, and moves to _Done_ then.
 */
function endOf(known: Notification, row: Notification): string | null {
  return row.expired ?? (known.dismissed ? null : row.ended);
}

function byPosition(a: Notification, b: Notification): number {
  return b.position - a.position;
}

function sentence(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
