/**
 * The pictures of notifications: fetched once for each version, and shown from memory, in rows and
 * toasts and on the desktop.
 *
 * A hub counts each of these requests as the user's activity, and a new picture may arrive every
 * minute. So a picture is fetched only if the user did something in this tab a moment ago.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import * as React from 'react';

import type { Notification } from '../wire';
import { Shared } from './context';
import '../../style/pictures.css';

/** A notification with a picture. */
type Pictured = Pick<Notification, 'id' | 'image'>;

/** Time in ms without a key or a movement after which nobody counts as present. */
const PRESENT_MS = 5 * 60_000;

/** Number of pictures that are kept. */
const KEPT = 40;

/** The greatest height of a picture, in percent of the window's. */
const MOST_VH = 60;

/** Events that show that somebody is present. */
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart'];

let seen = -Infinity;
let waiting: (() => void)[] = [];

for (const sign of SIGNS) {
  window.addEventListener(sign, onSign, { capture: true, passive: true });
}

function onSign(): void {
  seen = performance.now();
  const arrived = waiting;
  waiting = [];
  arrived.forEach(resolve => resolve());
}

/** Tell if somebody was present a moment ago. */
function isPresent(): boolean {
  return performance.now() - seen < PRESENT_MS;
}

/** Pictures by their addresses; the last picture that was asked for is at the end. */
const pictures = new Map<string, Promise<string>>();

/** Make the address of a picture on the server. */
function addressOf({ id, image }: Pictured): string {
  const { baseUrl } = ServerConnection.makeSettings();
  return URLExt.join(
    baseUrl,
    'jupyterlab-notify/notifications',
    encodeURIComponent(id),
    'image',
    encodeURIComponent(image!.version)
  );
}

/** Return an address in memory for a notification's picture. */
function fetchPicture(row: Pictured): Promise<string> {
  const address = addressOf(row);
  const picture = pictures.get(address) ?? ask(address);
  pictures.delete(address);
  pictures.set(address, picture);
  picture.catch(() => pictures.delete(address));
  for (const [old, forgotten] of pictures) {
    if (pictures.size <= KEPT) {
      break;
    }
    pictures.delete(old);
    // Pictures that are on the page already stay there.
    forgotten.then(URL.revokeObjectURL, () => undefined);
  }
  return picture;
}

async function ask(address: string): Promise<string> {
  const response = await ServerConnection.makeRequest(
    address,
    {},
    ServerConnection.makeSettings()
  );
  if (!response.ok) {
    throw new Error(response.statusText);
  }
  return URL.createObjectURL(await response.blob());
}

/**
 * Wait until somebody is there, then return a notification's picture; null if it is not wanted
 * any more by then.
 */
async function loadPicture(
  row: Pictured,
  isWanted: () => boolean
): Promise<string | null> {
  const known = pictures.get(addressOf(row));
  if (!known && !isPresent()) {
    await new Promise<void>(resolve => waiting.push(resolve));
  }
  return isWanted() ? fetchPicture(row) : null;
}

/** Return a notification's picture once it has been fetched, and whether that failed. */
function usePicture(row: Pictured, attempt = 0): [string | null, boolean] {
  const [shown, setShown] = React.useState<string | null>(null);
  const [failed, setFailed] = React.useState(false);
  React.useEffect(() => {
    let late = false;
    setFailed(false);
    loadPicture(row, () => !late).then(
      // Until a picture has been fetched, the earlier version stays.
      address => late || setShown(address),
      () => late || setFailed(true)
    );
    return () => {
      late = true;
    };
  }, [row.id, row.image?.version, attempt]);
  return [shown, failed];
}

/**
 * The picture of a closed row; its place is there before the picture is.
 */
export function Thumbnail(props: { row: Pictured }): JSX.Element | null {
  const [shown, failed] = usePicture(props.row);
  if (failed) {
    return null;
  }
  return (
    <span className="jp-NotifyThumbnail" aria-hidden="true">
      {shown && <img src={shown} alt="" />}
    </span>
  );
}

/**
 * The picture of an open row, whole; a click opens it in a tab of its own.
 */
export function Picture(props: { row: Pictured }): JSX.Element {
  const { row } = props;
  const { trans } = React.useContext(Shared);
  const [attempt, setAttempt] = React.useState(0);
  const [shown, failed] = usePicture(row, attempt);
  if (failed) {
    return (
      <div className="jp-NotifyBody-failed" role="alert">
        <span>{trans.__('The picture could not be fetched.')}</span>
        <button
          type="button"
          className="jp-NotifyLink"
          onClick={() => setAttempt(attempt + 1)}
        >
          {trans.__('Retry')}
        </button>
      </div>
    );
  }
  const { width, height } = row.image!;
  return (
    <a
      className="jp-NotifyPicture"
      href={addressOf(row)}
      target="_blank"
      rel="noopener noreferrer"
      title={trans.__('Open the picture in a new tab')}
      aria-busy={!shown}
      style={{
        aspectRatio: `${width} / ${height}`,
        maxWidth: `min(${width}px, ${(MOST_VH * width) / height}vh)`
      }}
    >
      {shown && <img src={shown} alt={trans.__('Picture')} />}
    </a>
  );
}

/**
 * Show a notification's picture in its toast, or remove the picture.
 *
 * A toast's elements belong to JupyterLab, so the picture is set as a style.
 */
export async function dressToast(
  node: HTMLElement,
  row: Pictured | null
): Promise<void> {
  const version = row?.image?.version ?? '';
  node.dataset.jpNotifyImage = version;
  // Another picture may be set meanwhile, or the toast may close.
  const isWanted = () =>
    node.isConnected && node.dataset.jpNotifyImage === version;
  const picture = version
    ? await loadPicture(row!, isWanted).then(
        address => `url("${address}")`,
        () => null
      )
    : null;
  if (isWanted()) {
    if (picture) {
      node.style.setProperty('--jp-notify-image', picture);
    } else {
      delete node.dataset.jpNotifyImage;
    }
  }
}

/**
 * Return a notification's picture for the desktop; null if nobody was in this tab a moment ago.
 */
export async function desktopPicture(row: Pictured): Promise<string | null> {
  return row.image && isPresent() ? fetchPicture(row).catch(() => null) : null;
}
