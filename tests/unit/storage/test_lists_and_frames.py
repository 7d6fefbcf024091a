"""Promises of pages, frames and counts, and their cost."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyterlab_notify.encoding import dumps
from jupyterlab_notify.manager import NotificationManager
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import (
    Cursor,
    Retention,
    StateChange,
    Storage,
    Transaction,
    database_file,
    no_operation,
)
from jupyterlab_notify.storage import notifications as notifications_module
from jupyterlab_notify.storage.notifications import (
    MAX_CHANGES,
    PINNED_ROWS,
    SNAPSHOT_ROWS,
    Found,
    Query,
)
from jupyterlab_notify.storage.pruning import TOMBSTONE_MS

from ...support.storage import (
    Clock,
    Make,
    change,
    change_many,
    check_counts,
    do,
    frame,
    live,
    message,
    page,
    plans,
    raw,
    receive,
    revoke,
    set_timings,
    statements_of,
)


def test_pages_follow_each_other_without_gap_or_double(store: Storage) -> None:
    texts = [str(n) for n in range(25)]
    for text in texts:
        receive(store, text)
    seen: list[str] = []
    before = None
    while True:
        query = Query(limit=10, before=before)
        answer = do(store, lambda tx, query=query: store.notifications.page(tx, query), write=False)  # type: ignore[misc]  # it knows no type of a lambda's default
        seen += [row["message"] for row in answer["notifications"]]
        receive(store, "newer than the first page")
        before = answer["next"]
        if before is None:
            break
    assert seen == texts[::-1]
    assert (
        do(store, lambda tx: store.notifications.page(tx, Query(limit=28)), write=False)["next"]
        is None
    )


def test_filters_must_all_hold(store: Storage) -> None:
    receive(store, "Straße gesperrt", source="Verkehr", type="warning")
    receive(store, "Quota", source="VERKEHR", body="Ihre STRASSE", type="error")
    read = receive(store, "Δοκιμή", source="queue")
    gone = receive(store, "dismissed", source="queue")
    change(store, read, read=True)
    change(store, gone, dismissed=True)
    assert page(store, text="STRASSE") == ["Quota", "Straße gesperrt"]
    assert page(store, text="strasse ihre") == ["Quota"]
    assert page(store, text="δοκιμΉ") == ["Δοκιμή"]
    assert page(store, text="verkehr", types=("warning",)) == ["Straße gesperrt"]
    assert page(store, types=("warning", "error")) == ["Quota", "Straße gesperrt"]
    assert page(store, source="verk") == ["Quota", "Straße gesperrt"]
    assert page(store, view="unread") == ["Quota", "Straße gesperrt"]
    assert page(store, view="dismissed") == ["dismissed"]
    assert page(store, view="unread", text="100%_'\"\\") == []


def test_a_search_in_pieces_finds_what_one_in_a_piece_does(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        receive(store, f"{number} {'even' if number % 2 == 0 else 'odd'}", body="x" * (number % 7))

    def pages() -> list[tuple[list[str], int | None]]:
        found = []
        for text, limit in (("even", 4), ("even", 30), ("xxxxxx", 3), ("5", 50), ("none", 5)):
            before = None
            while True:
                query = Query(text=text, limit=limit, before=before)
                answer = do(
                    store, lambda tx, query=query: store.notifications.page(tx, query), write=False
                )  # type: ignore[misc]  # it knows no type of a lambda's default
                rows = [row["message"] for row in answer["notifications"]]
                found.append((rows, before := answer["next"]))
                if before is None:
                    break
        return found

    whole = pages()
    assert sum(len(rows) for rows, _ in whole) == 30 + 30 + 8 + 15
    for size in (1, 7, 30, 60):
        monkeypatch.setattr(notifications_module, "SCANNED_ROWS", size)
        assert pages() == whole


async def test_a_long_search_keeps_nobody_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications_module, "SCANNED_ROWS", 1)
    manager = NotificationManager(Storage(path))
    for number in range(100):
        await manager.receive(IngestMessage(message=f"message {number}"), "queue")
    search = asyncio.ensure_future(manager.page(Query(text="MESSAGE 1", limit=50)))
    await asyncio.sleep(0)
    await manager.receive(IngestMessage(message="message 1 that comes meanwhile"), "queue")
    assert not search.done()
    found = json.loads(await search)
    numbers = [n for n in range(100) if "1" in str(n)]
    assert [row["message"] for row in found["notifications"]] == [
        f"message {n}" for n in reversed(numbers)
    ]
    assert found["next"] is None
    epoch = manager.storage.engine.state.epoch
    assert Cursor.parse(found["cursor"]) == Cursor(epoch, 100), "what came is news"
    await manager.stop()


def test_a_cursor_is_read_as_it_is_written() -> None:
    assert Cursor.parse("ab:12") == Cursor("ab", 12)
    assert str(Cursor("ab", 12)) == "ab:12"
    for text in (None, "", "ab", "ab:", ":-1", "ab:1.0", "ab:²", "ab:" + "9" * 17):
        assert Cursor.parse(text) is None


def test_changes_are_the_present_state_of_what_changed(store: Storage) -> None:
    a, b, c = (receive(store, text) for text in "abc")
    cursor = store.position.cursor
    assert frame(store, cursor)["notifications"] == []
    change(store, a, read=True)
    change(store, a, dismissed=True)
    revoke(store, b)
    got = frame(store, cursor)
    assert got["type"] == "changes"
    assert got["cursor"] == str(store.position.cursor)
    assert [(row["id"], row["seq"]) for row in got["notifications"]] == [
        (a, cursor.seq + 2),
        (b, cursor.seq + 3),
    ]
    assert got["counts"] == {"inbox": 1, "unread": 1, "dismissed": 1, "snoozed": 0}
    assert got["durable"] is True
    assert c in live(store)


def test_a_cursor_that_leads_nowhere_gets_a_snapshot(store: Storage) -> None:
    receive(store)
    here = store.position.cursor
    assert frame(store, here)["type"] == "changes"
    for cursor in (None, Cursor("another", here.seq), Cursor(here.epoch, here.seq + 1)):
        assert frame(store, cursor)["type"] == "snapshot"


def test_too_many_changes_are_a_snapshot(store: Storage) -> None:
    cursor = Cursor(store.engine.state.epoch, 0)
    receive(store)
    cursor = Cursor(store.engine.state.epoch, 0)
    for _ in range(MAX_CHANGES - 1):
        receive(store)
    assert frame(store, cursor)["type"] == "changes"
    receive(store)
    assert frame(store, cursor)["type"] == "snapshot"


def test_a_snapshot_has_the_newest_and_what_must_be_in_sight(store: Storage) -> None:
    banner = receive(store, "banner", banner=1)
    sticky = receive(store, "sticky", auto_close="false")
    running = receive(store, "running", type="in-progress")
    receive(store, "plain")
    for text in ("read", "away"):
        row = receive(store, text, auto_close="false")
        change(store, row, read=True, dismissed=text == "away")
    change(store, receive(store, "put away", banner=1), dismissed=True)
    for number in range(SNAPSHOT_ROWS):
        receive(store, f"newer {number}")
    got = frame(store, None)
    assert [r["message"] for r in got["notifications"]] == [
        f"newer {n}" for n in reversed(range(SNAPSHOT_ROWS))
    ]
    assert [r["id"] for r in got["pinned"]] == [running, sticky, banner]
    for _ in range(PINNED_ROWS):
        receive(store, banner=1)
    got = frame(store, None)
    assert all(row["banner"] for row in got["notifications"])
    assert len(got["pinned"]) == 3


@pytest.mark.parametrize("via", ["bot", "mallory"])
@pytest.mark.parametrize("sources", [1, 200])
def test_a_flood_of_banners_puts_none_of_another_sender_out_of_sight(
    store: Storage, via: str, sources: int
) -> None:
    outages = [
        receive(store, f"outage {n}", source="operator", via=via, banner=1) for n in range(5)
    ]
    for number in range(400):
        source = f"flood {number % sources}"
        receive(store, f"flood {number}", source=source, via="mallory", banner=1)
    got = frame(store, None)
    assert len(got["notifications"]) == SNAPSHOT_ROWS
    assert len(got["pinned"]) == PINNED_ROWS
    shown = [row["id"] for row in got["pinned"]]
    # Of the sources of one token each has a turn, which 200 sources use up.
    assert (shown[-5:] == outages[::-1]) is (via == "bot" or sources == 1)
    positions = [row["position"] for row in got["pinned"]]
    assert positions == sorted(positions, reverse=True)


def test_counts_are_right_after_every_kind_of_change(store: Storage, clock: Clock) -> None:
    ids = [receive(store, str(n), key=str(n), dismissable=n != 3) for n in range(8)]
    steps: list[Callable[[], object]] = [
        lambda: change(store, ids[0], read=True),
        lambda: change(store, ids[0], dismissed=True),
        lambda: change(store, ids[0], read=False),
        lambda: change(store, ids[0], dismissed=False),
        lambda: change_many(store, dismissed=True),
        lambda: receive(store, "again", key="1"),
        lambda: revoke(store, ids[2]),
        lambda: revoke(store, ids[3]),
        lambda: receive(store, "short", expires_ms=clock() + 1000),
        lambda: clock.forward(2),
        lambda: page(store),
        lambda: clock.forward(TOMBSTONE_MS / 1000 + 1),
        lambda: do(store, no_operation),
        lambda: store.engine.prune(),
    ]
    for step in steps:
        step()
        check_counts(store)
    assert raw(store, "SELECT tombstones FROM state") == [(0,)]


def test_no_query_costs_more_with_history(store: Storage) -> None:
    receive(store)
    for name, plan in plans(store).items():
        assert "TEMP B-TREE" not in plan, (name, plan)
        assert re.search(r"(SEARCH|SCAN) notifications USING (COVERING )?INDEX", plan) or (
            "SEARCH notifications USING INTEGER PRIMARY KEY" in plan
        ), (name, plan)
    wanted = {name: name for name in ("inbox", "unread", "dismissed", "pinned")}
    wanted |= {"newest": "inbox", "expiry due": "expiring", "expire": "expiring"}
    for name, index in wanted.items():
        assert f"INDEX {index}" in plans(store)[name], (name, plans(store)[name])


def test_steps_of_the_everyday_do_not_grow_with_history(make: Make) -> None:
    def steps(rows: int) -> dict[str, int]:
        path = make().engine.path
        assert path is not None
        store = make(path=path.with_name(f"{rows}.sqlite"), retention=Retention(0, 0))
        for _ in range(rows // 500):
            batch = [message(auto_close="false" if n % 50 == 0 else None) for n in range(500)]
            store.run(
                [(lambda tx, row=row: store.notifications.add(tx, row), True) for row in batch]
            )  # type: ignore[misc]  # it knows no type of a lambda's default
        do(store, lambda tx: store.notifications.set_states(tx, StateChange(read=True)))
        cursor = Cursor(store.engine.state.epoch, store.engine.state.seq - 3)
        row = message(key="k")
        calls: dict[str, Callable[[], object]] = {
            "page": lambda: page(store),
            "unread": lambda: page(store, view="unread"),
            "dismissed": lambda: page(store, view="dismissed"),
            "snapshot": lambda: frame(store, None),
            "catch-up": lambda: frame(store, cursor),
            "receive": lambda: do(store, lambda tx: store.notifications.add(tx, row)),
        }
        counts: dict[str, int] = {}
        assert store.engine._db is not None
        for name, call in calls.items():
            ticks = 0

            def tick() -> None:
                nonlocal ticks
                ticks += 1

            store.engine._db.set_progress_handler(tick, 20)
            call()
            store.engine._db.set_progress_handler(None, 0)
            counts[name] = ticks
        return counts

    few, many = steps(500), steps(10_000)
    for name, count in many.items():
        assert count <= few[name] * 1.3 + 10, (name, few[name], count)


def test_an_idle_tick_is_one_transaction_that_reads(store: Storage) -> None:
    receive(store)
    asked = statements_of(store, lambda: do(store, no_operation, write=False))
    assert (asked[0], asked[-1]) == ("BEGIN", "COMMIT")
    assert len(asked) == 3
    assert asked[1].lstrip().startswith("SELECT")


def test_an_idle_tick_asks_a_file_server_for_nothing(
    make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tick() -> list[str]:
        return statements_of(store, lambda: do(store, no_operation, write=False))

    monkeypatch.setattr(database_file, "file_system", lambda path: "nfs4")
    store, other = make(), make()
    receive(store, "soon gone", expires_ms=clock() + 10_000)
    assert tick(), "what it wrote itself may have changed when something is due"
    assert [tick() for _ in range(3)] == [[]] * 3
    clock.forward(11)
    assert tick(), "something is due"
    assert do(store, store.notifications.counts, write=False)["inbox"] == 0
    tick()
    assert tick() == []
    receive(other, "of the other server", body="x" * 30_000)
    before = store.engine.state.seq
    assert tick()
    assert store.engine.state.seq == before + 1
    assert tick() == []
    set_timings(store, quiet_s=0.0)
    assert tick(), "a host may keep what it knows of a file for some seconds"


def test_a_frame_is_bounded_however_large_its_rows_are(make: Make) -> None:
    store = make()
    receive(store, "first")
    cursor = store.position.cursor
    for number in range(400):
        receive(store, "€" * 4096, key=str(number), actions='[{"label": "' + "x" * 40_000 + '"}]')
    for since in (cursor, None):
        found = frame(store, since)
        assert found["type"] == "snapshot" and found["notifications"]
        assert len(dumps(found).encode()) < 1_100_000
    assert frame(store, store.position.cursor)["type"] == "changes"
    assert len(live(store)) == 401, "the rest is in the list's pages"


@pytest.mark.parametrize("text", ["", "job"])
@pytest.mark.parametrize("filler", ["x", "€", "\x01", '"', "𝄞"])
async def test_a_page_is_bounded_in_bytes_and_the_next_goes_on_there(
    make: Make, filler: str, text: str
) -> None:
    store = make()
    label = dumps([{"label": filler, "args": {"a": filler * 9000}}])
    for number in range(150):
        receive(store, f"job {number} " + filler * 4000, actions=label)
    manager = NotificationManager(store)
    manager.start()
    seen: list[int] = []
    before: int | None = None
    while True:
        content = await manager.page(Query(text=text, limit=100, before=before))
        assert len(content.encode()) < 1_100_000
        page = json.loads(content)
        assert page["notifications"], "a page is never empty while there is more"
        seen += [int(row["message"].split()[1]) for row in page["notifications"]]
        if (before := page["next"]) is None:
            break
    assert seen == list(range(149, -1, -1))
    await manager.stop()


def test_a_row_that_is_larger_than_a_page_has_one_of_its_own(store: Storage) -> None:
    for number in range(3):
        receive(store, str(number) + "x" * 100)

    def search(tx: Transaction) -> Found:
        return store.notifications.scan(tx, Found(Query(), tx.cursor, None, room=10))

    found = do(store, search, write=False)
    assert [row["message"][0] for row in found.rows] == ["2"]
    assert found.has_more
