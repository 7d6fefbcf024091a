"""The main outcomes of delivery at a JupyterHub 5 whose environment has only one file of ours."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from .hubs import HUB5, Hub, running
from .kinds import Servers, site

# Starting servers takes long on a machine with two busy processors.
pytestmark = pytest.mark.timeout(400)

KINDS = {"pat": "plain", "ola": "older", "nia": "none", "kit": "recording", "sam": "recording"}
SETTINGS = {"JUPYTERHUB_NOTIFY_PUSH_GRACE_S": "0", "JUPYTERHUB_NOTIFY_PUSH_LOOK_S": "2"}
TEXT = "Maintenance at **ten**"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    hub = Hub(
        tmp_path_factory.mktemp("hub"),
        site=site(KINDS),
        configure=f"environment={SETTINGS!r}",
        python=HUB5,
        base_url="/prefix/",
    )
    with running(hub):
        for name in ("root", "sam", "notify-bot"):
            hub.add_user(name)
        servers = Servers(hub)
        servers.start("ada", "pat", "ola", "nia", "kit", "pat/gpu")
        greeting = {"extension": "jupyterlab-notify-center", "version": "1"}
        answer = hub.request("POST", "/v1/hello", hub.token("ada"), json=greeting)
        assert answer.status_code == 200, answer.text
        servers.signal("kit", signal.SIGKILL)
        yield servers


def test_each_server_has_exactly_one_outcome(servers: Servers) -> None:
    sent = str(servers.admin("POST", "/broadcasts", {"summary": TEXT, "banner": True})["id"])
    expected = {
        # Its lab asks by itself: nothing is pushed to it.
        "ada": "waiting",
        "pat": "stored",
        "pat/gpu": "stored",
        "ola": "stored",
        "nia": "no-extension",
        "kit": "not-responding",
        # No server of theirs runs.
        "sam": "waiting",
        "root": "waiting",
    }
    servers.become(sent, expected)
    assert servers.outcomes(sent).keys() == expected.keys()
    # Both servers of one home have it once.
    for name in ("pat", "pat/gpu"):
        (one,) = servers.notifications(name)
        assert (one["message"], one["banner"]) == (TEXT, True)

    # A user who comes later has it then; a failed delivery is tried again.
    servers.start("sam")
    servers.become(sent, {"sam": "stored"}, 60)
    servers.stop("kit")
    servers.start("kit")
    servers.admin("POST", f"/broadcasts/{sent}/retry")
    servers.become(sent, {"kit": "stored", "nia": "no-extension"}, 40)

    # The token opens the server that it was shown to, and nothing else.
    scheme, _, token = servers.recorded("sam")[-1]["headers"]["authorization"].partition(" ")
    assert scheme == "token"
    hub = servers.hub
    headers = {"Authorization": f"token {token}"}
    scopes = hub.client.get(f"{hub.url}/hub/api/user", headers=headers).json()["scopes"]
    assert "access:servers!server=sam/" in scopes
    for where in ("/users", "/users/ada", "/groups", "/proxy"):
        answer = hub.client.get(f"{hub.url}/hub/api{where}", headers=headers)
        assert answer.status_code in (403, 404), where
    url = hub.origin + servers.model("pat")["url"]
    assert hub.client.get(f"{url}api/contents", headers=headers).status_code == 403

    servers.admin("DELETE", f"/broadcasts/{sent}")
    servers.become(sent, {"ada": "expired", "root": "expired"})
