/**
 * The promises to other extensions that send; the server is a list of requests.
 */
import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { NotificationSender } from '../send/sender';
import type { NotificationModel } from '../tokens';
import type { Notification } from '../wire';
import { NOW, row } from './rows';

class Model {
  readonly changed = new Signal<this, NotificationModel.IChange>(this);
  notifications: Notification[] = [];

  async detail(id: string): Promise<object> {
    return {
      ...row(id, 1, { message: 'as stored', key: 'k', source: 'indexer' }),
      body: 'long',
      data: null
    };
  }

  bring(...notifications: Notification[]): void {
    this.changed.emit({ type: 'changes', notifications, announced: [] });
  }
}

interface IRequest {
  method: string;
  path: string;
  body?: any;
}

describe('NotificationSender', () => {
  let model: Model;
  let sender: NotificationSender;
  let requests: IRequest[];
  let refuse: (request: IRequest) => boolean;
  let answer: () => Promise<void>;

  beforeEach(() => {
    model = new Model();
    requests = [];
    refuse = () => false;
    answer = () => Promise.resolve();
    sender = new NotificationSender({
      model: model as any,
      trans: nullTranslator.load('jupyterlab_notify'),
      serverSettings: ServerConnection.makeSettings({
        baseUrl: 'http://127.0.0.1:1/',
        fetch: async given => {
          const request = given as Request;
          const { pathname, search } = new URL(request.url);
          const text = await request.text();
          const made = {
            method: request.method,
            path:
              pathname.replace('/jupyterlab-notify/', '') +
              // JupyterLab adds the time, so that no cache answers.
              search.replace(/[?&]\d+$/, ''),
            body: text ? JSON.parse(text) : undefined
          };
          requests.push(made);
          await answer();
          return refuse(made)
            ? new Response('{"message": "It is wrong."}', { status: 400 })
            : new Response('{"notification_id": "id1"}');
        }
      })
    });
  });

  it('forgets a change that the server refused', async () => {
    const sent = await sender.emit('Indexing', { type: 'in-progress' });
    refuse = ({ body }) => body.progress === 7;
    const wrong = sender.update(sent, { progress: 7 });
    const right = sender.update(sent, { message: 'Still indexing' });
    await expect(wrong).rejects.toThrow('It is wrong.');
    await right;
    expect(requests[2].body).toEqual({
      message: 'Still indexing',
      type: 'in-progress',
      key: sent.key,
      source: 'JupyterLab'
    });
  });

  it('updates and revokes by a copy, and what was sent before a reload', async () => {
    const sent = await sender.emit('one', { type: 'success', key: 'k 1' });
    await sender.update({ ...sent }, { message: 'two' });
    expect(requests[1].body).toMatchObject({ message: 'two', type: 'success' });
    await sender.revoke(JSON.parse(JSON.stringify(sent)));
    expect(requests[2]).toMatchObject({
      method: 'DELETE',
      path: 'ingest/k%201?source=JupyterLab'
    });

    const stored = { id: 'old', key: 'k', source: 'indexer' };
    await sender.update(stored, { type: 'success' });
    expect(requests[3]).toMatchObject({
      method: 'PUT',
      path: 'ingest/k',
      body: { message: 'as stored', body: 'long', type: 'success', key: 'k' }
    });
    await sender.revoke({ id: 'other', key: 'k' } as any);
    expect(requests[4].path).toBe('ingest/other');
  });

  it('rejects, and never throws, when a revocation is refused', async () => {
    refuse = ({ method }) => method === 'DELETE';
    await expect(
      sender.revoke({ id: 'a', key: 'k', source: 's' })
    ).rejects.toThrow('It is wrong.');
  });

  it('tells who observes a key of its end too', () => {
    const seen: string[] = [];
    model.notifications = [row('a', 1, { key: 'job' })];
    sender.observe(
      ({ id, revoked }) => seen.push(`${id} ${revoked !== null}`),
      {
        key: 'job'
      }
    );
    model.bring(row('b', 2, { key: 'job' }), row('c', 3, { key: 'other' }));
    model.bring(
      row('a', 4, { revoked: NOW }),
      row('b', 5, { expired: NOW }),
      row('c', 6, { revoked: NOW })
    );
    expect(seen).toEqual(['b false', 'a true', 'b false']);
  });

  describe('says that it lives', () => {
    beforeEach(() => jest.useFakeTimers());
    afterEach(() => jest.useRealTimers());

    it('while its page is there, until it is done', async () => {
      const sent = await sender.emit('Indexing', {
        type: 'in-progress',
        heartbeat: 180
      });
      await jest.advanceTimersByTimeAsync(61_000);
      expect(requests).toHaveLength(2);
      expect(requests[1]).toMatchObject({
        method: 'PUT',
        body: requests[0].body
      });
      refuse = () => true;
      await jest.advanceTimersByTimeAsync(60_000);
      refuse = () => false;
      await jest.advanceTimersByTimeAsync(60_000);
      expect(requests).toHaveLength(4);
      await sender.update(sent, { type: 'success' });
      await jest.advanceTimersByTimeAsync(600_000);
      expect(requests).toHaveLength(5);
    });

    it('by no timer in a hidden tab, which tells the server so', async () => {
      const hidden = jest.spyOn(document, 'hidden', 'get');
      const look = async (is: boolean) => {
        hidden.mockReturnValue(is);
        document.dispatchEvent(new Event('visibilitychange'));
        await jest.advanceTimersByTimeAsync(0);
      };
      try {
        const sent = await sender.emit('Indexing', {
          type: 'in-progress',
          heartbeat: 180
        });
        await look(true);
        expect(requests.at(-1)?.body).toMatchObject({ heartbeat: 86_400 });
        await sender.update(sent, { progress: 0.5 });
        expect(requests.at(-1)?.body).toMatchObject({ heartbeat: 86_400 });
        const before = requests.length;
        await jest.advanceTimersByTimeAsync(3_600_000);
        expect(requests).toHaveLength(before);
        // The tab is closed.
        window.dispatchEvent(new Event('pagehide'));
        await jest.advanceTimersByTimeAsync(0);
        expect(requests.at(-1)?.body).toMatchObject({ heartbeat: 180 });
        await look(false);
        expect(requests.at(-1)?.body).toMatchObject({
          heartbeat: 180,
          progress: 0.5
        });
        const seen = requests.length;
        await jest.advanceTimersByTimeAsync(61_000);
        expect(requests).toHaveLength(seen + 1);
      } finally {
        hidden.mockRestore();
      }
    });

    it('and not after a revocation that took its time, which that would undo', async () => {
      const sent = await sender.emit('Indexing', {
        type: 'in-progress',
        heartbeat: 180
      });
      await jest.advanceTimersByTimeAsync(59_000);
      answer = () => new Promise(resolve => setTimeout(resolve, 5000));
      const revoked = sender.revoke(sent);
      await jest.advanceTimersByTimeAsync(600_000);
      await revoked;
      expect(requests.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
    });

    it('and not after it was taken back elsewhere while that was said', async () => {
      await sender.emit('Indexing', { type: 'in-progress', heartbeat: 180 });
      refuse = () => true;
      answer = () => new Promise(resolve => setTimeout(resolve, 5000));
      await jest.advanceTimersByTimeAsync(61_000);
      expect(requests).toHaveLength(2);
      model.bring(row('id1', 9, { revoked: NOW }));
      await jest.advanceTimersByTimeAsync(600_000);
      expect(requests).toHaveLength(2);
    });

    it('and no longer once it was taken back, by whomever', async () => {
      await sender.emit('Indexing', { type: 'in-progress', heartbeat: 180 });
      model.bring(row('id1', 9, { revoked: NOW }));
      await jest.advanceTimersByTimeAsync(600_000);
      expect(requests).toHaveLength(1);
    });
  });
});
