/**
 * The messages of the banner.
 */
import * as React from 'react';

import { Shared, useShared } from '../components/context';
import { useMedia } from '../components/hooks';
import { undoOnPage } from '../components/snackbar';
import { Failure } from '../components/states';
import { isUnread } from '../state';
import { typeLabel } from '../text/labels';
import { summarize } from '../text/plaintext';
import type { Notification } from '../wire';
import type { Announcer } from './announcer';
import { Item } from './item';
import { banners, interrupts } from './order';
import type { IBannerOptions } from './view';

/** Number of messages that are shown; the others are only counted. */
const MOST = 3;

/** A small window, in which the banner shows only one message. */
const SMALL = '(max-width: 760px), (max-height: 560px)';

/**
 * The props of the banner.
 */
export interface IBannerProps extends Omit<IBannerOptions, 'shell'> {
  rootRef: React.RefCallback<HTMLDivElement>;
  /** The banner has messages now, or none any more. */
  onFilled(filled: boolean): void;
  /** The focused element went away, and nothing is left that could take the focus. */
  onFocusLost(): void;
}

/**
 * All messages of the banner.
 */
// Longer than a screen: one component's state and markup; its rows are `Item`.
export function Banner(props: IBannerProps): JSX.Element {
  const { model } = props;
  const { shared, failure, forget } = useShared(props);
  const { rows, said } = useBanners(props);
  const [openId, setOpenId] = React.useState<string | null>(null);
  const [all, setAll] = React.useState(false);
  const small = useMedia(SMALL);
  const list = React.useRef<HTMLUListElement>(null);

  const most = small ? 1 : MOST;
  const shown = all ? rows : rows.slice(0, most);
  // The open message stays open as long as it is shown.
  const opened = shown.some(row => row.id === openId) ? openId : null;

  React.useLayoutEffect(() => {
    props.onFilled(rows.length > 0);
    if (rows.length <= most) {
      setAll(false);
    }
    if (rows.length === 0) {
      forget();
    }
  }, [rows, most]);
  const focus = useHandedFocus(list, props.onFocusLost);

  const undo = React.useMemo(() => undoOnPage(model, shared.trans).undo, []);
  const toggle = (row: Notification) => {
    setOpenId(row.id === opened ? null : row.id);
    if (row.id !== opened && isUnread(row)) {
      forget();
      model.change({ ids: [row.id] }, { read: true }).catch(shared.fail);
    }
  };

  return (
    <Shared.Provider value={shared}>
      <div
        className={`jp-NotifyBanner-content ${small ? 'jp-mod-small' : ''}`}
        ref={props.rootRef}
        {...focus}
      >
        <div className="jp-NotifyHidden" role="alert">
          {said.alert}
        </div>
        <div className="jp-NotifyHidden" role="status">
          {said.status}
        </div>
        <ul className="jp-NotifyBanner-list" ref={list}>
          {shown.map(row => (
            <Item
              key={row.id}
              row={row}
              open={row.id === opened}
              onToggle={() => toggle(row)}
              onClose={() => {
                forget();
                void undo.close(row);
              }}
              onDone={() => {
                forget();
                void undo.dismiss([row], true);
              }}
            />
          ))}
        </ul>
        {rows.length > most && (
          <MoreButton
            all={all}
            hidden={rows.length - shown.length}
            onClick={() => setAll(!all)}
          />
        )}
        <Failure text={failure} onClose={forget} />
      </div>
    </Shared.Provider>
  );
}

/** The button that shows the messages that are only counted, or hides them again. */
function MoreButton(props: {
  all: boolean;
  hidden: number;
  onClick(): void;
}): JSX.Element {
  const { all, hidden, onClick } = props;
  const { times, trans } = React.useContext(Shared);
  return (
    <button
      type="button"
      className="jp-NotifyBanner-more"
      aria-expanded={all}
      onClick={onClick}
    >
      <bdi>
        {all
          ? trans.__('Show fewer')
          : trans._n('%2 more', '%2 more', hidden, times.number.format(hidden))}
      </bdi>
    </button>
  );
}

/** Return the rows of the banner, and what a screen reader reads out of the newest ones. */
function useBanners({
  announcer,
  model,
  trans
}: Pick<IBannerProps, 'model' | 'trans'> & { announcer: Announcer }): {
  rows: readonly Notification[];
  said: { alert: string; status: string };
} {
  const [rows, setRows] = React.useState<readonly Notification[]>([]);
  const [said, setSaid] = React.useState({ alert: '', status: '' });
  React.useEffect(() => {
    const words = (rows: readonly Notification[], alert: boolean) =>
      rows
        .filter(row => interrupts(row.type) === alert)
        .map(row =>
          trans.__(
            '%1: %2',
            typeLabel(row.type, trans),
            summarize(row.message, row.markdown).text
          )
        )
        .join(' ');
    const update = () => {
      const rows = banners(model.notifications);
      setRows(rows);
      const news = announcer.take(rows);
      if (news.length) {
        setSaid({ alert: words(news, true), status: words(news, false) });
      }
    };
    model.changed.connect(update);
    update();
    return () => {
      model.changed.disconnect(update);
    };
  }, []);
  return { rows, said };
}

/**
 * Move the focus to what is left when the focused element goes away.
 *
 * @returns The handlers of the banner's element.
 */
function useHandedFocus(
  list: React.RefObject<HTMLElement>,
  onLost: () => void
): Pick<React.HTMLAttributes<HTMLElement>, 'onFocus' | 'onBlur'> {
  const focused = React.useRef(-1);
  const name = React.useRef<string | null>(null);
  React.useLayoutEffect(() => {
    if (focused.current >= 0 && document.activeElement === document.body) {
      const items = list.current?.children ?? [];
      const item = items[Math.min(focused.current, items.length - 1)];
      const buttons = [...(item?.querySelectorAll('button') ?? [])];
      const button =
        buttons.find(
          each => each.getAttribute('aria-label') === name.current
        ) ?? buttons[0];
      if (button) {
        button.focus();
      } else {
        focused.current = -1;
        onLost();
      }
    }
  });
  return {
    onFocus: event => {
      name.current = event.target.getAttribute('aria-label');
      focused.current = [...(list.current?.children ?? [])].findIndex(item =>
        item.contains(event.target)
      );
    },
    onBlur: event => {
      const element = event.target;
      queueMicrotask(() => {
        if (element.isConnected && document.hasFocus()) {
          focused.current = -1;
        }
      });
    }
  };
}
