/**
 * The addresses in a text from outside: which of them may be followed or loaded.
 */

/**
 * A link's address if it may be followed: http, https and mailto, and no relative
 * one, which would name a file or a page of this lab.
 */
export function safeLink(href: string | null): string | null {
  const url = absolute(href);
  return url && ['http:', 'https:', 'mailto:'].includes(url.protocol)
    ? url.href
    : null;
}

/**
 * An image's address if it may be loaded.
 *
 * An image of this very host is not: it would be asked for with the user's cookies,
 * and to ask for a page such as a log-out is to do it. Unless it lies where this server keeps
 * nothing but images.
 *
 * @param images - that place.
 */
export function safeImage(src: string | null, images?: string): string | null {
  // The server wrote whole paths; what is relative to this page is nothing of its.
  const here = images && src ? absolute(src, window.location.origin) : null;
  if (here?.href.startsWith(images!)) {
    // A proxy may take dots and slashes for what they are after it has decoded them.
    const below = here.href.slice(images!.length);
    return /%(?:25)*(?:2e|2f|5c)/i.test(below) ? null : here.href;
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
 * The path of one of the user's own files, as a text names it: relative to the server's root, and
 * without a way out of it. Null if it names none.
 */
export function ownFile(src: string | null): string | null {
  let path: string;
  try {
    path = decodeURIComponent((src ?? '').trim().replace(/[?#].*$/, ''));
  } catch {
    return null;
  }
  // A folder's may end with a slash.
  const parts = path.replace(/^\.\/|\/$/g, '').split('/');
  const inside = parts.every(part => part !== '' && !/^\.\.?$/.test(part));
  return inside && !/[\\:\p{Cc}]/u.test(path) ? parts.join('/') : null;
}

/**
 * The line of a file that an address leads to, as in `log.txt#L12` and `log.txt#L12-L20`, counted
 * from 1; null if it names none.
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
