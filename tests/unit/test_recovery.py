"""Faults of the database file: messages still come in and show, and are stored afterwards."""

from __future__ import annotations

import concurrent.futures
import logging
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from jupyterlab_notify.manager import NotificationManager
from jupyterlab_notify.storage import StateChange, Storage
from jupyterlab_notify.storage.notifications import Query

from ..support import file_faults as places
from ..support.file_faults import Fault
from ..support.manager import (
    CASES,
    OFTEN,
    Log,
    corrupt_header,
    corrupt_json,
    corrupt_pages,
    corrupt_text,
    history,
    no_database,
    opened,
    send,
    stored,
    truncate,
)
from ..support.storage import QUICK, check_sound, do, live, receive, status
from ..support.tab import Tab


# Longer than a screen: one fault, from before it to after it.
@pytest.mark.parametrize(("fault", "readable", "said", "when"), CASES)
async def test_messages_show_during_a_fault_and_are_stored_after_it(
    path: Path, log: Log, fault: Fault, readable: bool, said: str, when: str
) -> None:
    with ExitStack() as stack:
        if fault is places.disk_full:
            stack.enter_context(places.small_disk(path.parent))
        old = history(path)
        broken = stack.enter_context(ExitStack())
        if when == "at_the_start":
            broken.enter_context(fault(path))
        async with opened(path) as manager:
            tab = Tab()
            manager.open(tab, None)
            await tab.until(lambda tab: tab.frames)
            if when == "while_running":
                await send(manager, "before")
                await tab.until(lambda tab: "before" in tab.messages)
                broken.enter_context(fault(path))
            # Send more than an existing log may still have room for.
            first = await send(manager, "first", body="x" * 30_000)
            assert not first.durable
            second = await send(manager, "second", key="progress", type="in-progress", progress=0.1)
            third = await send(manager, "third")
            await manager.revoke(third.id, "queue")
            await send(manager, "on", key="progress", type="in-progress", progress=0.7)
            await tab.until(lambda tab: tab.rows.get(second.id, {}).get("progress") == 0.7)
            await tab.until(lambda tab: third.id not in tab.rows)
            assert tab.durable is False
            assert [text for text in tab.messages if not text.startswith("old")][:2] == [
                "on",
                "first",
            ]
            if readable:
                assert set(old) <= set(tab.rows), "what was there is still shown"
                await manager.set_state(old[0], StateChange(read=True))
                await manager.set_state(old[2], StateChange(dismissed=True))
            status = (await manager.status("1"))["store"]
            assert status["mode"] == "memory"
            assert status["durable"] is False
            assert said in status["problem"]
            (warning,) = log(logging.WARNING)
            assert status["problem"] in warning
            assert not log(logging.INFO)

            broken.close()
            await tab.until(lambda tab: tab.durable)
            status = (await manager.status("1"))["store"]
            assert (status["durable"], status["problem"]) == (True, None)
            assert len(log(logging.INFO)) == 1
            assert len(log(logging.WARNING)) == 1
            assert (await send(manager, "after")).durable
            await tab.until(lambda tab: "after" in tab.messages)
            tab.check_against(await stored(manager))
        again = Storage(path, timings=QUICK)
        rows = live(again)
        texts = sorted(row["message"] for row in rows.values())
        expected = ["after", "first", "on", *(f"old {n}" for n in range(4))]
        assert texts == sorted(expected + ["before"] * (when == "while_running"))
        assert {first.id, second.id, *old} <= set(rows)
        assert [rows[id_]["position"] for id_ in old] == [1, 2, 3, 4], "old news is no news"
        if readable:
            assert rows[old[0]]["read"] is not None
            assert rows[old[2]]["dismissed"] is not None
        again.close()
        check_sound(path)


async def test_a_server_that_stops_right_after_a_fault_leaves_nothing_in_memory(path: Path) -> None:
    history(path)
    with places.newer_schema(path):
        manager = NotificationManager(Storage(path, timings=QUICK), timings=OFTEN)
        manager.start()
        assert not (await send(manager, "meanwhile")).durable
    # No tab is open: nobody has looked at the store since.
    await manager.stop()
    store = Storage(path, timings=QUICK)
    assert "meanwhile" in [row["message"] for row in live(store).values()]
    store.close()


async def test_two_servers_of_one_home_survive_a_fault_of_one(path: Path) -> None:
    """The other server's changes stay; of two messages with one key, the later one stays."""
    old = history(path)
    clock = {"now": 1_800_000_000_000}
    store = Storage(path, timings=QUICK, clock=lambda: clock["now"])
    other = Storage(path, timings=QUICK, clock=lambda: clock["now"])
    receive(store, "common")
    with places.locked(path):
        kept = receive(store, "kept in memory", key="mine")
        receive(store, "older", key="theirs")
        do(store, lambda tx: store.notifications.set_state(tx, old[0], StateChange(read=True)))
        do(store, lambda tx: store.notifications.set_state(tx, old[1], StateChange(read=True)))
        do(store, lambda tx: store.notifications.set_state(tx, old[3], StateChange(read=False)))
    clock["now"] += 1000
    receive(other, "of the other server")
    receive(other, "old 3 again", key="k3")
    newer = receive(other, "newer", key="theirs")
    do(other, lambda tx: other.notifications.revoke(tx, old[1], "queue"))
    clock["now"] -= 500
    receive(other, "older than the one in memory", key="mine2")
    rows = live(store)
    assert store.engine.durable
    assert rows == live(other)
    assert rows[old[0]]["read"] is not None
    assert old[1] not in rows, "it was revoked"
    assert rows[old[3]]["message"] == "old 3 again"
    assert rows[newer]["message"] == "newer"
    assert "older" not in [row["message"] for row in rows.values()]
    assert rows[kept]["position"] > 4
    store.close()
    other.close()
    check_sound(path)


@pytest.mark.parametrize("when", ["at_the_start", "while_running"])
@pytest.mark.parametrize(
    ("damage", "saved"),
    [
        (corrupt_header, 0),
        (no_database, 0),
        (truncate, 50),
        (corrupt_pages, 150),
        (corrupt_text, 198),
        (corrupt_json, 198),
    ],
)
async def test_a_corrupt_file_is_set_aside_whole_and_a_new_one_begun(
    path: Path, log: Log, damage: Callable[[Path], None], saved: int, when: str
) -> None:
    store = Storage(path, timings=QUICK)
    for number in range(200):
        action = f'[{{"label":"of {number}"}}]'
        receive(store, f"old {number} ", body="x" * 1000, actions=action)
    store.close()
    if when == "at_the_start":
        damage(path)
        bytes_ = places.content(path)
    async with opened(path) as manager:
        tab = Tab()
        if when == "while_running":
            # A new connection reads the file's damage; an open one may have pages in memory.
            await send(manager, "before")
            places.checkpoint(path)
            damage(path)
            bytes_ = places.content(path)
        manager.open(tab, None)
        assert (await send(manager, "new")).durable
        # Only reading finds what lies in the middle.
        await manager.page(Query(text="nothing"))
        await stored(manager)
        assert (await send(manager, "newer")).durable
        await tab.until(lambda tab: "newer" in tab.messages)
        tab.check_against(await stored(manager))
        assert tab.messages[0] == "newer"
        rows = sorted((await stored(manager)).values(), key=lambda row: row["position"])
        rescued = [row["message"] for row in rows if row["message"].startswith("old")]
        numbers = [int(text.split()[1]) for text in rescued if text.split()[1].isdigit()]
        assert numbers == sorted(set(numbers))
        assert len(rescued) >= saved, "what could be read is still shown"
        (warning,) = log(logging.WARNING)
        (aside,) = path.parent.glob("*.corrupt-*[0-9a-f]")
        assert str(aside) in warning
        status = (await manager.status("1"))["store"]
        # There is no problem any more, but the status still names the old file.
        assert (status["problem"], status["setAside"]) == (None, str(aside))
    # Changes after the damage lie in the new file.
    same = sum(a == b for a, b in zip(places.content(aside), bytes_, strict=False))
    if damage in (corrupt_header, no_database):
        assert places.content(aside) == bytes_
    assert same > len(bytes_) * 0.5
    check_sound(path)


@pytest.mark.parametrize("version", [-1, -14, -15, -(2**24), -(2**31)])
def test_a_version_that_nothing_has_written_is_corruption(path: Path, version: int) -> None:
    store = Storage(path, timings=QUICK)
    receive(store, "kept")
    store.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    store = Storage(path, timings=QUICK)
    receive(store, "new")
    assert {row["message"] for row in live(store).values()} == {"kept", "new"}
    found = status(store)
    assert found["durable"] and found["setAside"] is not None
    store.close()
    check_sound(path)


@pytest.mark.parametrize("fault", [places.read_only, places.mounted])
async def test_a_corrupt_file_that_cannot_be_set_aside_waits(
    path: Path, log: Log, fault: Fault
) -> None:
    history(path)
    places.overwrite(path, 0, b"garbage!" * 512)
    damaged = places.content(path)
    with ExitStack() as broken:
        broken.enter_context(fault(path))
        async with opened(path) as manager:
            tab = Tab()
            manager.open(tab, None)
            sent = await send(manager, "meanwhile")
            assert not sent.durable
            # This makes the store try the file a second time.
            await send(manager, "later")
            await tab.until(lambda tab: "meanwhile" in tab.messages)
            broken.close()
            await tab.until(lambda tab: tab.durable)
            assert sent.id in await stored(manager)
    (aside,) = path.parent.glob("*.corrupt-*")
    assert places.content(aside) == damaged
    check_sound(path)


def test_two_servers_that_find_one_corrupt_file_set_it_aside_once(path: Path) -> None:
    history(path)
    one, two = Storage(path, timings=QUICK), Storage(path, timings=QUICK)
    one.engine.open(), two.engine.open()
    places.checkpoint(path)
    corrupt_header(path)
    one.engine._handle_fault(sqlite3.DatabaseError("database disk image is malformed"))
    receive(one, "new")
    two.engine._handle_fault(sqlite3.DatabaseError("database disk image is malformed"))
    receive(two, "newer")
    assert one.engine.durable and two.engine.durable
    assert {row["message"] for row in live(one).values()} >= {"new", "newer"}
    assert live(one) == live(two)
    assert len(list(path.parent.glob("*.corrupt-*[0-9a-f]"))) == 1
    one.close(), two.close()
    check_sound(path)


def test_two_servers_that_find_one_corrupt_file_at_once_leave_the_new_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One finds the corrupt file when the other has checked it and is about to rename it."""
    slowly = QUICK._replace(busy_timeout_s=10.0)
    history(path)
    one, two = Storage(path, timings=slowly), Storage(path, timings=slowly)
    fault = sqlite3.DatabaseError("database disk image is malformed")
    rename, meanwhile = os.replace, list[Future[str]]()

    def finds(store: Storage, text: str) -> str:
        store.engine._handle_fault(fault)
        return receive(store, text)

    def rename_late(old: Path | str, new: Path | str) -> None:
        if not meanwhile:
            meanwhile.append(first.submit(finds, one, "new"))
            # If the second server does not wait for this one, it is done by then.
            concurrent.futures.wait(meanwhile, timeout=0.5)
        rename(old, new)

    # A connection belongs to its thread.
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        first.submit(one.engine.open).result(), second.submit(two.engine.open).result()
        places.checkpoint(path)
        corrupt_header(path)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", rename_late)
            ids = {second.submit(finds, two, "newer").result(), meanwhile[0].result()}
        assert one.engine.durable and two.engine.durable
        rows = first.submit(live, one).result()
        assert ids <= rows.keys()
        assert second.submit(live, two).result() == rows
        assert len(list(path.parent.glob("*.corrupt-*[0-9a-f]"))) == 1
        first.submit(one.close).result(), second.submit(two.close).result()
    check_sound(path)
