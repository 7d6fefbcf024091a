"""A broadcast, pushed at a real hub to real servers of every kind.

One hub serves the whole module. The tests build on each other's state, in their order.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from jupyterhub_notify.configure import BOT, BOT_SCOPES, SERVICE_SCOPES
from jupyterhub_notify.delivery.pushes import Pusher
from jupyterhub_notify.delivery.servers import HubServers
from jupyterhub_notify.delivery.tokens import ServerTokens
from jupyterhub_notify.hubapi import HubApi, HubRefused

from . import routes
from .hubs import Hub, running, wait_for
from .kinds import Servers, site

# Starting ten servers takes long on a machine with two busy processors.
pytestmark = pytest.mark.timeout(400)

KINDS = {
    "pat": "plain",
    "ola": "older",
    "nia": "none",
    "fay": "plain",
    "kit": "recording",
    "mal": "recording",
    "sam": "recording",
    "nils": "plain",
    "carol@example.org": "plain",
    "o'brien": "plain",
}
RUNNING = ("ada", "pat", "ola", "nia", "fay", "kit", "mal", "nils/gpu")
QUOTED = ("carol@example.org", "o'brien")
SETTINGS = {"JUPYTERHUB_NOTIFY_PUSH_GRACE_S": "0", "JUPYTERHUB_NOTIFY_PUSH_LOOK_S": "2"}

#: Services that lack one scope of ours each, and bots; the first lack none.
POORER = [None, *SERVICE_SCOPES]
ROLES = f"""
c.JupyterHub.services += [
    {{"name": f"poorer-{{index}}", "api_token": f"poorer-{{index}}-token-of-the-test"}}
    for index in range({len(POORER)})
]
c.JupyterHub.load_roles += [
    {{"name": f"poorer-{{index}}", "services": [f"poorer-{{index}}"],
      "scopes": [scope for scope in {SERVICE_SCOPES!r} if scope != without]}}
    for index, without in enumerate({POORER!r}) if {SERVICE_SCOPES!r} != [without]
]
"""
#: A service that pushes past the proxy, as `configure(c, push_directly=True)` makes it.
DIRECT = f"""
c.JupyterHub.services += [{{"name": "direct", "api_token": "direct-token-of-the-test"}}]
c.JupyterHub.load_roles += [{{"name": "direct", "services": ["direct"],
    "scopes": [*{SERVICE_SCOPES!r}, "proxy"]}}]
"""
#: The service that looks for idle servers, with the role that it needs.
IDLE = """
# The Hub would ask the proxy after five minutes, perhaps in the middle of the test, when each
# server was last used.
c.JupyterHub.last_activity_interval = 0
c.JupyterHub.services += [{"name": "bot-idle", "api_token": "token-of-the-idle-bot"}]
c.JupyterHub.load_roles += [{"name": "idle", "services": ["bot-idle"], "scopes": [
    "list:users", "read:servers", "custom:notify:publish",
]}]
"""
TEXT = "Maintenance scheduled for **10 PM** tonight: save your work by then"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    hub = Hub(
        tmp_path_factory.mktemp("hub"),
        site=site(KINDS) + ROLES + DIRECT + IDLE,
        configure=f"environment={SETTINGS!r}",
    )
    with running(hub):
        hub.add_user("root")
        hub.add_user("sam")
        servers = Servers(hub)
        servers.start(*RUNNING, *QUOTED)
        # The lab of a server that knows the service says this when it starts.
        greeting = {"extension": "jupyterlab-notify-center", "version": "1"}
        answer = hub.request("POST", "/v1/hello", hub.token("ada"), json=greeting)
        assert answer.status_code == 200, answer.text
        servers.signal("fay", signal.SIGSTOP)
        servers.signal("kit", signal.SIGKILL)
        yield servers


@pytest.fixture(scope="module")
def sent(servers: Servers) -> str:
    """The id of the module's broadcast, to everyone."""
    body = {"summary": TEXT, "type": "warning", "banner": True, "body": "*Why*"}
    return str(servers.admin("POST", "/broadcasts", body)["id"])


def test_each_server_has_exactly_one_outcome(servers: Servers, sent: str) -> None:
    expected = {
        # Its lab asks by itself: nothing is pushed to it.
        "ada": "waiting",
        "pat": "stored",
        "ola": "stored",
        "nia": "no-extension",
        "fay": "not-responding",
        "kit": "not-responding",
        "mal": "stored",
        "nils/gpu": "stored",
        "carol@example.org": "stored",
        "o'brien": "stored",
        # No server of theirs runs.
        "sam": "waiting",
        "root": "waiting",
    }
    servers.become(sent, expected)
    found = servers.outcomes(sent)
    # The bot is a user of the hub, but no recipient.
    assert found.keys() == expected.keys()
    assert "503" in str(servers.reason(sent, "kit"))
    assert servers.reason(sent, "fay") == "no answer within 5 s"


def test_a_lab_shows_what_was_pushed(servers: Servers, sent: str) -> None:
    for name in ("pat", "nils/gpu", *QUOTED):
        (one,) = servers.notifications(name)
        assert (one["message"], one["type"], one["banner"]) == (TEXT, "warning", True)
        assert one["source"] == "JupyterHub"


def test_the_older_extension_gets_plain_text_that_it_can_draw(servers: Servers, sent: str) -> None:
    kept = servers.asked("ola", "jupyterlab-notifications-extension/notifications")
    (one,) = kept["notifications"]
    assert one["message"] == TEXT.replace("**", "")
    assert one["type"] == "warning"
    assert one["autoClose"] is False
    assert [action["label"] for action in one["actions"]] == ["Dismiss"]


def test_a_timeout_is_tried_again_and_shown_once(servers: Servers, sent: str) -> None:
    servers.signal("fay", signal.SIGCONT)
    # On a slow machine the second try, ten seconds after the first, may be over by now. The third
    # comes a minute after that.
    servers.become(sent, {"fay": "stored"}, 120)
    assert [one["message"] for one in servers.notifications("fay")] == [TEXT]


def test_one_line_a_delivery_is_logged_and_no_token(servers: Servers, sent: str) -> None:
    log = servers.hub.log
    text = "'Maintenance scheduled for 10 PM tonight: save your...' (warning)"
    assert f"[I] [Notification] pat: {text} - SUCCESS\n" in log
    assert f"[I] [Notification] nils/gpu: {text} - SUCCESS\n" in log
    assert f"[W] [Notification] nia: {text} - NO EXTENSION: " in log
    assert f"[W] [Notification] kit: {text} - NOT RESPONDING: " in log
    (request,) = servers.recorded("mal")
    assert token_of(request) not in log


def token_of(request: dict[str, Any]) -> str:
    """Return the token that a server was shown."""
    scheme, _, token = request["headers"]["authorization"].partition(" ")
    assert scheme == "token"
    return str(token)


def test_what_a_hostile_server_is_sent_opens_nothing_else(servers: Servers, sent: str) -> None:
    """The token opens the server that it was shown to: every other route refuses it."""
    hub = servers.hub
    # A push whose token surely lives still.
    hub_url = f"{hub.url}/hub/api"
    again = servers.admin("POST", "/broadcasts", {"summary": "Again", "users": ["mal"]})
    servers.become(again["id"], {"mal": "stored"})
    request = servers.recorded("mal")[-1]
    token = token_of(request)
    headers = {"Authorization": f"token {token}"}
    client = hub.client
    assert "cookie" not in request["headers"]
    opened = client.get(f"{hub_url}/user", headers=headers).json()
    assert opened["name"] == BOT
    # Of the bot itself it tells name and groups, by which the server knows who comes; nothing more.
    assert set(opened["scopes"]) == {
        "access:servers!server=mal/",
        f"read:users:name!user={BOT}",
        f"read:users:groups!user={BOT}",
    }
    taken = {}
    for user in ("ada", BOT, "mal"):
        for method, where in routes.of_hub(user):
            answer = client.request(method, hub_url + where, headers=headers, json={})
            if answer.status_code not in (403, 404):
                taken[method, where] = answer.status_code
    # The version, whose token it is, and a login that asks for a user's cookie.
    assert taken == {
        ("GET", "/"): 200,
        ("GET", "/user"): 200,
        ("GET", "/oauth2/authorize"): 302,
        ("POST", "/oauth2/token"): 400,
        # An error of JupyterHub's own, whoever asks.
        ("GET", "/authorizations/token"): 500,
    }
    for name in ("ada", "pat", "nils/gpu", *QUOTED):
        base = hub.origin + servers.model(name)["url"]
        for method, where in (*routes.JUPYTER_SERVER, *routes.documented("openapi.json")):
            answer = client.request(method, base + where, headers=headers, json={})
            assert answer.status_code in (403, 404), (name, method, where, answer.status_code)
            # A missing route is missing for everybody.
            assert answer.status_code == 403 or where == routes.OLDER_LIST, where
    for method, where in routes.documented("hub-openapi.json"):
        if where not in routes.OPEN:
            answer = hub.request(method, f"/{where}", token, json={})
            assert answer.status_code in (401, 403), (method, where, answer.status_code)


def test_tokens_are_revoked_when_nothing_is_pushed_any_more(servers: Servers, sent: str) -> None:
    request = servers.recorded("mal")[-1]
    headers = {"Authorization": f"token {token_of(request)}"}
    url = f"{servers.hub.url}/hub/api/user"

    def gone() -> bool:
        return servers.hub.client.get(url, headers=headers).status_code == 403

    wait_for(gone, "the revocation", 60)
    tokens = f"/users/{BOT}/tokens"
    wait_for(lambda: servers.hub.api("GET", tokens)["api_tokens"] == [], "all revocations")


def test_a_change_and_the_end_reach_whom_it_was_pushed_to(servers: Servers, sent: str) -> None:
    body = {"summary": "At eight", "users": ["pat", "ola"]}
    moved = servers.admin("POST", "/broadcasts", body)["id"]
    servers.become(moved, {"pat": "stored", "ola": "stored"})
    servers.admin("PATCH", f"/broadcasts/{moved}", {"summary": "At nine"})
    wait_for(lambda: servers.notifications("pat")[0]["message"] == "At nine", "the change")
    servers.admin("DELETE", f"/broadcasts/{moved}")
    wait_for(lambda: [one["message"] for one in servers.notifications("pat")] == [TEXT], "the end")
    # Its outcome stays: it was stored.
    assert servers.outcomes(moved) == {"pat": "stored", "ola": "stored"}


def test_a_server_that_starts_later_is_pushed_to_then(servers: Servers, sent: str) -> None:
    assert servers.outcomes(sent)["sam"] == "waiting"
    servers.start("sam")
    servers.become(sent, {"sam": "stored"}, 30)
    assert len(servers.recorded("sam")) == 1


def test_who_never_came_is_expired_at_the_end(servers: Servers) -> None:
    id_ = servers.admin("POST", "/broadcasts", {"summary": "Soon", "users": ["root"]})["id"]
    servers.become(id_, {"root": "waiting"})
    servers.admin("DELETE", f"/broadcasts/{id_}")
    servers.become(id_, {"root": "expired"})


def test_retry_reaches_what_failed_and_nobody_else(servers: Servers, sent: str) -> None:
    before = len(servers.recorded("mal"))
    # The Hub finds out that its process is gone, and starts another.
    servers.stop("kit")
    servers.start("kit")
    servers.admin("POST", f"/broadcasts/{sent}/retry")
    servers.become(sent, {"kit": "stored", "nia": "no-extension"}, 40)
    assert len(servers.recorded("kit")) == 1
    assert len(servers.recorded("mal")) == before


def test_a_receipt_corrects_the_ledger(servers: Servers, sent: str) -> None:
    receipts = {"receipts": [{"id": sent, "state": "shown", "tabs": 2}]}
    hub = servers.hub
    for user in ("ada", "nia"):
        answer = hub.request("POST", "/v1/receipts", hub.token(user), json=receipts)
        assert answer.status_code == 204, answer.text
    servers.become(sent, {"ada": "shown", "nia": "shown"})


def test_a_group_reaches_its_users_only(servers: Servers) -> None:
    id_ = servers.admin("POST", "/broadcasts", {"summary": "Staff", "groups": ["staff"]})["id"]
    servers.become(id_, {"ada": "waiting"})
    assert servers.outcomes(id_) == {"ada": "waiting"}


async def never() -> bool:
    """Fail: the older extension's route must not be used."""
    raise AssertionError


async def test_past_the_proxy_a_push_arrives_and_is_no_activity(servers: Servers) -> None:
    name = "carol@example.org"

    def seen() -> str:
        """Return when the proxy last forwarded a request to the server."""
        routes = servers.hub.api("GET", "/proxy").values()
        return next(
            str(r["data"]["last_activity"]) for r in routes if r["data"].get("user") == name
        )

    before = seen()
    hub_api = f"{servers.hub.url}/hub/api"
    poorer = HubApi(hub_api, "poorer-0-token-of-the-test")
    with pytest.raises(HubRefused):
        await HubServers(poorer, proxy_url=None, direct=True).users(running=True)
    await poorer.close()
    api = HubApi(hub_api, "direct-token-of-the-test")
    tokens = ServerTokens(api, bot=BOT, at_once=1)
    pusher = Pusher(timeout_s=5, at_once=1)
    try:
        users = await HubServers(api, proxy_url=None, direct=True).users(running=True)
        (server,) = next(user for user in users if user.name == name).servers
        assert server.target is not None
        assert not server.target.url.startswith(servers.hub.origin)
        token, _ = await tokens.of(name, "")
        body = {"message": "Directly"}
        pushed = await pusher.push(server.target, token, "direct", body, {}, never)
        assert pushed.outcome == "stored"
        await tokens.revoke_all()
    finally:
        await pusher.close()
        await api.close()
    assert seen() == before
    assert "Directly" in [one["message"] for one in servers.notifications(name)]
    # This one went through the proxy.
    assert seen() > before


@pytest.mark.parametrize("without", SERVICE_SCOPES)
async def test_no_scope_of_the_service_can_be_left_out(servers: Servers, without: str) -> None:
    def api(scope: str | None) -> HubApi:
        token = f"poorer-{POORER.index(scope)}-token-of-the-test"
        return HubApi(f"{servers.hub.url}/hub/api", token)

    async def works(api: HubApi) -> bool:
        try:
            users = await HubServers(api, proxy_url=servers.hub.url).users(running=True)
            tokens = ServerTokens(api, bot=BOT, at_once=1)
            await tokens.of("mal", "")
            await tokens.revoke_all()
        except HubRefused:
            return False
        finally:
            await api.close()
        found = {user.name: user for user in users}
        return found["ada"].groups == {"staff"} and bool(found["ada"].servers)

    assert await works(api(None))
    assert not await works(api(without))


def test_the_bot_can_open_servers_only_by_its_one_scope(servers: Servers) -> None:
    hub = servers.hub
    assert BOT_SCOPES == ["access:servers"]
    hub.add_user("poor-bot")
    body = {"scopes": ["access:servers!server=mal/"]}
    url = f"{hub.url}/hub/api/users/poor-bot/tokens"
    headers = {"Authorization": f"Bearer {hub.tokens['ops']}"}
    answer = hub.client.post(url, json=body, headers=headers)
    assert answer.status_code in (400, 403), answer.text


def test_the_command_line_waits_and_tells_of_failures(servers: Servers) -> None:
    words = ("broadcast", "From the *shell*", "--type", "error")
    sent = servers.command(*words, "--user", "pat", "--user", "nia", "--wait", "30", "--json")
    assert sent.returncode == 3, sent.stderr
    result = json.loads(sent.stdout)
    assert result["counts"] == {"stored": 1, "no-extension": 1}
    rows = {row["user"]: row for row in result["recipients"]}
    assert rows["pat"] == {"user": "pat", "server": "", "outcome": "stored", "reason": None}
    assert "404" in rows["nia"]["reason"]
    shown = servers.command("show", result["id"], "--json")
    assert len(json.loads(shown.stdout)["recipients"]) == 2
    assert servers.command("retry", result["id"]).returncode == 0
    servers.become(result["id"], {"pat": "stored", "nia": "no-extension"})
    well = servers.command(*words, "--user", "pat", "--wait", "30", "--json")
    assert well.returncode == 0, well.stderr


def test_idle_users_are_warned_until_they_are_active_and_told_why_it_stopped(
    servers: Servers,
) -> None:
    hub = servers.hub

    def look(cull_after: float, after: float = 20) -> None:
        ran = servers.command(
            *("warn-idle", "--once", "--cull-after", str(cull_after)),
            *("--warn-before", str(cull_after - after), "--hub-api", f"{hub.url}/hub/api"),
            JUPYTERHUB_API_TOKEN="token-of-the-idle-bot",
            JUPYTERHUB_NOTIFY_TOKEN="token-of-the-idle-bot",
        )
        assert ran.returncode == 0, ran.stderr

    def messages(user: str) -> list[dict[str, Any]]:
        url = "/v1/notifications/messages"
        return list(hub.get(url, hub.token(user)).json())

    def idle_s(user: str) -> float:
        last = datetime.fromisoformat(servers.model(user)["last_activity"].replace("Z", "+00:00"))
        return (datetime.now(timezone.utc) - last).total_seconds()

    wait_for(lambda: min(idle_s("mal"), idle_s("kit")) > 20, "their idleness")
    look(600)
    (warning,), (other,) = messages("mal"), messages("kit")
    assert "will be stopped at" in warning["summary"]["gfm"]
    look(600)
    assert (messages("mal"), messages("kit")) == ([warning], [other])
    active = {"last_activity": now_text()}
    hub.api("POST", "/users/kit/activity", {"servers": {"": active}, **active})
    look(600)
    assert (messages("mal"), messages("kit")) == ([warning], [])
    # The warning stays for as long after the end as it came before: for a slow machine, too.
    cull_after = idle_s("mal") + 2
    look(cull_after, after=1)
    (warning,) = messages("mal")
    wait_for(lambda: idle_s("mal") > cull_after + 1, "the time to stop it")
    servers.stop("mal")
    look(cull_after, after=1)
    (told,) = messages("mal")
    assert "was stopped at" in told["summary"]["gfm"]
    look(cull_after, after=1)
    assert messages("mal") == [told]


def now_text() -> str:
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def test_no_text_of_a_message_but_the_line_is_logged(servers: Servers) -> None:
    lines = [line for line in servers.hub.log.splitlines() if "Maintenance scheduled" in line]
    assert lines
    assert all(re.match(r"\[[IWE]\] \[Notification\] ", line) for line in lines)
