"""Faults of the database's place: messages still come in and show, and are stored afterwards."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from jupyterlab_notify.exceptions import Busy
from jupyterlab_notify.manager import NotificationManager, Received
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import Cursor, Query, Storage, Transaction
from jupyterlab_notify.timings import StorageTimings, Timings

from . import places
from .messages import QUICK, check_sound, do, live, message, receive
from .places import Fault
from .servers import Server, wait_for
from .support.sending import Api
from .tab import Tab

#: What is waited for here is under the test's control.
OFTEN = Timings(watch_interval_s=0.02)
PATIENT = replace(QUICK, busy_timeout_s=30.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notify" / "notifications.sqlite"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[int], list[str]]:
    """Return what was logged at a level, and see to it that no traceback was."""
    caplog.set_level(logging.INFO)

    def at(level: int) -> list[str]:
        assert not [r for r in caplog.records if r.exc_info or r.levelno > logging.WARNING]
        ours = [r for r in caplog.records if r.name.startswith("jupyterlab_notify")]
        return [r.getMessage() for r in ours if r.levelno == level]

    return at


Log = Callable[[int], list[str]]


@asynccontextmanager
async def opened(
    path: Path | None, timings: StorageTimings = QUICK, **options: Any
) -> AsyncIterator[NotificationManager]:
    storage = Storage(path, timings=timings)
    manager = NotificationManager(storage, timings=OFTEN, **options)
    manager.start()
    try:
        yield manager
    finally:
        await manager.stop()


async def send(manager: NotificationManager, text: str, **fields: Any) -> Received:
    return await manager.receive(IngestMessage(message=text, **fields), "queue")


async def stored(manager: NotificationManager) -> dict[str, dict[str, Any]]:
    """Return all live rows, through the inbox' own thread."""
    store = manager.storage

    def call(tx: Transaction) -> dict[str, dict[str, Any]]:
        views = (
            store.notifications.page(tx, Query(view=view, limit=10_000))
            for view in ("inbox", "dismissed")
        )
        return {row["id"]: row for page in views for row in page["notifications"]}

    return await manager._worker.submit(call, write=False)


def history(path: Path) -> list[str]:
    """Store a few notifications as an earlier server did; return their ids."""
    store = Storage(path, timings=QUICK)
    ids = [receive(store, f"old {n}", key=f"k{n}", dismissable=n != 1) for n in range(4)]
    do(store, lambda tx: store.notifications.set_state(tx, ids[3], True, None))
    store.close()
    return ids


#: The fault, whether the rows of before can still be read, and what is said of it.
AT_THE_START: list[tuple[Fault, bool, str]] = [
    (places.read_only, True, "read"),
    (places.disk_full, True, "full"),
    (places.no_growth, True, "I/O error"),
    (places.locked, True, "locked"),
    (places.newer_schema, False, "newer version"),
    (places.a_folder_in_its_place, False, "is not a file"),
    (places.a_file_for_a_folder, False, "cannot be opened"),
]
WHILE_RUNNING = [fault for fault in AT_THE_START if fault[0] in (
    places.disk_full, places.no_growth, places.locked,
)]  # fmt: skip
CASES = [
    pytest.param(*fault, when, id=f"{fault[0].__name__}-{when}")
    for when, faults in (("at_the_start", AT_THE_START), ("while_running", WHILE_RUNNING))
    for fault in faults
]


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
            # More than what a log of before may leave room for.
            first = await send(manager, "first", body="x" * 30_000)
            assert not first.durable
            second = await send(manager, "second", key="progress", type="in-progress", progress=0.1)
            third = await send(manager, "third")
            await manager.revoke(third.id, "queue", any_source=True)
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
                await manager.set_state(old[0], read=True, dismissed=None)
                await manager.set_state(old[2], read=None, dismissed=True)
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
    """What the other server did meanwhile stays; of one key, the later message does."""
    old = history(path)
    clock = {"now": 1_800_000_000_000}
    store = Storage(path, timings=QUICK, clock=lambda: clock["now"])
    other = Storage(path, timings=QUICK, clock=lambda: clock["now"])
    receive(store, "common")
    with places.locked(path):
        kept = receive(store, "kept in memory", key="mine")
        receive(store, "older", key="theirs")
        do(store, lambda tx: store.notifications.set_state(tx, old[0], True, None))
        do(store, lambda tx: store.notifications.set_state(tx, old[1], True, None))
        do(store, lambda tx: store.notifications.set_state(tx, old[3], False, None))
    clock["now"] += 1000
    receive(other, "of the other server")
    receive(other, "old 3 again", key="k3")
    newer = receive(other, "newer", key="theirs")
    do(other, lambda tx: other.notifications.revoke(tx, old[1], "queue", any_source=True))
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


# The file itself is at fault


def corrupt_header(path: Path) -> None:
    places.overwrite(path, 0, b"garbage!" * 512)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def no_database(path: Path) -> None:
    path.write_bytes(b"these are not the bytes you are looking for\n" * 1000)


def corrupt_pages(path: Path) -> None:
    """Overwrite pages in the middle of the table with the rows."""
    db = sqlite3.connect(path)
    try:
        pages = [n for (n,) in db.execute(
            "SELECT pageno FROM dbstat WHERE name = 'notifications' AND pagetype = 'leaf'"
        )]  # fmt: skip
    except sqlite3.OperationalError:
        # Without this table the largest part of the file is what is meant.
        count = path.stat().st_size // 4096
        pages = list(range(count // 3, count // 2))
    db.close()
    for page in pages[len(pages) // 3 : len(pages) // 3 + 3]:
        places.overwrite(path, (page - 1) * 4096, os.urandom(4096))


def corrupt_text(path: Path) -> None:
    """Make a message text that is no text: SQLite itself does not look at it."""
    data = path.read_bytes()
    places.overwrite(path, data.index(b"old 7 "), b"\xff\xfe\xff")


def corrupt_json(path: Path) -> None:
    """Make a field what was never stored."""
    data = path.read_bytes()
    places.overwrite(path, data.index(b'[{"label":"of 7"}]'), b"{{{{")


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
        # Nothing is wrong any more; where the old file is stays to be seen.
        assert (status["problem"], status["setAside"]) == (None, str(aside))
    # What was written after the damage lies in the new file.
    same = sum(a == b for a, b in zip(places.content(aside), bytes_, strict=False))
    if damage in (corrupt_header, no_database):
        assert places.content(aside) == bytes_
    assert same > len(bytes_) * 0.5
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
            # It was tried a second time.
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
    """One finds it when the other has looked for the last time, and is about to rename it."""
    slowly = replace(QUICK, busy_timeout_s=10.0)
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
            # If it does not wait for this one, it is done by then.
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


# Deleted and replaced


async def test_a_deleted_database_is_begun_anew_and_tabs_follow(path: Path, log: Log) -> None:
    async with opened(path) as manager:
        tab, idle = Tab(), Tab()
        manager.open(tab, None)
        stream = manager.open(idle, None)
        for number in range(5):
            await send(manager, f"old {number}")
        await idle.until(lambda tab: len(tab.rows) == 5)
        manager.close(stream)
        for file in path.parent.iterdir():
            file.unlink()
        # Nothing is sent: the tab learns of it all the same.
        await tab.until(lambda tab: not tab.rows)
        sent = await send(manager, "new")
        assert sent.durable
        assert sent.seq == 1
        await tab.until(lambda tab: tab.messages == ["new"])
        for number in range(6):
            await send(manager, f"newer {number}")
        manager.open(idle, idle.cursor)
        await idle.until(lambda tab: len(tab.rows) == 7)
        for each in (tab, idle):
            await each.until(lambda tab: tab.cursor == manager.storage.position.cursor)
            each.check_against(await stored(manager))
    (warning,) = log(logging.WARNING)
    assert "deleted or replaced" in warning
    check_sound(path)


async def test_with_its_folder_deleted_it_makes_another(path: Path) -> None:
    async with opened(path) as manager:
        await send(manager, "old")
        path.parent.rename(path.parent.with_name("away"))
        assert (await send(manager, "new")).durable
    check_sound(path)


async def test_a_restored_backup_is_shown_by_every_tab(path: Path) -> None:
    async with opened(path) as manager:
        tab = Tab()
        manager.open(tab, None)
        for number in range(3):
            await send(manager, f"old {number}")
        backup = path.with_name("backup")
        db = sqlite3.connect(path)
        target = sqlite3.connect(backup)
        db.backup(target)
        db.close(), target.close()
        for number in range(3):
            await send(manager, f"lost {number}")
        await tab.until(lambda tab: len(tab.rows) == 6)
        backup.replace(path)
        await tab.until(lambda tab: len(tab.rows) == 3)
        await send(manager, "new")
        await tab.until(lambda tab: tab.messages == ["new", "old 2", "old 1", "old 0"])
        tab.check_against(await stored(manager))
    check_sound(path)


def test_a_message_answered_while_the_file_is_deleted_is_in_the_new_one(path: Path) -> None:
    store = Storage(path, timings=QUICK)
    receive(store)
    row = message("in between")

    def call(tx: Transaction) -> Any:
        if path.exists() and os.stat(path).st_size and not deleted:
            deleted.append(True)
            for file in path.parent.iterdir():
                file.unlink()
        return store.notifications.add(tx, row)

    deleted: list[bool] = []
    do(store, call)
    store.close()
    again = Storage(path, timings=QUICK)
    assert list(live(again)) == [row["id"]]
    again.close()


# The commit that fails, and does not


def test_a_commit_that_came_through_after_all_stores_a_message_once(path: Path) -> None:
    """The disk's answer to a commit can be lost: no fault of a real disk is at hand for that."""

    class Deceiving(sqlite3.Connection):
        armed = False

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            done = super().execute(sql, *values)
            if sql == "COMMIT" and self.armed:
                self.armed = False
                raise sqlite3.OperationalError("disk I/O error")
            return done

    store = Storage(path, timings=QUICK)
    receive(store, "before")
    store.engine._disconnect()
    connect = sqlite3.connect
    made: list[Any] = []

    def deceive(*args: Any, **kwargs: Any) -> Any:
        made.append(connect(*args, **kwargs, factory=Deceiving))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", deceive)
        store.engine.open()
        made[-1].armed = True
        id_ = receive(store, "once")
    receive(store, "after")
    assert store.engine.durable
    assert sorted(row["message"] for row in live(store).values()) == ["after", "before", "once"]
    assert id_ in live(store)
    store.close()
    check_sound(path)


# Many at once


async def test_what_waits_shares_a_commit(path: Path) -> None:
    async with opened(path) as manager:
        await send(manager, "opened")
        commits = 0

        def trace(sql: str) -> None:
            nonlocal commits
            commits += sql == "COMMIT"

        def watch(tx: Transaction) -> None:
            assert manager.storage.engine._db is not None
            manager.storage.engine._db.set_trace_callback(trace)

        await manager._worker.submit(watch, write=False)
        answers = await asyncio.gather(*(send(manager, str(n)) for n in range(1000)))
        assert len({a.id for a in answers}) == len({a.seq for a in answers}) == 1000
        assert commits <= 20

        # Also what came in many turns of the event loop, while the disk was slow.
        commits, begun, slow = 0, Event(), Event()

        def wait(tx: Transaction) -> None:
            begun.set()
            slow.wait(10)

        alone = manager._worker.submit(wait, write=False)
        await asyncio.to_thread(begun.wait, 10)
        waiting = []
        for n in range(100):
            waiting.append(asyncio.ensure_future(send(manager, f"slow {n}")))
            await asyncio.sleep(0)
        # The last one takes some turns more.
        for _ in range(5):
            await asyncio.sleep(0)
        assert manager._worker._waiting == len(waiting) + 1
        assert not manager._worker._submitted
        slow.set()
        await asyncio.gather(alone, *waiting)
        # Its own, and theirs.
        assert commits == 2


async def test_a_blocked_disk_does_not_block_the_server(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path, PATIENT) as manager:
        await send(manager, "before")
        lags: list[float] = []
        goes_on = asyncio.Event()

        async def tick() -> None:
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.005)
                lags.append(time.perf_counter() - before - 0.005)
                if len(lags) >= 100:
                    goes_on.set()

        ticking = asyncio.create_task(tick())
        with places.locked(path):
            lags.clear()
            goes_on.clear()
            waiting = [asyncio.create_task(send(manager, str(n))) for n in range(100)]
            reading = asyncio.create_task(manager.status("1"))
            # The lock is held until the loop has gone on: a loop that waits for it goes on after
            # half a minute.
            await asyncio.wait_for(goes_on.wait(), 20)
            assert not any(task.done() for task in (*waiting, reading))
            assert max(lags) < 5
        answers = await asyncio.gather(*waiting)
        assert all(answer.durable for answer in answers)
        ticking.cancel()


async def test_too_much_waiting_is_refused_and_soon_taken_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path, PATIENT, max_waiting=50) as manager:
        await send(manager, "before")
        with places.locked(path):
            waiting = [asyncio.create_task(send(manager, str(n))) for n in range(60)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION, timeout=5)
            refused = [task for task in waiting if task.done()]
            assert len(refused) == 10
            assert all(isinstance(task.exception(), Busy) for task in refused)
        await asyncio.gather(*(task for task in waiting if task not in refused))
        await send(manager, "after")
        assert len(await stored(manager)) == 52


WRITER = """
import asyncio, sys
from pathlib import Path
from jupyterlab_notify.manager import NotificationManager, Received
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import Storage

async def main(path, name):
    manager = NotificationManager(Storage(Path(path)))
    manager.start()
    async def sender(n):
        for k in range(20):
            r = await manager.receive(IngestMessage(message=f"{name} {n} {k}"), name)
            print(r.id, r.seq, r.durable, flush=True)
    sys.stdin.readline()
    await asyncio.gather(*(sender(n) for n in range(10)))
    await manager.stop()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_servers_that_share_a_file_lose_and_double_nothing(path: Path) -> None:
    writers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, path, name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for name in ("one", "two", "three")
    ]
    # All open the file, which none has made yet, at once.
    outputs = await asyncio.gather(*(writer.communicate(b"go\n") for writer in writers))
    answers = [line.split() for output, _ in outputs for line in output.decode().splitlines()]
    assert len(answers) == 600
    assert all(durable == "True" for _, _, durable in answers)
    assert len({seq for _, seq, _ in answers}) == 600
    store = Storage(path, timings=QUICK)
    rows = live(store)
    assert {id_: str(row["seq"]) for id_, row in rows.items()} == {i: s for i, s, _ in answers}
    store.close()
    check_sound(path)


async def test_a_tab_sees_what_another_server_took_in(path: Path) -> None:
    async with opened(path) as one, opened(path) as two:
        tab = Tab()
        one.open(tab, None)
        await tab.until(lambda tab: tab.frames)
        sent = await send(two, "from the other")
        await tab.until(lambda tab: tab.messages == ["from the other"])
        await two.set_state(sent.id, read=True, dismissed=None)
        await tab.until(lambda tab: tab.rows[sent.id]["read"])


# Streams


async def test_a_tab_that_opens_in_the_middle_of_a_batch_misses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long the holder of the lock takes to end: this is about no fault.
    async with opened(path, PATIENT) as manager:
        for attempt in range(20):
            tab = Tab()
            with places.locked(path):
                # These wait together, and are one batch.
                before = asyncio.create_task(send(manager, f"before {attempt}"))
                await asyncio.sleep(0)
                stream = manager.open(tab, None)
                await asyncio.sleep(0)
                after = asyncio.create_task(send(manager, f"after {attempt}"))
                await asyncio.sleep(0)
            seq = max((await before).seq, (await after).seq)
            await tab.until(lambda tab, seq=seq: tab.cursor and tab.cursor.seq >= seq, 5)
            assert len(tab.rows) == min(2 * attempt + 2, 50)
            manager.close(stream)


async def test_two_frames_in_one_turn_of_the_loop_both_arrive() -> None:
    from jupyterlab_notify.broadcaster import Subscription, Update

    tab = Tab()

    def frame(seq: int) -> str:
        return (
            f'{{"type":"changes","cursor":"e:{seq}","counts":{{}},"durable":true,'
            '"notifications":[]}'
        )

    async def catch_up(since: Cursor | None) -> tuple[Cursor, str]:
        return Cursor("e", 3), frame(3)

    stream = Subscription(tab, Cursor("e", 1), catch_up)
    stream.push(Update(Cursor("e", 1), Cursor("e", 2), frame(2)))
    stream.push(Update(Cursor("e", 2), Cursor("e", 3), frame(3)))
    await tab.until(lambda tab: tab.cursor == Cursor("e", 3), 2)
    await asyncio.sleep(0)
    assert len(tab.frames) == 2
    stream.push(Update(Cursor("e", 2), Cursor("e", 3), frame(3)))
    await asyncio.sleep(0)
    assert len(tab.frames) == 2, "it has that one"


async def test_a_frame_that_fails_denies_no_message(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path) as manager:
        tab = Tab()
        manager.open(tab, None)
        await tab.until(lambda tab: tab.frames)
        await send(manager, "first")
        frame = manager.storage.notifications.frame
        failures = 0

        def fail(tx: Transaction, since: Cursor | None) -> Any:
            nonlocal failures
            failures += 1
            if failures == 1:
                raise ValueError("a bug")
            return frame(tx, since)

        monkeypatch.setattr(manager.storage.notifications, "frame", fail)
        await send(manager, "second")
        await tab.until(lambda tab: tab.messages == ["second", "first"])
        assert failures >= 2


async def test_a_listener_that_fails_denies_no_message(path: Path) -> None:
    def fail(action: str, ids: list[str]) -> None:
        raise ValueError("a bug of another extension")

    manager = NotificationManager(Storage(path, timings=QUICK), timings=OFTEN, emit_event=fail)
    manager.start()
    sent = await send(manager, "told")
    assert list(await stored(manager)) == [sent.id]
    await manager.stop()


async def test_what_waits_when_the_server_stops_is_answered(path: Path) -> None:
    manager = NotificationManager(Storage(path, timings=QUICK), timings=OFTEN)
    manager.start()
    waiting = [asyncio.create_task(send(manager, str(n))) for n in range(500)]
    await asyncio.sleep(0)
    await manager.stop()
    answers = await asyncio.gather(*waiting)
    with pytest.raises(Busy):
        await send(manager, "too late")
    store = Storage(path, timings=QUICK)
    assert set(live(store)) == {answer.id for answer in answers}
    store.close()


# A whole server


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (places.read_only, "cannot be written"),
        (places.disk_full, "full"),
        (places.newer_schema, "newer version"),
        (places.a_folder_in_its_place, "is not a file"),
        (corrupt_header, "corrupt"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_server_works_whatever_is_wrong_with_the_database(
    make_server: Callable[..., Server], fault: Any, said: str
) -> None:
    # The store tries again every ten seconds; nobody wants to wait for that here.
    server = make_server(
        start=False,
        timings=Timings(storage=StorageTimings(heal_interval_s=0.1)),
    )
    with ExitStack() as stack:
        if fault is places.disk_full:
            stack.enter_context(places.small_disk(server.database.parent))
        old = history(server.database)
        broken = stack.enter_context(ExitStack())
        if fault is corrupt_header:
            corrupt_header(server.database)
        else:
            broken.enter_context(fault(server.database))
        server.start()
        stack.callback(server.stop)
        with Api(server.url, server.token).kernel() as kernel, server.websocket() as tab:
            tab.receive()
            sent = server.ingest("meanwhile", body="x" * 30_000)
            rows = tab.rows_until(lambda rows: sent["notification_id"] in rows)
            assert rows[sent["notification_id"]]["message"] == "meanwhile"
            assert sent["durable"] is (fault is corrupt_header)
            status = server.status()["store"]
            assert status["durable"] is sent["durable"]
            if fault is corrupt_header:
                assert ".corrupt-" in status["setAside"]
            else:
                assert said in status["problem"]
            assert kernel.ok("6 * 7") == "42"
            if fault in (places.read_only, places.disk_full):
                assert set(old) <= {row["id"] for row in server.page()["notifications"]}
            (warning,) = [line for line in server.log.splitlines() if "[W" in line and said in line]
            assert str(server.database) in warning
            broken.close()
            wait_for(lambda: server.status()["store"]["durable"], "the store's recovery")
            assert kernel.ok("6 * 8") == "48"
        assert "Traceback" not in server.log
        server.stop()
        ours = [line for line in server.log.splitlines() if "otification" in line and "[W" in line]
        assert len(ours) == 1, ours
        # A kernel that is stopped while it starts has one of its own.
        assert "jupyterlab_notify/" not in server.log
        recovered = [line for line in server.log.splitlines() if "works again" in line]
        assert len(recovered) == (fault is not corrupt_header)
        store = Storage(server.database, timings=QUICK)
        texts = [row["message"] for row in live(store).values()]
        store.close()
        assert texts.count("meanwhile") == 1
        if fault is corrupt_header:
            (aside,) = server.database.parent.glob("*.corrupt-*")
            assert places.content(aside).startswith(b"garbage!" * 512)
        else:
            assert len(texts) == len(old) + 1
        check_sound(server.database)
