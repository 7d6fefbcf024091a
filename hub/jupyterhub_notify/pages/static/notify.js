/*
 * What the page does by itself: times in the reader's own zone, what is sent to the API, and what
 * changes while it is open. Parts of the page come from the service, through htmx; nothing that a
 * message says is built into HTML here.
 */
'use strict';
(() => {
  const meta = name =>
    document.querySelector(`meta[name="${name}"]`)?.content ?? '';
  const SERVICE = meta('jn-service');
  const XSRF = meta('jn-xsrf');
  const byId = id => document.getElementById(id);

  // --- The API

  class Refused extends Error {
    constructor(status, detail) {
      const first = Array.isArray(detail) ? detail[0] : undefined;
      super(first?.msg ?? `The service answered ${status}.`);
      this.loc = first?.loc ?? [];
    }
  }

  async function api(method, path, body) {
    let answer;
    try {
      answer = await fetch(SERVICE + path, {
        method,
        headers: {
          'X-XSRFToken': XSRF,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' })
        },
        body: body === undefined ? undefined : JSON.stringify(body)
      });
    } catch {
      throw new Refused(0, [
        { msg: 'The service does not answer: try again in a moment.' }
      ]);
    }
    if (answer.status === 401) {
      // The login has ended: the page leads to it, and back.
      location.reload();
    }
    if (!answer.ok) {
      const data = await answer.json().catch(() => ({}));
      throw new Refused(answer.status, data.detail);
    }
    return answer;
  }

  function say(text) {
    byId('jn-said').textContent = text;
  }

  function complain(error) {
    const box = byId('jn-error');
    box.textContent = error instanceof Refused ? error.message : String(error);
    box.hidden = false;
    box.scrollIntoView({ block: 'nearest' });
  }

  function forgive() {
    byId('jn-error').hidden = true;
  }

  // --- Times, in the reader's own zone and language

  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  const UNITS = [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60]
  ];

  function sinceText(moment) {
    const seconds = (moment - Date.now()) / 1000;
    for (const [unit, size] of UNITS) {
      if (Math.abs(seconds) >= size) {
        return relative.format(Math.trunc(seconds / size), unit);
      }
    }
    return relative.format(0, 'second');
  }

  function momentText(moment) {
    const today = new Date().toDateString() === moment.toDateString();
    return moment.toLocaleString(undefined, {
      ...(today ? {} : { dateStyle: 'medium' }),
      timeStyle: 'short'
    });
  }

  function showTimes(root = document) {
    for (const element of root.querySelectorAll('time[data-jn-time]')) {
      const moment = new Date(element.dateTime);
      const text =
        element.dataset.jnTime === 'moment'
          ? momentText(moment)
          : sinceText(moment);
      if (element.textContent !== text) {
        element.textContent = text;
      }
      element.title = moment.toLocaleString();
    }
  }

  /** Return a moment as a field for a local time has it. */
  function localText(iso) {
    if (!iso) {
      return '';
    }
    const moment = new Date(iso);
    const shifted = moment - moment.getTimezoneOffset() * 60_000;
    return new Date(shifted).toISOString().slice(0, 16);
  }

  /** Return the moment at which a clock in a zone shows this local time, in UTC. */
  function inZone(local, zone) {
    const asUtc = Date.parse(`${local}:00Z`.replace(/:00:00Z$/, ':00Z'));
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric'
    });
    const shown = at => {
      const part = Object.fromEntries(
        format.formatToParts(at).map(({ type, value }) => [type, Number(value)])
      );
      return Date.UTC(
        part.year,
        part.month - 1,
        part.day,
        part.hour,
        part.minute
      );
    };
    let at = asUtc;
    // Twice: the offset may change between the first guess and the moment.
    for (let round = 0; round < 2; round++) {
      at += asUtc - shown(at);
    }
    return new Date(at).toISOString().replace('.000Z', 'Z');
  }

  // --- Composing

  function splitNames(text) {
    return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
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
        body.ends = new Date(Date.now() + seconds * 1000).toISOString();
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
      const ticked = [
        ...form.querySelectorAll(
          '[name=groups]:is(:checked, :not([type=checkbox]))'
        )
      ];
      const groups = ticked.flatMap(input => splitChoices(input.value));
      if (!groups.length) {
        throw new Missing(
          form.querySelector('[name=groups]')?.id,
          'Choose a group.'
        );
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
    // Only where the site has channels.
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

  /** Which field the API means by a place in the body. */
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
      error instanceof Missing
        ? new Refused(0, [{ msg: error.message }])
        : error
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

  // --- Templates

  /** Return what to send, without the times: a template is for another day. */
  function templateOf(form) {
    const body = content(form);
    try {
      return { ...body, ...audience(form) };
    } catch {
      // Nobody is chosen yet: whoever starts from it says to whom.
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

  function beginTemplates() {
    const dialog = byId('jn-delete');
    let row;
    document.addEventListener('click', event => {
      const button = event.target.closest('[data-jn-do=delete-template]');
      if (button) {
        row = button.closest('tr');
        byId('jn-delete-name').textContent = row.dataset.jnTemplate;
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

  function beginToCompose(form) {
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
        // One line, as its readers see it; the details have as many as one likes.
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
      if (
        event.target.name === 'when' &&
        event.target.value === 'maintenance'
      ) {
        form.elements.banner.checked = true; // It counts down there.
      }
    });
    complete(byId('jn-users'), byId('jn-completions'));
  }

  function showCount() {
    const shown = document.querySelector('#jn-recipients [data-jn-count]');
    const text = shown?.dataset.jnCount;
    byId('jn-send-count').textContent = text ? ` to ${text}` : '';
  }

  // --- Completing the names of users

  function complete(field, list) {
    let chosen = -1;
    let asked = 0;
    const word = () => {
      const before = field.value.slice(0, field.selectionStart);
      return before.split(/[\s,;]+/).pop();
    };
    const close = () => {
      list.hidden = true;
      list.replaceChildren();
      chosen = -1;
      field.removeAttribute('aria-activedescendant');
    };
    const take = name => {
      const at = field.selectionStart;
      const begin = at - word().length;
      const rest = field.value.slice(at).replace(/^\s*,?\s*/, '');
      field.value = `${field.value.slice(0, begin)}${name}, ${rest}`;
      field.setSelectionRange(begin + name.length + 2, begin + name.length + 2);
      close();
      field.dispatchEvent(new Event('input', { bubbles: true }));
    };
    const choose = index => {
      const options = [...list.children];
      chosen = (index + options.length) % options.length;
      options.forEach((option, at) =>
        option.setAttribute('aria-selected', String(at === chosen))
      );
      options[chosen].scrollIntoView({ block: 'nearest' });
      field.setAttribute('aria-activedescendant', options[chosen].id);
    };
    const show = names => {
      list.replaceChildren(
        ...names.map((name, index) => {
          const option = document.createElement('li');
          option.id = `jn-completion-${index}`;
          option.role = 'option';
          option.textContent = name;
          option.setAttribute('aria-selected', 'false');
          option.addEventListener('mousedown', event => {
            event.preventDefault();
            take(name);
          });
          return option;
        })
      );
      list.hidden = names.length === 0;
      chosen = -1;
    };
    field.addEventListener('input', async () => {
      const letters = word();
      const mine = ++asked;
      if (!letters) {
        close();
        return;
      }
      try {
        const query = new URLSearchParams({ q: letters, limit: '8' });
        const answer = await api('GET', `v1/admin/directory?${query}`);
        const { users } = await answer.json();
        const given = new Set(splitNames(field.value));
        if (mine === asked && document.activeElement === field) {
          show(users.filter(name => name !== letters && !given.has(name)));
        }
      } catch {
        close(); // Names can be written without help.
      }
    });
    field.addEventListener('blur', close);
    field.addEventListener('keydown', event => {
      if (list.hidden) {
        return;
      }
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        choose(
          event.key === 'ArrowDown' ? chosen + 1 : Math.max(chosen, 0) - 1
        );
      } else if (event.key === 'Enter' && chosen >= 0) {
        take(list.children[chosen].textContent);
      } else if (event.key === 'Escape') {
        close();
      } else {
        return;
      }
      event.preventDefault();
    });
  }

  // --- Following what changes

  /** Call back at most once a second while an event stream says that something has changed. */
  function follow(path, names, changed) {
    let due = 0;
    let last = 0;
    const soon = () => {
      if (!due) {
        due = setTimeout(
          () => {
            due = 0;
            last = Date.now();
            changed();
          },
          Math.max(50, last + 1000 - Date.now())
        );
      }
    };
    const glue = path.includes('?') ? '&' : '?';
    // An event source sends no headers.
    const source = new EventSource(
      `${path}${glue}_xsrf=${encodeURIComponent(XSRF)}`
    );
    for (const name of names) {
      source.addEventListener(name, soon);
    }
    addEventListener('pagehide', () => source.close());
    return source;
  }

  function refresh(element) {
    if (element) {
      htmx.trigger(element, 'jn-refresh');
    }
  }

  // --- Results

  function beginResults(article) {
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
    beginEdit(byId('jn-edit'), path);
    setInterval(countDown, 250);
    countDown();
  }

  /** What the dialog edits: the field of the form, and that of the broadcast. */
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

  /** Fill the dialog with a broadcast as it is now. */
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

  function beginEdit(dialog, path) {
    const form = dialog.querySelector('form');
    form.addEventListener('submit', async event => {
      event.preventDefault();
      // Only what was changed here, so that two who edit do not undo each other's changes.
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
        location.reload();
      } catch (error) {
        byId('jn-edit-error').textContent = error.message;
      }
    });
  }

  function countDown() {
    const element = document.querySelector('[data-jn-countdown]');
    if (!element) {
      return;
    }
    const left = Math.ceil(
      (new Date(element.dataset.jnCountdown) - Date.now()) / 1000
    );
    const text = left > 0 ? `${left} s` : 'a moment';
    if (element.textContent !== text) {
      element.textContent = text;
    }
  }

  // --- Inbox

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
  function beginSelection() {
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

  function beginChannels(form) {
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

  function beginInbox(list) {
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

  // --- Beginning

  document.addEventListener('DOMContentLoaded', () => {
    showTimes();
    setInterval(showTimes, 15_000);
    document
      .querySelector('.jn-tabs [aria-current]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    document.addEventListener('htmx:afterSwap', event => {
      showTimes();
      countDown();
      if (event.target.id === 'jn-recipients') {
        showCount();
      }
    });
    document.addEventListener('htmx:responseError', event => {
      if (event.detail.xhr.status === 401) {
        location.reload();
      }
    });
    const form = byId('jn-compose');
    if (form) {
      beginToCompose(form);
    }
    const article = document.querySelector('[data-jn-broadcast]');
    if (article) {
      beginResults(article);
    }
    const list = document.querySelector('.jn-inbox');
    if (list) {
      beginInbox(list);
      beginSelection();
    }
    const channels = byId('jn-channels');
    if (channels) {
      beginChannels(channels);
    }
    if (byId('jn-delete')) {
      beginTemplates();
    }
  });
})();
