"""What is saved of a database that fails, and carried over to the one that takes its place.

While a file cannot be used, memory goes on with its newest rows; when it works again, it gets what
memory learned meanwhile, unless another server changed the same. So this knows what rows mean, as
far as two sets of them have to become one.
"""

from __future__ import annotations

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from .schema import ACTIVE, BURY, COLUMNS, HAS_BODY, PINNED, SCHEMA_VERSION, Cursor, Row, to_wire

#: How many rows a memory store takes over from a failing file.
RESCUED_ROWS = 1000

#: What makes a row of a table beside the notifications unique, and what it is ordered by.
BESIDE = {
    "outbox": (("id",), "number"),
    "listed": (("central", "remote"), "central, remote"),
    "welcome": (("id",), "id"),
    "askers": (("central", "owner"), "central, owner"),
}
#: A welcome message of which nothing is kept.
UNKNOWN_WELCOME: Row = {"listed": 0, "views": 0, "told": 0}


class Beside(NamedTuple):
    """What is kept beside the notifications: each table's rows by their key, and what state says.

    Parameters
    ----------
    tables
        By name, in the tables' order.
    welcome, muted_ms
        See ``Database``.
    """

    tables: dict[str, dict[Any, Row]]
    welcome: int = 0
    muted_ms: int | None = None


class Rescued(NamedTuple):
    """What could be read of a database: its newest rows, what else it keeps, where it stands."""

    rows: list[Row]
    beside: Beside
    origin: Cursor | None


def read(db: sqlite3.Connection) -> Rescued | None:
    """Read what there is to save; None if nothing could be read where something should be.

    Raises
    ------
    sqlite3.Error, TypeError
        If it cannot even be said where the database stands.
    """
    if db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        return None
    origin = Cursor(*db.execute("SELECT epoch, seq FROM state").fetchone())
    rows = _newest(db)
    if rows or db.execute("SELECT inbox FROM state").fetchone() == (0,):
        return Rescued(rows, _beside(db), origin)
    return None


class Rescue(ABC):
    """The lower half of ``Database``: one connection's rows, and how others come into it.

    Its methods are called in a transaction that writes. ``seq``, ``welcome`` and ``muted_ms`` are
    what that transaction will store.
    """

    def __init__(self) -> None:
        self.seq = 0
        #: How often what is said of welcome messages has changed, and since when none is due.
        self.welcome = 0
        self.muted_ms: int | None = None
        self._now = 0
        self._db: sqlite3.Connection | None = None
        #: Where the file stood when memory took over from it, and where memory began.
        self._origin: Cursor | None = None
        self._adopted_seq = 0
        self._adopted = Beside({})
        #: When the person, in memory, last wanted every welcome message again. To note it twice
        #: is the same, as an operation may be run again.
        self._reset_ms: int | None = None

    @abstractmethod
    def _carry_reset(self, reset_ms: int) -> None:
        """Make due, in a file that memory did not know, what was dismissed before the reset."""

    def _execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        assert self._db is not None
        return self._db.execute(sql, values)

    def _next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def _bury(self, id_: str, column: str) -> None:
        """Make a tombstone of a row; ``column`` says why."""
        self._execute(BURY.format(column=column), (self._next_seq(), self._now, id_))

    def _insert(self, row: Row, table: str = "notifications") -> None:
        row = {name: value for name, value in row.items() if name != "number"}
        marks = ", ".join(f":{name}" for name in row)
        self._execute(f"INSERT OR IGNORE INTO {table} ({', '.join(row)}) VALUES ({marks})", row)

    def _take_in(self, rescued: Rescued) -> None:
        """Take in what was saved of a database that was given up, but for what is known."""
        for row in sorted(rescued.rows, key=lambda row: row["position"]):
            row["seq"] = row["position"] = self._next_seq()
            self._insert(row)
        for table, kept in rescued.beside.tables.items():
            for row in kept.values():
                self._insert(row, table)
        # Another number than any before: what a tab has seen of the file may differ.
        self.welcome = max(self.welcome, rescued.beside.welcome) + 1
        self.muted_ms = rescued.beside.muted_ms or self.muted_ms

    def _carry(self, memory: sqlite3.Connection, *, same: bool) -> None:
        """Store what memory learned since it took over; all of it, if this is not the ``same``."""
        rows = _rows(
            memory,
            f"SELECT {_stored_columns(memory)} FROM notifications WHERE seq > ? ORDER BY position",
            (self._adopted_seq if same else 0,),
        )
        # Spent whether or not there are rows: it shows that the file takes a write.
        self._next_seq()
        for row in rows:
            self._carry_one(row, self._origin.seq if same and self._origin else None)
        if self._reset_ms is not None and not same:
            self._carry_reset(self._reset_ms)
        self._carry_beside(_beside(memory), self._adopted if same else Beside({}))

    def _carry_one(self, row: Row, origin_seq: int | None) -> None:
        live = row["revoked_ms"] is None and row["expired_ms"] is None
        known = self._execute(
            f"SELECT seq, position, {ACTIVE} FROM notifications WHERE id = ?", (row["id"],)
        ).fetchone()
        if known is None and not live:
            return
        if known is not None and (
            not known[2] or (origin_seq is not None and known[0] > origin_seq)
        ):
            # Another server of this home directory changed it meanwhile.
            return
        if live and row["key"] is not None:
            other = self._execute(
                f"SELECT id, updated_ms FROM notifications "
                f"WHERE source = ? AND key = ? AND id <> ? AND {ACTIVE}",
                (row["source"], row["key"], row["id"]),
            ).fetchone()
            if other is not None and other[1] > row["updated_ms"]:
                return
            if other is not None:
                self._bury(other[0], "revoked_ms")
        quiet = known is not None and row["position"] <= self._adopted_seq
        if known is not None and not quiet and row["origin"] == "message":
            # The central service listed it again for memory, which did not have it: it is the
            # same one, and only what the person did with it is new.
            self._execute(
                "UPDATE notifications SET seq = ?, read_ms = coalesce(read_ms, ?), "
                "dismissed_ms = coalesce(dismissed_ms, ?) WHERE id = ?",
                (self._next_seq(), row["read_ms"], row["dismissed_ms"], row["id"]),
            )
            return
        row["seq"] = self._next_seq()
        row["position"] = known[1] if quiet else row["seq"]
        self._execute("DELETE FROM notifications WHERE id = ?", (row["id"],))
        self._insert(row)

    def _carry_beside(self, now: Beside, before: Beside) -> None:
        """Do to the tables beside the notifications what memory did to its own."""
        for table, rows in now.tables.items():
            known = before.tables.get(table, {})
            where = " AND ".join(f"{name} = :{name}" for name in BESIDE[table][0])
            for key, row in known.items():
                if key not in rows:
                    self._execute(f"DELETE FROM {table} WHERE {where}", row)
            for key, row in rows.items():
                if table == "welcome":
                    self._carry_welcome(row, known.get(key, UNKNOWN_WELCOME))
                elif key not in known:
                    # A claim says only who is at it; another number is given here.
                    self._insert(row, table)
        if now.muted_ms != before.muted_ms:
            self.muted_ms = now.muted_ms
        self.welcome = max(self.welcome, now.welcome) + 1

    def _carry_welcome(self, now: Row, before: Row) -> None:
        """Change of a welcome message what memory did: the file may know more of it than memory.

        Another server may have changed it meanwhile, or memory may never have seen the file.
        """
        changed = [name for name in now if name != "id" and now[name] != before.get(name)]
        if not changed:
            return
        values = {**now, "views": now["views"] - before["views"]}
        sets = [f"{name} = :{name}" for name in changed if name != "views"]
        self._execute("INSERT OR IGNORE INTO welcome (id) VALUES (:id)", values)
        self._execute(
            f"UPDATE welcome SET {', '.join(['views = max(views + :views, 0)', *sets])} "
            "WHERE id = :id",
            values,
        )


def _stored_columns(db: sqlite3.Connection) -> str:
    """Return the columns of a notification."""
    return ", ".join(row[1] for row in db.execute("PRAGMA table_info(notifications)"))


def _rows(db: sqlite3.Connection, sql: str, values: Iterable[Any] = ()) -> Iterator[Row]:
    cursor = db.execute(sql, tuple(values))
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _beside(db: sqlite3.Connection) -> Beside:
    """Return what is kept beside the notifications, as far as it can be read."""
    tables: dict[str, dict[Any, Row]] = {}
    for table, (names, order) in BESIDE.items():
        tables[table] = {}
        with suppress(sqlite3.Error):
            for row in _rows(db, f"SELECT * FROM {table} ORDER BY {order}"):
                if table != "welcome" or _is_json(row["content"]):
                    tables[table][tuple(row[name] for name in names)] = row
    welcome, muted_ms = 0, None
    with suppress(sqlite3.Error):
        welcome, muted_ms = db.execute("SELECT welcome, muted_ms FROM state").fetchone()
    return Beside(tables, welcome, muted_ms)


def _is_json(text: Any) -> bool:
    try:
        json.loads(text or "null")
    except (ValueError, TypeError):
        return False
    return True


def _newest(db: sqlite3.Connection) -> list[Row]:
    """Return the newest live rows, and those that must be in sight, as far as they are sound."""
    db.text_factory = lambda raw: raw.decode(errors="replace")
    columns = _stored_columns(db)
    found: dict[str, Row] = {}
    whole = True
    for source in (
        f"notifications NOT INDEXED WHERE {ACTIVE} ORDER BY position DESC",
        f"notifications WHERE {PINNED} ORDER BY position DESC",
        f"notifications NOT INDEXED WHERE {ACTIVE} ORDER BY position",
    ):
        try:
            for row in _rows(db, f"SELECT {columns} FROM {source} LIMIT {RESCUED_ROWS}"):
                if _is_sound(row):
                    found.setdefault(row["id"], row)
        except sqlite3.Error:
            whole = False
        if whole and PINNED in source:
            # What lies behind a damage can be reached from the other end only.
            break
    return list(found.values())


def _is_sound(row: Row) -> bool:
    """Whether a row is one that was stored, and not what a damage made of it."""
    values = {**row, HAS_BODY: row["body"] is not None or not row["fetched"]}
    try:
        to_wire(tuple(values[name] for name in COLUMNS.split(", ")))
        json.loads(row["data"] or "null")
    except (sqlite3.DatabaseError, ValueError, TypeError):
        return False
    return all(isinstance(row[name], str) for name in ("id", "source", "type", "message"))
