"""``…/stream``: the WebSocket over which a tab learns of every change."""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.websocket import WebSocketHandler

from ..broadcaster import Subscription
from ..store import Cursor
from .base import AUTH_RESOURCE, DiscreetHandler

PONG = '{"type":"pong"}'
#: A tab only ever sends a ping.
MAX_INCOMING = 1024


class StreamHandler(DiscreetHandler, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """A tab's stream; the origin check comes from Jupyter Server, the pings from Tornado."""

    auth_resource = AUTH_RESOURCE
    _track_activity = False
    _stream: Subscription | None = None

    async def get(self, *args: Any, **kwargs: Any) -> Any:
        """Check who is calling before the handshake."""
        user = self.current_user
        if user is None:
            self.log.debug("A notification stream was refused: not authenticated.")
            raise web.HTTPError(403)
        if not await ensure_async(self.authorizer.is_authorized(self, user, "read", AUTH_RESOURCE)):
            raise web.HTTPError(403)
        return await super().get(*args, **kwargs)

    @property
    def max_message_size(self) -> int:
        """How long an incoming message may be, in bytes."""
        return MAX_INCOMING

    def get_compression_options(self) -> dict[str, Any] | None:
        """Leave frames as they are: a deflate window costs each tab 300 KB here."""
        return None

    # Jupyter Server gives milliseconds where Tornado reads seconds, which ends in a warning for
    # every stream and in two kinds of ping. Here is only Tornado's, and so ``open`` does not
    # call Jupyter Server's, which would start the other.
    @property
    def ping_interval(self) -> float:
        """Seconds between two keep-alive pings, by which a proxy sees a living connection."""
        return float(self.settings.get("ws_ping_interval", 30_000)) / 1000

    @property
    def ping_timeout(self) -> float:
        """Seconds in which a ping must be answered."""
        return self.ping_interval

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Send what the tab has missed, then whatever happens."""
        self.set_nodelay(True)
        try:
            cursor = self.get_query_argument("cursor", None)
        except web.HTTPError:
            # Not UTF-8: no cursor either.
            cursor = None
        self._stream = self.manager.open(self, Cursor.parse(cursor))

    async def send(self, text: str) -> None:
        """Send a frame (``feed.Sink``); raises when the tab is gone."""
        await self.write_message(text)

    def on_message(self, message: str | bytes) -> None:
        """Answer a tab's ping, by which it finds out whether its connection still lives."""
        try:
            kind = json.loads(message).get("type")
        except (ValueError, AttributeError, RecursionError):
            return
        if kind == "ping" and self.ws_connection is not None:
            self.write_message(PONG)

    def on_close(self) -> None:
        """Forget the tab."""
        if self._stream is not None:
            self.manager.close(self._stream)
            self._stream = None
