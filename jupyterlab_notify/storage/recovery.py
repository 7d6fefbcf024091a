"""Save the content of a failing database, and merge it into the database that takes its place.

While a file cannot be used, memory goes on with its newest rows. When the file works again, it
gets the changes from memory, except where another server has changed the same rows.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from .connection import connect
from .cursor import Cursor
from .database_file import find_obstacle
from .fields import FIELDS, named_insert, tombstone
from .schema import SCHEMA_VERSION
from .soundness import RowCheck
from .state import ACTIVE, ADD_USER_STATES, PINNED
from .transaction import MAX_SEQ, StoreState, Transaction

#: A row of any table by column name. Whole rows are copied from one database to another.
StoredRow = dict[str, Any]

#: Number of rows that memory takes over from a failing file, and of bytes of pictures.
SALVAGED_ROWS = 1000
SALVAGED_PICTURE_BYTES = 16_000_000

#: The other tables: the columns that identify a row, and the order in which rows are copied.
AUXILIARY_TABLES = {
    "outbox": (("id",), "number"),
    "listed": (("central", "remote"), "central, remote"),
    "welcome": (("id",), "id"),
    "askers": (("central", "owner"), "central, owner"),
    "quiet": (("source",), "source"),
}
_FIND_HELD = "SELECT * FROM held WHERE id = ?"
#: The values of a welcome message without a row.
NEW_WELCOME: StoredRow = {"listed": 0, "views": 0, "told": 0}


class AuxiliaryRows(NamedTuple):
    """The rows of the other tables.

    Parameters
    ----------
    tables
        The rows of each table of ``AUXILIARY_TABLES`` by their key.
    welcome, muted_ms
        See ``StoreState``.
    """

    tables: dict[str, dict[Any, StoredRow]]
    welcome: int = 0
    muted_ms: int | None = None


class Salvage(NamedTuple):
    """The readable part of a database: newest rows and pictures, other tables, its cursor."""

    rows: list[StoredRow]
    auxiliary: AuxiliaryRows
    origin: Cursor | None
    pictures: tuple[StoredRow, ...] = ()


class Recovery:
    """Saves the content of a failing file, and merges memory back into it.

    Parameters
    ----------
    repeat_reset
        Repeats a reset of the welcome messages in a file that memory did not come from.
    """

    def __init__(self, repeat_reset: Callable[[Transaction, int], None]) -> None:
        self._repeat_reset = repeat_reset
        #: The file's cursor when memory took over from it.
        self._origin: Cursor | None = None
        #: The state of memory when it took over.
        self._start_seq = 0
        self._start = AuxiliaryRows({})

    # From a failing file into memory, or into a new file

    def salvage(
        self, db: sqlite3.Connection | None, path: Path | None, timeout_s: float
    ) -> Salvage:
        """Read the newest rows of a failing file, its other tables, and its cursor.

        Parameters
        ----------
        db
            The connection that failed, if there is one.
        path
            The file, if there is one.
        timeout_s
            How long to wait for another process's lock.
        """
        # SQLite would wait for a pipe in the place of a journal for ever.
        blocked = path is not None and find_obstacle(path, ("-journal",)) is not None
        for mode in ("as it is", "mode=ro", "immutable=1"):
            if mode == "as it is":
                if db is None or (blocked and not os.path.isfile(f"{path}-wal")):
                    continue
                source = db
            # Not ``Path.is_file``, which raises if a folder is not accessible.
            elif path is None or not os.path.isfile(path):
                break
            elif mode == "mode=ro" and find_obstacle(path) is not None:
                continue
            else:
                try:
                    source = connect(f"{path.absolute().as_uri()}?{mode}", damaged=True)
                except (sqlite3.Error, OSError):
                    continue
            try:
                source.execute(f"PRAGMA busy_timeout = {timeout_s * 1000:.0f}")
                if (salvage := _read(source)) is not None:
                    return salvage
            except (sqlite3.Error, TypeError):
                continue
            finally:
                if source is not db:
                    source.close()
        return Salvage([], AuxiliaryRows({}), None)

    def restore(self, transaction: Transaction, salvage: Salvage) -> None:
        """Store what was saved from a database that was given up, except rows that exist."""
        for row in sorted(salvage.rows, key=lambda row: row["position"]):
            row["seq"] = row["position"] = transaction.next_seq()
            _insert(transaction, row)
        for picture in salvage.pictures:
            _insert(transaction, picture, "pictures")
        if transaction.durable:
            _forget_lost_pictures(transaction)
        for table, kept in salvage.auxiliary.tables.items():
            for row in kept.values():
                _insert(transaction, row, table)
        state = transaction.state
        # A number higher than any before, since tabs may have seen a different state of the file.
        state.welcome = max(state.welcome, salvage.auxiliary.welcome) + 1
        state.muted_ms = salvage.auxiliary.muted_ms or state.muted_ms

    def begin(self, salvage: Salvage, state: StoreState) -> None:
        """Remember where memory takes over from the file."""
        self._origin, self._start_seq = salvage.origin, state.seq
        self._start = AuxiliaryRows(salvage.auxiliary.tables, state.welcome, state.muted_ms)
        state.reset_ms = None

    # From memory into the file

    def has_news(self, state: StoreState) -> bool:
        """Return whether memory has changed since it took over."""
        return state.seq > self._start_seq or state.welcome != self._start.welcome

    def is_origin(self, state: StoreState) -> bool:
        """Return whether this is the file that memory took over from."""
        return self._is_same_epoch(state) and not self.is_older(state)

    def is_older(self, state: StoreState) -> bool:
        """Return whether this is an earlier version of the file that memory took over from."""
        origin = self._origin
        return origin is not None and self._is_same_epoch(state) and state.seq < origin.seq

    def _is_same_epoch(self, state: StoreState) -> bool:
        return self._origin is not None and self._origin.epoch == state.epoch

    def merge(
        self,
        transaction: Transaction,
        memory: sqlite3.Connection,
        reset_ms: int | None,
        *,
        same: bool,
    ) -> None:
        """Store what memory has received since it took over; everything in a different file.

        Parameters
        ----------
        transaction
            A transaction of the file that works again.
        memory
            The database in memory.
        reset_ms
            When the user last reset the welcome messages in memory.
        same
            Whether the file is the one that memory took over from.
        """
        rows = _rows(
            memory,
            f"SELECT {_column_names(memory)} FROM notifications WHERE seq > ? ORDER BY position",
            (self._start_seq if same else 0,),
        )
        # Even without rows, this checks that the file accepts a write.
        transaction.next_seq()
        for row in rows:
            origin_seq = self._origin.seq if same and self._origin else None
            self._merge_row(transaction, row, memory, origin_seq)
        _forget_lost_pictures(transaction)
        if reset_ms is not None and not same:
            self._repeat_reset(transaction, reset_ms)
        self._merge_auxiliary(
            transaction, _read_auxiliary(memory), self._start if same else AuxiliaryRows({})
        )

    def _merge_row(
        self,
        transaction: Transaction,
        row: StoredRow,
        memory: sqlite3.Connection,
        origin_seq: int | None,
    ) -> None:
        active = row["revoked_ms"] is None and row["expired_ms"] is None
        known = transaction.execute(
            f"SELECT seq, position, {ACTIVE} FROM notifications WHERE id = ?", (row["id"],)
        ).fetchone()
        # What has expired by a clock in doubt.
        held = None if active else next(_rows(memory, _FIND_HELD, (row["id"],)), None)
        if known is None and not active and held is None:
            return
        if known is not None and (
            not known[2] or (origin_seq is not None and known[0] > origin_seq)
        ):
            # Another server that shares the file has changed the row in the meantime.
            return
        if active and row["key"] is not None and not _take_key(transaction, row):
            return
        quiet = known is not None and row["position"] <= self._start_seq
        if known is not None and not quiet and row["origin"] == "message":
            # Memory did not have this message and stored it again from the central service's list.
            # The file has it already; only the user's actions are new.
            transaction.execute(
                f"UPDATE notifications SET seq = :seq, {ADD_USER_STATES} WHERE id = :id",
                {**row, "seq": transaction.next_seq()},
            )
            return
        row["seq"] = transaction.next_seq()
        row["position"] = known[1] if quiet else row["seq"]
        # The file's picture goes with its row.
        picture = _find_picture(transaction, held or row, memory)
        transaction.execute("DELETE FROM notifications WHERE id = ?", (row["id"],))
        _insert(transaction, row)
        if held is not None:
            _insert(transaction, held, "held")
        if picture is not None:
            _insert(transaction, picture, "pictures")

    def _merge_auxiliary(
        self, transaction: Transaction, now: AuxiliaryRows, before: AuxiliaryRows
    ) -> None:
        """Apply memory's changes of the other tables."""
        for table, rows in now.tables.items():
            known = before.tables.get(table, {})
            where = " AND ".join(f"{name} = :{name}" for name in AUXILIARY_TABLES[table][0])
            for key, row in known.items():
                if key not in rows:
                    transaction.execute(f"DELETE FROM {table} WHERE {where}", row)
            for key, row in rows.items():
                if table == "welcome":
                    _merge_welcome(transaction, row, known.get(key, NEW_WELCOME))
                elif table == "quiet":
                    if row != known.get(key):
                        transaction.execute(f"DELETE FROM quiet WHERE {where}", row)
                        _insert(transaction, row, table)
                elif key not in known:
                    # A claim in an entry of the outbox does not matter, and the file gives the
                    # entry a number of its own.
                    _insert(transaction, row, table)
        state = transaction.state
        if now.muted_ms != before.muted_ms:
            state.muted_ms = now.muted_ms
        state.welcome = max(state.welcome, now.welcome) + 1


def _take_key(transaction: Transaction, row: StoredRow) -> bool:
    """Revoke another row with the same key; return False if the other row is newer."""
    other = transaction.execute(
        f"SELECT id, updated_ms FROM notifications "
        f"WHERE source = ? AND key = ? AND id <> ? AND {ACTIVE}",
        (row["source"], row["key"], row["id"]),
    ).fetchone()
    if other is None:
        return True
    if other[1] > row["updated_ms"]:
        return False
    tombstone(transaction, other[0], "revoked_ms")
    return True


def _merge_welcome(transaction: Transaction, now: StoredRow, before: StoredRow) -> None:
    """Apply only the columns of a welcome message that memory has changed.

    The file may know more: another server may have changed it, or memory may not come from it.
    """
    changed = [name for name in now if name != "id" and now[name] != before.get(name)]
    if not changed:
        return
    values = {**now, "views": now["views"] - before["views"]}
    sets = [f"{name} = :{name}" for name in changed if name != "views"]
    transaction.execute("INSERT OR IGNORE INTO welcome (id) VALUES (:id)", values)
    transaction.execute(
        f"UPDATE welcome SET {', '.join(['views = max(views + :views, 0)', *sets])} WHERE id = :id",
        values,
    )


def _find_picture(
    transaction: Transaction, row: StoredRow, memory: sqlite3.Connection
) -> StoredRow | None:
    """Return the picture that a row of memory names, which memory may have left in the file."""
    if row["image"] is None:
        return None
    find = "SELECT id, version, size, data FROM pictures WHERE id = ? AND version = ?"
    wanted = row["id"], json.loads(row["image"])["version"]
    for source in (memory, transaction):
        found = source.execute(find, wanted).fetchone()
        if found is not None:
            return dict(zip(("id", "version", "size", "data"), found, strict=True))
    return None


def _forget_lost_pictures(transaction: Transaction) -> None:
    """Clear the pictures of rows whose pictures could not be saved."""
    transaction.execute(
        "UPDATE notifications SET image = NULL "
        "WHERE image IS NOT NULL AND id NOT IN (SELECT id FROM pictures)"
    )


def _insert(transaction: Transaction, row: StoredRow, table: str = "notifications") -> None:
    row = {name: value for name, value in row.items() if name != "number"}
    transaction.execute(named_insert(table, row, or_ignore=True), row)


def _read(db: sqlite3.Connection) -> Salvage | None:
    """Read what can be saved; return None if there should be rows but none can be read.

    Raises
    ------
    sqlite3.Error, TypeError
        If not even the database's cursor can be read.
    """
    if db.execute("PRAGMA user_version").fetchone()[0] > SCHEMA_VERSION:
        return None
    # The version's number may be what is wrong.
    if not {field.column for field in FIELDS} <= {*_column_names(db).split(", ")}:
        return None
    # A text that is no UTF-8 is read as well as possible.
    db.text_factory = lambda raw: raw.decode(errors="replace")
    state = db.execute("SELECT epoch, seq FROM state").fetchone()
    origin = None if state is None else Cursor(*state)
    rows = _read_newest(db)
    if rows or db.execute("SELECT inbox FROM state").fetchone() == (0,):
        return Salvage(rows, _read_auxiliary(db), origin, _read_pictures(db, rows))
    return None


def _read_newest(db: sqlite3.Connection) -> list[StoredRow]:
    """Return the newest active rows and the pinned ones, without damaged rows."""
    columns, check = _column_names(db), RowCheck(db, "notifications")
    found: dict[str, StoredRow] = {}
    whole = True
    for source in (
        f"notifications NOT INDEXED WHERE {ACTIVE} ORDER BY position DESC",
        f"notifications WHERE {PINNED} ORDER BY position DESC",
        f"notifications NOT INDEXED WHERE {ACTIVE} ORDER BY position",
    ):
        try:
            for row in _rows(db, f"SELECT {columns} FROM {source} LIMIT {SALVAGED_ROWS}"):
                if check.is_sound(row):
                    found.setdefault(row["id"], row)
        except sqlite3.Error:
            whole = False
        if whole and PINNED in source:
            # Only rows behind a damaged page have to be read from the other end.
            break
    return list(found.values())


def _read_pictures(db: sqlite3.Connection, rows: Iterable[StoredRow]) -> tuple[StoredRow, ...]:
    """Return the pictures of the newest rows, as far as they can be read and memory has room."""
    found: list[StoredRow] = []
    room = SALVAGED_PICTURE_BYTES
    newest_first = sorted(rows, key=lambda row: row["position"], reverse=True)
    for row in newest_first:
        if row["image"] is None:
            continue
        with suppress(sqlite3.Error):
            for picture in _rows(db, "SELECT * FROM pictures WHERE id = ?", (row["id"],)):
                room -= len(picture["data"])
                if room < 0:
                    return tuple(found)
                found.append(picture)
    return tuple(found)


def _read_auxiliary(db: sqlite3.Connection) -> AuxiliaryRows:
    """Return the rows of the other tables, as far as they can be read."""
    tables: dict[str, dict[Any, StoredRow]] = {}
    for table, (names, order) in AUXILIARY_TABLES.items():
        tables[table] = {}
        check = RowCheck(db, table)
        with suppress(sqlite3.Error):
            for row in _rows(db, f"SELECT * FROM {table} ORDER BY {order}"):
                if check.is_sound(row):
                    tables[table][tuple(row[name] for name in names)] = row
    welcome, muted_ms = 0, None
    # The row of the table ``state`` may be missing.
    with suppress(sqlite3.Error, TypeError):
        welcome, muted_ms = db.execute("SELECT welcome, muted_ms FROM state").fetchone()
    if not isinstance(welcome, int) or not 0 <= welcome < MAX_SEQ:
        welcome = 0
    if not isinstance(muted_ms, int | None):
        muted_ms = None
    return AuxiliaryRows(tables, welcome, muted_ms)


def _column_names(db: sqlite3.Connection) -> str:
    """Return the column names of the table ``notifications``."""
    return ", ".join(row[1] for row in db.execute("PRAGMA table_info(notifications)"))


def _rows(db: sqlite3.Connection, sql: str, values: Iterable[Any] = ()) -> Iterator[StoredRow]:
    cursor = db.execute(sql, tuple(values))
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))
