"""A question with a heartbeat is over once its program no longer asks for the answer."""

from __future__ import annotations

from typing import Any

import pytest

from jupyterlab_notify.exceptions import Conflict
from jupyterlab_notify.storage import Storage
from jupyterlab_notify.storage.fields import rfc3339

from ...support.storage import (
    Clock,
    change,
    check_counts,
    detail,
    do,
    frame,
    give_up,
    progress_of,
    receive,
    revoke,
)

REPLY = '{"choices": ["Yes"], "text": false, "prompt": null}'


def ask(store: Storage, clock: Clock, **columns: Any) -> str:
    return progress_of(store, clock, "Go on?", **{"type": "info", "reply": REPLY, **columns})


def hear(store: Storage, id_: str) -> bool:
    """Hear of the program as a request that waits does; return whether that was written."""
    replies = store.replies
    lapses = do(store, lambda tx: replies.is_lapsing(tx, id_), write=False)
    if lapses:
        do(store, lambda tx: replies.renew(tx, id_, "queue"))
    return lapses


def answer(store: Storage, id_: str) -> None:
    do(store, lambda tx: store.replies.reply(tx, id_, "Yes"))


def test_a_question_whose_program_is_gone_says_so_and_is_no_news(
    store: Storage, clock: Clock
) -> None:
    asked_ms = clock()
    id_ = ask(store, clock)
    receive(store, "other")
    change(store, id_, read=True)
    before, cursor = detail(store, id_), store.position.cursor
    give_up(store, clock, 30)
    row = detail(store, id_)
    assert row == {**before, "stopped": rfc3339(asked_ms), "seq": row["seq"]}
    assert [each["id"] for each in frame(store, cursor)["notifications"]] == [id_]
    with pytest.raises(Conflict, match="is gone"):
        answer(store, id_)
    check_counts(store)


def test_a_program_that_waits_keeps_its_question_and_tells_no_tab(
    store: Storage, clock: Clock
) -> None:
    id_ = ask(store, clock)
    seq = store.engine.state.seq
    writes = 0
    for _ in range(100):
        clock.forward(5)
        writes += hear(store, id_)
    assert writes == 33, "not each request is written"
    assert store.engine.state.seq == seq
    assert detail(store, id_)["stopped"] is None
    give_up(store, clock, 30)
    assert detail(store, id_)["stopped"]


@pytest.mark.parametrize("how", ["waits", "asks"])
def test_a_program_that_was_suspended_can_be_answered_again(
    store: Storage, clock: Clock, how: str
) -> None:
    id_ = ask(store, clock)
    give_up(store, clock, 3600)
    cursor = store.position.cursor
    if how == "waits":
        assert hear(store, id_)
    else:
        assert ask(store, clock) == id_
    (row,) = frame(store, cursor)["notifications"]
    assert (row["id"], row["stopped"]) == (id_, None)
    answer(store, id_)
    give_up(store, clock, 3600)
    assert detail(store, id_)["stopped"] is None, "it was answered"


@pytest.mark.parametrize("by", ["answer", "revocation"])
def test_a_program_that_was_answered_or_takes_its_question_back_is_not_gone(
    store: Storage, clock: Clock, by: str
) -> None:
    id_ = ask(store, clock)
    if by == "answer":
        answer(store, id_)
    else:
        revoke(store, id_)
    seq = store.engine.state.seq
    give_up(store, clock, 3600)
    assert store.engine.state.seq == seq
    assert not hear(store, id_)


def test_a_question_without_a_heartbeat_waits_for_ever(store: Storage, clock: Clock) -> None:
    id_ = ask(store, clock, interrupt_ms=None, heartbeat_ms=None)
    assert not hear(store, id_)
    give_up(store, clock, 86_400)
    answer(store, id_)


def test_a_progress_that_asks_goes_on_reporting_once_it_was_answered(
    store: Storage, clock: Clock
) -> None:
    id_ = ask(store, clock, type="in-progress")
    answer(store, id_)
    give_up(store, clock, 30)
    row = detail(store, id_)
    assert (row["type"], row["answer"]) == ("warning", "Yes")
    assert row["stopped"]
    assert not hear(store, id_)
