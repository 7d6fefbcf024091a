"""Two servers of one home directory: each shows what the other took in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyterlab_notify.timings import Timings

from ..support.servers import NAMESPACE, Server, at_once

#: Within how many seconds.
SOON_S = 3.0


#: Interval in seconds at which each server looks here; the default is often enough too.
WATCH_S = 0.25
assert Timings().watch_interval_s <= SOON_S / 2


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    timings = Timings(watch_interval_s=WATCH_S)
    one = Server(tmp_path_factory.mktemp("one"), timings=timings)
    two = Server(tmp_path_factory.mktemp("two"), timings=timings, home=one.home)
    try:
        at_once(one.start, two.start)
        yield one, two
    finally:
        at_once(one.stop, two.stop)
        one.client.close(), two.client.close()


def test_each_shows_what_the_other_took_in(pair: tuple[Server, Server]) -> None:
    one, two = pair
    assert one.database == two.database
    with one.websocket() as tab_one, two.websocket() as tab_two:
        tab_one.receive(), tab_two.receive()
        # Each way, more than once: the watching does not end with the first.
        for n in range(2):
            for server, tab in ((one, tab_two), (two, tab_one)):
                id_ = server.ingest(f"message {n}")["notification_id"]
                rows = tab.rows_until(lambda rows, id_=id_: id_ in rows, SOON_S)
                assert rows[id_]["message"] == f"message {n}"
        # The user's changes follow too, and the sender's revocations.
        two.change(id_, read=True)
        assert tab_one.rows_until(lambda rows: bool(rows.get(id_, {}).get("read")), SOON_S)
        one.request("PATCH", f"/{NAMESPACE}/notifications", {"all": True, "dismissed": True})
        assert tab_two.rows_until(
            lambda rows: len(rows) == 4 and all(row["dismissed"] for row in rows.values()), SOON_S
        )
        two.request("DELETE", f"/{NAMESPACE}/ingest/{id_}")
        assert tab_one.rows_until(lambda rows: bool(rows.get(id_, {}).get("revoked")), SOON_S)
    assert one.page()["counts"] == two.page()["counts"]
    # A tab may come from one to the other with its cursor.
    cursor = one.page()["cursor"]
    new = one.ingest("new")["notification_id"]
    with two.websocket(cursor) as tab:
        frame = tab.receive()
    assert frame["type"] == "changes"
    assert [row["id"] for row in frame["notifications"]] == [new]


def test_both_take_in_at_once_and_lose_nothing(pair: tuple[Server, Server]) -> None:
    one, two = pair
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        receipts = list(
            pool.map(lambda n: (one, two)[n % 2].ingest(f"{n}", key=f"{n // 4}"), range(120))
        )
    assert time.monotonic() - started < 30
    seqs = [receipt["seq"] for receipt in receipts]
    assert len(set(seqs)) == len(seqs)
    for server in (one, two):
        keys = [row["key"] for row in server.page(limit=200)["notifications"] if row["key"]]
        assert sorted(keys) == sorted(f"{n}" for n in range(30))
