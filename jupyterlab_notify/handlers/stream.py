"""``…/stream``: the WebSocket over which a tab learns of every change."""

from __future__ import annotations

import json
import socket
from asyncio import Future
from contextlib import suppress
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.ioloop import PeriodicCallback
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..broadcaster import Subscription
from ..storage import Cursor
from .base import AUTH_RESOURCE, DiscreetHandler

PONG = '{"type":"pong"}'
#: Seconds between two keep-alive frames. Proxies close a connection that is silent for a minute.
ALIVE_INTERVAL_S = 25
ALIVE = json.dumps({"type": "alive", "interval": ALIVE_INTERVAL_S}, separators=(",", ":"))
#: Milliseconds without an acknowledgement after which the system drops a connection.
UNACKNOWLEDGED_MS = 60_000
#: The longest incoming message, in bytes. A tab sends only pings, when its user comes back to it.
MAX_INCOMING = 1024


class StreamHandler(DiscreetHandler, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """A tab's stream; the origin check comes from Jupyter Server."""

    auth_resource = AUTH_RESOURCE
    _track_activity = False
    _stream: Subscription | None = None
    _keep_alive: PeriodicCallback | None = None
    _alive_sent: Future[None] | None = None

    async def get(self, *args: Any, **kwargs: Any) -> Any:
        """Authenticate and authorize the caller before the handshake."""
        user = self.current_user
        if user is None:
            self.log.debug("A notification stream was refused: not authenticated.")
            raise web.HTTPError(403)
        if not await ensure_async(self.authorizer.is_authorized(self, user, "read", AUTH_RESOURCE)):
            raise web.HTTPError(403)
        return await super().get(*args, **kwargs)

    @property
    def max_message_size(self) -> int:
        """The largest incoming message, in bytes."""
        return MAX_INCOMING

    def get_compression_options(self) -> dict[str, Any] | None:
        """Turn compression off: a deflate window costs the server 300 KB for each tab."""
        return None

    # A browser answers each WebSocket ping, and a hub's proxy counts every byte from a browser as
    # user activity: a server with an open tab would never be culled. So the server sends
    # keep-alive frames of its own, which need no answer. ``open`` does not call Jupyter Server's
    # method, which would start pings.
    @property
    def ping_interval(self) -> float:
        """Return 0: no WebSocket pings."""
        return 0.0

    @property
    def ping_timeout(self) -> float:
        """Return 0: no ping expects an answer."""
        return 0.0

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Send what the tab has missed, then every change."""
        self.set_nodelay(True)
        self._give_up_dead_connections()
        try:
            cursor = self.get_query_argument("cursor", None)
        except web.HTTPError:
            # A value that is not UTF-8 counts as no cursor.
            cursor = None
        self._stream = self.manager.open(self, Cursor.parse(cursor))

    async def send(self, text: str) -> None:
        """Send a frame, as ``broadcaster.Sink`` asks; raises when the tab is gone."""
        sent = self.write_message(text)
        # The socket has a copy of its own.
        del text
        await sent
        if self._keep_alive is None:
            # Keep-alives begin after the first frame; from then on, silence means a dead link.
            self._keep_alive = PeriodicCallback(self._send_alive, ALIVE_INTERVAL_S * 1000)
            self._keep_alive.start()
            self._send_alive()

    def abort(self) -> None:
        """Cut the connection at once, as ``broadcaster.Sink`` asks.

        Closing would wait until the tab has taken what it does not take.
        """
        stream = getattr(self.ws_connection, "stream", None)
        if stream is not None:
            stream.close()

    def _send_alive(self) -> None:
        """Send a keep-alive frame, unless the previous one is still being sent."""
        if self._alive_sent is not None and not self._alive_sent.done():
            return
        with suppress(WebSocketClosedError):
            self._alive_sent = self.write_message(ALIVE)
            # The tab may be gone by then, which is nothing to log.
            self._alive_sent.add_done_callback(lambda sent: sent.cancelled() or sent.exception())

    def _give_up_dead_connections(self) -> None:
        """Let the system close the connection when the other end vanishes."""
        assert self.ws_connection is not None
        connection = getattr(getattr(self.ws_connection, "stream", None), "socket", None)
        if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            # A Unix socket has no such option and does not need it.
            with suppress(OSError):
                connection.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS
                )

    async def on_message(self, message: str | bytes) -> None:
        """Answer a tab's ping, which tests whether its connection still works.

        The next message is read once the answer is sent, so that who does not read the answers
        fills no memory with them.
        """
        try:
            kind = json.loads(message).get("type")
        except (ValueError, AttributeError, RecursionError):
            return
        if kind == "ping":
            with suppress(WebSocketClosedError):
                await self.write_message(PONG)

    def on_close(self) -> None:
        """Remove the tab's subscription."""
        if self._keep_alive is not None:
            self._keep_alive.stop()
        if self._stream is not None:
            self.manager.close(self._stream)
            self._stream = None
