/**
 * Selecting several messages of the inbox, and changing them together.
 */
import { byId, complain, forgive, say } from './api.js';
import { refresh } from './follow.js';
import { fitting, mark, OPPOSITE } from './marking.js';

const SAID = {
  done: 'Done',
  restore: 'Taken back',
  read: 'Marked as read',
  unread: 'Marked as unread'
};

const boxes = () => [...document.querySelectorAll('[data-jn-pick]')];

/** The selected messages, which stay selected when htmx redraws the list. */
class Selection {
  constructor() {
    this.chosen = new Set();
    this.all = byId('jn-select-all');
    this.undoBar = byId('jn-undo');
    this.undone = () => Promise.resolve();
  }

  show() {
    const there = boxes();
    for (const box of there) {
      box.checked = this.chosen.has(box.dataset.jnPick);
    }
    const count = there.filter(box => box.checked).length;
    byId('jn-bulk').hidden = count === 0;
    document.body.classList.toggle('jn-picking', count > 0);
    this.all.checked = count === there.length;
    this.all.indeterminate = count > 0 && count < there.length;
    byId('jn-selected').textContent = `${count} selected`;
  }

  clear() {
    this.chosen.clear();
    this.show();
  }

  /** Handle a changed checkbox: of all messages, or of one. */
  change(target) {
    const choose = (on, id) => this.chosen[on ? 'add' : 'delete'](id);
    if (target === this.all) {
      boxes().forEach(box => choose(this.all.checked, box.dataset.jnPick));
    } else if (target.dataset.jnPick) {
      choose(target.checked, target.dataset.jnPick);
    } else {
      return;
    }
    this.undoBar.hidden = true;
    this.show();
  }

  /** Mark the selected messages, and offer to undo that. */
  async act(what) {
    const picked = boxes()
      .filter(box => box.checked)
      .map(box => box.closest('.jn-line').querySelector('.jn-item'));
    const items = fitting(picked, what);
    this.clear();
    if (items.length === 0) {
      say('Nothing to change.');
      return;
    }
    await mark(items, what);
    this.undone = () => mark(items, OPPOSITE[what]);
    const text = `${SAID[what]}: ${items.length}`;
    this.undoBar.querySelector('span').textContent = text;
    say(text);
    const button = this.undoBar.querySelector('button');
    button.hidden =
      what === 'read' &&
      items.some(({ dataset }) => dataset.jnKind === 'broadcast');
    this.undoBar.hidden = false;
    (button.hidden ? byId('jn-q') : button).focus();
  }

  async undo() {
    this.undoBar.hidden = true;
    await this.undone();
    say('Undone.');
  }
}

export function beginSelection() {
  const selection = new Selection();
  document.addEventListener('change', ({ target }) => selection.change(target));
  document.addEventListener('click', async event => {
    const what = event.target.closest('[data-jn-bulk]')?.dataset.jnBulk;
    if (!what) {
      return;
    }
    forgive();
    if (what === 'none') {
      selection.clear();
      return;
    }
    try {
      await (what === 'undo' ? selection.undo() : selection.act(what));
      refresh(byId('jn-list'));
    } catch (error) {
      complain(error);
    }
  });
  document.addEventListener('htmx:afterSwap', () => selection.show());
  selection.show();
}
