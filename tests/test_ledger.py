"""What the store keeps of a central service: its lists, the outbox, welcome messages."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.exceptions import NotFound, Unavailable
from jupyterlab_notify.storage import Retention, Storage, Transaction, no_operation
from jupyterlab_notify.storage.ids import remote_id
from jupyterlab_notify.storage.outbox import CLAIM_SIZE, Claim
from jupyterlab_notify.storage.remote import (
    ABANDONED_MS,
    FORGOTTEN_MS,
    PLAIN_OPTIONS,
    RETURN_WINDOW_MS,
    AppliedChanges,
)
from jupyterlab_notify.storage.welcome import ContradictedDismissals

from . import places
from .messages import QUICK, Clock, check_sound, do, live, receive

Make = Callable[..., Storage]
LEASE_MS = 60_000
NOTHING = ContradictedDismissals()
#: A little before the tests' clock.
CREATED_MS = 1_799_999_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notify" / "notifications.sqlite"


@pytest.fixture
def make(path: Path, clock: Clock) -> Iterator[Make]:
    made: list[Storage] = []

    def _make(central: str = "central", **options: Any) -> Storage:
        store = Storage(path, clock=clock, central=central, **{"timings": QUICK, **options})
        made.append(store)
        return store

    yield _make
    for store in made:
        store.close()


@pytest.fixture
def store(make: Make) -> Storage:
    return make()


def take(store: Storage, *remotes: str) -> list[str]:
    items = [
        {
            **PLAIN_OPTIONS,
            "remote": r,
            "message": f"message {r}",
            "created_ms": CREATED_MS,
            "body": None,
            "fetched": 0,
        }
        for r in remotes
    ]
    return do(store, lambda tx: store.remote.add(tx, items, "the platform"))


def change(store: Storage, *ids: str, **state: Any) -> None:
    state = {"read": None, "dismissed": None, **state}
    do(store, lambda tx: store.notifications.set_states(tx, ids=list(ids), **state))


def outbox(store: Storage) -> list[tuple[str, tuple[str, ...]]]:
    """Empty the outbox, and return what was in it."""
    found = []
    while (claim := do(store, lambda tx: store.outbox.claim(tx, "me", LEASE_MS))) is not None:
        found.append((claim.action, claim.subjects))
        acknowledge(store, claim)
    return found


def acknowledge(store: Storage, claim: Claim) -> None:
    do(store, lambda tx: store.outbox.acknowledge(tx, "me", claim, delivered=True))


def state(store: Storage, id_: str) -> tuple[bool, bool]:
    row = live(store)[id_]
    return bool(row["read"]), bool(row["dismissed"])


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
        store.notifications.set_state(tx, a, True, None)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        do(store, fail)
    assert do(store, store.outbox.count) == 0
    assert state(store, a) == (False, False)
    with pytest.raises(NotFound):
        do(store, lambda tx: store.notifications.set_state(tx, "nothing", True, None))
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
    # Who lost its claim takes nothing out.
    do(two, lambda tx: two.outbox.acknowledge(tx, "two", rest, delivered=True))
    do(one, lambda tx: one.outbox.acknowledge(tx, "one", rest, delivered=True))
    assert outbox(two) == [("unread", ("0",))]


def test_what_waited_for_another_server_happens_after_it(
    make: Make, path: Path, clock: Clock
) -> None:
    store = make(timings=replace(QUICK, busy_timeout_s=30.0))
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


def test_what_is_done_here_meanwhile_wins_over_an_answer(store: Storage) -> None:
    a, b, c, d = take(store, "a", "b", "c", "d")
    change(store, b, read=True)
    known = do(store, store.remote.snapshot, write=False)
    assert known.pending == {"b"}
    change(store, a, read=True)
    assert outbox(store) == [("read", ("b", "a"))]
    # The service was asked before it was told: its answer is of yesterday.
    do(store, lambda tx: store.remote.apply(tx, known, ["c"], ["a", "b"], ["d"]))
    assert [state(store, id_) for id_ in (a, b, c)] == [(True, False)] * 3
    assert d not in live(store)
    # Asked again it says the same: now it is true.
    known = do(store, store.remote.snapshot, write=False)
    changed = do(store, lambda tx: store.remote.apply(tx, known, ["a"], ["b"], []))
    assert changed == AppliedChanges([], [b], [])
    assert state(store, b) == (False, False)
    # What was done elsewhere is nothing to tell the service.
    assert outbox(store) == []


def test_the_same_message_is_one_row_on_every_server(make: Make) -> None:
    one, two = make(), make()
    (a,) = take(one, "a")
    assert a == remote_id("central", "message", "a", CREATED_MS)
    assert take(two, "a", "b") != [a]
    assert len(live(one)) == 2
    with pytest.raises(NotFound):
        # Only the service can take back what it sent.
        do(two, lambda tx: two.notifications.revoke(tx, a, "queue", any_source=True))


def test_a_message_that_retention_deleted_does_not_come_again(make: Make) -> None:
    store = make(retention=Retention(days=0, count=2))
    take(store, "a", "b", "c", "d")
    do(store, no_operation)
    store.engine.prune()
    known = do(store, store.remote.snapshot, write=False)
    assert set(known.messages) == {"c", "d"}
    assert known.seen == {"a", "b", "c", "d"}
    do(store, lambda tx: store.remote.forget_seen(tx, ["a"]))
    assert do(store, store.remote.snapshot, write=False).seen == {"b", "c", "d"}


def broadcast(remote: str, text: str = "Maintenance", **more: Any) -> dict[str, Any]:
    values = {**PLAIN_OPTIONS, "body": None, "banner": 1, "auto_close": "0"}
    return {"remote": remote, "message": text, **values, **more}


def listing(store: Storage, *items: dict[str, Any]) -> dict[str, list[str]]:
    shown = do(store, store.remote.shown_broadcasts, write=False)
    changed = do(store, lambda tx: store.remote.sync_broadcasts(tx, items, "the platform", shown))
    assert changed is not None
    return changed._asdict()


def shown(store: Storage) -> set[str]:
    return {remote for remote, *_ in do(store, store.remote.shown_broadcasts, write=False)}


def test_broadcasts_follow_their_list(store: Storage, clock: Clock) -> None:
    (a, b) = listing(store, broadcast("b"), broadcast("a"))["created"]
    assert listing(store, broadcast("b"), broadcast("a")) == {"created": [], "revoked": []}
    change(store, a, b, dismissed=True)
    # One that says something else is news; one that left the list is gone.
    changed = listing(store, broadcast("a", "Maintenance, and longer"))
    assert changed == {"created": [a], "revoked": [b]}
    assert state(store, a) == (False, False)
    assert b not in live(store)
    # A service that lost its list for a moment brings back no banner that was closed.
    listing(store, broadcast("b"), broadcast("a", "Maintenance, and longer"))
    assert state(store, b) == (False, True)
    listing(store)
    clock.forward(RETURN_WINDOW_MS / 1000)
    listing(store, broadcast("b"))
    assert state(store, b) == (False, False)
    # A service that keeps the user's state of broadcasts is told of it; Semaphore does not.
    assert outbox(store) == [("broadcast-dismiss", ("a",)), ("broadcast-dismiss", ("b",))]


def test_a_list_of_broadcasts_from_before_another_server_s_is_not_taken(make: Make) -> None:
    one, two = make(), make()
    listing(one, broadcast("a"), broadcast("b", "Until ten"))
    # The slower one asks first; meanwhile one broadcast ends, and the other says something else.
    before = do(two, two.remote.shown_broadcasts, write=False)
    changed = listing(one, broadcast("b", "Until noon"))
    assert [len(ids) for ids in changed.values()] == [1, 1]
    old = [broadcast("a"), broadcast("b", "Until ten")]
    assert do(two, lambda tx: two.remote.sync_broadcasts(tx, old, "the platform", before)) is None
    assert [row["message"] for row in live(two).values()] == ["Until noon"]


def attend(store: Storage, owner: str, *ended: str) -> list[str]:
    return do(store, lambda tx: store.remote.renew_lease(tx, owner, ended))


def test_broadcasts_of_a_service_that_no_server_asks_go(make: Make, clock: Clock) -> None:
    one, two = make(), make("another")
    assert attend(one, "one") == []
    (a,) = listing(one, broadcast("a", dismissable=0))["created"]
    # The other server asks another service, which has nothing to say of this one's.
    assert attend(two, "two") == []
    (b,) = listing(two, broadcast("a", "Of the other"))["created"]
    assert listing(two, broadcast("a", "Of the other")) == {"created": [], "revoked": []}
    assert set(live(one)) == {a, b}
    assert set(do(one, one.remote.pollers, write=False)) == {"one", "two"}
    # A server that is known to have ended asks nothing …
    assert attend(two, "two", "one", "two") == [a]
    assert set(live(two)) == {b}
    # … and neither does one of which nothing is heard; whose clock is wrong is still there.
    clock.forward(ABANDONED_MS / 1000 - 1)
    assert attend(one, "one") == []
    clock.forward(1)
    assert attend(one, "one") == [b]
    clock.forward(-60)
    assert attend(two, "two") == []


def test_a_broadcast_that_nobody_asked_for_a_while_is_the_same_again(
    make: Make, clock: Clock
) -> None:
    one, two = make(), make("another")
    attend(one, "one")
    a, b = listing(one, broadcast("b"), broadcast("a"))["created"]
    change(one, a, dismissed=True)
    clock.forward(ABANDONED_MS / 1000)
    assert set(attend(two, "two")) == {a, b}
    assert shown(one) == set()
    clock.forward(2 * RETURN_WINDOW_MS / 1000)
    # No banner comes back that was closed.
    assert listing(one, broadcast("b"), broadcast("a"))["created"] == [a, b]
    assert shown(one) == {"a", "b"}
    assert [state(one, id_) for id_ in (a, b)] == [(False, True), (False, False)]


def test_what_is_done_in_one_server_is_told_to_the_service_that_another_asks(
    make: Make, clock: Clock
) -> None:
    one, two, none = make(), make("another"), make("")
    attend(one, "one")
    attend(two, "two")
    (a,) = take(one, "a")
    (b,) = take(two, "a")
    change(one, a, b, read=True)
    change(none, b, read=False)
    assert do(none, none.outbox.count, write=False) == 0
    # What waits for the other wins over its list, and its list says nothing of ours.
    known = do(two, two.remote.snapshot, write=False)
    assert known.pending == {"a"} and set(known.messages) == {"a"}
    assert do(two, lambda tx: two.remote.apply(tx, known, ["a"], [], [])).read == []
    assert outbox(two) == [("read", ("a",)), ("unread", ("a",))]
    assert outbox(one) == [("read", ("a",))]
    # Only who asks the service can fetch a text from it, and says so.
    with pytest.raises(Unavailable, match="does not ask"):
        do(one, lambda tx: one.notifications.detail(tx, b), write=False)
    # A service that nobody has asked for very long is forgotten, with what waits for it.
    change(one, b, read=True)
    assert do(two, two.outbox.count, write=False) == 1
    clock.forward(FORGOTTEN_MS / 1000 + 1)
    attend(one, "one")
    assert do(two, two.outbox.count, write=False) == 0
    assert do(two, two.remote.snapshot, write=False).seen == set()
    change(one, b, read=False)
    assert do(two, two.outbox.count, write=False) == 0
    assert do(one, one.remote.snapshot, write=False).seen == {"a"}


def test_memory_knows_which_services_other_servers_ask(make: Make, path: Path) -> None:
    one, two = make(), make("another")
    attend(one, "one")
    (a,) = listing(one, broadcast("a"))["created"]
    with places.locked(path):
        assert attend(two, "two") == []
        assert not two.engine.durable
        assert set(live(two)) == {a}
    do(two, no_operation)
    assert two.engine.durable
    assert set(live(one)) == {a}
    assert set(do(one, one.remote.pollers, write=False)) == {"one", "two"}


def test_a_file_of_the_version_before_loses_nothing(make: Make, path: Path) -> None:
    store = make()
    (a,) = take(store, "a")
    (b,) = listing(store, broadcast("b", dismissable=0))["created"]
    change(store, a, read=True)
    cursor = store.position.cursor
    store.close()
    db = sqlite3.connect(path)
    db.executescript("DROP TABLE askers; PRAGMA user_version = 1;")
    db.close()
    # It may be another server that comes first: the one that has this service comes later.
    other = Storage(path, central="another")
    assert attend(other, "other") == []
    assert (other.engine.durable, other.position.cursor) == (True, cursor)
    other.close()
    again = make()
    assert set(live(again)) == {a, b}
    assert outbox(again) == [("read", ("a",))]
    again.close()
    check_sound(path)


def test_a_live_broadcast_is_not_deleted_for_its_age(make: Make, clock: Clock) -> None:
    store = make(retention=Retention(days=1, count=1))
    (a,) = listing(store, broadcast("a"))["created"]
    change(store, a, dismissed=True)
    clock.forward(3 * 86_400)
    for n in range(5):
        receive(store, f"{n}")
    store.engine.prune()
    assert a in live(store)


def welcome(id_: str, **more: Any) -> dict[str, Any]:
    values = {"aspect": "jupyterlab", "title": id_, "summary": None, "body": "Hello."}
    return {"id": id_, **values, "dismissable": True, "max_views": None, "updated": None, **more}


def offered(store: Storage, *items: dict[str, Any], since_ms: int = 0) -> bool:
    return listed(store, *items, since_ms=since_ms)[0]


def listed(
    store: Storage,
    *items: dict[str, Any],
    since_ms: int = 0,
    doubted: ContradictedDismissals = NOTHING,
) -> tuple[bool, ContradictedDismissals]:
    version = do(store, store.welcome.sync_version, write=False)
    return do(store, lambda tx: store.welcome.sync(tx, version, items, since_ms, doubted))


def insisted(store: Storage, *items: dict[str, Any], since_ms: int = 0) -> None:
    """List what contradicts a dismissal, and once that was not believed, once more."""
    before = due(store)
    taken, doubted = listed(store, *items, since_ms=since_ms)
    assert not taken
    assert due(store) == before
    assert listed(store, *items, since_ms=since_ms, doubted=doubted) == (True, NOTHING)


def due(store: Storage, *, every: bool = False) -> list[str]:
    messages = do(store, lambda tx: store.welcome.messages(tx, every=every), write=False)[
        "messages"
    ]
    return [message["title"] for message in messages]


def ids(store: Storage) -> dict[str, str]:
    messages = do(store, lambda tx: store.welcome.messages(tx, every=True), write=False)["messages"]
    return {message["title"]: message["id"] for message in messages}


def dismiss(store: Storage, title: str) -> None:
    id_ = ids(store)[title]
    do(store, lambda tx: store.welcome.dismiss(tx, [id_]))


def see(store: Storage, title: str) -> None:
    id_ = ids(store)[title]
    do(store, lambda tx: store.welcome.record_views(tx, [id_]))


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
    # It was not told yet, so of course it still lists it.
    assert offered(store, welcome("a"), welcome("b")) is False
    assert due(store) == ["b"]
    outbox(store)
    assert offered(store, welcome("b"))
    assert due(store) == ["b"]
    assert due(store, every=True) == ["a", "b"] or set(due(store, every=True)) == {"a", "b"}
    # Told, and listing it again: it was reset elsewhere.
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
    # Nothing of such a list is taken, and the next may say the contrary.
    assert (taken, len(doubted)) == (False, 1)
    assert listed(store, *fresh, doubted=doubted) == (True, NOTHING)
    assert due(store) == ["b", "c"]
    assert offered(store, *stale) is False
    assert due(store) == ["b", "c"]
    # What was said of one dismissal counts for no other of the same message.
    do(store, store.welcome.reset)
    clock.forward(1)
    dismiss(store, "a")
    outbox(store)
    assert listed(store, *stale, doubted=doubted)[0] is False
    assert due(store) == ["b", "c"]


def test_a_list_from_before_another_server_told_a_reset_is_not_taken(make: Make) -> None:
    one, two = make(), make()
    offered(one, welcome("a"))
    dismiss(one, "a")
    outbox(one)
    do(one, one.welcome.reset)
    claim = do(one, lambda tx: one.outbox.claim(tx, "one", LEASE_MS))
    assert claim is not None and claim.action == "reset"
    # The other server asks before the service was told, and has its answer after that.
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
    # A service should not list it, and if it does all the same, that is no reset.
    news = welcome("b", body="Hello again.", updated_ms=clock.now_ms + 1)
    for _ in range(2):
        assert offered(store, news, since_ms=clock.now_ms)
        assert due(store) == []
    # A new id is a new message.
    offered(store, news, welcome("c"))
    assert due(store) == ["c"]
    # A reset elsewhere brings all of them back: then one is listed that was not updated since.
    insisted(store, news, welcome("c"), welcome("a"))
    assert due(store) == ["b", "c", "a"]


def test_a_reset_elsewhere_also_brings_back_what_was_updated_before_it(
    store: Storage, clock: Clock
) -> None:
    offered(store, welcome("a"))
    dismiss(store, "a")
    outbox(store)
    offered(store)
    # It was not listed for its update, but is now.
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
    do(two, lambda tx: two.remote.renew_lease(tx, "host:1:two", []))
    b = ids(two)["b"]
    do(one, lambda tx: one.welcome.dismiss(tx, [b]))
    assert (outbox(one), outbox(two)) == ([], [("dismiss", ("b",))])
    do(one, lambda tx: one.welcome.dismiss(tx, None))
    assert outbox(one) == outbox(two) == [("dismiss-all", ("",))]
    do(one, one.welcome.reset)
    # Else its next list, without what it still takes for dismissed, would undo that.
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
    # Never any again, and then reset elsewhere: what was dismissed is listed again.
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


def test_memory_goes_on_with_the_outbox_and_brings_it_back(make: Make, path: Path) -> None:
    store = make()
    a, b, c = take(store, "a", "b", "c")
    change(store, a, read=True)
    offered(store, welcome("w"))
    see(store, "w")
    with places.locked(path):
        change(store, b, read=True)
        assert not store.engine.durable
        # What the file had is sent, and what is done now comes after it.
        claim = do(store, lambda tx: store.outbox.claim(tx, "me", LEASE_MS))
        assert claim is not None and claim.subjects == ("a", "b")
        do(store, lambda tx: store.outbox.acknowledge(tx, "me", claim, delivered=True))
        change(store, a, read=False)
        change(store, c, read=True)
        dismiss(store, "w")
        # The service is asked meanwhile, and lists what memory has already.
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
        # The person sees one, and the service says something else of each.
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
        # It knows no better than to show them.
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
    do(other, lambda tx: other.remote.renew_lease(tx, "host:1:other", []))
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
    # What is dismissed after the reset stays so, wherever that is done.
    clock.forward(1)
    offered(other, welcome("new"))
    dismiss(other, "new")
    do(blind, no_operation)
    assert blind.engine.durable
    assert due(blind) == ["a", "g"]
    assert due(other) == ["b", "g"]
    # The file's services are told, too: else their next lists would undo it.
    assert outbox(blind) == [("reset", ("",))]
    assert outbox(other) == [("dismiss", ("new",)), ("reset", ("",))]


def test_a_corrupt_file_leaves_the_outbox_if_that_can_be_read(make: Make, path: Path) -> None:
    store = make()
    (a,) = take(store, "a")
    change(store, a, read=True)
    offered(store, welcome("w"))
    dismiss(store, "w")
    faults = [sqlite3.DatabaseError("database disk image is malformed")]

    def fail_once(tx: Transaction) -> None:
        if faults:
            raise faults.pop()

    do(store, fail_once)
    assert list(path.parent.glob("*.corrupt-*"))
    assert due(store) == []
    assert outbox(store) == [("read", ("a",)), ("dismiss", ("w",))]


def test_a_body_is_kept_once_it_was_fetched(store: Storage) -> None:
    a, b = take(store, "a", "b")
    assert live(store)[a]["hasBody"] and live(store)[b]["hasBody"]
    assert do(store, lambda tx: store.remote.unfetched(tx, a), write=False) == "a"
    seq = store.engine.state.seq
    do(store, lambda tx: store.remote.store_body(tx, a, "# Body"))
    assert store.engine.state.seq == seq
    # That there is none changes what a tab shows.
    do(store, lambda tx: store.remote.store_body(tx, b, None))
    assert store.engine.state.seq == seq + 1
    assert live(store)[a]["hasBody"] and not live(store)[b]["hasBody"]
    assert do(store, lambda tx: store.notifications.detail(tx, a), write=False)["body"] == "# Body"
    assert do(store, lambda tx: store.remote.unfetched(tx, a), write=False) is None
    do(store, lambda tx: store.remote.revoke(tx, a))
    assert a not in live(store)
