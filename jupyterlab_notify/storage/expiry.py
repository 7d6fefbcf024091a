"""The end of a notification: it is *Done* if the user has seen it, otherwise a tombstone.

While the clock is in doubt, the content of what nobody has read is held back beside the
tombstone: if the clock turns out to be ahead, it comes back as it was.
"""

from __future__ import annotations

from .age import ClockStep
from .fields import hold_content, release_content, tombstone
from .state import ACTIVE
from .transaction import MAX_TIME_MS, Transaction

#: Marks an expired message as done. The message keeps its text, if that was fetched, and loses its
#: actions, its picture, its key and the service's id. From now on the same key or the same id
#: belongs to another message.
_PUT_AWAY = """
    UPDATE notifications SET
        seq = :seq, read_ms = coalesce(read_ms, :now), closed_ms = coalesce(closed_ms, :now),
        dismissed_ms = coalesce(dismissed_ms, :now), snoozed_until_ms = NULL, dismissable = 1,
        ended_ms = :now, expires_ms = NULL, countdown_ms = NULL,
        interrupt_ms = NULL, heartbeat_ms = NULL,
        key = NULL, actions = '[]', image = NULL, central = NULL, remote = NULL
    WHERE id = :id"""
#: The condition for messages that the user has read or dismissed, as SQL.
_KNOWN = "read_ms IS NOT NULL OR dismissed_ms IS NOT NULL"
#: What came in by a clock that was behind, and would end only since that was set right.
_MOVED = f"""
    SELECT id FROM notifications
    WHERE {ACTIVE} AND created_ms BETWEEN :begun AND :last
        AND expires_ms BETWEEN :last AND :last + :by"""

#: How far a central service's clock may be ahead, in ms. A message that the service stops listing
#: this shortly before its end has expired, and was not revoked.
CLOCKS_MS = 60_000


def expire(transaction: Transaction, id_: str, expires_ms: int) -> None:
    """End a notification that nobody has read; hold its content while the clock is in doubt."""
    if transaction.age_ms < expires_ms:
        hold_content(transaction, id_, expires_ms)
    tombstone(transaction, id_, "expired_ms")


def expire_due(transaction: Transaction) -> None:
    """End the notifications whose time of expiry has come."""
    due = transaction.execute(
        f"SELECT id, expires_ms, {_KNOWN} FROM notifications WHERE expires_ms <= ? AND {ACTIVE}",
        (transaction.now_ms,),
    ).fetchall()
    for id_, expires_ms, known in due:
        if known:
            _put_away(transaction, id_)
        else:
            expire(transaction, id_, expires_ms)


def move_expiry(transaction: Transaction, step: ClockStep) -> None:
    """Let what came in before a clock was set right have its time."""
    times = {"by": step.by_ms, "begun": step.begun_ms, "last": step.last_ms}
    for (id_,) in transaction.execute(_MOVED, times).fetchall():
        transaction.execute(
            "UPDATE notifications SET seq = ?, expires_ms = min(expires_ms + ?, ?) WHERE id = ?",
            (transaction.next_seq(), step.by_ms, MAX_TIME_MS, id_),
        )


def bring_back(transaction: Transaction) -> None:
    """Bring back what has expired by a clock that was ahead."""
    held = transaction.execute(
        "SELECT id FROM held WHERE until_ms > ?", (transaction.now_ms,)
    ).fetchall()
    for (id_,) in held:
        release_content(transaction, id_)


def forget_held(transaction: Transaction) -> None:
    """Erase the content of what has certainly expired."""
    transaction.execute(
        "DELETE FROM held WHERE until_ms <= ? OR id NOT IN (SELECT id FROM notifications)",
        (transaction.age_ms,),
    )


def withdraw(transaction: Transaction, id_: str) -> None:
    """End a message that its central service no longer lists: it was revoked or has expired."""
    (ends,) = transaction.execute(
        f"SELECT coalesce(expires_ms <= ?, 0) AND ({_KNOWN}) FROM notifications WHERE id = ?",
        (transaction.now_ms + CLOCKS_MS, id_),
    ).fetchone()
    if ends:
        _put_away(transaction, id_)
    else:
        tombstone(transaction, id_, "revoked_ms")


def _put_away(transaction: Transaction, id_: str) -> None:
    transaction.execute(
        _PUT_AWAY, {"seq": transaction.next_seq(), "now": transaction.now_ms, "id": id_}
    )
