"""Promises of storing, replacing, revoking and changing, on real SQLite files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.exceptions import Conflict, NotFound
from jupyterlab_notify.manager import NotificationManager
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import Cursor, StateChange, Storage, Transaction
from jupyterlab_notify.storage.notifications import (
    RETRY_WINDOW_MS,
    SNAPSHOT_ROWS,
    InsertNotification,
    Query,
    Stored,
)

from ...support import file_faults as places
from ...support.storage import (
    Clock,
    Make,
    change,
    change_many,
    check_counts,
    detail,
    do,
    frame,
    listed,
    live,
    message,
    page,
    progress_of,
    raw,
    receive,
    revoke,
    set_back,
    set_timings,
)


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


def test_a_source_takes_back_only_what_it_said_itself(store: Storage) -> None:
    own, other = receive(store, key="k"), receive(store, key="k", source="hub")
    # This key is another message's id.
    posing = receive(store, key=other)
    for which in ("k", own, other):
        with pytest.raises(NotFound, match="'nobody'"):
            revoke(store, which, source="nobody")
    with pytest.raises(NotFound):
        revoke(store, own, source="hub")
    assert {own, other, posing} <= set(live(store))
    assert revoke(store, other, source="queue")[0] == posing
    assert revoke(store, "k", source="queue")[0] == own
    assert revoke(store, other, source="hub")[0] == other
    assert live(store) == {}


def test_the_same_message_of_another_token_is_another_message(store: Storage) -> None:
    id_ = receive(store, key="k", via="bot-quota")
    change(store, id_, read=True)
    assert receive(store, key="k", via="bot-quota") == id_
    assert detail(store, id_)["read"] is not None, "the same again"
    assert receive(store, key="k", via="mallory") == id_, "it named the source"
    row = detail(store, id_)
    assert (row["via"], row["read"]) == ("mallory", None)


def test_the_users_own_token_is_neither_shown_nor_found(store: Storage) -> None:
    receive(store, "a", source="train.ipynb", via="Jupyter")
    receive(store, "b", source="quota", via="bot-Quota")
    assert {row["message"]: row["via"] for row in live(store).values()} == {
        "a": None,
        "b": "bot-Quota",
    }
    assert page(store, text="jupyter") == page(store, source="jupyter") == []
    assert page(store, text="BOT") == page(store, source="BOT") == ["b"]


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


def test_what_was_read_before_it_expires_is_found_under_done(store: Storage, clock: Clock) -> None:
    def soon(message: str, **fields: Any) -> str:
        return receive(store, message, expires_ms=clock() + 1000, **fields)

    read = soon("read", key="k", body="its text", banner=1, actions='[{"label":"Go"}]')
    put_away, unread = soon("put away"), soon("unread")
    change(store, put_away, dismissed=True)
    change(store, read, read=True)
    cursor = store.position.cursor
    clock.forward(1)
    assert page(store) == []
    rows = {row["id"]: row for row in frame(store, cursor)["notifications"]}
    now = "2027-01-15T08:00:01.000Z"
    assert (rows[unread]["expired"], rows[unread]["ended"]) == (now, None)
    assert rows[read]["expired"] is rows[read]["expiresAt"] is rows[read]["key"] is None
    assert rows[read]["dismissed"] == rows[read]["closed"] == rows[read]["ended"] == now
    assert rows[read]["actions"] == []
    assert page(store, view="dismissed") == ["put away", "read"]
    # The message has ended: its key now belongs to another message, and no expiry is due any more.
    receive(store, "read", key="k", body="its text")
    assert page(store, view="unread") == ["read"]
    change(store, read, dismissed=False)
    clock.forward(3600)
    assert page(store) == ["read", "read"]
    check_counts(store)


def test_an_expired_question_is_found_under_done_with_its_answer_but_not_asked(
    store: Storage, clock: Clock
) -> None:
    asks = {"reply": '{"choices":["Yes"],"text":false}', "expires_ms": clock() + 1000}
    answered, read = receive(store, "answered", **asks), receive(store, "only read", **asks)
    do(store, lambda tx: store.replies.reply(tx, answered, "Yes"))
    change(store, read, read=True)
    clock.forward(1)
    assert page(store, view="dismissed") == ["only read", "answered"]
    rows = {row["id"]: row for row in listed(store, view="dismissed")}
    assert (rows[answered]["answer"], rows[read]["answer"]) == ("Yes", None)
    # Neither the user nor the sender can act on such a question any more.
    for id_ in (answered, read):
        for call in (
            lambda tx, id_=id_: store.replies.reply(tx, id_, "Yes"),
            lambda tx, id_=id_: store.replies.sent(tx, id_, "queue"),
        ):
            with pytest.raises(NotFound, match="has expired"):
                do(store, call)


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


def test_what_was_closed_is_read_and_stays_in_the_inbox(store: Storage, clock: Clock) -> None:
    banner = receive(store, "outage", banner=1)
    sticky = receive(store, "quota", key="k", auto_close="false")
    for _ in range(SNAPSHOT_ROWS):
        receive(store)
    assert [row["id"] for row in frame(store, None)["pinned"]] == [sticky, banner]
    for id_ in (banner, sticky):
        change(store, id_, closed=True)
        row = detail(store, id_)
        assert row["closed"] == row["read"] is not None
        assert row["dismissed"] is None
    check_counts(store)
    assert frame(store, None)["pinned"] == []
    # Marking all as read closes nothing, and marking one as unread reopens nothing.
    change_many(store, read=True)
    change(store, banner, read=False)
    row = detail(store, banner)
    assert row["read"] is None and row["closed"] is not None
    change(store, banner, closed=False)
    assert [row["id"] for row in frame(store, None)["pinned"]] == [banner]
    # The same message, sent again later, asks for attention again.
    clock.forward(3600)
    receive(store, "quota", key="k", auto_close="false")
    assert detail(store, sticky)["closed"] is detail(store, sticky)["read"] is None
    check_counts(store)


def test_what_is_read_is_not_closed_by_reading_all(store: Storage) -> None:
    banner = receive(store, "outage", banner=1)
    change_many(store, read=True)
    assert detail(store, banner)["closed"] is None


def test_what_an_earlier_version_dismissed_is_done(make: Make, path: Path) -> None:
    store = make()
    done, banner = receive(store, "done", banner=1), receive(store, "banner", banner=1)
    change(store, done, dismissed=True)
    store.close()
    set_back(path, 2)
    again = make()
    assert page(again, view="dismissed") == ["done"]
    assert page(again) == ["banner"]
    assert detail(again, done)["closed"] is detail(again, banner)["closed"] is None
    check_counts(again)


def test_what_its_sender_keeps_cannot_be_put_away(store: Storage) -> None:
    kept, free = receive(store, dismissable=0), receive(store)
    with pytest.raises(Conflict, match="put away"):
        change(store, kept, dismissed=True)
    with pytest.raises(Conflict, match="closed"):
        change(store, kept, closed=True)
    assert change_many(store, ids=[kept], closed=True)["changed"] == 0
    assert detail(store, kept)["read"] is None
    assert change_many(store, ids=[kept, free, "unknown"], dismissed=True)["changed"] == 1
    assert change_many(store, dismissed=True)["changed"] == 0
    assert detail(store, kept)["dismissed"] is None
    # The message can still be marked as read, even in a change that also dismisses.
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
    """The change and the messages share a batch if the store was busy when they came."""
    receive(store, "seen")
    arrivals = [InsertNotification(store.notifications, message(str(n))) for n in range(4)]

    def dismiss_all(tx: Transaction) -> Any:
        return store.notifications.set_states(tx, StateChange(dismissed=True))

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
