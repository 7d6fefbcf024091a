"""Snoozes of a central service's rows: what it is told, and what it says of other servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.storage import Storage
from jupyterlab_notify.storage.remote import RemoteState

from ....support.remote import (
    CREATED_MS,
    LEASE_MS,
    Make,
    acknowledge,
    broadcast,
    change,
    listing,
    outbox,
    take,
)
from ....support.storage import Clock, do, live, page, receive

HOUR_MS = 3_600_000


def waiting(store: Storage) -> list[tuple[str, tuple[str, ...], str | None]]:
    """Empty the outbox, and return what was in it."""
    found = []
    while (claim := do(store, lambda tx: store.outbox.claim(tx, "me", LEASE_MS))) is not None:
        found.append((claim.action, claim.subjects, claim.detail))
        acknowledge(store, claim)
    return found


def says(store: Storage, remote: str, until_ms: int | None, *, read: bool = False) -> Any:
    """Apply a snooze from the service; return what the user did, as ``snooze`` reports it."""
    state = RemoteState(read, False, snoozed_until_ms=until_ms)
    origin = "broadcast" if remote.startswith("b") else "message"

    def apply(tx: Any) -> Any:
        done = store.remote.snooze(tx, origin, remote, state)
        store.remote.mark(tx, origin, remote, state)
        return done

    return do(store, apply)


def item(remote: str, **more: Any) -> dict[str, Any]:
    values = broadcast(remote, f"message {remote}", banner=0, auto_close=None)
    times = {"created_ms": CREATED_MS, "updated_ms": None}
    return {**values, **times, "fetched": 1, **more}


def test_the_service_is_told_until_when_and_that_it_is_taken_back(
    store: Storage, clock: Clock
) -> None:
    a, b, c = take(store, "m1", "m2", "m3")
    (d,) = listing(store, broadcast("b1"))["created"]
    (outage,) = listing(store, broadcast("b1"), broadcast("b2", dismissable=0))["created"]
    until_ms = clock() + HOUR_MS
    change(store, a, b, receive(store), outage, snoozed_until_ms=until_ms)
    # Another end makes another request; the same end again makes none.
    change(store, c, snoozed_until_ms=until_ms + 1)
    change(store, b, c, snoozed_until_ms=until_ms + 1)
    change(store, d, snoozed_until_ms=until_ms)
    change(store, d, b, snoozed_until_ms=False)
    change(store, d, snoozed_until_ms=False)
    assert waiting(store) == [
        ("snooze", ("m1", "m2"), str(until_ms)),
        ("snooze", ("m3", "m2"), str(until_ms + 1)),
        ("broadcast-snooze", ("b1",), str(until_ms)),
        ("unsnooze", ("m2",), None),
        ("broadcast-unsnooze", ("b1",), None),
    ]


def test_what_is_put_away_is_not_snoozed_there_until_it_is_taken_back(
    store: Storage, clock: Clock
) -> None:
    (a,) = take(store, "m1")
    (b,) = listing(store, broadcast("b1"))["created"]
    until_ms = clock() + HOUR_MS
    change(store, a, b, snoozed_until_ms=until_ms)
    waiting(store)
    change(store, a, b, dismissed=True)
    assert sorted(one[0] for one in waiting(store)) == [
        "broadcast-dismiss",
        "broadcast-unsnooze",
        "read",
        "unsnooze",
    ]
    change(store, a, b, dismissed=False)
    assert sorted(one[0] for one in waiting(store)) == [
        "broadcast-restore",
        "broadcast-snooze",
        "snooze",
        "unread",
    ]
    # A message that is done cannot be snoozed.
    change(store, a, dismissed=True)
    waiting(store)
    change(store, a, snoozed_until_ms=until_ms + 1)
    assert waiting(store) == []


def test_that_it_is_over_is_told_with_what_an_older_service_understands(
    store: Storage, clock: Clock
) -> None:
    a, b = take(store, "m1", "m2")
    (c, d) = listing(store, broadcast("b1"), broadcast("b2"))["created"]
    change(store, a, read=True)
    change(store, c, closed=True)
    change(store, a, b, c, d, snoozed_until_ms=clock() + HOUR_MS)
    waiting(store)
    assert not store.notifications.has_woken
    clock.forward(3600)
    do(store, lambda tx: None)
    assert store.notifications.has_woken
    assert sorted(waiting(store), key=str) == [
        ("broadcast-wake", ("b1",), None),
        ("broadcast-wake", ("b2",), "broadcast-restore"),
        ("wake", ("m1",), "unread"),
        ("wake", ("m2",), None),
    ]


def test_a_service_that_knows_no_snooze_does_not_undo_its_end_before_it_is_told(
    store: Storage, clock: Clock
) -> None:
    (a,) = take(store, "m1")
    (b,) = listing(store, broadcast("b1"))["created"]
    change(store, a, read=True)
    change(store, b, closed=True)
    change(store, a, b, snoozed_until_ms=clock() + HOUR_MS)
    waiting(store)
    clock.forward(3600)
    do(store, lambda tx: None)
    says(store, "m1", None, read=True)
    dismissed = RemoteState(True, True)
    do(store, lambda tx: store.remote.mark(tx, "broadcast", "b1", dismissed))
    assert [live(store)[id_]["read"] for id_ in (a, b)] == [None, None]
    assert live(store)[b]["closed"] is None
    # Once the outbox is sent, the service's state counts.
    waiting(store)
    says(store, "m1", None, read=True)
    do(store, lambda tx: store.remote.mark(tx, "broadcast", "b1", dismissed))
    assert live(store)[a]["read"] is not None
    assert live(store)[b]["closed"] is not None


def test_what_another_server_has_snoozed_leaves_the_inbox_and_comes_back(
    store: Storage, clock: Clock
) -> None:
    (a,) = take(store, "m1")
    (b,) = listing(store, broadcast("b1"))["created"]
    until_ms = clock() + HOUR_MS
    for remote, id_ in (("m1", a), ("b1", b)):
        assert says(store, remote, until_ms) == ("snoozed", id_)
        # The service keeps whole seconds.
        assert says(store, remote, until_ms - until_ms % 1000 + 999) is None
        # A service without snoozes does not mention one.
        assert says(store, remote, None) is None
    assert page(store) == []
    assert says(store, "m1", until_ms + HOUR_MS, read=True) == ("snoozed", a)
    assert live(store)[a]["read"] is not None
    before = live(store)[b]["position"]
    assert says(store, "b1", 0) == ("unsnoozed", b)
    assert live(store)[b]["position"] == before
    clock.forward(2 * 3600)
    do(store, lambda tx: None)
    assert page(store) == ["message m1", "Maintenance"]
    assert live(store)[a]["read"] is None
    # The service was not told yet, and still reports the earlier snooze.
    assert says(store, "m1", until_ms + HOUR_MS, read=True) is None
    assert live(store)[a]["read"] is None
    assert says(store, "m1", 0, read=True) is None
    assert live(store)[a]["read"] is not None
    assert says(store, "gone", until_ms + 9 * HOUR_MS) is None


def test_what_a_server_whose_clock_is_ahead_brings_back_is_on_top_here_too(
    store: Storage, clock: Clock
) -> None:
    a, b = take(store, "m1", "m2")
    take(store, "m3")
    change(store, a, b, read=True)
    change(store, a, b, snoozed_until_ms=clock() + HOUR_MS)
    waiting(store)
    clock.forward(3590)
    assert says(store, "m1", 0) is None
    # Since then, the user has read the other message elsewhere.
    assert says(store, "m2", 0, read=True) == ("unsnoozed", b)
    assert page(store) == ["message m1", "message m3", "message m2"]
    assert live(store)[a]["read"] is None
    assert live(store)[b]["read"] is not None


def test_what_the_user_did_here_since_wins_until_it_is_told(store: Storage, clock: Clock) -> None:
    (a,) = take(store, "m1")
    until_ms = clock() + HOUR_MS
    change(store, a, snoozed_until_ms=until_ms)
    assert says(store, "m1", 0) is None
    assert says(store, "m1", until_ms + HOUR_MS) is None
    waiting(store)
    change(store, a, snoozed_until_ms=False)
    assert says(store, "m1", until_ms) is None
    # Reading the message here does not concern its snooze.
    waiting(store)
    change(store, a, read=True)
    assert says(store, "m1", until_ms) == ("snoozed", a)
    assert live(store)[a]["read"] is not None


def test_what_must_stay_in_sight_is_snoozed_by_no_service(store: Storage, clock: Clock) -> None:
    (outage,) = listing(store, broadcast("b1", dismissable=0))["created"]
    assert says(store, "b1", clock() + HOUR_MS) is None
    assert live(store)[outage]["snoozedUntil"] is None


@pytest.mark.parametrize("ahead_ms", [HOUR_MS, 0, None])
def test_what_is_new_here_comes_as_it_is_there(
    store: Storage, clock: Clock, ahead_ms: int | None
) -> None:
    until_ms = ahead_ms and clock() + ahead_ms
    items = [item("m1", snoozed_until_ms=until_ms)]
    do(store, lambda tx: store.remote.add(tx, items, "the platform"))
    listing(store, broadcast("b1", snoozed_until_ms=until_ms))
    assert set(page(store, view="snoozed" if ahead_ms else "inbox")) == {
        "message m1",
        "Maintenance",
    }
    # A new text is shown as new, unless the message is still snoozed.
    state = RemoteState(False, False, snoozed_until_ms=until_ms)
    other = item("m1", message="other", snoozed_until_ms=until_ms)
    do(store, lambda tx: store.remote.upsert_message(tx, other, "the platform", state))
    listing(store, broadcast("b1", "another", snoozed_until_ms=until_ms))
    assert set(page(store, view="snoozed" if ahead_ms else "inbox")) == {"other", "another"}


def test_the_lists_say_what_was_snoozed_meanwhile(store: Storage, clock: Clock) -> None:
    a, b, c, d = take(store, "m1", "m2", "m3", "m4")
    until_ms = clock() + HOUR_MS
    change(store, b, d, snoozed_until_ms=until_ms)
    waiting(store)
    known = do(store, store.remote.snapshot, write=False)
    assert known.has_other_snooze("m1", until_ms)
    assert known.has_other_snooze("m2", 0)
    assert not any(
        known.has_other_snooze(remote, ms)
        for remote, ms in (("m2", until_ms), ("m2", None), ("m1", 0), ("m1", 5), ("m9", until_ms))
    )
    # The user acts here after the service was asked.
    change(store, c, read=True)
    states = {
        "m1": RemoteState(False, False, snoozed_until_ms=until_ms),
        "m2": RemoteState(False, False, snoozed_until_ms=0),
        "m3": RemoteState(False, False, snoozed_until_ms=until_ms),
    }
    changed = do(store, lambda tx: store.remote.apply(tx, known, ["m1"], [], [], states))
    assert changed._asdict() == {
        "read": [a],
        "unread": [],
        "revoked": [],
        "snoozed": [a],
        "unsnoozed": [b],
    }
    assert set(page(store, view="snoozed")) == {"message m1", "message m4"}


def test_a_pushed_message_that_is_snoozed_stays_so_as_the_broadcast(
    store: Storage, clock: Clock
) -> None:
    id_ = receive(store, "Maintenance", key="b1@2027-01-01")
    until_ms = clock() + HOUR_MS
    change(store, id_, snoozed_until_ms=until_ms)
    assert outbox(store) == []
    listing(store, broadcast("b1"))
    assert set(live(store)) == {id_}
    assert live(store)[id_]["snoozedUntil"] is not None
    assert waiting(store) == [("broadcast-snooze", ("b1",), str(until_ms))]


def test_two_servers_of_one_home_tell_that_it_is_over_once(
    make: Make, clock: Clock, path: Path
) -> None:
    one, two = make(), make()
    (a,) = take(one, "m1")
    change(one, a, snoozed_until_ms=clock() + HOUR_MS)
    waiting(one)
    clock.forward(3600)
    for store in (one, two):
        do(store, lambda tx: None)
    assert waiting(one) == [("wake", ("m1",), None)]
