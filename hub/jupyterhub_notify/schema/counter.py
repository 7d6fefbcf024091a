"""The one row whose lock orders all writes, and the epochs of its numbers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["Counter", "Epoch"]


class Counter(Base):
    """The store's last number; its row is locked from a transaction's begin to its commit.

    So numbers follow the order of commits on every replica, and a reader that has seen ``seq``
    has seen everything below it.
    """

    __tablename__ = "counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The name of the present epoch.
    epoch: Mapped[str]
    #: The number of the latest change.
    seq: Mapped[int] = mapped_column(BigInteger)
    #: The highest number of a row that was deleted for good; an older cursor must start anew.
    pruned: Mapped[int] = mapped_column(BigInteger, server_default="0")
    #: The latest notification's id.
    last_id: Mapped[int] = mapped_column(BigInteger, server_default="0")
    #: Which server and which file of it the present epoch is written to; PostgreSQL's only.
    place: Mapped[str | None]
    #: Set while nobody may publish.
    stopped: Mapped[datetime | None]
    stopped_by: Mapped[str | None]
    stopped_reason: Mapped[str | None]


class Epoch(Base):
    """A stretch of numbers that belong to one history; see ``storage/epochs.py``."""

    __tablename__ = "epochs"

    #: Their order.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    #: The store's last number when it began: its own numbers are above this.
    after: Mapped[int] = mapped_column(BigInteger)
