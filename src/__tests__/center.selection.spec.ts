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
