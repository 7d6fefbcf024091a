"""What storage returns: a notification or broadcast with what one user did with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["StoredNotification", "StoredState"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredState:
    """What one user did with one notification."""

    seq: int = 0
    read: datetime | None = None
    dismissed: datetime | None = None
    replied: datetime | None = None
    reply: str | None = None
    stored: datetime | None = None
    shown: datetime | None = None
    tabs: int | None = None


NOTHING_YET = StoredState()


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredNotification:
    """A notification, with the state of the user it was read for."""

    id: int
    seq: int
    service: str
    target: str
    key: str | None
    type: str
    summary: str
    body: str | None
    template: str | None
    data: dict[str, Any] | None
    options: dict[str, Any]
    created: datetime
    updated: datetime
    expires: datetime | None
    state: str
    user_state: StoredState = NOTHING_YET

    @property
    def recipient(self) -> str | None:
        """The user it is for; `None` if it is for a group."""
        return self.target[2:] if self.target.startswith("u:") else None

    @property
    def group(self) -> str | None:
        """The group it is for; `None` if it is for a user."""
        return self.target[2:] if self.target.startswith("g:") else None
