"""The table of broadcasts that were saved in the composer as templates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["SavedTemplate"]


class SavedTemplate(Base):
    """A template that a sender saved; the site's own are files."""

    __tablename__ = "saved_templates"

    name: Mapped[str] = mapped_column(primary_key=True)
    #: The user who saved it last.
    saved_by: Mapped[str]
    #: True if an administrator saved it: every sender sees it then.
    shared: Mapped[bool]
    #: The content, in the form of `SaveTemplate` in ``models/recipients.py``.
    content: Mapped[dict[str, Any]]
    updated: Mapped[datetime]
