/**
 * Marking the inbox's messages as read, unread, done and not done.
 */
import { api } from './api.js';

const MARKS = {
  done: 'dismiss',
  restore: 'restore',
  unread: 'unread',
  read: 'read'
};

/** Mark items; the messages among them go in one request. */
export async function mark(items, what) {
  const of = kind => items.filter(({ dataset }) => dataset.jnKind === kind);
  const ids = of('message').map(({ dataset }) => dataset.jnId);
  await Promise.all([
    ...(ids.length
      ? [api('POST', `v1/notifications/${MARKS[what]}`, { ids })]
      : []),
    ...of('broadcast').map(({ dataset }) =>
      api(
        'POST',
        `v1/broadcasts/${encodeURIComponent(dataset.jnId)}/${MARKS[what]}`
      )
    )
  ]);
}

/** The change that undoes each change. */
export const OPPOSITE = {
  done: 'restore',
  restore: 'done',
  read: 'unread',
  unread: 'read'
};

/** Return the items to which a change applies. */
export function fitting(items, what) {
  return items.filter(item => {
    const unread = item.classList.contains('jn-is-unread');
    return (
      (what !== 'done' || 'jnDismissable' in item.dataset) &&
      (what !== 'read' || unread) &&
      // A broadcast stays read: its sender already knows that it was read.
      (what !== 'unread' || (!unread && item.dataset.jnKind === 'message'))
    );
  });
}
