"""Results of storage: a notification or broadcast with what one user did with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

__all__ = [
    "ENDED",
    "BroadcastUserState",
    "StoredBroadcast",
    "StoredNotification",
    "StoredState",
    "StoredWelcome",
    "WelcomeUserState",
]

#: Marks a snooze that has ended. It differs from None, no snooze known: labs may have snoozed a
#: message before the service supported snoozing, and such a snooze may still go on.
ENDED = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredState:
    """One user's state of one notification."""

    seq: int = 0
    read: datetime | None = None
    dismissed: datetime | None = None
    snoozed_until: datetime | None = None
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
        """The user who receives it; `None` if a group does."""
        return self.target[2:] if self.target.startswith("u:") else None

    @property
    def group(self) -> str | None:
        """The group that receives it; `None` if a user does."""
        return self.target[2:] if self.target.startswith("g:") else None


@dataclass(frozen=True, kw_only=True, slots=True)
class BroadcastUserState:
    """One user's state of the present occurrence of a broadcast."""

    seq: int = 0
    read: datetime | None = None
    dismissed: datetime | None = None
    snoozed_until: datetime | None = None
    accepted: datetime | None = None
    replied: datetime | None = None
    reply: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredBroadcast:
    """A broadcast, with the state of the user it was read for."""

    id: str
    seq: int
    origin: str
    sender: str
    key: str | None
    type: str
    summary: str
    body: str | None
    options: dict[str, Any]
    audience: str
    groups: list[str]
    users: list[str]
    schedule: dict[str, Any]
    enabled: bool
    active: bool
    stale: bool
    occurrence: datetime | None
    occurrence_ends: datetime | None
    next_change: datetime | None
    created: datetime
    updated: datetime
    revoked: datetime | None
    counts: dict[str, Any] | None = None
    user_state: BroadcastUserState = BroadcastUserState()

    def is_for(self, user: str | None, groups: frozenset[str]) -> bool:
        """Return whether a user, or an anonymous caller, is in its audience."""
        if self.audience == "all":
            return True
        if self.audience == "anonymous":
            return user is None
        if user is None:
            return False
        return (
            self.audience == "running" or user in self.users or not groups.isdisjoint(self.groups)
        )

    @property
    def is_shown(self) -> bool:
        """Return whether it is shown now."""
        return self.active and self.revoked is None


@dataclass(frozen=True, kw_only=True, slots=True)
class WelcomeUserState:
    """One user's state of a welcome message."""

    seq: int = 0
    views: int = 0
    seen_version: datetime | None = None
    dismissed: datetime | None = None
    accepted: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredWelcome:
    """A welcome message, with the state of the user it was read for."""

    id: str
    seq: int
    sender: str
    aspect: str
    position: int
    title: str
    summary: str | None
    body: str
    dismissable: bool
    max_views: int | None
    must_accept: bool
    groups: list[str]
    users: list[str]
    created: datetime
    updated: datetime
    expires: datetime | None
    ended: datetime | None
    user_state: WelcomeUserState = WelcomeUserState()

    def is_for(self, user: str | None, groups: frozenset[str]) -> bool:
        """Return whether a user is in its audience."""
        if user is None:
            return False
        if not self.users and not self.groups:
            return True
        return user in self.users or not groups.isdisjoint(self.groups)

    @property
    def views(self) -> int:
        """The number of times that the user has seen this version."""
        state = self.user_state
        return state.views if state.seen_version == self.updated else 0

    @property
    def is_due(self) -> bool:
        """Return whether it is due to the user."""
        state = self.user_state
        if self.ended is not None:
            return False
        if self.must_accept:
            return state.accepted is None or state.accepted < self.updated
        if state.dismissed is not None and state.dismissed >= self.updated:
            return False
        return self.max_views is None or self.views < self.max_views
