from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from jupyterhub_notify import recurrence
from jupyterhub_notify.recurrence import make_rule
from jupyterhub_notify.schedules import (
    ALWAYS,
    Occurrence,
    Schedule,
    ScheduleError,
    maintenance_phases,
    parse_schedule,
)

UTC = timezone.utc


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(schedule: Schedule, after: str, until: str) -> list[str]:
    found = schedule.upcoming(at(after), at(until))
    return [occurrence.start.strftime("%m-%d %H:%M") for occurrence in found]


# --- Once


def test_without_start_and_end_it_is_always_shown():
    schedule = parse_schedule()
    assert schedule.active(at("2026-11-28")) == Occurrence(ALWAYS, None)
    assert schedule.next(at("2026-11-28")) is None
    assert not schedule.is_over(at("2026-11-28"))


def test_a_start_is_inclusive_and_an_end_is_not():
    schedule = parse_schedule(start="2026-12-01T10:00Z", end="2026-12-01T11:00Z")
    assert schedule.active(at("2026-12-01T09:59:59")) is None
    assert schedule.next(at("2026-12-01T09:59:59")).start == at("2026-12-01T10:00")
    assert schedule.active(at("2026-12-01T10:00")) is not None
    assert schedule.next(at("2026-12-01T10:00")) is None
    assert schedule.active(at("2026-12-01T11:00")) is None
    assert schedule.is_over(at("2026-12-01T11:00"))
    assert not schedule.is_over(at("2020-01-01"))


def test_a_time_without_offset_is_local():
    schedule = parse_schedule(start="2026-07-01T10:00", timezone_name="Europe/Berlin")
    assert schedule.start == at("2026-07-01T08:00")
    other = parse_schedule(start="2026-07-01T10:00+00:00", timezone_name="Europe/Berlin")
    assert other.start == at("2026-07-01T10:00")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"start": "tomorrow"}, "start"),
        ({"start": "1999-01-01"}, "start"),
        ({"start": "2026-01-02", "end": "2026-01-02"}, "end"),
        ({"timezone_name": "Europe/Atlantis"}, "timezone"),
        ({"timezone_name": "../../etc/passwd"}, "timezone"),
        ({"timezone_name": "Europe"}, "timezone"),
        ({"timezone_name": ""}, "timezone"),
        ({"rrule": "FREQ=DAILY"}, "start"),
        ({"rrule": "FREQ=DAILY", "start": "2026-01-01"}, "end"),
        ({"rrule": "FREQ=DAILY", "start": "2026-01-01", "end": "2028-01-01"}, "end"),
    ],
)
def test_a_wrong_schedule_says_which_field(arguments, field):
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(**arguments)
    assert caught.value.field == field


# --- Again and again


def recurring(rule: str, start="2026-01-01T09:00", end="2026-01-01T10:00", zone="UTC") -> Schedule:
    return parse_schedule(start=start, end=end, rrule=rule, timezone_name=zone)


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ",
        "FREQ=",
        "INTERVAL=2",
        "FREQ=FORTNIGHTLY",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "FREQ=MINUTELY;INTERVAL=120",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=1001",
        "FREQ=DAILY;INTERVAL=٣",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=1001",
        "FREQ=DAILY;COUNT=99999999999999999999",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;UNTIL=20270231",
        "FREQ=DAILY;UNTIL=99991231",
        "FREQ=DAILY;UNTIL=20250101",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;BYHOUR=-1",
        "FREQ=DAILY;BYMINUTE=0,10,20,30,40",
        "FREQ=DAILY;BYSECOND=0,30",
        "FREQ=DAILY;BYEASTER=0",
        "FREQ=DAILY;X-NAME=1",
        "FREQ=DAILY;BYSETPOS=1",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYWEEKNO=1",
        "FREQ=WEEKLY;WKST=XX",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
        "FREQ=HOURLY;BYYEARDAY=366;BYMONTH=1;COUNT=3",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=10",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
        "FREQ=MONTHLY;BYDAY=+9MO",
        "FREQ=YEARLY;BYMONTH=12;BYDAY=-6MO",
        "FREQ=HOURLY;BYMONTH=4;BYSETPOS=62",
        "FREQ=HOURLY;BYMONTH=7;BYMINUTE=0,49;BYSETPOS=-3,3",
        "FREQ=DAILY;BYMONTH=7;BYHOUR=8,9;BYSETPOS=3",
        "FREQ=DAILY;" + "BYHOUR=" + ",".join("1" * 400),
    ],
)
def test_a_rule_that_is_wrong_endless_or_too_frequent_is_refused_at_once(rule):
    started = time.thread_time()
    with pytest.raises(ScheduleError) as caught:
        recurring(rule)
    assert caught.value.field == "rrule"
    assert time.thread_time() - started < 5


@pytest.mark.parametrize("frequency", ["DAILY", "HOURLY"])
def test_days_that_never_come_cost_a_fraction_of_what_dateutil_takes_for_them(frequency):
    """The service would answer nobody for up to a second on a busy machine."""
    rule = make_rule(
        start=datetime(2026, 1, 1, 9),
        in_zone=ZoneInfo("UTC"),
        frequency=frequency,
        interval=1,
        count=None,
        until=None,
        week_start=None,
        parts={"BYMONTH": ["2"], "BYMONTHDAY": ["30"]},
    )
    until = rule.start + recurrence.MAX_SPAN
    began = time.thread_time()
    assert list(rule._times(rule.start, until)) == []
    ours = time.thread_time()
    assert list(rule._dateutil(rule.start, until)) == []
    assert 4 * (ours - began) < time.thread_time() - ours


def test_the_patch_thursdays_of_a_month():
    schedule = recurring(
        "RRULE:FREQ=WEEKLY;BYDAY=TH",
        start="2026-03-05T15:00",
        end="2026-03-05T17:00",
        zone="America/Los_Angeles",
    )
    # 15:00 in Los Angeles, before and after the clocks change on 8 March.
    assert starts(schedule, "2026-03-01", "2026-03-20") == [
        "03-05 23:00",
        "03-12 22:00",
        "03-19 22:00",
    ]
    assert schedule.active(at("2026-03-12T22:30")).end == at("2026-03-13T00:00")
    assert schedule.next_change(at("2026-03-12T22:30")) == at("2026-03-13T00:00")
    assert schedule.next_change(at("2026-03-13T00:00")) == at("2026-03-19T22:00")


def test_a_night_is_an_hour_shorter_or_longer_when_the_clocks_change():
    schedule = recurring(
        "FREQ=DAILY", start="2026-01-01T22:00", end="2026-01-02T06:00", zone="Europe/Berlin"
    )
    assert schedule.active(at("2026-03-28T22:00")).end == at("2026-03-29T04:00")
    assert schedule.active(at("2026-10-25T04:59")).end == at("2026-10-25T05:00")


def test_a_local_time_that_is_skipped_comes_after_the_gap_and_a_repeated_one_once():
    schedule = recurring(
        "FREQ=DAILY", start="2026-03-01T02:30", end="2026-03-01T02:45", zone="America/New_York"
    )
    assert starts(schedule, "2026-03-07T12:00", "2026-03-09T12:00") == [
        "03-08 07:30",
        "03-09 06:30",
    ]
    schedule = recurring(
        "FREQ=HOURLY", start="2026-10-31T00:30", end="2026-10-31T00:40", zone="America/New_York"
    )
    found = starts(schedule, "2026-11-01T04:00", "2026-11-01T08:00")
    assert found == sorted(set(found)) == ["11-01 04:30", "11-01 05:30", "11-01 07:30"]


@pytest.mark.parametrize(
    ("zone", "start", "minutes", "found"),
    [
        # Half past two comes twice on that day.
        ("Europe/Berlin", "2026-10-25T00:30Z", 15, ["10-25 00:30", "10-26 01:30"]),
        ("Europe/Berlin", "2026-10-25T01:30Z", 15, ["10-25 01:30", "10-26 01:30"]),
        # Lord Howe's clocks are put back by half an hour: a quarter to two comes twice.
        ("Australia/Lord_Howe", "2026-04-04T14:45Z", 10, ["04-04 14:45", "04-05 15:15"]),
        ("Australia/Lord_Howe", "2026-04-04T15:15Z", 10, ["04-04 15:15", "04-05 15:15"]),
        # And put forward: a quarter past two is skipped once.
        ("Australia/Lord_Howe", "2026-10-02T15:45Z", 10, ["10-02 15:45", "10-03 15:45"]),
        ("Australia/Lord_Howe", "2026-10-03T15:45Z", 10, ["10-03 15:45", "10-04 15:45"]),
        # By a zone's former name as well.
        ("Asia/Katmandu", "2026-10-03T18:15Z", 10, ["10-03 18:15", "10-04 18:15"]),
    ],
)
def test_a_start_beside_a_change_of_the_clocks_is_the_one_that_was_said(
    zone, start, minutes, found
):
    begins = at(start.removesuffix("Z"))
    schedule = parse_schedule(
        start=begins.isoformat(),
        end=(begins + timedelta(minutes=minutes)).isoformat(),
        rrule="FREQ=DAILY;COUNT=2",
        timezone_name=zone,
    )
    before = (begins - timedelta(days=3)).isoformat()[:16]
    after = (begins + timedelta(days=9)).isoformat()[:16]
    assert starts(schedule, before, after) == found
    assert schedule.active(begins).start == begins


def test_an_end_that_the_clocks_jump_over_makes_later_times_no_longer():
    schedule = parse_schedule(
        start="2025-03-28T00:00",
        end="2025-03-30T02:00",
        rrule="FREQ=YEARLY",
        timezone_name="Europe/Berlin",
    )
    assert schedule.active(at("2025-03-28T12:00")).end == at("2025-03-30T01:00")
    assert schedule.active(at("2026-03-28T12:00")).end == at("2026-03-30T00:00")


def test_until_counts_in_universal_time_and_a_day_alone_is_meant_whole():
    rule = "FREQ=DAILY;UNTIL=20260105T090000Z"
    assert len(starts(recurring(rule), "2025-12-01", "2027-01-01")) == 5
    schedule = recurring("FREQ=DAILY;UNTIL=20260105")
    assert starts(schedule, "2026-01-04", "2027-01-01") == ["01-04 09:00", "01-05 09:00"]
    assert schedule.is_over(at("2026-01-05T10:00"))


def test_a_count_ends_it():
    schedule = recurring("FREQ=WEEKLY;COUNT=3")
    assert starts(schedule, "2025-01-01", "2028-01-01") == [
        "01-01 09:00",
        "01-08 09:00",
        "01-15 09:00",
    ]
    assert not schedule.is_over(at("2026-01-15T09:59"))
    assert schedule.is_over(at("2026-01-15T10:00"))


def test_the_last_friday_is_found_by_its_position():
    schedule = recurring("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1")
    assert starts(schedule, "2026-01-01", "2026-04-01") == [
        "01-30 09:00",
        "02-27 09:00",
        "03-27 09:00",
    ]


def test_a_long_one_that_recurs_often_is_shown_as_the_one_that_began_last():
    schedule = recurring("FREQ=HOURLY", start="2010-01-01T00:00", end="2010-12-31T00:00")
    assert schedule.active(at("2026-11-28T10:15")).start == at("2026-11-28T10:00")


@pytest.mark.parametrize(
    "rule", ["FREQ=HOURLY", "FREQ=DAILY;INTERVAL=3", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29"]
)
def test_one_that_began_long_ago_is_computed_at_once(rule):
    schedule = recurring(rule, start="2000-01-01T00:00", end="2000-01-01T00:30")
    started = time.thread_time()
    assert schedule.next(at("2190-06-01")) is not None
    schedule.active(at("2190-06-01"))
    assert time.thread_time() - started < 2


# --- Maintenance


def test_a_maintenance_is_announced_begins_and_is_over():
    occurrence = Occurrence(at("2026-12-10T22:00"), at("2026-12-11T02:00"))
    phases = maintenance_phases(occurrence)
    assert [(phase.kind, phase.start) for phase in phases] == [
        ("announced", at("2026-12-03T22:00")),
        ("announced", at("2026-12-09T22:00")),
        ("announced", at("2026-12-10T21:00")),
        ("announced", at("2026-12-10T21:50")),
        ("begun", at("2026-12-10T22:00")),
        ("over", at("2026-12-11T02:00")),
    ]
    assert all(one.end == other.start for one, other in pairwise(phases))
    assert phases[-1].end == at("2026-12-11T02:15")


def test_a_day_before_is_the_same_hour_when_the_clocks_change_in_between():
    berlin = ZoneInfo("Europe/Berlin")
    occurrence = Occurrence(at("2026-03-29T20:00"), at("2026-03-29T21:00"))
    phases = maintenance_phases(occurrence, leads=[timedelta(days=1)], in_zone=berlin)
    assert phases[0].start.astimezone(berlin).hour == occurrence.start.astimezone(berlin).hour == 22


def test_a_maintenance_without_notices_begins_all_the_same():
    phases = maintenance_phases(Occurrence(at("2026-12-10"), at("2026-12-11")), leads=[])
    assert [phase.kind for phase in phases] == ["begun", "over"]
