"""Tables of broadcasts, of what each user did with them, and of their deliveries (the ledger)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["Broadcast", "BroadcastState", "Delivery"]


class Broadcast(Base):
    """One broadcast; a recurring one has a single row, whose occurrence moves on."""

    __tablename__ = "broadcasts"

    id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    #: ``api``, or ``folder`` for a file of the broadcasts' directory.
    origin: Mapped[str]
    sender: Mapped[str]
    key: Mapped[str | None]
    type: Mapped[str]
    summary: Mapped[str]
    body: Mapped[str | None]
    #: Banner, inbox, dismissable, actions, reply and the like, as on the wire.
    options: Mapped[dict[str, Any]]
    #: ``all``, ``anonymous``, ``running`` or ``named``; with ``named``, the lists below.
    audience: Mapped[str]
    groups: Mapped[list[str]]
    users: Mapped[list[str]]
    #: Start, end and recurrence, as on the wire; or the front matter of a file.
    schedule: Mapped[dict[str, Any]]
    enabled: Mapped[bool] = mapped_column(Boolean)
    #: True while it is shown; the scheduler sets it, so that each change gets a ``seq``.
    active: Mapped[bool] = mapped_column(Boolean)
    #: True if it will never be shown again.
    stale: Mapped[bool] = mapped_column(Boolean)
    #: The start of the present or latest occurrence; each occurrence is shown and dismissed anew.
    occurrence: Mapped[datetime | None]
    occurrence_ends: Mapped[datetime | None]
    #: The time at which the scheduler looks at it again.
    next_change: Mapped[datetime | None]
    created: Mapped[datetime]
    updated: Mapped[datetime]
    revoked: Mapped[datetime | None]
    #: The numbers of recipients by outcome, if the site keeps only numbers and it is over.
    counts: Mapped[dict[str, Any] | None]
    #: The occurrence whose recipients have been looked for at the hub.
    planned: Mapped[datetime | None]
    #: The time of the next search for recipients: servers start while it is shown.
    plan_next: Mapped[datetime | None]
    #: The end of the lease of a replica that searches for recipients.
    plan_leased_until: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_broadcasts_next_change", "next_change"),
        Index(
            "uq_broadcasts_key",
            "sender",
            "key",
            unique=True,
            sqlite_where=text("revoked IS NULL AND key IS NOT NULL"),
            postgresql_where=text("revoked IS NULL AND key IS NOT NULL"),
        ),
    )


class BroadcastState(Base):
    """One user's state of one occurrence of a broadcast."""

    __tablename__ = "broadcast_states"

    broadcast_id: Mapped[str] = mapped_column(
        ForeignKey(Broadcast.id, ondelete="CASCADE"), primary_key=True
    )
    user_name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    #: The occurrence that the other columns belong to.
    occurrence: Mapped[datetime | None]
    read: Mapped[datetime | None]
    dismissed: Mapped[datetime | None]
    #: As in `NotificationState`.
    snoozed_until: Mapped[datetime | None]
    accepted: Mapped[datetime | None]
    replied: Mapped[datetime | None]
    reply: Mapped[str | None]

    __table_args__ = (Index(None, "user_name"),)


class Delivery(Base):
    """The delivery of one occurrence of a broadcast to one server of one user.

    These rows are also the queue: a replica claims some that are due with ``FOR UPDATE SKIP
    LOCKED`` and a lease, delivers them, and writes the outcome into them.
    """

    __tablename__ = "deliveries"

    broadcast_id: Mapped[str] = mapped_column(
        ForeignKey(Broadcast.id, ondelete="CASCADE"), primary_key=True
    )
    occurrence: Mapped[datetime] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(primary_key=True)
    #: The server's name; the default server's is empty.
    server_name: Mapped[str] = mapped_column(primary_key=True, server_default="")
    seq: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str]
    reason: Mapped[str | None]
    tabs: Mapped[int | None]
    reply: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    #: The time of the next push; empty if nothing is to be pushed.
    due: Mapped[datetime | None]
    #: The address of the push; empty if the server's lab asks the service, or if no server runs.
    url: Mapped[str | None]
    #: The route by which the server accepted it, ``notify`` or ``older``; only ``notify`` can
    #: withdraw it.
    route: Mapped[str | None]
    leased_by: Mapped[str | None]
    leased_until: Mapped[datetime | None]
    updated: Mapped[datetime]

    __table_args__ = (
        Index(None, "broadcast_id", "seq"),
        Index(None, "user_name"),
        Index(
            "ix_deliveries_due",
            "due",
            sqlite_where=text("due IS NOT NULL"),
            postgresql_where=text("due IS NOT NULL"),
        ),
    )
