"""Welcome messages that must be accepted: due until then, even if all others are dismissed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ...support.servers import NAMESPACE, Server, wait_for
from ...support.service import Service, follows, lab_beside

POLICY = {"title": "Acceptable use", "body": "Be **kind**.", "must_accept": True, "max_views": 1}


@pytest.fixture
def make(make_server: Callable[..., Server], service: Service) -> Callable[..., Server]:
    """Return what starts a lab that asks the service."""
    return lambda **options: lab_beside(service, make_server, **options)


def due(server: Server) -> list[str]:
    """Return the titles of what is due."""
    messages = server.request("GET", f"/{NAMESPACE}/welcome").json()["messages"]
    return [message["title"] for message in messages]


def ids(server: Server) -> list[str]:
    messages = server.request("GET", f"/{NAMESPACE}/welcome").json()["messages"]
    return [message["id"] for message in messages]


def tell(server: Server, what: str, value: Any) -> None:
    answer = server.request("POST", f"/{NAMESPACE}/welcome/{what}", value)
    assert answer.status_code == 200, answer.text


def accepted(service: Service, id_: str) -> list[tuple[str, bool]]:
    """Return who has accepted the present text."""
    readers = service.ask("GET", f"/v1/admin/welcome/{id_}/readers")
    return [(one["user"], one["accepted_current"]) for one in readers]


def add(service: Service, **fields: Any) -> str:
    return str(service.ask("POST", "/v1/admin/welcome", {**POLICY, **fields})["id"])


def test_only_accepting_puts_it_away_and_the_service_knows_who_has(
    make: Callable[..., Server], service: Service
) -> None:
    id_ = add(service)
    server = make()
    with server.websocket():
        follows(server)
        wait_for(lambda: due(server) == ["Acceptable use"], "it to be due")
        (message,) = server.request("GET", f"/{NAMESPACE}/welcome").json()["messages"]
        assert message["must_accept"] is True
        assert message["dismissable"] is False
        tell(server, "seen", {"ids": ids(server)})
        tell(server, "dismiss", {"ids": ids(server)})
        tell(server, "dismiss", {"all": True})
        assert due(server) == ["Acceptable use"]
        assert (("ada", True) in accepted(service, id_)) is False
        tell(server, "accept", {"ids": [*ids(server), "nothing", "central:x:y"]})
        assert due(server) == []
        wait_for(lambda: ("ada", True) in accepted(service, id_), "the service to know")
        # A reset keeps acceptances, at the lab and at the service.
        tell(server, "reset", {})
        assert due(server) == []
        wait_for(lambda: server.status()["central"]["outbox"] == 0, "the service to be told")
        assert ("ada", True) in accepted(service, id_)
        # A changed text must be accepted again.
        service.ask("PATCH", f"/v1/admin/welcome/{id_}", {"body": "Be **very** kind."})
        wait_for(lambda: due(server) == ["Acceptable use"], "the new text to be due")
        assert ("ada", False) in accepted(service, id_)
    service.ask("DELETE", f"/v1/admin/welcome/{id_}")


def test_an_acceptance_survives_a_stopped_service_and_the_labs_restart(
    make: Callable[..., Server], service: Service
) -> None:
    id_ = add(service, title="Licence")
    server = make()
    with server.websocket():
        follows(server)
        wait_for(lambda: due(server) == ["Licence"], "it to be due")
        service.stop()
        tell(server, "accept", {"ids": ids(server)})
        assert due(server) == []
    server.restart()
    assert due(server) == []
    service.start()
    with server.websocket():
        wait_for(lambda: ("ada", True) in accepted(service, id_), "the service to know", 30)
        assert due(server) == []
    service.ask("DELETE", f"/v1/admin/welcome/{id_}")


def test_what_was_reset_elsewhere_is_due_again_while_events_are_followed(
    make: Callable[..., Server], service: Service
) -> None:
    """The next ordinary pass is half an hour away."""
    id_ = add(service, title="What is new", must_accept=False)
    # The interval that a site has by default.
    server = make(interval_s=60.0)
    with server.websocket():
        follows(server)
        wait_for(lambda: due(server) == ["What is new"], "it to be due")
        tell(server, "dismiss", {"ids": ids(server)})
        wait_for(lambda: server.status()["central"]["outbox"] == 0, "the service to be told")
        service.ask("POST", "/v1/welcome/reset", token=service.user)
        wait_for(lambda: due(server) == ["What is new"], "it to be due again", 60)
    service.ask("DELETE", f"/v1/admin/welcome/{id_}")
