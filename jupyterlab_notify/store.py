"""The store: every notification, its state and its ``seq``.

Synchronous, without asyncio and HTTP; one thread owns it (``worker``). It answers with
dictionaries in the shape of ``models.Notification``: pydantic would cost an idle server
7 MB to say what a test says as well.

Every change gives its row the next ``seq``. Rows that were revoked or have expired stay as
tombstones without content, so that a tab which was away learns of it; retention deletes
them, and remembers in ``pruned`` up to which ``seq`` a cursor has missed something.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from .exceptions import Conflict, NotFound, NotifyError, Unavailable
from .ledger import Claim, ContradictedDismissals, Ledger, RemoteSnapshot, StreamPosition
from .schema import ACTIVE, CONTENT, INBOX, PINNED, SELECT, VIEWS, Cursor, Row, rfc3339, to_wire

__all__ = [
    "VIEWS",
    "Claim",
    "Conflict",
    "ContradictedDismissals",
    "Cursor",
    "NotFound",
    "NotifyError",
    "Query",
    "RemoteSnapshot",
    "Retention",
    "Row",
    "Store",
    "StreamPosition",
    "Unavailable",
    "new_id",
]

#: What a new row is given; its position is its seq.
INSERT_COLUMNS = (
    "id", "seq", "position", "source", "key", "type", "message", "markdown", "body", "auto_close",
    "actions", "progress", "banner", "dismissable", "data", "created_ms", "updated_ms",
    "expires_ms", "interrupt_ms", "expired_ms",
)  # fmt: skip
REPLACE = """
    UPDATE notifications SET
        seq = :seq, type = :type, message = :message, markdown = :markdown, body = :body,
        auto_close = :auto_close, actions = :actions, progress = :progress, banner = :banner,
        dismissable = :dismissable, data = :data, expires_ms = :expires_ms,
        interrupt_ms = :interrupt_ms, expired_ms = :expired_ms
    WHERE id = :id"""
BUMP = """
    UPDATE notifications SET position = seq, updated_ms = ?, read_ms = NULL, dismissed_ms = NULL
    WHERE id = ?"""

#: What becomes of a message whose sender was not heard of in time.
INTERRUPT = """
    UPDATE notifications SET
        seq = :seq, position = :seq, type = 'warning', message = message || ' (interrupted)',
        progress = NULL, interrupt_ms = NULL, updated_ms = :now, read_ms = NULL,
        dismissed_ms = NULL
    WHERE id = :id"""

#: How many rows one statement inserts: powers of two, so that few statements are prepared,
#: and fewer parameters than the 999 that an old SQLite takes.
INSERT_SIZES = (32, 16, 8, 4, 2, 1)
#: How long nothing must change once a sender is found silent, before it is taken for dead. The
#: clock of the server that heard it may differ from this one's, this process may have slept, and
#: this package's own senders say every ten seconds that they live.
SECOND_LOOK_MS = 15_000
#: The same message under the same key again within this time is a sender's retry.
RETRY_WINDOW_MS = 600_000
#: How many rows a snapshot carries.
SNAPSHOT_ROWS = 50
PINNED_ROWS = 50
#: In how many rows one operation looks for a text.
SCANNED_ROWS = 500
#: From so many changed rows on, a tab gets a snapshot instead.
MAX_CHANGES = 500
#: How long tombstones stay, in milliseconds, and how often retention looks.
TOMBSTONE_MS = 86_400_000
PRUNE_INTERVAL_S = 3600.0
PRUNE_CHUNK = 2000


class Query(NamedTuple):
    """Which rows a page is made of; every part that is given must hold."""

    view: str = "inbox"
    types: tuple[str, ...] = ()
    source: str = ""
    text: str = ""
    before: int | None = None
    limit: int = 50


class Retention:
    """What is kept: so many days, and at most so many notifications; 0 means no bound."""

    __slots__ = ("count", "days")

    def __init__(self, days: float = 90, count: int = 10_000) -> None:
        self.days = days
        self.count = count


@lru_cache
def _insert(count: int) -> str:
    """Return the statement that inserts so many rows, passing over those that are there."""
    row = f"({', '.join('?' * len(INSERT_COLUMNS))})"
    return (
        f"INSERT INTO notifications ({', '.join(INSERT_COLUMNS)}) "
        f"VALUES {', '.join([row] * count)} ON CONFLICT (id) DO NOTHING"
    )


class Stored(NamedTuple):
    """What became of a message: its id, its change's ``seq``, and whether it is durable.

    ``action`` says what it did: ``created``, ``updated``, or None if it only was the same again.
    """

    id: str
    seq: int
    action: str | None
    durable: bool


class InsertNotification:
    """An operation for ``Store.run``: to store a message, together with others if it is new.

    Parameters
    ----------
    store
        Where.
    row
        What; see ``Store.receive``.
    """

    __slots__ = ("row", "store")

    def __init__(self, store: Store, row: Row) -> None:
        self.store, self.row = store, row

    def __call__(self) -> Stored:
        return Stored(*self.store.receive(self.row), self.store.durable)


def _readable(text: str) -> str:
    """Return a text that may name a file with one that UTF-8 can hold: any bytes name a file."""
    return text.encode("utf-8", "backslashreplace").decode()


def new_id(now_ms: int) -> str:
    """Return a ULID: 48 bits of time, 80 random ones, in Crockford's base 32."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = (now_ms << 80) | secrets.randbits(80)
    return "".join(alphabet[(number >> shift) & 31] for shift in range(125, -1, -5))


class Store(Ledger):
    """Notifications in a SQLite file, or in memory while its place cannot be used.

    Parameters
    ----------
    path
        The database file, see ``Database``.
    retention
        What is kept.
    log
        Where the administrator looks.
    clock
        Milliseconds since 1970.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        retention: Retention | None = None,
        log: logging.Logger | None = None,
        clock: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        super().__init__(path, log=log, clock=clock)
        self.retention = retention or Retention()
        self._prune_at = 0.0
        #: Whether there may be unused pages to give back.
        self._shrinks = False
        #: Of which senders nothing was heard in time: until when, and since when that is known.
        self._silent: dict[str, tuple[int, int]] = {}

    # Reading

    def cursor(self) -> Cursor:
        """Return how far the store has come."""
        return Cursor(self.epoch, self.seq)

    def counts(self) -> dict[str, int]:
        """Return how many notifications there are, in the shape of ``models.Counts``."""
        inbox, unread, dismissed = self._execute(
            "SELECT inbox, unread, dismissed FROM state"
        ).fetchone()
        return {"inbox": inbox, "unread": unread, "dismissed": dismissed}

    def page(self, query: Query) -> Row:
        """Return a page of the list, in the shape of ``models.Page``."""
        found: list[Row] = []
        before: int | None = query.before
        cursor = self.cursor()
        while True:
            rows, before = self.scan(query, before, query.limit + 1 - len(found))
            found += rows
            if before is None or len(found) > query.limit:
                return self.bind(query, found, cursor)

    def scan(self, query: Query, before: int | None, limit: int) -> tuple[list[Row], int | None]:
        """Return the first rows of a query, and where to go on if that was not all of it.

        To look for a text in long bodies takes time, in which nothing else can be done here: so
        it is only looked for in so many rows at once.
        """
        where = [VIEWS[query.view]]
        values: list[Any] = []
        if before is not None:
            where.append("position < ?")
            values.append(before)
        floor = None
        if query.text:
            floor = self._execute(
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
            # In this order: a body is read only if the others do not hold the word.
            where.append("(holds(message, ?) OR holds(source, ?) OR holds(body, ?))")
            values += [word.casefold()] * 3
        rows = self._execute(
            f"{SELECT} WHERE {' AND '.join(where)} ORDER BY position DESC LIMIT ?",
            (*values, limit),
        ).fetchall()
        return [to_wire(row) for row in rows], None if floor is None else floor[0]

    def bind(self, query: Query, found: list[Row], cursor: Cursor) -> Row:
        """Make a page of what ``scan`` found, one more than its limit if there is more.

        Parameters
        ----------
        query, found
            What was looked for, and what there is.
        cursor
            Where the store stood when that began.
        """
        rows = found[: query.limit]
        return {
            "notifications": rows,
            "next": rows[-1]["position"] if len(found) > query.limit else None,
            "counts": self.counts(),
            "cursor": str(cursor),
        }

    def detail(self, id_: str) -> Row:
        """Return one notification whole, in the shape of ``models.NotificationDetail``."""
        row = self._execute(f"{SELECT} WHERE id = ? AND {ACTIVE}", (id_,)).fetchone()
        if row is None:
            raise NotFound(
                f"There is no notification {id_!r}, or it was taken back or has expired."
            )
        body, data, fetched = self._execute(
            "SELECT body, data, fetched FROM notifications WHERE id = ?", (id_,)
        ).fetchone()
        if not fetched:
            raise Unavailable(
                "The text of this message cannot be fetched: it is at a central service that this "
                "server does not ask."
            )
        return {**to_wire(row), "body": body, "data": None if data is None else json.loads(data)}

    def frame(self, since: Cursor | None) -> Row:
        """Return what a tab at ``since`` must learn: changes, or a snapshot.

        A snapshot is for a tab without a cursor, or whose cursor is of another epoch, of
        the future, or so old that rows it knows may have been deleted, or that much changed.
        """
        head: Row = {
            "cursor": str(self.cursor()),
            "now": rfc3339(self._now),
            "counts": self.counts(),
            "durable": self.durable,
            "welcome": self.welcome_version(),
        }
        if since is not None and since.epoch == self.epoch and self.pruned <= since.seq <= self.seq:
            rows = self._execute(
                f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", (since.seq, MAX_CHANGES + 1)
            ).fetchall()
            if len(rows) <= MAX_CHANGES:
                return {"type": "changes", **head, "notifications": [to_wire(r) for r in rows]}
        elif since is not None and since.epoch == self.epoch and since.seq > self.seq:
            self._went_back = True
        newest = [
            to_wire(row)
            for row in self._execute(
                f"{SELECT} WHERE {INBOX} ORDER BY position DESC LIMIT {SNAPSHOT_ROWS}"
            )
        ]
        pinned: list[Row] = []
        if len(newest) == SNAPSHOT_ROWS:
            pinned = [
                to_wire(row)
                for row in self._execute(
                    f"{SELECT} WHERE {PINNED} AND position < ? "
                    f"ORDER BY position DESC LIMIT {PINNED_ROWS}",
                    (newest[-1]["position"],),
                )
            ]
        return {"type": "snapshot", **head, "notifications": newest, "pinned": pinned}

    def status(self) -> Row:
        """Return the state of the store, in the shape of ``models.StoreStatus``."""
        size = 0
        if self.durable:
            for suffix in ("", "-wal"):
                with suppress(OSError):
                    size += os.stat(f"{self.path}{suffix}").st_size
        return {
            "path": None if self.path is None else _readable(str(self.path)),
            "mode": self.mode,
            "durable": self.durable,
            "problem": None if self.problem is None else _readable(self.problem),
            "setAside": None if self.aside is None else _readable(str(self.aside)),
            "epoch": self.epoch,
            "seq": self.seq,
            "size": size,
        }

    # Changing

    def receive(self, message: Row) -> tuple[str, int, str | None]:
        """Store a message, or replace the one with its source's key.

        Parameters
        ----------
        message
            The columns ``CONTENT``, and ``id``, ``source``, ``key``, ``expires_ms``,
            ``interrupt_ms``. The caller makes the id, so that a message stays one if a commit
            that seemed to fail, and was done again elsewhere, did come through.

        Returns
        -------
        tuple
            The notification's id, the ``seq`` of this change, and what it did; see ``Stored``.
        """
        now = self._now
        values = dict(message, now=now, expired_ms=None)
        if values["expires_ms"] is not None and values["expires_ms"] <= now:
            values["expired_ms"] = now
        if values["key"] is not None:
            known = self._execute(
                f"SELECT id, seq, updated_ms, expires_ms, {', '.join(CONTENT)} FROM notifications "
                f"WHERE source = ? AND key = ? AND {ACTIVE}",
                (values["source"], values["key"]),
            ).fetchone()
            if known is not None:
                return self._replace(known, values)
        ((id_, seq),) = self._insert_new([values])
        if values["expired_ms"] is not None:
            self._bury(values["id"], "expired_ms")
            return id_, self.seq, "created"
        return id_, seq, "created"

    def _insert_new(self, rows: list[Row]) -> list[tuple[str, int]]:
        """Insert rows in one statement; return their ids and seqs."""
        now = self._now
        stored = []
        values: list[Any] = []
        for row in rows:
            seq = self._next_seq()
            stored.append((row["id"], seq))
            given = {**row, "seq": seq, "position": seq, "created_ms": now, "updated_ms": now}
            values += [given[name] for name in INSERT_COLUMNS]
        if self._execute(_insert(len(rows)), values).rowcount == len(rows):
            return stored
        # Some are there: a commit that seemed to fail did come through.
        find = "SELECT id, seq FROM notifications WHERE id = ?"
        return [self._execute(find, (id_,)).fetchone() for id_, _ in stored]

    def _perform(self, calls: list[Callable[[], Any]], failed: dict[Any, Exception]) -> list[Any]:
        """Run operations in their order, new messages that follow each other in one statement.

        Between two statements SQLite hands Python's lock over to the event loop and waits to
        get it back; that took longer than the statements.
        """
        results: list[Any] = []
        at = 0
        while at < len(calls):
            end = at
            while end < len(calls) and self._is_new(calls[end]) and calls[end] not in failed:
                end += 1
            results += self._add(calls[at:end])
            if end < len(calls):
                call = calls[end]
                results.append(failed[call] if call in failed else self._one(call))
            at = end + 1
        return results

    def _is_new(self, call: Callable[[], Any]) -> bool:
        """Whether an operation does nothing but insert a row."""
        if not isinstance(call, InsertNotification) or call.row["key"] is not None:
            return False
        expires_ms = call.row["expires_ms"]
        return expires_ms is None or expires_ms > self._now

    def _add(self, arrivals: list[Any]) -> list[Any]:
        """Insert new messages, in as few statements as will do."""
        results: list[Any] = []
        for size in INSERT_SIZES:
            while len(arrivals) - len(results) >= size:
                some = arrivals[len(results) : len(results) + size]
                try:
                    stored = self._insert_new([{**c.row, "expired_ms": None} for c in some])
                except (sqlite3.DatabaseError, OSError):
                    raise
                except Exception:
                    # One of them is at fault: the statement has done nothing, and each is told.
                    results += [self._one(call) for call in some]
                else:
                    results += [Stored(*each, "created", self.durable) for each in stored]
        return results

    def _replace(self, known: tuple[Any, ...], values: Row) -> tuple[str, int, str | None]:
        id_, seq, updated_ms, expires_ms, *content = known
        same = content == [values[name] for name in CONTENT]
        retry = same and abs(values["now"] - updated_ms) < RETRY_WINDOW_MS
        beat = same and values["interrupt_ms"] is not None
        if (retry or beat) and expires_ms == values["expires_ms"]:
            if beat:
                # It says only that its sender lives, which no tab need hear. What is in memory
                # comes into the file by its seq.
                self._execute(
                    "UPDATE notifications SET interrupt_ms = ?, seq = ? WHERE id = ?",
                    (values["interrupt_ms"], seq if self.durable else self._next_seq(), id_),
                )
            return id_, seq, None
        # A step of a progress moves a bar; it does not call for the person again.
        quiet = retry or (content[0] == values["type"] == "in-progress")
        values.update(id=id_, seq=self._next_seq())
        self._execute(REPLACE, values)
        if not quiet:
            self._execute(BUMP, (values["now"], id_))
        if values["expired_ms"] is not None:
            self._bury(id_, "expired_ms")
        return id_, self.seq, "updated"

    def revoke(self, id_or_key: str, source: str, *, any_source: bool) -> tuple[str, int]:
        """Take a notification back.

        Parameters
        ----------
        id_or_key
            Its id, or its key.
        source
            Whose key is meant.
        any_source
            Whether a key of just one other source will do.
        """
        found = self._execute(
            f"SELECT id FROM notifications WHERE id = ? AND origin = 'ingest' AND {ACTIVE}",
            (id_or_key,),
        ).fetchall()
        if not found:
            by_key = self._execute(
                f"SELECT id, source FROM notifications WHERE key = ? AND {ACTIVE}", (id_or_key,)
            ).fetchall()
            found = [(i,) for i, s in by_key if s == source]
            if not found and any_source:
                if len(by_key) > 1:
                    raise Conflict(
                        f"Several sources use the key {id_or_key!r}: name one with ?source=."
                    )
                found = [(i,) for i, _ in by_key]
        if not found:
            raise NotFound(f"There is no notification with the id or key {id_or_key!r}.")
        id_ = found[0][0]
        self._bury(id_, "revoked_ms")
        return id_, self.seq

    def change_one(self, id_: str, read: bool | None, dismissed: bool | None) -> Row:
        """Change the state of one; in the shape of ``models.Changed``."""
        row = self._execute(
            f"SELECT dismissable FROM notifications WHERE id = ? AND {ACTIVE}", (id_,)
        ).fetchone()
        if row is None:
            raise NotFound(
                f"There is no notification {id_!r}, or it was taken back or has expired."
            )
        if dismissed and not row[0]:
            raise Conflict("This notification cannot be dismissed: its sender does not allow it.")
        return self._change(f"id = ? AND {ACTIVE}", (id_,), read, dismissed)

    def change_many(
        self,
        *,
        ids: list[str] | None = None,
        seqs: tuple[int, int] | None = None,
        up_to: Cursor | None = None,
        read: bool | None,
        dismissed: bool | None,
    ) -> Row:
        """Change the state of those with ``ids``, of a range of ``seqs``, or of the inbox.

        Ids that are unknown and notifications that cannot be dismissed are passed over. Of the
        inbox ``up_to`` leaves out what came, or asked for attention again, after that cursor; of
        ``seqs`` it says whose they are.

        Raises
        ------
        Conflict
            If ``up_to`` is of another epoch: nobody knows what the person has seen, and the
            ``seqs`` are those of other rows.
        """
        if ids is not None:
            # One parameter, however many ids: an old SQLite takes 999.
            where = f"id IN (SELECT value FROM json_each(?)) AND {ACTIVE}"
            return self._change(where, (json.dumps(ids),), read, dismissed)
        if up_to is not None and up_to.epoch != self.epoch:
            raise Conflict(
                "The list was loaded anew meanwhile: look at it, then try again."
                if seqs is None
                else "This can no longer be undone: the list was loaded anew meanwhile."
            )
        if seqs is not None:
            return self._change(f"seq BETWEEN ? AND ? AND {ACTIVE}", seqs, read, dismissed)
        if up_to is None:
            return self._change(INBOX, (), read, dismissed)
        # Not by ``seq``: a progress that only ticked since is still the one that was seen.
        return self._change(f"{INBOX} AND position <= ?", (up_to.seq,), read, dismissed)

    def _change(
        self, where: str, values: Iterable[Any], read: bool | None, dismissed: bool | None
    ) -> Row:
        wanted = []
        sets = []
        for column, on, extra in (
            ("read_ms", read, ""),
            ("dismissed_ms", dismissed, " AND dismissable"),
        ):
            if on is None:
                continue
            wanted.append(f"({column} IS NULL{extra})" if on else f"({column} IS NOT NULL)")
            # What has the state already keeps the time at which it got it.
            if on:
                guard = f"{column} IS NULL{extra}"
                sets.append(f"{column} = CASE WHEN {guard} THEN {self._now} ELSE {column} END")
            else:
                sets.append(f"{column} = NULL")
        rows = self._execute(
            f"SELECT id, read_ms IS NOT NULL, dismissed_ms IS NOT NULL, dismissable, "
            f"CASE WHEN origin = 'message' THEN remote END, central "
            f"FROM notifications WHERE {where} AND ({' OR '.join(wanted)}) ORDER BY position",
            values,
        ).fetchall()
        told = self._told() if any(row[4] is not None for row in rows) else set()
        first = self.seq + 1
        update = f"UPDATE notifications SET seq = ?, {', '.join(sets)} WHERE id = ?"
        for id_, was_read, was_dismissed, dismissable, remote, central in rows:
            self._execute(update, (self._next_seq(), id_))
            if remote is not None and central in told:
                # The central service knows no dismissal: what was put away is read.
                is_read = was_read if read is None else read
                is_dismissed = was_dismissed if dismissed is None else dismissed and dismissable
                done = bool(is_read or is_dismissed)
                if done != bool(was_read or was_dismissed):
                    self._post("read" if done else "unread", remote, central)
        return {
            "changed": len(rows),
            "seqs": [first, self.seq] if rows else None,
            "cursor": str(self.cursor()),
        }

    def _expire(self) -> None:
        due = self._execute(
            f"SELECT id FROM notifications WHERE expires_ms <= ? AND {ACTIVE}", (self._now,)
        ).fetchall()
        for (id_,) in due:
            self._bury(id_, "expired_ms")

    def _interrupt(self) -> None:
        overdue = self._execute(
            f"SELECT id, interrupt_ms FROM notifications WHERE interrupt_ms <= ? AND {ACTIVE}",
            (self._now,),
        ).fetchall()
        silent = self._silent
        self._silent = {
            id_: (ms, silent[id_][1] if id_ in silent and silent[id_][0] == ms else self._now)
            for id_, ms in overdue
        }
        for id_, (_, since_ms) in self._silent.items():
            if self._now - since_ms >= SECOND_LOOK_MS:
                self._execute(INTERRUPT, {"seq": self._next_seq(), "now": self._now, "id": id_})

    # Retention

    def _prune_if_due(self) -> None:
        keep = self.retention.count
        # A tenth more than is kept, so that not every message deletes another.
        most = keep + max(keep // 10, 1)
        # Counted only if there may be so many: a statement for each batch costs throughput.
        crowded = keep and self._rows > most and self._count_rows() > most
        if crowded or time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + PRUNE_INTERVAL_S
            self.prune()
            self._shrinks = True
        if self._shrinks:
            self._shrinks = self._shrink()

    def _count_rows(self) -> int:
        (count,) = self._execute("SELECT inbox + dismissed + tombstones FROM state").fetchone()
        return int(count)

    def prune(self) -> int:
        """Delete what retention does not keep; return how many rows that were."""
        where = [
            "SELECT id FROM notifications WHERE (revoked_ms IS NOT NULL OR expired_ms IS NOT NULL) "
            "AND coalesce(revoked_ms, expired_ms) < {tomb}"
        ]
        if self.retention.days > 0:
            # What the central service still broadcasts would only come again.
            where.append(
                "SELECT id FROM notifications WHERE updated_ms < {age} "
                f"AND NOT (origin = 'broadcast' AND {ACTIVE})"
            )
        if self.retention.count > 0:
            where.append(
                "SELECT id FROM (SELECT id FROM notifications "
                f"WHERE NOT (origin = 'broadcast' AND {ACTIVE}) ORDER BY position DESC "
                f"LIMIT -1 OFFSET {self.retention.count})"
            )
        union = " UNION ".join(where).format(
            tomb=self._now - TOMBSTONE_MS,
            age=self._now - int(self.retention.days * 86_400_000),
        )
        gone = 0
        while True:
            with self._transaction(write=True):
                ids = self._execute(f"{union} LIMIT {PRUNE_CHUNK}").fetchall()
                if ids:
                    assert self._db is not None
                    self._db.executemany("DELETE FROM notifications WHERE id = ?", ids)
                    self.pruned = self._next_seq()
            gone += len(ids)
            if len(ids) < PRUNE_CHUNK:
                return gone
