"""A proxy that makes the service look like Semaphore: it hides what the service has beyond it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from .servers import http_client

#: Routes that Semaphore does not have.
FEATURES = ("events", "overview", "quiet", "receipts", "hello")
KEPT = ("authorization", "content-type", "if-none-match")
#: Lengths and encodings are the proxy's own.
OWN = ("content-length", "content-encoding", "transfer-encoding", "connection")


@contextmanager
def polling_proxy(target: str, *, etags: bool) -> Iterator[str]:
    """Run the proxy until the block ends; give its URL.

    Parameters
    ----------
    target
        The service.
    etags
        Whether its validators are let through; Semaphore has none.
    """
    client = http_client()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None:
            pass

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path.startswith(tuple(f"/v1/{name}" for name in FEATURES)):
                self._answer(httpx.Response(404))
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() in KEPT}
            answer = client.request(self.command, target + self.path, headers=headers, content=body)
            if self.path == "/":
                index = answer.json()
                index["features"] = [one for one in index["features"] if one not in FEATURES]
                answer = httpx.Response(200, json=index)
            self._answer(answer)

        def _answer(self, answer: httpx.Response) -> None:
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name not in OWN and (etags or name != "etag"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = _pass_on

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        client.close()
