import { Notification as LabNotification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { planToasts, rank } from '../toasts/layout';
import { ToastPresenter } from '../toasts/presenter';
import type { Notification } from '../wire';
import { NOW, row } from './rows';

/** A model whose rows a test sets. */
class Model {
  readonly changed = new Signal<this, any>(this);
  readonly stateChanged = new Signal<this, void>(this);
  readonly openRequested = new Signal<this, any>(this);
  readonly rows = new Map<string, Notification>();

  get notifications() {
    return [...this.rows.values()];
  }
  get counts() {
    const unread = this.notifications.filter(each => !each.read).length;
    return { inbox: unread, unread, dismissed: 0, snoozed: 0 };
  }
  now(): number {
    return Date.parse(NOW);
  }
  get(id: string): Notification | undefined {
    return this.rows.get(id);
  }
  open(): void {
    // Nothing opens here.
  }
  bring(
    rows: Notification[],
    type: 'changes' | 'snapshot' = 'changes',
    announced = rows.map(each => each.id)
  ): void {
    rows.forEach(each => this.rows.set(each.id, each));
    this.changed.emit({ type, notifications: rows, announced });
    this.stateChanged.emit();
  }
}

const { manager } = LabNotification;
const messages = () => manager.notifications.map(each => each.message);
const settle = () => new Promise(resolve => setTimeout(resolve, 120));
const some = (count: number, from: number, given: Partial<Notification>) =>
  Array.from({ length: count }, (_, i) => row(`r${from + i}`, from + i, given));

function present(model: Model): ToastPresenter {
  const presenter = new ToastPresenter({
    model: model as any,
    actions: null,
    trans: nullTranslator.load('jupyterlab_notify'),
    storageKey: 'rank'
  });
  presenter.start();
  return presenter;
}

describe('rank', () => {
  it('puts what stays before what passes, and of each the more severe', () => {
    const ranks = [
      rank('error', true, true),
      rank('warning', true, true),
      rank('info', true, true),
      rank('error', false, true),
      rank('warning', false, true),
      rank('info', false, true)
    ];
    expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
    expect(new Set(ranks).size).toBe(ranks.length);
  });

  it('lets what has just come take the place of a progress', () => {
    expect(rank('info', false, false)).toBeGreaterThanOrEqual(
      rank('in-progress', true, false)
    );
    expect(rank('info', false, true)).toBeLessThan(
      rank('in-progress', true, true)
    );
  });

  it('takes away what is worth least where the window shrank', () => {
    const shown = [5, 1, 4].map((urgency, i) => ({
      id: `${i}`,
      height: 100,
      urgency
    }));
    expect(planToasts(shown, [], 220, 0).sumUp).toEqual(['1']);
  });
});

describe('What stays', () => {
  let model: Model;
  let presenter: ToastPresenter;

  // It has the toast that sums up, which would otherwise be loaded later.
  beforeAll(() => import('../toasts/standing'));

  beforeEach(() => {
    localStorage.clear();
    manager.dismiss();
    model = new Model();
    presenter = present(model);
  });
  afterEach(() => {
    presenter.dispose();
    manager.dismiss();
  });

  it('has the places before newer ones that pass, after an absence', async () => {
    model.bring(
      [
        ...some(2, 1, { type: 'warning', autoClose: false }),
        ...some(23, 3, {})
      ],
      'snapshot'
    );
    await settle();
    expect(messages()).toEqual(
      expect.arrayContaining(['message r1', 'message r2'])
    );
    expect(messages()).toContainEqual(expect.stringMatching(/^and \d+ more$/));
  });

  it('takes a place as soon as one is free', async () => {
    model.bring(some(7, 1, { autoClose: false }), 'snapshot');
    await settle();
    expect(messages().sort()).toEqual([
      'and 3 more',
      'message r4',
      'message r5',
      'message r6',
      'message r7'
    ]);
    for (const id of ['r7', 'r6']) {
      model.bring([row(id, 20, { autoClose: false, read: NOW, closed: NOW })]);
      await settle();
    }
    expect(messages().sort()).toEqual([
      'and 1 more',
      'message r2',
      'message r3',
      'message r4',
      'message r5'
    ]);
    // The summary goes when nothing is out of sight any more.
    model.bring([row('r5', 21, { autoClose: false, read: NOW, closed: NOW })]);
    await settle();
    expect(messages().sort()).toEqual([
      'message r1',
      'message r2',
      'message r3',
      'message r4'
    ]);
  });

  it('is no longer shown once it was closed, though it is unread', async () => {
    model.bring([row('a', 1, { autoClose: false })]);
    expect(messages()).toEqual(['message a']);
    model.bring(
      [row('a', 2, { autoClose: false, closed: NOW })],
      'changes',
      []
    );
    await settle();
    expect(messages()).toEqual([]);
  });

  it('and what was out of sight is summed up after each reload, until the list was opened', async () => {
    const rows = some(30, 1, {});
    model.bring(rows, 'snapshot');
    await settle();
    expect(messages()).toContainEqual(expect.stringMatching(/more$/));
    for (let reload = 0; reload < 2; reload++) {
      presenter.dispose();
      manager.dismiss();
      model = new Model();
      presenter = present(model);
      model.bring(rows, 'snapshot', []);
      await settle();
      expect(messages()).toEqual(['30 unread notifications']);
    }
    presenter.forgetMissed();
    presenter.dispose();
    model = new Model();
    presenter = present(model);
    model.bring(rows, 'snapshot', []);
    await settle();
    expect(messages()).toEqual([]);
  });
});
