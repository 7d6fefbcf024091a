/**
 * Composing a broadcast, and the templates to start from.
 */
import { api, byId, complain, forgive, Refused, SERVICE } from './api.js';
import { complete } from './complete.js';
import { inZone, present } from './times.js';

/** Separators between names; a name that contains a separator is in quotes. */
export const BETWEEN = /[\s,;\u200b]+/;
const NAME = /"([^"]+)"(?=[\s,;\u200b]|$)|[^\s,;\u200b]+/g;

export function splitNames(text) {
  const names = [...text.matchAll(NAME)].map(([name, quoted]) =>
    (quoted ?? name).trim()
  );
  return [...new Set(names.filter(Boolean))];
}

function splitChoices(text) {
  return text
    .split(',')
    .map(choice => choice.trim())
    .filter(Boolean);
}

class Missing extends Error {
  constructor(id, message) {
    super(message);
    this.id = id;
  }
}

function recurrence(form, zone) {
  const { frequency, until } = form.elements;
  let rule =
    frequency.value === 'WEEKDAYS'
      ? 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'
      : `FREQ=${frequency.value}`;
  if (until.value) {
    const end = inZone(`${until.value}T23:59`, zone);
    rule += `;UNTIL=${end.replace(/[-:]/g, '')}`;
  }
  return rule;
}

function times(form) {
  const when = form.elements.when.value;
  const body = {};
  if (when === 'now') {
    const seconds = Number(form.elements.expires.value);
    if (seconds) {
      body.ends = new Date(present() + seconds * 1000).toISOString();
    }
    return body;
  }
  const zone = form.elements.timezone.value.trim() || 'UTC';
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    throw new Missing('jn-timezone', `${zone} is no time zone.`);
  }
  const { starts, ends } = form.elements;
  if (!starts.value) {
    throw new Missing('jn-starts', 'Say when it begins.');
  }
  if (!ends.value && when !== 'later') {
    throw new Missing('jn-ends', 'Say when it ends.');
  }
  const first = inZone(starts.value, zone);
  const last = ends.value ? inZone(ends.value, zone) : undefined;
  if (last !== undefined && last <= first) {
    throw new Missing('jn-ends', 'The end must be after the beginning.');
  }
  if (when === 'maintenance') {
    return { maintenance: true, starts: first, ends: last, timezone: zone };
  }
  body.starts = first;
  if (last !== undefined) {
    body.ends = last;
  }
  if (when === 'repeating') {
    body.rrule = recurrence(form, zone);
    body.timezone = zone;
  }
  return body;
}

function audience(form) {
  const to = form.elements.to.value;
  if (to === 'groups') {
    const ticked = [...form.querySelectorAll('[name=group]:checked')];
    const written = form.elements.groups;
    const groups = [
      ...ticked.map(input => input.value),
      ...splitChoices(written?.value ?? '')
    ];
    if (!groups.length) {
      throw new Missing(written?.id, 'Choose a group.');
    }
    return { audience: 'named', groups };
  }
  if (to === 'users') {
    const users = splitNames(form.elements.users.value);
    if (!users.length) {
      throw new Missing('jn-users', 'Say to whom: no user is named.');
    }
    return { audience: 'named', users };
  }
  return { audience: to };
}

function content(form) {
  const fields = form.elements;
  if (!fields.message.value.trim()) {
    throw new Missing('jn-message', 'Write a message first.');
  }
  const body = {
    summary: fields.message.value.trim(),
    type: fields.type.value,
    banner: fields.banner.checked,
    inbox: fields.inbox.checked,
    dismissable: fields.dismissable.checked,
    must_accept: fields.must_accept.checked
  };
  // The field exists only if the site has channels.
  if (fields.important) {
    body.important = fields.important.checked;
  }
  if (fields.details.value.trim()) {
    body.body = fields.details.value;
  }
  if (fields.auto_close.value) {
    body.auto_close = JSON.parse(fields.auto_close.value);
  }
  body.actions = actions(form);
  const choices = splitChoices(fields.choices.value);
  if (choices.length || fields.reply_text.checked) {
    body.reply = { choices, text: fields.reply_text.checked };
  }
  return body;
}

function actions(form) {
  const found = [];
  const urls = form.querySelectorAll('[name=action_url]');
  form.querySelectorAll('[name=action_label]').forEach((label, index) => {
    const url = urls[index];
    if (label.value.trim() && !url.value.trim()) {
      throw new Missing(url.id, 'Say what this button opens.');
    }
    if (url.value.trim() && !label.value.trim()) {
      throw new Missing(label.id, 'Give this button a name.');
    }
    if (label.value.trim()) {
      found.push({ label: label.value.trim(), url: url.value.trim() });
    }
  });
  if (form.elements.dismiss_button.checked) {
    found.push({ label: 'Dismiss' });
  }
  return found;
}

/** The field of the form for each place that an error of the API names. */
const FIELD_OF = {
  summary: 'jn-message',
  body: 'jn-details',
  users: 'jn-users',
  groups: 'jn-groups',
  starts: 'jn-starts',
  ends: 'jn-ends',
  rrule: 'jn-frequency',
  timezone: 'jn-timezone',
  reply: 'jn-choices'
};

function point(error) {
  complain(
    error instanceof Missing ? new Refused(0, [{ msg: error.message }]) : error
  );
  const id = error instanceof Missing ? error.id : FIELD_OF[error.loc?.[1]];
  const field = id && byId(id);
  if (field) {
    field.closest('details')?.setAttribute('open', '');
    field.setAttribute('aria-invalid', 'true');
    field.setAttribute('aria-errormessage', 'jn-error');
    field.focus();
  }
}

async function send(form) {
  clearMarks(form);
  try {
    const hold = Number(form.dataset.jnUndo);
    const body = { ...content(form), ...audience(form), ...times(form) };
    if (hold) {
      body.hold_s = hold;
    }
    form.querySelector('[type=submit]').disabled = true;
    const answer = await api('POST', 'v1/admin/broadcasts', body);
    const { id } = await answer.json();
    location.assign(`${SERVICE}history/${encodeURIComponent(id)}`);
  } catch (error) {
    form.querySelector('[type=submit]').disabled = false;
    point(error);
  }
}

async function rehearse(form) {
  clearMarks(form);
  try {
    await api('POST', 'v1/admin/broadcasts', {
      ...content(form),
      audience: 'named',
      users: [form.dataset.jnMe],
      key: 'rehearsal'
    });
    byId('jn-rehearsed').textContent =
      'Sent to you alone: look in your inbox or your lab.';
  } catch (error) {
    point(error);
  }
}

/** Return the body without the times: a template is for another day. */
function templateOf(form) {
  const body = content(form);
  try {
    return { ...body, ...audience(form) };
  } catch {
    // No recipients are chosen yet: they are chosen when the template is used.
    return body;
  }
}

function beginToSave(form, dialog) {
  const fields = dialog.querySelector('form').elements;
  form
    .querySelector('[data-jn-do=save-template]')
    .addEventListener('click', () => {
      clearMarks(form);
      try {
        content(form);
      } catch (error) {
        point(error);
        return;
      }
      byId('jn-save-error').textContent = '';
      fields.name.value ||= form.elements.message.value.trim().slice(0, 60);
      dialog.showModal();
      fields.name.select();
    });
  dialog
    .querySelector('[data-jn-do=close-save]')
    .addEventListener('click', () => dialog.close());
  dialog.addEventListener('submit', async event => {
    event.preventDefault();
    const name = fields.name.value.trim();
    try {
      if (!name) {
        throw new Missing('jn-save-name', 'Give it a name.');
      }
      await api(
        'PUT',
        `v1/admin/templates/saved/${encodeURIComponent(name)}`,
        templateOf(form)
      );
      dialog.close();
      byId('jn-rehearsed').textContent = `Saved as “${name}”.`;
    } catch (error) {
      byId('jn-save-error').textContent = error.message;
    }
  });
}

export function beginTemplates() {
  const dialog = byId('jn-delete');
  let row;
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-jn-do=delete-template]');
    if (button) {
      row = button.closest('tr');
      // As the row shows it: with hidden characters made visible.
      byId('jn-delete-name').textContent = row.querySelector('a').textContent;
      dialog.returnValue = '';
      dialog.showModal();
    }
  });
  dialog.addEventListener('close', async () => {
    if (dialog.returnValue === 'delete') {
      const name = encodeURIComponent(row.dataset.jnTemplate);
      await api('DELETE', `v1/admin/templates/saved/${name}`).then(
        () => location.reload(),
        complain
      );
    }
  });
}

function clearMarks(form) {
  forgive();
  byId('jn-rehearsed').textContent = '';
  form
    .querySelectorAll('[aria-invalid]')
    .forEach(field => field.removeAttribute('aria-invalid'));
}

function count(hint) {
  const field = byId(hint.dataset.jnCounts);
  const length = [...field.value].length;
  hint.textContent = `${length} of ${hint.dataset.jnOf}`;
  hint.classList.toggle('jn-problem', length > Number(hint.dataset.jnOf));
}

export function beginToCompose(form) {
  form.addEventListener('submit', event => {
    event.preventDefault();
    void send(form);
  });
  form
    .querySelector('[data-jn-do=rehearse]')
    .addEventListener('click', () => void rehearse(form));
  const hint = form.querySelector('[data-jn-counts]');
  form.addEventListener('input', () => count(hint));
  count(hint);
  const message = form.elements.message;
  message.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      // The message is one line, as its readers see it. The details may have several.
      event.preventDefault();
    }
  });
  const zone = form.elements.timezone;
  if (!zone.value) {
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  form.elements.template?.addEventListener('change', event => {
    location.assign(event.target.dataset.jnGo + event.target.value);
  });
  beginToSave(form, byId('jn-save'));
  form.addEventListener('change', event => {
    if (event.target.name === 'when' && event.target.value === 'maintenance') {
      form.elements.banner.checked = true; // The banner shows the countdown.
    }
  });
  complete(byId('jn-users'), byId('jn-completions'));
}

export function showCount() {
  const shown = document.querySelector('#jn-recipients [data-jn-count]');
  const text = shown?.dataset.jnCount;
  byId('jn-send-count').textContent = text ? ` to ${text}` : '';
}
