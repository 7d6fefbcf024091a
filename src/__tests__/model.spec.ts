import { ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';

import { ServerNotifications } from '../model';
import type { NotificationModel } from '../tokens';
import type { ChangesFrame, Notification, SnapshotFrame } from '../wire';
import { changes, count, NOW, row, snapshot } from './rows';

/** The part of a stream that the model uses, fed by hand. */
class Feed {
  readonly received = new Signal<this, SnapshotFrame | ChangesFrame>(this);
  readonly connectedChanged = new Signal<this, boolean>(this);
  connected = true;
}

const BASE_URL = 'http://127.0.0.1:1/';

describe('ServerNotifications', () => {
  let feed: Feed;
  let model: ServerNotifications;
  let emitted: NotificationModel.IChange[];
  let answer: (request: Request) => Promise<Response>;

  function make(): ServerNotifications {
    feed = new Feed();
    const own: NotificationModel.IChange[] = [];
    emitted = own;
    const made = new ServerNotifications({
      stream: feed as any,
      serverSettings: ServerConnection.makeSettings({
        baseUrl: BASE_URL,
        fetch: request => answer(request as Request)
      })
    });
    made.changed.connect((_, change) => own.push(change));
    return made;
  }

  function respond(body: object, status = 200): void {
    answer = async () =>
      new Response(JSON.stringify(body), {
        status,
        headers: { 'Content-Type': 'application/json' }
      });
  }

  function ids(rows: readonly Notification[]): string[] {
    return rows.map(each => each.id);
  }

  function announced(): string[] {
    return emitted.flatMap(change => change.announced);
  }

  beforeEach(() => {
    localStorage.clear();
    answer = () => Promise.reject(new TypeError('no request is expected'));
    model = make();
  });

  describe('applying frames', () => {
    it('is ready at the first snapshot', async () => {
      let ready = false;
      void model.ready.then(() => (ready = true));
      await Promise.resolve();
      expect(ready).toBe(false);
      feed.received.emit(snapshot('e:0', []));
      await model.ready;
    });

    it('updates a row in place and adds new ones on top', () => {
      feed.received.emit(snapshot('e:2', [row('b', 2), row('a', 1)]));
      feed.received.emit(
        changes(
          'e:4',
          [row('a', 3, { position: 1, progress: 0.5 }), row('c', 4)],
          { inbox: 3, unread: 3, dismissed: 0, snoozed: 0 }
        )
      );
      expect(ids(model.notifications)).toEqual(['c', 'b', 'a']);
      expect(model.get('a')!.progress).toBe(0.5);
      expect(model.counts.inbox).toBe(3);
    });

    it('ignores a state that is older than the one it has', () => {
      feed.received.emit(snapshot('e:5', [row('a', 5, { message: 'new' })]));
      feed.received.emit(
        changes('e:6', [row('a', 4, { message: 'old' })], {
          inbox: 1,
          unread: 1,
          dismissed: 0,
          snoozed: 0
        })
      );
      expect(model.get('a')!.message).toBe('new');
    });

    it('does not bring back what was revoked or has expired', () => {
      feed.received.emit(snapshot('e:2', [row('b', 2), row('a', 1)]));
      const none = { inbox: 0, unread: 0, dismissed: 0, snoozed: 0 };
      feed.received.emit(
        changes(
          'e:4',
          [row('a', 3, { revoked: NOW }), row('b', 4, { expired: NOW })],
          none
        )
      );
      feed.received.emit(changes('e:4', [row('a', 1), row('b', 2)], none));
      expect(model.notifications).toEqual([]);
      expect(model.get('a')).toBeUndefined();
    });

    it('forgets everything at a snapshot, higher seqs of another epoch too', () => {
      feed.received.emit(snapshot('e:900', [row('old', 900), row('a', 800)]));
      feed.received.emit(snapshot('f:2', [row('a', 2, { message: 'f' })]));
      expect(ids(model.notifications)).toEqual(['a']);
      expect(model.get('a')!.message).toBe('f');
      expect(emitted[1].type).toBe('snapshot');
    });

    it('merges pinned rows at their place', () => {
      feed.received.emit(
        snapshot('e:9', [row('b', 9)], [row('p', 3, { banner: true })])
      );
      expect(ids(model.notifications)).toEqual(['b', 'p']);
    });

    it('keeps a dismissed row at hand, but not in the inbox', () => {
      feed.received.emit(snapshot('e:1', [row('a', 1)]));
      feed.received.emit(
        changes('e:2', [row('a', 2, { position: 1, dismissed: NOW })], {
          inbox: 0,
          unread: 0,
          dismissed: 1,
          snoozed: 0
        })
      );
      expect(model.notifications).toEqual([]);
      expect(model.get('a')!.dismissed).toBe(NOW);
    });

    it('does not grow without end, and keeps what is pinned', () => {
      const rows = Array.from({ length: 1600 }, (_, i) => row(`r${i}`, i + 9));
      feed.received.emit(
        snapshot('e:1609', rows.reverse(), [
          row('p', 1, { autoClose: false }),
          row('q', 2, { type: 'in-progress' }),
          row('read', 3, { autoClose: false, read: NOW }),
          row('put away', 4, { banner: true, dismissed: NOW })
        ])
      );
      expect(model.notifications.length).toBe(1000);
      expect(model.get('r1599')).toBeDefined();
      expect(model.get('p')).toBeDefined();
      expect(model.get('q')).toBeDefined();
      expect(model.get('read')).toBeUndefined();
      expect(model.get('put away')).toBeUndefined();
    });

    it("goes by the server's clock, whatever the browser's says", () => {
      for (const skew of [-400_000, 400_000]) {
        const now = new Date(Date.now() - skew).toISOString();
        feed.received.emit({ ...snapshot('e:1', [row('a', 1)]), now });
        expect(Math.abs(model.now() - Date.parse(now))).toBeLessThan(5000);
      }
    });

    it('says whether a snapshot is of another store', () => {
      feed.received.emit(snapshot('e:1', [row('a', 1)]));
      feed.received.emit(snapshot('e:9', [row('b', 9)]));
      feed.received.emit(snapshot('f:1', [row('c', 1)]));
      expect(emitted.map(change => change.newStore)).toEqual([
        true,
        false,
        true
      ]);
    });
  });

  describe('announcing', () => {
    it('announces what is unread the first time in a browser', () => {
      feed.received.emit(
        snapshot('e:4', [
          row('a', 4),
          row('b', 3, { read: NOW }),
          row('c', 2, { dismissed: NOW })
        ])
      );
      expect(announced()).toEqual(['a']);
    });

    it('announces only what is new after a reload', () => {
      feed.received.emit(snapshot('e:2', [row('b', 2), row('a', 1)]));
      model.dispose();
      model = make();
      feed.received.emit(
        snapshot('e:3', [row('c', 3), row('b', 2), row('a', 1)])
      );
      expect(announced()).toEqual(['c']);
    });

    it('announces a replacement, but not a progress or a change of state', () => {
      const counts = { inbox: 1, unread: 1, dismissed: 0, snoozed: 0 };
      feed.received.emit(snapshot('e:1', [row('a', 1)]));
      emitted.length = 0;
      feed.received.emit(
        changes('e:2', [row('a', 2, { position: 1, progress: 0.2 })], counts)
      );
      expect(announced()).toEqual([]);
      feed.received.emit(changes('e:3', [row('a', 3)], counts));
      expect(announced()).toEqual(['a']);
    });

    it('announces in this tab what another tab has announced before', () => {
      feed.received.emit(snapshot('e:1', [row('a', 1)]));
      const first = { feed, emitted };
      const other = make();
      feed.received.emit(snapshot('e:1', [row('a', 1)]));
      const counts = { inbox: 2, unread: 2, dismissed: 0, snoozed: 0 };
      feed.received.emit(changes('e:2', [row('b', 2)], counts));
      first.feed.received.emit(changes('e:2', [row('b', 2)], counts));
      other.dispose();
      expect(first.emitted[1].announced).toEqual(['b']);
    });

    it('begins anew with another epoch', () => {
      feed.received.emit(snapshot('e:50', [row('a', 50)]));
      emitted.length = 0;
      feed.received.emit(snapshot('f:1', [row('b', 1)]));
      expect(announced()).toEqual(['b']);
    });

    it('announces once what the server numbers anew, in memory and back', () => {
      feed.received.emit(snapshot('e:50', [row('a', 50)]));
      feed.received.emit(snapshot('memory:2', [row('b', 2), row('a', 1)]));
      feed.received.emit(snapshot('e:52', [row('b', 52), row('a', 50)]));
      expect(announced()).toEqual(['a', 'b']);
      const updated = '2026-01-01T00:01:00.000Z';
      feed.received.emit(snapshot('f:2', [row('a', 2, { updated })]));
      expect(announced()).toEqual(['a', 'b', 'a']);
    });

    it('goes on without storage', () => {
      const broken = jest
        .spyOn(Storage.prototype, 'getItem')
        .mockImplementation(() => {
          throw new Error('SecurityError');
        });
      feed.received.emit(snapshot('e:1', [row('a', 1)]));
      broken.mockRestore();
      expect(announced()).toEqual(['a']);
    });
  });

  describe('changing', () => {
    beforeEach(() => {
      feed.received.emit(snapshot('e:2', [row('b', 2), row('a', 1)]));
      emitted.length = 0;
    });

    it('shows a change before the server has answered', async () => {
      let release: (response: Response) => void = () => undefined;
      answer = () => new Promise(resolve => (release = resolve));
      const changed = model.change({ ids: ['a'] }, { read: true });
      expect(model.get('a')!.read).not.toBeNull();
      expect(model.counts.unread).toBe(1);
      expect(ids(emitted[0].notifications)).toEqual(['a']);
      expect(emitted[0].announced).toEqual([]);
      await new Promise(resolve => setTimeout(resolve));
      release(
        new Response(
          JSON.stringify({ changed: 1, seqs: [3, 3], cursor: 'e:3' })
        )
      );
      await changed;
      // Answered, but the row has not come yet: no flicker in between.
      expect(model.get('a')!.read).not.toBeNull();
    });

    it('goes back, and says why in a sentence, when the server refuses', async () => {
      respond({ success: false, message: 'It cannot be dismissed.' }, 409);
      await expect(
        model.change({ ids: ['a'] }, { dismissed: true })
      ).rejects.toThrow('It cannot be dismissed.');
      expect(ids(model.notifications)).toEqual(['b', 'a']);
      expect(model.counts.unread).toBe(2);
      expect(emitted[emitted.length - 1].notifications[0].dismissed).toBeNull();
    });

    it('is in vain, not wrong, where its sender has withdrawn the row', async () => {
      respond({ changed: 0, seqs: null, cursor: 'e:2' });
      const made = await model.change({ ids: ['a'] }, { dismissed: true });
      expect(made.changed).toBe(0);
      // Nothing is anticipated any more.
      expect(model.get('a')!.dismissed).toBeNull();
    });

    it('reaches the server after earlier changes of the same rows, and of no others', async () => {
      const sent: string[] = [];
      const release: (() => void)[] = [];
      answer = async request => {
        sent.push(JSON.stringify(await request.json()));
        await new Promise<void>(resolve => release.push(resolve));
        return new Response(
          JSON.stringify({ changed: 1, seqs: null, cursor: 'e:2' })
        );
      };
      const step = () => new Promise(resolve => setTimeout(resolve, 10));
      const made = [
        model.change({ ids: ['a'] }, { dismissed: true }),
        model.change({ ids: ['a'] }, { dismissed: false }),
        model.change({ ids: ['b'] }, { read: true }),
        model.change({ all: true }, { read: true })
      ];
      await step();
      expect(sent).toEqual([
        '{"ids":["a"],"dismissed":true}',
        '{"ids":["b"],"read":true}'
      ]);
      release.splice(0).forEach(go => go());
      await step();
      expect(sent.slice(2)).toEqual(['{"ids":["a"],"dismissed":false}']);
      const rows = [row('c', 3)];
      feed.received.emit(changes('e:3', rows, count(rows)));
      release.splice(0).forEach(go => go());
      await step();
      // What has arrived since then is left out.
      expect(sent.slice(3)).toEqual(['{"all":true,"upTo":"e:2","read":true}']);
      release.splice(0).forEach(go => go());
      await Promise.all(made);
    });

    it('of do-not-disturb yields to what came over the stream meanwhile', async () => {
      const quiet = (on: boolean) => ({
        doNotDisturb: on,
        until: null,
        muted: []
      });
      let release: () => void = () => undefined;
      answer = async () => {
        await new Promise<void>(resolve => (release = resolve));
        return new Response(JSON.stringify(quiet(true)));
      };
      const made = model.changeQuiet({ doNotDisturb: true });
      await new Promise(resolve => setTimeout(resolve, 10));
      const frame = changes('e:2', [], count([]));
      feed.received.emit({ ...frame, quiet: quiet(false) });
      release();
      await made;
      expect(model.quiet!.doNotDisturb).toBe(false);
    });

    it('of do-not-disturb are sent one after the other, after a failure too', async () => {
      const sent: unknown[] = [];
      let release: (fails: boolean) => void = () => undefined;
      answer = async request => {
        const change = await request.json();
        sent.push(change);
        if (await new Promise<boolean>(resolve => (release = resolve))) {
          throw new TypeError('Failed to fetch');
        }
        return new Response(
          JSON.stringify({ ...change, until: null, muted: [] })
        );
      };
      const step = () => new Promise(resolve => setTimeout(resolve, 10));
      const first = model.changeQuiet({ doNotDisturb: true });
      const second = model.changeQuiet({ doNotDisturb: false });
      const failed = expect(first).rejects.toThrow('cannot be reached');
      await step();
      expect(sent).toEqual([{ doNotDisturb: true }]);
      release(true);
      await failed;
      await step();
      expect(sent.slice(1)).toEqual([{ doNotDisturb: false }]);
      release(false);
      await second;
      expect(model.quiet!.doNotDisturb).toBe(false);
    });

    it('goes back when the server cannot be reached', async () => {
      answer = () => Promise.reject(new TypeError('Failed to fetch'));
      await expect(
        model.change({ all: true }, { dismissed: true })
      ).rejects.toThrow('cannot be reached');
      expect(ids(model.notifications)).toEqual(['b', 'a']);
    });

    it('yields to the row that the stream brings, whatever it says', async () => {
      respond({ changed: 1, seqs: [3, 3], cursor: 'e:3' });
      await model.change({ ids: ['a'] }, { read: true });
      feed.received.emit(
        changes('e:4', [row('a', 4, { position: 1, read: null })], {
          inbox: 2,
          unread: 2,
          dismissed: 0,
          snoozed: 0
        })
      );
      expect(model.get('a')!.read).toBeNull();
      expect(model.counts.unread).toBe(2);
    });

    it('is settled by a row that came before the answer', async () => {
      answer = async () => {
        feed.received.emit(
          changes('e:3', [row('a', 3, { position: 1, read: NOW })], {
            inbox: 2,
            unread: 1,
            dismissed: 0,
            snoozed: 0
          })
        );
        return new Response(
          JSON.stringify({ changed: 1, seqs: [3, 3], cursor: 'e:3' })
        );
      };
      await model.change({ ids: ['a'] }, { read: true });
      expect(model.get('a')!.read).toBe(NOW);
      expect(model.counts.unread).toBe(1);
    });

    it('names one in the path, many in the body', async () => {
      const requests: [string, string, unknown][] = [];
      answer = async request => {
        const { pathname } = new URL(request.url);
        requests.push([request.method, pathname, await request.json()]);
        return new Response(
          JSON.stringify({ changed: 0, seqs: null, cursor: 'e:2' })
        );
      };
      await model.change({ ids: ['a'] }, { read: true });
      await model.change({ ids: ['a', 'b'] }, { dismissed: true });
      await model.change({ all: true }, { read: true });
      await model.change({ seqs: [3, 9], upTo: 'e:9' }, { dismissed: false });
      expect(requests).toEqual([
        [
          'PATCH',
          '/jupyterlab-notify/notifications',
          { ids: ['a'], read: true }
        ],
        [
          'PATCH',
          '/jupyterlab-notify/notifications',
          { ids: ['a', 'b'], dismissed: true }
        ],
        [
          'PATCH',
          '/jupyterlab-notify/notifications',
          // All that this tab has seen, and nothing that comes in meanwhile.
          { all: true, upTo: 'e:2', read: true }
        ],
        [
          'PATCH',
          '/jupyterlab-notify/notifications',
          { seqs: [3, 9], upTo: 'e:9', dismissed: false }
        ]
      ]);
    });

    it('names no seqs of an answer in parts that others changed in between', async () => {
      const many = Array.from({ length: 1500 }, (_, i) => `r${i}`);
      const answers = [
        { changed: 1000, seqs: [3, 1002], cursor: 'e:1002' },
        { changed: 500, seqs: [1010, 1509], cursor: 'e:1509' },
        { changed: 1000, seqs: [1510, 2509], cursor: 'e:2509' },
        { changed: 500, seqs: [2510, 3009], cursor: 'e:3009' }
      ];
      answer = async () => new Response(JSON.stringify(answers.shift()));
      const dismiss = () => model.change({ ids: many }, { dismissed: true });
      expect(await dismiss()).toMatchObject({ changed: 1500, seqs: null });
      expect(await dismiss()).toMatchObject({ seqs: [1510, 3009] });
    });

    it('leaves alone what cannot be dismissed', async () => {
      feed.received.emit(
        snapshot('e:3', [row('x', 3, { dismissable: false }), row('a', 1)])
      );
      respond({ changed: 1, seqs: [4, 4], cursor: 'e:4' });
      await model.change({ all: true }, { dismissed: true });
      expect(ids(model.notifications)).toEqual(['x']);
    });
  });

  it('asks for a page, and lets no old answer undo what the stream brought', async () => {
    feed.received.emit(
      snapshot('e:9', [row('a', 9, { position: 1, read: NOW })])
    );
    feed.received.emit(
      changes('e:10', [row('b', 10, { revoked: NOW })], count([]))
    );
    let url = '';
    answer = async request => {
      url = request.url;
      return new Response(
        JSON.stringify({
          notifications: [row('b', 2), row('a', 1), row('z', 0)],
          next: null,
          counts: count([]),
          cursor: 'e:2'
        })
      );
    };
    const page = await model.page(
      { view: 'unread', types: ['error', 'warning'], text: 'a b' },
      7,
      20
    );
    expect(ids(page.notifications)).toEqual(['a', 'z']);
    expect(page.notifications[0].read).toBe(NOW);
    const parameters = new URL(url).searchParams;
    expect(parameters.getAll('type')).toEqual(['error', 'warning']);
    expect(parameters.get('view')).toBe('unread');
    expect(parameters.get('q')).toBe('a b');
    expect(parameters.get('before')).toBe('7');
    expect(parameters.get('limit')).toBe('20');
  });
});
