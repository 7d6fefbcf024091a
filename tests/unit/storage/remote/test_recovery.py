"""Memory keeps what a central service said while the file cannot be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from jupyterlab_notify.storage import Transaction, no_operation

from ....support import file_faults as places
from ....support.remote import (
    LEASE_MS,
    Make,
    change,
    dismiss,
    due,
    offered,
    outbox,
    see,
    state,
    take,
    welcome,
)
from ....support.storage import Clock, check_sound, do, live


def test_memory_goes_on_with_the_outbox_and_brings_it_back(make: Make, path: Path) -> None:
    store = make()
    a, b, c = take(store, "a", "b", "c")
    change(store, a, read=True)
    offered(store, welcome("w"))
    see(store, "w")
    with places.locked(path):
        change(store, b, read=True)
        assert not store.engine.durable
        # Changes in the file are sent, and those made now come after them.
        claim = do(store, lambda tx: store.outbox.claim(tx, "me", LEASE_MS))
        assert claim is not None and claim.subjects == ("a", "b")
        do(store, lambda tx: store.outbox.acknowledge(tx, "me", claim, delivered=True))
        change(store, a, read=False)
        change(store, c, read=True)
        dismiss(store, "w")
        # Meanwhile the service lists messages that memory already has.
        take(store, "a", "b", "c", "d")
        assert due(store) == []
    do(store, no_operation)
    assert store.engine.durable
    other = make()
    assert due(other) == []
    assert {r["message"] for r in live(other).values()} == {f"message {x}" for x in "abcd"}
    assert [state(other, x) for x in (a, b, c)] == [(False, False), (True, False), (True, False)]
    assert outbox(other) == [("unread", ("a",)), ("read", ("c",)), ("dismiss", ("w",))]
    store.close()
    other.close()
    check_sound(path)


def test_a_server_that_starts_in_memory_changes_only_what_the_person_does(
    make: Make, path: Path
) -> None:
    store = make()
    a, b = take(store, "a", "b")
    change(store, a, dismissed=True)
    do(store, lambda tx: store.welcome.dismiss(tx, None))
    store.close()
    with places.locked(path):
        blind = make()
        take(blind, "b", "a")
        change(blind, b, read=True)
        assert not blind.engine.durable
    do(blind, no_operation)
    assert blind.engine.durable
    assert state(blind, a) == (False, True)
    assert state(blind, b) == (True, False)
    do(blind, lambda tx: blind.welcome.set_files([{**welcome("f"), "id": "file:f"}]), write=False)
    assert due(blind) == []
    assert outbox(blind) == [("read", ("a",)), ("dismiss-all", ("",)), ("read", ("b",))]


def test_what_is_done_with_welcome_messages_meanwhile_in_another_server_stays(make: Make) -> None:
    store, other = make(), make()
    offered(store, welcome("a"), welcome("b"), welcome("c"))
    see(store, "b")
    assert store.engine.path is not None
    with places.locked(store.engine.path):
        # The user sees one message, and the service changes the text of each.
        see(store, "b")
        assert not store.engine.durable
        assert offered(store, *(welcome(x, body="Hello again.") for x in "abc"))
    dismiss(other, "a")
    see(other, "b")
    do(store, no_operation)
    assert store.engine.durable
    messages = do(other, lambda tx: other.welcome.messages(tx, every=True), write=False)["messages"]
    assert {m["body"] for m in messages} == {"Hello again."}
    assert [m["views"] for m in messages] == [0, 3, 0]
    assert due(other) == ["b", "c"]


def test_a_server_that_could_not_read_the_file_brings_back_no_dismissed_welcome_message(
    make: Make, path: Path
) -> None:
    file = {**welcome("f"), "id": "file:f", "max_views": 2}
    store = make()
    do(store, lambda tx: store.welcome.set_files([file]), write=False)
    offered(store, welcome("a"))
    dismiss(store, "a")
    dismiss(store, "f")
    store.close()
    with places.a_folder_in_its_place(path):
        blind = make()
        do(blind, lambda tx: blind.welcome.set_files([file]), write=False)
        offered(blind, welcome("a"))
        # Memory does not know that they were dismissed.
        assert due(blind) == ["a", "f"]
        see(blind, "a")
        see(blind, "f")
    do(blind, no_operation)
    assert blind.engine.durable
    assert due(blind) == []


def test_a_reset_by_a_server_that_could_not_read_the_file_brings_back_what_that_holds(
    make: Make, path: Path, clock: Clock
) -> None:
    files = [{**welcome(x), "id": f"file:{x}"} for x in "fg"]
    store, other = make(), make("another")
    store.welcome.set_files(files), other.welcome.set_files(files)
    offered(store, welcome("a"))
    offered(other, welcome("b"))
    do(other, lambda tx: other.leases.renew(tx, "host:1:other", []))
    do(store, lambda tx: store.welcome.dismiss(tx, None))
    assert outbox(store) == outbox(other) == [("dismiss-all", ("",))]
    store.close(), other.close()
    clock.forward(1)
    with places.a_folder_in_its_place(path):
        blind = make()
        blind.welcome.set_files(files)
        do(blind, blind.welcome.reset)
        assert not blind.engine.durable
        dismiss(blind, "f")
    # Messages that were dismissed after the reset stay dismissed, here and at the other server.
    clock.forward(1)
    offered(other, welcome("new"))
    dismiss(other, "new")
    do(blind, no_operation)
    assert blind.engine.durable
    assert due(blind) == ["a", "g"]
    assert due(other) == ["b", "g"]
    # The file's services get the reset too: otherwise their next lists would undo it.
    assert outbox(blind) == [("reset", ("",))]
    assert outbox(other) == [("dismiss", ("new",)), ("reset", ("",))]


def test_a_corrupt_file_leaves_the_outbox_if_that_can_be_read(make: Make, path: Path) -> None:
    store = make()
    (a,) = take(store, "a")
    change(store, a, read=True)
    offered(store, welcome("w"))
    dismiss(store, "w")
    # As a tampered row is reported, which SQLite itself has nothing against.
    faults = [sqlite3.DatabaseError("malformed: its state is missing")]

    def fail_once(tx: Transaction) -> None:
        if faults:
            raise faults.pop()

    do(store, fail_once)
    assert list(path.parent.glob("*.corrupt-*"))
    assert due(store) == []
    assert outbox(store) == [("read", ("a",)), ("dismiss", ("w",))]
