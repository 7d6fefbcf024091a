"""The one row whose lock orders all writes, and the epochs of its numbers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["Counter", "Epoch"]


class Counter(Base):
    """The store's last number; every transaction locks this row from its beginning to its commit.

    So numbers follow the order of commits on every replica: a reader that has seen ``seq`` has
    seen everything below it.
    """

    __tablename__ = "counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The name of the present epoch.
    epoch: Mapped[str]
    #: The number of the latest change.
    seq: Mapped[int] = mapped_column(BigInteger)
    #: The highest number of a deleted row; a reader with a cursor below it must start anew.
    pruned: Mapped[int] = mapped_column(BigInteger, server_default="0")
    #: The latest notification's id.
    last_id: Mapped[int] = mapped_column(BigInteger, server_default="0")
    #: The server and the file of the table in which the present epoch began; PostgreSQL only.
    place: Mapped[str | None]
    #: Since when publishing has been stopped; empty if it is not.
    stopped: Mapped[datetime | None]
    stopped_by: Mapped[str | None]
    stopped_reason: Mapped[str | None]


class Epoch(Base):
    """A stretch of numbers that belong to one history; see ``storage/epochs.py``."""

    __tablename__ = "epochs"

    #: The position in the order of epochs.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    #: The store's last number at its beginning; the numbers of this epoch are higher.
    after: Mapped[int] = mapped_column(BigInteger)
