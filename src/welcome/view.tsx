/**
 * The dialog of the welcome messages, loaded when there is one to show.
 */
import { Notification } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { SafeMarkdown } from '../components/markdown';
import { useRendered } from '../components/message';
import { visible } from '../text/visible';
import type { WelcomeMessage } from '../wire';
import '../../style/welcome.css';

/**
 * The options of the dialog.
 */
export interface IWelcomeOptions {
  messages: readonly WelcomeMessage[];
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
  /** The address of the images in welcome messages, on this server. */
  images: string;
  /** Never show these messages again, or any at all. Rejects with a sentence to show. */
  dismiss(ids: string[] | 'all'): Promise<void>;
  /** Accept a message that must be accepted. Rejects with a sentence to show. */
  accept(id: string): Promise<void>;
  /** The user closed the dialog, and has seen these messages. */
  closed(seen: string[]): void;
}

/** Time in ms for which a user may go on typing after the dialog took the focus. */
const TYPING_MS = 700;

/** Have Enter press the blue button, if it does nothing else on the focused element. */
function takeDefault(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (
    event.key === 'Enter' &&
    !event.isComposing &&
    !target.closest('a, button, input, select, textarea, summary')
  ) {
    event.preventDefault();
    (event.currentTarget as HTMLElement)
      .querySelector<HTMLButtonElement>('.jp-mod-accept:enabled')
      ?.click();
  }
}

/**
 * A modal dialog: the browser keeps the focus in it and gives it back afterwards.
 */
export class WelcomeModal {
  /**
   * Open it.
   */
  constructor(options: IWelcomeOptions) {
    this._options = options;
    this.ids = options.messages.map(({ id }) => id);
    this._owed = new Set(options.messages.filter(isOwed).map(({ id }) => id));
    const node = (this._node = document.createElement('dialog'));
    node.className = 'jp-NotifyWelcome jp-NotifySurface jp-ThemedContainer';
    node.setAttribute('aria-labelledby', 'jp-notify-welcome-title');
    // The Escape key.
    node.addEventListener('cancel', event => {
      event.preventDefault();
      this._leave();
    });
    // The Enter of a user who is typing when the dialog opens is not for its button.
    setTimeout(() => node.classList.add('jp-mod-ready'), TYPING_MS);
    node.addEventListener('keydown', event => {
      if (!event.repeat && node.classList.contains('jp-mod-ready')) {
        takeDefault(event);
      }
    });
    // A browser may close the dialog all the same when Escape is pressed again and again.
    node.addEventListener('close', () => this._leave());
    document.body.append(node);
    this._content = ReactWidget.create(
      <Pages
        {...options}
        onSeen={id => this._seen.add(id)}
        onGone={id => {
          this.ids = this.ids.filter(other => other !== id);
          this._owed.delete(id);
        }}
        onClose={counted => this._finish(counted)}
      />
    );
    this._content.addClass('jp-NotifyWelcome-frame');
    Widget.attach(this._content, node);
    node.showModal();
  }

  /** The ids of the messages that it shows. */
  ids: string[];

  /**
   * Close the dialog without counting views: its messages were answered elsewhere.
   */
  close(): void {
    this._finish(false);
  }

  /** Close the dialog, unless a message must be accepted first. */
  private _leave(): void {
    if (this._owed.size === 0) {
      this._finish(true);
    } else if (!this._finished && !this._node.open) {
      this._node.showModal();
    }
  }

  private _finish(counted: boolean): void {
    if (this._finished) {
      return;
    }
    this._finished = true;
    this._node.close();
    this._content.dispose();
    this._node.remove();
    this._options.closed(
      counted ? [...this._seen].filter(id => this.ids.includes(id)) : []
    );
  }

  private readonly _options: IWelcomeOptions;
  private readonly _node: HTMLDialogElement;
  private readonly _content: Widget;
  private readonly _seen = new Set<string>();
  /** The ids of the messages that must be accepted before the dialog closes. */
  private readonly _owed: Set<string>;
  private _finished = false;
}

/** Tell if a message must be accepted before the dialog closes. */
function isOwed(message: WelcomeMessage): boolean {
  return message.must_accept && message.due;
}

/** The pages of the dialog. */
// Longer than a screen: one dialog's state and markup.
function Pages(
  props: IWelcomeOptions & {
    onSeen(id: string): void;
    onGone(id: string): void;
    onClose(counted: boolean): void;
  }
): JSX.Element | null {
  const { trans, onSeen, onGone, onClose } = props;
  // Messages that must be accepted come first.
  const [pages, setPages] = React.useState<readonly WelcomeMessage[]>(() => [
    ...props.messages.filter(isOwed),
    ...props.messages.filter(message => !isOwed(message))
  ]);
  const [at, setAt] = React.useState(0);
  const [busy, setBusy] = React.useState(false);
  const [failure, setFailure] = React.useState<string | null>(null);
  const body = React.useRef<HTMLDivElement>(null);
  const markdown = React.useMemo(
    () => new SafeMarkdown(props.rendermime, props.images, trans),
    []
  );
  const page = pages[Math.min(at, pages.length - 1)];
  const rendered = useRendered(page.body, text => markdown.block(text));
  const summary = useRendered(page.summary, text =>
    markdown.inline(text, true)
  );

  React.useEffect(() => {
    onSeen(page.id);
    body.current?.scrollTo(0, 0);
    // A button keeps the focus from page to page, as long as it can be pressed.
    if (!document.activeElement?.matches('.jp-NotifyWelcome button:enabled')) {
      body.current?.focus();
    }
  }, [page.id]);

  const owes = pages.some(isOwed);
  const finish = async (task: () => Promise<void>, all: boolean) => {
    setBusy(true);
    setFailure(null);
    try {
      await task();
      onGone(page.id);
      if (all || pages.length === 1) {
        onClose(false);
        return;
      }
      setPages(pages.filter(other => other !== page));
      setAt(Math.min(at, pages.length - 2));
    } catch (reason) {
      setFailure(reason instanceof Error ? reason.message : String(reason));
    }
    setBusy(false);
  };

  return (
    <div className="jp-NotifyWelcome-card">
      <h2
        id="jp-notify-welcome-title"
        className="jp-NotifyWelcome-title"
        dir="auto"
      >
        {visible(page.title)}
      </h2>
      {summary !== null && page.summary && (
        <p className="jp-NotifyWelcome-summary jp-NotifySummary" dir="auto">
          {summary}
        </p>
      )}
      <div
        ref={body}
        className="jp-NotifyWelcome-body jp-NotifyMarkdown"
        role="group"
        aria-labelledby="jp-notify-welcome-title"
        // It scrolls, so a keyboard has to reach it. And with the focus here, a user who is typing
        // when the dialog opens presses no button.
        tabIndex={0}
        dir="auto"
      >
        {rendered}
      </div>
      {failure !== null && (
        <div className="jp-NotifyNotice jp-mod-error" role="alert">
          <span>{failure}</span>
        </div>
      )}
      {pages.length > 1 && <Position pages={pages} at={at} trans={trans} />}
      <div className="jp-NotifyWelcome-footer">
        <div className="jp-NotifyWelcome-never">
          {owes ? (
            <span className="jp-NotifyWelcome-owed">
              {trans.__('To go on, please accept this.')}
            </span>
          ) : (
            <Never
              page={page}
              busy={busy}
              trans={trans}
              onNever={ids =>
                void finish(async () => {
                  await props.dismiss(ids);
                  if (ids === 'all') {
                    Notification.info(
                      trans.__(
                        'There will be no welcome messages. “Reset Welcome Messages” in the Help menu brings them back.'
                      ),
                      { autoClose: 10_000 }
                    );
                  }
                }, ids === 'all')
              }
            />
          )}
        </div>
        <Buttons
          count={pages.length}
          at={at}
          trans={trans}
          onPage={setAt}
          owed={isOwed(page)}
          close={
            isOwed(page) ? (
              <button
                type="button"
                className="jp-mod-styled jp-mod-accept"
                disabled={busy}
                onClick={() => void finish(() => props.accept(page.id), false)}
              >
                {trans.__('Accept')}
              </button>
            ) : owes ? null : (
              <CloseButton
                last={at >= pages.length - 1}
                trans={trans}
                onClick={() => onClose(true)}
              />
            )
          }
        />
      </div>
    </div>
  );
}

/** The links by which a message, or all of them, will never be shown again. */
function Never(props: {
  page: WelcomeMessage;
  busy: boolean;
  trans: TranslationBundle;
  onNever(ids: string[] | 'all'): void;
}): JSX.Element {
  const { page, busy, trans, onNever } = props;
  return (
    <>
      {page.dismissable && (
        <button
          type="button"
          className="jp-NotifyLink"
          disabled={busy}
          onClick={() => onNever([page.id])}
        >
          {trans.__('Don’t show this again')}
        </button>
      )}
      <button
        type="button"
        className="jp-NotifyLink"
        disabled={busy}
        onClick={() => onNever('all')}
      >
        {trans.__('Don’t show any welcome messages')}
      </button>
    </>
  );
}

/** The position of the message among the others. */
function Position(props: {
  pages: readonly WelcomeMessage[];
  at: number;
  trans: TranslationBundle;
}): JSX.Element {
  const { pages, at, trans } = props;
  return (
    <div className="jp-NotifyWelcome-pages">
      <span className="jp-NotifyWelcome-dots" aria-hidden="true">
        {pages.map((page, index) => (
          <span
            key={page.id}
            className={index === at ? 'jp-mod-on' : undefined}
          />
        ))}
      </span>
      <span role="status">
        <bdi>{trans.__('%1 of %2', at + 1, pages.length)}</bdi>
        <span className="jp-NotifyHidden">
          {visible(pages[at]?.title ?? '')}
        </span>
      </span>
    </div>
  );
}

/** The buttons that lead from message to message, and out. */
function Buttons(props: {
  count: number;
  at: number;
  trans: TranslationBundle;
  onPage(at: number): void;
  /** True if the message must be accepted: then only the button that accepts it is blue. */
  owed: boolean;
  /** The button that closes the dialog. */
  close: React.ReactNode;
}): JSX.Element {
  const { count, at, trans, onPage, owed, close } = props;
  const last = at >= count - 1;
  return (
    <div className="jp-NotifyWelcome-buttons">
      {count > 1 && (
        <>
          <button
            type="button"
            className="jp-mod-styled jp-mod-reject"
            disabled={at === 0}
            onClick={() => onPage(at - 1)}
          >
            {trans.__('Back')}
          </button>
          <button
            type="button"
            className={`jp-mod-styled ${last || owed || close === null ? 'jp-mod-reject' : 'jp-mod-accept'}`}
            disabled={last}
            onClick={() => onPage(at + 1)}
          >
            {trans.__('Next')}
          </button>
        </>
      )}
      {close}
    </div>
  );
}

/** The button that closes the dialog. */
function CloseButton(props: {
  last: boolean;
  trans: TranslationBundle;
  onClick(): void;
}): JSX.Element {
  const { last, trans, onClick } = props;
  return (
    <button
      type="button"
      className={`jp-mod-styled ${last ? 'jp-mod-accept' : 'jp-mod-reject'}`}
      onClick={onClick}
    >
      {trans.__('Close')}
    </button>
  );
}
