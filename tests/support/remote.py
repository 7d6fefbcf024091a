"""Rows of a central service that tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyterlab_notify.storage import StateChange, Storage
from jupyterlab_notify.storage.outbox import Claim
from jupyterlab_notify.storage.remote import PLAIN_OPTIONS
from jupyterlab_notify.storage.welcome import ContradictedDismissals

from ..support.storage import do, live

Make = Callable[..., Storage]


LEASE_MS = 60_000


NOTHING = ContradictedDismissals()


#: A little before the tests' clock.
CREATED_MS = 1_799_999_000_000


def take(store: Storage, *remotes: str) -> list[str]:
    items = [
        {
            **PLAIN_OPTIONS,
            "remote": r,
            "message": f"message {r}",
            "created_ms": CREATED_MS,
            "updated_ms": None,
            "body": None,
            "fetched": 0,
        }
        for r in remotes
    ]
    return do(store, lambda tx: store.remote.add(tx, items, "the platform"))


def change(store: Storage, *ids: str, **state: Any) -> None:
    do(store, lambda tx: store.notifications.set_states(tx, StateChange(**state), ids=list(ids)))


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


def renew_lease(store: Storage, owner: str, *ended: str) -> list[str]:
    return do(store, lambda tx: store.leases.renew(tx, owner, ended))


def welcome(id_: str, **more: Any) -> dict[str, Any]:
    values = {"aspect": "jupyterlab", "title": id_, "summary": None, "body": "Hello."}
    return {"id": id_, **values, "dismissable": True, "max_views": None, "updated": None, **more}


def offered(store: Storage, *items: dict[str, Any], since_ms: int = 0) -> bool:
    return listed(store, *items, since_ms=since_ms)[0]


def listed(
    store: Storage,
    *items: dict[str, Any],
    since_ms: int = 0,
    doubted: ContradictedDismissals | None = NOTHING,
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
