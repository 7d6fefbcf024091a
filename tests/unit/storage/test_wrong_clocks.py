"""What has expired by a clock that is wrong comes back once the clock is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyterlab_notify.exceptions import NotFound
from jupyterlab_notify.pictures import read_picture
from jupyterlab_notify.storage import Storage, no_operation
from jupyterlab_notify.storage.transaction import MAX_TIME_MS

from ...support.file_faults import locked
from ...support.pictures import png
from ...support.storage import (
    QUICK,
    Boot,
    Clock,
    check_counts,
    check_sound,
    detail,
    do,
    frame,
    live,
    raw,
    receive,
    revoke,
)

DAY_S = 86_400
HOUR_MS = 3_600_000
#: Days by which a clock is ahead; the last one leads to the year 9998.
AHEAD = [1, 100, 2_912_000]


@pytest.fixture
def boot(clock: Clock) -> Boot:
    return Boot(clock)


def look(store: Storage) -> list[str]:
    """Let a second's batch run, and return the messages that are shown."""
    do(store, no_operation, write=False)
    return sorted(row["message"] for row in live(store).values())


def begin(path: Path, boot: Boot, **columns: object) -> str:
    """Store a message that expires in an hour, and stop."""
    store = boot.open(path)
    id_ = receive(store, "ends", expires_ms=boot.clock() + HOUR_MS, **columns)
    store.close()
    return id_


@pytest.mark.parametrize("days", AHEAD)
@pytest.mark.parametrize("boots", [1, 3])
def test_what_has_expired_by_a_clock_that_is_ahead_comes_back_as_it_was(
    path: Path, boot: Boot, days: int, boots: int
) -> None:
    id_ = begin(path, boot, key="k", body="All of it", actions='[{"label": "Open"}]', fetched=1)
    store = boot.open(path)
    given = read_picture(png())
    do(store, lambda tx: store.pictures.set(tx, id_, "queue", given))
    before = detail(store, id_)
    store.close()
    boot.clock.forward(days * DAY_S)
    for number in range(boots):
        store = boot.open(path)
        receive(store, f"meanwhile {number}")
        assert "ends" not in look(store)
        tombstone = frame(store, None)["notifications"]
        assert "All of it" not in str(tombstone)
        store.engine.prune()
        boot.forward(60)
        store.close()
    boot.clock.forward(-days * DAY_S)
    store = boot.open(path)
    assert "ends" in look(store)
    after = detail(store, id_)
    assert {**after, "seq": 0} == {**before, "seq": 0}
    assert do(store, lambda tx: store.pictures.get(tx, id_, given.version))[0] == given.data
    assert raw(store, "SELECT id FROM held") == []
    check_counts(store)
    store.close()
    check_sound(path)


@pytest.mark.parametrize("days", AHEAD)
def test_a_clock_that_is_set_back_while_the_server_runs_brings_all_back(
    path: Path, boot: Boot, days: int
) -> None:
    store = boot.open(path)
    receive(store, "old")
    receive(store, "ends", expires_ms=boot.clock() + HOUR_MS)
    for _ in range(2):
        boot.clock.forward(days * DAY_S)
        assert look(store) == ["old"]
        boot.forward(1)
        boot.clock.forward(-days * DAY_S)
        assert look(store) == ["ends", "old"]
    store.close()


def test_a_message_that_has_expired_only_by_a_wrong_clock_as_it_comes_in_is_kept(
    path: Path, boot: Boot
) -> None:
    store = boot.open(path)
    receive(store, "old", key="k")
    ends_ms = boot.clock() + HOUR_MS
    boot.clock.forward(100 * DAY_S)
    receive(store, "new", expires_ms=ends_ms)
    receive(store, "replaced", key="k", expires_ms=ends_ms)
    assert look(store) == []
    boot.clock.forward(-100 * DAY_S)
    assert look(store) == ["new", "replaced"]
    store.close()


def test_what_was_revoked_or_replaced_meanwhile_does_not_come_back(path: Path, boot: Boot) -> None:
    begin(path, boot, key="revoked")
    begin(path, boot, key="replaced")
    boot.clock.forward(100 * DAY_S)
    store = boot.open(path)
    assert look(store) == []
    with pytest.raises(NotFound):
        revoke(store, "revoked")
    receive(store, "the new one", key="replaced")
    boot.clock.forward(-100 * DAY_S)
    assert look(store) == ["the new one"]
    store.close()


def test_content_is_erased_once_the_clock_was_consistent_for_a_day(path: Path, boot: Boot) -> None:
    begin(path, boot)
    boot.forward(100 * DAY_S)
    store = boot.open(path)
    assert look(store) == []
    store.engine.prune()
    assert raw(store, "SELECT message FROM held") == [("ends",)]
    boot.forward(DAY_S + 1)
    store.engine.prune()
    assert raw(store, "SELECT message FROM held") == []
    assert raw(store, "SELECT count(*) FROM notifications") == [(0,)]
    store.close()


def test_a_running_server_erases_at_once(path: Path, boot: Boot) -> None:
    store = boot.open(path)
    receive(store, "ends", expires_ms=boot.clock() + HOUR_MS)
    boot.forward(3601)
    assert look(store) == []
    assert raw(store, "SELECT message FROM held") == []
    store.close()


def test_the_second_boot_with_the_same_wrong_clock_deletes_nothing(path: Path, boot: Boot) -> None:
    store = boot.open(path, always=3)
    for number in range(150):
        receive(store, str(number))
    store.close()
    boot.clock.forward(100 * DAY_S)
    for number in range(120):
        store = boot.open(path, always=3)
        receive(store, f"boot {number}")
        assert store.engine.prune() == 0
        boot.forward(60)
        store.close()
    boot.clock.forward(-100 * DAY_S)
    store = boot.open(path, always=3)
    assert len(look(store)) == 270
    assert store.engine.prune() == 0
    store.close()


def test_servers_that_run_for_two_hours_a_day_still_believe_their_clock(
    path: Path, boot: Boot
) -> None:
    store = boot.open(path, always=1)
    receive(store, "old")
    receive(store, "newer")
    store.close()
    for _ in range(110):
        boot.forward(DAY_S - 7200)
        store = boot.open(path, always=1)
        do(store, no_operation)
        boot.forward(7200)
        store.engine.prune()
        store.close()
    store = boot.open(path, always=1)
    assert look(store) == ["newer"], "ninety days, and some two weeks"
    store.close()


@pytest.mark.parametrize("began_ms", [0, 1_000_000_000_000, 1_790_000_000_000])
def test_a_clock_that_is_set_forward_just_after_boot_ends_nothing(
    path: Path, boot: Boot, began_ms: int
) -> None:
    right_ms = boot.clock()
    store = boot.open(path)
    receive(store, "old")
    store.close()
    boot.clock.now_ms = began_ms
    store = boot.open(path)
    receive(store, "an hour", expires_ms=boot.clock() + HOUR_MS)
    receive(store, "a date", expires_ms=right_ms + 30 * HOUR_MS)
    boot.forward(10)
    boot.clock.now_ms = right_ms + 60_000
    assert look(store) == ["a date", "an hour", "old"]
    boot.forward(3580)
    assert look(store) == ["a date", "an hour", "old"]
    boot.forward(20)
    assert look(store) == ["a date", "old"]
    boot.forward(30 * 3600)
    assert look(store) == ["old"]
    store.close()


@pytest.mark.parametrize("began_ms", [0, 1_000_000_000_000])
def test_an_end_that_moves_with_the_clock_is_never_later_than_a_time_can_be(
    path: Path, boot: Boot, began_ms: int
) -> None:
    right_ms = boot.clock()
    boot.clock.now_ms = began_ms
    store = boot.open(path)
    receive(store, "a date", expires_ms=right_ms + 30 * HOUR_MS)
    boot.forward(10)
    # Near the end of the year 9999.
    boot.clock.now_ms = MAX_TIME_MS - DAY_S * 1000
    assert look(store) == ["a date"]
    boot.clock.now_ms = right_ms
    assert look(store) == ["a date"]
    assert not list(path.parent.glob("*.corrupt-*"))
    store.close()
    check_sound(path)


def test_what_expires_in_memory_while_the_file_fails_comes_back_too(path: Path, boot: Boot) -> None:
    store = boot.open(path, timings=QUICK._replace(heal_interval_s=3600))
    receive(store, "before", expires_ms=boot.clock() + HOUR_MS)
    with locked(path):
        receive(store, "meanwhile", expires_ms=boot.clock() + HOUR_MS)
        assert not store.engine.durable
        boot.clock.forward(100 * DAY_S)
        receive(store, "late", expires_ms=boot.clock() - HOUR_MS)
        assert look(store) == []
    store.engine._heal_at = 0
    assert look(store) == []
    assert store.engine.durable
    boot.clock.forward(-100 * DAY_S)
    assert look(store) == ["before", "late", "meanwhile"]
    store.close()
