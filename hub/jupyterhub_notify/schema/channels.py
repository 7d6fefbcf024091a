"""What users have chosen of the channels, and what was sent over them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base
from .notifications import Id, Notification

__all__ = ["ChannelChoice", "ChannelSend"]


class ChannelChoice(Base):
    """What one user has chosen; no row means the defaults."""

    __tablename__ = "channel_choices"

    user_name: Mapped[str] = mapped_column(primary_key=True)
    #: Opens the link that turns a channel off, and nothing else.
    token: Mapped[str] = mapped_column(unique=True)
    off: Mapped[list[str]]
    digest: Mapped[str]
    quiet_from: Mapped[str | None]
    quiet_until: Mapped[str | None]
    timezone: Mapped[str]
    updated: Mapped[datetime]


class ChannelSend(Base):
    """One notification for one user over one channel: the queue, and the record of it."""

    __tablename__ = "channel_sends"

    notification_id: Mapped[int] = mapped_column(
        Id, ForeignKey(Notification.id, ondelete="CASCADE"), primary_key=True
    )
    user_name: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    #: ``waiting``, ``sent``, ``cancelled`` as it was read or has gone, or ``failed`` for good.
    state: Mapped[str]
    due: Mapped[datetime]
    created: Mapped[datetime]
    attempts: Mapped[int]
    leased_until: Mapped[datetime | None]
    failure: Mapped[str | None]
    updated: Mapped[datetime]

    __table_args__ = (
        Index(
            "ix_channel_sends_due",
            "due",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )
