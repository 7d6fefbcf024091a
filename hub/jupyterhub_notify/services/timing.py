"""Computes from a broadcast's schedule whether it is shown at a moment, and when that changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..broadcast_files import schedule_of
from ..errors import Invalid
from ..models.broadcasts import Schedule as WireSchedule
from ..schedules import Schedule, ScheduleError, parse_schedule
from .maintenance import phases_of

__all__ = ["FILE", "Timing", "check_schedule", "recurs", "timing_at"]

#: The wire's names for the fields of a schedule.
FIELDS = {"start": "starts", "end": "ends"}
#: The name under which the schedule of a file is stored, in the form of its front matter.
FILE = "file"
#: An occurrence that begins before this year has always been shown.
EARLIEST = 1970


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """The values of a broadcast's columns at one moment."""

    active: bool
    stale: bool
    occurrence: datetime | None
    occurrence_ends: datetime | None
    next_change: datetime | None


def _parse(schedule: dict[str, Any]) -> Schedule:
    if FILE in schedule:
        return schedule_of(schedule[FILE])
    return parse_schedule(
        start=schedule.get("starts"),
        end=schedule.get("ends"),
        rrule=schedule.get("rrule"),
        timezone_name=schedule.get("timezone") or "UTC",
    )


def check_schedule(schedule: WireSchedule, created: datetime) -> dict[str, Any]:
    """Check a schedule and return it in its stored form.

    Parameters
    ----------
    schedule
        The schedule in the request.
    created
        The beginning, if the schedule gives none.

    Returns
    -------
    dict
        The schedule.

    Raises
    ------
    Invalid
        If a field is not valid.
    """
    names = set(WireSchedule.model_fields)
    stored = schedule.model_dump(mode="json", include=names, exclude_none=True)
    stored.setdefault("starts", created.isoformat().replace("+00:00", "Z"))
    try:
        _parse(stored)
    except ScheduleError as error:
        field = FIELDS.get(error.field, error.field)
        raise Invalid(error.message, ["body", field]) from None
    return stored


def timing_at(
    schedule: dict[str, Any], enabled: bool, at: datetime, last: datetime | None = None
) -> Timing:
    """Return the timing of a broadcast at a moment.

    Parameters
    ----------
    schedule
        The stored schedule.
    enabled
        Whether the broadcast is shown at all.
    at
        The moment.
    last
        The latest occurrence so far; it stays if none is shown, since the results belong to it.

    Returns
    -------
    Timing
        The values of the columns.
    """
    held = schedule.get("held_until")
    if held is not None and at < (until := datetime.fromisoformat(held)):
        return Timing(
            active=False, stale=False, occurrence=last, occurrence_ends=None, next_change=until
        )
    if schedule.get("maintenance"):
        return _timing_of_maintenance(schedule, enabled, at, last)
    parsed = _parse(schedule)
    occurrence = parsed.active(at) if enabled else None
    following = parsed.next_change(at) if enabled else None
    began = last if occurrence is None else occurrence.start
    if began is not None and began.year < EARLIEST:
        # It has always been shown: its occurrence began when it was first seen here.
        began = last or at
    return Timing(
        active=occurrence is not None,
        stale=parsed.is_over(at),
        occurrence=began,
        occurrence_ends=None if occurrence is None else occurrence.end,
        next_change=following,
    )


def recurs(schedule: dict[str, Any]) -> bool:
    """Return whether a stored schedule has several occurrences."""
    of_file = schedule.get(FILE, {}).get("rules")
    return bool(schedule.get("rrule") or schedule.get("maintenance") or of_file)


def _timing_of_maintenance(
    schedule: dict[str, Any], enabled: bool, at: datetime, last: datetime | None
) -> Timing:
    """Return the timing of a maintenance: its notices are its occurrences."""
    phases = phases_of(schedule)
    shown = next((one for one in phases if enabled and one.start <= at < one.end), None)
    moments = [moment for one in phases for moment in (one.start, one.end) if moment > at]
    return Timing(
        active=shown is not None,
        stale=not moments,
        occurrence=last if shown is None else shown.start,
        occurrence_ends=None if shown is None else shown.end,
        next_change=min(moments, default=None) if enabled else None,
    )
