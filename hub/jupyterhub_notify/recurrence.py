"""Recurrence rules of RFC 5545, read strictly and computed in local time. `schedules` calls it.

A rule is computed with naive times in its own zone, and each result is then placed in the zone by
`zoneinfo`: *every day at 9:00* stays at 9:00 when the clocks change. A local time that the clocks
skip is moved behind the gap; a local time that the clocks repeat counts once, the first time.

python-dateutil loops without end over some rules (``INTERVAL=0``) and takes minutes for others
(days that never come). So every rule ends here at some point, and a rule that recurs more often
than hourly is refused. Daily and hourly rules are computed here without python-dateutil, which
would search for their next time far beyond the end that was asked for.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from heapq import heappop, heappush
from itertools import islice
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dateutil import rrule as dateutil_rrule

__all__ = ["MAX_COUNT", "MAX_SPAN", "Rule", "RuleError", "parse_rule", "place", "zone"]

#: How far a schedule looks ahead; a rule with a COUNT also ends after this time.
MAX_SPAN = timedelta(days=10 * 366)
MAX_COUNT = 1000
MAX_INTERVAL = 1000
#: Maximum number of values of BYMINUTE: with more, an hourly rule would be a MINUTELY one.
MAX_MINUTES = 4
EARLIEST = datetime(2000, 1, 1)
LATEST = datetime(2200, 1, 1)

#: python-dateutil looks for days that never come until the year 9999, which takes minutes when it
#: begins at the present. The calendar repeats itself every 400 years, weekdays included. So rules
#: are computed 7600 years later: the calendar is the same, and the end is near.
_SHIFT = 19 * 400

#: At least as long as any gap of local time: a zone that crosses the date line skips a whole day.
_LONGEST_GAP = timedelta(hours=25)

_FREQUENCIES: dict[str, Literal[0, 1, 2, 3, 4]] = {
    "YEARLY": 0,
    "MONTHLY": 1,
    "WEEKLY": 2,
    "DAILY": 3,
    "HOURLY": 4,
}
_STEPS = {
    "WEEKLY": timedelta(weeks=1),
    "DAILY": timedelta(days=1),
    "HOURLY": timedelta(hours=1),
}
#: Maximum number of days in a period.
_MOST_DAYS = {"YEARLY": 366, "MONTHLY": 31, "WEEKLY": 7, "DAILY": 1, "HOURLY": 1}
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
#: The lowest and the highest value, and whether negative values count from the end.
_NUMBERS = {
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYSETPOS": (1, 366, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 59, False),
}
#: Frequencies with which RFC 5545 (section 3.3.10) forbids a part.
_FORBIDDEN = {
    "BYWEEKNO": ("MONTHLY", "WEEKLY", "DAILY", "HOURLY"),
    "BYYEARDAY": ("MONTHLY", "WEEKLY", "DAILY"),
    "BYMONTHDAY": ("WEEKLY",),
}
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z)?)?")


class RuleError(ValueError):
    """A recurrence rule that is wrong or not allowed; the message says which part."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One recurrence rule with its first time.

    Parameters
    ----------
    start
        The first time, naive, in the zone.
    zone
        The zone that the rule is computed in.
    frequency
        ``YEARLY``, ``MONTHLY``, ``WEEKLY``, ``DAILY`` or ``HOURLY``.
    interval
        Number of periods from one time to the next.
    count
        Number of times in all.
    until
        The last moment at which it may start, with a zone.
    parts
        python-dateutil's ``by…`` and ``wkst`` arguments.
    """

    start: datetime
    zone: ZoneInfo
    frequency: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    parts: dict[str, Any] = field(default_factory=dict)

    def starts(self, after: datetime, before: datetime) -> Iterator[datetime]:
        """Yield the moments at which it starts.

        Parameters
        ----------
        after
            The first moment that is looked at, with a zone.
        before
            The moment to stop at.

        Yields
        ------
        datetime
            In UTC, in order, each once.
        """
        # Wider on both sides, since a gap moves local times by up to this much.
        low = after.astimezone(self.zone).replace(tzinfo=None) - _LONGEST_GAP
        high = before.astimezone(self.zone).replace(tzinfo=None) + _LONGEST_GAP
        if self.until is not None:
            until = self.until.astimezone(self.zone).replace(tzinfo=None) + _LONGEST_GAP
            high = min(high, until)
        # A gap may move a moment behind the following one, so each is held back until no earlier
        # one can come.
        held: list[datetime] = []
        previous = None
        for local in self._local(low, min(high, LATEST)):
            moment = place(local, self.zone)
            if local == self.start and self.start.fold:
                # The author said that the second of the two repeated hours is meant.
                moment = self.start.replace(tzinfo=self.zone).astimezone(timezone.utc)
            if after <= moment < before and (self.until is None or moment <= self.until):
                heappush(held, moment)
            while held and held[0] < moment - _LONGEST_GAP:
                if held[0] != previous:
                    yield held[0]
                previous = heappop(held)
        yield from sorted({moment for moment in held if moment != previous})

    def _local(self, low: datetime, high: datetime) -> Iterator[datetime]:
        start = self.start
        step = _STEPS.get(self.frequency)
        if step is not None and self.count is None and low > start:
            # Skip whole periods before the window: going through them would take long.
            step *= self.interval
            start += step * max(0, (low - start) // step - 1)
        if start > high:
            return
        until = high if self.count is None else start + MAX_SPAN
        for local in islice(self._times(start, until), self.count):
            if local > high:
                return
            if local >= low:
                yield local

    def _times(self, start: datetime, until: datetime) -> Iterator[datetime]:
        if self.frequency in ("DAILY", "HOURLY"):
            yield from self._frequent(start, until)
        else:
            for shifted in self._dateutil(start, until):
                yield shifted.replace(year=shifted.year - _SHIFT)

    def _dateutil(self, start: datetime, until: datetime) -> dateutil_rrule.rrule:
        """Return the same rule for python-dateutil, `_SHIFT` years later."""
        return dateutil_rrule.rrule(
            _FREQUENCIES[self.frequency],
            dtstart=start.replace(year=start.year + _SHIFT),
            interval=self.interval,
            until=until.replace(year=until.year + _SHIFT),
            **self.parts,
        )

    def _frequent(self, start: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the times of a daily or hourly rule, a day at a time."""
        hourly, first, fits = self.frequency == "HOURLY", start.date(), _days_of(self.parts)
        hours = self.parts.get("byhour", range(24) if hourly else [start.hour])
        days = (until.date() - first).days + 1
        for number in range(0, days, 1 if hourly else self.interval):
            day = first + timedelta(days=number)
            if not fits(day):
                continue
            periods = [hours]
            if hourly:
                since = 24 * number - start.hour
                periods = [[hour] for hour in hours if (since + hour) % self.interval == 0]
            for period in periods:
                for at in self._chosen(start, period):
                    local = datetime.combine(day, at)
                    if start <= local <= until:
                        yield local

    def _chosen(self, start: datetime, hours: Iterable[int]) -> list[time]:
        """Return the times of one day or hour, in order."""
        times = [
            time(hour, minute, second)
            for hour in hours
            for minute in self.parts.get("byminute", [start.minute])
            for second in self.parts.get("bysecond", [start.second])
        ]
        positions = self.parts.get("bysetpos")
        if positions is None:
            return times
        count = len(times)
        indices = {one - 1 if one > 0 else count + one for one in positions}
        return [times[index] for index in sorted(indices) if 0 <= index < count]


def parse_rule(text: str, start: datetime, in_zone: ZoneInfo) -> Rule:
    """Read a rule.

    Parameters
    ----------
    text
        An RRULE's value, such as ``FREQ=WEEKLY;BYDAY=TH``.
    start
        The first time, naive, in the zone.
    in_zone
        The zone.

    Returns
    -------
    Rule
        The rule.

    Raises
    ------
    RuleError
        If it is wrong, or recurs more often than it may.
    """
    parts = _split(text)
    frequency = parts.pop("FREQ", "")
    if frequency in ("SECONDLY", "MINUTELY"):
        raise RuleError(f"FREQ={frequency} is not allowed: the most frequent is HOURLY")
    if frequency not in _FREQUENCIES:
        raise RuleError(f"FREQ must be one of {', '.join(_FREQUENCIES)}")
    interval = _number("INTERVAL", parts.pop("INTERVAL", "1"), 1, MAX_INTERVAL)
    count = parts.pop("COUNT", None)
    until = parts.pop("UNTIL", None)
    if count is not None and until is not None:
        raise RuleError("COUNT and UNTIL cannot be used together")
    return make_rule(
        start=start,
        in_zone=in_zone,
        frequency=frequency,
        interval=interval,
        count=None if count is None else _number("COUNT", count, 1, MAX_COUNT),
        until=None if until is None else _until(until, in_zone),
        week_start=parts.pop("WKST", None),
        parts={name: value.split(",") for name, value in parts.items()},
    )


def make_rule(
    *,
    start: datetime,
    in_zone: ZoneInfo,
    frequency: str,
    interval: int,
    count: int | None,
    until: datetime | None,
    week_start: str | None,
    parts: dict[str, list[str]],
) -> Rule:
    """Check the parts of a rule and make it.

    Parameters
    ----------
    start
        The first time, naive, in the zone.
    in_zone
        The zone.
    frequency
        One of the allowed frequencies.
    interval
        Number of periods from one time to the next, at least one.
    count
        Number of times in all.
    until
        The last moment at which it may start.
    week_start
        The first day of the week, such as ``MO``.
    parts
        The ``BY…`` parts of RFC 5545 and their values.

    Returns
    -------
    Rule
        The rule.

    Raises
    ------
    RuleError
        If a part is wrong or not allowed.
    """
    if not EARLIEST <= start <= LATEST:
        raise RuleError(f"a rule starts between {EARLIEST.year} and {LATEST.year}")
    arguments: dict[str, Any] = {}
    if week_start is not None:
        if week_start not in _DAYS:
            raise RuleError(f"WKST must be one of {', '.join(_DAYS)}")
        arguments["wkst"] = _DAYS.index(week_start)
    for name, values in parts.items():
        if frequency in _FORBIDDEN.get(name, ()):
            raise RuleError(f"{name} cannot be used with FREQ={frequency}")
        if name == "BYDAY":
            arguments["byweekday"] = [_weekday(value, frequency, parts) for value in values]
        elif name in _NUMBERS:
            low, high, negative = _NUMBERS[name]
            numbers = [_number(name, value, low, high, negative=negative) for value in values]
            arguments[name.lower()] = sorted(set(numbers))
        else:
            raise RuleError(f"{name[:40]} is no part of a recurrence rule")
    if "BYSETPOS" in parts and len(parts) == 1:
        raise RuleError("BYSETPOS needs another BY… part to choose from")
    if len(arguments.get("byminute", ())) > MAX_MINUTES:
        raise RuleError(f"BYMINUTE can have at most {MAX_MINUTES} values")
    if len(arguments.get("bysecond", ())) > 1:
        raise RuleError("BYSECOND can have one value only")
    _check_positions(frequency, arguments)
    rule = Rule(
        start=start.replace(microsecond=0),
        zone=in_zone,
        frequency=frequency,
        interval=interval,
        count=count,
        until=until,
        parts=arguments,
    )
    try:
        rule._dateutil(rule.start, rule.start)
    except ValueError:
        # Such as every 24 hours from nine o'clock on, but only at ten.
        raise RuleError("it never comes about") from None
    return rule


def _days_of(parts: dict[str, Any]) -> Callable[[date], bool]:
    """Return a function that tells whether a daily or hourly rule may fall on a day."""
    months, of_month, of_year = (
        frozenset(parts.get(name, ())) for name in ("bymonth", "bymonthday", "byyearday")
    )
    weekdays = frozenset(one.weekday for one in parts.get("byweekday", ()))

    def fits(day: date) -> bool:
        if months and day.month not in months:
            return False
        if weekdays and day.weekday() not in weekdays:
            return False
        if of_month:
            length = monthrange(day.year, day.month)[1]
            if day.day not in of_month and day.day - length - 1 not in of_month:
                return False
        if of_year:
            number, length = day.timetuple().tm_yday, 365 + isleap(day.year)
            return number in of_year or number - length - 1 in of_year
        return True

    return fits


def _check_positions(frequency: str, arguments: dict[str, Any]) -> None:
    """Leave out positions that no period has; looking for them would take seconds.

    Refuse the rule if no position is left.
    """
    positions = arguments.get("bysetpos")
    if positions is None:
        return
    times = 1 if frequency == "HOURLY" else len(arguments.get("byhour", "_"))
    times *= len(arguments.get("byminute", "_"))
    days = len(arguments.get("byweekday", "_")) if frequency == "WEEKLY" else 366
    most = times * min(days, _MOST_DAYS[frequency])
    arguments["bysetpos"] = [position for position in positions if abs(position) <= most]
    if not arguments["bysetpos"]:
        raise RuleError("it never comes about")


def zone(name: str) -> ZoneInfo:
    """Find a time zone.

    Parameters
    ----------
    name
        A name of the IANA database, such as ``Europe/Berlin``.

    Returns
    -------
    ZoneInfo
        The zone.

    Raises
    ------
    RuleError
        If there is none of this name.
    """
    try:
        return ZoneInfo(name)
    # The database is a folder: some names are not valid paths, or are directories in it.
    except (KeyError, ValueError, OSError):
        raise RuleError(f"there is no time zone {name[:80]!r}") from None


def place(local: datetime, in_zone: ZoneInfo) -> datetime:
    """Turn a zone's local time into a moment.

    Parameters
    ----------
    local
        A naive time.
    in_zone
        The zone that it is in.

    Returns
    -------
    datetime
        In UTC. A time that the clocks skip is moved behind the gap; of a time that they repeat
        the first is meant.
    """
    return local.replace(tzinfo=in_zone, fold=0).astimezone(timezone.utc)


def _split(text: str) -> dict[str, str]:
    if len(text) > 500:
        raise RuleError("a recurrence rule has at most 500 characters")
    text = text.strip().upper().removeprefix("RRULE:")
    parts: dict[str, str] = {}
    for part in filter(None, text.split(";")):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise RuleError(f"{part[:40]!r} is no NAME=VALUE")
        if name in parts:
            raise RuleError(f"{name[:40]} is given twice")
        parts[name] = value
    return parts


def _number(name: str, text: str, low: int, high: int, *, negative: bool = False) -> int:
    if re.fullmatch(r"[+-]?[0-9]{1,5}", text):
        number = int(text)
        if low <= (abs(number) if negative else number) <= high:
            return number
    also = f" or {-high} to {-low}" if negative else ""
    raise RuleError(f"{name} must be a whole number, {low} to {high}{also}, not {text[:20]!r}")


def _weekday(text: str, frequency: str, parts: dict[str, list[str]]) -> dateutil_rrule.weekday:
    match = _DAY.fullmatch(text)
    if match is None:
        raise RuleError(f"BYDAY must be days such as MO or -1FR, not {text[:20]!r}")
    if match[1] is None:
        return dateutil_rrule.weekday(_DAYS.index(match[2]))
    if frequency not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in parts:
        raise RuleError(f"BYDAY={text} counts days of a month or year: FREQ must be one of these")
    # No month has a sixth Monday, and python-dateutil fails if it is asked for a ninth.
    most = 5 if frequency == "MONTHLY" or "BYMONTH" in parts else 53
    number = _number("BYDAY", match[1], 1, most, negative=True)
    return dateutil_rrule.weekday(_DAYS.index(match[2]), number)


def _until(text: str, in_zone: ZoneInfo) -> datetime:
    match = _UNTIL.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        # A date without a time includes the whole day.
        moment = datetime.strptime(match[1] + (match[2] or "235959"), "%Y%m%d%H%M%S")
    except ValueError:
        raise RuleError(f"UNTIL must be like 20261231T235959Z, not {text[:20]!r}") from None
    if not EARLIEST <= moment <= LATEST:
        raise RuleError(f"UNTIL must be between {EARLIEST.year} and {LATEST.year}")
    return moment.replace(tzinfo=timezone.utc) if match[3] else place(moment, in_zone)
