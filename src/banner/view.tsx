/**
 * The banner across the top of the workspace, loaded when there is a message for it.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { BoxLayout, type Widget } from '@lumino/widgets';
import * as React from 'react';

import { type ICenterProps, Shared, useShared } from '../components/context';
import { useMedia } from '../components/hooks';
import { Glyph, IconButton, TypeIcon } from '../components/icons';
import { Actions, Body, Summary } from '../components/message';
import { Failure } from '../components/states';
import { typeLabel } from '../text/labels';
import { summarize } from '../text/plaintext';
import type { Notification, StateChange } from '../wire';
import { banners, type Announcer, interrupts } from './announcer';
import '../../style/banner.css';

/**
 * What the banner is made from.
 */
export interface IBannerOptions extends Omit<ICenterProps, 'host'> {
  shell: JupyterFrontEnd.IShell;
  announcer: Announcer;
}

/** How many messages stand there before the others are only counted. */
const MOST = 3;

/** A window in which one line is all that the banner takes. */
const SMALL = '(max-width: 760px), (max-height: 560px)';

/** What follows the banner on the page, in JupyterLab and in Notebook. */
const BELOW = ['jp-main-content-panel', 'spacer-widget-top'];

/**
 * Put the banner on the page, where it then shows what the model has for it.
 *
 * @returns The banner, which the page owns.
 */
export function showBanner(options: IBannerOptions): Widget {
  const bar = new BannerBar(options);
  const { shell } = options;
  const below = findBelow(shell);
  const layout = below?.parent?.layout;
  if (below && layout instanceof BoxLayout) {
    BoxLayout.setStretch(bar, 0);
    layout.insertWidget(layout.widgets.indexOf(below), bar);
  } else {
    // Another application, which has at least a place for what is at the top.
    shell.add(bar, 'top', { rank: 10_000 });
  }
  return bar;
}

function findBelow(shell: Widget): Widget | undefined {
  for (const id of BELOW) {
    let nodes = [...(shell.layout ?? [])];
    // Notebook has it three levels down.
    for (let depth = 0; depth < 4 && nodes.length > 0; depth++) {
      const found = nodes.find(widget => widget.id === id);
      if (found) {
        return found;
      }
      nodes = nodes.flatMap(widget => [...(widget.layout ?? [])]);
    }
  }
  return undefined;
}

/**
 * The widget of the banner, as high as what is in it, and hidden while that is nothing.
 */
class BannerBar extends ReactWidget {
  constructor(options: IBannerOptions) {
    super();
    this._options = options;
    this.id = 'jp-notify-banner';
    this.addClass('jp-NotifyBanner');
    this.addClass('jp-NotifySurface');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', options.trans.__('Announcements'));
    this.hide();
  }

  /** Let go of the page. */
  dispose(): void {
    this._sizes.disconnect();
    super.dispose();
  }

  protected render(): JSX.Element {
    const { shell, model } = this._options;
    return (
      <Banner
        {...this._options}
        rootRef={root => {
          this._sizes.disconnect();
          if (root) {
            this._sizes.observe(root);
          }
        }}
        onFilled={filled => this.setHidden(!filled)}
        onFocusLost={() => {
          if (shell.currentWidget) {
            shell.activateById(shell.currentWidget.id);
          }
        }}
        model={model}
      />
    );
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._measure();
  }

  /** The layout goes by the least height of what it holds. */
  private _measure(): void {
    const content = this.node.firstElementChild as HTMLElement | null;
    const height = content?.offsetHeight ?? 0;
    const minHeight = `${height}px`;
    if (this.isVisible && this.node.style.minHeight !== minHeight) {
      this.node.style.minHeight = minHeight;
      this.parent?.fit();
    }
  }

  private readonly _options: IBannerOptions;
  private readonly _sizes = new ResizeObserver(() => this._measure());
}

interface IBannerProps extends Omit<IBannerOptions, 'shell'> {
  rootRef: React.RefCallback<HTMLDivElement>;
  onFilled(filled: boolean): void;
  onFocusLost(): void;
}

/** All messages of the banner. */
function Banner(props: IBannerProps): JSX.Element {
  const { model, trans, announcer } = props;
  const { shared, failure, forget } = useShared(props);
  const [rows, setRows] = React.useState<Notification[]>([]);
  const [openId, setOpenId] = React.useState<string | null>(null);
  const [all, setAll] = React.useState(false);
  const [said, setSaid] = React.useState({ alert: '', status: '' });
  const small = useMedia(SMALL);
  const list = React.useRef<HTMLUListElement>(null);

  React.useEffect(() => {
    const update = () => {
      const rows = banners(model.notifications);
      setRows(rows);
      const news = announcer.take(rows);
      if (news.length) {
        const words = (alert: boolean) =>
          news
            .filter(row => interrupts(row.type) === alert)
            .map(row =>
              trans.__(
                '%1: %2',
                typeLabel(row.type, trans),
                summarize(row.message, row.markdown).text
              )
            )
            .join(' ');
        setSaid({ alert: words(true), status: words(false) });
      }
    };
    model.changed.connect(update);
    update();
    return () => {
      model.changed.disconnect(update);
    };
  }, []);

  const most = small ? 1 : MOST;
  const shown = all ? rows : rows.slice(0, most);
  const hidden = rows.length - shown.length;
  // A message that is open stays so where it stands.
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

  // When what had the keyboard goes away, it goes to what is left.
  const focused = React.useRef(-1);
  React.useLayoutEffect(() => {
    if (focused.current >= 0 && document.activeElement === document.body) {
      const items = list.current?.children ?? [];
      const item = items[Math.min(focused.current, items.length - 1)];
      const button = item?.querySelector('button');
      if (button) {
        button.focus();
      } else {
        focused.current = -1;
        props.onFocusLost();
      }
    }
  });

  const change = (row: Notification, state: StateChange) => {
    forget();
    model.change({ ids: [row.id] }, state).catch(shared.fail);
  };

  return (
    <Shared.Provider value={shared}>
      <div
        className={`jp-NotifyBanner-content ${small ? 'jp-mod-small' : ''}`}
        ref={props.rootRef}
        onFocus={event => {
          focused.current = [...(list.current?.children ?? [])].findIndex(
            item => item.contains(event.target)
          );
        }}
        onBlur={event => {
          const element = event.target;
          queueMicrotask(() => {
            if (element.isConnected && document.hasFocus()) {
              focused.current = -1;
            }
          });
        }}
      >
        <div className="jp-NotifyHidden" role="alert">
          {said.alert}
        </div>
        <div className="jp-NotifyHidden" role="status">
          {said.status}
        </div>
        <ul className="jp-NotifyBanner-list" ref={list}>
          {shown.map((row, index) => (
            <Item
              key={row.id}
              row={row}
              open={row.id === opened}
              onToggle={() => {
                setOpenId(row.id === opened ? null : row.id);
                if (row.id !== opened && row.read === null) {
                  change(row, { read: true });
                }
              }}
              onDismiss={() => change(row, { dismissed: true })}
            >
              {index === shown.length - 1 && rows.length > most && (
                <button
                  type="button"
                  className="jp-NotifyBanner-button"
                  aria-expanded={all}
                  onClick={() => setAll(!all)}
                >
                  {all
                    ? trans.__('Show fewer')
                    : trans._n(
                        '%2 more',
                        '%2 more',
                        hidden,
                        shared.times.number.format(hidden)
                      )}
                </button>
              )}
            </Item>
          ))}
        </ul>
        <Failure text={failure} onClose={forget} />
      </div>
    </Shared.Provider>
  );
}

/** One message of the banner. */
function Item(props: {
  row: Notification;
  open: boolean;
  onToggle(): void;
  onDismiss(): void;
  children: React.ReactNode;
}): JSX.Element {
  const { row, open, onToggle, onDismiss, children } = props;
  const { trans } = React.useContext(Shared);
  const line = React.useRef<HTMLDivElement>(null);
  const cut = useCut(line, open, row.message);
  const id = `jp-notify-banner-${row.id}`;
  const details = open && (row.hasBody || row.actions.length > 0);
  return (
    <li
      className={`jp-NotifyBanner-item jp-mod-${row.type} ${
        open ? 'jp-mod-open' : ''
      }`}
      data-id={row.id}
    >
      <div className="jp-NotifyBanner-line">
        <TypeIcon type={row.type} progress={row.progress} />
        <div className="jp-NotifyBanner-text" ref={line}>
          <span className="jp-NotifyHidden">
            {trans.__('%1:', typeLabel(row.type, trans))}
          </span>
          <Summary
            row={row}
            open={open}
            id={id}
            className="jp-NotifyBanner-summary"
          />
        </div>
        <span className="jp-NotifyBanner-source">{row.source}</span>
        <div className="jp-NotifyBanner-tools">
          {children}
          {(row.hasBody || row.actions.length > 0 || cut || open) && (
            <button
              type="button"
              className="jp-NotifyBanner-button"
              aria-expanded={open}
              aria-controls={details ? `${id}-details` : undefined}
              aria-describedby={id}
              onClick={onToggle}
            >
              {open ? trans.__('Hide details') : trans.__('Details')}
            </button>
          )}
          {row.dismissable && (
            <IconButton
              label={trans.__('Dismiss')}
              aria-describedby={id}
              onClick={onDismiss}
            >
              <Glyph name="close" />
            </IconButton>
          )}
        </div>
      </div>
      {details && (
        <div
          id={`${id}-details`}
          className="jp-NotifyBanner-details"
          role="group"
          aria-labelledby={id}
          // It scrolls, so a keyboard has to reach it.
          tabIndex={0}
        >
          {row.hasBody && <Body row={row} />}
          {row.actions.length > 0 && <Actions row={row} />}
        </div>
      )}
    </li>
  );
}

/** Whether a line had to be cut; while it is open, what it was before. */
function useCut(
  line: React.RefObject<HTMLDivElement>,
  open: boolean,
  text: string
): boolean {
  const [cut, setCut] = React.useState(false);
  React.useLayoutEffect(() => {
    const summary = line.current?.querySelector('.jp-NotifySummary');
    if (open || !summary) {
      return;
    }
    const measure = () => {
      setCut(
        summary.scrollHeight > summary.clientHeight + 1 ||
          summary.scrollWidth > summary.clientWidth + 1
      );
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(summary);
    measure();
    return () => sizes.disconnect();
  }, [open, text]);
  return cut;
}
