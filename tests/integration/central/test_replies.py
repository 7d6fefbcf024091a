"""Answers to what the central service's messages ask: they reach the sender, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ...support.servers import NAMESPACE, Server, wait_for
from ...support.service import USER, Service, follows, lab_beside, row_of

YES_OR_NO = {"prompt": "May we?", "choices": ["Yes", "Later"], "text": True}


@pytest.fixture
def make(make_server: Callable[..., Server], service: Service) -> Callable[..., Server]:
    """Return what starts a lab that asks the service."""
    return lambda **options: lab_beside(service, make_server, **options)


def reply(server: Server, id_: str, answer: str, status: int = 200) -> Any:
    path = f"/{NAMESPACE}/notifications/{id_}/reply"
    answered = server.request("POST", path, {"answer": answer})
    assert answered.status_code == status, answered.text
    return answered.json()


def replies(service: Service, key: str) -> list[str | None]:
    """Return what the sender sees of its message's answers."""
    path = f"/v1/services/admin/notifications/{key}/receipts"
    return [one["reply"] for one in service.ask("GET", path)]


def outcomes(service: Service, id_: str) -> list[tuple[str, str | None]]:
    listed = service.ask("GET", f"/v1/admin/broadcasts/{id_}/deliveries")
    return [(one["outcome"], one["reply"]) for one in listed]


def test_an_answer_reaches_the_sender_and_the_users_other_labs(
    make: Callable[..., Server], service: Service
) -> None:
    one, other = make(), make()
    with one.websocket() as tab, other.websocket() as far:
        follows(one)
        follows(other)
        service.send("Move your home?", key="move", reply=YES_OR_NO)
        id_ = service.broadcast(
            "Will you come?", reply={"choices": ["I come"]}, users=[USER], audience="named"
        )
        message, broadcast = row_of(tab, "Move your home?"), row_of(tab, "Will you come?")
        assert message["reply"] == YES_OR_NO
        reply(one, message["id"], "Later")
        reply(one, broadcast["id"], "I come")
        wait_for(lambda: replies(service, "move") == ["Later"], "the sender to know")
        wait_for(lambda: outcomes(service, id_) == [("replied", "I come")], "the ledger to know")
        assert row_of(far, "Move your home?", answer=True, read=True)["answer"] == "Later"
        assert row_of(far, "Will you come?", answer=True, read=True)["answer"] == "I come"
        # A later answer, from the other lab, takes its place.
        reply(other, message["id"], "In May, please")
        wait_for(lambda: replies(service, "move") == ["In May, please"], "the later answer")
        wait_for(lambda: one.detail(message["id"])["answer"] == "In May, please", "the first lab")
        service.ask("DELETE", "/v1/services/admin/notifications/move")
        service.ask("DELETE", f"/v1/admin/broadcasts/{id_}")


def test_an_answer_survives_a_stopped_service_and_the_labs_restart(
    make: Callable[..., Server], service: Service
) -> None:
    server = make()
    with server.websocket() as tab:
        follows(server)
        service.send("Still there?", key="there", reply={"choices": ["Yes", "No"]})
        row = row_of(tab, "Still there?")
        service.stop()
        wait_for(lambda: not server.status()["central"]["events"], "the stream to be lost")
        reply(server, row["id"], "Yes")
        assert row_of(tab, "Still there?", answer=True)["answer"] == "Yes"
    server.restart()
    assert server.detail(row["id"])["answer"] == "Yes"
    service.start()
    with server.websocket():
        wait_for(lambda: replies(service, "there") == ["Yes"], "the answer to arrive", 30)
        # The service has stored the answer; the lab learns that a moment later.
        wait_for(lambda: server.status()["central"]["outbox"] == 0, "nothing left to tell")
    service.ask("DELETE", "/v1/services/admin/notifications/there")


def test_an_answer_to_what_was_taken_back_holds_up_nothing_behind_it(
    make: Callable[..., Server], service: Service
) -> None:
    server = make()
    with server.websocket() as tab:
        follows(server)
        service.send("Taken back", key="gone", reply={"text": True})
        service.send("Asked otherwise", key="changed", reply={"choices": ["Red", "Blue"]})
        service.send("Stays", key="stays")
        gone, changed = row_of(tab, "Taken back"), row_of(tab, "Asked otherwise")
        stays = row_of(tab, "Stays")
        service.stop()
        wait_for(lambda: not server.status()["central"]["events"], "the stream to be lost")
        reply(server, gone["id"], "I am too late")
        reply(server, changed["id"], "Red")
        server.change(stays["id"], read=True)
    server.stop()
    service.start()
    service.ask("DELETE", "/v1/services/admin/notifications/gone")
    service.send("Asked otherwise", key="changed", reply={"choices": ["Green"]})
    server.start()
    with server.websocket() as tab:
        wait_for(lambda: "Stays" not in service.unread(), "what is behind it to be told", 30)
        wait_for(lambda: server.status()["central"]["outbox"] == 0, "the outbox to be empty")
        # The user is asked again, since the earlier answer does not fit the present question.
        row_of(tab, "Asked otherwise", answer=False)
        assert replies(service, "changed") == [None]
    for key in ("changed", "stays"):
        service.ask("DELETE", f"/v1/services/admin/notifications/{key}")


def test_without_events_an_answer_reaches_the_sender_as_well(
    make: Callable[..., Server], service: Service
) -> None:
    server = make(interval_s=0.2)
    with server.websocket() as tab:
        id_ = service.broadcast(
            "Polled?", reply={"choices": ["Yes"]}, users=[USER], audience="named"
        )
        row = row_of(tab, "Polled?")
        service.ask("POST", f"/v1/broadcasts/{id_}/reply", {"reply": "Yes"}, token=service.user)
        assert row_of(tab, "Polled?", answer=True)["answer"] == "Yes"
        assert row["answer"] is None
        service.ask("DELETE", f"/v1/admin/broadcasts/{id_}")
