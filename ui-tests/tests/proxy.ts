/**
 * A proxy in front of a server, through which the connection of one tab is broken.
 */
import * as net from 'net';

import type { Lab } from './lab';

/**
 * A TCP proxy in front of a server, through which the connections of one tab
 * can be broken while those of another stay up.
 */
export class Proxy {
  /** The port on which it listens. */
  port = 0;

  /** Number of connections that were tried while it refused them. */
  refused = 0;

  /** Listen, and pass everything on to a server. */
  async start(target: Lab): Promise<Proxy> {
    this._server = net.createServer(client => this._accept(client, target));
    await new Promise<void>(resolve =>
      this._server!.listen(0, '127.0.0.1', resolve)
    );
    this.port = (this._server.address() as net.AddressInfo).port;
    return this;
  }

  /** Cut every connection, and refuse new ones until `restore`. */
  cut(): void {
    this._open = false;
    this.refused = 0;
    this._destroy();
  }

  /** Let connections through again; returns when that was. */
  restore(): number {
    this._open = true;
    return Date.now();
  }

  /**
   * Forget the open connections without closing them, as a router does: both
   * ends wait for data that never arrives. New connections work.
   */
  freeze(): void {
    for (const socket of this._sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** Close it for good. */
  async stop(): Promise<void> {
    this._destroy();
    await new Promise(resolve =>
      this._server ? this._server.close(resolve) : resolve(undefined)
    );
  }

  private _accept(client: net.Socket, target: Lab): void {
    if (!this._open) {
      this.refused += 1;
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = net.connect(target.port, '127.0.0.1');
    for (const [one, other] of [
      [client, server],
      [server, client]
    ]) {
      this._sockets.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => {
        this._sockets.delete(one);
        other.destroy();
      });
    }
  }

  private _destroy(): void {
    for (const socket of this._sockets) {
      socket.destroy();
    }
    this._sockets.clear();
  }

  private readonly _sockets = new Set<net.Socket>();
  private _open = true;
  private _server: net.Server | null = null;
}
