/**
 * The promises of the center's list while pages and changes come in any order.
 */
import { PromiseDelegate } from '@lumino/coreutils';

import { type IListingSource, Listing, matches } from '../center/listing';
import type { NotificationModel } from '../tokens';
import type { Notification, Page } from '../wire';
import { NOW, row } from './rows';

/** A server that holds rows, and answers at once or when it is told to. */
class Server implements IListingSource {
  constructor(public rows: Notification[] = []) {}

  notifications: readonly Notification[] = [];

  requests: { query: NotificationModel.IQuery; before?: number }[] = [];

  /** If set, answers wait for this; their content is that of the time of the request. */
  held: PromiseDelegate<void> | null = null;

  failure: Error | null = null;

  async page(
    query: NotificationModel.IQuery,
    before = Infinity,
    limit = 50
  ): Promise<Page> {
    this.requests.push({ query, before });
    const found = this.rows
      .filter(one => matches(one, query) && one.position < before)
      .filter(one => !query.text || one.message.includes(query.text))
      .sort((a, b) => b.position - a.position);
    const notifications = found.slice(0, limit);
    const page: Page = {
      notifications,
      next:
        found.length > limit
          ? notifications[notifications.length - 1].position
          : null,
      counts: { inbox: 0, unread: 0, dismissed: 0, snoozed: 0 },
      cursor: 'e:1'
    };
    const failure = this.failure;
    await this.held?.promise;
    if (failure) {
      throw failure;
    }
    return page;
  }

  hold(): () => Promise<void> {
    const held = new PromiseDelegate<void>();
    this.held = held;
    return async () => {
      this.held = null;
      held.resolve();
      await flush();
    };
  }
}

async function flush(): Promise<void> {
  for (let i = 0; i < 8; i++) {
    await Promise.resolve();
  }
}

function many(
  count: number,
  given: Partial<Notification> = {}
): Notification[] {
  return Array.from({ length: count }, (_, i) => row(`n${i}`, i + 1, given));
}

function ids(listing: Listing): string[] {
  return listing.rows.map(one => one.id);
}

function changes(...notifications: Notification[]): NotificationModel.IChange {
  return { type: 'changes', notifications, announced: [] };
}

describe('Listing', () => {
  it('shows what is known at once, and the page when it is here', async () => {
    const server = new Server(many(3));
    server.notifications = [server.rows[2]];
    const answer = server.hold();
    const listing = new Listing(server);
    void listing.load();
    expect(ids(listing)).toEqual(['n2']);
    expect(listing.loading).toBe(true);
    await answer();
    expect(ids(listing)).toEqual(['n2', 'n1', 'n0']);
    expect(listing.loading).toBe(false);
    expect(listing.complete).toBe(true);
  });

  it('loads older pages, each once, until the oldest row is here', async () => {
    const server = new Server(many(120));
    const listing = new Listing(server);
    await listing.load();
    expect(listing.rows).toHaveLength(50);
    await Promise.all([listing.more(), listing.more()]);
    expect(listing.rows).toHaveLength(100);
    expect(listing.complete).toBe(false);
    await listing.more();
    await listing.more();
    expect(listing.rows).toHaveLength(120);
    expect(listing.complete).toBe(true);
    expect(server.requests).toHaveLength(3);
    expect(ids(listing)[119]).toBe('n0');
  });

  it('says why an older page did not come, and asks again', async () => {
    const server = new Server(many(60));
    const listing = new Listing(server);
    await listing.load();
    server.failure = new Error('The server cannot be reached.');
    await listing.more();
    expect(listing.moreError).toBe('The server cannot be reached.');
    expect(listing.rows).toHaveLength(50);
    server.failure = null;
    await listing.more();
    expect(listing.moreError).toBeNull();
    expect(listing.rows).toHaveLength(60);
  });

  it('asks for older rows when none of those that were loaded is left', async () => {
    const server = new Server(many(120));
    const listing = new Listing(server);
    await listing.load();
    const done = (rows: readonly Notification[]) =>
      changes(...rows.map(one => ({ ...one, seq: 1000, dismissed: NOW })));
    const answer = server.hold();
    listing.apply(done(listing.rows));
    expect(listing.rows).toHaveLength(0);
    expect(listing.loadingMore).toBe(true);
    await answer();
    expect(ids(listing).slice(0, 2)).toEqual(['n69', 'n68']);
    // What does not come is not asked for again and again.
    server.failure = new Error('The server cannot be reached.');
    listing.apply(done(listing.rows));
    await flush();
    expect(listing.moreError).toBe('The server cannot be reached.');
    expect(server.requests).toHaveLength(3);
    server.failure = null;
    await listing.more();
    expect(listing.rows).toHaveLength(20);
    listing.apply(done(listing.rows));
    expect(listing.loadingMore).toBe(false);
    expect(listing.complete).toBe(true);
  });

  it('awaits older rows while it is asked for again and none is left', async () => {
    const server = new Server(many(60));
    const listing = new Listing(server);
    await listing.load();
    expect(listing.awaiting).toBe(false);
    const answer = server.hold();
    void listing.refresh();
    const gone = listing.rows.map(one => ({
      ...one,
      seq: 1000,
      dismissed: NOW
    }));
    listing.apply(changes(...gone));
    expect(listing.rows).toHaveLength(0);
    expect(listing.loading || listing.loadingMore).toBe(false);
    expect(listing.awaiting).toBe(true);
    await answer();
    expect(listing.rows).toHaveLength(10);
    expect(listing.awaiting).toBe(false);
  });

  it('awaits nothing while a whole list without rows is asked for again', async () => {
    const server = new Server([]);
    const listing = new Listing(server);
    await listing.load();
    const answer = server.hold();
    void listing.refresh();
    expect(listing.awaiting).toBe(false);
    await answer();
    expect(listing.awaiting).toBe(false);
  });

  it('keeps what it shows when the first page does not come', async () => {
    const server = new Server(many(2));
    server.notifications = [server.rows[1]];
    server.failure = new Error('no');
    const listing = new Listing(server);
    await listing.load();
    expect(listing.error).toBe('no');
    expect(ids(listing)).toEqual(['n1']);
    listing.apply(changes(row('new', 9)));
    expect(ids(listing)).toEqual(['new', 'n1']);
    server.failure = null;
    await listing.refresh();
    expect(listing.error).toBeNull();
  });

  it('puts what comes in on top, and moves what asks for attention again', async () => {
    const listing = new Listing(new Server(many(3)));
    await listing.load();
    listing.apply(changes(row('new', 10)));
    expect(ids(listing)).toEqual(['new', 'n2', 'n1', 'n0']);
    listing.apply(changes(row('n0', 11)));
    expect(ids(listing)).toEqual(['n0', 'new', 'n2', 'n1']);
  });

  it('ignores a lower seq, and applies a pending change on the same', async () => {
    const listing = new Listing(new Server([row('a', 5)]));
    await listing.load();
    listing.apply(changes(row('a', 4, { message: 'old' })));
    expect(listing.rows[0].message).toBe('message a');
    listing.apply(changes(row('a', 5, { read: NOW })));
    expect(listing.rows[0].read).toBe(NOW);
  });

  it.each(['revoked', 'expired'] as const)(
    'forgets what is %s, also if an older page still names it',
    async state => {
      const server = new Server(many(60));
      const listing = new Listing(server);
      await listing.load();
      const answer = server.hold();
      const more = listing.more();
      listing.apply(changes(row('n3', 100, { [state]: NOW })));
      await answer();
      await more;
      expect(ids(listing)).not.toContain('n3');
      expect(listing.rows).toHaveLength(59);
    }
  );

  it.each([
    ['as a tombstone', { expired: NOW, message: '' }],
    ['and is put under Done', { dismissed: NOW, ended: NOW, expiresAt: null }]
  ])(
    'keeps what expires %s until it is closed, with its text',
    async (_, end) => {
      const listing = new Listing(
        new Server(many(2, { expiresAt: NOW, message: 'its text' }))
      );
      await listing.load();
      listing.held = 'n1';
      listing.apply(changes(row('n1', 7, { position: 2, ...end })));
      expect(listing.rows[0]).toMatchObject({
        id: 'n1',
        message: 'its text',
        expired: NOW
      });
      listing.held = null;
      expect(ids(listing)).toEqual(['n0']);
    }
  );

  it('does not let a page undo what changed while it was on its way', async () => {
    const server = new Server(many(2));
    const listing = new Listing(server);
    const answer = server.hold();
    const load = listing.load();
    listing.apply(changes(row('n0', 7, { position: 1, dismissed: NOW })));
    listing.apply(changes(row('new', 8)));
    await answer();
    await load;
    expect(ids(listing)).toEqual(['new', 'n1']);
  });

  it('leaves a row below the loaded part to its page', async () => {
    const listing = new Listing(new Server(many(120)));
    await listing.load();
    listing.apply(changes(row('n5', 200, { position: 6, read: NOW })));
    expect(ids(listing)).not.toContain('n5');
    listing.include(row('n5', 200, { position: 6 }));
    expect(ids(listing)[50]).toBe('n5');
    await listing.more();
    await listing.more();
    expect(listing.rows).toHaveLength(120);
  });

  it('keeps the row that somebody asked for while the first page comes, and later', async () => {
    const server = new Server(many(120));
    const listing = new Listing(server);
    const answer = server.hold();
    const load = listing.load();
    listing.include(server.rows.find(({ id }) => id === 'n5')!);
    await answer();
    await load;
    expect(ids(listing)[50]).toBe('n5');
    await listing.refresh();
    expect(ids(listing)).toContain('n5');
    // What a tab that was away was not told of.
    server.rows = server.rows.filter(({ id }) => id !== 'n5');
    await listing.refresh();
    expect(ids(listing)).not.toContain('n5');
    await listing.load({ view: 'unread' });
    expect(listing.rows).toHaveLength(50);
  });

  it('keeps in Unread what is read while one looks, till the filter is left', async () => {
    const server = new Server(many(3));
    const listing = new Listing(server);
    await listing.load({ view: 'unread' });
    const read = row('n1', 9, { position: 2, read: NOW });
    server.rows[1] = read;
    listing.apply(changes(read));
    expect(ids(listing)).toEqual(['n2', 'n1', 'n0']);
    await listing.refresh();
    expect(ids(listing)).toEqual(['n2', 'n1', 'n0']);
    listing.apply(changes(row('n2', 10, { position: 3, dismissed: NOW })));
    expect(ids(listing)).toEqual(['n1', 'n0']);
    await listing.load({ view: 'unread' });
    expect(ids(listing)).not.toContain('n1');
  });

  it('keeps in Unread what is read before the first page is here', async () => {
    const server = new Server(many(60));
    server.notifications = server.rows.slice(10);
    // The server makes the change before it answers: its page is without the row.
    const read = row('n59', 99, { position: 60, read: NOW });
    server.rows[59] = read;
    const listing = new Listing(server);
    const answer = server.hold();
    const load = listing.load({ view: 'unread' });
    listing.apply(changes(read));
    await answer();
    await load;
    expect(ids(listing).slice(0, 2)).toEqual(['n59', 'n58']);
    await listing.more();
    expect(ids(listing)).toHaveLength(60);
    await listing.load({ view: 'unread' });
    expect(ids(listing)).not.toContain('n59');
  });

  it('keeps the row that is read in it if it expires before the first page is here', async () => {
    const server = new Server(many(3));
    server.notifications = [...server.rows];
    server.rows.splice(1, 1);
    const listing = new Listing(server);
    const answer = server.hold();
    const load = listing.load();
    listing.held = 'n1';
    listing.apply(changes(row('n1', 9, { position: 2, expired: NOW })));
    await answer();
    await load;
    expect(ids(listing)).toEqual(['n2', 'n1', 'n0']);
    listing.held = null;
    expect(ids(listing)).toEqual(['n2', 'n0']);
  });

  it('does not take into Unread, or the inbox, what was just read or dismissed here and the server still lists', async () => {
    const server = new Server(many(3));
    const listing = new Listing(server);
    const page = server.page.bind(server);
    server.page = async (...given) => {
      const answer = await page(...given);
      // The model does the same with pending changes.
      answer.notifications = answer.notifications.map(one =>
        one.id === 'n1'
          ? { ...one, read: NOW }
          : one.id === 'n2'
            ? { ...one, dismissed: NOW }
            : one
      );
      return answer;
    };
    await listing.load({ view: 'unread' });
    expect(ids(listing)).toEqual(['n0']);
    await listing.load({ view: 'inbox' });
    expect(ids(listing)).toEqual(['n1', 'n0']);
    // The server refused.
    listing.apply(changes(server.rows[2]));
    expect(ids(listing)).toEqual(['n2', 'n1', 'n0']);
  });

  it('shows what leaves one view in the other', async () => {
    const server = new Server([row('a', 1), row('b', 2, { dismissed: NOW })]);
    const listing = new Listing(server);
    await listing.load({ view: 'dismissed' });
    expect(ids(listing)).toEqual(['b']);
    listing.apply(changes(row('b', 3, { position: 2 })));
    expect(ids(listing)).toEqual([]);
    listing.apply(changes(row('a', 4, { position: 1, dismissed: NOW })));
    expect(ids(listing)).toEqual(['a']);
  });

  it('filters what comes in by type and source', async () => {
    const listing = new Listing(new Server());
    await listing.load({ view: 'inbox', types: ['error'], source: 'Quo' });
    listing.apply(
      changes(
        row('a', 1),
        row('b', 2, { type: 'error' }),
        row('c', 3, { type: 'error', source: 'airflow' })
      )
    );
    expect(ids(listing)).toEqual(['b']);
  });

  it('keeps at a snapshot of the same store what it does not name, as deep as it was', async () => {
    const server = new Server(many(500));
    const listing = new Listing(server);
    await listing.load();
    for (let page = 0; page < 8; page++) {
      await listing.more();
    }
    expect(listing.rows).toHaveLength(450);
    // The oldest was pruned, and a new one has come.
    server.rows = [...server.rows.slice(1), row('new', 600)];
    const answer = server.hold();
    listing.apply({
      type: 'snapshot',
      notifications: server.rows.slice(-100),
      announced: [],
      newStore: false
    });
    expect(listing.rows).toHaveLength(451);
    await answer();
    await flush();
    expect(listing.rows).toHaveLength(450);
    expect(ids(listing)[0]).toBe('new');
    expect(listing.complete).toBe(false);
    await listing.more();
    expect(listing.rows).toHaveLength(500);
    expect(ids(listing)).not.toContain('n0');
  });

  it('keeps what was dismissed when the inbox is told anew', async () => {
    const server = new Server(many(3, { dismissed: NOW }));
    const listing = new Listing(server);
    await listing.load({ view: 'dismissed' });
    const emptied: number[] = [];
    listing.changed.connect(() => emptied.push(listing.rows.length));
    listing.apply({
      type: 'snapshot',
      notifications: [row('a', 9)],
      announced: [],
      newStore: false
    });
    await flush();
    expect(emptied).not.toContain(0);
    expect(listing.rows).toHaveLength(3);
  });

  it('puts aside what comes in while nobody looks', async () => {
    const server = new Server(many(3));
    const listing = new Listing(server);
    await listing.load();
    let emitted = 0;
    listing.changed.connect(() => emitted++);
    listing.active = false;
    listing.apply(changes(row('new', 9)));
    listing.apply(changes(row('n1', 10, { position: 2, revoked: NOW })));
    expect(emitted).toBe(0);
    listing.active = true;
    expect(ids(listing)).toEqual(['new', 'n2', 'n0']);
    expect(server.requests).toHaveLength(1);

    listing.active = false;
    server.rows = many(1);
    listing.apply({ type: 'snapshot', notifications: [], announced: [] });
    listing.apply(changes(row('n0', 11)));
    expect(server.requests).toHaveLength(1);
    listing.active = true;
    await flush();
    expect(ids(listing)).toEqual(['n0']);
  });

  it('forgets at a snapshot of another store what that does not name, and asks again', async () => {
    const server = new Server(many(3));
    const listing = new Listing(server);
    await listing.load();
    server.rows = [row('other', 1)];
    listing.apply({
      type: 'snapshot',
      notifications: [row('other', 1)],
      announced: [],
      newStore: true
    });
    expect(ids(listing)).toEqual(['other']);
    await flush();
    expect(ids(listing)).toEqual(['other']);
  });

  it('ignores the answer to a filter that was left', async () => {
    const server = new Server([row('a', 1), row('b', 2, { dismissed: NOW })]);
    const listing = new Listing(server);
    const late = server.hold();
    void listing.load({ view: 'dismissed' });
    server.held = null;
    await listing.load({ view: 'inbox' });
    await late();
    expect(ids(listing)).toEqual(['a']);
  });

  it('asks again, not too often, when something changes during a search', async () => {
    jest.useFakeTimers();
    try {
      const server = new Server([row('a', 1, { message: 'disk full' })]);
      const listing = new Listing(server);
      await listing.load({ view: 'inbox', text: 'disk' });
      for (let seq = 2; seq < 22; seq++) {
        server.rows.push(row(`n${seq}`, seq, { message: 'disk again' }));
        listing.apply(changes(server.rows[server.rows.length - 1]));
        jest.advanceTimersByTime(100);
        await flush();
      }
      expect(ids(listing)).toContain('n15');
      expect(server.requests.length).toBeLessThan(9);
      listing.dispose();
    } finally {
      jest.useRealTimers();
    }
  });

  it('keeps a search as deep as it was when it asks again', async () => {
    jest.useFakeTimers();
    try {
      const server = new Server(many(500));
      const listing = new Listing(server);
      await listing.load({ view: 'inbox', text: 'message' });
      for (let page = 0; page < 6; page++) {
        await listing.more();
      }
      expect(listing.rows).toHaveLength(350);
      server.rows.push(row('new', 600));
      listing.apply(changes(row('new', 600)));
      await jest.advanceTimersByTimeAsync(1000);
      expect(ids(listing)[0]).toBe('new');
      expect(listing.rows).toHaveLength(350);
      listing.dispose();
    } finally {
      jest.useRealTimers();
    }
  });

  it('lets a slow search, and its older pages, come to their end while something changes', async () => {
    jest.useFakeTimers();
    try {
      const server = new Server(many(120));
      const page = server.page.bind(server);
      server.page = async (...given) => {
        const answer = await page(...given);
        await new Promise(resolve => setTimeout(resolve, 1000));
        return answer;
      };
      const listing = new Listing(server);
      void listing.load({ view: 'inbox', text: 'message' });
      // As a list that is scrolled to its end does.
      listing.changed.connect(() => void listing.more());
      const progress = async (steps: number) => {
        for (let seq = 1000; seq < 1000 + steps; seq++) {
          listing.apply(changes(row('job', seq, { position: 999 })));
          await jest.advanceTimersByTimeAsync(100);
        }
      };
      await progress(15);
      expect(listing.loading).toBe(false);
      expect(listing.rows).toHaveLength(50);
      await progress(60);
      expect(listing.complete).toBe(true);
      expect(listing.rows).toHaveLength(120);
      listing.dispose();
    } finally {
      jest.useRealTimers();
    }
  });

  it('emits only when something changed', async () => {
    const listing = new Listing(new Server(many(2)));
    await listing.load();
    const rows = listing.rows;
    let emitted = 0;
    listing.changed.connect(() => emitted++);
    listing.apply(changes(row('n0', 0)));
    expect(listing.rows).toBe(rows);
    expect(emitted).toBe(0);
  });
});
