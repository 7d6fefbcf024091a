/**
 * A user's inbox: opening messages, their buttons, and replies.
 */
import { api, byId, complain, forgive, say } from './api.js';
import { follow, refresh } from './follow.js';
import { mark } from './marking.js';

/** Mark an opened message as read, and keep it open when the list is redrawn. */
function followOpening() {
  const open = new Set();
  document.addEventListener(
    'toggle',
    event => {
      const item = event.target.closest?.('.jn-item');
      if (!item) {
        return;
      }
      open[item.open ? 'add' : 'delete'](item.id);
      if (item.open && item.classList.contains('jn-is-unread')) {
        item.classList.remove('jn-is-unread');
        mark([item], 'read').catch(complain);
      }
    },
    true
  );
  document.addEventListener('htmx:beforeSwap', () => {
    // Opened right after the swap and before drawing, so that the list does not jump.
    for (const id of open) {
      document.addEventListener(
        'htmx:afterSwap',
        () => byId(id)?.setAttribute('open', ''),
        { once: true }
      );
    }
  });
  return open;
}

async function press(button, open) {
  const item = button.closest('.jn-item');
  const what = button.dataset.jnDo;
  if (what === 'read-all') {
    await mark([...document.querySelectorAll('.jn-is-unread')], 'read');
  } else if (what === 'accept') {
    const id = encodeURIComponent(item.dataset.jnId);
    await api('POST', `v1/broadcasts/${id}/accept`);
  } else {
    open.delete(item.id);
    await mark([item], what);
  }
  say('Done.');
  refresh(byId('jn-list'));
}

async function sendReply(form, reply) {
  const { jnId, jnKind } = form.closest('.jn-item').dataset;
  const where = jnKind === 'message' ? 'notifications/messages' : 'broadcasts';
  await api('POST', `v1/${where}/${encodeURIComponent(jnId)}/reply`, { reply });
  refresh(byId('jn-list'));
}

export function beginInbox(list) {
  follow(
    list.dataset.jnEvents,
    [
      ...['message', 'message-changed', 'message-gone', 'reload'],
      ...['broadcast', 'broadcast-changed', 'broadcast-gone']
    ],
    () => refresh(byId('jn-list'))
  );
  const open = followOpening();
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-jn-do]');
    if (button) {
      forgive();
      press(button, open).catch(complain);
    }
  });
  document.addEventListener('submit', event => {
    const form = event.target.closest('[data-jn-reply]');
    if (!form) {
      return;
    }
    event.preventDefault();
    const reply = event.submitter?.value || form.elements.text?.value.trim();
    if (reply) {
      sendReply(form, reply).catch(complain);
    }
  });
}
