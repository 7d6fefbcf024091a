"""The rows from a central service: its messages to this user, and its broadcasts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypedDict

from .cursor import Cursor
from .expiry import CLOCKS_MS, withdraw
from .fields import bump, named_insert, tombstone
from .ids import remote_id
from .outbox import OutboxRepository
from .state import ACTIVE
from .transaction import Transaction

#: Number of broadcasts that are shown: nobody reads more, and some cannot be dismissed.
MAX_BROADCASTS = 200
#: A broadcast that is listed again within this time keeps its state, for example closed.
RETURN_WINDOW_MS = 3_600_000
#: The content of a message or broadcast. Two with equal content are the same.
CONTENT_FIELDS = (
    "type",
    "message",
    "body",
    "dismissable",
    "banner",
    "auto_close",
    "actions",
    "reply",
    "progress",
    "countdown_ms",
)

#: The stored broadcasts: for each, the service's id and the ``CONTENT_FIELDS``.
ShownBroadcasts = frozenset[tuple[Any, ...]]


class RemoteOptions(TypedDict):
    """The columns of ``notifications`` that say how a message is shown."""

    type: str
    banner: int
    dismissable: int
    auto_close: str | None
    actions: str
    reply: str | None
    progress: float | None
    #: The moment that a maintenance counts down to.
    countdown_ms: int | None
    expires_ms: int | None
    #: The time until which the user has snoozed it; None if the service does not mention snoozes.
    snoozed_until_ms: int | None


#: The defaults, for a service that does not set them.
PLAIN_OPTIONS: RemoteOptions = {
    "type": "info",
    "banner": 0,
    "dismissable": 1,
    "auto_close": None,
    "actions": "[]",
    "reply": None,
    "progress": None,
    "countdown_ms": None,
    "expires_ms": None,
    "snoozed_until_ms": None,
}


class RemoteMessage(RemoteOptions):
    """A message of the service: without its body from the list, with its body otherwise."""

    remote: str
    message: str
    created_ms: int
    #: Time at which its content changed; None if it did not, or the service does not say.
    updated_ms: int | None
    body: str | None
    fetched: int


class RemoteBroadcast(RemoteOptions):
    """A broadcast from the service's list."""

    remote: str
    message: str
    body: str | None


class RemoteState(NamedTuple):
    """The state that the user has given a message in any lab."""

    read: bool
    dismissed: bool
    #: The user's answer, and its time; None if the service mentions no answer.
    answer: str | None = None
    answered_ms: int | None = None
    #: The time until which it is snoozed; 0 if it no longer is; None if the service does not say.
    snoozed_until_ms: int | None = None


class KnownMessage(NamedTuple):
    """A stored message of the service."""

    id: str
    is_read: bool
    created_ms: int
    updated_ms: int
    snoozed_until_ms: int | None


class RemoteSnapshot(NamedTuple):
    """The stored messages of a central service, as of just before a request.

    Parameters
    ----------
    cursor
        The store's cursor. What the user does after it wins over the answer.
    pending
        The service's ids of messages with entries in the outbox.
    messages
        The messages by the service's id.
    seen
        The service's ids of all messages that were ever stored, even if deleted since.
    now_ms
        The time of the snapshot.
    """

    cursor: Cursor
    pending: frozenset[str]
    messages: dict[str, KnownMessage]
    seen: frozenset[str]
    now_ms: int

    def has_other_snooze(self, remote: str, until_ms: int | None) -> bool:
        """Return whether a stored message's snooze differs from what its service says."""
        known = self.messages.get(remote)
        return known is not None and _is_other_snooze(known.snoozed_until_ms, until_ms, self.now_ms)


class AppliedChanges(NamedTuple):
    """Our ids of the messages that changed, by their new state."""

    read: list[str]
    unread: list[str]
    revoked: list[str]
    snoozed: list[str]
    unsnoozed: list[str]


class BroadcastChanges(NamedTuple):
    """Our ids of the broadcasts that changed, by what happened to them."""

    created: list[str]
    revoked: list[str]


class _Marks(NamedTuple):
    """The times at which the user read, closed or dismissed a notification."""

    read_ms: int | None = None
    closed_ms: int | None = None
    dismissed_ms: int | None = None


class _StoredBroadcast(NamedTuple):
    id: str
    active: bool
    expires_ms: int | None
    revoked_ms: int | None
    marks: _Marks
    content: tuple[Any, ...]


# Longer than a screen: all statements that reconcile a service's lists.
class RemoteRepository:
    """The rows that came from a central service.

    Parameters
    ----------
    outbox
        The user's actions that the service was not told of yet.
    """

    def __init__(self, outbox: OutboxRepository) -> None:
        self._outbox = outbox
        self._central = outbox.central

    # Messages

    def snapshot(self, transaction: Transaction) -> RemoteSnapshot:
        """Return the stored messages of the service."""
        messages = {
            remote: KnownMessage(id_, bool(read), *times)
            for remote, id_, read, *times in transaction.execute(
                "SELECT remote, id, read_ms IS NOT NULL OR dismissed_ms IS NOT NULL, created_ms, "
                "updated_ms, snoozed_until_ms "
                "FROM notifications WHERE central = ? AND origin = 'message' "
                f"AND remote IS NOT NULL AND {ACTIVE}",
                (self._central,),
            )
        }
        seen = frozenset(
            row[0]
            for row in transaction.execute(
                "SELECT remote FROM listed WHERE central = ?", (self._central,)
            )
        )
        pending = self._outbox.pending_messages(transaction)
        return RemoteSnapshot(transaction.cursor, pending, messages, seen, transaction.now_ms)

    def add(
        self, transaction: Transaction, items: Sequence[RemoteMessage], source: str
    ) -> list[str]:
        """Store unread messages, oldest first; return our ids of the new ones.

        Parameters
        ----------
        transaction
            A transaction that writes.
        items
            The messages.
        source
            The service's name.
        """
        added = []
        for item in items:
            values = self._message_values(transaction, item, source)
            transaction.execute(
                "INSERT OR IGNORE INTO listed (central, remote) VALUES (?, ?)",
                (self._central, item["remote"]),
            )
            if not _is_over(transaction, values) and self._insert(transaction, values):
                added.append(str(values["id"]))
        return added

    def _message_values(
        self, transaction: Transaction, item: RemoteMessage, source: str
    ) -> dict[str, Any]:
        created_ms = min(item["created_ms"], transaction.now_ms)
        updated_ms = min(item["updated_ms"] or created_ms, transaction.now_ms)
        return {
            **item,
            "id": remote_id(self._central, "message", item["remote"], item["created_ms"]),
            "source": source,
            "created_ms": created_ms,
            "updated_ms": max(created_ms, updated_ms),
            "origin": "message",
        }

    def upsert_message(
        self, transaction: Transaction, item: RemoteMessage, source: str, state: RemoteState
    ) -> str | None:
        """Store the present state of a message from an event.

        Parameters
        ----------
        transaction
            A transaction that writes.
        item
            The message.
        source
            The service's name.
        state
            Its state in other labs.

        Returns
        -------
        str or None
            Our id, if the user has not seen this content yet.
        """
        values = self._message_values(transaction, item, source)
        found = transaction.execute(
            f"SELECT id, expires_ms, {', '.join(CONTENT_FIELDS)} FROM notifications "
            "WHERE central = ? AND origin = 'message' AND remote = ? "
            f"AND {ACTIVE}",
            (self._central, item["remote"]),
        ).fetchone()
        content = tuple(values[name] for name in CONTENT_FIELDS)
        if found is None:
            if state.read or state.dismissed:
                # Like the list of unread messages, an event brings in no message that the user has
                # read or dismissed elsewhere.
                return None
            return next(iter(self.add(transaction, [item], source)), None)
        id_, expires_ms, *stored = found
        if tuple(stored) == content and expires_ms == item["expires_ms"]:
            # Store the service's time, so that later lists do not report the same change again.
            transaction.execute(
                "UPDATE notifications SET updated_ms = ? WHERE id = ? AND updated_ms < ?",
                (values["updated_ms"], id_, values["updated_ms"]),
            )
            self._adopt(transaction, "message", item["remote"], state)
            return None
        if tuple(stored) != content and item["type"] != "in-progress" and not state.read:
            # The content has changed, so the message moves to the top, unread.
            transaction.execute("DELETE FROM notifications WHERE id = ?", (id_,))
            self._insert(transaction, {**values, "id": id_})
            self._adopt(transaction, "message", item["remote"], state)
            return str(id_)
        changed = {name: values[name] for name in (*CONTENT_FIELDS, "expires_ms", "updated_ms")}
        sets = ", ".join(f"{name} = ?" for name in changed)
        transaction.execute(
            f"UPDATE notifications SET seq = ?, {sets}, fetched = 1 WHERE id = ?",
            (transaction.next_seq(), *changed.values(), id_),
        )
        self._adopt(transaction, "message", item["remote"], state)
        return None

    def _active(
        self, transaction: Transaction, columns: str, origin: str, remote: str
    ) -> Any | None:
        """Return columns of an active row by the service's id; None if there is no such row."""
        return transaction.execute(
            f"SELECT {columns} FROM notifications "
            f"WHERE central = ? AND origin = ? AND remote = ? AND {ACTIVE}",
            (self._central, origin, remote),
        ).fetchone()

    def _adopt(
        self, transaction: Transaction, origin: str, remote: str, state: RemoteState
    ) -> None:
        self.snooze(transaction, origin, remote, state)
        self.mark(transaction, origin, remote, state)

    def snooze(
        self, transaction: Transaction, origin: str, remote: str, state: RemoteState
    ) -> tuple[Literal["snoozed", "unsnoozed"], str] | None:
        """Apply a snooze, or its end, from elsewhere, unless the user has changed it here since.

        Parameters
        ----------
        transaction
            A transaction that writes.
        origin
            ``message`` or ``broadcast``.
        remote
            The service's id.
        state
            Its state there.

        Returns
        -------
        tuple or None
            What the user did, and our id; None if the user did nothing new.
        """
        row = self._active(transaction, "id, snoozed_until_ms, dismissable", origin, remote)
        if row is None:
            return None
        (id_, was_ms, dismissable), until_ms = row, state.snoozed_until_ms
        if (
            not _is_other_snooze(was_ms, until_ms, transaction.now_ms)
            or (until_ms and not dismissable)
            or self._outbox.is_snooze_pending(transaction, origin, remote)
        ):
            return None
        # A snooze that has passed, but that no server has ended yet, ends here with the next batch.
        transaction.execute(
            "UPDATE notifications SET seq = ?, snoozed_until_ms = ? WHERE id = ?",
            (transaction.next_seq(), until_ms or None, id_),
        )
        if until_ms:
            return "snoozed", str(id_)
        if was_ms <= transaction.now_ms + CLOCKS_MS and not state.read:
            # The snooze's time has come at a server whose clock is ahead: it was not the user who
            # ended it.
            bump(transaction, id_)
            return None
        return "unsnoozed", str(id_)

    def mark(
        self, transaction: Transaction, origin: str, remote: str, state: RemoteState
    ) -> str | None:
        """Apply what the user did elsewhere, unless the outbox holds something newer.

        Parameters
        ----------
        transaction
            A transaction that writes.
        origin
            ``message`` or ``broadcast``.
        remote
            The service's id.
        state
            The new state.

        Returns
        -------
        str or None
            Our id, if anything changed.
        """
        row = self._active(
            transaction, "id, read_ms, closed_ms, dismissed_ms, answer", origin, remote
        )
        is_silent = state.snoozed_until_ms is None
        if row is None or self._outbox.is_pending(transaction, origin, remote, wakes=is_silent):
            return None
        id_, *marked, answer = row
        was, now = _Marks(*marked), transaction.now_ms
        if state.snoozed_until_ms and state.snoozed_until_ms <= now:
            # The snooze has passed, so the message is unread, but no server has told the service.
            state = state._replace(read=False)
        marks = _Marks((was.read_ms or now) if state.read else None, was.closed_ms)
        if origin == "broadcast":
            if not state.dismissed:
                marks = marks._replace(closed_ms=None)
            elif was.closed_ms is None and was.dismissed_ms is None:
                # A dismissal at the service closes the broadcast here, which counts as read.
                marks = _Marks(was.read_ms or now, now)
            else:
                # The user has closed or dismissed the broadcast here already.
                marks = was
        elif state.dismissed or (was.dismissed_ms is not None and state.read):
            # A message that was dismissed here is only read at the service, and stays dismissed.
            marks = marks._replace(dismissed_ms=was.dismissed_ms or now)
        is_answered = state.answer is not None and state.answer != answer
        if marks == was and not is_answered:
            return None
        transaction.execute(
            "UPDATE notifications SET seq = ?, read_ms = ?, closed_ms = ?, dismissed_ms = ? "
            "WHERE id = ?",
            (transaction.next_seq(), *marks, id_),
        )
        if is_answered:
            transaction.execute(
                "UPDATE notifications SET answer = ?, answered_ms = ? WHERE id = ?",
                (state.answer, state.answered_ms or now, id_),
            )
        return str(id_)

    def remove(self, transaction: Transaction, origin: str, remote: str) -> str | None:
        """Turn what the service has revoked into a tombstone; return our id if it was stored."""
        row = self._active(transaction, "id", origin, remote)
        if row is None:
            return None
        withdraw(transaction, row[0])
        self.forget_seen(transaction, [remote])
        return str(row[0])

    def remotes(self, transaction: Transaction, ids: Iterable[str]) -> list[str]:
        """Return the service's ids of our notifications that came from it."""
        return [
            row[0]
            for row in transaction.execute(
                "SELECT remote FROM notifications WHERE central = ? AND remote IS NOT NULL "
                "AND id IN (SELECT value FROM json_each(?))",
                (self._central, json.dumps(list(ids))),
            )
        ]

    def _insert(
        self,
        transaction: Transaction,
        values: dict[str, Any],
        marks: _Marks | None = None,
    ) -> bool:
        """Insert a row in place of an ended one; return False if there is an active row."""
        row = transaction.execute(
            f"SELECT ended_ms IS NULL AND {ACTIVE} FROM notifications WHERE id = ?",
            (values["id"],),
        ).fetchone()
        if row is not None:
            if row[0]:
                return False
            transaction.execute("DELETE FROM notifications WHERE id = ?", (values["id"],))
        seq = transaction.next_seq()
        row = {
            **values,
            "markdown": 1,
            "central": self._central,
            **(marks or _Marks())._asdict(),
            "snoozed_until_ms": values["snoozed_until_ms"] or None,
            "seq": seq,
            "position": seq,
        }
        transaction.execute(named_insert("notifications", row), row)
        return True

    def skip(self, transaction: Transaction, remotes: Iterable[str]) -> None:
        """Mark as seen those unread messages that retention would not keep: they stay out."""
        transaction.execute(
            "INSERT OR IGNORE INTO listed (central, remote) SELECT ?, value FROM json_each(?)",
            (self._central, json.dumps(list(remotes))),
        )

    def forget_seen(self, transaction: Transaction, remotes: Iterable[str]) -> None:
        """Forget ids that the service no longer lists as unread."""
        transaction.execute(
            "DELETE FROM listed WHERE central = ? AND remote IN (SELECT value FROM json_each(?))",
            (self._central, json.dumps(list(remotes))),
        )

    def apply(
        self,
        transaction: Transaction,
        snapshot: RemoteSnapshot,
        read: Iterable[str],
        unread: Iterable[str],
        revoked: Iterable[str],
        snoozed: Mapping[str, RemoteState] | None = None,
    ) -> AppliedChanges:
        """Apply what was done elsewhere, except where the user has acted here in the meantime.

        Parameters
        ----------
        transaction
            A transaction that writes.
        snapshot
            The stored messages before the request.
        read, unread, revoked
            The service's ids, by their new state.
        snoozed
            The state of messages that were snoozed or brought back, by the service's ids.
        """
        changed = AppliedChanges([], [], [], [], [])
        if snapshot.cursor.epoch != transaction.state.epoch:
            return changed
        pending = snapshot.pending | self._outbox.pending_messages(transaction)
        late = self._changed_since(transaction, snapshot.cursor)
        for remote in read:
            if remote not in late and (id_ := self._apply_read(transaction, pending, remote, True)):
                changed.read.append(id_)
        for remote in unread:
            if remote not in late and (
                id_ := self._apply_read(transaction, pending, remote, False)
            ):
                changed.unread.append(id_)
        for remote, state in (snoozed or {}).items():
            if remote not in late and (done := self.snooze(transaction, "message", remote, state)):
                getattr(changed, done[0]).append(done[1])
        for remote in revoked:
            row = self._find_message(transaction, remote)
            if row is not None:
                withdraw(transaction, row[0])
                # If the service ever lists the message again, it counts as new.
                self.forget_seen(transaction, [remote])
                changed.revoked.append(row[0])
        return changed

    def _apply_read(
        self,
        transaction: Transaction,
        pending: frozenset[str],
        remote: str,
        read: bool,
    ) -> str | None:
        row = self._find_message(transaction, remote)
        if row is None:
            return None
        id_, is_read = row
        if remote in pending or bool(is_read) == read:
            return None
        sets = "read_ms = ?" if read else "read_ms = NULL, dismissed_ms = NULL"
        values = (transaction.now_ms,) if read else ()
        transaction.execute(
            f"UPDATE notifications SET seq = ?, {sets} WHERE id = ?",
            (transaction.next_seq(), *values, id_),
        )
        return id_

    def _changed_since(self, transaction: Transaction, cursor: Cursor) -> set[str]:
        """Return the service's ids of the messages that have changed here since."""
        return {
            row[0]
            for row in transaction.execute(
                "SELECT remote FROM notifications "
                "WHERE seq > ? AND central = ? AND origin = 'message'",
                (cursor.seq, self._central),
            )
        }

    def _find_message(self, transaction: Transaction, remote: str) -> tuple[str, int] | None:
        row: tuple[str, int] | None = transaction.execute(
            "SELECT id, read_ms IS NOT NULL OR dismissed_ms IS NOT NULL "
            "FROM notifications WHERE central = ? AND origin = 'message' AND remote = ? "
            f"AND {ACTIVE}",
            (self._central, remote),
        ).fetchone()
        return row

    def unfetched(self, transaction: Transaction, id_: str) -> str | None:
        """Return the service's id of a message whose body was not fetched yet."""
        row = transaction.execute(
            f"SELECT remote FROM notifications WHERE id = ? AND fetched = 0 AND central = ? "
            f"AND {ACTIVE}",
            (id_, self._central),
        ).fetchone()
        return None if row is None else str(row[0])

    def store_body(self, transaction: Transaction, id_: str, body: str | None) -> None:
        """Store a message's body; tabs are notified only if the message has none."""
        # In memory the row takes a seq in any case, because the merge into the file goes by seq.
        is_change = body is None or not transaction.durable
        seq = transaction.next_seq() if is_change else None
        transaction.execute(
            "UPDATE notifications SET body = ?, fetched = 1, seq = coalesce(?, seq) "
            "WHERE id = ? AND fetched = 0",
            (body, seq, id_),
        )

    def revoke(self, transaction: Transaction, id_: str) -> bool:
        """Turn a message into a tombstone; return False if it is gone already."""
        row = transaction.execute(
            f"SELECT remote FROM notifications WHERE id = ? AND {ACTIVE}", (id_,)
        ).fetchone()
        if row is not None:
            tombstone(transaction, id_, "revoked_ms")
            # If the service lists the message after all, it comes back.
            self.forget_seen(transaction, [row[0]])
        return row is not None

    # Broadcasts

    def sync_broadcasts(
        self,
        transaction: Transaction,
        items: Sequence[RemoteBroadcast],
        source: str,
        shown: ShownBroadcasts,
    ) -> BroadcastChanges | None:
        """Store the list of broadcasts; those that are no longer listed were revoked.

        Parameters
        ----------
        transaction
            A transaction that writes.
        items
            The broadcasts, newest first.
        source
            The service's name.
        shown
            The result of ``shown_broadcasts`` before the request.

        Returns
        -------
        BroadcastChanges or None
            None if another server stored a list in the meantime, which may be the later one. Then
            nothing is changed.
        """
        if self.shown_broadcasts(transaction) != shown:
            return None
        changed = BroadcastChanges([], [])
        stored = self._stored_broadcasts(transaction)
        for item in reversed(items):
            id_ = self._sync_broadcast(transaction, item, source, stored.get(item["remote"]))
            if id_ is not None:
                changed.created.append(id_)
        listed = {item["remote"] for item in items}
        for remote, row in stored.items():
            if row.active and remote not in listed:
                withdraw(transaction, row.id)
                changed.revoked.append(row.id)
        return changed

    def _sync_broadcast(
        self,
        transaction: Transaction,
        item: RemoteBroadcast,
        source: str,
        stored: _StoredBroadcast | None,
    ) -> str | None:
        """Store one broadcast; return its id if it is new."""
        values: dict[str, Any] = {
            **item,
            "id": remote_id(self._central, "broadcast", item["remote"]),
            "source": source,
            "created_ms": transaction.now_ms,
            "updated_ms": transaction.now_ms,
            "origin": "broadcast",
            "fetched": 1,
        }
        if stored is not None and stored.active:
            if stored.content == tuple(values[name] for name in CONTENT_FIELDS):
                if stored.expires_ms != item["expires_ms"]:
                    transaction.execute(
                        "UPDATE notifications SET seq = ?, expires_ms = ? WHERE id = ?",
                        (transaction.next_seq(), item["expires_ms"], stored.id),
                    )
                return None
            # The user has not seen the new content, so the broadcast counts as new.
            transaction.execute("DELETE FROM notifications WHERE id = ?", (stored.id,))
            self._insert(transaction, values)
        elif self._adopt_pushed(transaction, values, stored) or _is_over(transaction, values):
            return None
        elif (
            stored is not None
            and stored.revoked_ms is not None
            and transaction.now_ms - stored.revoked_ms < RETURN_WINDOW_MS
        ):
            self._insert(transaction, values, stored.marks)
        else:
            self._insert(transaction, values)
        return str(values["id"])

    def _adopt_pushed(
        self, transaction: Transaction, values: dict[str, Any], stored: _StoredBroadcast | None
    ) -> bool:
        """Turn a message that the service has pushed here into the broadcast that it belongs to.

        The row stays the same, so that no tab shows it twice and the user's actions on it count.
        """
        remote = values["remote"]
        row = transaction.execute(
            "SELECT id, read_ms, coalesce(closed_ms, dismissed_ms), snoozed_until_ms "
            "FROM notifications "
            # Matches every key that starts with the id and "@".
            f"WHERE key > ? AND key < ? AND origin = 'ingest' AND {ACTIVE} "
            "ORDER BY position DESC LIMIT 1",
            (f"{remote}@", f"{remote}A"),
        ).fetchone()
        if row is None:
            return False
        id_, read_ms, gone_ms, snoozed_ms = row
        if stored is not None:
            transaction.execute("DELETE FROM notifications WHERE id = ?", (stored.id,))
        columns = ("central", "origin", "remote", "source", "expires_ms", *CONTENT_FIELDS)
        adopted = {**values, "central": self._central}
        transaction.execute(
            f"UPDATE notifications SET seq = ?, key = NULL, via = NULL, markdown = 1, data = NULL, "
            f"{', '.join(f'{name} = ?' for name in columns)} WHERE id = ?",
            (transaction.next_seq(), *(adopted[name] for name in columns), id_),
        )
        for action, done in (("broadcast-read", read_ms), ("broadcast-dismiss", gone_ms)):
            if done is not None:
                self._outbox.append(transaction, action, remote)
        if snoozed_ms is not None and gone_ms is None:
            self._outbox.append(transaction, "broadcast-snooze", remote, detail=str(snoozed_ms))
        return True

    def upsert_broadcast(
        self, transaction: Transaction, item: RemoteBroadcast, source: str, state: RemoteState
    ) -> str | None:
        """Store the present state of a broadcast from an event.

        Returns
        -------
        str or None
            Our id, if it is new or its content has changed.
        """
        stored = self._stored_broadcasts(transaction, item["remote"]).get(item["remote"])
        if stored is None or not stored.active:
            (count,) = transaction.execute(
                "SELECT count(*) FROM notifications WHERE central = ? AND origin = 'broadcast' "
                f"AND {ACTIVE}",
                (self._central,),
            ).fetchone()
            if count >= MAX_BROADCASTS:
                return None
        id_ = self._sync_broadcast(transaction, item, source, stored)
        self._adopt(transaction, "broadcast", item["remote"], state)
        return id_

    def _stored_broadcasts(
        self, transaction: Transaction, remote: str | None = None
    ) -> dict[str, _StoredBroadcast]:
        rows = transaction.execute(
            # An abandoned broadcast has expired but was not revoked. If it is listed again now, it
            # keeps its state.
            f"SELECT remote, id, {ACTIVE}, expires_ms, "
            "CASE WHEN expired_ms IS NULL THEN revoked_ms ELSE ? END, "
            f"read_ms, closed_ms, dismissed_ms, {', '.join(CONTENT_FIELDS)} "
            "FROM notifications WHERE central = ? AND origin = 'broadcast' "
            "AND (? IS NULL OR remote = ?)",
            (transaction.now_ms, self._central, remote, remote),
        )
        return {
            remote: _StoredBroadcast(
                id_, active, expires_ms, revoked_ms, _Marks(*rest[:3]), tuple(rest[3:])
            )
            for remote, id_, active, expires_ms, revoked_ms, *rest in rows
        }

    def shown_broadcasts(self, transaction: Transaction) -> ShownBroadcasts:
        """Return the stored broadcasts with their content."""
        return frozenset(
            transaction.execute(
                f"SELECT remote, {', '.join(CONTENT_FIELDS)} FROM notifications "
                f"WHERE central = ? AND origin = 'broadcast' AND {ACTIVE}",
                (self._central,),
            )
        )


def _is_other_snooze(was_ms: int | None, until_ms: int | None, now_ms: int) -> bool:
    """Return whether a service's snooze differs from a row's by more than the service's rounding.

    The service keeps whole seconds. For a row that is not snoozed, a snooze that has already ended
    is no difference.
    """
    if until_ms is None:
        return False
    return until_ms > now_ms if was_ms is None else abs(until_ms - was_ms) >= 1000


def _is_over(transaction: Transaction, values: Mapping[str, Any]) -> bool:
    """Return whether a message had expired before it arrived, by this machine's clock."""
    expires_ms = values["expires_ms"]
    return expires_ms is not None and expires_ms <= transaction.now_ms
