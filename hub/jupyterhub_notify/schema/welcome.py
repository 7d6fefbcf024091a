"""Tables of welcome messages, and of which users have seen, dismissed or accepted them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["Welcome", "WelcomeState"]


class Welcome(Base):
    """One welcome message of one aspect, such as ``jupyterlab``."""

    __tablename__ = "welcome"

    id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    sender: Mapped[str]
    aspect: Mapped[str]
    #: Messages with a lower position come first.
    position: Mapped[int]
    title: Mapped[str]
    summary: Mapped[str | None]
    body: Mapped[str]
    dismissable: Mapped[bool] = mapped_column(Boolean)
    max_views: Mapped[int | None]
    must_accept: Mapped[bool] = mapped_column(Boolean)
    #: If both lists are empty, the message is for everyone.
    groups: Mapped[list[str]]
    users: Mapped[list[str]]
    created: Mapped[datetime]
    #: The version of the text; a later one than a user's dismissal makes it due again.
    updated: Mapped[datetime]
    expires: Mapped[datetime | None]
    #: Set once it was revoked or has expired.
    ended: Mapped[datetime | None]


class WelcomeState(Base):
    """One user's state of one welcome message."""

    __tablename__ = "welcome_states"

    welcome_id: Mapped[str] = mapped_column(
        ForeignKey(Welcome.id, ondelete="CASCADE"), primary_key=True
    )
    user_name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    #: The number of views of the version in ``seen_version``.
    views: Mapped[int] = mapped_column(server_default="0")
    seen_version: Mapped[datetime | None]
    dismissed: Mapped[datetime | None]
    accepted: Mapped[datetime | None]

    __table_args__ = (Index(None, "user_name"),)
