"""The stream of changes, followed as a tab follows it; for ``jupyter notify watch``.

The WebSocket is Tornado's, which Jupyter Server brings: a client of our own would be two hundred
lines to keep right, and the standard library has none. Only ``watch`` imports it.
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

#: A connection on which nothing came for so long, not even an answer to a ping, is dead.
PING_S = 20.0
RETRY_S = (0.5, 0.5, 1.0, 1.0, 1.0, 2.0, 5.0, 10.0)
#: A page of bodies is never in a frame, but 500 long summaries may be.
MAX_FRAME = 64 * 1024 * 1024


class _UnixResolver(Resolver):
    """Leads every name to one socket of the file system."""

    # Tornado's configurable classes are initialized here.
    def initialize(self, path: str) -> None:
        self._path = path

    async def resolve(self, host: str, port: int, family: Any = 0) -> list[tuple[int, Any]]:
        return [(int(socket.AF_UNIX), self._path)]


class Follower:
    """Follows a server's notifications; when the connection is lost it goes on where it was.

    Parameters
    ----------
    find
        Returns the server; called anew for every connection, since it may have been restarted.
    show
        Called with each notification that changed, in the order of its changes, and with
        whether it was there before the stream began.
    say
        Called with one sentence when the connection is lost or is there again.
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
        """Follow until it is cancelled.

        Raises
        ------
        SendError
            If there is no server at the beginning, or it refuses.
        """
        failures = 0
        while True:
            try:
                await self._once()
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

    async def _once(self) -> None:
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
            # The token is for this server, and for no other place.
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
        """Return what is new in a frame, in order; and what the first one shows of before."""
        if "cursor" not in frame:
            return
        first = self._cursor is None
        epoch, _, seq = frame["cursor"].rpartition(":")
        if self._cursor is not None and self._cursor.rpartition(":")[0] != epoch:
            # Another database: its numbers are others.
            self._seq = 0
        rows = sorted(
            (*frame["notifications"], *frame.get("pinned", ())), key=lambda row: int(row["seq"])
        )
        for row in rows:
            if row["seq"] > self._seq and is_row(row):
                yield row, first
        self._cursor, self._seq = frame["cursor"], int(seq)
