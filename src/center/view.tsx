/**
 * The notification center, loaded when it is first opened.
 */
import type { IDisposable } from '@lumino/disposable';
import * as React from 'react';

import type { INotificationModel, NotificationModel } from '../tokens';
import type { Notification } from '../wire';
import {
  type ICenterProps,
  onReconnected,
  Shared,
  useShared
} from '../components/context';
import { Desk } from './desk';
import { FilterBar } from './filter';
import { Glyph, IconButton } from '../components/icons';
import { type IListHandle, type IListProps, List } from './list';
import { Listing } from './listing';
import { hasMenu, openMenu } from './menu';
import { parse } from './query';
import { Empty, Failed, Failure, Notice, Skeleton } from '../components/states';
import { UndoBar } from './undo';
import '../../style/center.css';

/** How long one may pause while typing a search, in ms. */
const TYPING_MS = 200;

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
  const visible = useSignalled(host.visibleChanged, () => host.visible);
  // While nobody sees it, it is not drawn; what changed is read once it is shown.
  const inSight = () => host.visible;
  const rows = useSignalled(listing.changed, () => listing.rows, inSight);
  useSignalled(model.stateChanged, () => model.counts, inSight);
  const loading = listing.loading;
  const now = useNow(model, visible);

  const [view, setView] =
    React.useState<NotificationModel.IQuery['view']>('inbox');
  const [search, setSearch] = React.useState('');
  const [openId, setOpenId] = React.useState<string | null>(null);
  const [news, setNews] = React.useState('');
  const list = React.useRef<IListHandle>(null);
  const searchField = React.useRef<HTMLInputElement>(null);
  const root = React.useRef<HTMLDivElement>(null);
  const menu = React.useRef<IDisposable | null>(null);
  const [target, setTarget] = React.useState<ITarget | null>(null);
  const focusOn = (id: string) =>
    setTarget({ id, focus: true, open: false, read: false });
  const desk = React.useMemo(
    () =>
      new Desk({
        model,
        listing,
        trans,
        format: count => shared.times.number.format(count),
        began: forget,
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
  const selection = useSignalled(desk.changed, () => desk.selection);
  const { undo } = desk;
  const query = parse(search, view);
  const filtered = Boolean(query.text || query.source || query.types);

  // What the user reads while the server is away is told to it later: nobody asked for that.
  const untold = React.useRef(new Set<string>());
  const markRead = (ids: string[]) => {
    model.change({ ids }, { read: true }).catch(reason => {
      if (model.connected) {
        fail(reason);
      } else {
        ids.forEach(id => untold.current.add(id));
      }
    });
  };

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
    const ignore = onReconnected(model, () => {
      listing.retry();
      const ids = [...untold.current];
      untold.current.clear();
      if (ids.length > 0) {
        markRead(ids);
      }
    });
    host.visibleChanged.connect(onVisible);
    onVisible();
    return () => {
      model.changed.disconnect(onChanged);
      ignore();
      host.visibleChanged.disconnect(onVisible);
      listing.dispose();
      desk.dispose();
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
          desk.clear();
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
  React.useEffect(() => desk.keep(rows), [rows]);

  // What others ask for: the list, or one notification.
  const latest = React.useRef({ rows, view, filtered });
  latest.current = { rows, view, filtered };
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

  // The same object at every drawing: a row is drawn again only when it changed.
  const act = {
    toggle: (row: Notification) => {
      setOpenId(openId === row.id ? null : row.id);
      // What a program has opened is read once the user closes it.
      if (row.read === null && row.dismissed === null) {
        markRead([row.id]);
      }
    },
    read: (row: Notification, read: boolean) => {
      if (row.dismissed === null && (row.read !== null) !== read) {
        void desk.read([row], read);
        if (!read && openId === row.id) {
          setOpenId(null);
        }
      }
    }
  };
  const acting = React.useRef(act);
  acting.current = act;
  const handlers = React.useMemo<IListProps['handlers']>(
    () => ({
      toggle: row => acting.current.toggle(row),
      read: (row, read) => acting.current.read(row, read),
      dismiss: (row, dismissed) => void desk.dismiss([row], dismissed),
      select: (row, range) => desk.select(row, range),
      clear: () => desk.clear(),
      all: () => desk.all(),
      add: more => desk.add(more)
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
      void desk.takeBack();
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
            onClick={() => void desk.read('all', true)}
          >
            <Glyph name="allRead" />
          </IconButton>
          <IconButton
            label={trans.__('Dismiss all')}
            disabled={counts.inbox === 0}
            onClick={() => void desk.dismiss('all', true)}
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
            {rows.length > 0
              ? trans.__('Reconnecting… showing what is known.')
              : trans.__('Reconnecting…')}
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
                    void desk.read(
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
                    void desk.read(
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
                    void desk.dismiss(
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
                onClick={() => void desk.dismiss(chosen, false)}
              >
                <Glyph name="back" />
              </IconButton>
            )}
            <span className="jp-NotifySelection-space" />
            <button
              type="button"
              className="jp-NotifyLink"
              disabled={selection.size === rows.length}
              onClick={() => desk.all()}
            >
              {trans.__('Select all')}
            </button>
            <button
              type="button"
              className="jp-NotifyLink"
              onClick={() => {
                desk.clear();
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
          onUndo={() => void desk.takeBack()}
          onGone={() => desk.forget()}
        />
        <div className="jp-NotifyHidden" role="log" aria-live="polite">
          {news}
        </div>
      </div>
    </Shared.Provider>
  );
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

/** A value that a signal tells the changes of, where they are wanted. */
function useSignalled<T>(
  signal: {
    connect(slot: () => void): boolean;
    disconnect(slot: () => void): boolean;
  },
  read: () => T,
  wanted: () => boolean = () => true
): T {
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = () => {
      if (wanted()) {
        draw();
      }
    };
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
