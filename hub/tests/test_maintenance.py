"""A maintenance: one broadcast that is announced, begins, is over, and disappears by itself."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from jupyterhub_notify.models.broadcasts import CreateBroadcast
from jupyterhub_notify.models.stored import StoredBroadcast
from jupyterhub_notify.services.maintenance import countdown_of, summary_of, type_of
from jupyterhub_notify.services.timing import check_schedule, timing_at

BEGINS = datetime(2026, 12, 1, 21, 0, tzinfo=timezone.utc)
ENDS = BEGINS + timedelta(minutes=90)
CREATED = BEGINS - timedelta(days=3)


def schedule(**more: Any) -> dict[str, Any]:
    body = CreateBroadcast(
        summary="Maintenance",
        type="warning",
        starts=BEGINS,
        ends=ENDS,
        timezone="Europe/Berlin",
        maintenance=True,
        leads_min=[1440, 60, 10],
        **more,
    )
    return check_schedule(body, CREATED)


def at(moment: datetime) -> tuple[bool, str, str, datetime | None]:
    """Return what users see at a moment: whether it is shown, its text, type and countdown."""
    timing = timing_at(schedule(), True, moment)
    fields: dict[str, Any] = dict.fromkeys(StoredBroadcast.__dataclass_fields__)
    fields.update(summary="Maintenance", type="warning", schedule=schedule(), options={})
    fields.update(occurrence=timing.occurrence)
    stored = StoredBroadcast(**fields)
    return timing.active, summary_of(stored), type_of(stored), countdown_of(stored)


@pytest.mark.parametrize(
    ("moment", "seen"),
    [
        (BEGINS - timedelta(days=2), (False, "Maintenance", "warning", None)),
        (BEGINS - timedelta(hours=23), (True, "Maintenance", "warning", BEGINS)),
        (BEGINS - timedelta(minutes=1), (True, "Maintenance", "warning", BEGINS)),
        (BEGINS, (True, "Maintenance – has begun", "warning", ENDS)),
        (ENDS - timedelta(seconds=1), (True, "Maintenance – has begun", "warning", ENDS)),
        (ENDS, (True, "Maintenance – is over", "success", None)),
    ],
)
def test_each_notice_says_what_is_so_at_its_time(moment: datetime, seen: object) -> None:
    assert at(moment) == seen


def test_each_notice_is_shown_to_those_who_have_put_the_one_before_away() -> None:
    """A user's state belongs to one occurrence, and each notice is an occurrence of its own."""
    moments = [BEGINS - timedelta(hours=2), BEGINS - timedelta(minutes=30), BEGINS, ENDS]
    occurrences = [timing_at(schedule(), True, moment).occurrence for moment in moments]
    assert len(set(occurrences)) == 4


def test_it_withdraws_itself_and_never_comes_back() -> None:
    timing = timing_at(schedule(), True, ENDS + timedelta(hours=1))
    assert (timing.active, timing.stale, timing.next_change) == (False, True, None)


def test_the_scheduler_is_told_of_every_change() -> None:
    moment, changes = CREATED, []
    while (change := timing_at(schedule(), True, moment).next_change) is not None:
        changes.append(change)
        moment = change
    day = timedelta(days=1)
    assert changes[:4] == [
        BEGINS - day,
        BEGINS - timedelta(hours=1),
        BEGINS - timedelta(minutes=10),
        BEGINS,
    ]
    assert changes[4] == ENDS


def test_a_day_before_is_the_same_time_of_day_across_a_change_of_the_clocks() -> None:
    """Europe/Berlin puts its clocks back on 25 October 2026: that day has 25 hours."""
    begins = datetime(2026, 10, 25, 21, 0, tzinfo=timezone.utc)
    body = CreateBroadcast(
        summary="Maintenance",
        starts=begins,
        ends=begins + timedelta(hours=1),
        timezone="Europe/Berlin",
        maintenance=True,
        leads_min=[1440],
    )
    stored = check_schedule(body, begins - timedelta(days=5))
    change = timing_at(stored, True, begins - timedelta(days=4)).next_change
    assert change == begins - timedelta(hours=25)


@pytest.mark.parametrize(
    "wrong",
    [{"ends": None}, {"rrule": "FREQ=DAILY"}, {"leads_min": [0]}, {"starts": ENDS, "ends": BEGINS}],
)
def test_a_maintenance_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    fields = {"summary": "x", "starts": BEGINS, "ends": ENDS, "maintenance": True, **wrong}
    with pytest.raises(ValueError, match=r"maintenance|ends|leads_min"):
        CreateBroadcast(**fields)


def test_what_is_held_is_shown_to_nobody_and_goes_out_by_itself() -> None:
    until = CREATED + timedelta(seconds=10)
    held = {**schedule(), "held_until": until.isoformat()}
    before = timing_at(held, True, BEGINS - timedelta(hours=2))
    assert before.active, "the hold is over long before"
    at_once = timing_at(
        {"starts": CREATED.isoformat(), "held_until": until.isoformat()}, True, CREATED
    )
    assert (at_once.active, at_once.next_change) == (False, until)
    assert timing_at(
        {"starts": CREATED.isoformat(), "held_until": until.isoformat()}, True, until
    ).active
