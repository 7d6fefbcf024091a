"""The promise that a tab shows what the store has, whatever happens and in whatever order."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jupyterlab_notify.broadcaster import Subscription
from jupyterlab_notify.exceptions import NotifyError
from jupyterlab_notify.manager import NotificationManager, Received
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import (
    Cursor,
    Operation,
    Retention,
    StateChange,
    Storage,
    Transaction,
    no_operation,
)
from jupyterlab_notify.storage import notifications as notifications_module
from jupyterlab_notify.storage.notifications import Query
from jupyterlab_notify.timings import StorageTimings, Timings

from ..support.storage import Clock, check_sound, do, message
from ..support.tab import Tab

T = TypeVar("T")

TYPES = ("info", "warning", "error", "in-progress")
#: Small bounds, so that a few steps reach each of them.
BOUNDS = {
    "SNAPSHOT_ROWS": 6,
    "PINNED_ROWS": 3,
    "MAX_CHANGES": 8,
}
TIMINGS = StorageTimings(
    busy_timeout_s=0.02,
    retry_timeout_s=0.01,
    # ``unblock_the_database`` makes the store try the file again, once it is known to work.
    heal_interval_s=3600.0,
)
KEYS = st.sampled_from((None, None, "a", "b"))
LIFETIMES = st.sampled_from((None, None, None, -1, 30, 300))
STATES = st.sampled_from(
    (
        StateChange(read=True),
        StateChange(read=False),
        StateChange(closed=True),
        StateChange(closed=False),
        StateChange(dismissed=True),
        StateChange(dismissed=False),
        StateChange(read=True, dismissed=True),
    )
)


class Tabs(RuleBasedStateMachine):
    """One manager, another server on the same file, and up to four tabs."""

    @initialize(count=st.sampled_from((0, 12)))
    def start(self, count: int) -> None:
        self.loop = asyncio.new_event_loop()
        # Keep the file in memory if possible: this test is not about disks.
        memory = Path("/dev/shm")
        folder = tempfile.mkdtemp("", "jupyterlab_notify_", memory if memory.is_dir() else None)
        self.folder = Path(folder)
        self.path = self.folder / "notify" / "notifications.sqlite"
        self.clock = Clock()
        retention = Retention(days=1, count=count, always=0)
        storage = Storage(
            self.path,
            retention=retention,
            clock=self.clock,
            monotonic=lambda: self.clock() / 1000,
            timings=TIMINGS,
        )
        # Do not watch the store by time: the invariant does so at known moments.
        self.manager = NotificationManager(storage, timings=Timings(watch_interval_s=3600.0))
        self.other = Storage(
            self.path,
            retention=retention,
            clock=self.clock,
            monotonic=lambda: self.clock() / 1000,
            timings=TIMINGS,
        )
        self.tabs: list[tuple[Tab, Subscription | None]] = []
        self.ids: list[str] = []
        self.acknowledged: set[str] = set()
        self.undo: tuple[tuple[int, int], Cursor | None] | None = None
        self.lock: sqlite3.Connection | None = None
        self.wait(self.manager.status("1"))

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        self.unlock()
        for number in range(len(self.tabs)):
            self.disconnect(number)
        self.wait(self.manager.stop())
        self.other.close()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        if self.path.exists():
            check_sound(self.path)
        shutil.rmtree(self.folder)

    def wait(self, what: Awaitable[T]) -> T:
        async def waiting() -> T:
            return await what

        return self.loop.run_until_complete(asyncio.wait_for(waiting(), 20))

    # Senders

    def message_of(self, number: int, key: str | None, lifetime_s: int | None) -> IngestMessage:
        expires = None
        if lifetime_s is not None:
            expires = datetime.fromtimestamp(self.clock() / 1000 + lifetime_s, timezone.utc)
        return IngestMessage(
            message=f"message {number}",
            key=key,
            type=TYPES[number % 4],  # type: ignore[arg-type]
            expiresAt=expires,
            banner=number == 5,
            dismissable=number != 6,
            autoClose=False if number == 7 else None,
        )

    @rule(
        numbers=st.lists(st.integers(0, 9), min_size=1, max_size=4),
        key=KEYS,
        lifetime=LIFETIMES,
    )
    def ingest(self, numbers: list[int], key: str | None, lifetime: int | None) -> None:
        sent = [self.message_of(number, key, lifetime) for number in numbers]

        async def together() -> list[Received]:
            return await asyncio.gather(*(self.manager.receive(m, "queue") for m in sent))

        received = self.wait(together())
        self.ids += [each.id for each in received]
        if lifetime is None or lifetime > 0:
            self.acknowledged |= {each.id for each in received}
        else:
            # The message may have replaced an earlier one and has expired already.
            self.acknowledged -= {each.id for each in received}

    @rule(which=st.integers(0, 99), by_key=st.booleans())
    def revoke(self, which: int, by_key: bool) -> None:
        name = "a" if by_key or not self.ids else self.ids[which % len(self.ids)]
        with suppress(NotifyError):
            revoked = self.wait(self.manager.revoke(name, "queue"))
            self.acknowledged.discard(revoked.id)

    @rule(seconds=st.sampled_from((1, 40, 400, 90_000, -60)))
    def pass_time(self, seconds: int) -> None:
        self.clock.forward(seconds)
        # A message may have expired.
        self.acknowledged.clear()

    # The user

    @precondition(lambda self: self.ids)
    @rule(which=st.integers(0, 99), state=STATES)
    def change_one(self, which: int, state: StateChange) -> None:
        id_ = self.ids[which % len(self.ids)]
        with suppress(NotifyError):
            self.wait(self.manager.set_state(id_, state))

    @rule(state=STATES, some=st.none() | st.lists(st.integers(0, 99), min_size=1, max_size=9))
    def change_many(self, state: StateChange, some: list[int] | None) -> None:
        ids = None
        if some is not None and self.ids:
            ids = [self.ids[n % len(self.ids)] for n in some]
        changed = self.wait(self.manager.set_states(state, ids=ids))
        self.undo = changed["seqs"] and (tuple(changed["seqs"]), Cursor.parse(changed["cursor"]))

    @precondition(lambda self: self.undo)
    @rule(state=STATES)
    def undo_it(self, state: StateChange) -> None:
        assert self.undo
        (seqs, cursor), self.undo = self.undo, None
        with suppress(NotifyError):
            self.wait(self.manager.set_states(state, seqs=seqs, up_to=cursor))

    # The file

    @precondition(lambda self: self.lock is None)
    @rule(number=st.integers(0, 9), key=KEYS, count=st.integers(1, 10))
    def another_server_takes_in(self, number: int, key: str | None, count: int) -> None:
        rows = [message(f"other {number}", key=key, type=TYPES[number % 4]) for _ in range(count)]
        calls: list[tuple[Operation[Any], bool]] = [
            (lambda tx, row=row: self.other.notifications.add(tx, row), True)  # type: ignore[misc]  # no type of a default
            for row in rows
        ]
        results = self.other.run(calls)
        assert self.other.engine.durable
        self.ids += [id_ for id_, *_ in results]
        self.acknowledged |= {id_ for id_, *_ in results}

    @precondition(lambda self: self.lock is None)
    @rule(state=STATES)
    def another_server_changes_all(self, state: StateChange) -> None:
        do(
            self.other,
            lambda tx: self.other.notifications.set_states(tx, state),
        )

    @rule()
    def prune(self) -> None:
        self.manager.storage.maintenance.prune_soon()
        self.ingest([0], None, None)

    @precondition(lambda self: self.lock is None)
    @rule()
    def delete_the_database(self) -> None:
        for file in self.path.parent.iterdir():
            file.unlink()
        self.acknowledged.clear()

    @precondition(lambda self: self.lock is None and self.path.exists())
    @rule()
    def block_the_database(self) -> None:
        # First let the other server notice what has happened to its file.
        do(self.other, no_operation)
        self.lock = sqlite3.connect(self.path, timeout=5, isolation_level=None)
        self.lock.execute("BEGIN EXCLUSIVE")

    @precondition(lambda self: self.lock is not None)
    @rule()
    def unblock_the_database(self) -> None:
        self.unlock()

    def unlock(self) -> None:
        if self.lock is not None:
            self.lock.execute("ROLLBACK")
            self.lock.close()
            self.lock = None
            self.manager.storage.engine._heal_at = 0.0

    # Tabs

    @precondition(lambda self: len(self.tabs) < 4)
    @rule()
    def connect(self) -> None:
        tab = Tab()
        self.tabs.append((tab, self.open(tab)))

    def open(self, tab: Tab) -> Subscription:
        async def opening() -> Subscription:
            return self.manager.open(tab, tab.cursor)

        tab.connected = True
        tab.awake.set()
        return self.wait(opening())

    @precondition(lambda self: self.tabs)
    @rule(which=st.integers(0, 3))
    def disconnect(self, which: int) -> None:
        tab, stream = self.tabs[which % len(self.tabs)]
        if stream is not None:
            tab.close()
            tab.awake.set()
            self.loop.call_soon(self.manager.close, stream)
            self.wait(asyncio.sleep(0))
            self.tabs[which % len(self.tabs)] = (tab, None)

    @precondition(lambda self: self.tabs)
    @rule(which=st.integers(0, 3))
    def reconnect(self, which: int) -> None:
        tab, stream = self.tabs[which % len(self.tabs)]
        if stream is None:
            self.tabs[which % len(self.tabs)] = (tab, self.open(tab))

    @precondition(lambda self: self.tabs)
    @rule(which=st.integers(0, 3))
    def fall_asleep(self, which: int) -> None:
        self.tabs[which % len(self.tabs)][0].awake.clear()

    @precondition(lambda self: self.tabs)
    @rule(which=st.integers(0, 3))
    def wake_up(self, which: int) -> None:
        self.tabs[which % len(self.tabs)][0].awake.set()

    # Invariants

    def stored(self) -> dict[str, dict[str, Any]]:
        store = self.manager.storage

        def call(tx: Transaction) -> dict[str, dict[str, Any]]:
            pages = (
                store.notifications.page(tx, Query(view=v, limit=100_000))
                for v in ("inbox", "dismissed")
            )
            return {row["id"]: row for page in pages for row in page["notifications"]}

        return self.wait(self.manager._worker.submit(call, write=False))

    @invariant()
    def every_tab_shows_what_the_store_has(self) -> None:
        stored = self.stored()
        # Look a second time, as the watch does: by then tabs know what the first look has found.
        assert self.stored() == stored
        head = self.manager.storage.position.cursor
        for tab, stream in self.tabs:
            if stream is None or not tab.awake.is_set():
                continue
            self.wait(tab.until(lambda tab, head=head: tab.cursor == head))  # type: ignore[misc]  # no type of a default
            assert tab.connected
            tab.check_against(stored)
            assert tab.durable is self.manager.storage.engine.durable
        if (
            self.manager.storage.engine.state.pruned == 0
            and not self.manager.storage.retention.count
        ):
            assert self.acknowledged <= set(stored)


@pytest.mark.timeout(300)
def test_a_tab_always_shows_what_the_store_has(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in BOUNDS.items():
        monkeypatch.setattr(notifications_module, name, value)
    caplog.set_level(logging.ERROR, "jupyterlab_notify")
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Tabs,
        settings=settings(
            max_examples=100,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
