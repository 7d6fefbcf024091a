"""Promises of expiry, silent senders and retention, on real SQLite files."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from jupyterlab_notify.storage import Retention, Storage, connection, no_operation
from jupyterlab_notify.storage.fields import rfc3339
from jupyterlab_notify.storage.notifications import InsertNotification
from jupyterlab_notify.storage.pruning import TOMBSTONE_MS

from ...support import file_faults as places
from ...support.storage import (
    Clock,
    Make,
    change,
    check_counts,
    check_sound,
    detail,
    do,
    frame,
    give_up,
    listed,
    live,
    message,
    page,
    progress_of,
    raw,
    receive,
    revoke,
)


def is_silent(store: Storage) -> bool:
    """Return whether the one message there is says that its sender has stopped."""
    (row,) = listed(store)
    assert (row["type"] == "warning") is (row["stopped"] is not None)
    return row["stopped"] is not None


def test_a_progress_that_nobody_renews_says_when_it_stopped(store: Storage, clock: Clock) -> None:
    reported_ms = clock()
    id_ = progress_of(store, clock, progress=0.4)
    receive(store, "other")
    change(store, id_, closed=True, dismissed=True)
    cursor = store.position.cursor
    clock.forward(29.9)
    assert detail(store, id_)["type"] == "in-progress"
    give_up(store, clock, 0.1)
    row = detail(store, id_)
    assert (row["type"], row["message"], row["progress"]) == ("warning", "Training", 0.4)
    assert row["stopped"] == rfc3339(reported_ms)
    assert row["closed"] is row["dismissed"] is None, "it is news"
    assert page(store) == ["Training", "other"]
    assert [each["id"] for each in frame(store, cursor)["notifications"]] == [id_]
    seq = store.engine.state.seq
    clock.forward(3600)
    assert page(store) == ["Training", "other"]
    assert store.engine.state.seq == seq, "said once"
    check_counts(store)


def test_the_same_message_again_keeps_a_progress_alive_and_tells_no_tab(
    store: Storage, clock: Clock
) -> None:
    id_ = progress_of(store, clock, progress=0.4)
    seq = store.engine.state.seq
    for _ in range(100):
        clock.forward(20)
        assert progress_of(store, clock, progress=0.4) == id_
        assert not is_silent(store)
    assert store.engine.state.seq == seq
    give_up(store, clock, 31)
    assert is_silent(store)


def test_a_beat_that_waited_for_a_hung_store_came_in_time(store: Storage, clock: Clock) -> None:
    id_ = progress_of(store, clock)
    cursor = store.position.cursor
    clock.forward(29)
    beat = message("Training", key="k", type="in-progress", interrupt_ms=clock() + 30_000)
    clock.forward(5)
    do(store, no_operation, write=False)
    clock.forward(20)
    # Both operations waited for the thread, and share a batch now.
    store.run([(no_operation, False), (InsertNotification(store.notifications, beat), True)])
    assert detail(store, id_)["type"] == "in-progress"
    assert store.position.cursor == cursor, "no tab was told of an end"


def test_nobody_stopped_reporting_before_the_message_came(store: Storage, clock: Clock) -> None:
    """The first heartbeat counts from its request, which may have waited for the store."""
    id_ = progress_of(store, clock, interrupt_ms=clock() + 29_000)
    give_up(store, clock, 60)
    row = detail(store, id_)
    assert row["type"] == "warning"
    assert row["stopped"] == row["created"]


def test_a_server_with_another_clock_interrupts_nobody_who_lives(make: Make, clock: Clock) -> None:
    """Of two servers of one home directory, one has a clock that is some minutes ahead."""
    store, theirs = make(), Clock(clock() + 300_000)
    other = Storage(store.engine.path, clock=theirs)
    id_ = progress_of(store, clock)
    seq = store.engine.state.seq
    for _ in range(12):
        for _ in range(10):
            for each in (clock, theirs):
                each.forward(1)
            do(other, no_operation, write=False)
        assert progress_of(store, clock) == id_
    assert store.engine.state.seq == seq
    for _ in range(20):
        theirs.forward(1)
        do(other, no_operation, write=False)
    assert is_silent(other), "then it was silent"
    other.close()


def test_a_sender_that_wakes_up_goes_on_and_its_end_is_its_own(
    store: Storage, clock: Clock
) -> None:
    id_ = progress_of(store, clock)
    give_up(store, clock, 60)
    assert is_silent(store)
    assert progress_of(store, clock) == id_
    assert not is_silent(store)
    receive(store, "Trained", key="k", type="success")
    clock.forward(3600)
    assert page(store) == ["Trained"]


def test_what_is_too_old_or_too_many_goes_and_tabs_begin_anew(make: Make, clock: Clock) -> None:
    store = make(retention=Retention(days=1, count=10, always=0))
    receive(store, "old")
    cursor = store.position.cursor
    clock.forward(86_400 + 1)
    for number in range(10):
        receive(store, str(number))
    assert frame(store, cursor)["type"] == "changes"
    assert store.engine.prune() == 1
    assert "old" not in page(store)
    assert frame(store, cursor)["type"] == "snapshot"
    assert frame(store, store.position.cursor)["type"] == "changes"
    for number in range(10, 13):
        receive(store, str(number))
    assert len(page(store)) <= 11, "never more than a tenth too many"
    store.engine.prune()
    assert page(store) == [str(n) for n in range(12, 2, -1)]
    check_counts(store)


def test_zero_means_without_bound(make: Make, clock: Clock) -> None:
    store = make(retention=Retention(days=0, count=0))
    for _ in range(30):
        receive(store)
    clock.forward(86_400 * 10_000)
    assert store.engine.prune() == 0
    assert len(live(store)) == 30


def test_a_tombstone_stays_a_day_from_its_death(store: Storage, clock: Clock) -> None:
    id_ = receive(store)
    clock.forward(TOMBSTONE_MS / 1000 * 3)
    revoke(store, id_)
    assert store.engine.prune() == 0
    clock.forward(TOMBSTONE_MS / 1000 + 1)
    assert page(store) == []
    assert store.engine.prune() == 1
    assert raw(store, "SELECT count(*) FROM notifications") == [(0,)]


def test_what_was_deleted_leaves_the_disk_too_step_by_step(make: Make) -> None:
    store = make()
    body = "x" * 40_000
    for number in range(200):
        receive(store, str(number), body=body)
    assert store.engine.path is not None
    places.checkpoint(store.engine.path)
    large = store.engine.path.stat().st_size
    assert large > 8_000_000
    store.maintenance.retention = Retention(count=10)
    store.maintenance.prune_soon()
    free = raw(store, "PRAGMA page_count")[0][0]
    for number in range(6):
        receive(store, f"later {number}")
        (now,) = raw(store, "PRAGMA page_count")[0]
        # SQLite may free a few more pages, those of its own map of pages.
        assert free - now <= connection.SHRINK_BY + 9, "nobody waits for all of it"
        free = now
    places.checkpoint(store.engine.path)
    assert store.engine.path.stat().st_size < large / 4
    assert store.engine.path.with_name(store.engine.path.name + "-wal").stat().st_size < 5_000_000
    assert page(store)[:6] == [f"later {n}" for n in range(5, -1, -1)]
    check_sound(store.engine.path)


def test_a_fault_of_retention_repeats_nothing(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    receive(store, "before")
    monkeypatch.setattr(store.maintenance, "is_due", fail)
    receive(store, "once")
    monkeypatch.undo()
    assert page(store) == ["once", "before"]
