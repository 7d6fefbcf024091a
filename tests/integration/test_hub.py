"""A real JupyterHub pushes through its proxy, with tokens that its API made."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..support.hub import MESSENGER, HubClient
from ..support.ingest import HUB_PAYLOAD
from ..support.sending import Api
from ..support.servers import ALIAS, NAMESPACE, ROOT, wait_for

PATHS = pytest.mark.parametrize("prefix", [NAMESPACE, ALIAS])


@dataclass
class Ada:
    """A user of the hub with her running server."""

    hub: HubClient
    server: str
    token: str
    messenger_token: str
    log_file: str

    def request(
        self, method: str, path: str, token: str | None, json: Any = None
    ) -> httpx.Response:
        return self.hub.client.request(
            method,
            self.server + path,
            json=json,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )

    def push(self, token: str | None, prefix: str = NAMESPACE) -> httpx.Response:
        return self.request("POST", f"/{prefix}/ingest", token, HUB_PAYLOAD)

    def page(self) -> dict[str, Any]:
        page: dict[str, Any] = self.request("GET", f"/{NAMESPACE}/notifications", self.token).json()
        return page


@pytest.fixture(scope="module")
def ada() -> Iterator[Ada]:
    """Run the hub as a script, as the browser tests do; it ends with its input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.hub", "--user", "ada"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "The hub did not start; it said above why."
        where = json.loads(line)
        hub = HubClient(where["url"], where["service_token"])
        hub.add_user("bob")
        yield Ada(hub, where["server"], where["token"], where["messenger_token"], where["log"])
        hub.client.close()
    finally:
        process.stdin.close()
        try:
            assert process.wait(30) == 0
        finally:
            process.kill()
    with pytest.raises(httpx.TransportError):
        httpx.get(where["url"], trust_env=False)


@PATHS
def test_a_hub_pushes_with_a_five_minute_token_of_the_users(ada: Ada, prefix: str) -> None:
    answer = ada.push(ada.hub.token("ada", note="notification"), prefix)
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert receipt["success"] is True
    assert receipt["durable"] is True
    row = ada.page()["notifications"][0]
    assert row["id"] == receipt["notification_id"]
    assert row["message"] == HUB_PAYLOAD["message"]
    assert row["source"] == "Jupyter", "not the user's own word"


def test_the_source_of_a_services_message_is_the_services_name(ada: Ada) -> None:
    assert ada.push(ada.messenger_token).status_code == 200
    assert ada.page()["notifications"][0]["source"] == MESSENGER


@PATHS
@pytest.mark.parametrize(
    "whose", ["none", "wrong", "another user's", "without access", "expired", "revoked"]
)
def test_who_may_not_reach_the_server_is_refused_and_nothing_is_stored(
    ada: Ada, prefix: str, whose: str
) -> None:
    assert ada.push(ada.token).status_code == 200
    before = ada.page()
    token: str | None
    if whose == "none":
        token = None
    elif whose == "wrong":
        token = "0" * 32
    elif whose == "another user's":
        token = ada.hub.token("bob")
    elif whose == "without access":
        token = ada.hub.token("ada", scopes=["read:users!user=ada"])
    elif whose == "expired":
        token = ada.hub.token("ada", expires_in=1)
        # The server caches the Hub's answer about a token for minutes, so use it only once expired.
        wait_for(lambda: not ada.hub.knows(token), "the token to expire")
    else:
        made = ada.hub.api("POST", "/users/ada/tokens", {"expires_in": 300})
        ada.hub.api("DELETE", f"/users/ada/tokens/{made['id']}")
        token = made["token"]
    for method, path in (
        ("POST", f"/{prefix}/ingest"),
        ("PUT", f"/{prefix}/ingest/key"),
        ("DELETE", f"/{prefix}/ingest/{before['notifications'][0]['id']}"),
    ):
        answer = ada.request(method, path, token, HUB_PAYLOAD)
        assert answer.status_code == 403, (method, answer.text)
        assert answer.json()["success"] is False
    # They cannot read the list either.
    listed = ada.request("GET", f"/{NAMESPACE}/notifications", token)
    assert listed.status_code == 403
    assert HUB_PAYLOAD["message"] not in listed.text
    after = ada.page()
    assert after["notifications"] == before["notifications"]
    assert after["cursor"] == before["cursor"]


def test_a_kernel_and_a_terminal_of_the_users_server_send_without_being_told_where(
    ada: Ada,
) -> None:
    api = Api(ada.server, ada.token)
    with api.kernel("deep/train.ipynb") as kernel:
        kernel.ok("from jupyterlab_notify import notify\n%load_ext jupyterlab_notify")
        id_ = kernel.ok("await notify.asend('From a kernel')").strip("'")
        assert ada.page()["notifications"][0]["id"] == id_
        kernel.ok("%%notify --after 0 Cell\npass", "c1")
        kernel.ok("assert notify.flush()")
        told = ada.page()["notifications"][0]
        assert told["message"].startswith("Cell: done in ")
        assert told["actions"][0]["args"] == {"path": "deep/train.ipynb", "cellId": "c1"}
        # The hub's token is for this server, and for no other.
        ran = kernel.run(f"notify.configure(url={ada.hub.url!r} + '/user/bob')")
        assert "BadUsage: There is no token for " in ran.error
    with api.terminal() as terminal:
        # A login shell takes its PATH from the machine.
        code, shown = terminal.run(f"{sys.executable} -m jupyter_notify send 'From a terminal'")
        assert code == 0, shown
    wait_for(lambda: ada.page()["notifications"][0]["message"] == "From a terminal", "the message")


def test_no_text_and_no_token_is_in_the_logs(ada: Ada) -> None:
    token = ada.hub.token("ada")
    ada.push(token)
    log = Path(ada.log_file).read_text()
    assert f"/{NAMESPACE}/ingest" in log
    assert HUB_PAYLOAD["message"] not in log
    assert token not in log
