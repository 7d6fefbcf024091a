"""Whether a database holds only values that this software stores.

Only what has failed is looked at in this way: reading all of a file takes a while.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from .fields import HAS_BODY, PREVIEW, SELECT_COLUMNS, from_json, to_wire
from .outbox import BROADCAST_SNOOZES, MESSAGE_SNOOZES
from .schema import TABLES, check_objects
from .transaction import MAX_TIME_MS

#: Python's types for the types that columns are declared with.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "INTEGER": (int,),
    "REAL": (int, float),
    "TEXT": (str,),
    "BLOB": (bytes,),
}
#: The fields of a central service's welcome message, beside those that may be missing.
_WELCOME_FIELDS: Mapping[str, type] = {
    "id": str,
    "aspect": str,
    "title": str,
    "body": str,
    "dismissable": bool,
    "place": int,
}


class _Column(NamedTuple):
    name: str
    types: tuple[type, ...]
    is_required: bool


class RowCheck:
    """Tells which rows of a table are sound.

    Parameters
    ----------
    db
        The database, which says how the table's columns are declared.
    table
        The table's name.
    """

    def __init__(self, db: sqlite3.Connection, table: str) -> None:
        self._columns = [
            _Column(name, _TYPES.get(kind, (object,)), bool(required or key))
            for _, name, kind, required, _, key in db.execute(f"PRAGMA table_info({table})")
        ]
        self._is_whole: Callable[[Mapping[str, Any]], bool] | None = _WHOLE.get(table)

    def is_sound(self, row: Mapping[str, Any]) -> bool:
        """Return whether each value of a row may have been stored by this software."""
        if not all(_fits(row[column.name], column) for column in self._columns):
            return False
        try:
            return self._is_whole is None or self._is_whole(row)
        except (sqlite3.DatabaseError, ValueError, TypeError, LookupError, RecursionError):
            return False


def find_unsound(db: sqlite3.Connection) -> str | None:
    """Return the name of a table with a row that is not sound; None if there is none.

    Raises
    ------
    sqlite3.DatabaseError
        If the tables are not those of their version, or cannot be read.
    """
    check_objects(db)
    for table in sorted(TABLES):
        check = RowCheck(db, table)
        cursor = db.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        if not all(check.is_sound(dict(zip(names, row, strict=True))) for row in cursor):
            return table
    return None


def _fits(value: Any, column: _Column) -> bool:
    if value is None:
        return not column.is_required
    if not isinstance(value, column.types):
        return False
    if column.name.endswith("_ms"):
        return isinstance(value, int) and abs(value) <= MAX_TIME_MS
    return not isinstance(value, float) or isfinite(value)


def _is_whole_notification(row: Mapping[str, Any]) -> bool:
    values = {
        **row,
        HAS_BODY: row["body"] is not None or not row["fetched"],
        PREVIEW: row["body"],
    }
    wire = to_wire(tuple(values[name] for name in SELECT_COLUMNS))
    from_json(row["data"])
    return (wire["reply"] is None) == (row["reply"] is None)


def _is_whole_action(row: Mapping[str, Any]) -> bool:
    if row["action"] in (MESSAGE_SNOOZES[0], BROADCAST_SNOOZES[0]):
        return abs(int(row["detail"] or 0)) <= MAX_TIME_MS
    return True


def _is_whole_welcome(row: Mapping[str, Any]) -> bool:
    if row["content"] is None:
        return True
    content = json.loads(row["content"])
    return (
        all(isinstance(content[name], kind) for name, kind in _WELCOME_FIELDS.items())
        and all(isinstance(content.get(name), str | None) for name in ("summary", "updated"))
        and isinstance(content["max_views"], int | None)
        and isinstance(content.get("must_accept", False), bool)
    )


#: What else must hold for a row, by the table; each may raise what a wrong value leads to.
_WHOLE: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "notifications": _is_whole_notification,
    "outbox": _is_whole_action,
    "welcome": _is_whole_welcome,
}
