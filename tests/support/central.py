"""A central service for tests and the demo: a real HTTP server that speaks the recorded wire.

Run ``python -m tests.central --port 0``; it prints its URL (``http://127.0.0.1:PORT/semaphore``),
which is what a lab is configured with, and serves until it is ended. With ``--state FILE`` it
keeps what it holds in a file, so that it can be stopped and started again. With ``--certificate
FILE`` (its key and certificate) it serves at a second port too, over HTTPS, and prints that URL
next. It needs nothing but the standard library. It has one user, whose token is any unless one is
set.

What it holds and how it misbehaves is told to it at ``/control/…`` of the same port, in JSON:

========================================= ======================================================
``POST /control/messages``                adds ``{"summary", "body"?, "id"?, "created"?,
                                          "read"?}``, or changes the one with that ``id``; answers
                                          ``{"id"}``
``POST /control/messages/fill``           adds ``{"count": 20000, "read"?: bool}`` at once
``DELETE /control/messages/ID``           revokes it
``POST /control/read``, ``…/unread``      ``{"ids": [...]}`` or ``{}`` for all: done elsewhere
``POST /control/broadcasts``              adds ``{"summary", "body"?, "category"?, "id"?,
                                          "active"?, "enabled"?, "stale"?}``, or changes one
``DELETE /control/broadcasts/ID``         takes it away
``POST /control/welcome``                 adds ``{"title", "body", "id"?, "aspect"?, "summary"?,
                                          "dismissable"?, "max_views"?, "updated"?}``
``DELETE /control/welcome/ID``            takes it away
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
``DELETE /control/fault``                 it behaves again
``GET /control/requests``                 what it was asked: ``[{"at", "method", "path", "query",
                                          "token", "body", "status", "etag"}]``, ``at`` in seconds
``DELETE /control/requests``              forgets them
``GET /control/connections``              how many connections labs have to it
``GET /control/state``                    all that it holds
``DELETE /control/state``                 as new again: it holds nothing and behaves
========================================= ======================================================

In Python, ``Central`` starts it as a process and has a method for each of these.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
BASE = "/semaphore"

#: What it can do wrong, and what goes with each.
FAULTS = {
    "status": 'answers with "status" (and "retry_after", if given)',
    "nonsense": 'answers 200 with "content", by default HTML',
    "slow": 'answers rightly, after "seconds"',
    "drip": "sends the answer byte by byte, five a second",
    "redirect": 'redirects to "location", to which the path is added',
    "mute": 'does what it is asked, and answers only after "seconds"',
    "drop": "closes the connection without an answer",
    "endless": "sends an answer that has no end",
    "loop": "says that each page is followed by itself",
}


def stamp(seconds_ago: float = 0) -> str:
    """Return a time as the service writes it."""
    then = datetime.now(timezone.utc) - timedelta(seconds=seconds_ago)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(created: str) -> int:
    """Return a time's seconds since 1970."""
    return int(datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp())


def formatted(text: str | None) -> dict[str, str] | None:
    """Return a text as the service gives it: as it was written, and as (raw) HTML."""
    return None if text is None else {"gfm": text, "html": f"<p>{text}</p>"}


def empty() -> dict[str, Any]:
    """Return what a service holds that is new."""
    return {
        "messages": {},
        "broadcasts": {},
        "welcome": {},
        "dismissed": [],
        "next": 1,
        "settings": {"token": None, "welcome": True, "etags": True, "totals": True, "links": None},
    }


class State:
    """What the service holds."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.started = time.monotonic()
        self.requests: list[dict[str, Any]] = []
        #: The connections on which something else than ``/control/`` was asked.
        self.connections: set[object] = set()
        self.fault: dict[str, Any] | None = None
        #: Set once what misbehaves now has to wait no longer.
        self.calmed = threading.Event()
        self.held = empty()
        if path is not None and path.exists():
            self.held = json.loads(path.read_text())

    def save(self) -> None:
        if self.path is not None:
            # Whole or not at all: it may be killed at any time.
            new = self.path.with_suffix(".new")
            new.write_text(json.dumps(self.held))
            new.replace(self.path)

    @property
    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = self.held["settings"]
        return settings

    def new_id(self) -> str:
        self.held["next"] += 1
        return str(self.held["next"] - 1)

    def newest_first(self) -> list[dict[str, Any]]:
        return sorted(
            self.held["messages"].values(), key=lambda m: (m["created"], m["order"]), reverse=True
        )

    def due(self) -> list[dict[str, Any]]:
        return [m for id_, m in self.held["welcome"].items() if id_ not in self.held["dismissed"]]

    def control(self, method: str, path: str, value: Any) -> Any:
        """Do what a test says."""
        what, _, id_ = path.removeprefix("/control/").partition("/")
        held = self.held
        if what == "requests":
            asked = list(self.requests)
            if method == "DELETE":
                self.requests.clear()
            return asked
        if what == "connections":
            return len(self.connections)
        if what == "state":
            if method == "DELETE":
                self.fault = None
                self.calmed.set()
                self.calmed = threading.Event()
                held.update(empty(), next=held["next"])
            return held
        if what == "fault":
            self.fault = value if method == "POST" else None
        elif what == "settings":
            held["settings"].update(value)
        elif method == "DELETE":
            held[what].pop(id_)
        elif what == "welcome-reset":
            held["dismissed"] = []
        elif what in ("read", "unread"):
            self.mark(value.get("ids", list(held["messages"])), what == "read")
        elif id_ == "fill":
            for n in range(value["count"]):
                self.add_message(
                    {
                        "summary": f"Message {n}",
                        "created": stamp(value["count"] - n),
                        "read": stamp() if value.get("read") else None,
                    }
                )
        elif what == "messages":
            return {"id": self.add_message(value)}
        elif what == "broadcasts":
            given = value.get("id") or self.new_id()
            held["broadcasts"][given] = {
                "id": given,
                "summary": formatted(value["summary"]),
                "body": formatted(value.get("body")),
                "active": value.get("active", True),
                "enabled": value.get("enabled", True),
                "stale": value.get("stale", False),
                "category": value.get("category", "info"),
            }
            return {"id": given}
        elif what == "welcome":
            given = value.get("id") or self.new_id()
            held["welcome"][given] = {
                "id": given,
                "aspect": value.get("aspect", "jupyterlab"),
                "title": value["title"],
                "summary": formatted(value.get("summary")),
                "body": formatted(value["body"]),
                "dismissable": value.get("dismissable", True),
                "max_views": value.get("max_views"),
                "updated": value.get("updated", stamp()),
            }
            return {"id": given}
        else:
            raise KeyError(what)
        return {}

    def add_message(self, value: dict[str, Any]) -> str:
        id_ = str(value.get("id") or self.new_id())
        self.held["messages"][id_] = {
            "id": id_,
            "order": self.held["messages"].get(id_, {}).get("order", self.held["next"]),
            "created": value.get("created", stamp()),
            "read": value.get("read"),
            "summary": value["summary"],
            "body": value.get("body"),
        }
        self.held["next"] += 1
        return id_

    def mark(self, ids: list[str], read: bool) -> None:
        for id_ in ids:
            message = self.held["messages"].get(id_)
            if message is not None and (message["read"] is not None) != read:
                message["read"] = stamp() if read else None


class Handler(BaseHTTPRequestHandler):
    """Answers as Semaphore 2.0.0 does, and as the welcome part that it does not have yet."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: State
    server: ThreadingHTTPServer

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.answer()

    do_POST = do_PUT = do_DELETE = do_GET

    def finish(self) -> None:
        with self.state.lock:
            self.state.connections.discard(self)
        super().finish()

    def answer(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        if url.path.startswith("/control/"):
            with self.state.lock:
                try:
                    result = self.state.control(
                        self.command, url.path, json.loads(raw) if raw else {}
                    )
                except KeyError as error:
                    self.reply(404, {"detail": f"Unknown: {error}"})
                    return
                if self.command != "GET":
                    self.state.save()
                self.reply(200, result)
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
            calmed = self.state.calmed
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
        if fault is not None and self.misbehave(fault, asked, calmed):
            return
        with self.state.lock:
            status, value, headers = self.serve(url.path, asked)
            if self.command == "POST":
                self.state.save()
        if fault is not None and fault["kind"] == "loop":
            same = urlencode({**asked["query"], "cursor": asked["query"].get("cursor", "1_1")})
            headers["Link"] = f'<{self.here()}{asked["path"]}?{same}>; rel="next"'
        if fault is not None and fault["kind"] == "mute":
            calmed.wait(fault["seconds"])
        asked["status"] = status
        self.reply(status, value, headers)

    def misbehave(
        self, fault: dict[str, Any], asked: dict[str, Any], calmed: threading.Event
    ) -> bool:
        """Do what the fault says; False: answer all the same."""
        kind = fault["kind"]
        if kind == "status":
            asked["status"] = fault["status"]
            headers = {}
            if "retry_after" in fault:
                headers["Retry-After"] = str(fault["retry_after"])
            self.reply(fault["status"], {"detail": "It was told to."}, headers)
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
            calmed.wait(fault["seconds"])
            return False
        else:
            return False
        return True

    def here(self) -> str:
        """Return the URL that it believes to have."""
        links = self.state.settings["links"]
        return links or f"http://127.0.0.1:{self.server.server_address[1]}{BASE}"

    def serve(self, path: str, asked: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        """Return what the service answers: status, JSON and headers."""
        state, settings = self.state, self.state.settings
        route = (self.command, path.removeprefix(BASE))
        if not path.startswith(BASE + "/"):
            return 404, {"detail": "Not Found"}, {}
        refused = settings["token"] not in (None, asked["token"])
        # Anybody may read broadcasts, but not with a token that is wrong.
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
        """Return an answer, or that the one which was given before is still true."""
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
            # Who asked has gone.
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """The server; a thread for each connection, none of which keeps it from ending."""

    daemon_threads = True
    # A lab that gives up leaves a broken connection, which is nothing to tell of.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


class Central:
    """The service as a process, and what one tells it.

    Parameters
    ----------
    directory
        Where it keeps what it holds, so that it can be stopped and started again.
    certificate
        Its key and certificate, for an ``https_url``.
    """

    def __init__(self, directory: Path, certificate: Path | None = None) -> None:
        self._state = directory / "central.json"
        self._certificate = certificate
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.url = ""
        self.https_url = ""

    def start(self) -> Central:
        """Start it, on the port that it had before, and wait until it listens."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.central", "--port", str(self.port)),
                *("--state", str(self._state)),
                *(["--certificate", str(self._certificate)] if self._certificate else []),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "The central service did not start."
        self.port = int(self.url.split(":")[2].split("/")[0])
        if self._certificate:
            self.https_url = self._process.stdout.readline().strip()
        return self

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def tell(self, method: str, path: str, value: Any = None) -> Any:
        """Call ``/control/{path}``."""
        from urllib.request import ProxyHandler, Request, build_opener

        request = Request(
            f"http://127.0.0.1:{self.port}/control/{path}",
            method=method,
            data=None if value is None else json.dumps(value).encode(),
        )
        # The tests' own environment may name a proxy.
        with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)

    def message(self, summary: str, body: str | None = None, **more: Any) -> str:
        """Send a message, or change one; return its id."""
        value = {"summary": summary, "body": body, **more}
        return str(self.tell("POST", "messages", value)["id"])

    def fill(self, count: int, *, read: bool = False) -> None:
        """Send very many."""
        self.tell("POST", "messages/fill", {"count": count, "read": read})

    def revoke(self, id_: str) -> None:
        """Take a message back."""
        self.tell("DELETE", f"messages/{id_}")

    def mark(self, what: str, *ids: str) -> None:
        """Mark ``read`` or ``unread`` elsewhere; all, if none is named."""
        self.tell("POST", what, {"ids": list(ids)} if ids else {})

    def broadcast(self, summary: str, **more: Any) -> str:
        """Broadcast, or change a broadcast; return its id."""
        return str(self.tell("POST", "broadcasts", {"summary": summary, **more})["id"])

    def end_broadcast(self, id_: str) -> None:
        """Take a broadcast away."""
        self.tell("DELETE", f"broadcasts/{id_}")

    def welcome(self, title: str, body: str, **more: Any) -> str:
        """Add a welcome message, or change one; return its id."""
        return str(self.tell("POST", "welcome", {"title": title, "body": body, **more})["id"])

    def set(self, **settings: Any) -> None:
        """Change settings."""
        self.tell("POST", "settings", settings)

    def fault(self, kind: str | None, **more: Any) -> None:
        """Misbehave; None: behave again."""
        if kind is None:
            self.tell("DELETE", "fault")
        else:
            assert kind in FAULTS
            self.tell("POST", "fault", {"kind": kind, **more})

    def requests(self, path: str = "", method: str = "") -> list[dict[str, Any]]:
        """Return what it was asked, of those whose path holds ``path``.

        Each lab's one question for the service's features, which this one has none of, is left out.
        """
        asked: list[dict[str, Any]] = self.tell("GET", "requests")
        return [
            r
            for r in asked
            if r["path"] != "/" and path in r["path"] and method in ("", r["method"])
        ]

    def told(self) -> list[tuple[str, Any]]:
        """Return what it was told while it behaved: the last part of the path, and the body."""
        asked = self.requests("", "POST")
        return [(r["path"].rpartition("/")[2], r["body"]) for r in asked if not r["fault"]]

    def forget(self) -> None:
        """Forget what it was asked."""
        self.tell("DELETE", "requests")

    def state(self) -> dict[str, Any]:
        """Return all that it holds."""
        state: dict[str, Any] = self.tell("GET", "state")
        return state

    def left_alone(self) -> None:
        """Wait until no lab asks any more: the last tab of each is closed, or it has ended."""
        from .servers import wait_for

        wait_for(lambda: self.tell("GET", "connections") == 0, "every lab to rest")

    def clear(self) -> None:
        """Hold nothing, and behave; labs without a tab have noticed that."""
        self.tell("DELETE", "state")
        # What one of them asks until then would be the next test's.
        self.left_alone()
        self.forget()

    def unread(self) -> list[str]:
        """Return the ids of the unread messages, oldest first."""
        return [id_ for id_, m in self.state()["messages"].items() if m["read"] is None]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--state", type=Path, help="where to keep what it holds")
    parser.add_argument("--certificate", type=Path, help="a key and certificate, for HTTPS too")
    options = parser.parse_args()
    Handler.state = State(options.state)
    server = Server(("127.0.0.1", options.port), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}{BASE}", flush=True)
    if options.certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate)
        secure = Server(("127.0.0.1", 0), Handler)
        # Who connects shakes hands in a thread of its own.
        secure.socket = context.wrap_socket(
            secure.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=secure.serve_forever, daemon=True).start()
        print(f"https://127.0.0.1:{secure.server_address[1]}{BASE}", flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
