import { Notification as LabNotification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { DEFAULT_TOAST_SETTINGS, ToastPresenter } from '../toasts/presenter';
import type { NotificationModel } from '../tokens';
import type { Notification } from '../wire';
import { NOW, row } from './rows';

/** A model whose rows a test sets; the manager of the toasts is JupyterLab's. */
class Model {
  readonly changed = new Signal<this, NotificationModel.IChange>(this);
  readonly stateChanged = new Signal<this, void>(this);
  readonly openRequested = new Signal<this, NotificationModel.IOpening>(this);
  readonly rows = new Map<string, Notification>();
  readonly changes: unknown[][] = [];
  readonly opened: NotificationModel.IOpening[] = [];

  get notifications() {
    return [...this.rows.values()];
  }
  get counts() {
    const rows = [...this.rows.values()];
    return {
      inbox: 0,
      unread: rows.filter(r => !r.read).length,
      dismissed: 0,
      snoozed: 0
    };
  }
  now(): number {
    return Date.parse(NOW);
  }
  get(id: string): Notification | undefined {
    return this.rows.get(id);
  }
  async change(...args: unknown[]): Promise<void> {
    this.changes.push(args);
  }
  open(id: string | null, by: NotificationModel.IOpening['by'] = 'user'): void {
    this.opened.push({ id, by });
    this.openRequested.emit({ id, by });
  }
  bring(
    rows: Notification[],
    type: 'changes' | 'snapshot' = 'changes',
    announced = rows.map(each => each.id)
  ): void {
    for (const each of rows) {
      if (each.revoked) {
        this.rows.delete(each.id);
      } else {
        this.rows.set(each.id, each);
      }
    }
    this.changed.emit({ type, notifications: rows, announced });
    this.stateChanged.emit();
  }
}

describe('ToastPresenter', () => {
  const { manager } = LabNotification;
  let model: Model;
  let presenter: ToastPresenter;

  const messages = () => manager.notifications.map(each => each.message);
  const labels = (index = 0) =>
    manager.notifications[index].options.actions!.map(({ label }) => label);
  const settle = () => new Promise(resolve => setTimeout(resolve, 80));

  // It has the toast that sums up, which would otherwise be loaded later.
  beforeAll(() => import('../toasts/standing'));

  beforeEach(() => {
    manager.dismiss();
    model = new Model();
    presenter = new ToastPresenter({
      model: model as any,
      actions: { run: async () => undefined },
      trans: nullTranslator.load('jupyterlab_notify')
    });
    presenter.start();
  });

  afterEach(() => {
    presenter.dispose();
    expect(manager.count).toBe(0);
  });

  /** Begin anew, with a center that may be open. */
  function present(isOpen: () => boolean): void {
    presenter.dispose();
    presenter = new ToastPresenter({
      model: model as any,
      actions: null,
      trans: nullTranslator.load('jupyterlab_notify'),
      isOpen
    });
    presenter.start();
  }

  it('shows a single message without any delay', () => {
    model.bring([row('a', 1)]);
    expect(messages()).toEqual(['message a']);
  });

  it('takes the choices from a question whose program is gone', async () => {
    const reply = { choices: ['Yes'], text: false, prompt: null };
    const asked = row('a', 1, { autoClose: false, reply });
    model.bring([asked]);
    expect(labels()).toEqual(['Yes']);
    model.bring([{ ...asked, seq: 2, stopped: asked.created }], 'changes', []);
    await settle();
    expect(labels()).toEqual([]);
  });

  it('shows what comes after the clock was set back', async () => {
    model.bring([row('a', 1)]);
    const clock = jest
      .spyOn(Date, 'now')
      .mockReturnValue(Date.now() - 3_600_000);
    model.bring([row('b', 2)]);
    clock.mockRestore();
    await settle();
    expect(messages()).toContain('message b');
  });

  it('shows nothing before it was started, and then what came', () => {
    const late = new ToastPresenter({
      model: model as any,
      actions: null,
      trans: nullTranslator.load('jupyterlab_notify')
    });
    presenter.dispose();
    model.bring([row('a', 1)]);
    expect(manager.count).toBe(0);
    late.start();
    expect(manager.count).toBe(1);
    late.dispose();
  });

  it.each([
    [{ autoClose: false }, false],
    [{ autoClose: true }, 5000],
    [{ autoClose: null }, 5000],
    [{ autoClose: 1234 }, 1234],
    [{ autoClose: null, type: 'error' }, false],
    [{ autoClose: true, type: 'error' }, false],
    [{ autoClose: 1234, type: 'error' }, 1234],
    [{ autoClose: null, type: 'in-progress' }, false]
  ] as [Partial<Notification>, number | false][])(
    'closes as %j says',
    (given, expected) => {
      model.bring([row('a', 1, given)]);
      expect(manager.notifications[0].options.autoClose).toBe(expected);
    }
  );

  it('keeps toasts where the user set no time', () => {
    presenter.settings = { ...DEFAULT_TOAST_SETTINGS, defaultAutoClose: 0 };
    model.bring([row('a', 1)]);
    expect(manager.notifications[0].options.autoClose).toBe(false);
  });

  it('shows no toast for autoClose 0, for other types, or when silent', () => {
    presenter.settings = { ...DEFAULT_TOAST_SETTINGS, toastTypes: ['info'] };
    model.bring([
      row('a', 1, { autoClose: 0 }),
      row('b', 2, { type: 'error' })
    ]);
    presenter.silent = true;
    model.bring([row('c', 3)]);
    expect(manager.count).toBe(0);
  });

  it('takes away what was read, dismissed or revoked, without dismissing it', async () => {
    const sticky = { autoClose: false };
    const rows = ['a', 'b', 'c'].map((id, i) => row(id, i, sticky));
    model.bring(rows);
    await settle();
    expect(manager.count).toBe(3);
    model.bring([row('a', 4, { ...sticky, read: NOW })], 'changes', []);
    model.bring([row('b', 5, { ...sticky, dismissed: NOW })], 'changes', []);
    model.bring([row('c', 6, { ...sticky, revoked: NOW })], 'changes', []);
    await settle();
    expect(manager.count).toBe(0);
    expect(model.changes).toEqual([]);
  });

  it('shows a new state in the toast that is there', async () => {
    model.bring([row('a', 1, { type: 'in-progress', progress: 0.1 })]);
    const { id } = manager.notifications[0];
    model.bring([row('a', 2, { type: 'success', message: 'done' })]);
    await settle();
    expect(messages()).toEqual(['done']);
    expect(manager.notifications[0].id).toBe(id);
    expect(manager.notifications[0].options.autoClose).toBe(5000);
  });

  it('leaves the toast alone where only its progress moves', () => {
    const progress = (seq: number, value: number) =>
      row('a', seq, { type: 'in-progress', progress: value, position: 1 });
    model.bring([progress(1, 0.1)]);
    const before = manager.notifications[0];
    model.bring([progress(2, 0.2)], 'changes', []);
    expect(manager.notifications[0]).toBe(before);
  });

  it("takes a removal in JupyterLab's list for the user's closing", async () => {
    model.bring([
      row('a', 1, { autoClose: false }),
      row('b', 2, { autoClose: false, dismissable: false })
    ]);
    manager.dismiss();
    await settle();
    expect(model.changes).toEqual([
      [{ ids: ['a'] }, { closed: true }],
      [{ ids: ['b'] }, { read: true }]
    ]);
  });

  it('shows what stays anew if its toast is gone though nobody has closed it', async () => {
    const container = document.createElement('div');
    container.id = 'react-toastify-container';
    document.body.append(container);
    present(() => false);
    model.bring([
      row('a', 1, { autoClose: false }),
      row('b', 2, { autoClose: 60_000 })
    ]);
    const shown = manager.notifications.map(({ id }) => {
      const toast = document.createElement('div');
      toast.className = 'Toastify__toast';
      toast.id = id;
      container.append(toast);
      return toast;
    });
    await settle();
    shown.forEach(toast => toast.remove());
    await settle();
    expect(messages()).toEqual(['message a']);
    expect(shown.map(({ id }) => id)).not.toContain(
      manager.notifications[0].id
    );
    expect(model.changes).toEqual([]);
    container.remove();
  });

  it('offers to show more of what was cut or has a body', () => {
    model.bring([row('a', 1, { message: 'word '.repeat(100) })]);
    expect(labels()).toEqual(['Show more']);
    const event = { preventDefault: jest.fn() } as any;
    manager.notifications[0].options.actions![0].callback(event);
    expect(model.opened).toEqual([{ id: 'a', by: 'user' }]);
    expect(model.changes).toEqual([]);
    expect(manager.count).toBe(0);
  });

  it('has no more than three buttons', () => {
    const actions = ['1', '2', '3'].map(label => ({ label }));
    model.bring([row('a', 1, { actions })]);
    expect(labels()).toEqual(['1', '2', '3']);
    model.bring([row('a', 2, { actions, hasBody: true })]);
    expect(labels()).toEqual(['1', '2', 'Show more']);
  });

  it('sums up what does not fit, and never more than a few come and go', async () => {
    let added = 0;
    const count = (_: unknown, { type }: LabNotification.IChange) => {
      added += type === 'added' ? 1 : 0;
    };
    manager.changed.connect(count);
    for (let i = 0; i < 50; i++) {
      model.bring([row(`r${i}`, i + 1)]);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    await settle();
    manager.changed.disconnect(count);
    expect(added).toBeLessThan(15);
    const shown = manager.count - 1;
    expect(shown).toBeGreaterThan(0);
    expect(messages().filter(text => /^and .* more$/.test(text)).length).toBe(
      1
    );
    expect(messages()).toContain(`and ${50 - shown} more`);
  });

  it('shows the newest few, and a sum, to someone who was away', async () => {
    const rows = Array.from({ length: 15 }, (_, i) => row(`r${i}`, i + 1));
    model.bring(rows.reverse(), 'snapshot');
    await settle();
    expect(messages().sort()).toEqual([
      'and 12 more',
      'message r12',
      'message r13',
      'message r14'
    ]);
  });

  it('takes the sum away when the center opens, or all is read', async () => {
    const sums = () => messages().filter(text => /^and .* more$/.test(text));
    const rows = Array.from({ length: 15 }, (_, i) => row(`r${i}`, i + 1));
    model.bring(rows, 'snapshot');
    await settle();
    expect(sums()).toEqual(['and 12 more']);
    model.open(null);
    expect(sums()).toEqual([]);
    model.bring(
      rows.map(each => row(each.id, each.seq + 100, { message: 'again' }))
    );
  });

  it('sums nothing up while the center is open, also when the window shrinks', async () => {
    let open = false;
    present(() => open);
    const sums = () => messages().filter(text => /^and .* more$/.test(text));
    const rows = Array.from({ length: 15 }, (_, i) =>
      row(`r${i}`, i + 1, { autoClose: false })
    );
    model.bring(rows, 'snapshot');
    await settle();
    expect(sums()).toEqual(['and 11 more']);
    open = true;
    presenter.forgetMissed();
    expect(sums()).toEqual([]);
    const before = window.innerHeight;
    try {
      // No room for more than one.
      window.innerHeight = 100;
      window.dispatchEvent(new Event('resize'));
      await settle();
      expect(messages().length).toBe(1);
      expect(sums()).toEqual([]);
      model.bring([row('another', 20)]);
      await settle();
      expect(sums()).toEqual([]);
    } finally {
      window.innerHeight = before;
    }
  });

  it('shows only errors while the center is open, and afterwards what stays', async () => {
    let open = false;
    present(() => open);
    model.bring([row('before', 1, { autoClose: false })]);
    expect(messages()).toEqual(['message before']);
    open = true;
    presenter.toggled();
    expect(messages()).toEqual([]);
    model.bring([row('meanwhile', 2), row('error', 3, { type: 'error' })]);
    await settle();
    expect(messages()).toEqual(['message error']);
    open = false;
    presenter.toggled();
    await settle();
    expect(messages().sort()).toEqual(['message before', 'message error']);
    // None of this counts as the user's doing.
    expect(model.changes).toEqual([]);
  });

  it('shows the last of a burst once it is over, while the center is open and nothing is summed up', async () => {
    presenter.dispose();
    presenter = new ToastPresenter({
      model: model as any,
      actions: { run: async () => undefined },
      trans: nullTranslator.load('jupyterlab_notify'),
      isOpen: () => true
    });
    presenter.start();
    const before = window.innerHeight;
    try {
      // There is room for one toast, and it is taken when the flood begins.
      window.innerHeight = 140;
      window.dispatchEvent(new Event('resize'));
      for (let index = 0; index < 8; index++) {
        model.bring([row(`burst ${index}`, index, { type: 'error' })]);
        await settle();
      }
      model.bring([row('last', 20, { type: 'error' })]);
      await settle();
      expect(messages()).not.toContain('message last');
      const end = Date.now() + 4000;
      while (!messages().includes('message last') && Date.now() < end) {
        await settle();
      }
      expect(messages()).toEqual(['message last']);
    } finally {
      window.innerHeight = before;
    }
  });

  it('forgets no error that had no place when the center opened by itself, or since', async () => {
    let open = false;
    present(() => open);
    const before = window.innerHeight;
    // Room for four.
    window.innerHeight = 2000;
    window.dispatchEvent(new Event('resize'));
    const began = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(began);
    try {
      const error = (id: string, position: number) =>
        row(id, position, { type: 'error' });
      // A flood: nothing makes room for the fifth.
      for (let index = 1; index < 6; index++) {
        model.bring([error(`e${index}`, index)]);
        await settle();
      }
      const shown = ['e1', 'e2', 'e3', 'e4'].map(id => `message ${id}`);
      expect(messages().sort()).toEqual(['and 1 more', ...shown]);
      open = true;
      presenter.toggled();
      expect(messages().sort()).toEqual(shown);
      model.bring([{ ...error('e1', 6), read: NOW }], 'changes', []);
      await settle();
      expect(messages()).toContain('message e5');

      // A toast that takes the place of an older one, and gives it back.
      clock.mockReturnValue(began + 5000);
      model.bring([error('e7', 7)]);
      await settle();
      expect(messages()).toContain('message e7');
      expect(messages()).not.toContain('message e2');
      model.bring([{ ...error('e7', 8), read: NOW }], 'changes', []);
      await settle();
      expect(messages()).toContain('message e2');
      expect(messages().length).toBe(4);
    } finally {
      clock.mockRestore();
      window.innerHeight = before;
    }
  });

  it('brings a toast back when it is undone that its message was done', async () => {
    const warning = row('a', 1, { type: 'warning', autoClose: false });
    const passing = row('b', 2);
    model.bring([warning, passing]);
    await settle();
    expect(messages().sort()).toEqual(['message a', 'message b']);
    // As if it was marked as done in another tab.
    const done = { dismissed: NOW };
    model.bring(
      [
        { ...warning, ...done, seq: 3 },
        { ...passing, ...done, seq: 4 }
      ],
      'changes',
      []
    );
    await settle();
    expect(messages()).toEqual([]);
    model.bring([{ ...warning, seq: 5 }], 'changes', []);
    await settle();
    expect(messages()).toEqual(['message a']);
    // A message that was read is no news when it comes back.
    model.bring([{ ...passing, read: NOW, seq: 6 }], 'changes', []);
    await settle();
    expect(messages()).toEqual(['message a']);
  });

  it('brings back after a reload what does not close by itself', () => {
    model.bring(
      [
        row('a', 1, { autoClose: false }),
        row('b', 2),
        row('c', 3, { autoClose: false, read: NOW })
      ],
      'snapshot',
      []
    );
    expect(messages()).toEqual(['message a']);
  });

  it('opens the center at an error where the user wants that', async () => {
    model.bring([row('a', 1, { type: 'error' })]);
    expect(model.opened).toEqual([]);
    presenter.settings = { ...DEFAULT_TOAST_SETTINGS, openOnError: true };
    model.bring([row('b', 2, { type: 'error' })]);
    expect(model.opened).toEqual([{ id: 'b', by: 'program' }]);
    // Nobody has seen it yet: the toast comes too.
    await settle();
    expect(messages()).toContain('message b');
  });
});
