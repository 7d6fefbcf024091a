"""Do not disturb and muted sources, which all servers of a user share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["UserQuiet"]


class UserQuiet(Base):
    """One user's do-not-disturb and muted sources; no row means that nothing was ever changed."""

    __tablename__ = "user_quiet"

    user_name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    #: The entries of ``services/quiet.py``, by source; the empty source is do-not-disturb.
    entries: Mapped[dict[str, Any]]
    updated: Mapped[datetime]
