"""Addresses from a real Hub's auth state: shown only with its scope, and nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyterhub_notify.channels import make_channels
from jupyterhub_notify.channels.addresses import HubAddresses
from jupyterhub_notify.channels.channel import ChannelError
from jupyterhub_notify.channels.settings import ChannelsError, ChannelSettings
from jupyterhub_notify.hubapi import HubApi

from .hubs import Hub, running, wait_for
from .mailing import MailServer, mail_server

SITE = """
import os
from jupyterhub.auth import DummyAuthenticator

os.environ["JUPYTERHUB_CRYPT_KEY"] = "5e" * 32
MAILS = {"ada": "a.lovelace@example.com", "eve": "eve@example.com, everybody@example.com"}


class WithAddresses(DummyAuthenticator):
    async def authenticate(self, handler, data):
        name = await super().authenticate(handler, data)
        user = {"email": MAILS[name]} if name in MAILS else {}
        return name and {"name": name, "auth_state": {"oauth_user": user, "access_token": "s3cret"}}


c.JupyterHub.authenticator_class = WithAddresses
c.Authenticator.enable_auth_state = True
c.JupyterHub.load_roles += [
    {"name": "notify-addresses", "services": ["notify"], "scopes": ["admin:auth_state"]},
]
"""
CHANNELS = """
after: 1s
mail:
  host: 127.0.0.1
  port: PORT
  starttls: false
  sender: notify@example.org
  address: "{username}@example.org"
  address_from_auth_state: oauth_user.email
"""


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, server: MailServer) -> Iterator[Hub]:
    directory = tmp_path_factory.mktemp("hub")
    channels = directory / "channels.yaml"
    channels.write_text(CHANNELS.replace("PORT", str(server.port)))
    environment = {"JUPYTERHUB_NOTIFY_CHANNELS": str(channels)}
    with running(Hub(directory, site=SITE, configure=f"environment={environment!r}")) as hub:
        for name in ("root", "ada", "bob", "eve"):
            hub.browser(name).close()
        yield hub


def test_important_broadcasts_go_to_the_addresses_that_the_hub_has(
    hub: Hub, server: MailServer
) -> None:
    body = {"summary": "The disk is full", "important": True, "groups": ["staff"]}
    sent = hub.request(
        "POST", "/v1/admin/broadcasts", hub.token("root"), json={**body, "users": ["bob", "eve"]}
    )
    assert sent.status_code == 200, sent.text
    wait_for(lambda: len(server.mails) == 2, "mail to Ada and Bob")
    # Bob's address is made of the name; what Eve has is two, and neither is written to.
    assert {mail["To"] for mail in server.mails} == {"a.lovelace@example.com", "bob@example.org"}

    def states() -> dict[str, int]:
        answer = hub.get("/v1/admin/channels", hub.token("root")).json()
        return {one["state"]: one["count"] for one in answer}

    wait_for(lambda: states() == {"sent": 2, "cancelled": 1}, "the record of them")
    for name, reaches in (("ada", True), ("eve", False)):
        [channel] = hub.get("/v1/channels", hub.token(name)).json()["channels"]
        assert (channel["name"], channel["reaches"]) == ("mail", reaches)
    log = hub.log
    assert "s3cret" not in log
    assert "lovelace" not in log


async def test_without_the_scope_it_says_which_is_missing(hub: Hub) -> None:
    narrow = hub.token("root", scopes=["read:users"])
    api = HubApi(f"{hub.url}/hub/api", narrow)
    try:
        with pytest.raises(ChannelError, match="needs the scope 'admin:auth_state'"):
            await HubAddresses(api, "email").of("ada")
        assert await HubAddresses(api, "email").of("nobody") is None
    finally:
        await api.close()
    away = HubApi("http://127.0.0.1:9/hub/api", "x")
    with pytest.raises(ChannelError, match="does not answer"):
        await HubAddresses(away, "email").of("ada")
    await away.close()


def test_a_service_without_a_hub_says_so_at_its_start() -> None:
    mail = {"host": "x", "sender": "a@b", "address_from_auth_state": "email"}
    settings = ChannelSettings.model_validate({"mail": mail})
    with pytest.raises(ChannelsError, match="this service has no hub"):
        make_channels(settings)
