"""Hostile bodies of a push, and hostile requests to the routes beside it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

from ..support.servers import ALIAS, NAMESPACE, Server
from .watch import Figures, Watch

#: Odd values; each is tried in every field.
VALUES: list[Any] = [
    *(None, True, 0, -1, 2**63, -(2**63) - 1, 10**300, 1e308, float("nan"), float("inf")),
    *("", " \n\t", "\x00", "\x1b[2J\x07", "\u202egnp.exe", "\u3164\u2800\u034f", "\U000e0041"),
    *("\ud800", "\udfff x", "a" * 5000, "é" * 40_000, "`" * 32_000, "<script>alert(1)</script>"),
    *([], {}, [[]] * 1000, {"a": {"b": {}}}, {"\ud800": 1}, [{"label": {}}] * 5),
    {"toString": "x", "__proto__": {"polluted": True}},
]
FIELDS = (
    *("message", "type", "autoClose", "actions", "body", "markdown", "key", "progress"),
    *("expiresAt", "ttl", "heartbeat", "banner", "dismissable", "source", "data"),
)
JSON = "application/json"
DEPTHS = (33, 500, 1000, 100_000)


def deep(depth: int) -> bytes:
    """Return a body that nests so deeply."""
    return b'{"message": "m", "data": ' + b"[" * depth + b"]" * depth + b"}"


def bodies() -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """Yield requests: a name, the content and the headers."""
    for name in FIELDS:
        for n, value in enumerate(VALUES):
            yield f"{name} {n}", json.dumps({"message": "m", name: value}).encode(), {}
    for depth in DEPTHS:
        yield f"{depth} deep", deep(depth), {}
        yield f"{depth} open", b"[" * depth, {}
        yield f"{depth} open objects", b'{"a":' * depth, {}
    yield (
        "many fields",
        json.dumps({"message": "m", **{f"f{n}": n for n in range(20_000)}}).encode(),
        {},
    )
    yield "a field 20,000 times", b'{"message": "m"' + b', "type": "x"' * 20_000 + b"}", {}
    yield "a long number", b'{"message": "m", "ttl": ' + b"9" * 200_000 + b"}", {}
    yield "a long fraction", b'{"message": "m", "progress": 0.' + b"9" * 200_000 + b"}", {}
    yield "1e400", b'{"message": "m", "ttl": 1e400}', {}
    for name in ("NaN", "Infinity", "-Infinity"):
        yield name, f'{{"message": "m", "progress": {name}}}'.encode(), {}
    for size in (1, 1 << 16, 1 << 18, 1 << 20, 1 << 22):
        yield f"{size} bytes", b'{"message": "' + b"x" * size + b'"}', {}
    for name, content in {
        "nothing": b"",
        "a zero": b"\x00",
        "not UTF-8": b'{"message": "\xff\xfe\xc3("}',
        "half of a character": b'{"message": "\xe2\x82"}',
        "an encoded surrogate": b'{"message": "\xed\xa0\x80"}',
        "a byte order mark": b"\xef\xbb\xbf" + b'{"message": "m"}',
        "UTF-16": '{"message": "m"}'.encode("utf-16"),
        "UTF-32": '{"message": "m"}'.encode("utf-32"),
        "a control character": b'{"message": "a\x01b"}',
        "an escaped zero": b'{"message": "\\u0000"}',
        "a string": b'"m"',
        "a number": b"5",
        "null": b"null",
        "a list": b'[{"message": "m"}]',
        "more after it": b'{"message": "m"} x',
        "an open string": b'{"message": "m',
        "a form": b"message=m",
    }.items():
        yield name, content, {}
    message = b'{"message": "' + b"x" * 100 + b'"}'
    for name, content, encoding in (
        ("gzip", gzip.compress(message), "gzip"),
        ("a gzip bomb", gzip.compress(b" " * (64 << 20)), "gzip"),
        ("two encodings", gzip.compress(gzip.compress(b" " * (64 << 20))), "gzip, gzip"),
        ("deflate", zlib.compress(b" " * (64 << 20)), "deflate"),
        ("an unknown encoding", message, "br"),
        ("no gzip", message, "gzip"),
        ("half of gzip", gzip.compress(message)[:-9], "gzip"),
    ):
        yield name, content, {"Content-Encoding": encoding}
    for type_ in (
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json; charset=x",
    ):
        yield f"type {type_!r}", message, {"Content-Type": type_}


def requests() -> Iterator[tuple[str, str, Any]]:
    """Yield requests to the other routes: method, path, JSON."""
    for name in ("cursor", "limit", "view", "source", "type", "q"):
        for text in ("", "-1", "9" * 500, "%00", "%ff", "x" * 2000, "%F0%9F", "1:1:1"):
            yield "GET", f"/{NAMESPACE}/notifications?{name}={text}", None
    for id_ in ("x", "%00", "%2e%2e%2f", "x" * 2000, "%ff", "%E2%80%AE"):
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            yield method, f"/{NAMESPACE}/notifications/{id_}", {"read": True}
            yield method, f"/{NAMESPACE}/ingest/{id_}", {"message": "m"}
    values: tuple[Any, ...] = (None, [], {}, {"read": 1}, {"ids": "x"}, {"ids": [1] * 5000}, "x")
    for value in values:
        for action in ("dismiss", "reset", "seen"):
            yield "POST", f"/{NAMESPACE}/welcome/{action}", value


def attack(server: Server, watch: Watch, figures: Figures) -> None:
    """Send all bodies and requests."""
    for name, content, headers in bodies():
        watch.trying = f"ingest: {name}"
        for prefix in (NAMESPACE, ALIAS) if not name.partition(" ")[2].isdigit() else (NAMESPACE,):
            answer = server.request(
                "POST",
                f"/{prefix}/ingest",
                content=content,
                headers={"Content-Type": JSON, **headers},
            )
            figures.answered(watch.trying, answer)
    for method, path, value in requests():
        watch.trying = f"{method} {path[:80]}"
        figures.answered(watch.trying, server.request(method, path, value))
