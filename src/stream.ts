/**
 * The socket over which this server's notifications arrive, and how it reconnects. The model is its
 * only user.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type {
  AliveFrame,
  ChangesFrame,
  PongFrame,
  SnapshotFrame
} from './wire';

/**
 * Time in ms that a socket may take to answer a ping, if the link is not known to be slower. A user
 * who comes back to a tab should see what arrived meanwhile within two seconds, and a needless
 * reconnection costs next to nothing.
 */
const PONG_TIMEOUT_MS = 1000;

/**
 * Number of round trips that a ping may take.
 */
const PONG_ROUND_TRIPS = 3;

/**
 * Time in ms that a socket may be silent beyond the interval of the server's `alive` frames, so
 * that a server that stalls for a while is not taken for dead.
 */
const SILENCE_GRACE_MS = 15_000;

/**
 * Time in ms for which a loss counts as recent: enough for a restart of the server, a change of
 * networks, a minute offline. After that tabs retry less often: a hub that is down for longer may
 * have ten thousand of them.
 */
const RECENT_MS = 180_000;

/**
 * The longest pause between retries soon after a loss, in a visible tab. With the handshake, even
 * on a busy machine, it stays below the two seconds within which a tab has to show that the
 * connection is back.
 */
const QUICK_MAX_MS = 1200;

/**
 * About the longest pause of a visible tab when the loss is no longer recent, and of a hidden tab
 * soon after a loss, which may have desktop notifications to show. A hidden tab retries at once
 * when its user comes back to it.
 */
const SLOW_MAX_MS = 15_000;

/**
 * Number of times that a hidden tab connects again by itself before its user has looked at it. A
 * hub's proxy takes each new connection for the user's activity: with a proxy that cuts connections
 * again and again, a forgotten tab would keep its server alive for ever.
 */
const UNATTENDED_RETURNS = 3;

/**
 * Interval in ms at which a hidden tab that has stopped retrying checks if it may retry again.
 */
const STANDBY_INTERVAL_MS = 60_000;

/**
 * The limits in ms of a handshake's time; a proxy that swallows packets must not
 * hold an attempt for the minutes that a browser would give it.
 */
const HANDSHAKE_MS = { min: 1500, max: 10_000 };

/**
 * Events after which the network may have come, gone, or changed under an
 * open socket.
 */
const WAKE_EVENTS = ['online', 'focus', 'pageshow'] as const;
const WAKE_DOCUMENT_EVENTS = ['visibilitychange', 'resume'] as const;

/**
 * A stream of snapshots and changes that resumes where it was cut.
 *
 * It never throws: a server that cannot be reached, or that has no such
 * stream, is asked again, ever more slowly.
 */
// Longer than a screen: the states of one connection.
export class NotificationStream implements IDisposable {
  /**
   * Make a stream; nothing is opened before {@link start}.
   */
  constructor(options: NotificationStream.IOptions) {
    this._settings = options.serverSettings;
    this._connection = new Poll({
      auto: false,
      factory: () => this._connect(),
      name: 'jupyterlab_notify:stream',
      // A hidden tab goes on listening, since desktop notifications come from there; but if its
      // connection is lost, it does not retry for ever.
      standby: () => {
        this._setPace();
        return this._isLeftAlone();
      }
    });
    this._setPace();
  }

  /**
   * Snapshots and changes, in the order in which they have to be applied.
   */
  get received(): ISignal<this, SnapshotFrame | ChangesFrame> {
    return this._received;
  }

  /**
   * The stream opened or closed.
   */
  get connectedChanged(): ISignal<this, boolean> {
    return this._connectedChanged;
  }

  /**
   * True while the stream is open: the server answered the handshake with a frame.
   */
  get connected(): boolean {
    return this._connected;
  }

  /**
   * The cursor of the last frame that was applied.
   */
  get cursor(): string | null {
    return this._cursor;
  }

  /**
   * True once disposed.
   */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Connect, and stay connected.
   */
  start(): void {
    if (this._started || this._isDisposed) {
      return;
    }
    this._started = true;
    this._attendedAt = Date.now();
    for (const event of WAKE_EVENTS) {
      window.addEventListener(event, this);
    }
    for (const event of WAKE_DOCUMENT_EVENTS) {
      document.addEventListener(event, this);
    }
    void this._connection.start();
  }

  /**
   * Close the socket for good.
   */
  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    for (const event of WAKE_EVENTS) {
      window.removeEventListener(event, this);
    }
    for (const event of WAKE_DOCUMENT_EVENTS) {
      document.removeEventListener(event, this);
    }
    this._connection.dispose();
    this._drop();
    Signal.clearData(this);
  }

  /**
   * The tab woke up: see whether the socket still lives, or connect now.
   */
  handleEvent(event: Event): void {
    // Browsers wake hidden pages from time to time without their user.
    if (document.hidden && event.type !== 'online') {
      return;
    }
    const socket = this._socket;
    this._attendedAt = Date.now();
    this._unattendedReturns = 0;
    if (event.type === 'online' || !socket) {
      // A socket of a network that is gone may never answer, and waiting for its
      // pong would take longer than a new connection.
      this._drop();
      void this._connection.refresh();
    } else if (socket.readyState === WebSocket.OPEN) {
      this._probe();
    }
  }

  /**
   * Hold one connection, until it closes.
   *
   * @returns A promise that resolves when a connection that worked was lost,
   *   and rejects when none came about: the poll then slows down.
   */
  // Longer than a screen: the events of one socket share its timers.
  private _connect(): Promise<void> {
    this._drop();
    return new Promise((resolve, reject) => {
      const began = Date.now();
      let worked = false;
      let silenceMs: number | null = null;
      let socket: WebSocket;

      const end = () => {
        if (this._socket !== socket) {
          return;
        }
        clearTimeout(this._deadline);
        clearTimeout(this._silence);
        this._socket = null;
        this._end = null;
        socket.onmessage = socket.onerror = socket.onclose = null;
        // Nobody waits for a half-open socket to close, which takes long.
        socket.close();
        if (worked) {
          this._lostAt = Date.now();
        }
        this._setConnected(false);
        this._setPace();
        if (worked) {
          resolve();
        } else {
          reject(new Error('The stream of notifications did not open.'));
        }
      };

      try {
        socket = new this._settings.WebSocket(this._url());
      } catch (error) {
        reject(error);
        return;
      }
      this._socket = socket;
      this._end = end;
      this._deadline = window.setTimeout(end, this._handshakeMs);
      socket.onerror = () => undefined;
      socket.onclose = end;
      socket.onmessage = message => {
        clearTimeout(this._deadline);
        this._deadline = undefined;
        let frame: SnapshotFrame | ChangesFrame | PongFrame | AliveFrame;
        try {
          frame = JSON.parse(message.data);
        } catch {
          // Rows are lost with a frame that cannot be read: resume before it.
          worked = false;
          end();
          return;
        }
        if (!worked) {
          worked = true;
          this._unattendedReturns += document.hidden ? 1 : 0;
          const took = Date.now() - began;
          // A handshake takes about as long as the one before it.
          this._handshakeMs = Math.min(
            HANDSHAKE_MS.max,
            Math.max(HANDSHAKE_MS.min, 3 * took)
          );
          // An estimate from the handshake, which takes at least two round trips, until the first
          // pong gives a better one.
          this._pingedAt = null;
          this._pongMs = (2 / 3) * took;
        }
        if (frame.type === 'pong' && this._pingedAt !== null) {
          this._pongMs = PONG_ROUND_TRIPS * (Date.now() - this._pingedAt);
          this._pingedAt = null;
        }
        if (frame.type === 'alive') {
          // A server that was not restarted since an update sends no such frame, and may be silent
          // for any time.
          silenceMs = 1000 * frame.interval + SILENCE_GRACE_MS;
        }
        if (silenceMs !== null) {
          clearTimeout(this._silence);
          this._silence = window.setTimeout(end, silenceMs);
        }
        if (frame.type === 'snapshot' || frame.type === 'changes') {
          this._received.emit(frame);
          this._cursor = frame.cursor;
        }
        this._setConnected(true);
      };
    });
  }

  /**
   * Ping an open socket, since the user came back, and give it up if no frame arrives.
   */
  private _probe(): void {
    const socket = this._socket;
    if (
      socket?.readyState !== WebSocket.OPEN ||
      !this._connected ||
      this._deadline !== undefined
    ) {
      return;
    }
    this._deadline = window.setTimeout(
      () => {
        this._drop();
        // The user has waited long enough: connect without another pause.
        void this._connection.refresh();
      },
      Math.max(PONG_TIMEOUT_MS, this._pongMs)
    );
    this._pingedAt ??= Date.now();
    socket.send(JSON.stringify({ type: 'ping' }));
  }

  /**
   * Tell if the tab has to wait for its user before it connects again.
   */
  private _isLeftAlone(): boolean {
    const since = Math.max(this._lostAt ?? 0, this._attendedAt);
    return (
      document.hidden &&
      (Date.now() - since > RECENT_MS ||
        this._unattendedReturns >= UNATTENDED_RETURNS)
    );
  }

  /**
   * Leave the present socket, if there is one.
   */
  private _drop(): void {
    this._end?.();
  }

  /**
   * Set how fast the next attempts follow each other.
   *
   * The random parts keep the tabs of one hub from reconnecting all in the
   * same instant. The poll's back-off is random too, but soon reaches the
   * longest pause, which is therefore drawn anew for each attempt.
   */
  private _setPace(): void {
    if (this._isLeftAlone()) {
      this._connection.frequency = {
        interval: STANDBY_INTERVAL_MS,
        backoff: false,
        max: STANDBY_INTERVAL_MS
      };
      return;
    }
    const quick =
      !document.hidden &&
      this._lostAt !== null &&
      Date.now() - this._lostAt < RECENT_MS;
    this._connection.frequency = quick
      ? {
          interval: 200 + Math.random() * 400,
          backoff: true,
          max: QUICK_MAX_MS * (0.5 + Math.random() / 2)
        }
      : {
          interval: 1000,
          backoff: true,
          max: SLOW_MAX_MS * (0.5 + Math.random())
        };
  }

  private _setConnected(connected: boolean): void {
    if (this._connected !== connected) {
      this._connected = connected;
      this._connectedChanged.emit(connected);
    }
  }

  private _url(): string {
    const { appendToken, token, wsUrl } = this._settings;
    const query: Record<string, string> = {};
    if (this._cursor !== null) {
      query.cursor = this._cursor;
    }
    if (appendToken && token !== '') {
      query.token = token;
    }
    return (
      URLExt.join(wsUrl, 'jupyterlab-notify', 'stream') +
      URLExt.objectToQueryString(query)
    );
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _connection: Poll<void>;
  private readonly _received = new Signal<this, SnapshotFrame | ChangesFrame>(
    this
  );
  private readonly _connectedChanged = new Signal<this, boolean>(this);
  private _attendedAt = 0;
  private _connected = false;
  private _cursor: string | null = null;
  private _deadline: number | undefined;
  private _end: (() => void) | null = null;
  private _handshakeMs = HANDSHAKE_MS.max;
  private _isDisposed = false;
  private _lostAt: number | null = null;
  private _pingedAt: number | null = null;
  private _pongMs = 0;
  private _socket: WebSocket | null = null;
  private _silence: number | undefined;
  private _started = false;
  private _unattendedReturns = 0;
}

/**
 * The namespace of {@link NotificationStream}'s options.
 */
export namespace NotificationStream {
  /**
   * The options of a stream.
   */
  export interface IOptions {
    /** The server to listen to. */
    serverSettings: ServerConnection.ISettings;
  }
}
