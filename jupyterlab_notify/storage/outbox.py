"""The outbox: the user's actions that still have to be sent to a central service.

An entry is appended in the same transaction as the change itself. A server claims the head of the
outbox, sends it, and acknowledges it.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterable
from typing import NamedTuple

from .transaction import Transaction

#: Whether an entry has the largest number that there is, or such an entry was deleted.
_EXHAUSTED = (
    "SELECT 1 FROM (SELECT number FROM outbox UNION ALL "
    "SELECT seq FROM sqlite_sequence WHERE name = 'outbox') WHERE number = ?"
)
#: Number of entries of the same kind in one request.
CLAIM_SIZE = 200
#: The actions on broadcasts, for services that support them.
BROADCAST_ACTIONS = ("broadcast-read", "broadcast-dismiss", "broadcast-restore")
#: Actions that tell the service of answers; each has the answer as its detail.
REPLY_ACTIONS = ("reply", "broadcast-reply")
#: Actions that tell the service of snoozes. The detail of a snooze is its end, in ms by this
#: server's clock. The detail of a wake is the action to send instead to a service without snoozes,
#: if there is one.
MESSAGE_SNOOZES = ("snooze", "unsnooze", "wake")
BROADCAST_SNOOZES = ("broadcast-snooze", "broadcast-unsnooze", "broadcast-wake")
SNOOZE_ACTIONS = (*MESSAGE_SNOOZES, *BROADCAST_SNOOZES)
#: Actions that are sent one to a request.
SINGLE_ACTIONS = ("dismiss-all", "reset", *BROADCAST_ACTIONS, *REPLY_ACTIONS, *BROADCAST_SNOOZES)


class Claim(NamedTuple):
    """The head of the outbox: entries of one kind and ``detail``, claimed by one server."""

    action: str
    subjects: tuple[str, ...]
    numbers: tuple[int, ...]
    detail: str | None = None


class OutboxRepository:
    """The table ``outbox``.

    Parameters
    ----------
    central
        The tag of the central service that this server polls; empty if there is none.
    """

    def __init__(self, central: str = "") -> None:
        self.central = central

    def append(
        self,
        transaction: Transaction,
        action: str,
        subject: str,
        central: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Append an action for a central service.

        Parameters
        ----------
        transaction
            The transaction of the change.
        action
            The action, for example ``read``.
        subject
            The service's id of the message.
        central
            Which service; by default this server's own.
        detail
            What else the service has to be told, for example an answer.
        """
        central = self.central if central is None else central
        if not central:
            return
        try:
            transaction.execute(
                "INSERT INTO outbox (id, central, action, subject, detail) "
                "VALUES (lower(hex(randomblob(16))), ?, ?, ?, ?)",
                (central, action, subject, detail),
            )
        except sqlite3.OperationalError:
            # After the largest number, SQLite says that the disk is full.
            if transaction.execute(_EXHAUSTED, (sys.maxsize,)).fetchone():
                raise sqlite3.DatabaseError("malformed: a number is out of range") from None
            raise

    def append_to_all(self, transaction: Transaction, action: str) -> None:
        """Append an action for each central service."""
        for central in sorted(self.services(transaction)):
            self.append(transaction, action, "", central)

    def services(self, transaction: Transaction) -> set[str]:
        """Return the tags of the services that get the user's actions: ours and other servers'."""
        polled = {row[0] for row in transaction.execute("SELECT central FROM askers")}
        return polled | {self.central} if self.central else polled

    def count(self, transaction: Transaction) -> int:
        """Return how many entries wait for this server's service."""
        (count,) = transaction.execute(
            "SELECT count(*) FROM outbox WHERE central = ?", (self.central,)
        ).fetchone()
        return int(count)

    def is_waiting(self, transaction: Transaction, *actions: str) -> bool:
        """Return whether an entry with one of these actions waits."""
        marks = ", ".join("?" * len(actions))
        return bool(
            transaction.execute(
                f"SELECT 1 FROM outbox WHERE central = ? AND action IN ({marks}) LIMIT 1",
                (self.central, *actions),
            ).fetchone()
        )

    def pending_messages(self, transaction: Transaction) -> frozenset[str]:
        """Return the service's ids of the messages that waiting entries make read or unread."""
        return self._subjects(transaction, "read", "unread", "wake")

    def pending_snoozes(self, transaction: Transaction) -> frozenset[str]:
        """Return the service's ids of the messages with a snooze that it was not told of yet."""
        return self._subjects(transaction, *MESSAGE_SNOOZES)

    def _subjects(self, transaction: Transaction, *actions: str) -> frozenset[str]:
        marks = ", ".join("?" * len(actions))
        return frozenset(
            row[0]
            for row in transaction.execute(
                f"SELECT subject FROM outbox WHERE central = ? AND action IN ({marks})",
                (self.central, *actions),
            )
        )

    def is_pending(
        self, transaction: Transaction, origin: str, remote: str, *, wakes: bool = False
    ) -> bool:
        """Return whether an action of the user on a message or broadcast waits in the outbox.

        Parameters
        ----------
        transaction
            A transaction.
        origin
            ``message`` or ``broadcast``.
        remote
            The service's id.
        wakes
            Whether the end of a snooze counts as well. It does for a service without snoozes.
        """
        actions: tuple[str, ...] = (*BROADCAST_ACTIONS, "broadcast-reply", "broadcast-wake")
        if origin != "broadcast":
            actions = ("read", "unread", "reply", "wake")
        return self._waits(transaction, remote, actions if wakes else actions[:-1])

    def is_snooze_pending(self, transaction: Transaction, origin: str, remote: str) -> bool:
        """Return whether a snooze by the user, or the user's end of one, waits in the outbox.

        A snooze that ended by itself does not count: the service knows its end as well.
        """
        actions = BROADCAST_SNOOZES if origin == "broadcast" else MESSAGE_SNOOZES
        return self._waits(transaction, remote, actions[:2])

    def _waits(self, transaction: Transaction, remote: str, actions: tuple[str, ...]) -> bool:
        marks = ", ".join("?" * len(actions))
        return bool(
            transaction.execute(
                f"SELECT 1 FROM outbox WHERE central = ? AND subject = ? AND action IN ({marks}) "
                "LIMIT 1",
                (self.central, remote, *actions),
            ).fetchone()
        )

    def claim(
        self, transaction: Transaction, owner: str, lease_ms: int, dead: Iterable[str] = ()
    ) -> Claim | None:
        """Claim the head of the outbox, so that no other server sends it as well.

        Parameters
        ----------
        transaction
            A transaction that writes.
        owner
            The server that claims.
        lease_ms
            After this time another server's claim is void, since that server must have ended.
        dead
            Servers that are known to have ended.

        Returns
        -------
        Claim or None
            None if nothing waits, or if another server is sending the head.
        """
        rows = transaction.execute(
            "SELECT number, action, subject, claimed_by, claimed_ms, detail FROM outbox "
            "WHERE central = ? ORDER BY number LIMIT ?",
            (self.central, CLAIM_SIZE),
        ).fetchall()
        if not rows:
            return None
        _, action, _, claimed_by, claimed_ms, detail = rows[0]
        # The difference counts in either direction: the clock of another host may be ahead.
        # A claim without a time that can be read is void too.
        is_known = isinstance(claimed_ms, int)
        age_ms = abs(transaction.now_ms - claimed_ms) if is_known else lease_ms
        if claimed_by not in (None, owner, *dead) and age_ms < lease_ms:
            return None
        numbers: list[int] = []
        subjects: dict[str, None] = {}
        for number, kind, subject, _, _, more in rows:
            if (kind, more) != (action, detail) or (numbers and kind in SINGLE_ACTIONS):
                break
            numbers.append(number)
            subjects[subject] = None
        transaction.execute(
            "UPDATE outbox SET claimed_by = ?, claimed_ms = ? "
            "WHERE number IN (SELECT value FROM json_each(?))",
            (owner, transaction.now_ms, json.dumps(numbers)),
        )
        return Claim(action, tuple(subjects), tuple(numbers), detail)

    def claim_owners(self, transaction: Transaction) -> list[str]:
        """Return the servers that have claimed something."""
        return [
            row[0]
            for row in transaction.execute(
                "SELECT DISTINCT claimed_by FROM outbox "
                "WHERE central = ? AND claimed_by IS NOT NULL",
                (self.central,),
            )
        ]

    def acknowledge(
        self, transaction: Transaction, owner: str, claim: Claim, *, delivered: bool
    ) -> None:
        """Delete the entries of a claim.

        Parameters
        ----------
        transaction
            A transaction that writes.
        owner
            The server that claimed them.
        claim
            The claim.
        delivered
            Whether the service accepted them; if not, it never will.
        """
        transaction.execute(
            "DELETE FROM outbox WHERE claimed_by = ? "
            "AND number IN (SELECT value FROM json_each(?))",
            (owner, json.dumps(claim.numbers)),
        )
        if not delivered:
            return
        if claim.action == "dismiss":
            ids = [f"central:{self.central}:{subject}" for subject in claim.subjects]
            transaction.execute(
                "UPDATE welcome SET told = 1 WHERE dismissed_ms IS NOT NULL "
                "AND id IN (SELECT value FROM json_each(?))",
                (json.dumps(ids),),
            )
        elif claim.action == "dismiss-all":
            transaction.execute(
                "UPDATE welcome SET told = 1 WHERE dismissed_ms IS NOT NULL AND central = ?",
                (self.central,),
            )

    def release(self, transaction: Transaction, owner: str) -> None:
        """Release claimed entries that could not be sent."""
        transaction.execute(
            "UPDATE outbox SET claimed_by = NULL, claimed_ms = NULL WHERE claimed_by = ?", (owner,)
        )
