/**
 * The page of a broadcast's results, updated as they arrive.
 */
import { api, byId, complain, forgive, say, SERVICE } from './api.js';
import { follow, refresh } from './follow.js';
import { localText, present } from './times.js';

/** Interval in ms at which the page checks whether a held message has been sent. */
const ASK_AGAIN_MS = 2000;

export function beginResults(article) {
  const id = encodeURIComponent(article.dataset.jnBroadcast);
  const path = `v1/admin/broadcasts/${id}`;
  const again = () => refresh(byId('jn-results'));
  follow(article.dataset.jnEvents, ['counts', 'delivery'], again);
  const act = {
    undo: async () => {
      await api('DELETE', path);
      location.assign(`${SERVICE}?duplicate=${id}`);
    },
    'send-now': async () => {
      await api('PATCH', path, { hold_s: 0 });
      say('Sent.');
      again();
    },
    revoke: () => byId('jn-revoke').showModal(),
    edit: async () => {
      // Another page may have changed it since this one was loaded.
      fillIn(byId('jn-edit'), await (await api('GET', path)).json());
      byId('jn-edit').showModal();
    },
    'close-edit': () => byId('jn-edit').close(),
    retry: async () => {
      await api('POST', `${path}/retry`);
      say('Trying again.');
      again();
    }
  };
  article.addEventListener('click', async event => {
    const button = event.target.closest('[data-jn-do]');
    if (button) {
      forgive();
      await Promise.resolve(act[button.dataset.jnDo]?.()).catch(complain);
    }
  });
  byId('jn-revoke').addEventListener('close', async event => {
    if (event.target.returnValue === 'revoke') {
      event.target.returnValue = '';
      await api('DELETE', path).then(again, complain);
    }
  });
  beginEdit(byId('jn-edit'), path, again);
  let asked = 0;
  setInterval(() => {
    // No event tells when the hold of a broadcast ends that begins later, so ask.
    if (countDown() === 0 && Date.now() - asked > ASK_AGAIN_MS) {
      asked = Date.now();
      again();
    }
  }, 250);
  countDown();
}

/** The fields that the dialog edits: the form's name and the broadcast's name of each. */
const EDITED = {
  message: 'summary',
  details: 'body',
  type: 'type',
  starts: 'starts',
  ends: 'ends',
  banner: 'banner'
};

const shown = field =>
  field.type === 'checkbox' ? field.checked : field.value;

/** Fill the dialog with the present broadcast. */
function fillIn(dialog, broadcast) {
  const form = dialog.querySelector('form');
  form.reset();
  byId('jn-edit-error').textContent = '';
  for (const [name, key] of Object.entries(EDITED)) {
    const field = form.elements[name];
    if (!field) {
      continue;
    }
    const value = broadcast[key];
    if (field.type === 'checkbox') {
      field.checked = value;
    } else if (field.type === 'datetime-local') {
      field.value = value ? localText(value) : '';
    } else {
      field.value = value ?? '';
    }
    field.dataset.jnWas = String(shown(field));
  }
}

function beginEdit(dialog, path, again) {
  const form = dialog.querySelector('form');
  form.addEventListener('submit', async event => {
    event.preventDefault();
    // Send only fields changed here, so that two editors do not undo each other's changes.
    const changes = { show_again: form.elements.show_again.checked };
    for (const [name, key] of Object.entries(EDITED)) {
      const field = form.elements[name];
      if (!field || String(shown(field)) === field.dataset.jnWas) {
        continue;
      }
      const value = shown(field);
      if (field.type === 'datetime-local') {
        changes[key] = value ? new Date(value).toISOString() : null;
      } else if (key === 'body') {
        changes[key] = value.trim() ? value : null;
      } else {
        changes[key] = key === 'summary' ? value.trim() : value;
      }
    }
    try {
      await api('PATCH', path, changes);
      // The page is not reloaded, which would lose a press in the meantime.
      dialog.close();
      say('Saved.');
      again();
    } catch (error) {
      byId('jn-edit-error').textContent = error.message;
    }
  });
}

/** Show how long a broadcast is still held; return the seconds, or undefined if none is held. */
export function countDown() {
  const element = document.querySelector('[data-jn-countdown]');
  if (!element) {
    return undefined;
  }
  const left = Math.ceil(
    (new Date(element.dataset.jnCountdown) - present()) / 1000
  );
  const text = left > 0 ? `${left} s` : 'a moment';
  if (element.textContent !== text) {
    element.textContent = text;
  }
  return Math.max(left, 0);
}
