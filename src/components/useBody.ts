/**
 * The text of a message, which is fetched when the message is opened.
 */
import * as React from 'react';

import type { Notification } from '../wire';
import { type IFetched, type IShared, onReconnected, Shared } from './context';

/**
 * Shortest interval in ms between two fetches of the text of a message in progress.
 */
const PROGRESS_FETCH_MS = 3000;

/**
 * The text, as far as it is known.
 */
export interface IBody {
  /** Markdown; null if the message has none, undefined while it is not known. */
  body: string | null | undefined;
  /** The reason why the body could not be fetched. */
  failure: string | null;
  /** Ask again. */
  retry(): void;
}

/**
 * Fetch the text of a message, and fetch it again when its sender changes the message.
 */
export function useBody(row: Notification): IBody {
  const shared = React.useContext(Shared);
  const { fetched } = shared;
  const [attempt, setAttempt] = React.useState(0);
  const [failure, setFailure] = React.useState<string | null>(null);
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  const known = fetched.get(row.id);
  // An expired row has no text at the server any more.
  const stale =
    row.expired === null && (!known || hasNewContent(known.row, row));
  if (known && !stale && known.row.seq < row.seq) {
    // Only the user's state is newer: the body is that of this row too.
    fetched.set(row.id, { row, body: known.body });
  }
  const askedAt = React.useRef(0);

  React.useEffect(() => {
    if (!stale) {
      return;
    }
    // Each step of a progress may change the text, so do not wait for the last one.
    const wait =
      known && row.type === 'in-progress'
        ? askedAt.current + PROGRESS_FETCH_MS - Date.now()
        : 0;
    return fetchBody(row.id, shared, wait, {
      asking: () => {
        askedAt.current = Date.now();
        setFailure(null);
      },
      fetched: draw,
      failed: setFailure
    });
    // A change of the read state alone is no reason to ask again before the answer is there.
  }, [row.id, stale ? (known ? row.seq : row.updated) : 0, attempt]);

  return { body: known?.body, failure, retry: () => setAttempt(attempt + 1) };
}

/**
 * Ask for a text, now or after some time, and again once the server can be reached.
 *
 * @returns A function that ends that.
 */
function fetchBody(
  id: string,
  { model, fetched }: IShared,
  wait_ms: number,
  tell: {
    asking(): void;
    fetched(): void;
    failed(reason: string): void;
  }
): () => void {
  let gone = false;
  let state: 'waiting' | 'asking' | 'failed' = 'waiting';
  let again = false;
  const onAnswer = (detail: IFetched['row'] & { body: string | null }) => {
    // Answers to a row that changes fast may overtake each other.
    if ((fetched.get(id)?.row.seq ?? -1) < detail.seq) {
      fetched.set(id, { row: detail, body: detail.body });
    }
    tell.fetched();
  };
  const onFailed = (reason: unknown) => {
    if (gone) {
      return;
    }
    if (again) {
      ask();
      return;
    }
    state = 'failed';
    tell.failed(reason instanceof Error ? reason.message : String(reason));
  };
  const ask = () => {
    state = 'asking';
    again = false;
    tell.asking();
    model.detail(id).then(onAnswer, onFailed);
  };
  // A body that could not be fetched while the server was away is fetched once it is back, also
  // if the failure comes later than that.
  const ignore = onReconnected(model, () => {
    again = state === 'asking';
    if (state === 'failed') {
      ask();
    }
  });
  let timer: number | undefined;
  if (wait_ms > 0) {
    timer = window.setTimeout(ask, wait_ms);
  } else {
    ask();
  }
  return () => {
    gone = true;
    clearTimeout(timer);
    ignore();
  };
}

/**
 * Tell if the sender changed a row, which may change its body; a change of the user's state does
 * not.
 */
function hasNewContent(known: Notification, row: Notification): boolean {
  return (
    known.seq < row.seq &&
    (known.updated !== row.updated ||
      known.message !== row.message ||
      (known.read === row.read && known.dismissed === row.dismissed))
  );
}
