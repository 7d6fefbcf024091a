"""A maintenance as one broadcast, with notices before it, while it lasts, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ..models.stored import StoredBroadcast
from ..recurrence import zone
from ..schedules import DEFAULT_LEADS, Occurrence, Phase, maintenance_phases, parse_schedule

__all__ = ["countdown_of", "phase_of", "phases_of", "summary_of", "type_of"]


def phases_of(schedule: dict[str, Any]) -> Sequence[Phase]:
    """Return the notices of a stored schedule in order; none if it is no maintenance.

    Each notice is an occurrence of its own, so that users who have dismissed one see the next.
    """
    if not schedule.get("maintenance"):
        return ()
    name = schedule.get("timezone") or "UTC"
    parsed = parse_schedule(start=schedule["starts"], end=schedule["ends"], timezone_name=name)
    assert parsed.start is not None
    given = schedule.get("leads_min")
    leads = DEFAULT_LEADS if given is None else [timedelta(minutes=one) for one in given]
    occurrence = Occurrence(parsed.start, parsed.end)
    return maintenance_phases(occurrence, leads=leads, in_zone=zone(name))


def phase_of(stored: StoredBroadcast) -> Phase | None:
    """Return the notice that a maintenance shows now, or showed last."""
    phases = phases_of(stored.schedule)
    return next((phase for phase in phases if phase.start == stored.occurrence), None)


def summary_of(stored: StoredBroadcast) -> str:
    """Return the summary of the present notice."""
    phase = phase_of(stored)
    if phase is None or phase.kind == "announced":
        return stored.summary
    return f"{stored.summary} – {'has begun' if phase.kind == 'begun' else 'is over'}"


def type_of(stored: StoredBroadcast) -> str:
    """Return the type of the present notice: the notice of the end is no warning."""
    phase = phase_of(stored)
    return "success" if phase is not None and phase.kind == "over" else stored.type


def countdown_of(stored: StoredBroadcast) -> datetime | None:
    """Return the moment to count down to: before the beginning that, then the end."""
    phase = phase_of(stored)
    if phase is None or phase.kind == "over":
        return None
    parsed = parse_schedule(
        start=stored.schedule["starts"],
        end=stored.schedule["ends"],
        timezone_name=stored.schedule.get("timezone") or "UTC",
    )
    return parsed.start if phase.kind == "announced" else parsed.end
