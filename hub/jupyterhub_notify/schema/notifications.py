"""Tables of notifications to users and groups, and of what each user did with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["OF_GROUPS", "Notification", "NotificationState"]

#: The condition of rows for a group, exactly as in the index of these rows: written differently, a
#: query would not use the index.
OF_GROUPS = text("substr(target, 1, 2) = 'g:'")

#: SQLite numbers rows by itself only if the key has the type INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")


class Notification(Base):
    """One notification of one service to one user or one group."""

    __tablename__ = "notifications"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    #: The service in whose name it was sent.
    service: Mapped[str]
    #: ``u:NAME`` for a user, ``g:NAME`` for a group.
    target: Mapped[str]
    key: Mapped[str | None]
    #: The type, as on the wire; empty if the template decides.
    type: Mapped[str]
    summary: Mapped[str]
    body: Mapped[str | None]
    template: Mapped[str | None]
    data: Mapped[dict[str, Any] | None]
    #: Banner, dismissable, actions, reply and the like, as on the wire.
    options: Mapped[dict[str, Any]]
    created: Mapped[datetime]
    updated: Mapped[datetime]
    expires: Mapped[datetime | None]
    #: ``active``, ``revoked`` or ``expired``.
    state: Mapped[str]
    ended: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "target", "id"),
        Index(None, "service", "id"),
        # A key names one active notification of a service to a target.
        Index(
            "uq_notifications_key",
            "service",
            "key",
            "target",
            unique=True,
            sqlite_where=text("state = 'active' AND key IS NOT NULL"),
            postgresql_where=text("state = 'active' AND key IS NOT NULL"),
        ),
        Index(
            "ix_notifications_expires",
            "expires",
            sqlite_where=text("state = 'active' AND expires IS NOT NULL"),
            postgresql_where=text("state = 'active' AND expires IS NOT NULL"),
        ),
        # Finds the latest notification to a group without a look at those to users.
        Index(
            "ix_notifications_of_groups", "seq", sqlite_where=OF_GROUPS, postgresql_where=OF_GROUPS
        ),
        Index(
            "ix_notifications_ended",
            "ended",
            sqlite_where=text("ended IS NOT NULL"),
            postgresql_where=text("ended IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )


class NotificationState(Base):
    """One user's state of one notification; no row means that the user has done nothing yet."""

    __tablename__ = "notification_states"

    notification_id: Mapped[int] = mapped_column(
        Id, ForeignKey(Notification.id, ondelete="CASCADE"), primary_key=True
    )
    user_name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    read: Mapped[datetime | None]
    dismissed: Mapped[datetime | None]
    #: The end of a snooze. When the time has come, the first lab to report it brings the message
    #: back, and this becomes ``ENDED``.
    snoozed_until: Mapped[datetime | None]
    replied: Mapped[datetime | None]
    reply: Mapped[str | None]
    stored: Mapped[datetime | None]
    shown: Mapped[datetime | None]
    tabs: Mapped[int | None]

    __table_args__ = (Index(None, "user_name"),)
