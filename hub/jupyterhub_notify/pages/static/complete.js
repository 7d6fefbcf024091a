/**
 * Completion of users' names.
 */
import { api } from './api.js';
import { BETWEEN, splitNames } from './composing.js';
import { visible } from './visible.js';

/** A list below a field, with the names that match the word at the cursor. */
class Completion {
  constructor(field, list) {
    this.field = field;
    this.list = list;
    this.chosen = -1;
    this.asked = 0;
  }

  get word() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    return before.split(BETWEEN).pop();
  }

  close() {
    this.list.hidden = true;
    this.list.replaceChildren();
    this.chosen = -1;
    this.field.removeAttribute('aria-activedescendant');
  }

  take(name) {
    const { field } = this;
    const at = field.selectionStart;
    const begin = at - this.word.length;
    const rest = field.value.slice(at).replace(/^\s*,?\s*/, '');
    const taken = `${BETWEEN.test(name) ? `"${name}"` : name}, `;
    field.value = field.value.slice(0, begin) + taken + rest;
    field.setSelectionRange(begin + taken.length, begin + taken.length);
    this.close();
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }

  choose(index) {
    const options = [...this.list.children];
    this.chosen = (index + options.length) % options.length;
    options.forEach((option, at) =>
      option.setAttribute('aria-selected', String(at === this.chosen))
    );
    const option = options[this.chosen];
    option.scrollIntoView({ block: 'nearest' });
    this.field.setAttribute('aria-activedescendant', option.id);
  }

  show(names) {
    this.list.replaceChildren(
      ...names.map((name, index) => {
        const option = document.createElement('li');
        option.id = `jn-completion-${index}`;
        option.role = 'option';
        option.textContent = visible(name);
        option.dataset.jnName = name;
        option.setAttribute('aria-selected', 'false');
        option.addEventListener('mousedown', event => {
          event.preventDefault();
          this.take(name);
        });
        return option;
      })
    );
    this.list.hidden = names.length === 0;
    this.chosen = -1;
  }

  async ask() {
    const letters = this.word;
    const mine = ++this.asked;
    if (!letters) {
      this.close();
      return;
    }
    try {
      const query = new URLSearchParams({ q: letters, limit: '8' });
      const answer = await api('GET', `v1/admin/directory?${query}`);
      const { users } = await answer.json();
      const given = new Set(splitNames(this.field.value));
      if (mine === this.asked && document.activeElement === this.field) {
        this.show(users.filter(name => name !== letters && !given.has(name)));
      }
    } catch {
      this.close(); // Names can be typed without completion.
    }
  }

  press(event) {
    if (this.list.hidden) {
      return;
    }
    if (event.key === 'ArrowDown') {
      this.choose(this.chosen + 1);
    } else if (event.key === 'ArrowUp') {
      this.choose(Math.max(this.chosen, 0) - 1);
    } else if (event.key === 'Enter' && this.chosen >= 0) {
      this.take(this.list.children[this.chosen].dataset.jnName);
    } else if (event.key === 'Escape') {
      this.close();
    } else {
      return;
    }
    event.preventDefault();
  }
}

export function complete(field, list) {
  const completion = new Completion(field, list);
  field.addEventListener('input', () => completion.ask());
  field.addEventListener('blur', () => completion.close());
  field.addEventListener('keydown', event => completion.press(event));
}
