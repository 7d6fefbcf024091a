import {
  type IToastCandidate,
  MOST_TOASTS,
  planToasts,
  urgency
} from '../toasts/layout';
import { findPlace } from '../toasts/placement';

const SUMMARY = 80;

function toasts(names: string, height = 100, urgent = 0): IToastCandidate[] {
  return [...names].map(id => ({ id, height, urgency: urgent }));
}

describe('planToasts', () => {
  it('shows what fits, without a word about the rest', () => {
    expect(planToasts(toasts('a'), toasts('bcd'), 400, SUMMARY)).toEqual({
      show: ['b', 'c', 'd'],
      sumUp: []
    });
  });

  it('leaves room for the toast that sums up, once it is needed', () => {
    const { show, sumUp } = planToasts([], toasts('abcdef'), 400, SUMMARY);
    expect(show).toEqual(['d', 'e', 'f']);
    expect(sumUp.sort()).toEqual(['a', 'b', 'c']);
  });

  it('lets the newest take the place of the oldest', () => {
    const { show, sumUp } = planToasts(
      toasts('abcd'),
      toasts('e'),
      400,
      SUMMARY
    );
    expect(show).toEqual(['e']);
    expect(sumUp.sort()).toEqual(['a', 'b']);
  });

  it('moves nothing during a flood, except for something more urgent', () => {
    const shown = toasts('abc');
    const options = { flood: true, summed: true };
    expect(planToasts(shown, toasts('xyz'), 400, SUMMARY, options)).toEqual({
      show: [],
      sumUp: ['z', 'y', 'x']
    });
    expect(
      planToasts(shown, toasts('e', 100, 2), 400, SUMMARY, options)
    ).toEqual({ show: ['e'], sumUp: ['a'] });
  });

  it('never puts an error away for the sake of news', () => {
    const shown = toasts('eee', 100, 2).map((toast, i) => ({
      ...toast,
      id: `e${i}`
    }));
    expect(
      planToasts(shown, toasts('a'), 400, SUMMARY, { summed: true })
    ).toEqual({ show: [], sumUp: ['a'] });
  });

  it('takes the least urgent first, and of those the oldest', () => {
    const shown = [...toasts('w', 100, 1), ...toasts('ab')];
    const { show, sumUp } = planToasts(
      shown,
      toasts('e', 100, 2),
      400,
      SUMMARY,
      {
        summed: true
      }
    );
    expect(show).toEqual(['e']);
    expect(sumUp).toEqual(['a']);
  });

  it('shows the newest few to someone who was away', () => {
    const { show, sumUp } = planToasts([], toasts('abcdef', 20), 400, SUMMARY, {
      most: 3
    });
    expect(show).toEqual(['d', 'e', 'f']);
    expect(sumUp.length).toBe(3);
  });

  it('shows one toast in a window that is too small for any', () => {
    expect(planToasts([], toasts('a', 150), 100, SUMMARY).show).toEqual(['a']);
  });

  it('takes away what no longer fits a smaller window, but the last', () => {
    expect(planToasts(toasts('abc'), [], 250, SUMMARY).sumUp).toEqual([
      'a',
      'b'
    ]);
    expect(planToasts(toasts('a', 300), [], 250, SUMMARY).sumUp).toEqual([]);
  });

  it('lets no more than four stand, however high the window', () => {
    const { show, sumUp } = planToasts([], toasts('abcdef', 10), 400, 20);
    expect(show).toEqual(['c', 'd', 'e', 'f']);
    expect(sumUp).toEqual(['b', 'a']);
    // The newest takes the place of the oldest; a more urgent toast keeps its place.
    expect(
      planToasts(toasts('abcd', 10), toasts('e', 10), 400, 20, { summed: true })
    ).toEqual({ show: ['e'], sumUp: ['a'] });
    expect(planToasts(toasts('abcd', 10, 2), toasts('e', 10), 400, 20)).toEqual(
      { show: [], sumUp: ['e'] }
    );
  });

  it('never exceeds the room, whatever comes', () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 16807) % 2147483647) % n;
    for (let round = 0; round < 500; round++) {
      const make = (prefix: string) =>
        Array.from({ length: random(9) }, (_, i) => ({
          id: `${prefix}${i}`,
          height: 40 + random(100),
          urgency: random(3)
        }));
      const shown = make('s');
      const arriving = make('a');
      const summed = random(2) === 1;
      const room = 200 + random(300);
      const { show, sumUp } = planToasts(shown, arriving, room, SUMMARY, {
        summed,
        flood: random(2) === 1
      });
      const all = new Map([...shown, ...arriving].map(t => [t.id, t]));
      const left = [...shown.map(t => t.id), ...show].filter(
        id => !sumUp.includes(id)
      );
      const height =
        left.reduce((sum, id) => sum + all.get(id)!.height, 0) +
        (summed || sumUp.length > 0 ? SUMMARY : 0);
      expect(left.length <= 1 || height <= room).toBe(true);
      expect(left.length <= Math.max(MOST_TOASTS, shown.length)).toBe(true);
      // Nothing is lost: what came is either shown or summed up.
      for (const { id } of arriving) {
        expect(show.includes(id) !== sumUp.includes(id)).toBe(true);
      }
    }
  });
});

it('an error is more urgent than a warning, and that than the rest', () => {
  expect(urgency('error')).toBeGreaterThan(urgency('warning'));
  expect(urgency('warning')).toBeGreaterThan(urgency('in-progress'));
});

describe('findPlace', () => {
  const bar = (top: number) => ({ top, bottom: top + 30 });

  it('begins below the lowest bar, in whatever order they are found', () => {
    expect(findPlace(28, [bar(60), bar(28)], 800).top).toBe(90);
    expect(findPlace(28, [], 800).top).toBe(28);
    // A control across the page may be lower than any bar.
    expect(findPlace(100, [bar(28)], 800).top).toBe(100);
  });

  it('goes below the bar of a lower part of the page where there is room', () => {
    expect(findPlace(28, [bar(28), bar(450)], 800).top).toBe(480);
  });

  it('stays above the bar of a small lower part, and ends there', () => {
    const place = findPlace(28, [bar(28), bar(600)], 800);
    expect(place.top).toBe(58);
    expect(place.top + place.room).toBeLessThan(600);
  });

  it('goes below all bars at the top of a small window', () => {
    expect(findPlace(28, [bar(28), bar(58)], 200).top).toBe(88);
  });
});
