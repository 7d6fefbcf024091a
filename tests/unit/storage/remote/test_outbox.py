"""Acts noted for a central service, and who sends them."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from jupyterlab_notify.exceptions import NotFound
from jupyterlab_notify.storage import StateChange, Storage, Transaction
from jupyterlab_notify.storage.outbox import CLAIM_SIZE

from ....support.remote import (
    LEASE_MS,
    Make,
    change,
    outbox,
    state,
    take,
)
from ....support.storage import QUICK, Clock, do, receive


def test_what_a_person_does_is_in_the_outbox_in_order(store: Storage) -> None:
    a, b, c = take(store, "a", "b", "c")
    pushed = receive(store)
    change(store, a, pushed, read=True)
    change(store, b, dismissed=True)
    change(store, a, read=False)
    # Read already: nothing new for the service.
    change(store, b, read=True)
    change(store, b, dismissed=False)
    change(store, c, b, read=True, dismissed=True)
    change(store, b, read=False, dismissed=False)
    assert outbox(store) == [
        ("read", ("a", "b")),
        ("unread", ("a",)),
        ("read", ("c",)),
        ("unread", ("b",)),
    ]


def test_a_change_that_is_undone_is_not_in_the_outbox(store: Storage, path: Path) -> None:
    (a,) = take(store, "a")

    def fail(tx: Transaction) -> None:
        store.notifications.set_state(tx, a, StateChange(read=True))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        do(store, fail)
    assert do(store, store.outbox.count) == 0
    assert state(store, a) == (False, False)
    with pytest.raises(NotFound):
        do(store, lambda tx: store.notifications.set_state(tx, "nothing", StateChange(read=True)))
    assert do(store, store.outbox.count) == 0


def test_without_a_central_service_nothing_is_noted_for_it(make: Make) -> None:
    store, without, another = make(), make(""), make("another")
    (a,) = take(store, "a")
    change(without, a, read=True)
    change(another, a, read=False)
    assert outbox(store) == []


def test_two_servers_send_each_entry_once_and_in_order(make: Make, clock: Clock) -> None:
    one, two = make(), make()
    ids = take(one, *(f"{n}" for n in range(CLAIM_SIZE + 5)))
    change(one, *ids, read=True)
    change(two, ids[0], read=False)
    claim = do(one, lambda tx: one.outbox.claim(tx, "one", LEASE_MS))
    assert claim is not None and len(claim.subjects) == CLAIM_SIZE
    # While one is sending the head, the other sends nothing that comes after it.
    assert do(two, lambda tx: two.outbox.claim(tx, "two", LEASE_MS)) is None
    do(one, lambda tx: one.outbox.acknowledge(tx, "one", claim, delivered=True))
    rest = do(two, lambda tx: two.outbox.claim(tx, "two", LEASE_MS))
    assert rest is not None and len(rest.subjects) == 5
    do(two, lambda tx: two.outbox.release(tx, "two"))
    again = do(one, lambda tx: one.outbox.claim(tx, "one", LEASE_MS))
    assert again == rest
    # The other's clock is behind.
    clock.forward(-5)
    assert do(two, lambda tx: two.outbox.claim(tx, "two", LEASE_MS)) is None
    clock.forward(5)
    # One dies: another takes over when its lease has ended, or when it is known to be dead.
    assert do(two, lambda tx: two.outbox.claim(tx, "two", LEASE_MS)) is None
    assert do(two, lambda tx: two.outbox.claim(tx, "two", LEASE_MS, ["one"])) == rest
    assert do(one, lambda tx: one.outbox.claim(tx, "one", LEASE_MS)) is None
    clock.forward(LEASE_MS / 1000)
    assert do(one, lambda tx: one.outbox.claim(tx, "one", LEASE_MS)) == rest
    # A server that has lost its claim deletes nothing.
    do(two, lambda tx: two.outbox.acknowledge(tx, "two", rest, delivered=True))
    do(one, lambda tx: one.outbox.acknowledge(tx, "one", rest, delivered=True))
    assert outbox(two) == [("unread", ("0",))]


def test_what_waited_for_another_server_happens_after_it(
    make: Make, path: Path, clock: Clock
) -> None:
    store = make(timings=QUICK._replace(busy_timeout_s=30.0))
    (a,) = take(store, "a")
    change(store, a, read=True)
    with closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def finish() -> None:
            clock.forward(1)
            other.execute("COMMIT")

        timer = threading.Timer(0.2, finish)
        timer.start()
        try:
            do(store, lambda tx: store.outbox.claim(tx, "me", LEASE_MS))
        finally:
            timer.join()
        assert other.execute("SELECT claimed_ms FROM outbox").fetchone() == (clock(),)
