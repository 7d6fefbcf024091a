"""Messages as storage takes them, and operations that are run one at a time."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jupyterlab_notify.manager import to_row
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import (
    Cursor,
    Operation,
    Retention,
    StateChange,
    Storage,
    new_id,
    no_operation,
)
from jupyterlab_notify.storage.fields import SELECT
from jupyterlab_notify.storage.notifications import Query
from jupyterlab_notify.storage.schema import MIGRATIONS
from jupyterlab_notify.storage.state import ACTIVE, DISMISSED, INBOX, PINNED, SNOOZED, UNREAD
from jupyterlab_notify.timings import StorageTimings

if TYPE_CHECKING:
    from jupyterlab_notify.storage.shapes import StoreStatus

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


class Boot:
    """A machine's clock, and the time that really passes."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.seconds = clock, 0.0

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.forward(seconds)
        self.seconds += seconds

    def open(self, path: Path, always: int = 0, timings: StorageTimings | None = None) -> Storage:
        """Open a store."""
        retention = Retention(days=90, count=0, always=always)
        return Storage(
            path,
            clock=self.clock,
            monotonic=lambda: self.seconds,
            retention=retention,
            timings=timings,
        )


def message(text: str = "Job finished", **columns: Any) -> dict[str, Any]:
    """Return a message in the columns of ``Storage.receive``."""
    row = to_row(IngestMessage(message=text), "queue")
    return {**row, "id": new_id(secrets.randbits(40)), **columns}


def set_timings(store: Storage, **timings: float) -> None:
    """Change a store's timings from now on."""
    # Only the engine reads its timings each time; the other parts keep their first ones.
    before = store.engine._timings
    changed = before._replace(**timings)  # type: ignore[arg-type]  # fields have several types
    store.engine._timings = changed


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
    """Return every row that is neither revoked nor expired, by id, wherever it is shown."""
    rows = {}
    for view in ("inbox", "dismissed", "snoozed"):
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
            "count(*) FILTER (WHERE live AND shown), "
            "count(*) FILTER (WHERE live AND shown AND read_ms IS NULL), "
            "count(*) FILTER (WHERE live AND dismissed_ms IS NOT NULL), "
            "count(*) FILTER (WHERE NOT live) FROM "
            "(SELECT *, revoked_ms IS NULL AND expired_ms IS NULL AS live, "
            "coalesce(dismissed_ms, snoozed_until_ms) IS NULL AS shown FROM notifications)"
        ).fetchone()
    )


Make = Callable[..., Storage]


SECOND_LOOK_MS = StorageTimings().second_look_ms


def listed(store: Storage, **query: Any) -> list[dict[str, Any]]:
    return list(
        do(store, lambda tx: store.notifications.page(tx, Query(**query)), write=False)[
            "notifications"
        ]
    )


def page(store: Storage, **query: Any) -> list[str]:
    return [row["message"] for row in listed(store, **query)]


def detail(store: Storage, id_: str) -> dict[str, Any]:
    return do(store, lambda tx: store.notifications.detail(tx, id_), write=False)


def change(store: Storage, id_: str, **state: bool) -> Any:
    return do(store, lambda tx: store.notifications.set_state(tx, id_, StateChange(**state)))


def change_many(store: Storage, **which: Any) -> Any:
    state = {name: which.pop(name) for name in StateChange._fields if name in which}
    return do(store, lambda tx: store.notifications.set_states(tx, StateChange(**state), **which))


def set_back(path: Path, version: int) -> None:
    """Turn a database into one of an earlier schema version, with the data that fits there."""
    old = sqlite3.connect(":memory:")
    for script in MIGRATIONS[:version]:
        old.executescript(script)
    old.execute(f"PRAGMA user_version = {version}")
    old.execute("ATTACH ? AS present", (str(path),))
    tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    for (table,) in old.execute(tables).fetchall():
        names = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"DELETE FROM main.{table}")
        old.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM present.{table}")
    # Copying has run the counting triggers again, so take over the counters as they were.
    old.execute("DELETE FROM main.state")
    names = ", ".join(row[1] for row in old.execute("PRAGMA main.table_info(state)"))
    old.execute(f"INSERT INTO main.state ({names}) SELECT {names} FROM present.state")
    old.commit()
    old.execute("DETACH present")
    file = sqlite3.connect(path)
    old.backup(file)
    file.close()
    old.close()


def revoke(store: Storage, name: str, source: str = "queue") -> Any:
    return do(store, lambda tx: store.notifications.revoke(tx, name, source))


def frame(store: Storage, since: Cursor | None) -> dict[str, Any]:
    return do(store, lambda tx: store.notifications.frame(tx, since), write=False)


def raw(store: Storage, sql: str) -> list[Any]:
    db = sqlite3.connect(str(store.engine.path))
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def check_counts(store: Storage) -> None:
    db = sqlite3.connect(str(store.engine.path))
    try:
        columns = "inbox, unread, dismissed, tombstones"
        assert list(db.execute(f"SELECT {columns} FROM state").fetchone()) == counted(db)
    finally:
        db.close()


def progress_of(store: Storage, clock: Clock, text: str = "Training", **columns: Any) -> str:
    beat = {"interrupt_ms": clock() + 30_000, "heartbeat_ms": 30_000}
    columns = {"key": "k", "type": "in-progress", **beat, **columns}
    return receive(store, text, **columns)


def give_up(store: Storage, clock: Clock, seconds: float) -> None:
    """Let time pass, and then enough for a silent sender to count as dead."""
    clock.forward(seconds)
    do(store, no_operation, write=False)
    clock.forward(SECOND_LOOK_MS / 1000)
    do(store, no_operation, write=False)


def plans(store: Storage) -> dict[str, str]:
    page_of = f"{SELECT} WHERE {{}} AND position < 99 ORDER BY position DESC LIMIT 51"
    queries = {
        "inbox": page_of.format(INBOX),
        "unread": page_of.format(UNREAD),
        "dismissed": page_of.format(DISMISSED),
        "snoozed": page_of.format(SNOOZED),
        "pinned": page_of.format(PINNED),
        "newest": f"{SELECT} WHERE {INBOX} ORDER BY position DESC LIMIT 50",
        "catch-up": f"{SELECT} WHERE seq > 5 ORDER BY seq LIMIT 501",
        "one": f"{SELECT} WHERE id = 'x' AND {ACTIVE}",
        "by key": f"SELECT id FROM notifications WHERE source = 'a' AND key = 'b' AND {ACTIVE}",
        "revoke": f"SELECT id, source FROM notifications WHERE key = 'b' AND {ACTIVE}",
        "expiry due": "SELECT min(expires_ms) FROM notifications "
        f"WHERE expires_ms IS NOT NULL AND {ACTIVE}",
        "expire": f"SELECT id FROM notifications WHERE expires_ms <= 5 AND {ACTIVE}",
        "undo": f"SELECT id FROM notifications WHERE seq BETWEEN 3 AND 4 AND {ACTIVE}",
        "many": "SELECT id FROM notifications WHERE id IN (SELECT value FROM json_each('[]'))",
    }
    db = sqlite3.connect(str(store.engine.path))
    try:
        return {
            name: "; ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}"))
            for name, sql in queries.items()
        }
    finally:
        db.close()


def statements_of(store: Storage, call: Callable[[], object]) -> list[str]:
    """Return the statements that SQLite runs during a call."""
    asked: list[str] = []
    assert store.engine._db is not None
    store.engine._db.set_trace_callback(asked.append)
    call()
    store.engine._db.set_trace_callback(None)
    return [sql for sql in asked if not sql.startswith("--")]


#: SQLite's number for ``synchronous = EXTRA``: the log or the file is synced, and also the folder
#: from which a journal is deleted.
EXTRA = 3


def restore(path: Path, backup: sqlite3.Connection) -> None:
    """Do what the shell's ``.restore`` does: it writes into the file that is there."""
    target = sqlite3.connect(path)
    backup.backup(target)
    target.close()


def backed_up(path: Path, backup: sqlite3.Connection) -> None:
    source = sqlite3.connect(path)
    source.backup(backup)
    source.close()
