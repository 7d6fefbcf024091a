"""The one row whose lock orders all writes, and the switch that stops publishing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["Counter"]


class Counter(Base):
    """The store's last number; its row is locked from a transaction's begin to its commit.

    So numbers follow the order of commits on every replica, and a reader that has seen ``seq``
    has seen everything below it.
    """

    __tablename__ = "counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: The name of this store; a cursor of another one is of no use.
    epoch: Mapped[str]
    #: The number of the latest change.
    seq: Mapped[int] = mapped_column(BigInteger)
    #: The highest number of a row that was deleted for good; an older cursor must start anew.
    pruned: Mapped[int] = mapped_column(BigInteger, server_default="0")
    #: Set while nobody may publish.
    stopped: Mapped[datetime | None]
    stopped_by: Mapped[str | None]
    stopped_reason: Mapped[str | None]
