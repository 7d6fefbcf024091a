"""Notifications: storing, replacing, listing, changing and revoking them.

Every change gives its row the next ``seq``. Revoked and expired rows stay as tombstones without
content, so that a tab that was away learns of them. Retention deletes tombstones later, and notes
in ``pruned`` the ``seq`` below which a cursor may have missed something.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from ..encoding import dumps
from ..exceptions import Conflict, Unavailable
from ..limits import MAX_QUIET_S
from .cursor import Cursor, StreamPosition
from .expiry import expire
from .fields import (
    CONTENT,
    INSERT_COLUMNS,
    REPLACE,
    SELECT,
    SHOWN_TOKEN,
    WireNotification,
    bump,
    drop_held,
    from_json,
    insert_statement,
    rfc3339,
    to_wire,
    tombstone,
)
from .ids import pushed_broadcast
from .outbox import OutboxRepository
from .pruning import prune, take_turns
from .quiet import QuietRepository
from .replies import find_sent, is_gone
from .retention import Retention
from .state import ACTIVE, INBOX, PINNED, SNOOZED, VIEWS, StateChange
from .transaction import GroupedOperation, Transaction
from .welcome import WelcomeRepository

if TYPE_CHECKING:
    from .shapes import Changed, Counts, Frame, NewNotification, Page

#: Numbers of rows that one statement inserts. Powers of two need few prepared statements; the
#: largest stays below the 999 parameters of an old SQLite.
INSERT_SIZES = (32, 16, 8, 4, 2, 1)
#: The same message with the same key within this time counts as a sender's retry.
RETRY_WINDOW_MS = 600_000
#: Number of rows in a snapshot.
SNAPSHOT_ROWS = 50
PINNED_ROWS = 50
#: Number of rows in which one operation searches for a text.
SCANNED_ROWS = 500
#: Number of changed rows above which a tab gets a snapshot instead.
MAX_CHANGES = 500
#: The maximum size of the texts in a frame or a page, as JSON. Rows that do not fit in a snapshot
#: are in the list's pages; rows that do not fit in a page are in the next page.
MAX_FRAME_BYTES = 1_000_000
MAX_PAGE_BYTES = 1_000_000


class Query(NamedTuple):
    """The filter of a page; every part that is set must match."""

    view: str = "inbox"
    types: tuple[str, ...] = ()
    source: str = ""
    text: str = ""
    before: int | None = None
    limit: int = 50


class Found(NamedTuple):
    """The result of a search so far.

    Parameters
    ----------
    query
        The query.
    cursor
        The store's cursor when the search began.
    before
        The position to continue at.
    rows
        The rows.
    room
        How many more bytes fit.
    has_more
        Whether there are rows for the next page.
    is_whole
        Whether the search is complete.
    """

    query: Query
    cursor: Cursor
    before: int | None
    rows: tuple[WireNotification, ...] = ()
    room: int = MAX_PAGE_BYTES
    has_more: bool = False
    is_whole: bool = False

    def plus(self, rows: Iterable[tuple[Any, ...]], before: int | None) -> Found:
        """Return the result with more rows, as far as they fit.

        Parameters
        ----------
        rows
            The rows.
        before
            The position to continue at; None if there are no others.
        """
        taken, room = _take(rows, self.room, has_one=bool(self.rows))
        found = (*self.rows, *taken)
        limit = self.query.limit
        has_more = room < 0 or len(found) > limit
        is_whole = has_more or before is None
        return Found(self.query, self.cursor, before, found[:limit], room, has_more, is_whole)


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


# Longer than a screen: all statements on one table.
class NotificationRepository:
    """The table ``notifications``.

    Parameters
    ----------
    outbox
        Collects the user's actions on a central service's messages.
    welcome
        Gives the version of the welcome messages, which every frame carries.
    quiet
        Gives do-not-disturb and the muted sources, which every frame carries.
    """

    def __init__(
        self, outbox: OutboxRepository, welcome: WelcomeRepository, quiet: QuietRepository
    ) -> None:
        self._outbox = outbox
        self._welcome = welcome
        self._quiet = quiet
        #: True once a snooze has ended and a central service has to be told.
        self.has_woken = False

    # Reading

    def counts(self, transaction: Transaction) -> Counts:
        """Return how many notifications there are."""
        # Few rows are snoozed, and an index finds them. A counter would slow every other change.
        inbox, unread, dismissed, snoozed = transaction.execute(
            "SELECT inbox, unread, dismissed, "
            f"(SELECT count(*) FROM notifications WHERE {SNOOZED}) FROM state"
        ).fetchone()
        return {"inbox": inbox, "unread": unread, "dismissed": dismissed, "snoozed": snoozed}

    def page(self, transaction: Transaction, query: Query) -> Page:
        """Return a page of the list."""
        found = Found(query, transaction.cursor, query.before)
        while not found.is_whole:
            found = self.scan(transaction, found)
        return self.make_page(transaction, found)

    def scan(self, transaction: Transaction, found: Found) -> Found:
        """Search on, and return the result so far.

        Searching long bodies takes time, during which this thread can do nothing else. So each
        call searches only ``SCANNED_ROWS`` rows.
        """
        query = found.query
        where, values = [VIEWS[query.view]], list[Any]()
        if found.before is not None:
            where.append("position < ?")
            values.append(found.before)
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
            where.append(f"(holds(source, ?) OR holds({SHOWN_TOKEN}, ?))")
            values += [query.source.casefold()] * 2
        for word in query.text.split():
            # The body comes last, so that it is read only if the others do not contain the word.
            where.append(
                "(holds(message, ?) OR holds(source, ?) "
                f"OR holds({SHOWN_TOKEN}, ?) OR holds(body, ?))"
            )
            values += [word.casefold()] * 4
        rows = transaction.execute(
            f"{SELECT} WHERE {' AND '.join(where)} ORDER BY position DESC LIMIT ?",
            (*values, query.limit + 1 - len(found.rows)),
        )
        return found.plus(rows, None if floor is None else floor[0])

    def make_page(self, transaction: Transaction, found: Found) -> Page:
        """Make a page of the rows that ``scan`` found, with the present counts."""
        return {
            "notifications": list(found.rows),
            "next": found.rows[-1]["position"] if found.has_more else None,
            "counts": self.counts(transaction),
            "cursor": str(found.cursor),
        }

    def detail(self, transaction: Transaction, id_: str) -> WireNotification:
        """Return one notification in the shape of ``models.NotificationDetail``."""
        row = transaction.execute(f"{SELECT} WHERE id = ? AND {ACTIVE}", (id_,)).fetchone()
        if row is None:
            raise is_gone(transaction, id_)
        body, data, fetched = transaction.execute(
            "SELECT body, data, fetched FROM notifications WHERE id = ?", (id_,)
        ).fetchone()
        wire = to_wire(row)
        if not fetched and wire["ended"] is not None:
            raise Unavailable("This message expired before its text was fetched.")
        if not fetched:
            raise Unavailable(
                "The text of this message cannot be fetched: it is at a central service that this "
                "server does not use."
            )
        try:
            if not isinstance(body, str | None):
                raise TypeError("its body is not text")
            value = from_json(data)
        except (ValueError, TypeError, RecursionError) as error:
            raise sqlite3.DatabaseError(f"malformed row: {error}") from error
        return {**wire, "body": body, "data": value}

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
            "quiet": self._quiet.read(transaction),
        }
        is_ours = since is not None and since.epoch == state.epoch
        if since is not None and is_ours and state.pruned <= since.seq <= state.seq:
            changes, room = _take(
                transaction.execute(
                    f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", (since.seq, MAX_CHANGES + 1)
                ),
                MAX_FRAME_BYTES,
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
            MAX_FRAME_BYTES // 2,
        )
        if len(newest) < SNAPSHOT_ROWS and room >= 0:
            return newest, []
        older = transaction.execute(
            "SELECT position, coalesce(via, source), source FROM notifications "
            f"WHERE {PINNED} AND position < ? ORDER BY position DESC",
            (newest[-1]["position"],),
        ).fetchall()
        # As in retention, so that a sender that floods puts nothing of another out of sight.
        by_source = take_turns(older, lambda row: row[1:], lambda row: 1, lambda row: row[:1])
        by_sender = take_turns(by_source, lambda row: row[1], lambda row: 1, lambda row: row[:1])
        rows = (
            transaction.execute(f"{SELECT} WHERE position = ?", (position,)).fetchone()
            for position, *_ in by_sender[:PINNED_ROWS]
        )
        pinned, _ = _take(rows, MAX_FRAME_BYTES // 2)
        return newest, sorted(pinned, key=lambda row: row["position"], reverse=True)

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
                "SELECT id, seq, updated_ms, expires_ms, stopped_ms IS NOT NULL, "
                f"{', '.join(CONTENT)} FROM notifications "
                f"WHERE source = ? AND key = ? AND {ACTIVE}",
                (message["source"], message["key"]),
            ).fetchone()
            if known is not None:
                return self._replace(transaction, known, message, expired_ms)
            drop_held(transaction, message["source"], message["key"])
        ((id_, seq),) = self.add_many(transaction, [message], expired_ms)
        if expires_ms is not None and expired_ms is not None:
            expire(transaction, id_, expires_ms)
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
        id_, seq, updated_ms, expires_ms, has_stopped, *stored = known
        content = dict(zip(CONTENT, stored, strict=True))
        values: dict[str, Any] = {**message}
        durable = transaction.durable
        is_same = all(content[name] == values[name] for name in CONTENT)
        is_retry = is_same and abs(transaction.now_ms - updated_ms) < RETRY_WINDOW_MS
        is_heartbeat = is_same and message["interrupt_ms"] is not None
        if (is_retry or is_heartbeat) and expires_ms == message["expires_ms"]:
            if is_heartbeat:
                # A heartbeat only shows that the sender is alive, which tabs need not know, unless
                # they show that it has stopped. In memory the row still takes a seq, because the
                # merge into the file goes by seq.
                if has_stopped or not durable:
                    seq = transaction.next_seq()
                transaction.execute(
                    "UPDATE notifications SET interrupt_ms = ?, stopped_ms = NULL, seq = ? "
                    "WHERE id = ?",
                    (message["interrupt_ms"], seq, id_),
                )
            return Stored(id_, seq, None, durable)
        # A step of progress moves a bar, but does not ask for attention again.
        is_quiet = is_retry or (content["type"] == message["type"] == "in-progress")
        if not (is_quiet and content["reply"] == message["reply"]):
            # The answer belongs to another question, or the same question is asked anew.
            transaction.execute(
                "UPDATE notifications SET answer = NULL, answered_ms = NULL WHERE id = ?", (id_,)
            )
        values.update(id=id_, seq=transaction.next_seq(), expired_ms=expired_ms)
        transaction.execute(REPLACE, values)
        if not is_quiet:
            bump(transaction, id_)
        if expired_ms is not None:
            expire(transaction, id_, message["expires_ms"] or expired_ms)
        return Stored(id_, transaction.state.seq, "updated", durable)

    def active_keys(self, transaction: Transaction, source: str) -> frozenset[str]:
        """Return the keys of a source's notifications that were neither revoked nor expired."""
        rows = transaction.execute(
            f"SELECT key FROM notifications WHERE source = ? AND key IS NOT NULL AND {ACTIVE}",
            (source,),
        )
        return frozenset(key for (key,) in rows)

    def revoke(self, transaction: Transaction, id_or_key: str, source: str) -> Revoked:
        """Revoke a notification.

        Parameters
        ----------
        transaction
            A transaction that writes.
        id_or_key
            Its id or its key.
        source
            Its source. To revoke another source's message, a sender must name that source.

        Raises
        ------
        NotFound
            If this source has no such message.
        """
        drop_held(transaction, source, id_or_key)
        id_ = find_sent(transaction, id_or_key, source)
        tombstone(transaction, id_, "revoked_ms")
        return Revoked(id_, transaction.state.seq, transaction.durable)

    # The user's actions

    def set_state(self, transaction: Transaction, id_: str, change: StateChange) -> Changed:
        """Change the state of one notification."""
        row = transaction.execute(
            f"SELECT dismissable FROM notifications WHERE id = ? AND {ACTIVE}", (id_,)
        ).fetchone()
        if row is None:
            raise is_gone(transaction, id_)
        snoozes = _check_snooze(transaction, change)
        if (change.closed or change.dismissed or snoozes) and not row[0]:
            what = "put away" if change.dismissed else "closed" if change.closed else "snoozed"
            raise Conflict(f"This notification cannot be {what}: its sender does not allow it.")
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
            the ``seqs`` belong to other rows. Or if a snooze would end in the past, or too late.
        """
        values: tuple[Any, ...]
        _check_snooze(transaction, change)
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

    def wake_snoozed(self, transaction: Transaction) -> None:
        """Bring back what was snoozed until now: unread, on top.

        A central service is told, for itself and for the user's other servers.
        """
        due = transaction.execute(
            f"SELECT id, {_MARKED} FROM notifications WHERE {SNOOZED} AND snoozed_until_ms <= ? "
            "ORDER BY snoozed_until_ms, position",
            (transaction.now_ms,),
        ).fetchall()
        services = self._services(transaction, due)
        for id_, *marked in due:
            transaction.execute(
                "UPDATE notifications SET seq = ? WHERE id = ?", (transaction.next_seq(), id_)
            )
            bump(transaction, id_)
            self._tell_woken(transaction, services, _Marked(*marked))

    def insertion(self, message: NewNotification) -> InsertNotification:
        """Return the operation that stores a message; see ``add``."""
        return InsertNotification(self, message)

    def prune(self, transaction: Transaction, retention: Retention) -> tuple[int, bool]:
        """Delete a chunk of superfluous rows; see ``pruning.prune``."""
        return prune(transaction, retention)

    def _change(
        self,
        transaction: Transaction,
        where: str,
        values: Iterable[Any],
        change: StateChange,
    ) -> Changed:
        wanted, sets = change.sql(transaction.now_ms)
        rows = transaction.execute(
            f"SELECT id, {_MARKED} FROM notifications WHERE {where} AND ({wanted}) "
            "ORDER BY position",
            tuple(values),
        ).fetchall()
        services = self._services(transaction, rows)
        first = transaction.state.seq + 1
        update = f"UPDATE notifications SET seq = ?, {sets} WHERE id = ?"
        for id_, *marked in rows:
            transaction.execute(update, (transaction.next_seq(), id_))
            self._tell_central(transaction, services, _Marked(*marked), change)
        return {
            "changed": len(rows),
            "seqs": [first, transaction.state.seq] if rows else None,
            "cursor": str(transaction.cursor),
        }

    def _services(self, transaction: Transaction, rows: Sequence[Any]) -> set[str]:
        """Return the central services to tell of a change of these rows.

        Parameters
        ----------
        transaction
            A transaction.
        rows
            Of each row its id, then the columns of ``_MARKED``.
        """
        is_remote = any(_Marked(*marked).remote is not None for _, *marked in rows)
        return self._outbox.services(transaction) if is_remote else set()

    def _tell_central(
        self,
        transaction: Transaction,
        services: set[str],
        row: _Marked,
        change: StateChange,
    ) -> None:
        """Append to the outbox what a row's service has to know of a change."""
        if row.remote is None or row.central not in services:
            return
        before = row.marks
        after = before.after(change, bool(row.dismissable))
        # A dismissed message does not come back from a snooze, here or at another server.
        snoozed_ms = None if before.dismissed else row.snoozed_until_ms
        until_ms = None if after.dismissed else row.snoozed_after(change)
        if until_ms != snoozed_ms:
            name = _on(row.origin, "unsnooze" if until_ms is None else "snooze")
            detail = None if until_ms is None else str(until_ms)
            self._outbox.append(transaction, name, row.remote, row.central, detail)
        action = _central_action(row.origin, before, after)
        if action is not None:
            self._outbox.append(transaction, action, row.remote, row.central)

    def _tell_woken(self, transaction: Transaction, services: set[str], row: _Marked) -> None:
        """Append to the outbox that a row's snooze has ended, which clears the user's states."""
        if row.remote is None or row.central not in services:
            return
        otherwise = _central_action(row.origin, row.marks, _Marks(False, False, False))
        self._outbox.append(
            transaction, _on(row.origin, "wake"), row.remote, row.central, otherwise
        )
        self.has_woken = True


def _check_snooze(transaction: Transaction, change: StateChange) -> bool:
    """Return whether a change snoozes; raise ``Conflict`` if the snooze's end is not allowed."""
    until_ms = change.snoozed_until_ms
    if until_ms is None or until_ms is False:
        return False
    if not 0 < until_ms - transaction.now_ms <= MAX_QUIET_S * 1000:
        raise Conflict("The end of a snooze must lie in the future, at most a year ahead.")
    return True


#: The columns of a row that decide what its central service is told; see ``_Marked``.
_MARKED = (
    "read_ms IS NOT NULL, closed_ms IS NOT NULL, dismissed_ms IS NOT NULL, dismissable, "
    "snoozed_until_ms, "
    "CASE WHEN origin IN ('message', 'broadcast') THEN remote END, central, origin"
)


class _Marked(NamedTuple):
    """What ``_MARKED`` reads of a row."""

    read: int
    closed: int
    dismissed: int
    dismissable: int
    snoozed_until_ms: int | None
    #: The service's id; None if the row is no message or broadcast of a central service.
    remote: str | None
    central: str
    origin: str

    @property
    def marks(self) -> _Marks:
        """The states that the user has set, without the snooze."""
        return _Marks(bool(self.read), bool(self.closed), bool(self.dismissed))

    def snoozed_after(self, change: StateChange) -> int | None:
        """Return until when the row is snoozed after a change; None if it is not snoozed then."""
        until_ms = change.snoozed_until_ms
        if until_ms is False:
            return None
        if until_ms is None or self.dismissed or not self.dismissable:
            return self.snoozed_until_ms
        return until_ms


class _Marks(NamedTuple):
    """The states that the user has set."""

    read: bool
    closed: bool
    dismissed: bool

    def after(self, change: StateChange, dismissable: bool) -> _Marks:
        """Return the states after a change."""
        closed, dismissed = self.closed, self.dismissed
        if change.closed is not None:
            closed = change.closed and dismissable
        if change.dismissed is not None:
            dismissed = change.dismissed and dismissable
        read = self.read or (closed and not self.closed) if change.read is None else change.read
        return _Marks(read, closed, dismissed)


def _on(origin: str, action: str) -> str:
    """Return the outbox's name of an action on a message or a broadcast."""
    return f"broadcast-{action}" if origin == "broadcast" else action


def _central_action(origin: str, before: _Marks, after: _Marks) -> str | None:
    """Return the action that a central service gets for a change, if any."""
    if origin == "broadcast":
        # For the service, a broadcast is dismissed once the user has closed or dismissed it.
        was_gone, is_gone = before.closed or before.dismissed, after.closed or after.dismissed
        if was_gone != is_gone:
            return "broadcast-dismiss" if is_gone else "broadcast-restore"
        return "broadcast-read" if after.read and not before.read else None
    # The central service has no dismissal of messages; a dismissed one counts as read.
    was_read, is_read = before.read or before.dismissed, after.read or after.dismissed
    if was_read == is_read:
        return None
    return "read" if is_read else "unread"


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
        """Return whether the operation only inserts a row."""
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


def _take(
    rows: Iterable[tuple[Any, ...]], room: int, has_one: bool = False
) -> tuple[list[WireNotification], int]:
    """Return the rows whose texts fit, and the remaining room, which is negative if some do not.

    At least one row is returned, so that no row is too large ever to reach a tab.

    Parameters
    ----------
    rows, room
        The rows, and how many bytes their texts may have as JSON.
    has_one
        Whether there is a row already.
    """
    taken: list[WireNotification] = []
    for row in rows:
        size = sum(len(dumps(value).encode()) for value in row if isinstance(value, str))
        if size > room and (taken or has_one):
            return taken, -1
        room = max(room - size, 0)
        taken.append(to_wire(row))
    return taken, room
