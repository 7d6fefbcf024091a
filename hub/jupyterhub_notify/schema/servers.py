"""The users' servers whose labs have said hello."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["Server"]


class Server(Base):
    """One server of one user that asks this service by itself, so that nothing is pushed to it."""

    __tablename__ = "servers"

    user_name: Mapped[str] = mapped_column(primary_key=True)
    #: The server's name; the default server's is empty.
    server_name: Mapped[str] = mapped_column(primary_key=True)
    #: The extension's distribution and version.
    extension: Mapped[str]
    version: Mapped[str]
    #: The time at which the server's process began, by its own account.
    started: Mapped[datetime | None]
    hello: Mapped[datetime]
