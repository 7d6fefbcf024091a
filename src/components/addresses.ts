/**
 * Decides which addresses in a text from outside may be followed or loaded.
 */

/** Dots and slashes that a proxy may decode, and then follow out of the place that they are in. */
const ESCAPED = /%(?:25)*(?:2e|2f|5c)/i;

/**
 * Return a link's address if it may be followed: http, https or mailto. A relative address may
 * not, since it would name a file or a page of this lab.
 */
export function safeLink(href: string | null): string | null {
  const url = absolute(href);
  return url && ['http:', 'https:', 'mailto:'].includes(url.protocol)
    ? url.href
    : null;
}

/**
 * Return an image's address if it may be loaded.
 *
 * An image of this page's own host may not: the request would carry the user's cookies, and a mere
 * request for a page such as a log-out takes effect. The exception is the place where this server
 * keeps nothing but images.
 *
 * @param images - the address of that place.
 */
export function safeImage(src: string | null, images?: string): string | null {
  // The server writes absolute paths: an address relative to this page is not one of its images.
  const here = images && src ? absolute(src, window.location.origin) : null;
  if (here?.href.startsWith(images!)) {
    return ESCAPED.test(here.href.slice(images!.length)) ? null : here.href;
  }
  const url = absolute(src);
  if (url?.protocol === 'https:' && url.host !== window.location.host) {
    return url.href;
  }
  return src && /^data:image\/(png|jpe?g|gif|webp|avif|svg\+xml)[;,]/i.test(src)
    ? src
    : null;
}

/**
 * Return the path of one of the user's own files, as a text names it: relative to the server's
 * root, and without a way out of it. Null if the address names no such file.
 */
export function ownFile(src: string | null): string | null {
  let path: string;
  try {
    path = decodeURIComponent((src ?? '').trim().replace(/[?#].*$/, ''));
  } catch {
    return null;
  }
  // A folder's path may end with a slash.
  const parts = path.replace(/^\.\/|\/$/g, '').split('/');
  const inside = parts.every(part => part !== '' && !/^\.\.?$/.test(part));
  return inside && !/[\\:\p{Cc}]/u.test(path) && !ESCAPED.test(path)
    ? parts.join('/')
    : null;
}

/**
 * Return the line of a file that an address leads to, as in `log.txt#L12` and `log.txt#L12-L20`,
 * counted from 1; null if the address names no line.
 */
export function fileLine(src: string | null): number | null {
  const line = /#L(\d{1,9})(?:-L?\d*)?$/.exec((src ?? '').trim())?.[1];
  return Number(line) || null;
}

function absolute(address: string | null, base?: string): URL | null {
  try {
    // Without a base a relative address does not parse.
    return new URL((address ?? '').trim(), base);
  } catch {
    return null;
  }
}
