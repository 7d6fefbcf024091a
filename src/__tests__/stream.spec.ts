import { ServerConnection } from '@jupyterlab/services';
import type { IncomingMessage } from 'http';
import type { AddressInfo } from 'net';

import { NotificationStream } from '../stream';
import type { ChangesFrame, SnapshotFrame } from '../wire';
import { changes, count, row, snapshot } from './rows';

// The types of `ws` are not among the dependencies.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { WebSocketServer } = require('ws');

/**
 * A real WebSocket server in this process, which tests control.
 */
class Server {
  async listen(port = 0): Promise<void> {
    this._server = new WebSocketServer({ port, host: '127.0.0.1' });
    this._server.on('connection', (socket: any, request: IncomingMessage) => {
      this.connections.push({ url: request.url!, at: Date.now() });
      this.sockets.push(socket);
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString());
        this.messages.push(message);
        if (this.answersPings && message.type === 'ping') {
          socket.send(JSON.stringify({ type: 'pong' }));
        }
      });
      this.onConnection(socket, request.url!);
    });
    await new Promise(resolve => this._server.once('listening', resolve));
  }

  get port(): number {
    return (this._server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.sockets.forEach(socket => socket.terminate());
    this.sockets = [];
    await new Promise(resolve => this._server.close(resolve));
  }

  answersPings = true;
  connections: { url: string; at: number }[] = [];
  messages: any[] = [];
  onConnection: (socket: any, url: string) => void = () => undefined;
  sockets: any[] = [];
  private _server: any;
}

function send(socket: any, frame: object): void {
  socket.send(JSON.stringify(frame));
}

async function until(condition: () => boolean, ms = 4000): Promise<number> {
  const began = Date.now();
  while (!condition()) {
    if (Date.now() - began > ms) {
      throw new Error(`Not within ${ms} ms: ${condition}`);
    }
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  return Date.now() - began;
}

describe('NotificationStream', () => {
  let server: Server;
  let stream: NotificationStream;
  let frames: (SnapshotFrame | ChangesFrame)[];

  beforeEach(async () => {
    server = new Server();
    await server.listen();
    stream = new NotificationStream({
      serverSettings: ServerConnection.makeSettings({
        baseUrl: `http://127.0.0.1:${server.port}/user/ada/`,
        wsUrl: `ws://127.0.0.1:${server.port}/user/ada/`,
        token: 'secret',
        appendToken: true
      })
    });
    frames = [];
    stream.received.connect((_, frame) => frames.push(frame));
  });

  afterEach(async () => {
    stream.dispose();
    await server.close();
  });

  it('first asks without a cursor, with the token', async () => {
    server.onConnection = socket => send(socket, snapshot('e:1', []));
    stream.start();
    await until(() => stream.connected);
    expect(server.connections[0].url).toBe(
      '/user/ada/jupyterlab-notify/stream?token=secret'
    );
    expect(stream.cursor).toBe('e:1');
  });

  it('sends no token where cookies authenticate', async () => {
    const other = new NotificationStream({
      serverSettings: ServerConnection.makeSettings({
        wsUrl: `ws://127.0.0.1:${server.port}/`,
        baseUrl: `http://127.0.0.1:${server.port}/`,
        token: 'secret',
        appendToken: false
      })
    });
    other.start();
    await until(() => server.connections.length === 1);
    other.dispose();
    expect(server.connections[0].url).toBe('/jupyterlab-notify/stream');
  });

  it('resumes behind the last applied frame within two seconds of a return', async () => {
    const rows = [row('a', 1)];
    server.onConnection = (socket, url) =>
      url.includes('cursor=e%3A2')
        ? send(socket, changes('e:3', [row('b', 3)], count(rows)))
        : send(socket, snapshot('e:1', rows));
    stream.start();
    await until(() => stream.connected);
    send(server.sockets[0], changes('e:2', [row('a', 2)], count(rows)));
    await until(() => frames.length === 2);

    const port = server.port;
    await server.close();
    await until(() => !stream.connected);
    // Several attempts fail, and the back-off reaches its longest pause.
    await new Promise(resolve => setTimeout(resolve, 3000));
    await server.listen(port);
    expect(await until(() => stream.connected)).toBeLessThan(2000);
    expect(frames.map(frame => frame.cursor)).toEqual(['e:1', 'e:2', 'e:3']);
  }, 15_000);

  it('does not take a handshake for a connection', async () => {
    stream.start();
    await until(() => server.sockets.length === 1);
    expect(stream.connected).toBe(false);
  });

  it('reconnects before a frame that it could not read', async () => {
    server.onConnection = socket => send(socket, snapshot('e:1', []));
    stream.start();
    await until(() => stream.connected);
    server.sockets[0].send('{"type": "chang');
    await until(() => server.connections.length === 2);
    expect(server.connections[1].url).toContain('cursor=e%3A1');
  }, 10_000);

  it('gives a half-open socket up when a tab wakes to silence', async () => {
    server.answersPings = false;
    server.onConnection = socket => send(socket, snapshot('e:1', []));
    stream.start();
    await until(() => stream.connected);
    window.dispatchEvent(new Event('focus'));
    await until(() => server.messages.length === 1);
    expect(server.messages[0]).toEqual({ type: 'ping' });
    // It connects again without a pause: with this random number a pause would take longer.
    const random = jest.spyOn(Math, 'random').mockReturnValue(20);
    try {
      await until(() => server.connections.length === 2, 4500);
    } finally {
      random.mockRestore();
    }
  }, 15_000);

  it('keeps a socket whose link is slow', async () => {
    server.answersPings = false;
    server.onConnection = socket =>
      setTimeout(() => send(socket, snapshot('e:1', [])), 2400);
    stream.start();
    await until(() => stream.connected);
    for (let pings = 1; pings <= 2; pings++) {
      window.dispatchEvent(new Event('focus'));
      await until(() => server.messages.length === pings);
      await new Promise(resolve => setTimeout(resolve, 1300));
      send(server.sockets[0], { type: 'pong' });
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    expect(server.connections.length).toBe(1);
    expect(stream.connected).toBe(true);
  }, 10_000);

  it('tries at random and quickly after a loss in sight', async () => {
    const paces: { max: number }[] = [];
    server.onConnection = socket => send(socket, snapshot('e:1', []));
    stream.start();
    await until(() => stream.connected);
    for (let i = 0; i < 4; i++) {
      server.sockets.at(-1).terminate();
      await until(() => !stream.connected);
      paces.push((stream as any)._connection.frequency);
      window.dispatchEvent(new Event('online'));
      await until(() => stream.connected);
    }
    expect(Math.max(...paces.map(({ max }) => max))).toBeLessThanOrEqual(1200);
    expect(new Set(paces.map(({ max }) => max)).size).toBeGreaterThan(1);
  }, 10_000);

  describe('in a hidden tab', () => {
    beforeEach(() => {
      jest.spyOn(document, 'hidden', 'get').mockReturnValue(true);
      server.onConnection = socket => send(socket, snapshot('e:1', []));
    });
    afterEach(() => jest.restoreAllMocks());

    /** Let an hour pass on the stream's clock. */
    const later = () => {
      const now = Date.now();
      jest.spyOn(Date, 'now').mockImplementation(() => now + 3_600_000);
    };

    it('comes back after a loss, and no more than three times by itself', async () => {
      stream.start();
      for (let i = 1; i <= 3; i++) {
        await until(() => server.connections.length === i && stream.connected);
        server.sockets.at(-1).terminate();
        await until(() => !stream.connected);
      }
      await new Promise(resolve => setTimeout(resolve, 2500));
      expect(server.connections.length).toBe(3);
      // Its user is back.
      jest.spyOn(document, 'hidden', 'get').mockReturnValue(false);
      document.dispatchEvent(new Event('visibilitychange'));
      expect(await until(() => stream.connected)).toBeLessThan(700);
    }, 20_000);

    it('gives up after a while when the server stays away', async () => {
      stream.start();
      await until(() => stream.connected);
      const port = server.port;
      await server.close();
      await until(() => !stream.connected);
      later();
      await new Promise(resolve => setTimeout(resolve, 2000));
      await server.listen(port);
      server.connections = [];
      await new Promise(resolve => setTimeout(resolve, 2500));
      expect(server.connections.length).toBe(0);
      window.dispatchEvent(new Event('online'));
      expect(await until(() => stream.connected)).toBeLessThan(700);
    }, 20_000);

    it('sends nothing when a browser wakes the page without its user', async () => {
      stream.start();
      await until(() => stream.connected);
      for (const event of ['resume', 'visibilitychange']) {
        document.dispatchEvent(new Event(event));
      }
      await new Promise(resolve => setTimeout(resolve, 300));
      expect(server.messages).toEqual([]);
    });
  });

  it('takes a connection for dead whose signs of life stay away, and sends none', async () => {
    server.onConnection = socket => {
      send(socket, snapshot('e:1', []));
      send(socket, { type: 'alive', interval: -14.5 });
    };
    stream.start();
    await until(() => stream.connected);
    await until(() => server.connections.length >= 2);
    expect(server.connections[1].url).toContain('cursor=e%3A1');
    expect(server.messages).toEqual([]);
  }, 10_000);

  it('keeps a connection that gives signs of life', async () => {
    server.onConnection = socket => {
      send(socket, snapshot('e:1', []));
      const timer = setInterval(
        () => send(socket, { type: 'alive', interval: -14 }),
        300
      );
      socket.on('close', () => clearInterval(timer));
    };
    stream.start();
    await until(() => stream.connected);
    await new Promise(resolve => setTimeout(resolve, 2500));
    expect(server.connections.length).toBe(1);
    expect(server.messages).toEqual([]);
  }, 10_000);

  it('keeps a socket that answers a ping', async () => {
    server.onConnection = socket => send(socket, snapshot('e:1', []));
    stream.start();
    await until(() => stream.connected);
    window.dispatchEvent(new Event('focus'));
    await until(() => server.messages.length === 1);
    await new Promise(resolve => setTimeout(resolve, 3000));
    expect(server.connections.length).toBe(1);
    expect(stream.connected).toBe(true);
  }, 10_000);

  it('tries at once when the network is back', async () => {
    server.onConnection = socket => send(socket, snapshot('e:1', []));
    const port = server.port;
    await server.close();
    stream.start();
    // Never connected: the pauses have grown beyond a second.
    await new Promise(resolve => setTimeout(resolve, 1500));
    await server.listen(port);
    window.dispatchEvent(new Event('online'));
    expect(await until(() => stream.connected)).toBeLessThan(700);
  });

  it('leaves a half-open socket at once when the network is back', async () => {
    server.answersPings = false;
    server.onConnection = socket => send(socket, snapshot('e:1', []));
    stream.start();
    await until(() => stream.connected);
    window.dispatchEvent(new Event('online'));
    expect(
      await until(() => server.connections.length === 2 && stream.connected)
    ).toBeLessThan(700);
    expect(server.connections[1].url).toContain('cursor=e%3A1');
  });

  it('opens nothing any more once it is disposed', async () => {
    server.onConnection = socket => send(socket, snapshot('e:1', []));
    stream.start();
    await until(() => stream.connected);
    const socket = server.sockets[0];
    stream.dispose();
    await until(() => socket.readyState === 3);
    window.dispatchEvent(new Event('online'));
    await new Promise(resolve => setTimeout(resolve, 1200));
    expect(server.connections.length).toBe(1);
  });
});
