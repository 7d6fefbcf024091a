"""Identity at a real hub, through its proxy: tokens, the login of a page, and permissions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import pytest

from .hubs import FETCH, NAVIGATION, Hub, running

SITE = """
c.SimpleLocalProcessSpawner.environment = {"OF_THE_SITE": "kept"}
c.JupyterHub.load_roles += [
    {"name": "announcers", "users": ["amy"], "scopes": ["custom:notify:admin"]},
    {"name": "teachers", "users": ["tom"], "scopes": ["custom:notify:publish!group=staff"]},
]
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = Hub(tmp_path_factory.mktemp("hub"), site=SITE, base_url="/prefix/")
    with running(made):
        for name in ("ada", "bob", "root"):
            made.add_user(name)
        yield made


def test_a_token_with_all_of_a_users_scopes_is_that_user(hub: Hub) -> None:
    ada = hub.me(hub.token("ada"))
    assert ada == {
        "name": "ada",
        "kind": "user",
        "groups": ["staff"],
        "admin": False,
        "publish_as": [],
        "send_groups": [],
    }


def test_an_administrators_own_token_administers(hub: Hub) -> None:
    root = hub.me(hub.token("root"))
    assert root["admin"]
    assert root["publish_as"] == ["*"]
    assert root["send_groups"] == ["*"]


def test_an_administrators_token_with_fewer_scopes_does_not_administer(hub: Hub) -> None:
    narrow = hub.token("root", scopes=["access:services!service=notify"])
    me = hub.me(narrow)
    assert (me["name"], me["admin"], me["publish_as"]) == ("root", False, [])


def test_a_token_without_access_may_nothing(hub: Hub) -> None:
    token = hub.token("ada", scopes=["read:users!user=ada"])
    answer = hub.get("/v1/me", token)
    assert answer.status_code == 403
    assert "access:services!service=notify" in answer.text
    assert token not in answer.text


def test_nobody_is_anonymous_and_a_wrong_token_is_refused(hub: Hub) -> None:
    assert hub.me()["kind"] == "anonymous"
    for wrong in ["f" * 32, "no-such-token", "x" * 4096]:
        answer = hub.get("/v1/me", wrong)
        assert answer.status_code == 401
        assert wrong not in answer.text
    broken = hub.get("/v1/me", headers={"Authorization": "Bearer a b"})
    assert broken.status_code == 401


def test_a_service_publishes_under_its_own_name_to_the_groups_of_its_scopes(hub: Hub) -> None:
    quota = hub.me(hub.tokens["quota"])
    assert quota["kind"] == "service"
    assert quota["publish_as"] == ["bot-quota"]
    assert quota["send_groups"] == ["staff"]
    assert not quota["admin"]


def test_a_service_without_our_scopes_is_not_let_in(hub: Hub) -> None:
    assert hub.get("/v1/me", hub.tokens["none"]).status_code == 403


def test_a_service_of_the_hubs_administrators_is_no_administrator_here(hub: Hub) -> None:
    me = hub.me(hub.tokens["ops"])
    assert not me["admin"]
    assert not me["publish_as"]


def test_a_deleted_token_ends_at_the_latest_when_the_answer_is_too_old(hub: Hub) -> None:
    """The Hub's answer is kept for at most `cache_max_age`; a new token is asked for."""
    made = hub.api("POST", "/users/ada/tokens", {"expires_in": 600})
    hub.api("DELETE", f"/users/ada/tokens/{made['id']}")
    assert hub.get("/v1/me", made["token"]).status_code == 401


def test_a_role_lets_a_user_administer_by_a_token_made_for_it_and_by_login(hub: Hub) -> None:
    me = hub.me(hub.token("amy", scopes=["custom:notify:admin"]))
    assert (me["name"], me["admin"]) == ("amy", True)
    other = hub.me(hub.token("amy", scopes=["access:services!service=notify"]))
    assert (other["name"], other["admin"]) == ("amy", False)
    browser = login(hub, "amy")
    assert browser.get(f"{hub.service}/v1/me", headers=NAVIGATION).json()["admin"]


def test_a_role_lets_a_user_publish_to_one_group_by_a_token_and_by_login(hub: Hub) -> None:
    browser = login(hub, "tom")
    for tom in (
        hub.me(hub.token("tom")),
        browser.get(f"{hub.service}/v1/me", headers=NAVIGATION).json(),
    ):
        assert (tom["kind"], tom["publish_as"], tom["send_groups"]) == ("user", ["tom"], ["staff"])


# --- A user's server


@pytest.fixture(scope="module")
def ada_server(hub: Hub) -> dict[str, str]:
    return hub.spawn("ada")


@pytest.fixture(scope="module")
def root_server(hub: Hub) -> dict[str, str]:
    return hub.spawn("root")


def test_a_server_knows_where_the_service_is_and_reaches_it(
    hub: Hub, ada_server: dict[str, str]
) -> None:
    url = ada_server["JUPYTERLAB_NOTIFY_CENTRAL_URL"]
    assert url == f"http://127.0.0.1:{hub.service_port}/prefix/services/notify/"
    assert ada_server["OF_THE_SITE"] == "kept"
    token = ada_server["JUPYTERHUB_API_TOKEN"]
    headers = {"Authorization": f"Bearer {token}"}
    direct = httpx.get(f"{url}v1/me", headers=headers, trust_env=False)
    assert direct.json()["name"] == "ada"
    assert hub.me(token)["groups"] == ["staff"]


def test_the_lab_asks_the_service_without_any_configuration_of_its_own(
    hub: Hub, ada_server: dict[str, str]
) -> None:
    """The spawner's environment is enough: an image is the same in every environment."""
    headers = {"Authorization": f"Bearer {hub.token('ada')}"}
    answer = hub.client.get(f"{hub.url}/user/ada/jupyterlab-notify/status", headers=headers)
    assert answer.status_code == 200, answer.text
    url = ada_server["JUPYTERLAB_NOTIFY_CENTRAL_URL"].rstrip("/")
    assert answer.json()["central"]["url"] == url


def test_a_servers_own_token_never_administers(hub: Hub, root_server: dict[str, str]) -> None:
    token = root_server["JUPYTERHUB_API_TOKEN"]
    assert hub.api("GET", "/user", token=token)["admin"] is True
    me = hub.me(token)
    assert (me["name"], me["admin"], me["publish_as"], me["send_groups"]) == ("root", False, [], [])


def test_a_servers_token_keeps_what_it_could_do_without_us(
    hub: Hub, ada_server: dict[str, str]
) -> None:
    token = ada_server["JUPYTERHUB_API_TOKEN"]
    scopes = set(hub.api("GET", "/user", token=token)["scopes"])
    assert {"access:servers!server=ada/", "users:activity!user=ada"} <= scopes
    hub.api("POST", "/users/ada/activity", {"last_activity": "2020-01-01T00:00:00Z"}, token=token)


# --- The page's login


def login(hub: Hub, name: str, page: str = "/v1/me") -> httpx.Client:
    browser = hub.browser(name)
    target = f"{hub.base_url}services/notify{page}"
    answer = browser.get(f"{hub.service}/login", params={"next": target}, headers=NAVIGATION)
    assert answer.status_code == 200, answer.text
    assert answer.url.path == target
    return browser


@pytest.fixture(scope="module")
def root_browser(hub: Hub) -> httpx.Client:
    return login(hub, "root")


def test_a_user_who_logs_in_is_known_by_the_pages_cookie(hub: Hub) -> None:
    browser = login(hub, "ada")
    me = browser.get(f"{hub.service}/v1/me", headers=NAVIGATION).json()
    assert (me["name"], me["groups"], me["admin"]) == ("ada", ["staff"], False)


def test_an_administrator_who_logs_in_administers(hub: Hub, root_browser: httpx.Client) -> None:
    me = root_browser.get(f"{hub.service}/v1/me", headers=NAVIGATION).json()
    assert (me["name"], me["admin"]) == ("root", True)


def test_the_logins_cookie_is_the_services_alone_and_no_scripts(hub: Hub) -> None:
    browser = hub.browser("bob")
    answer = browser.get(f"{hub.service}/login", headers=NAVIGATION)
    for step in [*answer.history, answer]:
        for cookie in step.headers.get_list("set-cookie"):
            if cookie.startswith("service-notify"):
                assert "HttpOnly" in cookie
                assert "Path=/prefix/services/notify/" in cookie
                assert "SameSite=lax" in cookie


@pytest.mark.parametrize(
    "headers",
    [
        FETCH,
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "cross-site"},
        {**FETCH, "X-XSRFToken": "wrong"},
    ],
)
def test_another_users_page_reads_nothing_with_a_users_cookie(
    hub: Hub, root_browser: httpx.Client, headers: dict[str, str]
) -> None:
    answer = root_browser.get(f"{hub.service}/v1/me", headers=headers)
    assert answer.status_code == 403
    assert "root" not in answer.text


def test_no_change_is_made_with_a_cookie_alone(hub: Hub, root_browser: httpx.Client) -> None:
    url = f"{hub.service}/v1/notifications/read"
    for headers in [{}, NAVIGATION, FETCH, {**FETCH, "X-XSRFToken": "wrong"}]:
        answer = root_browser.post(url, json={"ids": []}, headers=headers)
        assert answer.status_code == 403, answer.text
        assert "X-XSRFToken" in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/prefix/hub/logout",
        "/prefix/services/notify/../../hub/logout",
        "/prefix/services/notify/\\..\\x",
        "/\\elsewhere.example",
        "javascript:alert(1)",
        "/prefix/services/notify//\r\nX: y",
    ],
)
def test_a_login_leads_to_no_other_page_than_ours(hub: Hub, target: str) -> None:
    browser = hub.browser("bob")
    answer = browser.get(f"{hub.service}/login", params={"next": target}, headers=NAVIGATION)
    callback = next(step for step in answer.history if step.url.path.endswith("/oauth_callback"))
    assert callback.headers["location"] == "/prefix/services/notify/"


def test_a_login_that_another_browser_began_is_refused(hub: Hub) -> None:
    """A link cannot log a user in as another user."""
    victim, attacker = hub.browser("ada"), hub.browser("bob")
    attacker.follow_redirects = False
    step = attacker.get(f"{hub.service}/login", headers=NAVIGATION)
    while "oauth_callback" not in step.headers["location"]:
        step = attacker.get(
            httpx.URL(hub.origin).join(step.headers["location"]), headers=NAVIGATION
        )
    forged = httpx.URL(hub.origin).join(step.headers["location"])
    answer = victim.get(forged, headers=NAVIGATION)
    assert answer.status_code == 400
    assert victim.get(f"{hub.service}/v1/me", headers=NAVIGATION).json()["kind"] == "anonymous"
    for query in ["", "?code=x&state=", "?error=access_denied", "?state=%00&code=%00"]:
        answer = victim.get(f"{hub.service}/oauth_callback{query}", headers=NAVIGATION)
        assert answer.status_code in (400, 403)


def test_two_tabs_may_log_in_at_once(hub: Hub) -> None:
    browser = hub.browser("bob")
    browser.follow_redirects = False
    first = browser.get(f"{hub.service}/login", headers=NAVIGATION)
    second = browser.get(f"{hub.service}/login", headers=NAVIGATION)
    browser.follow_redirects = True
    for begun in (first, second):
        answer = browser.get(
            httpx.URL(hub.origin).join(begun.headers["location"]), headers=NAVIGATION
        )
        assert answer.history[-1].status_code == 302


def test_a_logout_at_the_hub_ends_the_login_here(hub: Hub) -> None:
    browser = login(hub, "bob")
    browser.get(f"{hub.url}/hub/logout", headers=NAVIGATION)
    assert browser.get(f"{hub.service}/v1/me", headers=NAVIGATION).json()["kind"] == "anonymous"


def test_nobody_logs_in_as_the_bot(hub: Hub) -> None:
    assert "notify-bot" in hub.api("GET", "/users/notify-bot")["roles"]
    with pytest.raises(PermissionError):
        hub.browser("notify-bot")


# --- What the service may at the Hub


def test_the_services_token_may_what_it_needs_and_no_more(hub: Hub) -> None:
    assert hub.process is not None
    token = service_environment(hub)["JUPYTERHUB_API_TOKEN"]
    scopes = set(hub.api("GET", "/user", token=token)["scopes"])
    assert scopes >= {"list:users", "read:servers"}
    mighty = {"admin:users", "tokens", "access:servers", "admin:servers", "servers", "users"}
    assert not scopes & mighty
    administrator = "root"
    tokens = f"/users/{administrator}/tokens"
    for method, path in [("GET", tokens), ("POST", tokens)]:
        with pytest.raises(RuntimeError, match=r"40[34]"):
            hub.api(method, path, token=token)
    made = hub.api("POST", "/users/notify-bot/tokens", {"expires_in": 60}, token=token)
    bot = hub.api("GET", "/user", token=made["token"])
    assert "access:servers" in bot["scopes"]


def service_environment(hub: Hub) -> dict[str, str]:
    import psutil

    assert hub.process is not None
    for process in psutil.Process(hub.process.pid).children(recursive=True):
        environment: dict[str, str] = process.environ()
        if environment.get("JUPYTERHUB_SERVICE_NAME") == "notify":
            return environment
    raise AssertionError("The service does not run")


# --- Many at once


def hub_requests(hub: Hub) -> int:
    """Return how often the Hub was asked for a token's owner."""
    text = hub.client.get(
        f"{hub.url}/hub/metrics", headers={"Authorization": f"Bearer {hub.tokens['ops']}"}
    ).text
    found = re.findall(
        r'request_duration_seconds_count\{[^}]*handler="[^"]*SelfAPIHandler"[^}]*\} (\S+)', text
    )
    return int(sum(float(count) for count in found))


async def test_a_thousand_requests_at_once_ask_the_hub_once_for_each_token(hub: Hub) -> None:
    tokens = [hub.token("ada") for _ in range(8)]
    before = hub_requests(hub)
    # httpx looks through all that wait at each answer; that would be what is measured.
    connector = aiohttp.TCPConnector(limit=200)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def ask(number: int) -> Any:
            headers = {"Authorization": f"Bearer {tokens[number % 8]}"}
            async with client.get(f"{hub.service}/v1/me", headers=headers) as answer:
                return answer.status, (await answer.json())["name"]

        answers = await asyncio.gather(*(ask(number) for number in range(1000)))
    assert set(answers) == {(200, "ada")}
    assert hub_requests(hub) - before == 8


def test_no_token_is_in_the_log(hub: Hub, root_server: dict[str, str]) -> None:
    used = [*hub.tokens.values(), root_server["JUPYTERHUB_API_TOKEN"]]
    used.append(service_environment(hub)["JUPYTERHUB_API_TOKEN"])
    log = hub.log
    for token in used:
        assert token not in log
