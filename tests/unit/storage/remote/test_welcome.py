"""A central service's welcome messages, as they are stored."""

from __future__ import annotations

from jupyterlab_notify.storage import Storage

from ....support.remote import (
    LEASE_MS,
    NOTHING,
    Make,
    dismiss,
    due,
    ids,
    insisted,
    listed,
    offered,
    outbox,
    see,
    welcome,
)
from ....support.storage import Clock, do


def test_the_services_welcome_messages_and_the_files_are_told_apart(store: Storage) -> None:
    store.welcome.set_files([{**welcome("a"), "id": "file:a"}])
    offered(store, welcome("b", max_views=1), welcome("a", title="the other a"))
    assert due(store) == ["b", "the other a", "a"]
    assert len(set(ids(store).values())) == 3
    dismiss(store, "a")
    assert due(store) == ["b", "the other a"]
    see(store, "b")
    assert due(store) == ["the other a"]
    assert outbox(store) == []
    dismiss(store, "the other a")
    assert due(store) == []
    assert outbox(store) == [("dismiss", ("a",))]


def test_a_dismissal_holds_until_the_service_was_told_and_says_otherwise(store: Storage) -> None:
    offered(store, welcome("a"), welcome("b"))
    dismiss(store, "a")
    # The service was not told of the dismissal yet, so its list says nothing about a reset.
    assert offered(store, welcome("a"), welcome("b")) is False
    assert due(store) == ["b"]
    outbox(store)
    assert offered(store, welcome("b"))
    assert due(store) == ["b"]
    assert due(store, every=True) == ["a", "b"] or set(due(store, every=True)) == {"a", "b"}
    # Now the service has the dismissal. If it lists the message again, there was a reset elsewhere.
    insisted(store, welcome("a"), welcome("b"))
    assert due(store) == ["a", "b"]


def test_a_replica_that_was_not_told_yet_brings_back_no_dismissed_welcome_message(
    store: Storage, clock: Clock
) -> None:
    offered(store, welcome("a"), welcome("b"))
    dismiss(store, "a")
    outbox(store)
    stale, fresh = (welcome("a"), welcome("b")), (welcome("b"), welcome("c"))
    taken, doubted = listed(store, *stale)
    # Such a list is ignored as a whole, and the next list may contradict it.
    assert (taken, len(doubted)) == (False, 1)
    assert listed(store, *fresh, doubted=doubted) == (True, NOTHING)
    assert due(store) == ["b", "c"]
    assert offered(store, *stale) is False
    assert due(store) == ["b", "c"]
    # A doubt about one dismissal does not count for a later dismissal of the same message.
    do(store, store.welcome.reset)
    clock.forward(1)
    dismiss(store, "a")
    outbox(store)
    assert listed(store, *stale, doubted=doubted)[0] is False
    assert due(store) == ["b", "c"]


def test_a_service_that_answers_of_one_database_is_believed_at_once(store: Storage) -> None:
    offered(store, welcome("a"))
    dismiss(store, "a")
    # That holds only once the service has the dismissal.
    assert listed(store, welcome("a"), doubted=None) == (False, NOTHING)
    outbox(store)
    assert listed(store, welcome("a"), doubted=None) == (True, NOTHING)
    assert due(store) == ["a"]


def test_a_list_from_before_another_server_told_a_reset_is_not_taken(make: Make) -> None:
    one, two = make(), make()
    offered(one, welcome("a"))
    dismiss(one, "a")
    outbox(one)
    do(one, one.welcome.reset)
    claim = do(one, lambda tx: one.outbox.claim(tx, "one", LEASE_MS))
    assert claim is not None and claim.action == "reset"
    # The other server asks before the service gets the reset, and has the answer afterwards.
    asked = do(two, two.welcome.sync_version, write=False)
    do(one, lambda tx: one.outbox.acknowledge(tx, "one", claim, delivered=True))
    assert not do(two, lambda tx: two.welcome.sync(tx, asked, [], 0, NOTHING))[0]
    assert due(two) == ["a"]
    assert offered(two, welcome("a"))


def test_a_message_that_was_updated_after_its_dismissal_is_not_shown_again(
    store: Storage, clock: Clock
) -> None:
    offered(store, welcome("a"), welcome("b", updated_ms=clock.now_ms - 1))
    dismiss(store, "a")
    dismiss(store, "b")
    outbox(store)
    offered(store)
    # The service should not list a dismissed message again. If it does so because of an update,
    # that is no reset.
    news = welcome("b", body="Hello again.", updated_ms=clock.now_ms + 1)
    for _ in range(2):
        assert offered(store, news, since_ms=clock.now_ms)
        assert due(store) == []
    # A new id is a new message.
    offered(store, news, welcome("c"))
    assert due(store) == ["c"]
    # A reset elsewhere brings all messages back. It shows in a message that was not updated since.
    insisted(store, news, welcome("c"), welcome("a"))
    assert due(store) == ["b", "c", "a"]


def test_a_reset_elsewhere_also_brings_back_what_was_updated_before_it(
    store: Storage, clock: Clock
) -> None:
    offered(store, welcome("a"))
    dismiss(store, "a")
    outbox(store)
    offered(store)
    # The message was updated before the last request and was not listed then, so this is a reset.
    clock.forward(120)
    updated_ms = clock.now_ms - 60_000
    insisted(store, welcome("a", updated_ms=updated_ms), since_ms=clock.now_ms - 30_000)
    assert due(store) == ["a"]


def test_a_reset_at_one_service_is_none_of_anothers(make: Make) -> None:
    one, two = make(), make("another")
    one.welcome.set_files([{**welcome("file"), "id": "file:a"}])
    offered(one, welcome("a"))
    offered(two, welcome("b"))
    do(one, lambda tx: one.welcome.dismiss(tx, None))
    assert due(one) == due(two) == []
    outbox(one)
    offered(one)
    insisted(one, welcome("a"))
    assert due(one) == ["a", "file"]
    assert due(two) == []
    do(one, one.welcome.reset)
    assert due(two) == ["b"]


def test_what_is_done_with_welcome_messages_is_told_to_every_service_that_is_asked(
    make: Make,
) -> None:
    one, two = make(), make("another")
    offered(one, welcome("a"))
    offered(two, welcome("b"))
    do(two, lambda tx: two.leases.renew(tx, "host:1:two", []))
    b = ids(two)["b"]
    do(one, lambda tx: one.welcome.dismiss(tx, [b]))
    assert (outbox(one), outbox(two)) == ([], [("dismiss", ("b",))])
    do(one, lambda tx: one.welcome.dismiss(tx, None))
    assert outbox(one) == outbox(two) == [("dismiss-all", ("",))]
    do(one, one.welcome.reset)
    # Otherwise the service's next list, without the messages dismissed there, would undo the reset.
    assert offered(two) is False
    assert outbox(one) == outbox(two) == [("reset", ("",))]
    assert (due(one), due(two)) == (["a"], ["b"])


def test_a_dismissal_that_the_service_will_not_take_holds_here(store: Storage) -> None:
    offered(store, welcome("a"))
    dismiss(store, "a")
    claim = do(store, lambda tx: store.outbox.claim(tx, "me", LEASE_MS))
    assert claim is not None
    do(store, lambda tx: store.outbox.acknowledge(tx, "me", claim, delivered=False))
    assert offered(store, welcome("a"))
    assert due(store) == []


def test_never_any_again_includes_those_to_come_until_the_reset(store: Storage) -> None:
    store.welcome.set_files([{**welcome("file"), "id": "file:a"}])
    offered(store, welcome("a"))
    do(store, lambda tx: store.welcome.dismiss(tx, None))
    do(store, lambda tx: store.welcome.dismiss(tx, None))
    assert due(store) == []
    assert outbox(store) == [("dismiss-all", ("",))]
    offered(store, welcome("new"))
    assert due(store) == []
    do(store, store.welcome.reset)
    assert sorted(due(store)) == ["a", "file", "new"]
    assert outbox(store) == [("reset", ("",))]
    # The user switches all messages off, and resets them elsewhere: they are listed again.
    do(store, lambda tx: store.welcome.dismiss(tx, None))
    outbox(store)
    offered(store)
    assert due(store) == []
    insisted(store, welcome("a"))
    assert due(store) == ["a", "file"]


def test_every_change_of_welcome_messages_is_another_number(make: Make) -> None:
    one, two = make(), make()
    numbers = []

    def note() -> None:
        (first, second) = (do(s, s.welcome.version, write=False) for s in (one, two))
        assert first == second
        numbers.append(first)

    note()
    offered(one, welcome("a"))
    note()
    see(two, "a")
    note()
    dismiss(one, "a")
    note()
    do(two, two.welcome.reset)
    note()
    outbox(one)
    offered(one)
    note()
    assert len(set(numbers)) == len(numbers)
    before = numbers[-1]
    offered(one)
    do(one, lambda tx: one.welcome.record_views(tx, ["unknown"]))
    note()
    assert numbers[-1] == before
