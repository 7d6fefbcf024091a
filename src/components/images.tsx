/**
 * Images in texts: the user's own files, and those of other hosts once the user asks for them.
 *
 * An `img` element would send the user's cookies wherever a redirect leads. So each image is
 * fetched here, without following redirects and, from other hosts, without cookies, and is shown
 * from memory.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { visible } from '../text/visible';
import { useSignal } from './hooks';
import { imageHosts } from './imageHosts';

/** The largest image that is shown. */
const MAX_BYTES = 10 * 1024 * 1024;

/** Time in ms that an image may take. */
const TIMEOUT_MS = 20_000;

/**
 * The props of an image.
 */
interface IImageProps {
  alt: string;
  trans: TranslationBundle;
}

/**
 * An image of another host: a button that asks for it, the image, or a link where the host does
 * not let it be fetched.
 */
export function RemoteImage(props: IImageProps & { src: string }): JSX.Element {
  const { src, alt, trans } = props;
  const { host } = new URL(src);
  const allowed = useSignal(imageHosts.changed, () => imageHosts.has(host));
  const [data, failed] = useImage(allowed ? src : null, () => fetchRemote(src));
  if (data) {
    return <img src={data} alt={alt} />;
  }
  const name = alt || visible(src);
  if (failed) {
    return (
      <a href={src} target="_blank" rel="noopener noreferrer nofollow">
        {trans.__('Image: %1', name)}
      </a>
    );
  }
  return allowed ? (
    <span aria-busy="true">{name}</span>
  ) : (
    <span className="jp-NotifyImage">
      {alt && <bdi>{alt}</bdi>}
      <button
        type="button"
        className="jp-NotifyLink"
        onClick={() => imageHosts.allow(host)}
      >
        {trans.__('Load images from %1', host)}
      </button>
    </span>
  );
}

/**
 * An image among the files of the user's server.
 */
export function OwnImage(props: IImageProps & { path: string }): JSX.Element {
  const { path, alt } = props;
  const [data] = useImage(path, () => fetchOwn(path));
  return data ? <img src={data} alt={alt} /> : <>{alt || visible(path)}</>;
}

/** Return an image's data once it has been fetched, and whether that failed. */
function useImage(
  source: string | null,
  fetch: () => Promise<string>
): [string | null, boolean] {
  const [data, setData] = React.useState<string | null>(null);
  const [failed, setFailed] = React.useState(false);
  React.useEffect(() => {
    let gone = false;
    setData(null);
    setFailed(false);
    if (source !== null) {
      fetch().then(
        data => gone || setData(data),
        () => gone || setFailed(true)
      );
    }
    return () => {
      gone = true;
    };
  }, [source]);
  return [data, failed];
}

/** Fetch an image of another host, without saying who asks. */
async function fetchRemote(src: string): Promise<string> {
  return read(
    await fetch(src, {
      credentials: 'omit',
      mode: 'cors',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(TIMEOUT_MS)
    })
  );
}

/** Fetch one of the user's files: `plot.png` and `files/plot.png` are the same. */
async function fetchOwn(path: string): Promise<string> {
  const settings = ServerConnection.makeSettings();
  const ask = async (below: string) => {
    const url = URLExt.join(
      settings.baseUrl,
      'files',
      URLExt.encodeParts(below)
    );
    return read(
      await ServerConnection.makeRequest(
        url,
        { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) },
        settings
      )
    );
  };
  if (!path.startsWith('files/')) {
    return ask(path);
  }
  // JupyterLab's addresses of files begin with `files/`, but a folder may have that name too.
  return ask(path.slice('files/'.length)).catch(() => ask(path));
}

/**
 * Thrown when an answer is no image, or is too large; a link or the description is shown instead.
 */
class NoImage extends Error {}

/** Read an image into a `data:` address, which needs no other request. */
async function read(response: Response): Promise<string> {
  const type = (response.headers.get('Content-Type') ?? '').split(';')[0];
  if (!response.ok || !/^image\/[\w.+-]+$/.test(type) || !response.body) {
    throw new NoImage();
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    size += value.length;
    if (size > MAX_BYTES) {
      await reader.cancel();
      throw new NoImage();
    }
    parts.push(value);
  }
  return new Promise((resolve, reject) => {
    const file = new FileReader();
    file.onload = () => resolve(file.result as string);
    file.onerror = () => reject(file.error);
    file.readAsDataURL(new Blob(parts as BlobPart[], { type }));
  });
}
