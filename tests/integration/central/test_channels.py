"""The central service's other channels, seen and changed through the lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ...support.central import Central
from ...support.central_lab import Make
from ...support.servers import NAMESPACE, Server
from ...support.service import Service, lab_beside

PATH = f"/{NAMESPACE}/channels"
NONE = {
    "channels": [],
    "digest": "none",
    "quietFrom": None,
    "quietUntil": None,
    "timezone": "UTC",
}
# Nobody listens at port 9, and nothing is sent.
CHANNELS = """
mail: {host: 127.0.0.1, port: 9, sender: n@example.org, address: "bob@example.org"}
apprise:
  - {name: chat, url: "json://127.0.0.1:9/{username}"}
"""


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service that has channels."""
    directory = tmp_path_factory.mktemp("away")
    service = Service(directory)
    (directory / "channels.yaml").write_text(CHANNELS)
    try:
        yield service.start(JUPYTERHUB_NOTIFY_CHANNELS=str(directory / "channels.yaml"))
    finally:
        service.stop()


def test_what_is_chosen_in_the_lab_is_the_services_and_the_users_own(
    make_server: Callable[..., Server], away: Service
) -> None:
    server = lab_beside(away, make_server)
    found = server.request("GET", PATH).json()
    assert found == {
        **NONE,
        "channels": [
            {"name": "mail", "on": True, "reaches": True},
            {"name": "chat", "on": True, "reaches": True},
        ],
    }
    change = {
        "on": {"chat": False},
        "digest": "daily",
        "quietFrom": "22:00",
        "quietUntil": "07:00",
        "timezone": "Europe/Berlin",
    }
    changed = server.request("PATCH", PATH, json=change)
    assert changed.status_code == 200
    kept = away.ask("GET", "/v1/channels", token=away.user)
    assert [one["on"] for one in kept["channels"]] == [True, False]
    assert (kept["digest"], kept["quiet_from"], kept["timezone"]) == (
        "daily",
        "22:00",
        "Europe/Berlin",
    )
    assert changed.json() == server.request("GET", PATH).json()
    # A field that is not there stays; null takes the quiet hours away.
    one = server.request("PATCH", PATH, json={"quietFrom": None}).json()
    assert (one["quietFrom"], one["quietUntil"], one["digest"]) == (None, "07:00", "daily")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quietFrom": "25:00"}, "Field quietFrom: must be a time of day such as 22:00"),
        ({"digest": "never"}, "Field digest"),
        ({"on": {"chat": 1}}, "Field on.chat"),
        ({"on": {"pigeon": True}}, "does not know such a channel or time zone"),
        ({"timezone": "Mars"}, "does not know such a channel or time zone"),
    ],
)
def test_a_choice_that_is_no_good_changes_nothing(
    make_server: Callable[..., Server], away: Service, change: Any, words: str
) -> None:
    server = lab_beside(away, make_server)
    before = server.request("GET", PATH).json()
    answer = server.request("PATCH", PATH, json=change)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert server.request("GET", PATH).json() == before


def test_there_are_none_without_a_service_or_at_one_that_has_none(
    make_server: Callable[..., Server], make: Make, service: Service
) -> None:
    for server in (make_server(), make()):
        assert server.request("GET", PATH).json() == NONE
        assert server.request("PATCH", PATH, json={"digest": "daily"}).status_code == 404
    assert lab_beside(service, make_server).request("GET", PATH).json() == NONE


def test_a_service_that_is_away_is_said(make: Make, central: Central) -> None:
    server = make()
    central.fault("status", status=503, retry_after=7)
    try:
        answer = server.request("GET", PATH)
    finally:
        central.fault(None)
    assert answer.status_code == 503
    assert answer.json()["message"] == "The central service answered 503 Service Unavailable."
    assert answer.headers["Retry-After"] == "7"
