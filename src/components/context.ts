/**
 * The state that the parts of the open center, and of the banner, share.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

import type { INotificationActions, INotificationModel } from '../tokens';
import type { Notification } from '../wire';
import { SafeMarkdown } from './markdown';
import { Times } from '../text/times';

/**
 * The widget that the center is shown in, as the center needs it.
 */
export interface ICenterHost {
  /** True if a user can see it. */
  readonly visible: boolean;
  /** Emitted when it was shown or hidden. */
  readonly visibleChanged: ISignal<unknown, boolean>;
  /** Emitted when it should take the focus, or show a notification. */
  readonly requested: ISignal<unknown, void>;
  /** Take the pending request; it is given out once. */
  takeRequest(): ICenterHost.IRequest | undefined;
  /** Close the widget. */
  close(): void;
  /** Return the keyboard focus to the part of the page that the user worked in. */
  leave(): void;
  /** The commands that its menu runs. */
  readonly commands: CommandRegistry;
  /** The application's shell, in which they open things. */
  readonly shell: JupyterFrontEnd.IShell;
}

/**
 * The namespace of {@link ICenterHost}.
 */
export namespace ICenterHost {
  /**
   * A request to the center.
   */
  export interface IRequest {
    /** A notification to show in full, or null for the list. */
    id: string | null;
    /** True if the center takes the keyboard focus. */
    focus: boolean;
    /** True if a user asked, so that the notification counts as read. */
    read: boolean;
    /** True if the row only gets the focus, and is not opened. */
    closed?: boolean;
  }
}

/**
 * The parts that the center is made from.
 */
export interface ICenterProps {
  model: INotificationModel;
  actions: INotificationActions;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
  language?: string;
  host: ICenterHost;
}

/** A body that was fetched, and the row as it was then. */
export interface IFetched {
  row: Notification;
  body: string | null;
}

/** Number of bodies that are kept. */
const KEPT_BODIES = 20;

/** The bodies that were shown last. */
export class FetchedBodies extends Map<string, IFetched> {
  set(id: string, fetched: IFetched): this {
    this.delete(id);
    super.set(id, fetched);
    if (this.size > KEPT_BODIES) {
      this.delete(this.keys().next().value!);
    }
    return this;
  }
}

/** The objects that every row needs. */
export interface IShared {
  model: INotificationModel;
  actions: INotificationActions;
  trans: TranslationBundle;
  times: Times;
  markdown: SafeMarkdown;
  percent: Intl.NumberFormat;
  /** The prefix of the ids of elements: the page may have more than one center. */
  prefix: string;
  /** The bodies fetched so far: a row that scrolls away and comes back needs no second request. */
  fetched: FetchedBodies;
  /** The answers that were begun and not sent, by the ids of their notifications. */
  drafts: Map<string, string>;
  /** Show a sentence about what went wrong. */
  fail(reason: unknown): void;
}

/**
 * The objects that every row needs, as a React context: they need not be handed down.
 */
export const Shared = React.createContext<IShared>(null!);

/**
 * Call back each time that the stream is connected again.
 *
 * @returns A function that ends the calls.
 */
export function onReconnected(
  model: Pick<INotificationModel, 'connected' | 'stateChanged'>,
  reconnected: () => void
): () => void {
  let { connected } = model;
  const onState = () => {
    const again = model.connected && !connected;
    connected = model.connected;
    if (again) {
      reconnected();
    }
  };
  model.stateChanged.connect(onState);
  return () => {
    model.stateChanged.disconnect(onState);
  };
}

/**
 * Make the objects that every row needs, once, and keep the last failure.
 */
export function useShared(options: Omit<ICenterProps, 'host'>): {
  /** The value for the provider of {@link Shared}. */
  shared: IShared;
  /** The last failure, as a sentence. */
  failure: string | null;
  /** Forget the last failure. */
  forget(): void;
} {
  const { model, actions, rendermime, trans, language } = options;
  const [failure, setFailure] = React.useState<string | null>(null);
  const prefix = React.useId();
  const shared = React.useMemo<IShared>(() => {
    const times = new Times(trans, language);
    return {
      model,
      actions,
      trans,
      times,
      markdown: new SafeMarkdown(rendermime, undefined, trans),
      percent: times.percent,
      prefix,
      fetched: new FetchedBodies(),
      drafts: new Map(),
      fail: reason =>
        setFailure(reason instanceof Error ? reason.message : String(reason))
    };
  }, []);
  const forget = React.useCallback(() => setFailure(null), []);
  // The server can be reached again, so a failure to reach it is out of date.
  React.useEffect(() => onReconnected(model, forget), []);
  return { shared, failure, forget };
}
