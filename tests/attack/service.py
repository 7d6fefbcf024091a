"""A central service that is hostile in every way: what it answers is said by name."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BASE = "/semaphore"
#: How many bytes a bomb has when it is inflated.
BOMB = 512 << 20


@cache
def zeros() -> bytes:
    """Return white space, compressed."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    block = b" " * (1 << 20)
    return b"".join(packer.compress(block) for _ in range(BOMB >> 20)) + packer.flush()


def text(value: Any) -> dict[str, Any]:
    return {"gfm": value, "html": value}


def entry(id_: Any, **fields: Any) -> dict[str, Any]:
    """Return what a list may hold, as a message, a broadcast and a welcome message at once."""
    return {
        "id": id_,
        "summary": text(f"Hostile {str(id_)[:20]}"),
        "body": text("Body"),
        "active": True,
        "enabled": True,
        "stale": False,
        "category": "info",
        "created": "2026-11-01T00:00:00Z",
        "read": None,
        "url": "x",
        "title": "Title",
        "aspect": "jupyterlab",
        "dismissable": True,
        "max_views": None,
        "updated": "2026-11-01T00:00:00Z",
        **fields,
    }


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


Answer = tuple[bytes, dict[str, str]]

#: What ``Link`` says, made with the service's own URL.
LINKS: dict[str, Callable[[str], str]] = {
    "of <": lambda url: "<" * 60_000,
    "of quotes": lambda url: '<x>; rel="' + '\\"' * 30_000,
    "of commas": lambda url: "," * 60_000,
    "of semicolons": lambda url: "<x>" + ";" * 60_000,
    "to itself": lambda url: f'<{url}{BASE}/v1/notifications/messages?cursor=1_1>; rel="next"',
    "elsewhere": lambda url: f'<{url}/elsewhere?cursor=1_1>; rel="next"',
}


def linked(link: Callable[[str], str]) -> Callable[[str], Answer]:
    return lambda url: (b"[]", {"Link": link(url)})


def entries(name: str, values: tuple[Any, ...], other: str = "") -> list[dict[str, Any]]:
    """Return an entry for each odd value of a field, or of two."""
    found = []
    for n, value in enumerate(values):
        fields = {name: value, **({other: value} if other else {})}
        found.append({**entry(f"{name}{n}"), **fields})
    return found


ODD: tuple[Any, ...] = (None, 5, [], {}, "\ud800", 10**300, "x" * 5000)
ODD_IDS: tuple[Any, ...] = (*(None, 5, {}, [], "", "\x00", "\ud800", "../..", "\u202e", "ok"),)
ODD_TIMES: tuple[Any, ...] = (
    *("", "x", "9" * 5000, "99999-01-01T00:00:00Z", "0000-00-00T00:00:00Z", -1, 1e300),
)

#: Content and headers by name; each is made when it is asked for.
ANSWERS: dict[str, Callable[[str], Answer]] = {
    "calm": lambda url: (b"[]", {}),
    **{f"link {name}": linked(link) for name, link in LINKS.items()},
    "gzip": lambda url: (zeros(), {"Content-Encoding": "gzip"}),
    "gzip of gzip": lambda url: (gzip.compress(zeros()), {"Content-Encoding": "gzip, gzip"}),
    "deflate": lambda url: (zlib.compress(b" " * (32 << 20)), {"Content-Encoding": "deflate"}),
    "broken gzip": lambda url: (zeros()[:1000], {"Content-Encoding": "gzip"}),
    "100,000 entries": lambda url: (dumped([{"id": str(n)} for n in range(100_000)]), {}),
    "5,000 whole entries": lambda url: (dumped([entry(str(n)) for n in range(5000)]), {}),
    "long ids": lambda url: (dumped([entry("i" * 10_000), entry("good")]), {}),
    "odd ids": lambda url: (dumped(entries("id", ODD_IDS)), {}),
    "odd fields": lambda url: (
        dumped([odd for name in entry("x") if name != "id" for odd in entries(name, ODD)]),
        {},
    ),
    "odd times": lambda url: (dumped(entries("created", ODD_TIMES, "updated")), {}),
    "a text of 4 MB": lambda url: (dumped([entry("b", body=text("b" * 4_000_000))]), {}),
    "ticks": lambda url: (
        dumped([entry("t", summary=text("`" * 4000), body=text("`" * 99_999))]),
        {},
    ),
    "max_views": lambda url: (dumped([entry("m", max_views="1" + ":1" * 50_000)]), {}),
    "deep": lambda url: (b"[" * 100_000, {}),
    "deep objects": lambda url: (b'[{"a":' * 100_000, {}),
    "a number": lambda url: (b"[" + b"9" * 1_000_000 + b"]", {}),
    "NaN": lambda url: (b'[{"id": NaN, "summary": Infinity}]', {}),
    "not UTF-8": lambda url: (b'[{"id": "\xff\xfe"}]', {}),
    "an object": lambda url: (b'{"toString": []}', {}),
    "nothing": lambda url: (b"", {}),
    "HTML": lambda url: (b"<script>alert(1)</script>", {}),
    "a cookie": lambda url: (b"[]", {"Set-Cookie": "session=hostile; Path=/"}),
    "a long tag": lambda url: (b"[]", {"ETag": '"' + "e" * 60_000 + '"'}),
    "a hundred headers": lambda url: (b"[]", {f"X-{n}": "x" * 500 for n in range(90)}),
    "odd totals": lambda url: (b"[]", {"X-Total-Count": "9" * 5000}),
}
#: A redirect keeps its path; what comes there must hold no token.
REDIRECTS = (301, 302, 303, 307, 308)
#: Said with a 503: each pauses the lab, so each is said to a server of its own.
RETRY_AFTER = (
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "9" * 5000,
    "-1",
    "1e400",
    "\u00b2",
)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        service = self.server
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith(BASE):
            # The links and redirects lead there.
            service.elsewhere.append(f"{self.path}\n{self.headers}")
            self.answer(200, b"[]", {})
            return
        service.asked += 1
        url = service.url.removesuffix(BASE)
        if service.retry_after:
            self.answer(503, b"{}", {"Retry-After": service.retry_after})
        elif service.redirect:
            there = url.replace("127.0.0.1", "localhost") + "/elsewhere"
            self.answer(service.redirect, b"", {"Location": there})
        else:
            self.answer(200, *ANSWERS[service.kind](url))

    do_POST = do_PUT = do_DELETE = do_GET

    def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            # Who asked has had enough.
            self.close_connection = True


class Service(ThreadingHTTPServer):
    """Serves what ``kind`` says, in this process."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}{BASE}"
        self.kind = "calm"
        self.redirect = 0
        self.retry_after = ""
        self.asked = 0
        #: What was asked outside of the service, with the headers.
        self.elsewhere: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""
