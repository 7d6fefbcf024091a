"""Stand-ins for many users' servers at one port, with this extension or the older one.

One process answers for all of them; a user's server is found by the first part of its path.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


class StandIns:
    """Stand-ins for users' servers: their messages, and their answers.

    Parameters
    ----------
    delay_s
        Seconds from a request to its answer; the message is kept at once.
    """

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        #: While this is cleared, no message is answered.
        self.answers = threading.Event()
        self.answers.set()
        self.lock = threading.Lock()
        #: The message of each key by user, as a lab keeps them.
        self.kept: dict[str, dict[str, str]] = defaultdict(dict)
        #: Every message that the older extension showed, by user.
        self.shown: dict[str, list[str]] = defaultdict(list)
        self.port = 0

    def take(self, method: str, path: str, body: bytes) -> int:
        """Return the status that a request is answered with."""
        _, _, user, rest = path.split("/", 3)
        older = user.startswith("older")
        if not rest.startswith(("jupyterlab-notify/", "jupyterlab-notifications-extension/")):
            return 200
        if older != rest.startswith("jupyterlab-notifications-extension/"):
            return 404
        key = unquote(rest.rpartition("/")[2])
        with self.lock:
            if older:
                self.shown[user].append(json.loads(body)["message"])
            elif method == "PUT":
                self.kept[user][key] = json.loads(body)["message"]
            elif self.kept[user].pop(key, None) is None:
                return 404
        if method != "DELETE":
            time.sleep(self.delay_s)
            self.answers.wait()
        return 200

    def messages(self, user: str) -> list[str]:
        """Return what a user's server shows."""
        with self.lock:
            return [*self.kept[user].values(), *self.shown[user]]


@contextmanager
def stand_ins(port: int, delay_s: float) -> Iterator[StandIns]:
    """Serve until the block ends."""
    servers = StandIns(delay_s)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            status = servers.take(self.command, urlsplit(self.path).path, body)
            content = b'{"success": true}'
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            # The client was killed meanwhile.
            pass

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield servers
    finally:
        servers.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
