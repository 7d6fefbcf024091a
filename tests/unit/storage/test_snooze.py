"""Snoozing: out of the inbox until a time, then back, unread and on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.exceptions import Conflict
from jupyterlab_notify.storage import Retention, StateChange, Storage, no_operation, schema

from ...support import file_faults as places
from ...support.storage import (
    QUICK,
    Clock,
    Make,
    change,
    change_many,
    check_counts,
    check_sound,
    do,
    frame,
    live,
    page,
    plans,
    progress_of,
    receive,
    revoke,
    set_back,
)

HOUR_MS = 3_600_000


def snooze(store: Storage, clock: Clock, id_: str, hours: float = 1) -> Any:
    return change(store, id_, snoozed_until_ms=clock() + int(hours * HOUR_MS))


def counts(store: Storage) -> dict[str, int]:
    return dict(do(store, store.notifications.counts, write=False))


def look(store: Storage) -> None:
    """Do what a tab's watching does each second."""
    do(store, no_operation, write=False)


def test_a_snoozed_row_leaves_the_inbox_and_comes_back_unread_on_top(
    store: Storage, clock: Clock
) -> None:
    id_ = receive(store, "snoozed", banner=1)
    receive(store, "other")
    change(store, id_, read=True)
    cursor = do(store, lambda tx: tx.cursor, write=False)
    assert snooze(store, clock, id_)["changed"] == 1
    assert page(store) == ["other"]
    assert page(store, view="unread") == ["other"]
    assert page(store, view="snoozed") == ["snoozed"]
    assert counts(store) == {"inbox": 1, "unread": 1, "dismissed": 0, "snoozed": 1}
    (row,) = frame(store, cursor)["notifications"]
    assert row["snoozedUntil"] is not None
    assert [one["message"] for one in frame(store, None)["notifications"]] == ["other"]
    assert frame(store, None)["pinned"] == []
    clock.forward(3599)
    look(store)
    assert page(store) == ["other"]
    clock.forward(1)
    look(store)
    assert page(store) == ["snoozed", "other"]
    row = live(store)[id_]
    assert row["snoozedUntil"] is None
    assert row["read"] is None
    assert counts(store) == {"inbox": 2, "unread": 2, "dismissed": 0, "snoozed": 0}
    check_counts(store)


def test_several_come_back_in_the_order_of_their_times(store: Storage, clock: Clock) -> None:
    ids = [receive(store, f"{n}") for n in range(4)]
    for hours, id_ in zip((3, 1, 2, 9), ids, strict=True):
        snooze(store, clock, id_, hours)
    clock.forward(4 * 3600)
    look(store)
    assert page(store) == ["0", "2", "1"]
    assert page(store, view="snoozed") == ["3"]


def test_it_is_brought_back_as_it_was(store: Storage, clock: Clock) -> None:
    id_ = receive(store, "snoozed")
    receive(store, "newer")
    change(store, id_, read=True)
    before = live(store)[id_]
    changed = snooze(store, clock, id_)
    change_many(store, snoozed_until_ms=False, seqs=tuple(changed["seqs"]))
    assert {**live(store)[id_], "seq": 0} == {**before, "seq": 0}
    assert page(store) == ["newer", "snoozed"]
    assert change(store, id_, snoozed_until_ms=False)["changed"] == 0
    check_counts(store)


def test_another_time_takes_the_place_of_the_first(store: Storage, clock: Clock) -> None:
    id_ = receive(store)
    snooze(store, clock, id_, 1)
    assert snooze(store, clock, id_, 1)["changed"] == 0
    assert snooze(store, clock, id_, 5)["changed"] == 1
    clock.forward(2 * 3600)
    look(store)
    assert page(store) == []


def test_what_cannot_be_put_away_cannot_be_snoozed(store: Storage, clock: Clock) -> None:
    outage = receive(store, "outage", dismissable=0)
    other = receive(store, "other")
    with pytest.raises(Conflict) as said:
        snooze(store, clock, outage)
    assert str(said.value) == ("This notification cannot be snoozed: its sender does not allow it.")
    until_ms = clock() + HOUR_MS
    assert change_many(store, ids=[outage, other], snoozed_until_ms=until_ms)["changed"] == 1
    assert page(store) == ["outage"]
    # A message that is done already cannot be snoozed either.
    done = receive(store, "done")
    change(store, done, dismissed=True)
    assert snooze(store, clock, done)["changed"] == 0


@pytest.mark.parametrize("ahead_ms", [0, -1, 367 * 86_400_000])
def test_its_end_must_lie_ahead_within_a_year(store: Storage, clock: Clock, ahead_ms: int) -> None:
    id_ = receive(store)
    for which in ({"ids": [id_]}, {}):
        with pytest.raises(Conflict):
            change_many(store, snoozed_until_ms=clock() + ahead_ms, **which)
    with pytest.raises(Conflict):
        change(store, id_, snoozed_until_ms=clock() + ahead_ms)
    assert page(store) == ["Job finished"]


def test_all_of_the_inbox_leaves_the_snoozed_alone(store: Storage, clock: Clock) -> None:
    id_ = receive(store)
    receive(store)
    snooze(store, clock, id_)
    assert change_many(store, dismissed=True)["changed"] == 1
    assert live(store)[id_]["dismissed"] is None


def test_a_new_message_under_its_key_comes_at_once_and_progress_does_not(
    store: Storage, clock: Clock
) -> None:
    id_ = progress_of(store, clock, "Epoch 1")
    snooze(store, clock, id_)
    progress_of(store, clock, "Epoch 2")
    assert page(store, view="snoozed") == ["Epoch 2"]
    receive(store, "Done", key="k", type="success")
    assert page(store) == ["Done"]
    assert counts(store)["snoozed"] == 0
    check_counts(store)


def test_one_that_ends_while_it_is_snoozed_does_not_come_back(store: Storage, clock: Clock) -> None:
    ids = [receive(store, f"{n}", expires_ms=clock() + 1_800_000 if n else None) for n in range(2)]
    for id_ in ids:
        snooze(store, clock, id_)
    revoke(store, ids[0])
    clock.forward(2 * 3600)
    look(store)
    assert live(store) == {}
    assert set(counts(store).values()) == {0}
    check_counts(store)


def test_done_and_back_it_is_still_snoozed(store: Storage, clock: Clock) -> None:
    id_ = receive(store)
    snooze(store, clock, id_)
    change(store, id_, dismissed=True)
    assert counts(store) == {"inbox": 0, "unread": 0, "dismissed": 1, "snoozed": 0}
    change(store, id_, dismissed=False)
    assert counts(store) == {"inbox": 0, "unread": 0, "dismissed": 0, "snoozed": 1}
    check_counts(store)


def test_retention_keeps_it_as_one_that_is_unread(make: Make, clock: Clock) -> None:
    store = make(retention=Retention(count=2))
    id_ = receive(store, "snoozed")
    change(store, id_, read=True)
    snooze(store, clock, id_)
    for number in range(5):
        change(store, receive(store, f"read {number}"), read=True)
    store.engine.prune()
    assert id_ in live(store)


def test_another_server_of_the_home_follows(make: Make, clock: Clock) -> None:
    one, two = make(), make()
    id_ = receive(one)
    cursor = do(two, lambda tx: tx.cursor, write=False)
    snooze(one, clock, id_)
    (row,) = frame(two, cursor)["notifications"]
    assert row["snoozedUntil"]
    clock.forward(3600)
    look(two)
    assert page(one) == ["Job finished"]


def test_memory_and_the_file_after_it_keep_it(make: Make, clock: Clock, path: Path) -> None:
    store = make(timings=QUICK)
    before, during = receive(store, "before"), receive(store, "during")
    snooze(store, clock, before)
    with places.locked(path):
        snooze(store, clock, during, 2)
        assert page(store, view="snoozed") == ["during", "before"]
        assert not store.engine.durable
    do(store, no_operation)
    assert store.engine.durable
    assert page(store, view="snoozed") == ["during", "before"]
    check_sound(path)
    clock.forward(3600)
    look(store)
    assert page(store) == ["before"]
    check_sound(path)


def test_an_earlier_database_keeps_its_rows_and_counts(make: Make, path: Path) -> None:
    store = make()
    ids = [receive(store, f"{n}") for n in range(3)]
    change(store, ids[0], dismissed=True)
    change(store, ids[1], read=True)
    store.close()
    set_back(path, next(n for n, sql in enumerate(schema.MIGRATIONS) if "snoozed" in sql))
    store = make()
    assert counts(store) == {"inbox": 2, "unread": 1, "dismissed": 1, "snoozed": 0}
    check_counts(store)
    assert "INDEX snoozed" in plans(store)["snoozed"]


def test_the_change_says_what_it_is() -> None:
    assert StateChange(snoozed_until_ms=5).events() == ["snoozed"]
    assert StateChange(snoozed_until_ms=False).events() == ["unsnoozed"]
