"""The schedule of a broadcast: always, from or until a moment, or recurring.

Everything here depends only on a schedule and a moment; the caller decides what *now* is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from heapq import merge
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from .recurrence import MAX_SPAN, Rule, RuleError, parse_rule, place, zone

__all__ = [
    "DEFAULT_LEADS",
    "MAX_DURATION",
    "Occurrence",
    "Phase",
    "Schedule",
    "ScheduleError",
    "maintenance_phases",
    "parse_moment",
    "parse_schedule",
]

#: Maximum duration of a recurring broadcast; a longer one would in effect always be shown.
MAX_DURATION = timedelta(days=366)

#: Maximum number of occurrences that one call yields.
MAX_OCCURRENCES = 10_000

#: How long before its beginning a maintenance is announced.
DEFAULT_LEADS = (
    timedelta(days=7),
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=10),
)

UTC = timezone.utc


class ScheduleError(ValueError):
    """A schedule that is wrong.

    Parameters
    ----------
    field
        The field that is wrong: ``start``, ``end``, ``rrule`` or ``timezone``.
    message
        What is wrong with it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, order=True)
class Occurrence:
    """One period in which something is shown.

    Parameters
    ----------
    start
        In UTC; the year 1 stands for *always*.
    end
        The first moment at which it is no longer shown, in UTC, or ``None``.
    """

    start: datetime
    end: datetime | None = None

    @property
    def key(self) -> str:
        """The occurrence's name: its start in UTC, whatever the zone."""
        return self.start.strftime("%Y%m%dT%H%M%SZ")


ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The times at which something is shown.

    Without rules and dates the broadcast is shown once, from ``start`` to ``end``, each of which
    may be missing. With them it is shown for ``duration`` from each of their times on.

    Parameters
    ----------
    start
        With a zone.
    end
        With a zone; the first moment at which it is over.
    rules
        When it recurs.
    except_rules
        When it does not recur, although ``rules`` or ``dates`` give the moment.
    dates
        Further moments.
    except_dates
        Moments that are left out.
    duration
        How long each occurrence lasts, in the local time of ``zone``.
    zone
        The zone of ``duration``: 22:00 to 6:00 is an hour more or less when the clocks change.
    """

    start: datetime | None = None
    end: datetime | None = None
    rules: tuple[Rule, ...] = ()
    except_rules: tuple[Rule, ...] = ()
    dates: tuple[datetime, ...] = ()
    except_dates: frozenset[datetime] = frozenset()
    duration: timedelta = timedelta(hours=1)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    @property
    def recurring(self) -> bool:
        """Return whether it may be shown more than once."""
        return bool(self.rules or self.dates)

    def active(self, now: datetime) -> Occurrence | None:
        """Find what is shown at a moment.

        Parameters
        ----------
        now
            The moment, with a zone.

        Returns
        -------
        Occurrence or None
            The one that began last, if several overlap.
        """
        if not self.recurring:
            once = self._once()
            return once if once.start <= now and (once.end is None or now < once.end) else None
        # A night on which the clocks are put back is longer than `duration`.
        earliest = now - self.duration - timedelta(days=1)
        high, span = now + timedelta(microseconds=1), timedelta(days=2)
        while high > earliest:
            low = max(earliest, high - span)
            running = [
                found
                for found in map(self._occurrence, self._starts(low, high))
                if _runs(found, now)
            ]
            if running:
                return max(running)
            high, span = low, span * 4
        return None

    def next(self, now: datetime) -> Occurrence | None:
        """Find what begins next.

        Parameters
        ----------
        now
            The moment, with a zone.

        Returns
        -------
        Occurrence or None
            The first that begins after the moment, within ten years.
        """
        for found in self.upcoming(now):
            return found
        return None

    def upcoming(self, now: datetime, until: datetime | None = None) -> Iterator[Occurrence]:
        """Yield what begins after a moment, in order.

        Parameters
        ----------
        now
            The moment, with a zone.
        until
            Where to stop; ten years later by default.

        Yields
        ------
        Occurrence
            At most `MAX_OCCURRENCES` of them.
        """
        last = now + MAX_SPAN if until is None else min(until, now + MAX_SPAN)
        if not self.recurring:
            once = self._once()
            if now < once.start < last:
                yield once
            return
        for start in islice(self._starts(now + timedelta(microseconds=1), last), MAX_OCCURRENCES):
            yield self._occurrence(start)

    def is_over(self, now: datetime) -> bool:
        """Tell whether it is not shown now and never will be again.

        Parameters
        ----------
        now
            The moment, with a zone.

        Returns
        -------
        bool
            Semaphore calls this *stale*.
        """
        return self.active(now) is None and self.next(now) is None

    def next_change(self, now: datetime) -> datetime | None:
        """Find the moment at which what is shown may change.

        Parameters
        ----------
        now
            The moment, with a zone.

        Returns
        -------
        datetime or None
            The next beginning or end.
        """
        current, coming = self.active(now), self.next(now)
        moments = [current.end if current else None, coming.start if coming else None]
        return min((moment for moment in moments if moment is not None), default=None)

    def _once(self) -> Occurrence:
        start = ALWAYS if self.start is None else self.start.astimezone(UTC)
        return Occurrence(start, None if self.end is None else self.end.astimezone(UTC))

    def _occurrence(self, start: datetime) -> Occurrence:
        local = start.astimezone(self.zone).replace(tzinfo=None)
        end = place(local + self.duration, self.zone)
        # When the clocks change, the local end may come out before the start.
        return Occurrence(start, end if end > start else start + self.duration)

    def _starts(self, low: datetime, high: datetime) -> Iterator[datetime]:
        """Yield the beginnings in order, and lazily: callers often need only the first."""
        dates = sorted(date for date in self.dates if low <= date < high)
        excepted = merge(*(rule.starts(low, high) for rule in self.except_rules))
        left_out = next(excepted, None)
        previous = None
        for start in merge(dates, *(rule.starts(low, high) for rule in self.rules)):
            while left_out is not None and left_out < start:
                left_out = next(excepted, None)
            if start not in (previous, left_out) and start not in self.except_dates:
                yield start
            previous = start


def _runs(occurrence: Occurrence, now: datetime) -> bool:
    return occurrence.end is not None and occurrence.start <= now < occurrence.end


def parse_moment(value: str | datetime, field_name: str, in_zone: ZoneInfo) -> datetime:
    """Read a moment.

    Parameters
    ----------
    value
        ISO 8601; without an offset it is local time in the zone.
    field_name
        For the error.
    in_zone
        The zone.

    Returns
    -------
    datetime
        In UTC.

    Raises
    ------
    ScheduleError
        If it is no time.
    """
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            # Python 3.10 does not read a "Z".
            moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        except ValueError:
            message = f"{value[:40]!r} is no time such as 2026-12-01T22:00"
            raise ScheduleError(field_name, message) from None
    if not 2000 <= moment.year < 2200:
        raise ScheduleError(field_name, "a time is between 2000 and 2200")
    return place(moment, in_zone) if moment.tzinfo is None else moment.astimezone(UTC)


def _local(said: str | datetime | None, moment: datetime, in_zone: ZoneInfo) -> datetime:
    """Return the moment in a zone's local time; a local time that was given stays as given."""
    if isinstance(said, str):
        said = datetime.fromisoformat(said.strip().replace("Z", "+00:00"))
    if said is None or said.tzinfo is not None:
        said = moment.astimezone(in_zone).replace(tzinfo=None)
    return said


def parse_schedule(
    *,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    rrule: str | None = None,
    timezone_name: str = "UTC",
) -> Schedule:
    """Read a schedule as requests, the page and the command line give it.

    Parameters
    ----------
    start
        ISO 8601; without an offset it is local time.
    end
        The same; for a recurring schedule the end of its first occurrence, which gives the
        duration.
    rrule
        A recurrence rule of RFC 5545.
    timezone_name
        The zone of local times, and of the recurrence.

    Returns
    -------
    Schedule
        The schedule.

    Raises
    ------
    ScheduleError
        If a field is wrong; the error names it.
    """
    try:
        in_zone = zone(timezone_name)
    except RuleError as error:
        raise ScheduleError("timezone", str(error)) from None
    begin = None if start is None else parse_moment(start, "start", in_zone)
    finish = None if end is None else parse_moment(end, "end", in_zone)
    if begin is not None and finish is not None and finish <= begin:
        raise ScheduleError("end", "it is not after the start")
    if rrule is None:
        return Schedule(start=begin, end=finish, zone=in_zone)
    if begin is None:
        raise ScheduleError("start", "a recurrence rule needs the time at which it starts")
    if finish is None:
        raise ScheduleError("end", "a recurrence rule needs the end of its first time")
    first = begin.astimezone(in_zone).replace(tzinfo=None)
    duration = _local(end, finish, in_zone) - first
    if duration <= timedelta(0):
        duration = finish - begin
    if duration > MAX_DURATION:
        raise ScheduleError("end", "a recurring time lasts at most a year")
    try:
        rule = parse_rule(rrule, first, in_zone)
    except RuleError as error:
        raise ScheduleError("rrule", str(error)) from None
    schedule = Schedule(rules=(rule,), duration=duration, zone=in_zone)
    if schedule.next(begin - timedelta(seconds=1)) is None:
        raise ScheduleError("rrule", "it never comes about")
    return schedule


@dataclass(frozen=True)
class Phase:
    """A part of a maintenance in which one notice is shown.

    Parameters
    ----------
    kind
        ``announced`` before it, ``begun`` while it lasts, ``over`` for a while after it.
    start
        When the notice is first shown, in UTC.
    end
        When the next notice takes its place, or it is withdrawn.
    lead
        How long before the maintenance an announcement comes.
    """

    kind: Literal["announced", "begun", "over"]
    start: datetime
    end: datetime
    lead: timedelta = timedelta(0)


def maintenance_phases(
    occurrence: Occurrence,
    *,
    leads: Iterable[timedelta] = DEFAULT_LEADS,
    over_for: timedelta = timedelta(minutes=15),
    in_zone: ZoneInfo | None = None,
) -> Sequence[Phase]:
    """List the phases of a maintenance; each ends when the next begins.

    Parameters
    ----------
    occurrence
        When the maintenance is; it has an end.
    leads
        How long before it is announced. Whole days are counted in the local time of the zone.
    over_for
        How long the notice *is over* is shown.
    in_zone
        The zone.

    Returns
    -------
    sequence of Phase
        In order.
    """
    if occurrence.end is None:
        raise ScheduleError("end", "a maintenance needs its end")
    announced = sorted(
        {_before(occurrence.start, lead, in_zone): lead for lead in leads if lead}.items()
    )
    ends = [moment for moment, _ in announced[1:]] + [occurrence.start]
    phases = [
        Phase("announced", moment, end, lead)
        for (moment, lead), end in zip(announced, ends, strict=False)
    ]
    phases.append(Phase("begun", occurrence.start, occurrence.end))
    phases.append(Phase("over", occurrence.end, occurrence.end + over_for))
    return phases


def _before(moment: datetime, lead: timedelta, in_zone: ZoneInfo | None) -> datetime:
    if in_zone is None or lead % timedelta(days=1):
        return moment - lead
    return place(moment.astimezone(in_zone).replace(tzinfo=None) - lead, in_zone)
