"""Notifications: storing, replacing, listing, changing and revoking them.

Every change gives its row the next ``seq``. Revoked and expired rows stay as tombstones without
content, so that a tab that was away learns of them. Retention deletes tombstones later, and notes
in ``pruned`` the ``seq`` below which a cursor may have missed something.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypedDict, cast

from ..exceptions import Conflict, NotFound, Unavailable
from .cursor import Cursor, StreamPosition
from .fields import (
    CONTENT,
    INSERT_COLUMNS,
    REPLACE,
    SELECT,
    NewNotification,
    WireNotification,
    insert_statement,
    rfc3339,
    to_wire,
    tombstone,
)
from .ids import pushed_broadcast
from .outbox import OutboxRepository
from .state import ACTIVE, INBOX, PINNED, VIEWS, StateChange
from .transaction import GroupedOperation, Transaction
from .welcome import WelcomeRepository

#: Moves a row to the top of the list again, unread.
BUMP = """
    UPDATE notifications SET position = seq, updated_ms = ?, read_ms = NULL, dismissed_ms = NULL
    WHERE id = ?"""

#: How many rows one statement inserts. Powers of two need few prepared statements; the largest
#: stays below the 999 parameters of an old SQLite.
INSERT_SIZES = (32, 16, 8, 4, 2, 1)
#: The same message with the same key within this time counts as a sender's retry.
RETRY_WINDOW_MS = 600_000
#: How many rows a snapshot carries.
SNAPSHOT_ROWS = 50
PINNED_ROWS = 50
#: How many rows one operation searches for a text.
SCANNED_ROWS = 500
#: If more rows changed, a tab gets a snapshot instead.
MAX_CHANGES = 500
#: The maximum length of the texts in a frame, in characters. The rows of a snapshot that do not
#: fit are in the list's pages.
MAX_FRAME = 1_000_000


class Query(NamedTuple):
    """The filter of a page; every part that is set must match."""

    view: str = "inbox"
    types: tuple[str, ...] = ()
    source: str = ""
    text: str = ""
    before: int | None = None
    limit: int = 50


class Stored(NamedTuple):
    """The result of storing a message: its id, its ``seq``, and whether it is durable.

    ``action`` is ``created``, ``updated``, or None if the same message came again.
    """

    id: str
    seq: int
    action: Literal["created", "updated"] | None
    durable: bool


class Revoked(NamedTuple):
    """The result of a revocation: the id, the ``seq``, and whether it is durable."""

    id: str
    seq: int
    durable: bool


class Counts(TypedDict):
    """The shape of ``models.Counts``."""

    inbox: int
    unread: int
    dismissed: int


class Page(TypedDict):
    """The shape of ``models.Page``."""

    notifications: list[WireNotification]
    next: int | None
    counts: Counts
    cursor: str


class Changed(TypedDict):
    """The shape of ``models.Changed``."""

    changed: int
    seqs: list[int] | None
    cursor: str


class Frame(TypedDict, total=False):
    """The shape of ``models.SnapshotFrame`` or ``models.ChangesFrame``."""

    type: Literal["snapshot", "changes"]
    cursor: str
    now: str | None
    counts: Counts
    durable: bool
    welcome: int
    notifications: list[WireNotification]
    pinned: list[WireNotification]


# Longer than a screen: all statements on one table.
class NotificationRepository:
    """The table ``notifications``.

    Parameters
    ----------
    outbox
        Collects the user's actions on a central service's messages.
    welcome
        The welcome messages, whose version frames carry.
    """

    def __init__(self, outbox: OutboxRepository, welcome: WelcomeRepository) -> None:
        self._outbox = outbox
        self._welcome = welcome

    # Reading

    def counts(self, transaction: Transaction) -> Counts:
        """Return how many notifications there are."""
        inbox, unread, dismissed = transaction.execute(
            "SELECT inbox, unread, dismissed FROM state"
        ).fetchone()
        return {"inbox": inbox, "unread": unread, "dismissed": dismissed}

    def page(self, transaction: Transaction, query: Query) -> Page:
        """Return a page of the list."""
        found: list[WireNotification] = []
        before: int | None = query.before
        while True:
            rows, before = self.scan(transaction, query, before, query.limit + 1 - len(found))
            found += rows
            if before is None or len(found) > query.limit:
                return self.make_page(transaction, query, found, transaction.cursor)

    def scan(
        self, transaction: Transaction, query: Query, before: int | None, limit: int
    ) -> tuple[list[WireNotification], int | None]:
        """Return the first rows of a query, and the position to continue at if there may be more.

        Searching long bodies takes time, during which this thread can do nothing else. So each
        call searches only ``SCANNED_ROWS`` rows.
        """
        where, values = [VIEWS[query.view]], list[Any]()
        if before is not None:
            where.append("position < ?")
            values.append(before)
        floor = None
        if query.text:
            floor = transaction.execute(
                f"SELECT position FROM notifications WHERE {' AND '.join(where)} "
                f"ORDER BY position DESC LIMIT 1 OFFSET {SCANNED_ROWS - 1}",
                values,
            ).fetchone()
        if floor is not None:
            where.append("position >= ?")
            values += floor
        if query.types:
            where.append(f"type IN ({', '.join('?' * len(query.types))})")
            values += query.types
        if query.source:
            where.append("holds(source, ?)")
            values.append(query.source.casefold())
        for word in query.text.split():
            # The body comes last, so that it is read only if the others do not contain the word.
            where.append("(holds(message, ?) OR holds(source, ?) OR holds(body, ?))")
            values += [word.casefold()] * 3
        rows = transaction.execute(
            f"{SELECT} WHERE {' AND '.join(where)} ORDER BY position DESC LIMIT ?",
            (*values, limit),
        ).fetchall()
        return [to_wire(row) for row in rows], None if floor is None else floor[0]

    def make_page(
        self,
        transaction: Transaction,
        query: Query,
        found: Sequence[WireNotification],
        cursor: Cursor,
    ) -> Page:
        """Make a page from the rows that ``scan`` found: one more than the limit if there are more.

        Parameters
        ----------
        transaction
            The transaction for reading the counts.
        query
            The query.
        found
            The rows.
        cursor
            The store's cursor when the search began.
        """
        rows = list(found[: query.limit])
        return {
            "notifications": rows,
            "next": rows[-1]["position"] if len(found) > query.limit else None,
            "counts": self.counts(transaction),
            "cursor": str(cursor),
        }

    def detail(self, transaction: Transaction, id_: str) -> WireNotification:
        """Return one notification in the shape of ``models.NotificationDetail``."""
        row = transaction.execute(f"{SELECT} WHERE id = ? AND {ACTIVE}", (id_,)).fetchone()
        if row is None:
            raise _not_found(id_)
        body, data, fetched = transaction.execute(
            "SELECT body, data, fetched FROM notifications WHERE id = ?", (id_,)
        ).fetchone()
        if not fetched:
            raise Unavailable(
                "The text of this message cannot be fetched: it is at a central service that this "
                "server does not use."
            )
        try:
            if not isinstance(body, str | None):
                raise TypeError("its body is not text")
            value = None if data is None else json.loads(data)
        except (ValueError, TypeError) as error:
            raise sqlite3.DatabaseError(f"malformed row: {error}") from error
        return {**to_wire(row), "body": body, "data": value}

    def position(self, transaction: Transaction) -> StreamPosition:
        """Return the position of everything that tabs show."""
        return StreamPosition(transaction.cursor, self._welcome.version(transaction))

    def frame(self, transaction: Transaction, since: Cursor | None) -> Frame:
        """Return what a tab at ``since`` has missed, as changes or as a snapshot.

        A tab gets a snapshot if it has no cursor, or if its cursor belongs to another epoch, lies
        in the future, or is so old that rows may have been deleted or very many have changed.
        """
        state = transaction.state
        head: Frame = {
            "cursor": str(transaction.cursor),
            "now": rfc3339(transaction.now_ms),
            "counts": self.counts(transaction),
            "durable": transaction.durable,
            "welcome": self._welcome.version(transaction),
        }
        is_ours = since is not None and since.epoch == state.epoch
        if since is not None and is_ours and state.pruned <= since.seq <= state.seq:
            changes, room = _take(
                transaction.execute(
                    f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", (since.seq, MAX_CHANGES + 1)
                ),
                MAX_FRAME,
            )
            if len(changes) <= MAX_CHANGES and room >= 0:
                return {"type": "changes", **head, "notifications": changes}
        elif since is not None and is_ours and since.seq > state.seq:
            transaction.restored = True
        newest, pinned = self._snapshot(transaction)
        return {"type": "snapshot", **head, "notifications": newest, "pinned": pinned}

    def _snapshot(
        self, transaction: Transaction
    ) -> tuple[list[WireNotification], list[WireNotification]]:
        newest, room = _take(
            transaction.execute(
                f"{SELECT} WHERE {INBOX} ORDER BY position DESC LIMIT {SNAPSHOT_ROWS}"
            ),
            MAX_FRAME // 2,
        )
        if len(newest) < SNAPSHOT_ROWS and room >= 0:
            return newest, []
        pinned = transaction.execute(
            f"{SELECT} WHERE {PINNED} AND position < ? ORDER BY position DESC LIMIT {PINNED_ROWS}",
            (newest[-1]["position"],),
        )
        return newest, _take(pinned, MAX_FRAME // 2)[0]

    # Storing

    def add(self, transaction: Transaction, message: NewNotification) -> Stored:
        """Store a message, or replace the one with its source's key.

        Parameters
        ----------
        transaction
            A transaction that writes.
        message
            The message. The caller creates the id, so that it is stored only once if a commit
            seemed to fail, succeeded after all, and was repeated elsewhere.
        """
        now = transaction.now_ms
        expires_ms = message["expires_ms"]
        expired_ms = now if expires_ms is not None and expires_ms <= now else None
        if message["key"] is not None:
            if (shown := self._shown_broadcast(transaction, message["key"])) is not None:
                return shown
            known = transaction.execute(
                f"SELECT id, seq, updated_ms, expires_ms, {', '.join(CONTENT)} FROM notifications "
                f"WHERE source = ? AND key = ? AND {ACTIVE}",
                (message["source"], message["key"]),
            ).fetchone()
            if known is not None:
                return self._replace(transaction, known, message, expired_ms)
        ((id_, seq),) = self.add_many(transaction, [message], expired_ms)
        if expired_ms is not None:
            tombstone(transaction, id_, "expired_ms")
            seq = transaction.state.seq
        return Stored(id_, seq, "created", transaction.durable)

    def _shown_broadcast(self, transaction: Transaction, key: str) -> Stored | None:
        """Return the broadcast that a pushed message belongs to, if the poller has stored it."""
        remote = pushed_broadcast(key)
        if remote is None:
            return None
        row = transaction.execute(
            "SELECT id, seq FROM notifications WHERE origin = 'broadcast' AND remote = ? "
            f"AND {ACTIVE}",
            (remote,),
        ).fetchone()
        return None if row is None else Stored(row[0], row[1], None, transaction.durable)

    def add_many(
        self,
        transaction: Transaction,
        messages: Sequence[NewNotification],
        expired_ms: int | None = None,
    ) -> list[tuple[str, int]]:
        """Insert messages without a key in one statement; return their ids and seqs."""
        now = transaction.now_ms
        stored = []
        values: list[Any] = []
        for message in messages:
            seq = transaction.next_seq()
            stored.append((message["id"], seq))
            columns: dict[str, Any] = {
                **message,
                "seq": seq,
                "position": seq,
                "created_ms": now,
                "updated_ms": now,
                "expired_ms": expired_ms,
            }
            values += [columns[name] for name in INSERT_COLUMNS]
        if transaction.execute(insert_statement(len(messages)), values).rowcount == len(messages):
            return stored
        # Some rows exist: a commit that seemed to fail has succeeded.
        find = "SELECT id, seq FROM notifications WHERE id = ?"
        return [transaction.execute(find, (id_,)).fetchone() for id_, _ in stored]

    def _replace(
        self,
        transaction: Transaction,
        known: tuple[Any, ...],
        message: NewNotification,
        expired_ms: int | None,
    ) -> Stored:
        id_, seq, updated_ms, expires_ms, *content = known
        values: dict[str, Any] = {**message}
        durable = transaction.durable
        is_same = content == [values[name] for name in CONTENT]
        is_retry = is_same and abs(transaction.now_ms - updated_ms) < RETRY_WINDOW_MS
        is_heartbeat = is_same and message["interrupt_ms"] is not None
        if (is_retry or is_heartbeat) and expires_ms == message["expires_ms"]:
            if is_heartbeat:
                # It only shows that its sender is alive, which tabs need not know. In memory it
                # still takes a seq, because the merge into the file goes by seq.
                transaction.execute(
                    "UPDATE notifications SET interrupt_ms = ?, seq = ? WHERE id = ?",
                    (message["interrupt_ms"], seq if durable else transaction.next_seq(), id_),
                )
            return Stored(id_, seq, None, durable)
        # A step of progress moves a bar, but does not ask for attention again.
        is_quiet = is_retry or (content[0] == message["type"] == "in-progress")
        values.update(id=id_, seq=transaction.next_seq(), expired_ms=expired_ms)
        transaction.execute(REPLACE, values)
        if not is_quiet:
            transaction.execute(BUMP, (transaction.now_ms, id_))
        if expired_ms is not None:
            tombstone(transaction, id_, "expired_ms")
        return Stored(id_, transaction.state.seq, "updated", durable)

    def revoke(
        self, transaction: Transaction, id_or_key: str, source: str, *, any_source: bool
    ) -> Revoked:
        """Revoke a notification.

        Parameters
        ----------
        transaction
            A transaction that writes.
        id_or_key
            Its id or its key.
        source
            The source that the key belongs to.
        any_source
            Whether the key may belong to another source, if only one uses it.
        """
        found = transaction.execute(
            f"SELECT id FROM notifications WHERE id = ? AND origin = 'ingest' AND {ACTIVE}",
            (id_or_key,),
        ).fetchall()
        if not found:
            by_key = transaction.execute(
                f"SELECT id, source FROM notifications WHERE key = ? AND {ACTIVE}", (id_or_key,)
            ).fetchall()
            found = [(id_,) for id_, name in by_key if name == source]
            if not found and any_source:
                if len(by_key) > 1:
                    raise Conflict(
                        f"Several sources use the key {id_or_key!r}; name one with ?source=."
                    )
                found = [(id_,) for id_, _ in by_key]
        if not found:
            raise NotFound(f"There is no notification with the id or key {id_or_key!r}.")
        tombstone(transaction, found[0][0], "revoked_ms")
        return Revoked(found[0][0], transaction.state.seq, transaction.durable)

    # The user's actions

    def set_state(self, transaction: Transaction, id_: str, change: StateChange) -> Changed:
        """Change the state of one notification."""
        row = transaction.execute(
            f"SELECT dismissable FROM notifications WHERE id = ? AND {ACTIVE}", (id_,)
        ).fetchone()
        if row is None:
            raise _not_found(id_)
        if change.dismissed and not row[0]:
            raise Conflict("This notification cannot be dismissed: its sender does not allow it.")
        return self._change(transaction, f"id = ? AND {ACTIVE}", (id_,), change)

    def set_states(
        self,
        transaction: Transaction,
        change: StateChange,
        *,
        ids: Sequence[str] | None = None,
        seqs: tuple[int, int] | None = None,
        up_to: Cursor | None = None,
    ) -> Changed:
        """Change the state of notifications: by ``ids``, by a range of ``seqs``, or the inbox.

        Unknown ids and notifications that cannot be dismissed are skipped.

        Parameters
        ----------
        transaction
            A transaction that writes.
        change
            The new state.
        ids, seqs
            Which notifications; without either, the inbox.
        up_to
            For the inbox, the last cursor that the user has seen: what arrived or asked for
            attention later is left out. For ``seqs``, a cursor of the epoch that they belong to.

        Raises
        ------
        Conflict
            If ``up_to`` belongs to another epoch. Then it is unknown what the user has seen, and
            the ``seqs`` belong to other rows.
        """
        values: tuple[Any, ...]
        if ids is not None:
            # A single parameter for all ids, since an old SQLite allows only 999.
            where = f"id IN (SELECT value FROM json_each(?)) AND {ACTIVE}"
            return self._change(transaction, where, (json.dumps(ids),), change)
        if up_to is not None and up_to.epoch != transaction.state.epoch:
            raise Conflict(
                "The list was reloaded in the meantime: look at it, then try again."
                if seqs is None
                else "This can no longer be undone: the list was reloaded in the meantime."
            )
        if seqs is not None:
            where, values = f"seq BETWEEN ? AND ? AND {ACTIVE}", seqs
        elif up_to is None:
            where, values = INBOX, ()
        else:
            # By ``position``, not ``seq``: the user has seen a progress that has only advanced.
            where, values = f"{INBOX} AND position <= ?", (up_to.seq,)
        return self._change(transaction, where, values, change)

    def _change(
        self,
        transaction: Transaction,
        where: str,
        values: Iterable[Any],
        change: StateChange,
    ) -> Changed:
        wanted, sets = change.sql(transaction.now_ms)
        rows = transaction.execute(
            f"SELECT id, read_ms IS NOT NULL, dismissed_ms IS NOT NULL, dismissable, "
            f"CASE WHEN origin IN ('message', 'broadcast') THEN remote END, central, origin "
            f"FROM notifications WHERE {where} AND ({wanted}) ORDER BY position",
            tuple(values),
        ).fetchall()
        is_remote = any(row[4] is not None for row in rows)
        services = self._outbox.services(transaction) if is_remote else set()
        first = transaction.state.seq + 1
        update = f"UPDATE notifications SET seq = ?, {sets} WHERE id = ?"
        for id_, was_read, was_dismissed, dismissable, remote, central, origin in rows:
            transaction.execute(update, (transaction.next_seq(), id_))
            if remote is None or central not in services:
                continue
            if origin == "broadcast":
                action = _broadcast_action(
                    (was_read, was_dismissed), change.read, change.dismissed, bool(dismissable)
                )
                if action is not None:
                    self._outbox.append(transaction, action, remote, central)
            else:
                # The central service has no dismissal of messages; a dismissed one counts as read.
                is_read = was_read if change.read is None else change.read
                is_dismissed = was_dismissed
                if change.dismissed is not None:
                    is_dismissed = change.dismissed and dismissable
                done = bool(is_read or is_dismissed)
                if done != bool(was_read or was_dismissed):
                    self._outbox.append(transaction, "read" if done else "unread", remote, central)
        return {
            "changed": len(rows),
            "seqs": [first, transaction.state.seq] if rows else None,
            "cursor": str(transaction.cursor),
        }


def _broadcast_action(
    was: tuple[int, int], read: bool | None, dismissed: bool | None, dismissable: bool
) -> str | None:
    """Return the action that a central service gets for a change of a broadcast, if any."""
    was_read, was_dismissed = was
    if dismissed is not None and dismissed != bool(was_dismissed) and dismissable:
        return "broadcast-dismiss" if dismissed else "broadcast-restore"
    return "broadcast-read" if read and not was_read else None


class InsertNotification(GroupedOperation):
    """An operation that stores a message; new messages are inserted in groups.

    Parameters
    ----------
    notifications
        The repository.
    message
        The message; see ``NotificationRepository.add``.
    """

    __slots__ = ("message", "notifications")

    def __init__(self, notifications: NotificationRepository, message: NewNotification) -> None:
        self.notifications, self.message = notifications, message

    def __call__(self, transaction: Transaction) -> Stored:
        """Store the message alone."""
        return self.notifications.add(transaction, self.message)

    def can_group(self, transaction: Transaction) -> bool:
        """Whether it only inserts a row."""
        expires_ms = self.message["expires_ms"]
        return self.message["key"] is None and (
            expires_ms is None or expires_ms > transaction.now_ms
        )

    def run_group(
        self, transaction: Transaction, operations: Sequence[GroupedOperation]
    ) -> list[Stored]:
        """Insert new messages with few statements."""
        messages = [cast(InsertNotification, operation).message for operation in operations]
        stored: list[tuple[str, int]] = []
        for size in INSERT_SIZES:
            while len(messages) - len(stored) >= size:
                some = messages[len(stored) : len(stored) + size]
                stored += self.notifications.add_many(transaction, some)
        return [Stored(id_, seq, "created", transaction.durable) for id_, seq in stored]


def _take(rows: Iterable[tuple[Any, ...]], room: int) -> tuple[list[WireNotification], int]:
    """Return the rows whose texts fit, and the remaining room, which is negative if some do not.

    At least one row is returned, so that no row is too large ever to reach a tab.
    """
    taken: list[WireNotification] = []
    for row in rows:
        room -= sum(len(value) for value in row if isinstance(value, (str, bytes)))
        if taken and room < 0:
            break
        taken.append(to_wire(row))
    return taken, room


def _not_found(id_: str) -> NotFound:
    return NotFound(f"There is no notification {id_!r}, or it was revoked or has expired.")
