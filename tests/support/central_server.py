"""A central service for tests: a real HTTP server that speaks the recorded wire.

Run ``python -m tests.support.central_server --port 0``. It prints its URL
(``http://127.0.0.1:PORT/semaphore``), which is what a lab is configured with, and serves until it
is stopped. With ``--state FILE`` it keeps its content in a file, so that it can be stopped and
started again. With ``--certificate FILE`` (its key and certificate) it also serves HTTPS at a
second port, and prints that URL next. It needs only the standard library. It has one user, who may
use any token unless one is set.

Its content and its faults are controlled at ``/control/…`` of the same port, in JSON:

========================================= ======================================================
``POST /control/messages``                adds ``{"summary", "body"?, "id"?, "created"?,
                                          "read"?}``, or changes the one with that ``id``; answers
                                          ``{"id"}``
``POST /control/messages/fill``           adds ``{"count": 20000, "read"?: bool}`` at once
``DELETE /control/messages/ID``           revokes it
``POST /control/read``, ``…/unread``      ``{"ids": [...]}`` or ``{}`` for all: done elsewhere
``POST /control/broadcasts``              adds ``{"summary", "body"?, "category"?, "id"?,
                                          "active"?, "enabled"?, "stale"?, "countdown"?}``, or
                                          changes one
``DELETE /control/broadcasts/ID``         removes it
``POST /control/welcome``                 adds ``{"title", "body", "id"?, "aspect"?, "summary"?,
                                          "dismissable"?, "max_views"?, "updated"?,
                                          "must_accept"?}``
``DELETE /control/welcome/ID``            removes it
``POST /control/welcome-reset``           every welcome message is due again: done elsewhere
``POST /control/settings``                changes ``{"token": str or null, "welcome": bool,
                                          "etags": bool, "totals": bool, "links": URL or null}``:
                                          which token is right, whether it has a welcome part,
                                          sends ``ETag`` and ``X-Total-Count``, what its ``Link``s
                                          begin with
``POST /control/fault``                   from now on it does ``{"kind": ...}``, see ``FAULTS``;
                                          with ``"path"`` only where that regular expression is
                                          found in ``METHOD path``, with ``"times"`` only so
                                          often, with ``"since"`` only since such a request
``DELETE /control/fault``                 ends the fault
``POST /control/release``                 sends at once what ``slow`` and ``mute`` hold back
``GET /control/requests``                 the requests to it: ``[{"at", "method", "path", "query",
                                          "token", "body", "status", "etag"}]``, ``at`` in seconds
``DELETE /control/requests``              forgets them
``GET /control/connections``              the number of connections from labs
``GET /control/state``                    all its content
``DELETE /control/state``                 resets everything: no content, no fault
========================================= ======================================================

``central.Central`` starts it as a process and has a method for each of these.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from .central_state import State, epoch, formatted

BASE = "/semaphore"

#: The faults, and their parameters.
FAULTS = {
    "status": 'answers with "status" (and "retry_after", if given)',
    "nonsense": 'answers 200 with "content", by default HTML',
    "slow": 'answers correctly after "seconds"',
    "drip": "sends the answer byte by byte, five a second",
    "redirect": 'redirects to "location", to which the path is added',
    "mute": 'does what is requested, but answers only after "seconds"',
    "drop": "closes the connection without an answer",
    "reset": "resets the connection",
    "cut": "closes the connection in the middle of an answer",
    "endless": "sends an answer without an end",
    "loop": "links each page to itself as the next one",
}


class Handler(BaseHTTPRequestHandler):
    """Answers like Semaphore 2.0.0, and has welcome messages, which that does not have yet."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: State
    server: ThreadingHTTPServer

    def log_message(self, *args: Any) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        self.answer()

    do_POST = do_PUT = do_DELETE = do_GET

    def finish(self) -> None:
        with self.state.lock:
            self.state.connections.discard(self)
        super().finish()

    def control(self, path: str, raw: bytes) -> None:
        """Answer a test that controls this service."""
        with self.state.lock:
            try:
                result = self.state.control(self.command, path, json.loads(raw) if raw else {})
            except KeyError as error:
                self.reply(404, {"detail": f"Unknown: {error}"})
                return
            if self.command != "GET":
                self.state.save()
            self.reply(200, result)

    def answer(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if url.path.startswith("/control/"):
            self.control(url.path, raw)
            return
        authorization = self.headers.get("Authorization")
        asked: dict[str, Any] = {
            "at": time.monotonic() - self.state.started,
            "method": self.command,
            "path": url.path.removeprefix(BASE),
            "query": {name: values[0] for name, values in parse_qs(url.query).items()},
            "token": authorization.removeprefix("Bearer ") if authorization else None,
            "body": json.loads(raw) if raw else None,
            "etag": self.headers.get("If-None-Match"),
            "status": None,
            "fault": None,
        }
        with self.state.lock:
            self.state.requests.append(asked)
            self.state.connections.add(self)
            released = self.state.released
            fault = self.state.fault
            if fault is not None:
                where = f"{self.command} {asked['path']}"
                if re.search(fault.get("since", ""), where):
                    fault.pop("since", None)
                if (
                    "since" in fault
                    or not re.search(fault.get("path", ""), where)
                    or fault.get("times") == 0
                ):
                    fault = None
                elif "times" in fault:
                    fault["times"] -= 1
            asked["fault"] = fault and fault["kind"]
        if fault is not None and self.misbehave(fault, asked, released):
            return
        with self.state.lock:
            status, value, headers = self.serve(url.path, asked)
            if self.command == "POST":
                self.state.save()
        if fault is not None and fault["kind"] == "loop":
            same = urlencode({**asked["query"], "cursor": asked["query"].get("cursor", "1_1")})
            headers["Link"] = f'<{self.here()}{asked["path"]}?{same}>; rel="next"'
        if fault is not None and fault["kind"] == "mute":
            released.wait(fault["seconds"])
        asked["status"] = status
        self.reply(status, value, headers)

    def misbehave(
        self, fault: dict[str, Any], asked: dict[str, Any], released: threading.Event
    ) -> bool:
        """Carry out the fault; return False to answer as usual afterwards."""
        kind = fault["kind"]
        if kind == "status":
            asked["status"] = fault["status"]
            headers = {}
            if "retry_after" in fault:
                headers["Retry-After"] = str(fault["retry_after"])
            self.reply(fault["status"], {"detail": "A test asked for it."}, headers)
        elif kind == "nonsense":
            asked["status"] = 200
            content = fault.get("content", "<html><body>Please log in</body></html>").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        elif kind == "redirect":
            asked["status"] = fault.get("status", 307)
            self.reply(asked["status"], None, {"Location": fault["location"] + self.path})
        elif kind == "drop":
            self.close_connection = True
        elif kind == "reset":
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Not by ``close``: the connection would be shut down first, and so end in order.
            os.close(self.connection.detach())
        elif kind == "cut":
            asked["status"] = 200
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b'[{"id":')
        elif kind == "endless":
            asked["status"] = 200
            self.close_connection = True
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"[" * 65_536)
            except OSError:
                pass
        elif kind == "drip":
            self.close_connection = True
            try:
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]":
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.2)
            except OSError:
                pass
        elif kind == "slow":
            released.wait(fault["seconds"])
            return False
        else:
            return False
        return True

    def here(self) -> str:
        """Return the URL that it gives itself."""
        links = self.state.settings["links"]
        return links or f"http://127.0.0.1:{self.server.server_address[1]}{BASE}"

    def serve(self, path: str, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        """Return what the service answers: status, JSON and headers."""
        state, settings = self.state, self.state.settings
        route = (self.command, path.removeprefix(BASE))
        if not path.startswith(BASE + "/"):
            return 404, {"detail": "Not Found"}, {}
        refused = settings["token"] not in (None, asked["token"])
        # Broadcasts are public, but a wrong token is refused.
        if route == ("GET", "/v1/broadcasts") and not (asked["token"] and refused):
            return self.tagged(list(state.held["broadcasts"].values()), {})
        if asked["token"] is None or refused:
            return 401, {"detail": "Unauthorized"}, {"WWW-Authenticate": "Bearer"}
        messages = state.held["messages"]
        if route == ("GET", "/v1/notifications/messages"):
            return self.list_messages(asked["query"])
        if route[0] == "GET" and route[1].startswith("/v1/notifications/messages/"):
            id_ = route[1].rpartition("/")[2]
            if id_ not in messages:
                problem = {"msg": f"Unknown notification: {id_}", "type": "notification_not_found"}
                return 404, {"detail": [problem]}, {}
            message = self.summary(messages[id_])
            del message["url"]
            return 200, {**message, "body": formatted(messages[id_]["body"])}, {}
        if route in (("POST", "/v1/notifications/read"), ("POST", "/v1/notifications/unread")):
            ids = (asked["body"] or {}).get("ids")
            if not isinstance(ids, list):
                problem = {"type": "set_type", "msg": "Input should be a valid set"}
                return 422, {"detail": [problem]}, {}
            state.mark(ids, route[1].endswith("/read"))
            return 204, None, {}
        if settings["welcome"] and route == ("GET", "/v1/welcome"):
            aspect = asked["query"].get("aspect")
            return self.tagged([m for m in state.due() if aspect in (None, m["aspect"])], {})
        if settings["welcome"] and route == ("POST", "/v1/welcome/dismiss"):
            value = asked["body"] or {}
            if (value.get("all") is True) == ("ids" in value):
                return 422, {"detail": [{"msg": "Give ids or all"}]}, {}
            ids = value.get("ids", list(state.held["welcome"]))
            dismissed = state.held["dismissed"]
            dismissed += [i for i in ids if i not in dismissed]
            return 204, None, {}
        if settings["welcome"] and route == ("POST", "/v1/welcome/reset"):
            state.held["dismissed"] = []
            return 204, None, {}
        return 404, {"detail": "Not Found"}, {}

    def summary(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": message["id"],
            "created": message["created"],
            "read": message["read"],
            "summary": formatted(message["summary"]),
            "url": f"{self.here()}/v1/notifications/messages/{message['id']}",
        }

    def list_messages(self, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        found = self.state.newest_first()
        if query.get("unread") == "true":
            found = [m for m in found if m["read"] is None]
        if "limit" not in query:
            return self.tagged([self.summary(m) for m in found], {})
        limit, total = int(query["limit"]), len(found)
        first = 0
        if "cursor" in query:
            if not re.fullmatch(r"p?[0-9]+_[0-9]+", query["cursor"]):
                return 422, {"detail": [{"msg": "String should match pattern"}]}, {}
            seconds, _, order = query["cursor"].removeprefix("p").partition("_")
            place = (int(seconds), int(order))
            first = next(
                (n for n, m in enumerate(found) if (epoch(m["created"]), m["order"]) <= place),
                total,
            )
        page, rest = found[first : first + limit], found[first + limit :]
        start = f"{self.here()}/v1/notifications/messages"
        kept = {name: value for name, value in query.items() if name != "cursor"}
        links = [f'<{start}?{urlencode(kept)}>; rel="first"']
        if rest:
            cursor = f"{epoch(rest[0]['created'])}_{rest[0]['order']}"
            links.append(f'<{start}?{urlencode({**kept, "cursor": cursor})}>; rel="next"')
        headers = {"Link": ", ".join(links)}
        if self.state.settings["totals"]:
            headers["X-Total-Count"] = str(total)
        return self.tagged([self.summary(m) for m in page], headers)

    def tagged(self, value: Any, headers: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        """Return an answer with its ETag, or a 304 if the request has the same one."""
        if not self.state.settings["etags"]:
            return 200, value, headers
        said = json.dumps([value, headers], sort_keys=True)
        etag = f'"{hashlib.sha256(said.encode()).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            return 304, None, {**headers, "ETag": etag}
        return 200, value, {**headers, "ETag": etag}

    def reply(
        self,
        status: int,
        value: Any,
        headers: dict[str, str] | None = None,
    ) -> None:
        content = b"" if value is None else json.dumps(value).encode()
        try:
            self.send_response(status)
            for name, text in (headers or {}).items():
                self.send_header(name, text)
            if status not in (204, 304):
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            # The client has closed the connection.
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """The server, with a thread for each connection, none of which keeps it from stopping."""

    daemon_threads = True
    # A lab that gives up leaves a broken connection, which is not logged.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 for any free port")
    parser.add_argument("--state", type=Path, help="the file that keeps its content")
    parser.add_argument("--certificate", type=Path, help="a key and certificate, for HTTPS")
    options = parser.parse_args()
    Handler.state = State(options.state)
    server = Server(("127.0.0.1", options.port), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}{BASE}", flush=True)
    if options.certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate)
        secure = Server(("127.0.0.1", 0), Handler)
        # The handshake happens in the connection's thread.
        secure.socket = context.wrap_socket(
            secure.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=secure.serve_forever, daemon=True).start()
        print(f"https://127.0.0.1:{secure.server_address[1]}{BASE}", flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
