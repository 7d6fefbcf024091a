/**
 * Sends requests to this extension's part of the server.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * Send a request below `jupyterlab-notify/` and return its JSON answer.
 *
 * @param path - The path below `jupyterlab-notify/`, encoded.
 * @param init - The method, the body to send as JSON, and whether the request outlives the page.
 * @param settings - The settings of the connection to the server.
 * @param trans - The language of the errors.
 * @throws An error whose message is a sentence to show.
 */
export async function request<T>(
  path: string,
  init: { method: string; body?: object; keepalive?: boolean },
  settings: ServerConnection.ISettings,
  trans: TranslationBundle
): Promise<T> {
  let response: Response;
  let answer: any;
  try {
    response = await ServerConnection.makeRequest(
      URLExt.join(settings.baseUrl, 'jupyterlab-notify') + '/' + path,
      {
        method: init.method,
        keepalive: init.keepalive,
        body: init.body === undefined ? undefined : JSON.stringify(init.body)
      },
      settings
    );
    answer = await response.json().catch(() => null);
  } catch {
    throw new Error(
      trans.__('The server cannot be reached. Try again in a moment.')
    );
  }
  if (!response.ok || answer === null) {
    throw new Error(
      typeof answer?.message === 'string' && answer.message
        ? answer.message
        : trans.__('The server answered with an error (%1).', response.status)
    );
  }
  return answer as T;
}
