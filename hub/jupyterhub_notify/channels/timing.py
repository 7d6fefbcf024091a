"""When a channel may send: quiet hours and digests, in the user's local time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone
from typing import Any, Literal
from zoneinfo import ZoneInfo

from ..recurrence import place

__all__ = ["Preferences", "due_at", "preferences_of"]

Digest = Literal["none", "hourly", "daily"]

#: Time of day of a daily digest.
MORNING = time(8)


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """The choice of a user.

    Parameters
    ----------
    off
        The channels that the user has turned off.
    digest
        Whether messages are gathered, hourly or daily.
    quiet_from, quiet_until
        The hours in which nothing is sent; they include midnight if the second is earlier.
    zone
        The user's time zone.
    """

    off: frozenset[str] = frozenset()
    digest: Digest = "none"
    quiet_from: time | None = None
    quiet_until: time | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


def due_at(moment: datetime, preferences: Preferences) -> datetime:
    """Find when a message may be sent.

    Parameters
    ----------
    moment
        When the message has been unread for long enough.
    preferences
        The user's choice.

    Returns
    -------
    datetime
        The same moment or a later one, in UTC.
    """
    local = moment.astimezone(preferences.zone).replace(tzinfo=None)
    start = local
    if preferences.digest == "hourly":
        local = local.replace(minute=0, second=0, microsecond=0)
        local += timedelta(hours=1) if local < start else timedelta()
    elif preferences.digest == "daily":
        local = datetime.combine(local.date(), MORNING)
        local += timedelta(days=1) if local < start else timedelta()
    local = _after_quiet(local, preferences)
    if local == start:
        return moment.astimezone(timezone.utc)
    return max(place(local, preferences.zone), moment.astimezone(timezone.utc))


def _after_quiet(local: datetime, preferences: Preferences) -> datetime:
    first, last = preferences.quiet_from, preferences.quiet_until
    if first is None or last is None or first == last:
        return local
    if first < last:
        return datetime.combine(local.date(), last) if first <= local.time() < last else local
    if local.time() >= first:
        return datetime.combine(local.date() + timedelta(days=1), last)
    return datetime.combine(local.date(), last) if local.time() < last else local


def preferences_of(choice: dict[str, Any] | None) -> Preferences:
    """Read a row of choices.

    Parameters
    ----------
    choice
        The row; ``None`` for the defaults.

    Returns
    -------
    Preferences
        The user's choice.
    """
    if choice is None:
        return Preferences()
    return Preferences(
        off=frozenset(choice["off"]),
        digest=choice["digest"],
        quiet_from=_time(choice["quiet_from"]),
        quiet_until=_time(choice["quiet_until"]),
        zone=ZoneInfo(choice["timezone"]),
    )


def _time(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)
