"""A manager on a real file, and damages of the file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.manager import NotificationManager, Received
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import StateChange, Storage, Transaction
from jupyterlab_notify.storage.notifications import Query
from jupyterlab_notify.timings import StorageTimings, Timings

from ..support import file_faults as places
from ..support.file_faults import Fault
from ..support.storage import QUICK, do, receive

#: Short intervals: all that is waited for here is under the test's control.
OFTEN = Timings(watch_interval_s=0.02)


PATIENT = QUICK._replace(busy_timeout_s=30.0)


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
    """Return all live rows, through the storage's own thread."""
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
    do(store, lambda tx: store.notifications.set_state(tx, ids[3], StateChange(read=True)))
    store.close()
    return ids


#: The fault, whether the earlier rows can still be read, and a word of the message about it.
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
        # Some builds of SQLite lack the table ``dbstat``. Then take a part of the file's middle.
        count = path.stat().st_size // 4096
        pages = list(range(count // 3, count // 2))
    db.close()
    for page in pages[len(pages) // 3 : len(pages) // 3 + 3]:
        places.overwrite(path, (page - 1) * 4096, os.urandom(4096))


def corrupt_text(path: Path) -> None:
    """Make a message's text invalid UTF-8, which SQLite itself does not notice."""
    data = path.read_bytes()
    places.overwrite(path, data.index(b"old 7 "), b"\xff\xfe\xff")


def corrupt_json(path: Path) -> None:
    """Give a field a value that is never stored."""
    data = path.read_bytes()
    places.overwrite(path, data.index(b'[{"label":"of 7"}]'), b"{{{{")


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
