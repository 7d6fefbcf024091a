"""A broadcast, pushed at a real hub to real servers of every kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .hubs import Hub, running
from .kinds import Servers, site

KINDS = {"pat": "plain"}
SETTINGS = {"JUPYTERHUB_NOTIFY_PUSH_GRACE_S": "0", "JUPYTERHUB_NOTIFY_PUSH_LOOK_S": "2"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    hub = Hub(
        tmp_path_factory.mktemp("hub"), site=site(KINDS), configure=f"environment={SETTINGS!r}"
    )
    with running(hub):
        hub.add_user("root")
        servers = Servers(hub)
        servers.start("pat")
        yield servers


def test_thin(servers: Servers) -> None:
    sent = servers.admin("POST", "/broadcasts", {"summary": "Hello **pat**", "type": "warning"})
    try:
        servers.become(sent["id"], {"pat": "stored"})
    finally:
        print(servers.hub.log[-6000:])
    assert [one["message"] for one in servers.notifications("pat")] == ["Hello **pat**"]
