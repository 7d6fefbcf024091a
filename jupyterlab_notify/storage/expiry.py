"""The end of a notification: it is *Done* if the user has seen it, otherwise a tombstone."""

from __future__ import annotations

from .fields import tombstone
from .state import ACTIVE
from .transaction import Transaction

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

#: How far a central service's clock may be ahead, in ms. A message that the service stops listing
#: this shortly before its end has expired, and was not revoked.
CLOCKS_MS = 60_000


def expire_due(transaction: Transaction) -> None:
    """End the notifications whose time of expiry has come."""
    due = transaction.execute(
        f"SELECT id, {_KNOWN} FROM notifications WHERE expires_ms <= ? AND {ACTIVE}",
        (transaction.now_ms,),
    ).fetchall()
    for id_, known in due:
        if known:
            _put_away(transaction, id_)
        else:
            tombstone(transaction, id_, "expired_ms")


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
