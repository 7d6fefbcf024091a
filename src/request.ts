/**
 * Asks this extension's part of the server; used by the model and by those who send.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * Send a request below `jupyterlab-notify/` and return its JSON answer.
 *
 * @param path - What is asked for, encoded.
 * @param init - The method, what to send as JSON, and whether the request outlives the page.
 * @param settings - The server.
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
