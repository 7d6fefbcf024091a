"""The stream: every tab gets everything, from wherever it left off."""

from __future__ import annotations

import base64
import os
import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from ..support.servers import NAMESPACE, Frames, Server, wait_for


def ids(frame: dict[str, Any]) -> list[str]:
    return [row["id"] for row in frame["notifications"]]


def push(server: Server, count: int) -> list[str]:
    return [server.ingest(f"message {n}")["notification_id"] for n in range(count)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that only tests of one tab after the other use."""
    server = Server(tmp_path_factory.mktemp("stream"))
    try:
        yield server.start()
    finally:
        server.stop()
        server.client.close()


def test_without_a_cursor_the_stream_begins_with_a_snapshot(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    pinned = server.ingest("outage", banner=True)["notification_id"]
    sent = [server.ingest(f"{n}", autoClose=1000)["notification_id"] for n in range(60)]
    server.change(sent[-1], dismissed=True)
    with server.websocket() as tab:
        frame = tab.receive()
    assert frame["type"] == "snapshot"
    assert ids(frame) == sent[-2:-52:-1]
    assert [row["id"] for row in frame["pinned"]] == [pinned]
    assert frame["counts"] == {"inbox": 60, "unread": 60, "dismissed": 1, "snoozed": 0}
    assert frame["durable"] is True
    assert frame["cursor"] == server.page()["cursor"]


def test_a_tab_goes_on_from_its_cursor(make_server: Callable[..., Server]) -> None:
    server = make_server()
    old, read, revoked = (server.ingest(m)["notification_id"] for m in ("a", "b", "c"))
    with server.websocket() as tab:
        cursor = tab.receive()["cursor"]
    with server.websocket(cursor) as tab:
        frame = tab.receive()
        assert frame["type"] == "changes"
        assert frame["notifications"] == []
        assert frame["cursor"] == cursor
    server.change(read, read=True)
    server.request("DELETE", f"/{NAMESPACE}/ingest/{revoked}")
    new = server.ingest("d")["notification_id"]
    with server.websocket(cursor) as tab:
        frame = tab.receive()
    assert frame["type"] == "changes"
    assert ids(frame) == [read, revoked, new]
    assert old not in ids(frame)
    assert frame["notifications"][1]["revoked"]
    # After a SIGKILL too.
    server.kill()
    server.start()
    with server.websocket(cursor) as tab:
        again = tab.receive()
    assert {**again, "now": None} == {**frame, "now": None}


def test_a_tab_that_missed_very_much_gets_a_snapshot(server: Server) -> None:
    with server.websocket() as tab:
        cursor = tab.receive()["cursor"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: server.ingest(f"{n}"), range(501)))
    with server.websocket(cursor) as tab:
        frame = tab.receive()
    assert frame["type"] == "snapshot"
    assert len(frame["notifications"]) == 50


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "nonsense", ":", ":1", "other:1", "\x00:1", "{epoch}", "{epoch}:"),
        *("{epoch}:-1", "{epoch}:1.0", "{epoch}:٣"),
        *("{epoch}:9007199254740991", "{epoch}:" + "9" * 500),
    ],
    ids=repr,
)
def test_a_cursor_that_is_of_no_use_costs_one_snapshot(server: Server, cursor: str) -> None:
    server.ingest("m")
    epoch = server.status()["store"]["epoch"]
    with server.websocket(cursor.replace("{epoch}", epoch)) as tab:
        assert tab.receive()["type"] == "snapshot"
        # The stream then works like any other.
        id_ = server.ingest("m")["notification_id"]
        assert tab.receive()["notifications"][0]["id"] == id_


def test_a_cursor_that_is_not_utf8_is_of_no_use_either(server: Server) -> None:
    token = {"Authorization": f"Bearer {server.token}"}
    url = f"{server.url}/{NAMESPACE}/stream?cursor=%FF".replace("http", "ws", 1)
    with Frames(connect(url, additional_headers=token, proxy=None)) as tab:
        assert tab.receive()["type"] == "snapshot"


def test_each_change_comes_by_itself(server: Server) -> None:
    with server.websocket() as tab:
        cursor = tab.receive()["cursor"]

        def change(expected_id: str | None = None) -> dict[str, Any]:
            nonlocal cursor
            frame = tab.receive()
            assert frame["type"] == "changes"
            (row,) = frame["notifications"]
            assert expected_id in (None, row["id"])
            assert frame["cursor"] == server.page()["cursor"] != cursor
            assert frame["counts"] == server.page()["counts"]
            cursor = frame["cursor"]
            return dict(row)

        id_ = server.ingest("m", key="k", type="in-progress", progress=0)["notification_id"]
        assert change(id_)["message"] == "m"
        server.ingest("m", key="k", type="in-progress", progress=0.5)
        assert change(id_)["progress"] == 0.5
        server.change(id_, read=True)
        assert change(id_)["read"]
        server.change(id_, dismissed=True)
        assert change(id_)["dismissed"]
        server.change(id_, dismissed=False, read=False)
        assert change(id_)["dismissed"] is None
        server.request("DELETE", f"/{NAMESPACE}/ingest/k")
        assert change(id_)["revoked"]


def test_a_change_of_many_is_one_frame(server: Server) -> None:
    server.request("PATCH", f"/{NAMESPACE}/notifications", {"all": True, "read": True})
    sent = set(push(server, 20))
    with server.websocket() as tab:
        tab.receive()
        server.request("PATCH", f"/{NAMESPACE}/notifications", {"all": True, "read": True})
        frame = tab.receive()
    assert set(ids(frame)) == sent
    assert all(row["read"] for row in frame["notifications"])
    assert frame["counts"]["unread"] == 0


def test_many_tabs_get_all_of_many_messages(server: Server) -> None:
    no_tab_is_left(server)
    with ExitStack() as stack, ThreadPoolExecutor(20) as pool:
        tabs = [stack.enter_context(server.websocket()) for _ in range(12)]
        for tab in tabs:
            assert tab.receive()["type"] == "snapshot"
        reading = [pool.submit(tab.rows_until, lambda rows: len(rows) == 50, 20) for tab in tabs]
        receipts = list(pool.map(lambda n: server.ingest(f"message {n}"), range(50)))
        assert {r["tabs"] for r in receipts} == {12}
        sent = {r["notification_id"]: r["seq"] for r in receipts}
        for rows in reading:
            assert {id_: row["seq"] for id_, row in rows.result(20).items()} == sent


def test_a_tab_that_comes_and_goes_misses_nothing(server: Server) -> None:
    rows: dict[str, dict[str, Any]] = {}
    with server.websocket() as tab:
        cursor = tab.receive()["cursor"]
    with ThreadPoolExecutor(1) as pool:
        pushing = pool.submit(
            lambda: [server.ingest(f"{n}")["notification_id"] for n in range(200)]
        )
        while True:
            done = pushing.done()
            with server.websocket(cursor) as tab:
                frame = tab.receive()
            cursor = frame["cursor"]
            rows.update((row["id"], row) for row in frame["notifications"])
            if done:
                break
        sent = pushing.result()
    assert set(rows) == set(sent)


# Frames from a tab


def test_a_ping_is_answered_and_anything_else_is_passed_over(server: Server) -> None:
    with server.websocket() as tab:
        tab.receive()
        for odd in ("", "ping", "[]", "null", "5", '{"type": 5}', '{"type": ["ping"]}', "{}"):
            tab.send(odd)
        tab.send(b"\xff\xfe")
        tab.send("[" * 1000)
        tab.send({"type": "ping"})
        assert tab.receive() == {"type": "pong"}


def test_a_tab_that_says_too_much_is_closed_and_comes_back(server: Server) -> None:
    with server.websocket() as tab:
        cursor = tab.receive()["cursor"]
        tab.send("x" * 2000)
        with pytest.raises(ConnectionClosed):
            tab.receive()
    with server.websocket(cursor) as tab:
        assert tab.receive()["type"] == "changes"


def test_a_closed_tab_is_forgotten(server: Server) -> None:
    no_tab_is_left(server)
    with server.websocket() as stays:
        stays.receive()
        with server.websocket() as goes:
            goes.receive()
            assert server.status()["tabs"] == 2
        wait_for(lambda: server.status()["tabs"] == 1, "one tab is left")
    no_tab_is_left(server)


def no_tab_is_left(server: Server) -> None:
    wait_for(lambda: server.status()["tabs"] == 0, "every tab is forgotten")


# A tab that does not read


def connect_and_read_nothing(server: Server) -> socket.socket:
    """Return a stream's socket, its handshake done, with a receive buffer that is soon full."""
    quiet = socket.socket()
    quiet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    quiet.settimeout(10)
    quiet.connect(("127.0.0.1", server.port))
    quiet.sendall(
        (
            f"GET /{NAMESPACE}/stream HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Authorization: Bearer {server.token}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
        ).encode()
    )
    assert quiet.recv(12) == b"HTTP/1.1 101"
    return quiet


def test_a_tab_that_does_not_read_holds_no_memory_and_delays_nobody(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    count = 600
    actions = [{"label": "x", "args": {"filler": "f" * 40_000}}]

    def resident() -> int:
        return int(process.memory_info().rss)

    # The first messages make the server load code that it needs in any case.
    for _ in range(20):
        server.ingest("warm", actions=actions)
    with connect_and_read_nothing(server), server.websocket() as tab:
        tab.receive()
        before = resident()
        for _ in range(count):
            id_ = server.ingest("m", actions=actions)["notification_id"]
            # Wait for each message: a tab that lags would get many messages in one frame.
            tab.rows_until(lambda rows, id_=id_: id_ in rows)
        grown = resident() - before
    # The other tab has received 24 MB.
    assert grown < 12_000_000


def test_of_many_tabs_that_do_not_read_most_are_told_to_come_back(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(
        config_py="from jupyterlab_notify import broadcaster\nbroadcaster.MAX_SENDING = 100_000\n"
    )
    actions = [{"label": "x", "args": {"filler": "f" * 40_000}}]
    count = 20
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connect_and_read_nothing(server))
        tab = stack.enter_context(server.websocket())
        cursor = tab.receive()["cursor"]
        # The system keeps some megabytes for each connection before any frame waits here.
        for _ in range(400):
            id_ = server.ingest("m", actions=actions)["notification_id"]
            tab.rows_until(lambda rows, id_=id_: id_ in rows)
            if server.status()["tabs"] < count / 2:
                break
        else:
            pytest.fail("no tab was cut off")
    # Who was told to come back goes on from where it was.
    with server.websocket(cursor) as tab:
        assert id_ in ids(tab.receive())


def test_a_tab_that_pings_and_does_not_read_holds_no_memory_and_leaves_no_trace(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    with server.websocket() as tab:
        tab.receive()
    before = process.memory_info().rss
    text = b'{"type": "ping"}'
    ping = bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text
    quiet = connect_and_read_nothing(server)
    quiet.settimeout(2)
    with suppress(TimeoutError):
        # The server stops to read once its answers are not read.
        for _ in range(400):
            quiet.sendall(ping * 1000)
    assert process.memory_info().rss - before < 12_000_000
    # Reset the connection while answers are under way.
    quiet.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    quiet.close()
    no_tab_is_left(server)
    assert "Traceback" not in server.log
