/**
 * A proxy through which the service seems to be Semaphore: its other features are hidden.
 */
import * as http from 'http';
import type { AddressInfo } from 'net';
import { json } from 'stream/consumers';

export interface IPollingProxy {
  url: string;
  /** Say where the service is. */
  lead(service: string): void;
  stop(): Promise<void>;
}

/** Routes that Semaphore does not have. */
const FEATURES = ['events', 'overview', 'quiet', 'receipts', 'hello'];
const HIDDEN = new RegExp(`^/v1/(?:${FEATURES.join('|')})`);

/** Start one. */
export async function startPollingProxy(): Promise<IPollingProxy> {
  let target = '';
  const server = http.createServer((request, response) => {
    const path = request.url ?? '/';
    if (HIDDEN.test(path) || !target) {
      response.writeHead(target ? 404 : 503).end();
      return;
    }
    // The service's own host goes into the request.
    delete request.headers.host;
    const { method, headers } = request;
    const onward = http.request(target + path, { method, headers }, answer => {
      // Semaphore sends no ETag.
      delete answer.headers.etag;
      if (path === '/') {
        void json(answer).then((index: any) => {
          const features = index.features.filter(
            (name: string) => !FEATURES.includes(name)
          );
          response.setHeader('Content-Type', 'application/json');
          response.end(JSON.stringify({ ...index, features }));
        });
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead: service => {
      target = service;
    },
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      })
  };
}
