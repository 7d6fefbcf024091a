"""The two lines at real hubs, 6.x and 5.x, with difficult configurations."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from .hubs import BIN, HUB5, NAVIGATION, Hub, running
from .ports import free_ports

CENTRAL_URL = "JUPYTERLAB_NOTIFY_CENTRAL_URL"

#: Everything that a site may have configured before, at once.
OWN_ROLES = """
c.JupyterHub.load_roles += [
    {"name": "user", "description": "ours", "scopes": ["self", "list:services"]},
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", "list:services"]},
]
c.SimpleLocalProcessSpawner.environment = {"OF_THE_SITE": "kept"}
c.SimpleLocalProcessSpawner.server_token_scopes = lambda spawner: []
c.JupyterHub.custom_scopes = {"custom:site:x": {"description": "The site's own"}}
"""

#: Roles that come from the authenticator, and servers that may do whatever their users may.
MANAGED_ROLES = """
from jupyterhub.auth import DummyAuthenticator

class Managing(DummyAuthenticator):
    async def load_managed_roles(self):
        return [
            {"name": "notify-bot", "users": ["notify-bot"], "scopes": ["access:servers"]},
            {"name": "readers", "users": ["ada", "root"], "scopes": ["list:services"]},
        ]

c.JupyterHub.authenticator_class = Managing
c.Managing.manage_roles = True
c.Managing.reset_managed_roles_on_startup = True
c.Managing.password = c.DummyAuthenticator.password
c.SimpleLocalProcessSpawner.server_token_scopes = ["inherit"]
"""

INTERNAL_SSL = """
c.JupyterHub.internal_ssl = True
c.ConfigurableHTTPProxy.api_url = c.ConfigurableHTTPProxy.api_url.replace("http:", "https:")
"""

HUB6 = Path(sys.executable)


@dataclass(frozen=True)
class Case:
    python: Path
    site: str
    base_url: str = "/"


CASES = {
    "6, roles of the site's own": Case(HUB6, OWN_ROLES, "/a/b/"),
    "5, roles of the site's own": Case(HUB5, OWN_ROLES),
    "6, managed roles": Case(HUB6, MANAGED_ROLES),
    "5, managed roles": Case(HUB5, MANAGED_ROLES, "/prefix/"),
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    case: Case = request.param
    made = Hub(
        tmp_path_factory.mktemp("hub"),
        site=case.site,
        python=case.python,
        base_url=case.base_url,
        lab=False,
    )
    with running(made):
        yield made


def test_the_two_lines_are_enough(hub: Hub) -> None:
    """A server knows the service and is let in, and keeps what the site gave it."""
    ada = hub.spawn("ada")
    url, token = ada[CENTRAL_URL], ada["JUPYTERHUB_API_TOKEN"]
    answer = httpx.get(f"{url}v1/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "ada"
    assert hub.me(token)["kind"] == "user"
    hub.api("GET", "/services", token=token)
    hub.api("POST", "/users/ada/activity", {"last_activity": "2020-01-01T00:00:00Z"}, token=token)
    if "OF_THE_SITE" in hub.config_file.read_text():
        assert ada["OF_THE_SITE"] == "kept"
    # Nobody else's server.
    hub.add_user("bob")
    with pytest.raises(RuntimeError, match=r"40[34]"):
        hub.api("DELETE", "/users/bob/server", token=token)

    # An administrator's server: its token may have all of their scopes, and administers nothing.
    root = hub.spawn("root")
    me = hub.me(root["JUPYTERHUB_API_TOKEN"])
    assert (me["name"], me["admin"], me["publish_as"]) == ("root", False, [])
    assert hub.me(hub.token("root"))["admin"]
    browser = hub.browser("root")
    page = f"{hub.base_url}services/notify/v1/me"
    answer = browser.get(f"{hub.service}/login", params={"next": page}, headers=NAVIGATION)
    assert answer.json()["admin"]

    # The bot reaches servers, and is nobody who logs in.
    assert "notify-bot" in hub.api("GET", "/users/notify-bot")["roles"]
    with pytest.raises(PermissionError):
        hub.browser("notify-bot")
    quota = hub.me(hub.tokens["quota"])
    assert quota["publish_as"] == ["bot-quota"]
    assert quota["send_groups"] == ["staff"]


class Loopback(httpx.HTTPTransport):
    """Resolves every host name to this machine, as a site's name server would."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        there = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(there)


def test_a_hub_with_a_domain_for_each_user(tmp_path: Path) -> None:
    hub = Hub(tmp_path, lab=False, domain="hub.test")
    hub.client = httpx.Client(trust_env=False, timeout=30, transport=Loopback())
    with running(hub):
        ada = hub.spawn("ada")
        headers = {"Authorization": f"Bearer {ada['JUPYTERHUB_API_TOKEN']}"}
        answer = httpx.get(f"{ada[CENTRAL_URL]}v1/me", headers=headers, trust_env=False)
        assert answer.json()["name"] == "ada"
        browser = hub.browser("root", transport=Loopback())
        # There the script is not found, and could read nothing.
        assert "hub-pages.js" not in browser.get(f"{hub.url}/hub/home", headers=NAVIGATION).text
        page = "/services/notify/v1/me"
        answer = browser.get(f"{hub.service}/login", params={"next": page}, headers=NAVIGATION)
        assert answer.url.host == httpx.URL(hub.service).host
        assert answer.json()["admin"]


def test_a_hub_that_encrypts_between_its_parts(tmp_path: Path) -> None:
    """With `internal_ssl` the service asks the Hub with its certificate; servers ask the proxy."""
    hub = Hub(tmp_path, lab=False, site=INTERNAL_SSL)
    with running(hub):
        hub.add_user("root")
        assert hub.me(hub.token("root"))["admin"]
        browser = hub.browser("root")
        page = "/services/notify/v1/me"
        answer = browser.get(f"{hub.service}/login", params={"next": page}, headers=NAVIGATION)
        assert answer.json()["admin"]
    assert "https://127.0.0.1" in hub.log


def test_a_service_that_runs_elsewhere(tmp_path: Path) -> None:
    """Somebody else starts the service, with the token that both know."""
    (port,) = free_ports(1)
    token = secrets.token_hex(16)
    hub = Hub(
        tmp_path,
        lab=False,
        python=HUB5,
        base_url="/prefix/",
        configure=f'url="http://127.0.0.1:{port}", api_token={token!r}',
    )
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")},
        "JUPYTERHUB_API_TOKEN": token,
        "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub.hub_port}/prefix/hub/api",
        "JUPYTERHUB_BASE_URL": "/prefix/",
        "JUPYTERHUB_SERVICE_PREFIX": "/prefix/services/notify/",
    }
    with (tmp_path / "service.log").open("wb") as log:
        service = subprocess.Popen(
            [str(BIN / "jupyterhub-notify"), "serve", "--port", str(port)],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        with running(hub):
            ada = hub.spawn("ada")
            assert ada[CENTRAL_URL] == f"http://127.0.0.1:{port}/prefix/services/notify/"
            assert hub.me(ada["JUPYTERHUB_API_TOKEN"])["name"] == "ada"
            browser = hub.browser("root")
            page = "/prefix/services/notify/v1/me"
            answer = browser.get(f"{hub.service}/login", params={"next": page}, headers=NAVIGATION)
            assert answer.json()["admin"]
        # While the hub is down, the answer says so and when to come again; it heals by itself.
        unknown = {"Authorization": f"Bearer {secrets.token_hex(16)}"}
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/me", headers=unknown, trust_env=False)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        known = {"Authorization": f"Bearer {ada['JUPYTERHUB_API_TOKEN']}"}
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/me", headers=known, trust_env=False)
        assert answer.json()["name"] == "ada"
    finally:
        service.terminate()
        service.wait(15)
    text = (tmp_path / "service.log").read_text()
    for secret in (token, ada["JUPYTERHUB_API_TOKEN"]):
        assert secret not in text
