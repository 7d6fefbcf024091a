"""A forward proxy for tests: a real one, as sites have it, at a port of this machine."""

from __future__ import annotations

import base64
import select
import socket
import threading
from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

#: Names that only the proxy can resolve end so; they lead to this machine.
SUFFIX = ".invalid"


class Handler(BaseHTTPRequestHandler):
    """Passes requests on, and tunnels what is encrypted."""

    server: _Server

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def let_in(self) -> bool:
        self.server.proxy.asked.append(f"{self.command} {self.path}")
        wanted = self.server.proxy.user
        given = self.headers.get("Proxy-Authorization")
        if wanted is None or given == f"Basic {base64.b64encode(wanted.encode()).decode()}":
            return True
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.let_in():
            return
        url = urlsplit(self.path)
        headers = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy-")}
        onward = HTTPConnection(place(url.hostname or ""), url.port or 80, timeout=10)
        try:
            path = url._replace(scheme="", netloc="").geturl()
            onward.request(self.command, path, content or None, headers)
            answer = onward.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "keep-alive", "transfer-encoding"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.read())
        except OSError:
            self.send_error(502)
        finally:
            onward.close()

    do_POST = do_GET

    def do_CONNECT(self) -> None:
        if not self.let_in():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((place(host), int(port)), timeout=10) as onward:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=pump, args=(onward, self.connection), daemon=True)
            back.start()
            pump(self.connection, onward)
            back.join()


def place(host: str) -> str:
    return "127.0.0.1" if host.endswith(SUFFIX) else host


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes, until one side ends."""
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    proxy: Proxy


class Proxy:
    """A proxy that can be stopped and started again.

    Parameters
    ----------
    user
        Who is let in, as ``name:password``; None: everyone.
    """

    def __init__(self, user: str | None = None) -> None:
        self.user = user
        #: The requests that it received, as ``METHOD URL``.
        self.asked: list[str] = []
        self.port = 0
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The proxy's URL, without a user, as an environment names it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Proxy:
        """Start it, on the port that it had before."""
        self._server = _Server(("127.0.0.1", self.port), Handler)
        self._server.proxy = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """End it: who connects is refused."""
        if self._server is not None:
            self._server.shutdown()
            # Clients that have come by now are served: a reset would look like another fault.
            self._server.timeout = 0
            while select.select([self._server.socket], [], [], 0)[0]:
                self._server.handle_request()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Proxy:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()
