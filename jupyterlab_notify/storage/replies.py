"""The questions that notifications ask, and the user's answers.

An answer to a central service's message goes to the outbox in the same transaction. An answer to a
message that was pushed here waits until the sender asks for it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..exceptions import BadRequest, Conflict, NotFound
from .fields import SELECT, WireNotification, to_wire
from .outbox import OutboxRepository
from .state import ACTIVE
from .transaction import Transaction

if TYPE_CHECKING:
    from .shapes import Changed


class ReplyRepository:
    """The answers in the table ``notifications``.

    Parameters
    ----------
    outbox
        Collects the answers to a central service's messages.
    """

    def __init__(self, outbox: OutboxRepository) -> None:
        self._outbox = outbox

    def sent(self, transaction: Transaction, id_or_key: str, source: str) -> WireNotification:
        """Return the present state of a message that was pushed here; see ``find_sent``."""
        id_ = find_sent(transaction, id_or_key, source)
        row = to_wire(transaction.execute(f"{SELECT} WHERE id = ?", (id_,)).fetchone())
        if row["ended"] is not None and row["reply"] is not None:
            raise NotFound(f"The question {id_or_key!r} has expired.")
        return row

    def is_lapsing(self, transaction: Transaction, id_: str) -> bool:
        """Return whether a question's heartbeat is half over, or did not come in time."""
        (lapses,) = transaction.execute(
            "SELECT reply IS NOT NULL AND answer IS NULL AND heartbeat_ms IS NOT NULL "
            "AND coalesce(interrupt_ms - heartbeat_ms / 2 <= ?, 1) "
            "FROM notifications WHERE id = ?",
            (transaction.now_ms, id_),
        ).fetchone() or (False,)
        return bool(lapses)

    def renew(self, transaction: Transaction, id_or_key: str, source: str) -> WireNotification:
        """Note that a question's program is waiting for the answer; return what ``sent`` does."""
        row = self.sent(transaction, id_or_key, source)
        # Tabs need not know, unless they show that the program is gone. In memory every change
        # takes a seq, because the merge into the file goes by seq.
        is_news = row["stopped"] is not None or not transaction.durable
        transaction.execute(
            "UPDATE notifications SET seq = ?, interrupt_ms = ? + heartbeat_ms, stopped_ms = NULL "
            "WHERE id = ? AND heartbeat_ms IS NOT NULL AND answer IS NULL",
            (transaction.next_seq() if is_news else row["seq"], transaction.now_ms, row["id"]),
        )
        return self.sent(transaction, id_or_key, source)

    def reply(self, transaction: Transaction, id_: str, answer: str) -> Changed:
        """Store the user's answer, and mark the message as read.

        A program that has been answered goes on, so its question is answered once. A central
        service takes a later answer in place of an earlier one.

        Raises
        ------
        NotFound
            If there is no such notification.
        Conflict
            If the notification asks for no answer, a program's question has another answer, or
            the program no longer waits for one.
        BadRequest
            If the answer is none of the choices, and the question allows no free text.
        """
        row = transaction.execute(
            "SELECT reply, answer, read_ms IS NOT NULL, stopped_ms IS NOT NULL, origin, remote, "
            "central "
            f"FROM notifications WHERE id = ? AND ended_ms IS NULL AND {ACTIVE}",
            (id_,),
        ).fetchone()
        if row is None:
            raise is_gone(transaction, id_)
        reply, before, was_read, has_stopped, origin, remote, central = row
        if reply is None:
            raise Conflict("This notification asks for no answer.")
        asked = json.loads(reply)
        if answer not in asked["choices"] and not asked["text"]:
            choices = ", ".join(map(repr, asked["choices"]))
            raise BadRequest(f"The answer must be one of {choices}.")
        if before == answer:
            return _changed(transaction, None)
        if before is not None and origin == "ingest":
            raise Conflict("This question was answered already.")
        if has_stopped:
            raise Conflict("The program that asked is gone.")
        seq, now = transaction.next_seq(), transaction.now_ms
        transaction.execute(
            "UPDATE notifications SET seq = ?, answer = ?, answered_ms = ?, "
            "read_ms = coalesce(read_ms, ?), "
            # The program has gone on; only a progress goes on reporting.
            "interrupt_ms = CASE WHEN type = 'in-progress' THEN interrupt_ms END WHERE id = ?",
            (seq, answer, now, now, id_),
        )
        if remote is not None and central in self._outbox.services(transaction):
            prefix = "broadcast-" if origin == "broadcast" else ""
            if not was_read:
                self._outbox.append(transaction, f"{prefix}read", remote, central)
            self._outbox.append(transaction, f"{prefix}reply", remote, central, answer)
        return _changed(transaction, seq)

    def refuse(self, transaction: Transaction, origin: str, remote: str, answer: str) -> None:
        """Delete an answer that the service refuses, so that the user is asked again."""
        transaction.execute(
            "UPDATE notifications SET seq = ?, answer = NULL, answered_ms = NULL "
            f"WHERE central = ? AND origin = ? AND remote = ? AND answer = ? AND {ACTIVE}",
            (transaction.next_seq(), self._outbox.central, origin, remote, answer),
        )


def find_sent(transaction: Transaction, id_or_key: str, source: str) -> str:
    """Return the id of a message that was pushed here.

    Parameters
    ----------
    transaction
        A transaction.
    id_or_key
        Its id, or its key.
    source
        Its source. To reach another source's message, a sender must name that source.

    Raises
    ------
    NotFound
        If this source has no such message, or no longer has it.
    """
    # An id may look like another message's key.
    found = transaction.execute(
        f"SELECT id FROM notifications WHERE id = ? AND source = ? AND origin = 'ingest' "
        f"AND {ACTIVE} UNION ALL "
        f"SELECT id FROM notifications WHERE source = ? AND key = ? AND {ACTIVE} LIMIT 1",
        (id_or_key, source, source, id_or_key),
    ).fetchone()
    if found is None:
        raise NotFound(
            f"There is no notification with the id or key {id_or_key!r} of the source "
            f"{source!r}. For one of another source, name that source."
        )
    return str(found[0])


def is_gone(transaction: Transaction, id_: str) -> NotFound:
    """Return the error that tells the user why a message can no longer be read or changed."""
    row = transaction.execute(
        "SELECT revoked_ms IS NOT NULL FROM notifications WHERE id = ?", (id_,)
    ).fetchone()
    if row is None:
        # Only programs and people who type ids and keys ask for what never was.
        return NotFound(f"There is no notification {id_!r}.")
    return NotFound(f"This message has {'been withdrawn' if row[0] else 'expired'}.")


def _changed(transaction: Transaction, seq: int | None) -> Changed:
    return {
        "changed": 0 if seq is None else 1,
        "seqs": None if seq is None else [seq, seq],
        "cursor": str(transaction.cursor),
    }
