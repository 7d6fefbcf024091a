"""The fields of a notification: each column is described once, and statements derive from it.

To add a field, add a line to ``FIELDS``, a migration to ``schema``, and the field to ``models``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from enum import Enum
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple

from ..limits import OWN_TOKEN
from .state import ACTIVE, CLEAR_USER_STATES
from .transaction import Transaction


class Kind(Enum):
    """The encoding of a column's value."""

    PLAIN = "the same"
    BOOLEAN = "0 or 1"
    JSON = "JSON as text"
    TIME = "milliseconds since 1970"
    TOKEN = "a token's name; nothing if it is the user's own"


class Field(NamedTuple):
    """One column of the table ``notifications``.

    Parameters
    ----------
    column
        Its name.
    wire
        The name in ``models.Notification``; None if lists and streams do not carry it.
    kind
        How its value is encoded.
    content
        Whether it is part of the sender's message. Messages with equal content are the same.
    inserted
        Whether new rows set it.
    erased
        The SQL value that a tombstone has instead; None keeps the value.
    """

    column: str
    wire: str | None = None
    kind: Kind = Kind.PLAIN
    content: bool = False
    inserted: bool = True
    erased: str | None = None


#: The columns in the order of the wire.
FIELDS = (
    Field("id", "id"),
    Field("seq", "seq"),
    Field("position", "position"),
    Field("source", "source"),
    Field("via", "via", Kind.TOKEN, content=True),
    Field("key", "key", erased="NULL"),
    Field("type", "type", content=True),
    Field("message", "message", content=True, erased="''"),
    Field("markdown", "markdown", Kind.BOOLEAN, content=True),
    Field("body", content=True, erased="NULL"),
    Field("auto_close", "autoClose", Kind.JSON, content=True),
    Field("actions", "actions", Kind.JSON, content=True, erased="'[]'"),
    Field("reply", "reply", Kind.JSON, content=True, erased="NULL"),
    # The picture is a resource of its own: it stays when another message replaces this one by key.
    Field("image", "image", Kind.JSON, inserted=False, erased="NULL"),
    Field("progress", "progress", content=True, erased="NULL"),
    Field("banner", "banner", Kind.BOOLEAN, content=True),
    Field("dismissable", "dismissable", Kind.BOOLEAN, content=True),
    Field("data", kind=Kind.JSON, content=True, erased="NULL"),
    Field("created_ms", "created", Kind.TIME),
    Field("updated_ms", "updated", Kind.TIME),
    Field("expires_ms", "expiresAt", Kind.TIME),
    Field("countdown_ms", "countdown", Kind.TIME, inserted=False, erased="NULL"),
    Field("interrupt_ms"),
    Field("heartbeat_ms"),
    Field("stopped_ms", "stopped", Kind.TIME, inserted=False),
    Field("read_ms", "read", Kind.TIME, inserted=False),
    Field("closed_ms", "closed", Kind.TIME, inserted=False),
    Field("dismissed_ms", "dismissed", Kind.TIME, inserted=False),
    Field("snoozed_until_ms", "snoozedUntil", Kind.TIME, inserted=False),
    Field("answer", "answer", inserted=False, erased="NULL"),
    Field("answered_ms", "answered", Kind.TIME, inserted=False),
    Field("revoked_ms", "revoked", Kind.TIME, inserted=False),
    Field("expired_ms", "expired", Kind.TIME),
    Field("ended_ms", "ended", Kind.TIME, inserted=False),
    Field("origin", "origin", inserted=False),
    # Not on the wire: the message's central service, its id there, and whether its body was
    # fetched.
    Field("central", inserted=False),
    Field("remote", inserted=False),
    Field("fetched", inserted=False, erased="1"),
)


#: The name of a message's token as users see it, as SQL.
SHOWN_TOKEN = f"nullif(via, '{OWN_TOKEN}')"

#: A row on the wire, in the shape of ``models.Notification``. Its fields are ``FIELDS``, so a type
#: that repeats them would be one more place to change.
WireNotification = dict[str, Any]

CONTENT = tuple(field.column for field in FIELDS if field.content)
INSERT_COLUMNS = tuple(field.column for field in FIELDS if field.inserted)
WIRE = tuple(field for field in FIELDS if field.wire is not None)

#: True if there is a body, even if it was not fetched yet.
HAS_BODY = "body IS NOT NULL OR fetched = 0"
#: Length of the beginning of the body that lists carry; a collapsed row shows one line of it.
PREVIEW_CHARS = 240
PREVIEW = f"substr(body, 1, {PREVIEW_CHARS})"
#: The columns of lists and streams: all but the texts that only an opened message shows.
SELECT_COLUMNS = (*(field.column for field in WIRE), HAS_BODY, PREVIEW)
SELECT = f"SELECT {', '.join(SELECT_COLUMNS)} FROM notifications"

REPLACE = (
    "UPDATE notifications SET seq = :seq, "
    + ", ".join(f"{name} = :{name}" for name in CONTENT)
    + ", expires_ms = :expires_ms, interrupt_ms = :interrupt_ms, heartbeat_ms = :heartbeat_ms, "
    "stopped_ms = NULL, expired_ms = :expired_ms WHERE id = :id"
)

_ERASED = ", ".join(f"{f.column} = {f.erased}" for f in FIELDS if f.erased is not None)
#: A tombstone keeps none of the sender's texts.
_TOMBSTONE = "UPDATE notifications SET seq = ?, {column} = ?, " + _ERASED + " WHERE id = ?"

#: What a tombstone loses, and what of it is held while the clock is in doubt.
HELD = tuple(field.column for field in FIELDS if field.erased is not None)
_HOLD = (
    f"INSERT OR REPLACE INTO held (id, source, until_ms, {', '.join(HELD)}) "
    f"SELECT id, source, ?, {', '.join(HELD)} FROM notifications WHERE id = ?"
)
_RELEASE = (
    f"UPDATE OR IGNORE notifications SET seq = ?, expired_ms = NULL, ({', '.join(HELD)}) = "
    f"(SELECT {', '.join(HELD)} FROM held WHERE held.id = notifications.id) "
    "WHERE id = ? AND expired_ms IS NOT NULL AND revoked_ms IS NULL AND NOT EXISTS ("
    f"SELECT 1 FROM notifications AS other WHERE other.id <> notifications.id AND {ACTIVE} "
    "AND other.central = notifications.central AND other.remote = notifications.remote "
    "AND other.origin = notifications.origin)"
)


@lru_cache
def insert_statement(count: int) -> str:
    """Return the statement that inserts ``count`` rows, skipping those that exist."""
    row = f"({', '.join('?' * len(INSERT_COLUMNS))})"
    return (
        f"INSERT INTO notifications ({', '.join(INSERT_COLUMNS)}) "
        f"VALUES {', '.join([row] * count)} ON CONFLICT (id) DO NOTHING"
    )


def named_insert(table: str, columns: Iterable[str], *, or_ignore: bool = False) -> str:
    """Return the statement that inserts one row with named parameters."""
    names = list(columns)
    verb = "INSERT OR IGNORE" if or_ignore else "INSERT"
    marks = ", ".join(f":{name}" for name in names)
    return f"{verb} INTO {table} ({', '.join(names)}) VALUES ({marks})"


def tombstone(transaction: Transaction, id_: str, column: str) -> None:
    """Turn a row into a tombstone.

    Parameters
    ----------
    transaction
        A transaction that writes.
    id_
        The row's id.
    column
        The reason: ``revoked_ms`` or ``expired_ms``.
    """
    transaction.execute(
        _TOMBSTONE.format(column=column),
        (transaction.next_seq(), transaction.now_ms, id_),
    )


def hold_content(transaction: Transaction, id_: str, until_ms: int) -> None:
    """Hold what a row loses as a tombstone, until the end that its sender gave it."""
    transaction.execute(_HOLD, (until_ms, id_))


def release_content(transaction: Transaction, id_: str) -> None:
    """Make a tombstone again the row that it was, unless another has taken its place."""
    transaction.execute(_RELEASE, (transaction.next_seq(), id_))
    transaction.execute(
        "UPDATE notifications SET image = NULL WHERE id = ? AND image IS NOT NULL "
        "AND id NOT IN (SELECT id FROM pictures)",
        (id_,),
    )
    transaction.execute("DELETE FROM held WHERE id = ?", (id_,))


def drop_held(transaction: Transaction, source: str, name: str) -> None:
    """Forget a held message that its sender has replaced or revoked, by its id or its key."""
    transaction.execute(
        "DELETE FROM held WHERE source = ? AND (id = ? OR key = ?)", (source, name, name)
    )


def bump(transaction: Transaction, id_: str) -> None:
    """Move a row to the top of the list again, unread; it has its new ``seq`` already."""
    transaction.execute(
        "UPDATE notifications SET position = seq, updated_ms = ?, "
        f"{CLEAR_USER_STATES} WHERE id = ?",
        (transaction.now_ms, id_),
    )


def rfc3339(ms: int | None) -> str | None:
    """Return milliseconds since 1970 as an RFC 3339 time in UTC."""
    if ms is None:
        return None
    # Validation keeps out years past 9999, which a datetime cannot hold.
    stamp = datetime.fromtimestamp(ms / 1000, timezone.utc)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def _shown_token(name: str | None) -> str | None:
    return None if name == OWN_TOKEN else name


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number


#: One shared decoder. It refuses NaN and infinities, which are never stored and cannot be sent to
#: a tab.
_decode = json.JSONDecoder(parse_float=_finite, parse_constant=_finite).decode


def from_json(text: str | None) -> Any:
    """Return the value of a column that holds JSON.

    Raises
    ------
    ValueError, TypeError, RecursionError
        If the text is not valid JSON.
    """
    return None if text is None else _decode(text)


_DECODERS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.BOOLEAN: bool,
    Kind.JSON: from_json,
    Kind.TIME: rfc3339,
    Kind.TOKEN: _shown_token,
}
_NAMES = (*(field.wire for field in WIRE), "hasBody", "preview")
#: The columns that need decoding: index, wire name, decoder.
_DECODED = (
    *((n, f.wire, _DECODERS[f.kind]) for n, f in enumerate(WIRE) if f.kind in _DECODERS),
    (len(WIRE), "hasBody", bool),
)


def to_wire(row: tuple[Any, ...]) -> WireNotification:
    """Return a row of ``SELECT`` in the shape of ``models.Notification``.

    Raises
    ------
    sqlite3.DatabaseError
        If the row holds values that were never stored, so that the file is corrupt.
    """
    wire: dict[Any, Any] = dict(zip(_NAMES, row, strict=True))
    if bytes in map(type, row) or not (type(row[1]) is type(row[2]) is int):
        raise sqlite3.DatabaseError("malformed row: a value has the wrong type")
    try:
        for index, name, decode in _DECODED:
            wire[name] = decode(row[index])
    except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"malformed row: {error}") from error
    if not _is_whole(wire):
        # Tabs would fail on such a row, or the row could not be sent to them.
        raise sqlite3.DatabaseError("malformed row: a value is none that is ever stored")
    return wire


def _is_whole(wire: WireNotification) -> bool:
    """Return whether the values that the database does not check have the right types."""
    actions, progress = wire["actions"], wire["progress"]
    reply, image = wire["reply"], wire["image"]
    return (
        isinstance(actions, list)
        and all(isinstance(one, dict) and isinstance(one.get("label"), str) for one in actions)
        and (progress is None or (isinstance(progress, (int, float)) and isfinite(progress)))
        and (reply is None or (isinstance(reply, dict) and _asks(reply)))
        and (image is None or (isinstance(image, dict) and isinstance(image.get("version"), str)))
        and isinstance(wire["autoClose"], bool | int | float | None)
    )


def _asks(reply: dict[str, Any]) -> bool:
    """Return whether a question is one that can be answered."""
    choices = reply.get("choices")
    return (
        isinstance(choices, list)
        and all(isinstance(choice, str) for choice in choices)
        and isinstance(reply.get("text"), bool)
    )
