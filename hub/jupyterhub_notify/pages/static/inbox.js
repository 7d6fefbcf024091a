/**
 * A user's inbox, and their choice of channels.
 */
import { api, byId, complain, forgive, say } from './api.js';
import { follow, refresh } from './follow.js';

const MARKS = {
  done: 'dismiss',
  restore: 'restore',
  unread: 'unread',
  read: 'read'
};

/** Mark items; the messages among them go in one request. */
async function mark(items, what) {
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

/** What takes back what was done to many. */
const OPPOSITE = {
  done: 'restore',
  restore: 'done',
  read: 'unread',
  unread: 'read'
};

const SAID = {
  done: 'Done',
  restore: 'Taken back',
  read: 'Marked as read',
  unread: 'Marked as unread'
};

/** Which of these a change makes sense for. */
function fitting(items, what) {
  return items.filter(item => {
    const unread = item.classList.contains('jn-is-unread');
    return (
      (what !== 'done' || 'jnDismissable' in item.dataset) &&
      (what !== 'read' || unread) &&
      // A broadcast stays read: its sender has been told so.
      (what !== 'unread' || (!unread && item.dataset.jnKind === 'message'))
    );
  });
}

/** Choosing several messages, and what is done to them together. */
export function beginSelection() {
  const chosen = new Set();
  const bar = byId('jn-bulk');
  const undo = byId('jn-undo');
  const all = byId('jn-select-all');
  let undone = () => Promise.resolve();
  const boxes = () => [...document.querySelectorAll('[data-jn-pick]')];
  const show = () => {
    const there = boxes();
    for (const box of there) {
      box.checked = chosen.has(box.dataset.jnPick);
    }
    const count = there.filter(box => box.checked).length;
    bar.hidden = count === 0;
    document.body.classList.toggle('jn-picking', count > 0);
    all.checked = count === there.length;
    all.indeterminate = count > 0 && count < there.length;
    byId('jn-selected').textContent = `${count} selected`;
  };
  const act = async what => {
    const picked = boxes()
      .filter(box => box.checked)
      .map(box => box.closest('.jn-line').querySelector('.jn-item'));
    const items = fitting(picked, what);
    chosen.clear();
    show();
    if (items.length === 0) {
      say('Nothing to change.');
      return;
    }
    await mark(items, what);
    undone = () => mark(items, OPPOSITE[what]);
    const text = `${SAID[what]}: ${items.length}`;
    undo.querySelector('span').textContent = text;
    say(text);
    const button = undo.querySelector('button');
    button.hidden =
      what === 'read' &&
      items.some(({ dataset }) => dataset.jnKind === 'broadcast');
    undo.hidden = false;
    (button.hidden ? byId('jn-q') : button).focus();
  };
  document.addEventListener('change', event => {
    const { jnPick } = event.target.dataset;
    if (event.target === all) {
      boxes().forEach(({ dataset }) =>
        chosen[all.checked ? 'add' : 'delete'](dataset.jnPick)
      );
    } else if (jnPick) {
      chosen[event.target.checked ? 'add' : 'delete'](jnPick);
    } else {
      return;
    }
    undo.hidden = true;
    show();
  });
  document.addEventListener('click', async event => {
    const what = event.target.closest('[data-jn-bulk]')?.dataset.jnBulk;
    if (!what) {
      return;
    }
    forgive();
    try {
      if (what === 'none') {
        chosen.clear();
        show();
        return;
      }
      if (what === 'undo') {
        undo.hidden = true;
        await undone();
        say('Undone.');
      } else {
        await act(what);
      }
      refresh(byId('jn-list'));
    } catch (error) {
      complain(error);
    }
  });
  document.addEventListener('htmx:afterSwap', show);
  show();
}

export function beginChannels(form) {
  const fields = form.elements;
  if (!fields.quiet_from.value && fields.timezone.value === 'UTC') {
    // Nobody has chosen a zone yet: quiet hours are meant on the reader's own clock.
    fields.timezone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  form.addEventListener('submit', event => event.preventDefault());
  form.addEventListener('change', async () => {
    const said = byId('jn-channels-said');
    const boxes = [...form.querySelectorAll('[name=on]:enabled')];
    try {
      await api('PATCH', 'v1/channels', {
        on: Object.fromEntries(boxes.map(box => [box.value, box.checked])),
        digest: fields.digest.value,
        quiet_from: fields.quiet_from.value || null,
        quiet_until: fields.quiet_until.value || null,
        timezone: fields.timezone.value.trim()
      });
      said.classList.remove('jn-problem');
      said.textContent = 'Saved.';
    } catch (error) {
      said.classList.add('jn-problem');
      said.textContent = error.message;
    }
  });
}

export function beginInbox(list) {
  const open = new Set();
  follow(
    list.dataset.jnEvents,
    [
      ...['message', 'message-changed', 'message-gone', 'reload'],
      ...['broadcast', 'broadcast-changed', 'broadcast-gone']
    ],
    () => refresh(byId('jn-list'))
  );
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
  document.addEventListener('htmx:beforeSwap', event => {
    // Before it is drawn, so that what was open does not jump.
    for (const id of open) {
      document.addEventListener(
        'htmx:afterSwap',
        () => byId(id)?.setAttribute('open', ''),
        { once: true }
      );
    }
  });
  document.addEventListener('click', async event => {
    const button = event.target.closest('[data-jn-do]');
    if (!button) {
      return;
    }
    forgive();
    const item = button.closest('.jn-item');
    const what = button.dataset.jnDo;
    try {
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
    } catch (error) {
      complain(error);
    }
  });
  document.addEventListener('submit', async event => {
    const form = event.target.closest('[data-jn-reply]');
    if (!form) {
      return;
    }
    event.preventDefault();
    const { jnId, jnKind } = form.closest('.jn-item').dataset;
    const where =
      jnKind === 'message' ? 'notifications/messages' : 'broadcasts';
    const reply = event.submitter?.value || form.elements.text?.value.trim();
    if (!reply) {
      return;
    }
    try {
      await api('POST', `v1/${where}/${encodeURIComponent(jnId)}/reply`, {
        reply
      });
      refresh(byId('jn-list'));
    } catch (error) {
      complain(error);
    }
  });
}
