"""Tables of the channels: the users' choices, and the queue of sends."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base
from .broadcasts import Broadcast
from .notifications import Id, Notification

__all__ = ["ChannelChoice", "ChannelSend", "ChannelSpread"]


class ChannelChoice(Base):
    """The choice of one user; no row means the defaults."""

    __tablename__ = "channel_choices"

    user_name: Mapped[str] = mapped_column(primary_key=True)
    #: The token of the link that turns a channel off; it opens nothing else.
    token: Mapped[str] = mapped_column(unique=True)
    off: Mapped[list[str]]
    digest: Mapped[str]
    quiet_from: Mapped[str | None]
    quiet_until: Mapped[str | None]
    timezone: Mapped[str]
    updated: Mapped[datetime]


class ChannelSend(Base):
    """One message for one user over one channel; the table is both the queue and the record."""

    __tablename__ = "channel_queue"

    #: ``n:ID`` for a notification, ``b:ID:OCCURRENCE`` for a broadcast.
    message: Mapped[str] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    #: The notification; empty if the message is a broadcast.
    notification_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey(Notification.id, ondelete="CASCADE"), index=True
    )
    broadcast_id: Mapped[str | None] = mapped_column(
        ForeignKey(Broadcast.id, ondelete="CASCADE"), index=True
    )
    occurrence: Mapped[datetime | None]
    #: ``waiting``, ``sent``, ``cancelled`` because it need not be sent, or ``failed`` for good.
    state: Mapped[str]
    due: Mapped[datetime]
    #: The time at which it was first due.
    created: Mapped[datetime]
    attempts: Mapped[int]
    leased_until: Mapped[datetime | None]
    failure: Mapped[str | None]
    updated: Mapped[datetime]

    __table_args__ = (
        Index(
            "ix_channel_queue_due",
            "due",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )


class ChannelSpread(Base):
    """How far a message to many has been queued: users are queued in the order of their names."""

    __tablename__ = "channel_spreads"

    message: Mapped[str] = mapped_column(primary_key=True)
    notification_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey(Notification.id, ondelete="CASCADE"), index=True
    )
    broadcast_id: Mapped[str | None] = mapped_column(
        ForeignKey(Broadcast.id, ondelete="CASCADE"), index=True
    )
    #: The last user who was processed.
    upto: Mapped[str]
    done: Mapped[bool] = mapped_column(Boolean)
    updated: Mapped[datetime]
