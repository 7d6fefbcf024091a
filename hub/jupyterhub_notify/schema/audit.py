"""The record of who published, changed and revoked what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["AuditEntry"]


class AuditEntry(Base):
    """One change by one caller; it has identifiers and counts, and no text of a message."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(index=True)
    caller_kind: Mapped[str]
    caller: Mapped[str]
    #: Such as ``notification.create``.
    action: Mapped[str]
    target: Mapped[str]
    detail: Mapped[dict[str, Any]]
