/**
 * Requests to the center by others: to take the focus, or to show a notification.
 */
import * as React from 'react';

import type { ICenterHost, IShared } from '../components/context';
import { isActive } from '../state';
import type { Notification } from '../wire';
import type { IListHandle } from './list';

/** Time in ms to wait for a requested row: one that came later would take the focus by surprise. */
const TARGET_MS = 3000;

/** A row that is to be shown as soon as it is in the list. */
interface ITarget {
  id: string;
  focus: boolean;
  open: boolean;
  read: boolean;
}

/**
 * Do what the host asks for, and bring rows into sight.
 *
 * @returns A function that gives the focus to a row as soon as the row is in the list.
 */
// Longer than a screen: effects that share one pending request.
export function useRequests(options: {
  host: ICenterHost;
  shared: IShared;
  rows: readonly Notification[];
  openId: string | null;
  list: React.RefObject<IListHandle>;
  root: React.RefObject<HTMLElement>;
  /** Bring a row into the list; false if the user went on to another list meanwhile. */
  include(row: Notification): Promise<boolean>;
  /** Open a row; `read` tells if the user has read it then. */
  open(row: Notification, read: boolean): void;
}): (id: string) => void {
  const { host, list, openId, root, rows } = options;
  const [target, setTarget] = React.useState<ITarget | null>(null);
  /** True if the focus was to go to the list before there was one. */
  const listWanted = React.useRef(false);

  React.useEffect(() => {
    const onRequest = () => {
      const request = host.takeRequest();
      if (request && request.id !== null) {
        void show({ ...request, id: request.id, open: !request.closed });
      } else if (request?.focus) {
        requestAnimationFrame(() => {
          listWanted.current = !list.current;
          (list.current ?? root.current)?.focus();
        });
      }
    };
    host.requested.connect(onRequest);
    onRequest();
    return () => {
      host.requested.disconnect(onRequest);
    };
  }, []);

  const show = async (target: ITarget) => {
    const { model, fail, trans } = options.shared;
    try {
      const row = model.get(target.id) ?? (await model.detail(target.id));
      if (!isActive(row)) {
        throw new Error(trans.__('This notification is no longer there.'));
      }
      if (await options.include(row)) {
        setTarget(target);
      }
    } catch (reason) {
      fail(reason);
    }
  };

  React.useEffect(() => {
    const row = target ? rows.find(one => one.id === target.id) : undefined;
    if (row && target) {
      setTarget(null);
      if (target.open && openId !== row.id) {
        options.open(row, target.read);
      }
      requestAnimationFrame(() => list.current?.show(row.id, target.focus));
    }
  }, [target, rows]);

  React.useEffect(() => {
    if (listWanted.current && rows.length > 0) {
      listWanted.current = false;
      // The user may have moved the focus elsewhere meanwhile.
      if (document.activeElement === root.current) {
        list.current?.focus();
      }
    }
  }, [rows]);

  React.useEffect(() => {
    const timer = setTimeout(() => setTarget(null), TARGET_MS);
    return () => clearTimeout(timer);
  }, [target]);

  return id => setTarget({ id, focus: true, open: false, read: false });
}
