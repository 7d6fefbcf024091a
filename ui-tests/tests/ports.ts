/**
 * Free ports for programs that the tests start.
 */
import { randomInt } from 'crypto';
import * as net from 'net';

/** Below those that a system gives to whoever wants any. */
const RANGE: [number, number] = [20_000, 32_000];

/**
 * A port that nobody listens on. It is none that the system gives to whoever wants any: until a
 * program listens, which takes seconds, and while it is restarted, the system could give it to
 * another.
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
