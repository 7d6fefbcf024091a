"""Recurrences compared with two other implementations: dateutil, and a library for calendars."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jupyterhub_notify import recurrence
from jupyterhub_notify.recurrence import Rule, RuleError, make_rule
from jupyterhub_notify.schedules import ScheduleError, parse_schedule

UTC = timezone.utc
#: North and south of the equator, a change of half an hour, one at midnight, and none.
ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Kolkata",
]
_DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]))
    parts = [f"FREQ={frequency}"]

    def numbers(name: str, low: int, high: int) -> None:
        values = draw(st.lists(st.integers(low, high).filter(bool), max_size=3, unique=True))
        if values:
            parts.append(f"{name}={','.join(map(str, values))}")

    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 5))}")
    if draw(st.booleans()):
        numbers("BYMONTH", 1, 12)
    if frequency in ("YEARLY", "MONTHLY") and draw(st.booleans()):
        numbers("BYMONTHDAY", -31, 31)
    if draw(st.booleans()):
        days = draw(st.lists(st.sampled_from(_DAYS), min_size=1, max_size=3, unique=True))
        if frequency == "MONTHLY" and draw(st.booleans()):
            days = [f"{draw(st.sampled_from([1, 2, -1, -2]))}{day}" for day in days]
        parts.append(f"BYDAY={','.join(days)}")
    if frequency != "HOURLY" and draw(st.booleans()):
        numbers("BYHOUR", 1, 23)
    if draw(st.booleans()):
        parts.append(f"BYMINUTE={draw(st.sampled_from(['0', '15', '30', '0,30']))}")
    chosen_from = any(part.startswith("BY") for part in parts)
    if chosen_from and frequency in ("YEARLY", "MONTHLY") and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from(['1', '-1', '1,2']))}")
    return ";".join(parts)


def second_opinion(
    rule: str, start: datetime, duration: timedelta, zone: str, low: datetime, high: datetime
) -> dict[datetime, datetime | None]:
    """Return the starts and ends by the other implementation; no end if a gap moved the start."""
    form = "%Y%m%dT%H%M%S"
    calendar = icalendar.Calendar.from_ical(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:a\r\n"
        "DTSTAMP:20260101T000000Z\r\n"
        f"DTSTART;TZID={zone}:{start.strftime(form)}\r\n"
        f"DTEND;TZID={zone}:{(start + duration).strftime(form)}\r\n"
        f"RRULE:{rule}\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    found = {}
    for event in recurring_ical_events.of(calendar).between(low, high):
        begin, end = event.start.astimezone(UTC), event.end.astimezone(UTC)
        put_off = begin.astimezone(event.start.tzinfo).replace(tzinfo=None) != event.start.replace(
            tzinfo=None
        )
        if low <= begin < high:
            found[begin] = None if put_off else end
    return found


def windows(start: datetime, zone: ZoneInfo, rule: str) -> list[tuple[datetime, datetime]]:
    """Return the times to compare: a year, or for frequent rules the days of clock changes."""
    if "HOURLY" not in rule and "DAILY" not in rule:
        return [(start, start + timedelta(days=400))]
    days = [start + timedelta(days=day) for day in range(400)]
    changes = [
        day
        for day, following in pairwise(days)
        if day.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset()
    ]
    return [(day, day + timedelta(days=3)) for day in [start, *changes]]


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=60, deadline=None)
@given(
    rule=rules(),
    day=st.integers(0, 364),
    minute=st.integers(0, 24 * 4 - 1).map(lambda quarter: quarter * 15),
    duration=st.sampled_from([15, 60, 150, 480, 3000]).map(lambda count: timedelta(minutes=count)),
)
def test_a_recurrence_equals_another_implementations_across_the_clocks(
    zone, rule, day, minute, duration
):
    first = datetime(2025, 1, 1) + timedelta(days=day, minutes=minute)
    local = first.replace(tzinfo=ZoneInfo(zone))
    # A start that no clock shows is the sender's error; both are right to differ.
    assume(local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == first)
    try:
        schedule = parse_schedule(
            start=first.isoformat(),
            end=(first + duration).isoformat(),
            rrule=rule,
            timezone_name=zone,
        )
    except ScheduleError:
        assume(False)
    # RFC 5545 leaves open what a rule means whose first time does not fit it.
    start = schedule.next(local.astimezone(UTC) - timedelta(seconds=1)).start
    first = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    schedule = parse_schedule(
        start=first.isoformat(),
        end=(first + duration).isoformat(),
        rrule=rule,
        timezone_name=zone,
    )
    for low, high in windows(start, ZoneInfo(zone), rule):
        ours = {
            found.start: found.end
            for found in schedule.upcoming(low - timedelta(microseconds=1), high)
        }
        others = second_opinion(rule, first, duration, zone, low, high)
        assert sorted(ours) == sorted(others)
        for begin, end in others.items():
            if end is not None and end > begin:
                assert ours[begin] == end
            assert ours[begin] > begin


@st.composite
def frequent_rules(draw: st.DrawFn) -> Rule:
    """A daily or hourly rule with any allowed parts."""
    frequency = draw(st.sampled_from(["DAILY", "HOURLY"]))
    interval = draw(st.sampled_from([1, 1, 2, 3, 7, 23, 24, 25, 36, 100]))
    bounds = {
        "BYMONTH": (1, 12),
        "BYMONTHDAY": (-31, 31),
        "BYHOUR": (0, 23),
        "BYMINUTE": (0, 59),
        "BYSECOND": (0, 59),
        "BYSETPOS": (-4, 4),
    }
    if frequency == "HOURLY":
        bounds["BYYEARDAY"] = (-366, 366)
    parts = {}
    for name in draw(st.sets(st.sampled_from(sorted(bounds)), max_size=4)):
        low, high = bounds[name]
        most = 1 if name == "BYSECOND" else 4
        numbers = st.integers(low, high).filter(lambda one, low=low: low >= 0 or bool(one))
        parts[name] = [str(one) for one in draw(st.lists(numbers, min_size=1, max_size=most))]
    if draw(st.booleans()):
        parts["BYDAY"] = draw(st.lists(st.sampled_from(_DAYS), min_size=1, max_size=4))
    start = datetime(2023, 1, 1) + timedelta(minutes=draw(st.integers(0, 3 * 365 * 24 * 60)))
    try:
        return make_rule(
            start=start,
            in_zone=ZoneInfo("UTC"),
            frequency=frequency,
            interval=interval,
            count=None,
            until=None,
            week_start=None,
            parts=parts,
        )
    except RuleError:
        assume(False)
        raise


@settings(max_examples=300, deadline=None)
@given(rule=frequent_rules(), days=st.integers(0, 500))
def test_a_daily_or_hourly_rule_has_the_times_that_dateutil_computes(rule, days):
    until = rule.start + timedelta(days=days, minutes=90)
    shifted = islice(rule._dateutil(rule.start, until), 2000)
    theirs = [one.replace(year=one.year - recurrence._SHIFT) for one in shifted]
    assert list(islice(rule._times(rule.start, until), 2000)) == theirs


@settings(max_examples=40, deadline=None)
@given(rule=rules(), zone=st.sampled_from(ZONES), offset=st.integers(0, 400 * 24 * 4))
def test_active_next_and_upcoming_agree(rule, zone, offset):
    try:
        schedule = parse_schedule(
            start="2025-01-01T02:30",
            end="2025-01-01T04:00",
            rrule=rule,
            timezone_name=zone,
        )
    except ScheduleError:
        assume(False)
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * offset)
    all_of_them = list(schedule.upcoming(now - timedelta(days=3), now + timedelta(days=60)))
    running = [found for found in all_of_them if found.start <= now < found.end]
    assert schedule.active(now) == (max(running) if running else None)
    coming = [found for found in all_of_them if found.start > now]
    if coming:
        assert schedule.next(now) == coming[0]
    assert all_of_them == sorted(all_of_them)
