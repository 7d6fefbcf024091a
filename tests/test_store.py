"""What the store promises, on real SQLite files."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.exceptions import Conflict, NotFound, Unavailable
from jupyterlab_notify.manager import NotificationManager
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import (
    Cursor,
    InsertNotification,
    Query,
    Retention,
    Storage,
    Transaction,
    connection,
    database_file,
    new_id,
    no_operation,
    schema,
)
from jupyterlab_notify.storage import notifications as notifications_module
from jupyterlab_notify.storage.database_file import file_system
from jupyterlab_notify.storage.fields import SELECT
from jupyterlab_notify.storage.maintenance import TOMBSTONE_MS
from jupyterlab_notify.storage.notifications import (
    MAX_CHANGES,
    PINNED_ROWS,
    RETRY_WINDOW_MS,
    SNAPSHOT_ROWS,
    Stored,
)
from jupyterlab_notify.storage.state import ACTIVE, DISMISSED, INBOX, PINNED, UNREAD
from jupyterlab_notify.timings import StorageTimings

from . import places
from .messages import Clock, check_sound, counted, do, live, message, receive, set_timings, status
from .tab import Tab

Make = Callable[..., Storage]
SECOND_LOOK_MS = StorageTimings().second_look_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notify" / "notifications.sqlite"


@pytest.fixture
def make(path: Path, clock: Clock) -> Iterator[Make]:
    made: list[Storage] = []

    def _make(**options: Any) -> Storage:
        store = Storage(options.pop("path", path), clock=clock, **options)
        made.append(store)
        return store

    yield _make
    for store in made:
        store.close()


@pytest.fixture
def store(make: Make) -> Storage:
    return make()


def page(store: Storage, **query: Any) -> list[str]:
    rows = do(store, lambda tx: store.notifications.page(tx, Query(**query)), write=False)[
        "notifications"
    ]
    return [row["message"] for row in rows]


def detail(store: Storage, id_: str) -> dict[str, Any]:
    return do(store, lambda tx: store.notifications.detail(tx, id_), write=False)


def change(
    store: Storage, id_: str, read: bool | None = None, dismissed: bool | None = None
) -> Any:
    return do(store, lambda tx: store.notifications.set_state(tx, id_, read, dismissed))


def change_many(
    store: Storage, read: bool | None = None, dismissed: bool | None = None, **which: Any
) -> Any:
    return do(
        store,
        lambda tx: store.notifications.set_states(tx, read=read, dismissed=dismissed, **which),
    )


def revoke(store: Storage, name: str, source: str = "queue", any_source: bool = True) -> Any:
    return do(store, lambda tx: store.notifications.revoke(tx, name, source, any_source=any_source))


def frame(store: Storage, since: Cursor | None) -> dict[str, Any]:
    return do(store, lambda tx: store.notifications.frame(tx, since), write=False)


def raw(store: Storage, sql: str) -> list[Any]:
    db = sqlite3.connect(str(store.engine.path))
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def check_counts(store: Storage) -> None:
    db = sqlite3.connect(str(store.engine.path))
    try:
        columns = "inbox, unread, dismissed, tombstones"
        assert list(db.execute(f"SELECT {columns} FROM state").fetchone()) == counted(db)
    finally:
        db.close()


# Receiving


def test_a_message_has_the_next_seq_and_all_that_was_sent(store: Storage) -> None:
    first = receive(store, "one")
    id_ = receive(
        store,
        "two",
        type="error",
        markdown=1,
        body="**Why**",
        auto_close="false",
        actions='[{"label":"Open"}]',
        banner=1,
        dismissable=0,
        data='{"job":7}',
    )
    row = detail(store, id_)
    assert row["seq"] == row["position"] == detail(store, first)["seq"] + 1
    assert (row["message"], row["type"], row["body"]) == ("two", "error", "**Why**")
    assert row["markdown"] is row["banner"] is row["hasBody"] is True
    assert row["autoClose"] is row["dismissable"] is False
    assert row["actions"] == [{"label": "Open"}]
    assert row["data"] == {"job": 7}
    assert row["created"] == row["updated"] == "2027-01-15T08:00:00.000Z"
    assert row["read"] is row["dismissed"] is row["revoked"] is row["expired"] is None


def test_the_same_message_stored_twice_is_there_once(store: Storage) -> None:
    row = message("once")
    first = do(store, lambda tx: store.notifications.add(tx, row))
    assert do(store, lambda tx: store.notifications.add(tx, row)) == first
    assert page(store) == ["once"]


def test_the_same_key_replaces_and_asks_for_attention_again(store: Storage, clock: Clock) -> None:
    id_ = receive(store, "down", key="outage")
    receive(store, "other")
    change(store, id_, read=True, dismissed=True)
    clock.forward(5)
    assert receive(store, "up again", key="outage") == id_
    row = detail(store, id_)
    assert row["message"] == "up again"
    assert row["position"] == row["seq"] == store.engine.state.seq
    assert row["read"] is row["dismissed"] is None
    assert row["created"] < row["updated"]
    assert page(store) == ["up again", "other"]


def test_a_key_belongs_to_its_source(store: Storage) -> None:
    assert receive(store, key="k") != receive(store, key="k", source="hub")
    assert len(live(store)) == 2


def test_a_progress_moves_without_asking_for_attention(store: Storage) -> None:
    id_ = receive(store, "0 %", key="job", type="in-progress", progress=0.0)
    before = detail(store, id_)
    change(store, id_, read=True)
    receive(store, "50 %", key="job", type="in-progress", progress=0.5)
    moved = detail(store, id_)
    assert moved["progress"] == 0.5
    assert moved["seq"] > before["seq"]
    assert moved["position"] == before["position"]
    assert moved["read"] is not None
    receive(store, "done", key="job", type="success")
    assert detail(store, id_)["position"] == store.engine.state.seq
    assert detail(store, id_)["read"] is None


def test_a_retry_of_a_keyed_message_changes_nothing(store: Storage, clock: Clock) -> None:
    id_ = receive(store, key="k")
    seq = store.engine.state.seq
    change(store, id_, dismissed=True)
    clock.forward(RETRY_WINDOW_MS / 1000 - 1)
    assert receive(store, key="k") == id_
    assert store.engine.state.seq == seq + 1
    assert detail(store, id_)["dismissed"] is not None
    clock.forward(2)
    receive(store, key="k")
    assert detail(store, id_)["dismissed"] is None, "said again later, it is news"
    change(store, id_, dismissed=True)
    clock.forward(-RETRY_WINDOW_MS / 1000)
    receive(store, key="k")
    assert detail(store, id_)["dismissed"] is None, "and so it is after the clock was set back"


def test_a_retry_with_a_new_time_to_live_moves_only_that(store: Storage, clock: Clock) -> None:
    id_ = receive(store, key="k", expires_ms=clock() + 60_000)
    change(store, id_, read=True)
    clock.forward(5)
    receive(store, key="k", expires_ms=clock() + 60_000)
    row = detail(store, id_)
    assert row["read"] is not None
    assert row["expiresAt"] == "2027-01-15T08:01:05.000Z"


# Revoking and expiring


def test_a_tombstone_holds_no_content_and_is_in_no_list(store: Storage) -> None:
    id_ = receive(store, "secret", key="k", body="secret", data='"secret"', actions='["secret"]')
    cursor = store.position.cursor
    assert revoke(store, "k") == (id_, store.engine.state.seq, True)
    assert live(store) == {}
    with pytest.raises(NotFound):
        detail(store, id_)
    with pytest.raises(NotFound):
        change(store, id_, read=True)
    with pytest.raises(NotFound):
        revoke(store, id_)
    assert "secret" not in str(raw(store, "SELECT * FROM notifications"))
    (row,) = frame(store, cursor)["notifications"]
    assert (row["id"], row["message"], row["key"]) == (id_, "", None)
    assert row["revoked"] is not None
    assert receive(store, key="k") != id_, "its key is free again"


def test_revoking_by_key_means_ones_own_first_and_never_guesses(store: Storage) -> None:
    own, other = receive(store, key="k"), receive(store, key="k", source="hub")
    third = receive(store, key="k", source="quota")
    with pytest.raises(Conflict):
        revoke(store, "k", source="nobody")
    with pytest.raises(NotFound):
        revoke(store, "k", source="nobody", any_source=False)
    revoke(store, "k", source="queue")
    revoke(store, third)
    revoke(store, "k", source="nobody")
    assert {own, other, third} & set(live(store)) == set()


def test_what_expires_leaves_lists_and_tells_tabs(store: Storage, clock: Clock) -> None:
    id_ = receive(store, "soon", body="text", expires_ms=clock() + 1000)
    receive(store, "later", expires_ms=clock() + 5000)
    cursor = store.position.cursor
    clock.forward(0.999)
    assert page(store) == ["later", "soon"]
    clock.forward(0.001)
    assert page(store) == ["later"]
    (row,) = frame(store, cursor)["notifications"]
    assert row["id"] == id_
    assert row["expired"] == "2027-01-15T08:00:01.000Z"
    assert row["message"] == ""
    check_counts(store)


async def test_the_first_and_the_last_moment_that_can_be_told_are_no_fault_of_the_file(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manager = NotificationManager(Storage(path))
    ends = (
        *("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-12:00"),
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+12:00"),
    )
    for end in ends:
        message = IngestMessage.model_validate({"message": end, "expiresAt": end})
        assert (await manager.receive(message, "queue")).durable
    rows = json.loads(await manager.page(Query()))["notifications"]
    assert [row["message"] for row in rows] == [ends[1], ends[0]]
    assert {row["expiresAt"] for row in rows} == {"9999-12-31T23:59:59.999Z"}
    await manager.stop()
    assert not caplog.records
    assert len(list(path.parent.iterdir())) == 1


def test_a_clock_that_jumps_back_brings_nothing_back(store: Storage, clock: Clock) -> None:
    receive(store, "gone", expires_ms=clock() + 1000)
    clock.forward(3600)
    assert page(store) == []
    clock.forward(-7200)
    receive(store, "stays", expires_ms=clock() + 10_800_000)
    assert page(store) == ["stays"]


def test_what_comes_in_expired_is_not_shown(store: Storage, clock: Clock) -> None:
    receive(store, "late", key="k", expires_ms=clock() - 1)
    receive(store, "alive", key="k")
    assert page(store) == ["alive"]
    receive(store, "late again", key="k", expires_ms=clock() - 1)
    assert page(store) == []
    check_counts(store)


# Senders that die


def progress_of(store: Storage, clock: Clock, text: str = "Training", **columns: Any) -> str:
    columns = {"key": "k", "type": "in-progress", "interrupt_ms": clock() + 30_000, **columns}
    return receive(store, text, **columns)


def give_up(store: Storage, clock: Clock, seconds: float) -> None:
    """Let time pass, and then as much as makes sure that a sender is silent."""
    clock.forward(seconds)
    do(store, no_operation, write=False)
    clock.forward(SECOND_LOOK_MS / 1000)
    do(store, no_operation, write=False)


def test_a_progress_that_nobody_renews_says_that_it_was_interrupted(
    store: Storage, clock: Clock
) -> None:
    id_ = progress_of(store, clock, progress=0.4)
    receive(store, "other")
    change(store, id_, dismissed=True)
    cursor = store.position.cursor
    clock.forward(29.9)
    assert detail(store, id_)["type"] == "in-progress"
    give_up(store, clock, 0.1)
    row = detail(store, id_)
    assert (row["type"], row["message"], row["progress"]) == (
        "warning",
        "Training (interrupted)",
        None,
    )
    assert row["dismissed"] is None, "it is news"
    assert page(store) == ["Training (interrupted)", "other"]
    assert [each["id"] for each in frame(store, cursor)["notifications"]] == [id_]
    seq = store.engine.state.seq
    clock.forward(3600)
    assert page(store) == ["Training (interrupted)", "other"]
    assert store.engine.state.seq == seq, "said once"
    check_counts(store)


def test_the_same_message_again_keeps_a_progress_alive_and_tells_no_tab(
    store: Storage, clock: Clock
) -> None:
    id_ = progress_of(store, clock, progress=0.4)
    seq = store.engine.state.seq
    for _ in range(100):
        clock.forward(20)
        assert progress_of(store, clock, progress=0.4) == id_
        assert page(store) == ["Training"]
    assert store.engine.state.seq == seq
    give_up(store, clock, 31)
    assert page(store) == ["Training (interrupted)"]


def test_a_beat_that_waited_for_a_hung_store_came_in_time(store: Storage, clock: Clock) -> None:
    id_ = progress_of(store, clock)
    cursor = store.position.cursor
    clock.forward(29)
    beat = message("Training", key="k", type="in-progress", interrupt_ms=clock() + 30_000)
    clock.forward(5)
    do(store, no_operation, write=False)
    clock.forward(20)
    # Both waited for the thread, and share a batch now.
    store.run([(no_operation, False), (InsertNotification(store.notifications, beat), True)])
    assert detail(store, id_)["type"] == "in-progress"
    assert store.position.cursor == cursor, "no tab was told of an end"


def test_a_server_with_another_clock_interrupts_nobody_who_lives(make: Make, clock: Clock) -> None:
    """Two servers of one home directory, the other some minutes ahead."""
    store, theirs = make(), Clock(clock() + 300_000)
    other = Storage(store.engine.path, clock=theirs)
    id_ = progress_of(store, clock)
    seq = store.engine.state.seq
    for _ in range(12):
        for _ in range(10):
            for each in (clock, theirs):
                each.forward(1)
            do(other, no_operation, write=False)
        assert progress_of(store, clock) == id_
    assert store.engine.state.seq == seq
    for _ in range(20):
        theirs.forward(1)
        do(other, no_operation, write=False)
    assert page(other) == ["Training (interrupted)"], "then it was silent"
    other.close()


def test_a_sender_that_wakes_up_goes_on_and_its_end_is_its_own(
    store: Storage, clock: Clock
) -> None:
    id_ = progress_of(store, clock)
    give_up(store, clock, 60)
    assert page(store) == ["Training (interrupted)"]
    assert progress_of(store, clock) == id_
    assert page(store) == ["Training"]
    receive(store, "Trained", key="k", type="success")
    clock.forward(3600)
    assert page(store) == ["Trained"]


# What the person does


def test_reading_and_dismissing_keep_the_first_time(store: Storage, clock: Clock) -> None:
    id_ = receive(store)
    change(store, id_, read=True)
    read = detail(store, id_)["read"]
    clock.forward(60)
    assert change(store, id_, read=True)["changed"] == 0
    change(store, id_, read=True, dismissed=True)
    row = detail(store, id_)
    assert (row["read"], row["dismissed"]) == (read, "2027-01-15T08:01:00.000Z")
    change(store, id_, read=False, dismissed=False)
    row = detail(store, id_)
    assert (row["read"], row["dismissed"]) == (None, None)
    check_counts(store)


def test_what_its_sender_keeps_cannot_be_dismissed(store: Storage) -> None:
    kept, free = receive(store, dismissable=0), receive(store)
    with pytest.raises(Conflict):
        change(store, kept, dismissed=True)
    assert change_many(store, ids=[kept, free, "unknown"], dismissed=True)["changed"] == 1
    assert change_many(store, dismissed=True)["changed"] == 0
    assert detail(store, kept)["dismissed"] is None
    # It can still be read, also by who wants to do both.
    assert change_many(store, read=True, dismissed=True)["changed"] == 1
    assert detail(store, kept)["read"] is not None
    assert detail(store, kept)["dismissed"] is None


def test_a_change_of_all_is_undone_exactly(store: Storage) -> None:
    ids = [receive(store, str(n)) for n in range(6)]
    change(store, ids[0], read=True)
    change(store, ids[1], dismissed=True)
    answer = change_many(store, read=True)
    assert answer["changed"] == 4
    assert answer["cursor"] == str(store.position.cursor)
    later = receive(store, "later")
    change(store, ids[2], dismissed=True)
    undone = change_many(store, seqs=tuple(answer["seqs"]), read=False)
    assert undone["changed"] == 3
    rows = live(store)
    assert rows[ids[0]]["read"] is not None, "it had been read before"
    assert rows[ids[2]]["read"] is not None, "it was changed since"
    assert all(rows[id_]["read"] is None for id_ in (ids[1], *ids[3:], later))
    check_counts(store)


def test_undo_spares_the_rows_that_have_those_numbers_in_memory(
    store: Storage, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_timings(store, busy_timeout_s=0.1)
    for n in range(3):
        receive(store, str(n))
    answer = change_many(store, read=True)
    first, last = answer["seqs"]
    with places.locked(path):
        other = receive(store, "other")
        change(store, other, read=True)
        assert not store.engine.durable
        assert first <= live(store)[other]["seq"] <= last
        with pytest.raises(Conflict):
            change_many(
                store,
                seqs=(first, last),
                up_to=Cursor.parse(answer["cursor"]),
                read=False,
            )
        assert live(store)[other]["read"] is not None


def test_what_comes_in_right_after_dismiss_all_is_not_dismissed(store: Storage) -> None:
    """They share a batch when both were sent while the store was busy."""
    receive(store, "seen")
    arrivals = [InsertNotification(store.notifications, message(str(n))) for n in range(4)]

    def dismiss_all(tx: Transaction) -> Any:
        return store.notifications.set_states(tx, read=None, dismissed=True)

    calls = [*arrivals[:2], dismiss_all, *arrivals[2:]]
    results = store.run([(call, True) for call in calls])
    assert results[2]["changed"] == 3
    assert page(store) == ["3", "2"]
    assert [detail(store, call.message["id"])["position"] for call in arrivals] == [2, 3, 7, 8]
    assert results[3:] == [
        Stored(arrivals[n].message["id"], 5 + n, "created", True) for n in (2, 3)
    ]


def test_a_progress_that_ticks_is_still_the_one_that_was_seen(store: Storage, clock: Clock) -> None:
    id_ = progress_of(store, clock, progress=0.1)
    seen = store.position.cursor
    progress_of(store, clock, progress=0.2)
    receive(store, "later")
    assert change_many(store, up_to=seen, read=True)["changed"] == 1
    assert detail(store, id_)["read"] is not None
    with pytest.raises(Conflict):
        change_many(store, up_to=Cursor("another", 99), read=True)


def test_a_change_of_nothing_takes_no_number(store: Storage) -> None:
    store.engine.open()
    cursor = store.position.cursor
    answer = change_many(store, read=True)
    assert answer == {"changed": 0, "seqs": None, "cursor": str(cursor)}
    assert change_many(store, ids=["no"] * 1000, dismissed=True)["changed"] == 0


# Pages


def test_pages_follow_each_other_without_gap_or_double(store: Storage) -> None:
    texts = [str(n) for n in range(25)]
    for text in texts:
        receive(store, text)
    seen: list[str] = []
    before = None
    while True:
        query = Query(limit=10, before=before)
        answer = do(store, lambda tx, query=query: store.notifications.page(tx, query), write=False)  # type: ignore[misc]  # it knows no type of a lambda's default
        seen += [row["message"] for row in answer["notifications"]]
        receive(store, "newer than the first page")
        before = answer["next"]
        if before is None:
            break
    assert seen == texts[::-1]
    assert (
        do(store, lambda tx: store.notifications.page(tx, Query(limit=28)), write=False)["next"]
        is None
    )


def test_filters_must_all_hold(store: Storage) -> None:
    receive(store, "Straße gesperrt", source="Verkehr", type="warning")
    receive(store, "Quota", source="VERKEHR", body="Ihre STRASSE", type="error")
    read = receive(store, "Δοκιμή", source="queue")
    gone = receive(store, "dismissed", source="queue")
    change(store, read, read=True)
    change(store, gone, dismissed=True)
    assert page(store, text="STRASSE") == ["Quota", "Straße gesperrt"]
    assert page(store, text="strasse ihre") == ["Quota"]
    assert page(store, text="δοκιμΉ") == ["Δοκιμή"]
    assert page(store, text="verkehr", types=("warning",)) == ["Straße gesperrt"]
    assert page(store, types=("warning", "error")) == ["Quota", "Straße gesperrt"]
    assert page(store, source="verk") == ["Quota", "Straße gesperrt"]
    assert page(store, view="unread") == ["Quota", "Straße gesperrt"]
    assert page(store, view="dismissed") == ["dismissed"]
    assert page(store, view="unread", text="100%_'\"\\") == []


def test_a_search_in_pieces_finds_what_one_in_a_piece_does(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        receive(store, f"{number} {'even' if number % 2 == 0 else 'odd'}", body="x" * (number % 7))

    def pages() -> list[tuple[list[str], int | None]]:
        found = []
        for text, limit in (("even", 4), ("even", 30), ("xxxxxx", 3), ("5", 50), ("none", 5)):
            before = None
            while True:
                query = Query(text=text, limit=limit, before=before)
                answer = do(
                    store, lambda tx, query=query: store.notifications.page(tx, query), write=False
                )  # type: ignore[misc]  # it knows no type of a lambda's default
                rows = [row["message"] for row in answer["notifications"]]
                found.append((rows, before := answer["next"]))
                if before is None:
                    break
        return found

    whole = pages()
    assert sum(len(rows) for rows, _ in whole) == 30 + 30 + 8 + 15
    for size in (1, 7, 30, 60):
        monkeypatch.setattr(notifications_module, "SCANNED_ROWS", size)
        assert pages() == whole


async def test_a_long_search_keeps_nobody_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications_module, "SCANNED_ROWS", 1)
    manager = NotificationManager(Storage(path))
    for number in range(100):
        await manager.receive(IngestMessage(message=f"message {number}"), "queue")
    search = asyncio.ensure_future(manager.page(Query(text="MESSAGE 1", limit=50)))
    await asyncio.sleep(0)
    await manager.receive(IngestMessage(message="message 1 that comes meanwhile"), "queue")
    assert not search.done()
    found = json.loads(await search)
    numbers = [n for n in range(100) if "1" in str(n)]
    assert [row["message"] for row in found["notifications"]] == [
        f"message {n}" for n in reversed(numbers)
    ]
    assert found["next"] is None
    epoch = manager.storage.engine.state.epoch
    assert Cursor.parse(found["cursor"]) == Cursor(epoch, 100), "what came is news"
    await manager.stop()


# Frames


def test_a_cursor_is_read_as_it_is_written() -> None:
    assert Cursor.parse("ab:12") == Cursor("ab", 12)
    assert str(Cursor("ab", 12)) == "ab:12"
    for text in (None, "", "ab", "ab:", ":-1", "ab:1.0", "ab:²", "ab:" + "9" * 17):
        assert Cursor.parse(text) is None


def test_changes_are_the_present_state_of_what_changed(store: Storage) -> None:
    a, b, c = (receive(store, text) for text in "abc")
    cursor = store.position.cursor
    assert frame(store, cursor)["notifications"] == []
    change(store, a, read=True)
    change(store, a, dismissed=True)
    revoke(store, b)
    got = frame(store, cursor)
    assert got["type"] == "changes"
    assert got["cursor"] == str(store.position.cursor)
    assert [(row["id"], row["seq"]) for row in got["notifications"]] == [
        (a, cursor.seq + 2),
        (b, cursor.seq + 3),
    ]
    assert got["counts"] == {"inbox": 1, "unread": 1, "dismissed": 1}
    assert got["durable"] is True
    assert c in live(store)


def test_a_cursor_that_leads_nowhere_gets_a_snapshot(store: Storage) -> None:
    receive(store)
    here = store.position.cursor
    assert frame(store, here)["type"] == "changes"
    for cursor in (None, Cursor("another", here.seq), Cursor(here.epoch, here.seq + 1)):
        assert frame(store, cursor)["type"] == "snapshot"


def test_too_many_changes_are_a_snapshot(store: Storage) -> None:
    cursor = Cursor(store.engine.state.epoch, 0)
    receive(store)
    cursor = Cursor(store.engine.state.epoch, 0)
    for _ in range(MAX_CHANGES - 1):
        receive(store)
    assert frame(store, cursor)["type"] == "changes"
    receive(store)
    assert frame(store, cursor)["type"] == "snapshot"


def test_a_snapshot_has_the_newest_and_what_must_be_in_sight(store: Storage) -> None:
    banner = receive(store, "banner", banner=1)
    sticky = receive(store, "sticky", auto_close="false")
    running = receive(store, "running", type="in-progress")
    receive(store, "plain")
    for text in ("read", "away"):
        row = receive(store, text, auto_close="false")
        change(store, row, read=True, dismissed=text == "away")
    change(store, receive(store, "put away", banner=1), dismissed=True)
    for number in range(SNAPSHOT_ROWS):
        receive(store, f"newer {number}")
    got = frame(store, None)
    assert [r["message"] for r in got["notifications"]] == [
        f"newer {n}" for n in reversed(range(SNAPSHOT_ROWS))
    ]
    assert [r["id"] for r in got["pinned"]] == [running, sticky, banner]
    for _ in range(PINNED_ROWS):
        receive(store, banner=1)
    got = frame(store, None)
    assert all(row["banner"] for row in got["notifications"])
    assert len(got["pinned"]) == 3


# Counts


def test_counts_are_right_after_every_kind_of_change(store: Storage, clock: Clock) -> None:
    ids = [receive(store, str(n), key=str(n), dismissable=n != 3) for n in range(8)]
    steps: list[Callable[[], object]] = [
        lambda: change(store, ids[0], read=True),
        lambda: change(store, ids[0], dismissed=True),
        lambda: change(store, ids[0], read=False),
        lambda: change(store, ids[0], dismissed=False),
        lambda: change_many(store, dismissed=True),
        lambda: receive(store, "again", key="1"),
        lambda: revoke(store, ids[2]),
        lambda: revoke(store, ids[3]),
        lambda: receive(store, "short", expires_ms=clock() + 1000),
        lambda: clock.forward(2),
        lambda: page(store),
        lambda: clock.forward(TOMBSTONE_MS / 1000 + 1),
        lambda: do(store, no_operation),
        lambda: store.engine.prune(),
    ]
    for step in steps:
        step()
        check_counts(store)
    assert raw(store, "SELECT tombstones FROM state") == [(0,)]


# Retention


def test_what_is_too_old_or_too_many_goes_and_tabs_begin_anew(make: Make, clock: Clock) -> None:
    store = make(retention=Retention(days=1, count=10))
    receive(store, "old")
    cursor = store.position.cursor
    clock.forward(86_400 + 1)
    for number in range(10):
        receive(store, str(number))
    assert frame(store, cursor)["type"] == "changes"
    assert store.engine.prune() == 1
    assert "old" not in page(store)
    assert frame(store, cursor)["type"] == "snapshot"
    assert frame(store, store.position.cursor)["type"] == "changes"
    for number in range(10, 13):
        receive(store, str(number))
    assert len(page(store)) <= 11, "never more than a tenth too many"
    store.engine.prune()
    assert page(store) == [str(n) for n in range(12, 2, -1)]
    check_counts(store)


def test_zero_means_without_bound(make: Make, clock: Clock) -> None:
    store = make(retention=Retention(days=0, count=0))
    for _ in range(30):
        receive(store)
    clock.forward(86_400 * 10_000)
    assert store.engine.prune() == 0
    assert len(live(store)) == 30


def test_a_tombstone_stays_a_day_from_its_death(store: Storage, clock: Clock) -> None:
    id_ = receive(store)
    clock.forward(TOMBSTONE_MS / 1000 * 3)
    revoke(store, id_)
    assert store.engine.prune() == 0
    clock.forward(TOMBSTONE_MS / 1000 + 1)
    assert page(store) == []
    assert store.engine.prune() == 1
    assert raw(store, "SELECT count(*) FROM notifications") == [(0,)]


def test_what_was_deleted_leaves_the_disk_too_step_by_step(make: Make) -> None:
    store = make()
    body = "x" * 40_000
    for number in range(200):
        receive(store, str(number), body=body)
    assert store.engine.path is not None
    places.checkpoint(store.engine.path)
    large = store.engine.path.stat().st_size
    assert large > 8_000_000
    store.maintenance.retention = Retention(count=10)
    store.maintenance.prune_soon()
    free = raw(store, "PRAGMA page_count")[0][0]
    for number in range(6):
        receive(store, f"later {number}")
        (now,) = raw(store, "PRAGMA page_count")[0]
        # And a page or two of SQLite's own map of them.
        assert free - now <= connection.SHRINK_BY + 9, "nobody waits for all of it"
        free = now
    places.checkpoint(store.engine.path)
    assert store.engine.path.stat().st_size < large / 4
    assert store.engine.path.with_name(store.engine.path.name + "-wal").stat().st_size < 5_000_000
    assert page(store)[:6] == [f"later {n}" for n in range(5, -1, -1)]
    check_sound(store.engine.path)


def test_a_fault_of_retention_repeats_nothing(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    receive(store, "before")
    monkeypatch.setattr(store.maintenance, "is_due", fail)
    receive(store, "once")
    monkeypatch.undo()
    assert page(store) == ["once", "before"]


# Operations that fail


def test_one_bad_operation_takes_no_other_with_it(store: Storage) -> None:
    def half(tx: Transaction) -> None:
        store.notifications.add(tx, message("half"))
        raise ValueError("bad")

    good = [message(str(n)) for n in range(3)]
    calls: list[Any] = [
        (lambda tx, row=row: store.notifications.add(tx, row), True) for row in good
    ]
    epoch = store.run([]) or store.engine.state.epoch
    results = store.run([calls[0], (half, True), calls[1], (half, True), calls[2]])
    assert [type(r) for r in results] == [Stored, ValueError, Stored, ValueError, Stored]
    assert page(store) == ["2", "1", "0"]
    assert store.engine.state.epoch == epoch, "tabs need not begin anew"
    assert [row["seq"] for row in live(store).values()] == [3, 2, 1]


def test_a_bad_value_does_not_cost_the_file(store: Storage) -> None:
    for row in (message(type=None), message(banner=2**70), message(body=object())):
        (result,) = store.run([(lambda tx, row=row: store.notifications.add(tx, row), True)])  # type: ignore[misc]  # it knows no type of a lambda's default
        assert isinstance(result, Exception)
    assert store.engine.durable


# Cost


def plans(store: Storage) -> dict[str, str]:
    page_of = f"{SELECT} WHERE {{}} AND position < 99 ORDER BY position DESC LIMIT 51"
    queries = {
        "inbox": page_of.format(INBOX),
        "unread": page_of.format(UNREAD),
        "dismissed": page_of.format(DISMISSED),
        "pinned": page_of.format(PINNED),
        "newest": f"{SELECT} WHERE {INBOX} ORDER BY position DESC LIMIT 50",
        "catch-up": f"{SELECT} WHERE seq > 5 ORDER BY seq LIMIT 501",
        "one": f"{SELECT} WHERE id = 'x' AND {ACTIVE}",
        "by key": f"SELECT id FROM notifications WHERE source = 'a' AND key = 'b' AND {ACTIVE}",
        "revoke": f"SELECT id, source FROM notifications WHERE key = 'b' AND {ACTIVE}",
        "expiry due": "SELECT min(expires_ms) FROM notifications "
        f"WHERE expires_ms IS NOT NULL AND {ACTIVE}",
        "expire": f"SELECT id FROM notifications WHERE expires_ms <= 5 AND {ACTIVE}",
        "undo": f"SELECT id FROM notifications WHERE seq BETWEEN 3 AND 4 AND {ACTIVE}",
        "many": "SELECT id FROM notifications WHERE id IN (SELECT value FROM json_each('[]'))",
    }
    db = sqlite3.connect(str(store.engine.path))
    try:
        return {
            name: "; ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}"))
            for name, sql in queries.items()
        }
    finally:
        db.close()


def test_no_query_costs_more_with_history(store: Storage) -> None:
    receive(store)
    for name, plan in plans(store).items():
        assert "TEMP B-TREE" not in plan, (name, plan)
        assert re.search(r"(SEARCH|SCAN) notifications USING (COVERING )?INDEX", plan) or (
            "SEARCH notifications USING INTEGER PRIMARY KEY" in plan
        ), (name, plan)
    wanted = {name: name for name in ("inbox", "unread", "dismissed", "pinned")}
    wanted |= {"newest": "inbox", "expiry due": "expiring", "expire": "expiring"}
    for name, index in wanted.items():
        assert f"INDEX {index}" in plans(store)[name], (name, plans(store)[name])


def test_steps_of_the_everyday_do_not_grow_with_history(make: Make) -> None:
    def steps(rows: int) -> dict[str, int]:
        path = make().engine.path
        assert path is not None
        store = make(path=path.with_name(f"{rows}.sqlite"), retention=Retention(0, 0))
        for _ in range(rows // 500):
            batch = [message(auto_close="false" if n % 50 == 0 else None) for n in range(500)]
            store.run(
                [(lambda tx, row=row: store.notifications.add(tx, row), True) for row in batch]
            )  # type: ignore[misc]  # it knows no type of a lambda's default
        do(store, lambda tx: store.notifications.set_states(tx, read=True, dismissed=None))
        cursor = Cursor(store.engine.state.epoch, store.engine.state.seq - 3)
        row = message(key="k")
        calls: dict[str, Callable[[], object]] = {
            "page": lambda: page(store),
            "unread": lambda: page(store, view="unread"),
            "dismissed": lambda: page(store, view="dismissed"),
            "snapshot": lambda: frame(store, None),
            "catch-up": lambda: frame(store, cursor),
            "receive": lambda: do(store, lambda tx: store.notifications.add(tx, row)),
        }
        counts: dict[str, int] = {}
        assert store.engine._db is not None
        for name, call in calls.items():
            ticks = 0

            def tick() -> None:
                nonlocal ticks
                ticks += 1

            store.engine._db.set_progress_handler(tick, 20)
            call()
            store.engine._db.set_progress_handler(None, 0)
            counts[name] = ticks
        return counts

    few, many = steps(500), steps(10_000)
    for name, count in many.items():
        assert count <= few[name] * 1.3 + 10, (name, few[name], count)


def statements_of(store: Storage, call: Callable[[], object]) -> list[str]:
    """Return what SQLite is asked for during a call."""
    asked: list[str] = []
    assert store.engine._db is not None
    store.engine._db.set_trace_callback(asked.append)
    call()
    store.engine._db.set_trace_callback(None)
    return [sql for sql in asked if not sql.startswith("--")]


def test_an_idle_tick_is_one_transaction_that_reads(store: Storage) -> None:
    receive(store)
    asked = statements_of(store, lambda: do(store, no_operation, write=False))
    assert (asked[0], asked[-1]) == ("BEGIN", "COMMIT")
    assert len(asked) == 3
    assert asked[1].lstrip().startswith("SELECT")


def test_an_idle_tick_asks_a_file_server_for_nothing(
    make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tick() -> list[str]:
        return statements_of(store, lambda: do(store, no_operation, write=False))

    monkeypatch.setattr(database_file, "file_system", lambda path: "nfs4")
    store, other = make(), make()
    receive(store, "soon gone", expires_ms=clock() + 10_000)
    assert tick(), "what it wrote itself may have changed when something is due"
    assert [tick() for _ in range(3)] == [[]] * 3
    clock.forward(11)
    assert tick(), "something is due"
    assert do(store, store.notifications.counts, write=False)["inbox"] == 0
    tick()
    assert tick() == []
    receive(other, "of the other server", body="x" * 30_000)
    before = store.engine.state.seq
    assert tick()
    assert store.engine.state.seq == before + 1
    assert tick() == []
    set_timings(store, quiet_s=0.0)
    assert tick(), "a host may keep what it knows of a file for some seconds"


# The file


def test_the_file_is_its_owners_only(store: Storage, path: Path) -> None:
    old = os.umask(0)
    try:
        receive(store)
    finally:
        os.umask(old)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


#: As SQLite says it: synced are the log or the file, and the folder whose journal goes.
EXTRA = 3


def test_a_local_file_system_gets_a_write_ahead_log(store: Storage, path: Path) -> None:
    receive(store)
    assert file_system(path) in database_file.WAL_FILE_SYSTEMS
    assert store.engine.mode == "wal"
    assert raw(store, "PRAGMA journal_mode") == [("wal",)]
    # Each commit is synced: no test can cut the power.
    assert store.engine._connection.execute("PRAGMA synchronous").fetchone() == (EXTRA,)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "lustre", "fuse.sshfs", ""])
def test_a_shared_file_system_gets_a_rollback_journal(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    made_locally = make()
    receive(made_locally, "made locally")
    made_locally.close()
    monkeypatch.setattr(database_file, "file_system", lambda path: kind)
    store = make()
    receive(store, "shared")
    assert store.engine.mode == "rollback"
    assert store.engine.durable
    assert raw(store, "PRAGMA journal_mode") == [("delete",)]
    assert store.engine._connection.execute("PRAGMA synchronous").fetchone() == (EXTRA,)
    assert page(store) == ["shared", "made locally"]
    assert not path.with_name(path.name + "-wal").exists()


def test_a_file_that_another_host_may_have_open_keeps_its_rollback_journal(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk's own host sees a local file system, where its clients see NFS."""
    with monkeypatch.context() as client:
        client.setattr(database_file, "file_system", lambda path: "nfs4")
        remote = make()
        receive(remote, "over NFS")
    local = make()
    receive(local, "on the disk")
    assert local.engine.mode == "rollback"
    assert raw(local, "PRAGMA journal_mode") == [("delete",)]
    receive(remote, "over NFS again")
    assert page(local) == page(remote) == ["over NFS again", "on the disk", "over NFS"]
    assert local.engine.durable and remote.engine.durable


def test_a_log_that_another_host_sets_is_not_written_to(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_file, "file_system", lambda path: "nfs4")
    store = make(timings=StorageTimings(heal_interval_s=0.0, retry_timeout_s=0.05))
    receive(store, "before")
    other = sqlite3.connect(path)
    assert other.execute("PRAGMA journal_mode = wal").fetchone() == ("wal",)
    other.execute("PRAGMA user_version").fetchone()
    log = path.with_name(path.name + "-wal")
    size = log.stat().st_size
    assert page(store) == ["before"]
    assert not store.engine.durable, "who only reads has noticed"
    receive(store, "meanwhile")
    assert page(store) == ["meanwhile", "before"]
    assert "keeps a write-ahead log" in str(store.engine.problem)
    assert log.stat().st_size == size
    other.close()
    receive(store, "after")
    assert (store.engine.durable, store.engine.mode) == (True, "rollback")
    assert page(store) == ["after", "meanwhile", "before"]
    assert raw(store, "PRAGMA journal_mode") == [("delete",)]
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) == 1


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_file_system_that_nothing_tells_of_counts_as_shared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str
) -> None:
    def fail(self: Path) -> bytes:
        raise FileNotFoundError(self)

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "read_bytes", fail)
    assert file_system(tmp_path) not in database_file.WAL_FILE_SYSTEMS


def test_the_file_system_is_that_of_the_innermost_mount(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounts = (
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:5 / {tmp_path}/my\\040homé rw shared:1 - nfs4 host:/ rw\n"
        f"3 1 0:6 / {tmp_path}/my rw - tmpfs none rw\n"
    ).encode()
    read_bytes = Path.read_bytes
    monkeypatch.setattr(
        Path,
        "read_bytes",
        lambda self: mounts if str(self) == "/proc/self/mountinfo" else read_bytes(self),
    )
    assert file_system(tmp_path / "my homé" / "x") == "nfs4"
    assert file_system(tmp_path / "my" / "x") == "tmpfs"
    assert file_system(tmp_path / "myself") == "ext4"


def test_what_is_stored_is_there_when_it_is_opened_again(make: Make) -> None:
    store = make()
    receive(store, "kept")
    cursor = store.position.cursor
    store.close()
    again = make()
    assert page(again) == ["kept"]
    assert again.position.cursor == cursor


def test_an_empty_file_becomes_a_database(make: Make, path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    receive(make(), "first")
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
    db.close()


def test_a_migration_that_breaks_off_leaves_the_version_before(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make()
    receive(first, "from before")
    first.close()
    # The second statement fails where there are rows: in the file, not in memory.
    step = (
        "ALTER TABLE notifications ADD COLUMN more;\n"
        "INSERT INTO state SELECT 2, '', 0, 0, 0, 0, 0, 0, 0, 0, NULL FROM notifications;\n"
    )
    steps = (*schema.MIGRATIONS, step)
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", len(steps))
    broken = make()
    receive(broken, "meanwhile")
    assert not broken.engine.durable
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (len(steps) - 1,)
    assert "more" not in [row[1] for row in db.execute("PRAGMA table_info(notifications)")]
    db.close()


def test_a_number_of_an_inode_that_sqlite_cannot_hold_is_no_fault(make: Make) -> None:
    store = make()
    receive(store)
    assert store.engine._db is not None
    schema.migrate(store.engine._db, 2**64 - 1, store.engine.path)
    assert store.engine.durable


def test_a_copied_file_is_another_epoch(make: Make, path: Path) -> None:
    store = make()
    receive(store)
    epoch = store.engine.state.epoch
    store.close()
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)
    again = make()
    assert len(page(again)) == 1
    assert again.engine.state.epoch != epoch


def test_a_file_that_went_back_in_time_is_another_epoch(make: Make, path: Path) -> None:
    store, other = make(), make()
    receive(store, "first")
    epoch = store.engine.state.epoch
    backup = path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()
    receive(store, "lost")
    assert page(other) == ["lost", "first"]
    store.close()
    other.engine._disconnect()
    # In place, as a backup's tool may do it: the inode stays.
    path.write_bytes(backup[0])
    path.with_name(path.name + "-wal").write_bytes(backup[1])
    other.engine.open()
    other.engine.state.epoch, other.engine.state.seq = epoch, 2
    receive(other, "new")
    assert page(other) == ["new", "first"]
    assert other.engine.state.epoch != epoch


def restore(path: Path, backup: sqlite3.Connection) -> None:
    """Do what the shell's ``.restore`` does: it writes into the file that is there."""
    target = sqlite3.connect(path)
    backup.backup(target)
    target.close()


@pytest.fixture
def backup() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:")
    yield db
    db.close()


def backed_up(path: Path, backup: sqlite3.Connection) -> None:
    source = sqlite3.connect(path)
    source.backup(backup)
    source.close()


def test_a_backup_restored_in_place_is_noticed_by_who_only_reads(
    store: Storage, path: Path, backup: sqlite3.Connection
) -> None:
    receive(store, "first")
    backed_up(path, backup)
    receive(store, "lost")
    before = store.position.cursor
    inode = path.stat().st_ino
    restore(path, backup)
    assert path.stat().st_ino == inode
    assert page(store) == ["first"], "as the watch does each second"
    for text in ("new", "newer"):
        receive(store, text)
    got = frame(store, before)
    assert got["type"] == "snapshot", "the numbers of before mean other messages now"
    assert [row["message"] for row in got["notifications"]] == ["newer", "new", "first"]


def test_a_backup_restored_while_no_server_runs_is_noticed_by_a_tab_that_comes_back(
    make: Make, path: Path, backup: sqlite3.Connection
) -> None:
    store = make()
    receive(store, "first")
    backed_up(path, backup)
    receive(store, "lost")
    before = store.position.cursor
    store.close()
    restore(path, backup)
    again = make()
    assert frame(again, before)["type"] == "snapshot"
    for text in ("new", "newer"):
        receive(again, text)
    assert frame(again, before)["type"] == "snapshot", "another tab comes later"


def test_a_backup_restored_while_messages_are_in_memory_is_another_epoch(
    store: Storage, path: Path, backup: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_timings(store, heal_interval_s=0.0, busy_timeout_s=0.05)
    receive(store, "first")
    backed_up(path, backup)
    receive(store, "lost")
    before = store.position.cursor
    with places.locked(path):
        receive(store, "meanwhile")
        assert not store.engine.durable
    restore(path, backup)
    receive(store, "new")
    assert store.engine.durable
    assert set(page(store)) >= {"first", "meanwhile", "new"}
    assert store.engine.state.epoch != before.epoch


def test_two_stores_of_one_file_see_each_other(make: Make) -> None:
    one, two = make(), make()
    a = receive(one, "one", key="k")
    b = receive(two, "two")
    assert page(one) == page(two) == ["two", "one"]
    cursor = one.position.cursor
    assert receive(two, "one again", key="k") == a
    change(two, b, read=True)
    assert [row["id"] for row in frame(one, cursor)["notifications"]] == [a, b]
    assert frame(one, cursor)["notifications"] == frame(two, cursor)["notifications"]


def test_of_corrupt_files_that_were_set_aside_the_newest_two_are_kept(
    make: Make, path: Path
) -> None:
    path.parent.mkdir()
    mine = path.with_name(path.name + ".corrupt-why")
    for file in (mine, path.with_name("other.sqlite.corrupt-20200101T000000Z-0000")):
        file.write_text("a person's")
    for year in (2021, 2022, 2023):
        for suffix in ("", "-wal"):
            path.with_name(f"{path.name}.corrupt-{year}0101T000000Z-00ff{suffix}").touch()
    path.write_bytes(b"these are not the bytes you are looking for\n" * 1000)
    store = make()
    receive(store, "new")
    assert store.engine.durable
    (now,) = (f for f in path.parent.iterdir() if ".corrupt-20" in f.name and f.stat().st_size > 99)
    left = {f.name.replace(path.name, "") for f in path.parent.iterdir() if "corrupt" in f.name}
    assert left == {
        *(".corrupt-why", "other.sqlite.corrupt-20200101T000000Z-0000"),
        *(".corrupt-20230101T000000Z-00ff", ".corrupt-20230101T000000Z-00ff-wal"),
        now.name.replace(path.name, ""),
    }


def test_without_a_place_all_is_in_memory(caplog: pytest.LogCaptureFixture) -> None:
    store = Storage(None)
    receive(store, "here")
    assert page(store) == ["here"]
    assert not store.engine.durable
    assert status(store)["problem"] == "no place is configured for the database"
    assert not [r for r in caplog.records if r.levelname == "WARNING"], "it was asked for"
    store.close()


def test_in_a_place_that_cannot_even_be_looked_at_all_is_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a folder that may not be entered, which holds nothing back from root."""
    store = Storage(tmp_path / ("x" * 256))
    for _ in range(2):
        receive(store, "here")
    assert page(store) == ["here", "here"]
    assert not store.engine.durable
    assert "File name too long" in status(store)["problem"]
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) == 1
    store.close()


def test_no_statement_asks_for_a_newer_sqlite_than_is_documented() -> None:
    """None so old is at hand; what came after it is known by its words."""
    package = Path(connection.__file__).parent.parent
    texts = [path.read_text() for path in (package / "storage").glob("*.py")]
    assert len(texts) > 10
    newer = re.compile(
        r"GENERATED ALWAYS|\bRETURNING\b|\bFILTER \(|\) STRICT\b|DROP COLUMN|\bOVER \("
    )
    assert not any(newer.search(text) for text in texts)
    minimum = ".".join(map(str, connection.MINIMUM_SQLITE[:2]))
    documented = package.parent / "docs" / "administrators.md"
    assert f"SQLite {minimum} " in documented.read_text()


async def test_a_sqlite_that_is_too_old_is_said_once_and_to_who_asks(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "MINIMUM_SQLITE", (99, 1, 0))
    manager = NotificationManager(Storage(path))
    manager.start()
    tab = Tab()
    stream = manager.open(tab, None)
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"uses SQLite 3\.[0-9.]+, and 99\.1\.0 or later is"):
            await manager.status("1")
    manager.close(stream)
    await manager.stop()
    assert not tab.frames
    assert not path.parent.exists(), "nothing was touched"
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert "99.1.0 or later is needed." in record.getMessage()


def test_an_id_is_a_ulid() -> None:
    ids = [new_id(1_469_918_176_385) for _ in range(1000)]
    assert len(set(ids)) == 1000
    for id_ in ids:
        assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", id_)
        assert id_.startswith("01ARYZ6S41")
    assert new_id(1) < new_id(2) < new_id(2**47)
