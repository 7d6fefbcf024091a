/**
 * Shared parts of the pages: requests to the API, and the line that shows their outcome.
 */
import { visible } from './visible.js';

const meta = name =>
  document.querySelector(`meta[name="${name}"]`)?.content ?? '';
export const SERVICE = meta('jn-service');
export const XSRF = meta('jn-xsrf');
export const byId = id => document.getElementById(id);

export class Refused extends Error {
  constructor(status, detail) {
    const first = Array.isArray(detail) ? detail[0] : undefined;
    // It may quote what somebody wrote.
    super(visible(first?.msg ?? `The service answered ${status}.`));
    this.loc = first?.loc ?? [];
  }
}

export async function api(method, path, body) {
  let answer;
  try {
    answer = await fetch(SERVICE + path, {
      method,
      headers: {
        'X-XSRFToken': XSRF,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' })
      },
      body: body === undefined ? undefined : JSON.stringify(body)
    });
  } catch {
    throw new Refused(0, [
      { msg: 'The service does not answer: try again in a moment.' }
    ]);
  }
  if (answer.status === 401) {
    // The login has expired: loading the page again leads to the login and back.
    location.reload();
  }
  if (!answer.ok) {
    const data = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, data.detail);
  }
  return answer;
}

export function say(text) {
  byId('jn-said').textContent = text;
}

export function complain(error) {
  const box = byId('jn-error');
  box.textContent = error instanceof Refused ? error.message : String(error);
  box.hidden = false;
  box.scrollIntoView({ block: 'nearest' });
}

export function forgive() {
  byId('jn-error').hidden = true;
}
