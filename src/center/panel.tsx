/**
 * The notification center, loaded when it is first opened.
 */
import type { IDisposable } from '@lumino/disposable';
import * as React from 'react';

import type { INotificationModel, NotificationModel } from '../tokens';
import type { Notification, StateChange } from '../wire';
import { type ICenterProps, Shared, useShared } from './context';
import { FilterBar } from './filter';
import { Glyph, IconButton } from './icons';
import { type IListHandle, List } from './list';
import { Listing } from './listing';
import { hasMenu, openMenu } from './menu';
import { parse } from './query';
import { Empty, Failed, Failure, Notice, Skeleton } from './states';
import { type IUndo, UndoBar } from './undo';
import '../../style/center.css';

/** How long one may pause while typing a search, in ms. */
const TYPING_MS = 200;

/** A text in a sentence is no longer than this. */
const QUOTE_CHARS = 48;

const MINUTE_MS = 60_000;

/** A row that is to be shown as soon as it is in the list. */
interface ITarget {
  id: string;
  focus: boolean;
  open: boolean;
  read: boolean;
}

/**
 * The center.
 */
export function Center(props: ICenterProps): JSX.Element {
  const { model, host, trans } = props;
  const { shared, failure, forget } = useShared(props);
  const { fail } = shared;

  const listing = React.useMemo(() => new Listing(model), []);
  const rows = useSignalled(listing.changed, () => listing.rows);
  useSignalled(model.stateChanged, () => model.counts);
  const loading = listing.loading;
  const visible = useSignalled(host.visibleChanged, () => host.visible);
  const now = useNow(model, visible);

  const [view, setView] =
    React.useState<NotificationModel.IQuery['view']>('inbox');
  const [search, setSearch] = React.useState('');
  const [openId, setOpenId] = React.useState<string | null>(null);
  const [selection, setSelection] = React.useState<ReadonlySet<string>>(
    new Set()
  );
  const [undo, setUndo] = React.useState<IUndo | null>(null);
  const [news, setNews] = React.useState('');
  const list = React.useRef<IListHandle>(null);
  const searchField = React.useRef<HTMLInputElement>(null);
  const root = React.useRef<HTMLDivElement>(null);
  const menu = React.useRef<IDisposable | null>(null);
  const query = parse(search, view);
  const filtered = Boolean(query.text || query.source || query.types);

  // The listing.
  React.useEffect(() => {
    const onChanged = (_: unknown, change: NotificationModel.IChange) => {
      listing.apply(change);
      announce(change);
    };
    const onVisible = () => {
      listing.active = host.visible;
    };
    model.changed.connect(onChanged);
    host.visibleChanged.connect(onVisible);
    onVisible();
    return () => {
      model.changed.disconnect(onChanged);
      host.visibleChanged.disconnect(onVisible);
      listing.dispose();
    };
  }, []);
  const key = JSON.stringify(query);
  const loaded = React.useRef<string | null>(null);
  React.useEffect(() => {
    if (loaded.current === key) {
      return;
    }
    const before = loaded.current;
    const typed = before !== null && listing.query.view === view;
    const timer = setTimeout(
      () => {
        // Meanwhile somebody may have asked for one notification, and its list.
        if (loaded.current === before) {
          loaded.current = key;
          setSelection(new Set());
          void listing.load(query);
        }
      },
      typed ? TYPING_MS : 0
    );
    return () => clearTimeout(timer);
  }, [key]);

  // A screen reader hears of what only the center shows; a toast says the rest itself.
  const announce = (change: NotificationModel.IChange) => {
    const said = change.notifications.filter(
      row => row.autoClose === 0 && change.announced.includes(row.id)
    );
    if (!host.visible) {
      return;
    }
    if (said.length === 1) {
      setNews(trans.__('New notification: %1', said[0].message.slice(0, 200)));
    } else if (said.length) {
      setNews(
        trans._n(
          '%2 new notification',
          '%2 new notifications',
          said.length,
          shared.times.number.format(said.length)
        )
      );
    }
  };

  // A selection holds only what is in the list.
  React.useEffect(() => {
    if (selection.size) {
      const present = new Set(rows.map(row => row.id));
      const left = [...selection].filter(id => present.has(id));
      if (left.length < selection.size) {
        setSelection(new Set(left));
      }
    }
  }, [rows]);

  // What others ask for: the list, or one notification.
  const latest = React.useRef({ rows, view, filtered });
  latest.current = { rows, view, filtered };
  const [target, setTarget] = React.useState<ITarget | null>(null);
  React.useEffect(() => {
    const onRequest = () => {
      const request = host.takeRequest();
      if (request) {
        if (request.id !== null) {
          void show({ ...request, id: request.id });
        } else if (request.focus) {
          requestAnimationFrame(() => {
            if (list.current) {
              list.current.focus();
            } else {
              root.current?.focus();
            }
          });
        }
      }
    };
    host.requested.connect(onRequest);
    onRequest();
    return () => {
      host.requested.disconnect(onRequest);
    };
  }, []);

  const show = async (request: Omit<ITarget, 'open'>) => {
    const { id } = request;
    try {
      const row = model.get(id) ?? (await model.detail(id));
      if (row.revoked || row.expired) {
        throw new Error(trans.__('This notification is no longer there.'));
      }
      const home = row.dismissed === null ? 'inbox' : 'dismissed';
      const { view, filtered, rows } = latest.current;
      const here = rows.some(one => one.id === id);
      if (
        !here &&
        (loaded.current === null ||
          filtered ||
          (view !== home && !(view === 'unread' && row.read === null)))
      ) {
        setSearch('');
        setView(home);
        const query = { view: home } as const;
        loaded.current = JSON.stringify(query);
        await listing.load(query);
      }
      listing.include(row);
      setTarget({ ...request, open: true });
    } catch (reason) {
      fail(reason);
    }
  };
  React.useEffect(() => {
    const row = target ? rows.find(one => one.id === target.id) : undefined;
    if (row && target) {
      setTarget(null);
      if (target.open && openId !== row.id) {
        if (target.read) {
          handlers.toggle(row);
        } else {
          setOpenId(row.id);
        }
      }
      requestAnimationFrame(() => list.current?.show(row.id, target.focus));
    }
  }, [target, rows]);

  React.useEffect(() => {
    // What does not come soon is not waited for: it would take the focus later.
    const timer = setTimeout(() => setTarget(null), 3000);
    return () => clearTimeout(timer);
  }, [target]);

  // The focus stays in the center when what had it goes away.
  const hasFocus = React.useRef(false);
  const onBlur = (event: React.FocusEvent) => {
    const element = event.target;
    queueMicrotask(() => {
      if (element.isConnected && document.hasFocus()) {
        hasFocus.current = Boolean(
          root.current?.contains(document.activeElement)
        );
      }
    });
  };
  React.useLayoutEffect(() => {
    if (hasFocus.current && document.activeElement === document.body) {
      if (list.current) {
        list.current.focus();
      } else {
        root.current?.focus();
      }
    }
  });

  const focusOn = (id: string) =>
    setTarget({ id, focus: true, open: false, read: false });

  // Changes of state.
  const change = async (
    what: readonly Notification[] | 'all',
    state: StateChange,
    label: (count: number) => string
  ): Promise<void> => {
    const ids = what === 'all' ? null : what.map(row => row.id);
    forget();
    const done = model.change(ids ? { ids } : { all: true }, state);
    const back: StateChange =
      typeof state.dismissed === 'boolean'
        ? { dismissed: !state.dismissed }
        : { read: !state.read };
    // Whoever types fast takes it back before the server has answered.
    setUndo({ label: null, ids, back, done });
    const settle = (next: (undo: IUndo) => IUndo | null) =>
      setUndo(undo => (undo?.done === done ? next(undo) : undo));
    try {
      const { changed } = await done;
      settle(undo => (changed > 0 ? { ...undo, label: label(changed) } : null));
    } catch (reason) {
      settle(() => null);
      fail(reason);
      if (ids && root.current?.contains(document.activeElement)) {
        focusOn(ids[0]);
      }
    }
  };
  const takeBack = async () => {
    if (!undo) {
      return;
    }
    setUndo(null);
    const { ids, back, done } = undo;
    let changed: number;
    let seqs: [number, number] | null;
    try {
      ({ changed, seqs } = await done);
    } catch {
      // Nothing was done, and that was said.
      return;
    }
    try {
      // By ids also what changed meanwhile comes back; of all, only the seqs are known.
      const selection = ids ? { ids } : seqs && { seqs };
      const undone =
        changed > 0 && selection
          ? (await model.change(selection, back)).changed
          : 0;
      if (undone === 0) {
        throw new Error(
          trans.__('Nothing could be undone: it has changed meanwhile.')
        );
      }
      if (undone < changed) {
        throw new Error(
          trans.__(
            'Only %1 of %2 could be undone: the others have changed meanwhile.',
            shared.times.number.format(undone),
            shared.times.number.format(changed)
          )
        );
      }
      // The row comes back over the stream; the keyboard goes to it when it is here.
      if (ids) {
        focusOn(ids[0]);
      }
    } catch (reason) {
      fail(reason);
    }
  };

  const changeRead = (what: readonly Notification[] | 'all', read: boolean) =>
    change(what, { read }, count =>
      what !== 'all' && what.length === 1
        ? read
          ? trans.__('Marked as read: “%1”', quote(what[0]))
          : trans.__('Marked as unread: “%1”', quote(what[0]))
        : read
          ? trans._n(
              'Marked %2 as read',
              'Marked %2 as read',
              count,
              shared.times.number.format(count)
            )
          : trans._n(
              'Marked %2 as unread',
              'Marked %2 as unread',
              count,
              shared.times.number.format(count)
            )
    );
  const changeDismissed = (
    what: readonly Notification[] | 'all',
    dismissed: boolean
  ) =>
    change(what, { dismissed }, count =>
      what !== 'all' && what.length === 1
        ? dismissed
          ? trans.__('Dismissed “%1”', quote(what[0]))
          : trans.__('Back in the inbox: “%1”', quote(what[0]))
        : dismissed
          ? trans._n(
              'Dismissed %2 notification',
              'Dismissed %2 notifications',
              count,
              shared.times.number.format(count)
            )
          : trans._n(
              '%2 back in the inbox',
              '%2 back in the inbox',
              count,
              shared.times.number.format(count)
            )
    );

  // The same object at every drawing: a row is drawn again only when it changed.
  const anchor = React.useRef<string | null>(null);
  const act = {
    toggle: (row: Notification) => {
      setOpenId(openId === row.id ? null : row.id);
      // What a program has opened is read once the person closes it.
      if (row.read === null && row.dismissed === null) {
        model.change({ ids: [row.id] }, { read: true }).catch(fail);
      }
    },
    select: (row: Notification, range: boolean) => {
      const chosen = new Set(selection);
      const from = range
        ? rows.findIndex(one => one.id === anchor.current)
        : -1;
      if (from >= 0) {
        const to = rows.indexOf(row);
        rows
          .slice(Math.min(from, to), Math.max(from, to) + 1)
          .forEach(one => chosen.add(one.id));
      } else if (!chosen.delete(row.id)) {
        chosen.add(row.id);
      }
      anchor.current = row.id;
      setSelection(chosen);
    },
    read: (row: Notification, read: boolean) => {
      if (row.dismissed === null && (row.read !== null) !== read) {
        void changeRead([row], read);
        if (!read && openId === row.id) {
          setOpenId(null);
        }
      }
    },
    dismiss: (row: Notification, dismissed: boolean) => {
      void changeDismissed([row], dismissed);
    },
    clear: () => {
      const had = selection.size > 0;
      setSelection(new Set());
      return had;
    },
    all: () => setSelection(new Set(rows.map(row => row.id))),
    add: (more: readonly Notification[]) =>
      setSelection(new Set([...selection, ...more.map(row => row.id)]))
  };
  const acting = React.useRef(act);
  acting.current = act;
  const handlers = React.useMemo<typeof act>(
    () => ({
      toggle: row => acting.current.toggle(row),
      select: (row, range) => acting.current.select(row, range),
      read: (row, read) => acting.current.read(row, read),
      dismiss: (row, dismissed) => acting.current.dismiss(row, dismissed),
      clear: () => acting.current.clear(),
      all: () => acting.current.all(),
      add: more => acting.current.add(more)
    }),
    []
  );

  const onKeyDown = (event: React.KeyboardEvent) => {
    const typing = (event.target as HTMLElement).matches('input[type="text"]');
    if (
      event.key.toLowerCase() === 'z' &&
      (event.ctrlKey || event.metaKey) &&
      !typing &&
      undo
    ) {
      event.preventDefault();
      event.stopPropagation();
      void takeBack();
    } else if (event.key === '/' && !typing) {
      event.preventDefault();
      searchField.current?.focus();
    }
  };

  const { counts } = model;
  const chosen = rows.filter(row => selection.has(row.id));
  const total = filtered
    ? listing.complete
      ? rows.length
      : -1
    : Math.max(rows.length, counts[view]);

  return (
    <Shared.Provider value={shared}>
      <div
        className="jp-NotifyCenter-content"
        ref={root}
        tabIndex={-1}
        onFocus={() => {
          hasFocus.current = true;
        }}
        onBlur={onBlur}
        onKeyDown={onKeyDown}
      >
        <div className="jp-NotifyHeader">
          <div className="jp-NotifyHeader-title">
            <h2>{trans.__('Notifications')}</h2>
            <span className="jp-NotifyHeader-unread">
              {counts.unread > 0 &&
                trans._n(
                  '%2 unread',
                  '%2 unread',
                  counts.unread,
                  shared.times.number.format(counts.unread)
                )}
            </span>
          </div>
          <IconButton
            label={trans.__('Mark all as read')}
            disabled={counts.unread === 0}
            onClick={() => void changeRead('all', true)}
          >
            <Glyph name="allRead" />
          </IconButton>
          <IconButton
            label={trans.__('Dismiss all')}
            disabled={counts.inbox === 0}
            onClick={() => void changeDismissed('all', true)}
          >
            <Glyph name="dismissAll" />
          </IconButton>
          {hasMenu(host.commands) && (
            <IconButton
              label={trans.__('More')}
              aria-haspopup="menu"
              onClick={event => {
                menu.current?.dispose();
                menu.current = openMenu(
                  host.commands,
                  event.currentTarget,
                  trans
                );
              }}
            >
              <Glyph name="more" />
            </IconButton>
          )}
          <IconButton label={trans.__('Close')} onClick={() => host.close()}>
            <Glyph name="close" />
          </IconButton>
        </div>
        <FilterBar
          view={view}
          search={search}
          unread={counts.unread}
          searchRef={searchField}
          onView={setView}
          onSearch={setSearch}
          onLeave={() => list.current?.focus()}
        />
        {!model.durable && (
          <Notice kind="warning">
            {trans.__(
              'Messages are kept in memory only: the server cannot write its database. See your administrator.'
            )}
          </Notice>
        )}
        {!model.connected && (
          <Disconnected>
            {trans.__('Reconnecting… showing what is known.')}
          </Disconnected>
        )}
        {listing.error !== null && rows.length > 0 && (
          <Notice kind="error">
            <span>
              {trans.__('The list could not be fetched.')} {listing.error}
            </span>
            <button
              type="button"
              className="jp-NotifyLink"
              onClick={() => void listing.refresh()}
            >
              {trans.__('Retry')}
            </button>
          </Notice>
        )}
        <Failure text={failure} onClose={forget} />
        {selection.size > 0 && (
          <div
            className="jp-NotifySelection"
            role="toolbar"
            aria-label={trans.__('For the selected notifications')}
          >
            <span className="jp-NotifySelection-count">
              {trans._n(
                '%2 selected',
                '%2 selected',
                selection.size,
                shared.times.number.format(selection.size)
              )}
            </span>
            {view !== 'dismissed' && (
              <>
                <IconButton
                  label={trans.__('Mark the selected as read')}
                  disabled={chosen.every(row => row.read !== null)}
                  onClick={() =>
                    void changeRead(
                      chosen.filter(row => row.read === null),
                      true
                    )
                  }
                >
                  <Glyph name="check" />
                </IconButton>
                <IconButton
                  label={trans.__('Mark the selected as unread')}
                  disabled={chosen.every(row => row.read === null)}
                  onClick={() =>
                    void changeRead(
                      chosen.filter(row => row.read !== null),
                      false
                    )
                  }
                >
                  <Glyph name="dot" />
                </IconButton>
                <IconButton
                  label={trans.__('Dismiss the selected')}
                  disabled={!chosen.some(row => row.dismissable)}
                  onClick={() =>
                    void changeDismissed(
                      chosen.filter(row => row.dismissable),
                      true
                    )
                  }
                >
                  <Glyph name="close" />
                </IconButton>
              </>
            )}
            {view === 'dismissed' && (
              <IconButton
                label={trans.__('Move the selected back to the inbox')}
                onClick={() => void changeDismissed(chosen, false)}
              >
                <Glyph name="back" />
              </IconButton>
            )}
            <span className="jp-NotifySelection-space" />
            <button
              type="button"
              className="jp-NotifyLink"
              disabled={selection.size === rows.length}
              onClick={handlers.all}
            >
              {trans.__('Select all')}
            </button>
            <button
              type="button"
              className="jp-NotifyLink"
              onClick={() => {
                handlers.clear();
                list.current?.focus();
              }}
            >
              {trans.__('Clear')}
            </button>
          </div>
        )}
        <div className="jp-NotifyMain">
          {rows.length > 0 ? (
            <List
              key={view}
              ref={list}
              listing={listing}
              rows={rows}
              now={now}
              openId={openId}
              selection={selection}
              total={total}
              label={trans.__('Notifications')}
              handlers={handlers}
            />
          ) : loading ? (
            <Skeleton />
          ) : listing.error !== null ? (
            <Failed
              reason={listing.error}
              onRetry={() => void listing.load()}
            />
          ) : (
            <Empty
              view={view}
              filtered={filtered}
              onClear={() => setSearch('')}
            />
          )}
        </div>
        <UndoBar
          undo={undo}
          onUndo={() => void takeBack()}
          onGone={() => setUndo(null)}
        />
        <div className="jp-NotifyHidden" role="log" aria-live="polite">
          {news}
        </div>
      </div>
    </Shared.Provider>
  );

  function quote(row: Notification): string {
    const text = row.message.replace(/\s+/g, ' ').trim();
    return text.length > QUOTE_CHARS
      ? `${text.slice(0, QUOTE_CHARS).trimEnd()}…`
      : text;
  }
}

/** Said only when it lasts: a socket that blinks is nobody's concern. */
function Disconnected(props: {
  children: React.ReactNode;
}): JSX.Element | null {
  const [lasting, setLasting] = React.useState(false);
  React.useEffect(() => {
    const timer = setTimeout(() => setLasting(true), 1500);
    return () => clearTimeout(timer);
  }, []);
  return lasting ? <Notice kind="quiet">{props.children}</Notice> : null;
}

/** A value that a signal tells the changes of. */
function useSignalled<T>(
  signal: {
    connect(slot: () => void): boolean;
    disconnect(slot: () => void): boolean;
  },
  read: () => T
): T {
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = () => draw();
    signal.connect(slot);
    draw();
    return () => {
      signal.disconnect(slot);
    };
  }, [signal]);
  return read();
}

/** The time, anew every minute while somebody looks. */
function useNow(model: INotificationModel, visible: boolean): Date {
  const [now, setNow] = React.useState(() => new Date(model.now()));
  React.useEffect(() => {
    if (!visible) {
      return;
    }
    const update = () => setNow(new Date(model.now()));
    update();
    void model.ready.then(update);
    const timer = setInterval(update, MINUTE_MS);
    return () => clearInterval(timer);
  }, [visible]);
  return now;
}
