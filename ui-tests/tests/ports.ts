/**
 * Free ports for programs that the tests start.
 */
import { randomInt } from 'crypto';
import * as net from 'net';

/** Ports below those that the system hands out to programs that ask for any. */
const RANGE: [number, number] = [20_000, 32_000];

/**
 * Find a port on which nobody listens, outside of those that the system hands out: the system
 * could give such a port to another program before ours listens, which takes seconds, or while it
 * is restarted.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...RANGE);
    const server = net.createServer();
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) {
      await new Promise(resolve => server.close(resolve));
      return port;
    }
  }
}
