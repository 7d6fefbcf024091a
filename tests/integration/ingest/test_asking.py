"""Questions of programs of the user's own, over HTTP."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from ...support.servers import NAMESPACE, Server

ASKED = {"choices": ["Stop", "Continue"]}


def reply(server: Server, id_: str, answer: Any, status: int = 200) -> Any:
    path = f"/{NAMESPACE}/notifications/{id_}/reply"
    answered = server.request("POST", path, {"answer": answer})
    assert answered.status_code == status, answered.text
    return answered.json()


def sent(server: Server, name: str, status: int = 200, **params: Any) -> Any:
    found = server.request("GET", f"/{NAMESPACE}/ingest/{name}", params=params)
    assert found.status_code == status, found.text
    return found.json()


def test_the_answer_is_told_by_key_by_id_and_by_the_stream(server: Server) -> None:
    # What is offered twice is one button.
    asked = {"choices": ["Stop", "Continue", "Stop"]}
    id_ = server.ingest("Loss is rising", key="loss", reply=asked)["notification_id"]
    before = sent(server, "loss")
    assert before["reply"] == {"prompt": None, "choices": ["Stop", "Continue"], "text": False}
    assert before["answer"] is before["answered"] is before["read"] is None
    with server.websocket() as tab:
        tab.receive()
        reply(server, id_, "Stop")
        row = tab.rows_until(lambda rows: any(row["answer"] for row in rows.values()))[id_]
        assert row["answer"] == "Stop"
        assert row["answered"] and row["read"]
    for name in ("loss", id_):
        assert sent(server, name)["answer"] == "Stop"
    assert sent(server, "loss", source="somebody", status=404)["success"] is False


def test_a_sender_that_waits_hears_of_the_answer_at_once(server: Server) -> None:
    id_ = server.ingest("Go on?", key="wait", reply={"text": True})["notification_id"]
    threading.Timer(0.5, lambda: reply(server, id_, "For an hour")).start()
    began = time.monotonic()
    assert sent(server, "wait", wait=30)["answer"] == "For an hour"
    # The answer comes at once, not when the requested wait is over.
    assert time.monotonic() - began < 25
    assert sent(server, "wait", wait=30)["answer"] == "For an hour"


def test_a_sender_that_waits_hears_that_its_question_was_taken_back(server: Server) -> None:
    server.ingest("Nobody answers", key="vain", reply=ASKED)
    assert sent(server, "vain", wait=1)["answer"] is None
    take_back = f"/{NAMESPACE}/ingest/vain"
    threading.Timer(0.5, lambda: server.request("DELETE", take_back)).start()
    assert "vain" in sent(server, "vain", wait=30, status=404)["message"]


@pytest.mark.parametrize("wait", ["-1", "61", "soon", "1.5"])
def test_a_wait_that_cannot_be_is_refused(server: Server, wait: str) -> None:
    server.ingest("m", key="w", reply=ASKED)
    assert "wait" in sent(server, "w", wait=wait, status=400)["message"]


def test_only_what_was_asked_for_is_an_answer(server: Server) -> None:
    asked = server.ingest("Choose", reply=ASKED)["notification_id"]
    plain = server.ingest("Nothing is asked")["notification_id"]
    assert "'Stop', 'Continue'" in reply(server, asked, "Perhaps", 400)["message"]
    for wrong in ("", " ", "\u200b", "x" * 4097, 3, None, ["Stop"]):
        assert "answer" in reply(server, asked, wrong, 400)["message"]
    reply(server, plain, "Yes", 409)
    reply(server, "nothing", "Yes", 404)
    assert server.detail(asked)["answer"] is None
    assert reply(server, asked, "Stop")["changed"] == 1
    # The same answer again changes nothing. Another answer is too late: the program has gone on.
    assert reply(server, asked, "Stop")["changed"] == 0
    assert "already" in reply(server, asked, "Continue", 409)["message"]
    assert server.detail(asked)["answer"] == "Stop"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "reply"),
        ({"choices": []}, "reply"),
        ({"choices": [], "text": False}, "reply"),
        ({"choices": ["a", ""]}, "reply.choices[1]"),
        ({"choices": ["\u200b"]}, "reply.choices"),
        ({"choices": ["x" * 81]}, "reply.choices[0]"),
        ({"choices": ["x"] * 11}, "reply.choices"),
        ({"choices": "yes"}, "reply.choices"),
        ({"text": "yes"}, "reply.text"),
        ({"text": True, "prompt": "p" * 201}, "reply.prompt"),
        ("yes", "reply"),
        ([], "reply"),
    ],
)
def test_a_question_that_nobody_could_answer_is_refused(
    server: Server, asked: Any, field: str
) -> None:
    body = {"message": "m", "reply": asked}
    refused = server.request("POST", f"/{NAMESPACE}/ingest", body)
    assert refused.status_code == 400, refused.text
    assert field in refused.json()["message"]


def test_a_retry_keeps_the_answer_and_another_question_does_not(server: Server) -> None:
    first = {"key": "again", "reply": ASKED}
    id_ = server.ingest("Which?", **first)["notification_id"]
    reply(server, id_, "Stop")
    assert server.ingest("Which?", **first)["notification_id"] == id_
    assert sent(server, "again")["answer"] == "Stop"
    # A step of progress does not ask the question anew; another question does.
    for progress in (0.1, 0.2):
        server.ingest("Runs", key="run", type="in-progress", progress=progress, reply=ASKED)
    run = sent(server, "run")["id"]
    reply(server, run, "Continue")
    server.ingest("Runs", key="run", type="in-progress", progress=0.3, reply=ASKED)
    assert sent(server, "run")["answer"] == "Continue"
    other = {"choices": ["Now"]}
    server.ingest("Runs", key="run", type="in-progress", progress=0.4, reply=other)
    assert sent(server, "run")["answer"] is None
    server.ingest("Which one?", **first)
    assert sent(server, "again")["answer"] is None
    assert sent(server, "again")["read"] is None


def test_what_was_taken_back_keeps_nothing_of_the_answer(server: Server) -> None:
    id_ = server.ingest("Secret?", key="secret", reply={"text": True})["notification_id"]
    reply(server, id_, "a-word-that-nobody-else-says")
    server.request("DELETE", f"/{NAMESPACE}/ingest/secret")
    with server.websocket() as tab:
        frame = tab.receive()
        assert "a-word-that-nobody-else-says" not in str(frame)
    reply(server, id_, "Too late", 404)
