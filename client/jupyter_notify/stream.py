"""Follow the stream of changes as a browser tab does; for ``jupyter notify watch``.

The WebSocket is Tornado's, which comes with Jupyter Server. The standard library has none, and a
client of our own would be two hundred lines to maintain. Only ``watch`` imports Tornado.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.netutil import Resolver
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from .connection import NAMESPACE, TIMEOUT_S, headers, is_row, malformed, refusal_of, tls
from .discovery import Target
from .errors import MalformedAnswer, Refused, SendError, Unreachable

Row = dict[str, Any]

#: Interval in seconds between pings. A connection that does not answer in that time is dead.
PING_S = 20.0
RETRY_S = (0.5, 0.5, 1.0, 1.0, 1.0, 2.0, 5.0, 10.0)
#: The largest frame that is read. Frames hold no bodies, but may hold 500 long summaries.
MAX_FRAME = 64 * 1024 * 1024


class _UnixResolver(Resolver):
    """Resolves every host name to one Unix socket."""

    # Tornado's configurable classes use this method instead of __init__.
    def initialize(self, path: str) -> None:
        self._path = path

    async def resolve(self, host: str, port: int, family: Any = 0) -> list[tuple[int, Any]]:
        return [(int(socket.AF_UNIX), self._path)]


class Follower:
    """Follows a server's notifications; after a lost connection it resumes at its cursor.

    Parameters
    ----------
    find
        Returns the server; called for every connection, since it may have been restarted.
    show
        Called with each notification that changed, in the order of the changes, and with whether
        it existed before the stream began.
    say
        Called with one sentence when the connection is lost or restored.
    """

    def __init__(
        self,
        find: Callable[[], Target],
        show: Callable[[Row, bool], None],
        say: Callable[[str], None],
    ) -> None:
        self._find = find
        self._show = show
        self._say = say
        self._cursor: str | None = None
        self._connected = False
        self._was_connected = False
        self._seq = 0

    async def follow(self) -> None:
        """Follow until cancelled.

        Raises
        ------
        SendError
            If there is no server at the start, or if it refuses at any time.
        """
        failures = 0
        while True:
            try:
                await self._follow_one_connection()
                raise Unreachable("The Jupyter server closed the connection.")
            except (Refused, MalformedAnswer):
                raise
            except SendError as error:
                if self._cursor is None:
                    raise
                if self._connected:
                    failures = 0
                    self._say(f"{error} Trying again.")
                wait_s = RETRY_S[min(failures, len(RETRY_S) - 1)]
                failures += 1
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))

    async def _follow_one_connection(self) -> None:
        self._connected = False
        target = self._find()
        connection = await self._connect(target)
        try:
            while True:
                text = await connection.read_message()
                if text is None:
                    return
                try:
                    rows = list(self._rows(json.loads(text)))
                except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
                    raise malformed(target) from None
                if not self._connected and self._was_connected:
                    self._say("Connected again.")
                self._connected = self._was_connected = True
                for row, known in rows:
                    self._show(row, known)
        finally:
            connection.close()

    async def _connect(self, target: Target) -> WebSocketClientConnection:
        parts = urlsplit(target.url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        query = f"?cursor={quote(self._cursor)}" if self._cursor else ""
        request = HTTPRequest(
            f"{scheme}://{parts.netloc}{parts.path}{NAMESPACE}/stream{query}",
            headers=headers(target),
            ssl_options=tls(target) if scheme == "wss" else None,
            connect_timeout=TIMEOUT_S,
            request_timeout=TIMEOUT_S,
            # The token is meant for this server only.
            follow_redirects=False,
        )
        resolver = _UnixResolver(path=target.unix_socket) if target.unix_socket else None
        try:
            return await websocket_connect(
                request,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                max_message_size=MAX_FRAME,
                resolver=resolver,
            )
        except HTTPClientError as error:
            location = error.response.headers.get("Location") if error.response else None
            if error.code in (599, 502, 503, 504):
                raise Unreachable(f"The Jupyter server {target.url} does not answer.") from None
            raise refusal_of(target, error.code, None, location) from None
        except (OSError, WebSocketError, asyncio.TimeoutError):
            raise Unreachable(f"The Jupyter server {target.url} does not answer.") from None

    def _rows(self, frame: dict[str, Any]) -> Iterator[tuple[Row, bool]]:
        """Return the new rows of a frame in order, and whether they existed before the stream."""
        if "cursor" not in frame:
            return
        first = self._cursor is None
        epoch, _, seq = frame["cursor"].rpartition(":")
        if self._cursor is not None and self._cursor.rpartition(":")[0] != epoch:
            # The cursor belongs to another database, whose numbers start again.
            self._seq = 0
        rows = sorted(
            (*frame["notifications"], *frame.get("pinned", ())), key=lambda row: int(row["seq"])
        )
        for row in rows:
            if row["seq"] > self._seq and is_row(row):
                yield row, first
        self._cursor, self._seq = frame["cursor"], int(seq)
