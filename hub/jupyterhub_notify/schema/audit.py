"""The audit log: publications, changes and revocations with their callers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["AuditEntry"]


class AuditEntry(Base):
    """One change by one caller, with identifiers and counts, but no text of a message."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(index=True)
    caller_kind: Mapped[str]
    caller: Mapped[str]
    #: The kind of change, such as ``notification.create``.
    action: Mapped[str]
    target: Mapped[str]
    detail: Mapped[dict[str, Any]]
