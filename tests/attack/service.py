"""A central service that is hostile in every way: what it answers is said by name."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, count, cycle
from typing import Any

BASE = "/semaphore"
#: Bytes of a bomb when it is inflated.
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

#: Values of ``Link``, made with the service's own URL.
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


def in_turn(*answers: Callable[[str], Answer]) -> Callable[[str], Answer]:
    """Return an answer that gives these answers in turn, one for each request."""
    turns = cycle(answers)
    return lambda url: next(turns)(url)


def entries(name: str, values: tuple[Any, ...], other: str = "") -> list[dict[str, Any]]:
    """Return an entry for each odd value of a field, or of two."""
    found = []
    for n, value in enumerate(values):
        fields = {name: value, **({other: value} if other else {})}
        found.append({**entry(f"{name}{n}"), **fields})
    return found


ODD: tuple[Any, ...] = (None, 5, [], {}, "\ud800", 10**300, "x" * 5000)
ODD_IDS: tuple[Any, ...] = (
    *(None, 5, {}, [], "", "\x00", "\ud800", "../..", "\u202e", "ok", ".", "..", "a/b?c#d"),
    *("%2e%2e%2f", "a\r\nX-Y: z", "\U000e0041" * 99, "\u0301" * 200, 1e400, True),
)
ODD_TIMES: tuple[Any, ...] = (
    *("", "x", "9" * 5000, "99999-01-01T00:00:00Z", "0000-00-00T00:00:00Z", -1, 1e300),
)

ODD_TITLES: tuple[Any, ...] = (
    *("", " ", "\u3164", "\u2066\u2069", "\U000e0041", "\udfff", "\ud83d", "x\ud800" * 2000),
)

DATES: tuple[Any, ...] = (
    *("2026-02-30T00:00:00Z", "2026-11-01T24:00:60Z", "2026-W48-6", "20261101T000000Z"),
    *("2026-11-01T00:00:00+99:99", "2026-11-01T00:00:00.9999999999Z", "-0001-01-01", "9999-12-31"),
    *("0001-01-01T00:00:00+14:00", "\u0662\u0660\u0662\u0666-11-01", "1e9", 10**18, True, 1.5),
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
    "a deflate bomb": lambda url: (zlib.compress(b"[" * (64 << 20)), {"Content-Encoding": "gzip"}),
    "as many objects as may be": lambda url: (b"[" + b"{}," * 49_990 + b"{}]", {}),
    "as many texts as may be": lambda url: (b"[" + b'"",' * 190_000 + b'""]', {}),
    "many keys": lambda url: (dumped([{**entry("k"), **{f"k{n}": n for n in range(90_000)}}]), {}),
    "a long key": lambda url: (dumped([{**entry("l"), "k" * 1_000_000: 1}]), {}),
    "escapes": lambda url: (b'[{"id": "' + b"\\u0041" * 600_000 + b'"}]', {}),
    "dates": lambda url: (dumped(entries("created", DATES, "updated")), {}),
    "an odd tag": lambda url: (b"[]", {"ETag": "W/\u00ff \t\u00e9"}),
    "a link with a cursor": lambda url: (
        b"[]",
        {"Link": f'<?cursor={"%0d%0aX: y" * 500}>; rel="next", <>; rel=next; rel=next'},
    ),
    # These are given in turn, one for each request of a pass.
    "odd encodings": in_turn(
        lambda url: (b"\x8b\x00\x80[]\x03", {"Content-Encoding": "br"}),
        lambda url: (b"\x28\xb5\x2f\xfd\x00\x58\x00\x00", {"Content-Encoding": "zstd"}),
        lambda url: (b"[]", {"Content-Encoding": ", ".join(["gzip"] * 5000)}),
        lambda url: (("[" + "1," * 250_000 + "1]").encode("utf-32"), {}),
    ),
    "odd JSON": in_turn(
        lambda url: (json.dumps([entry("u16")]).encode("utf-16"), {}),
        lambda url: (b"\xef\xbb\xbf\xef\xbb\xbf[]", {}),
        lambda url: (b'[{"id": "x", "max_views": 1e400, "progress": -1e400}]', {}),
        lambda url: (b"[{" + b'"id":"x",' * 90_000 + b'"id":"y"}]', {}),
    ),
    "a million numbers": lambda url: (b"[" + b"1e5," * 1_000_000 + b"0]", {}),
    "odd titles": lambda url: (dumped(entries("title", ODD_TITLES, "aspect")), {}),
    "odd links": in_turn(
        lambda url: (b"[]", {"Link": "<?cursor=1_1>; rel=next" + " " * 8169}),
        lambda url: (b"[]", {"Link": f'<{url}.evil.example/x?cursor=1_1>; rel="next"'}),
        lambda url: (b"[]", {"Link": '<../../../x?cursor=1_1&cursor=2_2>; rel="next"'}),
        lambda url: (b"[]", {"Link": '<//[?cursor=1_1>; rel="next"'}),
    ),
    "odd totals": lambda url: (b"[]", {"X-Total-Count": "9" * 5000}),
}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#: Time in seconds between two bytes that drip.
DRIP_S = 0.02


def dripped(*content: bytes) -> Iterator[bytes]:
    """Yield each byte by itself, slowly."""
    for byte in chain.from_iterable(content):
        time.sleep(DRIP_S)
        yield bytes((byte,))


def repeated(head: bytes, unit: bytes, times: int = 1 << 22) -> Iterator[bytes]:
    """Yield a beginning, then the same unit for as long as somebody reads."""
    yield head
    block = unit * max(1, 65536 // len(unit))
    for _ in range(times * len(unit) // len(block)):
        yield block


def raw_in_turn(*answers: Callable[[], Iterable[bytes]]) -> Callable[[], Iterable[bytes]]:
    """Return an answer that gives these answers in turn, one for each request."""
    turns = cycle(answers)
    return lambda: next(turns)()


def pages() -> Iterator[bytes]:
    """Yield a page of new messages, which always has a next one."""
    first = next(PAGES) * 100
    content = dumped([entry(f"page-{first + n}", body=text("b" * 1000)) for n in range(100)])
    yield HEAD + f"Content-Length: {len(content)}\r\n".encode()
    yield f'Link: <?cursor={first}_1>; rel="next"\r\n\r\n'.encode()
    yield content


PAGES = count()

#: Answers that are no proper HTTP, or never end; each is written as it is.
RAW: dict[str, Callable[[], Iterable[bytes]]] = {
    "tiny chunks": lambda: repeated(CHUNKED, b"1\r\n \r\n"),
    "a chunk of endless size": lambda: repeated(CHUNKED, b"f" * 1000),
    "a dripping body": lambda: dripped(HEAD + b"Content-Length: 1000000\r\n\r\n", b" " * 300),
    "headers without end": lambda: repeated(HEAD, b"X: x\r\n"),
    "nothing but 100 Continue": lambda: repeated(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body without end": lambda: repeated(HEAD + b"\r\n[", b" "),
    "a length of 5,000 digits": lambda: [HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"],
    "odd heads": raw_in_turn(
        lambda: [b"HTTP/1.1 99999 x\r\nContent-Length: 2\r\n\r\n[]"],
        lambda: [HEAD + b"Content-Length: -1\r\n\r\n[]"],
        lambda: [CHUNKED[:-2] + b"Content-Length: 2\r\n\r\n0\r\n\r\n"],
        lambda: repeated(HEAD + b"X: x\r\n", b" x\r\n"),
    ),
    "long heads": raw_in_turn(
        lambda: repeated(HEAD + b"X: ", b"x"),
        lambda: repeated(CHUNKED, b"1;" + b"x=y;" * 2000 + b"\r\n \r\n"),
        lambda: repeated(CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: x\r\n"),
        lambda: dripped(HEAD, b"X: " + b"x" * 300),
    ),
    "trailers that drip": lambda: dripped(CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: x\r\n" * 90),
    "odd redirects": raw_in_turn(
        *(
            lambda to=to: [b"HTTP/1.1 307 x\r\nContent-Length: 0\r\nLocation: " + to + b"\r\n\r\n"]
            for to in (
                b"",
                b"?a",
                b"file:///etc/passwd",
                b"http://[::1/",
                BASE.encode() + b"x" * 60_000,
            )
        )
    ),
    "two lengths": lambda: [HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]"],
    "no HTTP": lambda: [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50],
    "status 101": lambda: [b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n[]"],
    "nothing at all": list,
    "pages without end": pages,
}


def event(name: str, value: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()


#: Streams of events, from a service that claims to offer events.
EVENTS: dict[str, Callable[[], Iterable[bytes]]] = {
    "an event of lines": lambda: repeated(STREAM, b"data: x\n"),
    "comments, cursors and a name without end": lambda: chain(
        repeated(STREAM, b": x\n", 1 << 18),
        repeated(b"", b"id: 1\nid: 2\n\n", 1 << 17),
        repeated(b"", b"event: x"),
    ),
    "reloads": lambda: repeated(STREAM, b"event: reload\ndata: {}\n\n"),
    "new messages": lambda: chain(
        [STREAM], (event("message", entry(f"new-{n}")) for n in range(1 << 20))
    ),
    "odd events": lambda: chain(
        [STREAM],
        (event("message", odd) for odd in (None, 5, [], {}, "x", [[]] * 9000, {"id": []})),
        (event("broadcast-gone", {"id": odd}) for odd in ODD_IDS),
        [b"event: message\ndata: " + b"[" * 100_000 + b"\n\n"],
        [b"id: \xff\x00\nevent: \x00\ndata\ndata:\n\n\xef\xbb\xbf\r\r\r\n"],
    ),
}

#: Statuses of redirects to another place. Requests that arrive there must hold no token.
REDIRECTS = (301, 302, 303, 307, 308)
#: Values sent with a 503. Each makes a lab pause, so each goes to a server of its own.
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
            # The hostile links and redirects lead here.
            service.elsewhere.append(f"{self.path}\n{self.headers}")
            self.answer(200, b"[]", {})
            return
        service.asked += 1
        if service.events:
            self.follow(service)
            return
        if service.kind in RAW:
            self.write(RAW[service.kind]())
            return
        url = service.url.removesuffix(BASE)
        if service.retry_after:
            self.answer(503, b"{}", {"Retry-After": service.retry_after})
        elif service.redirect:
            there = url.replace("127.0.0.1", "localhost") + "/elsewhere"
            self.answer(service.redirect, b"", {"Location": there})
        else:
            self.answer(200, *ANSWERS[service.kind](url))

    do_POST = do_PUT = do_DELETE = do_GET

    def follow(self, service: Service) -> None:
        """Say that there is a stream of events, and what comes over it."""
        if self.path.startswith(f"{BASE}/v1/events"):
            service.followed += 1
            self.write(EVENTS[service.events]())
            return
        says: Any = []
        if self.path.rstrip("/") == BASE:
            says = {"features": ["events"]}
        elif "/v1/overview" in self.path:
            says = {"cursor": "1"}
        self.answer(200, dumped(says), {})

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write bytes as they are, and no more once nobody reads them."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            for piece in pieces:
                self.wfile.write(piece)

    def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            # The client has gone.
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
        #: The name of the present stream of events; empty: the service has none.
        self.events = ""
        self.asked = 0
        #: Number of times that a stream of events was opened.
        self.followed = 0
        #: Requests outside of the service, with their headers.
        self.elsewhere: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""
