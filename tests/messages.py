"""Messages as storage takes them, and operations that are run one at a time."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import replace
from typing import Any, TypeVar

from jupyterlab_notify.storage import Operation, Query, Storage, StoreStatus, new_id
from jupyterlab_notify.timings import StorageTimings

T = TypeVar("T")

#: A store that tries a failing file again at once, and waits for no lock.
QUICK = StorageTimings(heal_interval_s=0.0, busy_timeout_s=0.3, retry_timeout_s=0.05)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ms += int(seconds * 1000)


def message(text: str = "Job finished", **columns: Any) -> dict[str, Any]:
    """Return a message in the columns of ``Storage.receive``."""
    return {
        "id": new_id(secrets.randbits(40)),
        "source": "queue",
        "key": None,
        "type": "info",
        "message": text,
        "markdown": 0,
        "body": None,
        "auto_close": None,
        "actions": "[]",
        "progress": None,
        "banner": 0,
        "dismissable": 1,
        "data": None,
        "expires_ms": None,
        "interrupt_ms": None,
        **columns,
    }


def set_timings(store: Storage, **timings: float) -> None:
    """Have a store wait for shorter, or longer, from now on."""
    # What the engine waits for; the rest looks at the timings that it was made with.
    store.engine._timings = replace(store.engine._timings, **timings)  # type: ignore[arg-type]


def do(store: Storage, call: Operation[T], write: bool = True) -> T:
    """Run one call, and raise what it raises."""
    (result,) = store.run([(call, write)])
    if isinstance(result, Exception):
        raise result
    return result


def status(store: Storage) -> StoreStatus:
    """Return where and how notifications are kept."""
    return do(store, store.status, write=False)


def receive(store: Storage, text: str = "Job finished", **columns: Any) -> str:
    """Store a message, and return its id."""
    row = message(text, **columns)
    return do(store, lambda tx: store.notifications.add(tx, row))[0]


def live(store: Storage) -> dict[str, dict[str, Any]]:
    """Return every row that is neither revoked nor expired, by id, dismissed ones included."""
    rows = {}
    for view in ("inbox", "dismissed"):
        before = None
        while True:
            page = do(store, _page(store, view, before), write=False)
            rows.update({row["id"]: row for row in page["notifications"]})
            before = page["next"]
            if before is None:
                break
    return rows


def _page(store: Storage, view: str, before: int | None) -> Operation[Any]:
    return lambda tx: store.notifications.page(tx, Query(view=view, before=before, limit=200))


def check_sound(path: Any) -> None:
    """Assert that a file is sound: SQLite says so, numbers are unique, counters are right."""
    db = sqlite3.connect(path)
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows, seqs, positions, last = db.execute(
            "SELECT count(*), count(DISTINCT seq), count(DISTINCT position), max(seq) "
            "FROM notifications"
        ).fetchone()
        assert rows == seqs == positions
        seq, *counters = db.execute(
            "SELECT seq, inbox, unread, dismissed, tombstones FROM state"
        ).fetchone()
        assert (last or 0) <= seq
        assert counters == counted(db)
    finally:
        db.close()


def counted(db: sqlite3.Connection) -> list[int]:
    """Return what the counters should say, counted row by row."""
    return list(
        db.execute(
            "SELECT "
            "count(*) FILTER (WHERE live AND dismissed_ms IS NULL), "
            "count(*) FILTER (WHERE live AND dismissed_ms IS NULL AND read_ms IS NULL), "
            "count(*) FILTER (WHERE live AND dismissed_ms IS NOT NULL), "
            "count(*) FILTER (WHERE NOT live) FROM "
            "(SELECT *, revoked_ms IS NULL AND expired_ms IS NULL AS live FROM notifications)"
        ).fetchone()
    )
