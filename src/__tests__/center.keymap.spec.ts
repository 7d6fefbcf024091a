/**
 * The keys of the center, on any keyboard.
 */
import { bulkKey, centerKey, listKey } from '../center/keymap';

function press(key: string, more: Partial<KeyboardEvent> = {}): any {
  return { key, code: '', target: document.createElement('article'), ...more };
}

describe('A key of the center', () => {
  it.each([
    ['with Caps Lock', press('E', { code: 'KeyE' }), 'dismiss'],
    ['of a Cyrillic keyboard', press('\u0443', { code: 'KeyE' }), 'dismiss'],
    // On a French keyboard the letters are on other keys: the letter counts, not the key.
    ['of a French keyboard', press('z', { code: 'KeyW' }), 'snooze'],
    ['that is no letter', press('Delete', { code: 'Delete' }), 'dismiss']
  ])('%s does the same', (_, event, expected) => {
    expect(bulkKey(event)).toBe(expected);
    expect(centerKey(event)).toBe('bulk');
  });

  it('with Ctrl or Alt belongs to others, but for all and undo', () => {
    const ctrl = { ctrlKey: true };
    expect(listKey(press('e', ctrl))).toBeNull();
    expect(listKey(press('e', { altKey: true }))).toBeNull();
    expect(listKey(press('\u0444', { code: 'KeyA', ...ctrl }))).toEqual({
      do: 'selectAll'
    });
    expect(centerKey(press('\u044f', { code: 'KeyZ', ...ctrl }))).toBe('undo');
  });

  it('is a letter in a field', () => {
    const target = document.createElement('input');
    target.type = 'text';
    expect(centerKey(press('e', { target }))).toBeNull();
  });
});
