"""A server extension with bare handlers: the floor for an ingest, and for an ingest with its toast.

The handlers for HTTP are authenticated and authorized, read their body and answer JSON, as any
handler of a Jupyter server does; they parse, check and store nothing.
"""

from __future__ import annotations

import sys

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web, websocket

ANSWER = '{"success":true}'
#: Takes every measured server past a size at which Python doubles its table of identifiers, which
#: costs 0.9 MiB at once: see ``bench_memory``.
IDENTIFIERS = [sys.intern(f"identifier_{number}") for number in range(10_000)]
listeners: set[websocket.WebSocketHandler] = set()


class NoopHandler(APIHandler):
    auth_resource = "jupyterlab_notify"
    _track_activity = False

    @web.authenticated
    @authorized
    async def post(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(ANSWER)


class PushHandler(APIHandler):
    """Sends its body to every bare WebSocket: the floor of ingest to toast."""

    auth_resource = "jupyterlab_notify"
    _track_activity = False

    @web.authenticated
    @authorized
    async def post(self) -> None:
        text = self.request.body.decode()
        for listener in listeners:
            listener.write_message(text)
        self.set_header("Content-Type", "application/json")
        self.finish(ANSWER)


class BareSocket(websocket.WebSocketHandler):
    def check_origin(self, origin: str) -> bool:
        return True

    def open(self) -> None:
        self.set_nodelay(True)
        listeners.add(self)

    def on_close(self) -> None:
        listeners.discard(self)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "noop_extension"}]


def _load_jupyter_server_extension(serverapp) -> None:
    base = serverapp.web_app.settings["base_url"].rstrip("/")
    serverapp.web_app.add_handlers(
        ".*$",
        [
            (f"{base}/bench/noop", NoopHandler),
            (f"{base}/bench/push", PushHandler),
            (f"{base}/bench/socket", BareSocket),
        ],
    )
