/**
 * Completing the names of users.
 */
import { api } from './api.js';
import { splitNames } from './composing.js';

export function complete(field, list) {
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
      choose(event.key === 'ArrowDown' ? chosen + 1 : Math.max(chosen, 0) - 1);
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
