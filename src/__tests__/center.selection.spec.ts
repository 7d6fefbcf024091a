/**
 * The promises of the center about a selection.
 */
import { SelectionModel } from '../center/selection';
import { row } from './rows';

const rows = ['a', 'b', 'c', 'd'].map((id, index) => row(id, 9 - index));
const [a, b, c, d] = rows;

const make = () => new SelectionModel({ rows });

describe('A selection', () => {
  it('takes rows in and out, and ranges in both directions', () => {
    const selection = make();
    selection.select(c, false);
    selection.select(a, true);
    expect([...selection.ids].sort()).toEqual(['a', 'b', 'c']);
    selection.select(b, false);
    selection.select(d, true);
    expect([...selection.ids].sort()).toEqual(['a', 'b', 'c', 'd']);
    selection.select(a, false);
    expect(selection.ids.has('a')).toBe(false);
    expect(selection.clear()).toBe(true);
    expect(selection.clear()).toBe(false);
  });

  it('begins a range where it ends, if nothing was selected before', () => {
    const selection = make();
    selection.select(c, true);
    expect([...selection.ids]).toEqual(['c']);
  });

  it('has a range from where it began to where the keyboard is', () => {
    const selection = make();
    const ids = () => [...selection.ids].sort().join('');
    selection.extend(b, c);
    selection.extend(c, d);
    expect(ids()).toBe('bcd');
    selection.extend(d, c);
    expect(ids()).toBe('bc');
    // Back over the beginning of the range, and on to the other side.
    selection.extend(c, b);
    expect(ids()).toBe('b');
    selection.extend(b, a);
    expect(ids()).toBe('ab');
    // The mouse goes on with the same range.
    selection.select(d, true);
    expect(ids()).toBe('bcd');
    selection.extend(d, d);
    expect(ids()).toBe('bcd');
  });

  it('keeps beside a range what was selected before it', () => {
    const selection = make();
    const ids = () => [...selection.ids].sort().join('');
    selection.select(d, false);
    // The focus went elsewhere: another range begins there.
    selection.extend(a, b);
    expect(ids()).toBe('abd');
    selection.extend(b, a);
    expect(ids()).toBe('ad');
    selection.extend(a, d);
    selection.extend(d, c);
    expect(ids()).toBe('abcd');
    selection.selectAll();
    selection.extend(c, b);
    expect(ids()).toBe('abcd');
    selection.clear();
    selection.extend(b, c);
    expect(ids()).toBe('bc');
  });

  it('begins a range anew when the row at which it began has left', () => {
    const rows = [a, b, c, d];
    const selection = new SelectionModel({ rows });
    selection.extend(d, c);
    rows.pop();
    selection.keep(rows);
    selection.extend(c, b);
    expect([...selection.ids].sort()).toEqual(['b', 'c']);
    selection.extend(b, c);
    expect([...selection.ids]).toEqual(['c']);
    selection.dispose();
  });

  it('holds only what is in the list, and says when that changes it', () => {
    const selection = make();
    selection.selectAll();
    const told = jest.fn();
    selection.changed.connect(told);
    selection.keep(rows);
    expect(told).not.toHaveBeenCalled();
    selection.keep([b]);
    expect([...selection.ids]).toEqual(['b']);
    expect(told).toHaveBeenCalledTimes(1);
  });
});
