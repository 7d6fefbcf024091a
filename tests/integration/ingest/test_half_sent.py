"""Requests whose bodies never arrive whole: they fill no memory and keep nobody away."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack

import psutil
import pytest

from ...support.servers import NAMESPACE, Server, wait_for

MESSAGE = b'{"message": "' + b"x" * 4000 + b'"}'


def begin(server: Server, method: str, path: str, length: int, body: bytes) -> socket.socket:
    """Send the headers, and a part of the body."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.settimeout(10)
    connection.sendall(
        (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Authorization: Bearer {server.token}\r\nContent-Length: {length}\r\n\r\n"
        ).encode()
        + body
    )
    return connection


def begin_many(
    stack: ExitStack, server: Server, method: str, path: str, length: int, body: bytes, count: int
) -> list[socket.socket]:
    """Begin ``count`` requests; the first of them has arrived at the server before the others.

    Without the wait, a server that accepts the first connection before anything is sent on it can
    read a hundred others first, if it is then busy for a moment.
    """
    first = stack.enter_context(begin(server, method, path, length, body))
    server.status()
    return [first] + [
        stack.enter_context(begin(server, method, path, length, body)) for _ in range(count - 1)
    ]


def answer_of(connection: socket.socket) -> bytes:
    answer = b""
    while data := connection.recv(10_000):
        answer += data
    return answer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "ingest"),
        ("PUT", "ingest/key"),
        ("PATCH", "notifications"),
        ("PATCH", "notifications/id"),
        ("POST", "welcome/seen"),
        ("GET", "status"),
    ],
)
def test_half_sent_requests_fill_no_memory_and_keep_nobody_away(
    make_server: Callable[..., Server], method: str, path: str
) -> None:
    server = make_server()
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    for _ in range(20):
        server.ingest("warm")
    before = process.memory_info().rss
    count, size = 400, 60_000
    with ExitStack() as stack:
        waiting = begin_many(
            stack, server, method, f"/{NAMESPACE}/{path}", size + 100, b"x" * size, count
        )
        # The one that has been arriving longest is told to come again.
        answer = answer_of(waiting[0])
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 2\r\n" in answer
        assert b"\r\nConnection: close\r\n" in answer
        assert answer.endswith(
            b'{"success":false,"message":"Too many requests arrive at once; '
            b'try again in a few seconds.","errors":[]}'
        )
        server.ingest("from somebody else")
        assert process.memory_info().rss - before < 40_000_000
    assert "Traceback" not in server.log


def test_the_newest_half_sent_requests_still_arrive(server: Server) -> None:
    with ExitStack() as stack:
        waiting = begin_many(
            stack, server, "POST", f"/{NAMESPACE}/ingest", len(MESSAGE), MESSAGE[:2000], 200
        )
        answer_of(waiting[0])
        for connection in waiting[-50:]:
            connection.sendall(MESSAGE[2000:])
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        # Those that arrived, or went away, have made room.
        for connection in waiting[-120:]:
            connection.close()
        wait_for(lambda: server.ingest("m"), "an answer")
        late = [
            stack.enter_context(
                begin(server, "POST", f"/{NAMESPACE}/ingest", len(MESSAGE), MESSAGE[:2000])
            )
            for _ in range(110)
        ]
        late[0].sendall(MESSAGE[2000:])
        assert late[0].recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_body_of_unknown_length_that_has_arrived_is_not_cut_off(server: Server) -> None:
    """While it is stored, or waits for its answer, it takes no place."""
    asked = server.ingest("Go on?", key="asked", reply={"choices": ["yes"]})["notification_id"]
    path = f"/{NAMESPACE}/ingest/{asked}?wait=30"
    with ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        connection.settimeout(10)
        connection.sendall(
            (
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                f"Authorization: Bearer {server.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
                "2\r\n{}\r\n0\r\n\r\n"
            ).encode()
        )
        for _ in range(200):
            stack.enter_context(begin(server, "POST", f"/{NAMESPACE}/ingest", 100, b"x"))
        server.ingest("m")
        server.request("POST", f"/{NAMESPACE}/notifications/{asked}/reply", {"answer": "yes"})
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_what_no_handler_reads_is_not_kept(make_server: Callable[..., Server]) -> None:
    server = make_server()
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    server.status()
    before = process.memory_info().rss
    with ExitStack() as stack:
        for path in ("status", "notifications", "welcome", "welcome/image/x", "activity"):
            method = "POST" if path == "activity" else "GET"
            stack.enter_context(
                begin(server, method, f"/{NAMESPACE}/{path}", 15_000_001, b"x" * 15_000_000)
            )
        server.status()
        assert process.memory_info().rss - before < 20_000_000
