"""A central service's messages, as they are stored."""

from __future__ import annotations

import pytest

from jupyterlab_notify.exceptions import NotFound, Unavailable
from jupyterlab_notify.storage import Retention, Storage, no_operation
from jupyterlab_notify.storage.ids import remote_id
from jupyterlab_notify.storage.remote import (
    AppliedChanges,
)
from jupyterlab_notify.storage.transaction import Transaction

from ....support.remote import (
    CREATED_MS,
    Make,
    change,
    outbox,
    state,
    take,
)
from ....support.storage import Clock, do, listed, live


def test_what_is_done_here_meanwhile_wins_over_an_answer(store: Storage) -> None:
    a, b, c, d = take(store, "a", "b", "c", "d")
    change(store, b, read=True)
    known = do(store, store.remote.snapshot, write=False)
    assert known.pending == {"b"}
    change(store, a, read=True)
    assert outbox(store) == [("read", ("b", "a"))]
    # The service was asked before it got the actions, so its answer is outdated.
    do(store, lambda tx: store.remote.apply(tx, known, ["c"], ["a", "b"], ["d"]))
    assert [state(store, id_) for id_ in (a, b, c)] == [(True, False)] * 3
    assert d not in live(store)
    # The same answer to a later request counts.
    known = do(store, store.remote.snapshot, write=False)
    changed = do(store, lambda tx: store.remote.apply(tx, known, ["a"], ["b"], []))
    assert changed == AppliedChanges([], [b], [], [], [])
    assert state(store, b) == (False, False)
    # Changes made elsewhere are not told to the service.
    assert outbox(store) == []


def test_the_same_message_is_one_row_on_every_server(make: Make) -> None:
    one, two = make(), make()
    (a,) = take(one, "a")
    assert a == remote_id("central", "message", "a", CREATED_MS)
    assert take(two, "a", "b") != [a]
    assert len(live(one)) == 2
    with pytest.raises(NotFound):
        # Only the service can take back what it sent.
        do(two, lambda tx: two.notifications.revoke(tx, a, "queue"))


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


def test_a_body_is_kept_once_it_was_fetched(store: Storage) -> None:
    a, b = take(store, "a", "b")
    assert live(store)[a]["hasBody"] and live(store)[b]["hasBody"]
    assert do(store, lambda tx: store.remote.unfetched(tx, a), write=False) == "a"
    seq = store.engine.state.seq
    do(store, lambda tx: store.remote.store_body(tx, a, "# Body"))
    assert store.engine.state.seq == seq
    # A missing body changes what a tab shows.
    do(store, lambda tx: store.remote.store_body(tx, b, None))
    assert store.engine.state.seq == seq + 1
    assert live(store)[a]["hasBody"] and not live(store)[b]["hasBody"]
    assert do(store, lambda tx: store.notifications.detail(tx, a), write=False)["body"] == "# Body"
    assert do(store, lambda tx: store.remote.unfetched(tx, a), write=False) is None
    do(store, lambda tx: store.remote.revoke(tx, a))
    assert a not in live(store)


def test_the_text_of_one_that_expired_unopened_is_said_to_be_gone(
    store: Storage, clock: Clock
) -> None:
    opened, unopened = take(store, "opened", "unopened")
    do(store, lambda tx: store.remote.store_body(tx, opened, "Its text."))
    for id_ in (opened, unopened):
        do(store, lambda tx, id_=id_: ends_soon(tx, id_))
    change(store, opened, unopened, read=True)
    clock.forward(60)
    detail = store.notifications.detail
    assert do(store, lambda tx: detail(tx, opened))["body"] == "Its text."
    # The row claims to have a body, so that opening it explains why there is none.
    (row,) = [row for row in listed(store, view="dismissed") if row["id"] == unopened]
    assert (row["hasBody"], row["ended"] is not None) == (True, True)
    with pytest.raises(Unavailable, match="expired before its text was fetched"):
        do(store, lambda tx: detail(tx, unopened))
    # No service is asked for it any more.
    assert do(store, lambda tx: store.remote.unfetched(tx, unopened), False) is None


def ends_soon(transaction: Transaction, id_: str) -> None:
    transaction.execute(
        "UPDATE notifications SET expires_ms = ? WHERE id = ?", (transaction.now_ms + 1000, id_)
    )
