"""A central service's broadcasts, as they are stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.exceptions import Unavailable
from jupyterlab_notify.storage import Retention, Storage, no_operation
from jupyterlab_notify.storage.fields import rfc3339
from jupyterlab_notify.storage.leases import ABANDONED_MS, FORGOTTEN_MS
from jupyterlab_notify.storage.remote import RETURN_WINDOW_MS, RemoteState

from ....support import file_faults as places
from ....support.remote import (
    Make,
    broadcast,
    change,
    listing,
    outbox,
    renew_lease,
    shown,
    state,
    take,
)
from ....support.storage import (
    Clock,
    check_counts,
    check_sound,
    do,
    listed,
    live,
    page,
    receive,
    set_back,
)


def test_broadcasts_follow_their_list(store: Storage, clock: Clock) -> None:
    (a, b) = listing(store, broadcast("b"), broadcast("a"))["created"]
    assert listing(store, broadcast("b"), broadcast("a")) == {"created": [], "revoked": []}
    change(store, a, b, dismissed=True)
    # A broadcast with new content counts as new; a broadcast that left the list is gone.
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
    # The slower server asks first. Meanwhile one broadcast ends and the other changes its content.
    before = do(two, two.remote.shown_broadcasts, write=False)
    changed = listing(one, broadcast("b", "Until noon"))
    assert [len(ids) for ids in changed.values()] == [1, 1]
    old = [broadcast("a"), broadcast("b", "Until ten")]
    assert do(two, lambda tx: two.remote.sync_broadcasts(tx, old, "the platform", before)) is None
    assert [row["message"] for row in live(two).values()] == ["Until noon"]


def test_broadcasts_of_a_service_that_no_server_asks_go(make: Make, clock: Clock) -> None:
    one, two = make(), make("another")
    assert renew_lease(one, "one") == []
    (a,) = listing(one, broadcast("a", dismissable=0))["created"]
    # The other server polls another service, whose lists do not concern this service's broadcasts.
    assert renew_lease(two, "two") == []
    (b,) = listing(two, broadcast("a", "Of the other"))["created"]
    assert listing(two, broadcast("a", "Of the other")) == {"created": [], "revoked": []}
    assert set(live(one)) == {a, b}
    assert set(do(one, one.leases.pollers, write=False)) == {"one", "two"}
    # A server that is known to have ended does not poll any more …
    assert renew_lease(two, "two", "one", "two") == [a]
    assert set(live(two)) == {b}
    # … and neither does a server that is silent. A server with a wrong clock still counts.
    clock.forward(ABANDONED_MS / 1000 - 1)
    assert renew_lease(one, "one") == []
    clock.forward(1)
    assert renew_lease(one, "one") == [b]
    clock.forward(-60)
    assert renew_lease(two, "two") == []


def test_a_broadcast_that_nobody_asked_for_a_while_is_the_same_again(
    make: Make, clock: Clock
) -> None:
    one, two = make(), make("another")
    renew_lease(one, "one")
    a, b = listing(one, broadcast("b"), broadcast("a"))["created"]
    change(one, a, dismissed=True)
    clock.forward(ABANDONED_MS / 1000)
    assert set(renew_lease(two, "two")) == {a, b}
    assert shown(one) == set()
    clock.forward(2 * RETURN_WINDOW_MS / 1000)
    # A closed banner does not come back.
    assert listing(one, broadcast("b"), broadcast("a"))["created"] == [a, b]
    assert shown(one) == {"a", "b"}
    assert [state(one, id_) for id_ in (a, b)] == [(False, True), (False, False)]


def test_what_is_done_in_one_server_is_told_to_the_service_that_another_asks(
    make: Make, clock: Clock
) -> None:
    one, two, none = make(), make("another"), make("")
    renew_lease(one, "one")
    renew_lease(two, "two")
    (a,) = take(one, "a")
    (b,) = take(two, "a")
    change(one, a, b, read=True)
    change(none, b, read=False)
    assert do(none, none.outbox.count, write=False) == 0
    # Changes in the outbox win over the list of their service; other services' rows stay as is.
    known = do(two, two.remote.snapshot, write=False)
    assert known.pending == {"a"} and set(known.messages) == {"a"}
    assert do(two, lambda tx: two.remote.apply(tx, known, ["a"], [], [])).read == []
    assert outbox(two) == [("read", ("a",)), ("unread", ("a",))]
    assert outbox(one) == [("read", ("a",))]
    # Only a server that polls the service can fetch a text from it; another server says so.
    with pytest.raises(Unavailable, match="does not use"):
        do(one, lambda tx: one.notifications.detail(tx, b), write=False)
    # A service that no server has polled for very long is forgotten, with its outbox.
    change(one, b, read=True)
    assert do(two, two.outbox.count, write=False) == 1
    clock.forward(FORGOTTEN_MS / 1000 + 1)
    renew_lease(one, "one")
    assert do(two, two.outbox.count, write=False) == 0
    assert do(two, two.remote.snapshot, write=False).seen == set()
    change(one, b, read=False)
    assert do(two, two.outbox.count, write=False) == 0
    assert do(one, one.remote.snapshot, write=False).seen == {"a"}


def test_memory_knows_which_services_other_servers_ask(make: Make, path: Path) -> None:
    one, two = make(), make("another")
    renew_lease(one, "one")
    (a,) = listing(one, broadcast("a"))["created"]
    with places.locked(path):
        assert renew_lease(two, "two") == []
        assert not two.engine.durable
        assert set(live(two)) == {a}
    do(two, no_operation)
    assert two.engine.durable
    assert set(live(one)) == {a}
    assert set(do(one, one.leases.pollers, write=False)) == {"one", "two"}


def test_a_file_of_the_version_before_loses_nothing(make: Make, path: Path) -> None:
    store = make()
    (a,) = take(store, "a")
    (b,) = listing(store, broadcast("b", dismissable=0))["created"]
    change(store, a, read=True)
    cursor = store.position.cursor
    store.close()
    set_back(path, 1)
    # The first server to open the file may poll another service.
    other = Storage(path, central="another")
    assert renew_lease(other, "other") == []
    assert (other.engine.durable, other.position.cursor) == (True, cursor)
    other.close()
    again = make()
    assert set(live(again)) == {a, b}
    assert outbox(again) == [("read", ("a",))]
    again.close()
    check_sound(path)


def test_closing_a_broadcast_dismisses_it_at_its_service(store: Storage) -> None:
    (a, b) = listing(store, broadcast("b"), broadcast("a"))["created"]
    change(store, a, closed=True)
    assert state(store, a) == (True, False)
    assert outbox(store) == [("broadcast-dismiss", ("a",))]
    # The service has the dismissal already. It is told again only when neither state is left.
    change(store, a, dismissed=True)
    change(store, a, closed=False)
    assert outbox(store) == []
    change(store, a, dismissed=False)
    change(store, b, dismissed=True)
    assert outbox(store) == [("broadcast-restore", ("a",)), ("broadcast-dismiss", ("b",))]


def test_a_broadcast_that_was_dismissed_elsewhere_is_closed_here(store: Storage) -> None:
    (a, b) = listing(store, broadcast("b"), broadcast("a"))["created"]

    def mark(remote: str, **what: bool) -> str | None:
        elsewhere = RemoteState(**{"read": False, "dismissed": False, **what})
        return do(store, lambda tx: store.remote.mark(tx, "broadcast", remote, elsewhere))

    assert mark("a", dismissed=True) == a
    assert live(store)[a]["closed"] is not None
    assert state(store, a) == (True, False), "it counts as read, and stays in the inbox"
    assert mark("a", dismissed=True) is None
    assert mark("a", read=True) == a
    assert live(store)[a]["closed"] is None
    # A broadcast that was dismissed here is not closed as well, so that it comes back as it was.
    change(store, b, dismissed=True)
    outbox(store)
    assert mark("b", dismissed=True) is None
    assert (live(store)[b]["closed"], *state(store, b)) == (None, False, True)
    change(store, b, dismissed=False)
    assert outbox(store) == [("broadcast-restore", ("b",))]


def test_what_the_user_knows_of_a_service_is_found_under_done_once_it_expires(
    store: Storage, clock: Clock
) -> None:
    def ends(remote: str, in_s: int) -> dict[str, Any]:
        return broadcast(remote, remote, expires_ms=clock() + 1000 * in_s)

    items = [ends("read", 10), ends("unread", 10), ends("early", 30), ends("revoked", 3600)]
    names = ("revoked", "early", "unread", "read")
    ids = dict(zip(names, listing(store, *items)["created"], strict=True))
    change(store, *(ids[name] for name in ("read", "early", "revoked")), read=True)
    outbox(store)
    clock.forward(10)
    # With its clock behind, a service still lists an expired broadcast; with its clock ahead, it no
    # longer lists one that is about to expire.
    listing(store, items[0], items[1])
    done = {row["message"]: row for row in listed(store, view="dismissed")}
    assert {name: row["ended"] for name, row in done.items()} == dict.fromkeys(
        ("read", "early"), rfc3339(clock())
    )
    assert page(store) == []
    # The row is now the user's own: changes to it are not sent to the service.
    listing(store)
    assert page(store, view="dismissed") == ["read", "early"]
    change(store, ids["read"], dismissed=False)
    assert outbox(store) == []
    assert page(store) == ["read"]
    # If the service prolongs the broadcast, it is shown as new.
    listing(store, ends("read", 60))
    (row,) = listed(store)
    assert (row["id"], row["ended"], row["read"]) == (ids["read"], None, None)
    check_counts(store)


def test_a_live_broadcast_is_not_deleted_for_its_age(make: Make, clock: Clock) -> None:
    store = make(retention=Retention(days=1, count=1, always=0))
    (a,) = listing(store, broadcast("a"))["created"]
    change(store, a, dismissed=True)
    over = broadcast("over", expires_ms=clock() + 1000)
    (b,) = listing(store, broadcast("a"), over)["created"]
    change(store, b, read=True)
    clock.forward(3 * 86_400)
    for n in range(5):
        receive(store, f"{n}")
    store.engine.prune()
    # A broadcast that has expired is deleted.
    assert a in live(store) and b not in live(store)
