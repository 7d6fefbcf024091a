"""The two lines, with whatever else a site has configured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

import jupyterhub_notify
from jupyterhub_notify import configure

ACCESS = "access:services!service=notify"
CENTRAL_URL = "JUPYTERLAB_NOTIFY_CENTRAL_URL"
SOURCE = Path(jupyterhub_notify.__file__).parent / "configure.py"


@pytest.fixture(params=["6.1.1", "5.5.4"])
def version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The version of JupyterHub in whose environment the hub runs."""
    monkeypatch.setattr("importlib.metadata.version", lambda name: request.param)
    return str(request.param)


def role(c: Config, name: str) -> dict[str, Any]:
    (found,) = [r for r in c.JupyterHub.load_roles if r["name"] == name]
    return dict(found)


def user_may(c: Config) -> bool:
    """Return whether every user has the scope, by JupyterHub's reading of the configuration."""
    users = [r for r in c.JupyterHub.load_roles if r["name"] == "user" and "scopes" in r]
    if users:
        return ACCESS in users[0]["scopes"]
    return ACCESS in c.JupyterHub.get("extra_user_scopes", set())


def test_it_needs_the_standard_library_alone(tmp_path: Path) -> None:
    """The hub's environment needs nothing of ours but the file."""
    (tmp_path / "jupyterhub_notify.py").write_bytes(SOURCE.read_bytes())
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from jupyterhub_notify import configure;"
        "import jupyterhub_notify; assert callable(configure)"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True)


def test_the_file_by_itself_asks_where_the_service_is(tmp_path: Path) -> None:
    (tmp_path / "jupyterhub_notify.py").write_bytes(SOURCE.read_bytes())
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r});"
        "from jupyterhub_notify import configure;"
        "configure(__import__('types').SimpleNamespace(JupyterHub={}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False
    )
    assert "not installed in the hub's environment" in done.stderr


def test_a_hub_that_says_nothing_else_gets_the_service_its_roles_and_the_variable(
    version: str,
) -> None:
    c = Config()
    configure(c)
    (service,) = c.JupyterHub.services
    assert service["name"] == "notify"
    assert service["url"] == "http://127.0.0.1:8092"
    assert service["command"][-5:] == ["serve", "--host", "127.0.0.1", "--port", "8092"]
    assert service["oauth_client_allowed_scopes"] == [
        "custom:notify:admin",
        "custom:notify:publish",
    ]
    assert role(c, "notify")["scopes"] == [
        "list:users",
        "read:users:groups",
        "read:servers",
        "tokens!user=notify-bot",
    ]
    assert role(c, "notify-bot") == {
        "name": "notify-bot",
        "description": "Who pushes notifications to servers that do not ask for them",
        "users": ["notify-bot"],
        "scopes": ["access:servers"],
    }
    assert user_may(c)
    assert c.Spawner.server_token_scopes == [
        "users:activity!user",
        "access:servers!server",
        ACCESS,
    ]
    assert CENTRAL_URL in c.Spawner.environment
    assert set(c.JupyterHub.custom_scopes) == {"custom:notify:admin", "custom:notify:publish"}


def test_what_the_site_said_before_stays(version: str) -> None:
    c = Config()
    c.JupyterHub.services = [{"name": "cull"}]
    c.JupyterHub.load_roles = [{"name": "cull", "services": ["cull"], "scopes": ["list:users"]}]
    c.JupyterHub.custom_scopes = {"custom:x:y": {"description": "…"}}
    c.Spawner.environment = {"A": "1"}
    configure(c)
    assert [s["name"] for s in c.JupyterHub.services] == ["cull", "notify"]
    assert role(c, "cull")["scopes"] == ["list:users"]
    assert "custom:x:y" in c.JupyterHub.custom_scopes
    assert c.Spawner.environment["A"] == "1"


def test_a_user_role_of_the_sites_own_is_added_to_and_not_named_twice(version: str) -> None:
    c = Config()
    c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "read:groups"]}]
    configure(c)
    assert role(c, "user")["scopes"] == ["self", "read:groups", ACCESS]


def test_a_user_role_without_scopes_keeps_those_that_users_have(version: str) -> None:
    c = Config()
    c.JupyterHub.load_roles = [{"name": "user", "description": "ours"}]
    configure(c)
    assert user_may(c)
    assert role(c, "user")["description"] == "ours"
    assert "self" in role(c, "user").get("scopes", ["self"])


def test_a_user_role_that_has_all_services_is_left_alone(version: str) -> None:
    c = Config()
    c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "access:services"]}]
    configure(c)
    assert role(c, "user")["scopes"] == ["self", "access:services"]


def test_extra_scopes_of_users_are_added_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "6.0.0")
    for given in ({"read:hub"}, ["read:hub"]):
        c = Config()
        c.JupyterHub.extra_user_scopes = given
        configure(c)
        assert c.JupyterHub.extra_user_scopes == {"read:hub", ACCESS}
    c = Config()
    c.JupyterHub.extra_user_scopes.update({"read:hub"})
    configure(c)
    assert c.JupyterHub.extra_user_scopes.get_value(set()) == {"read:hub", ACCESS}


@pytest.mark.parametrize(
    "section", ["Spawner", "KubeSpawner", "SimpleLocalProcessSpawner", "MySpawner"]
)
def test_scopes_that_a_site_gives_to_servers_are_added_to(section: str) -> None:
    c = Config()
    c[section].server_token_scopes = ["users:activity!user", "read:groups"]
    configure(c)
    assert c[section].server_token_scopes == ["users:activity!user", "read:groups", ACCESS]


def test_scopes_of_servers_that_are_only_added_to_are_added_to() -> None:
    c = Config()
    c.Spawner.server_token_scopes.append("read:groups")
    configure(c)
    assert c.Spawner.server_token_scopes.get_value([]) == ["read:groups", ACCESS]


def test_only_a_service_that_pushes_past_the_proxy_may_read_its_routes() -> None:
    for directly in (False, True):
        c = Config()
        configure(c, push_directly=directly)
        assert ("proxy" in role(c, "notify")["scopes"]) is directly


def test_servers_that_have_all_scopes_need_no_more() -> None:
    c = Config()
    c.Spawner.server_token_scopes = ["inherit"]
    configure(c)
    assert c.Spawner.server_token_scopes == ["inherit"]


def test_a_server_role_of_the_sites_own_stays_what_servers_have() -> None:
    c = Config()
    c.JupyterHub.load_roles = [{"name": "server", "scopes": ["users:activity!user", "read:hub"]}]
    configure(c)
    assert c.Spawner.server_token_scopes == ["users:activity!user", "read:hub", ACCESS]


async def test_a_function_that_gives_servers_their_scopes_is_still_asked() -> None:
    c = Config()
    c.Spawner.server_token_scopes = lambda spawner: [f"read:users!user={spawner}"]

    async def later(spawner: str) -> list[str]:
        return []

    c.KubeSpawner.server_token_scopes = later
    configure(c)
    assert await c.Spawner.server_token_scopes("ada") == ["read:users!user=ada", ACCESS]
    # None of its own: those of the role, and ours.
    assert await c.KubeSpawner.server_token_scopes("ada") == [
        "users:activity!user",
        "access:servers!server",
        ACCESS,
    ]


@pytest.mark.parametrize("section", ["KubeSpawner", "DockerSpawner", "SystemdSpawner"])
def test_a_spawners_own_environment_is_added_to(section: str) -> None:
    """A class's own section replaces the general one."""
    c = Config()
    c[section].environment = {"A": "1"}
    configure(c)
    assert c[section].environment["A"] == "1"
    assert CENTRAL_URL in c[section].environment
    assert CENTRAL_URL in c.Spawner.environment


def test_an_environment_that_is_only_added_to_is_added_to() -> None:
    c = Config()
    c.KubeSpawner.environment.update({"A": "1"})
    configure(c)
    value = c.KubeSpawner.environment.get_value({})
    assert value["A"] == "1"
    assert CENTRAL_URL in value


def test_services_that_are_only_added_to_are_added_to() -> None:
    c = Config()
    c.JupyterHub.services.append({"name": "cull"})
    configure(c)
    assert [s["name"] for s in c.JupyterHub.services.get_value([])] == ["cull", "notify"]


class Managing:
    """An authenticator whose class manages roles by itself."""

    class Trait:
        default_value = True

    @classmethod
    def class_traits(cls) -> dict[str, Any]:
        return {"manage_roles": cls.Trait}


@pytest.mark.parametrize("how", ["Authenticator", "GenericOAuthenticator", "class"])
def test_with_managed_roles_no_role_names_a_user(version: str, how: str) -> None:
    """The hub would refuse to start."""
    c = Config()
    if how == "class":
        c.JupyterHub.authenticator_class = Managing
    else:
        c[how].manage_roles = True
    configure(c)
    assert not [r for r in c.JupyterHub.load_roles if r.get("users") or r.get("groups")]
    assert role(c, "notify")["services"] == ["notify"]
    assert user_may(c)


async def test_a_sites_own_hook_after_a_login_still_runs() -> None:
    seen = []

    def before(authenticator: Any, handler: Any, model: dict[str, Any]) -> dict[str, Any]:
        seen.append(model["name"])
        return {**model, "auth_state": {"x": 1}}

    c = Config()
    c.GenericOAuthenticator.post_auth_hook = before
    configure(c)
    for section in (c.Authenticator, c.GenericOAuthenticator):
        assert await section.post_auth_hook(None, None, {"name": "notify-bot"}) is None
    model = await c.GenericOAuthenticator.post_auth_hook(None, None, {"name": "ada"})
    assert model == {"name": "ada", "auth_state": {"x": 1}}
    assert seen == ["notify-bot", "ada"]


# --- Where the service listens, and where servers find it


class Spawner:
    """A spawner, as far as its servers' variables are computed from it."""

    class hub:
        api_url = "http://hub-host:8081/prefix/hub/api"
        base_url = "/prefix/hub/"


@pytest.mark.parametrize(
    ("settings", "url", "host"),
    [
        ({}, "http://127.0.0.1:8092", "127.0.0.1"),
        ({"hub_ip": "0.0.0.0"}, "http://127.0.0.1:8092", "0.0.0.0"),
        ({"hub_ip": ""}, "http://127.0.0.1:8092", "0.0.0.0"),
        ({"hub_ip": "172.17.0.1"}, "http://172.17.0.1:8092", "172.17.0.1"),
        (
            {"hub_ip": "0.0.0.0", "hub_connect_ip": "jupyterhub"},
            "http://jupyterhub:8092",
            "0.0.0.0",
        ),
        ({"hub_bind_url": "http://:8081"}, "http://127.0.0.1:8092", "0.0.0.0"),
        (
            {"hub_bind_url": "http://*:8081", "hub_connect_url": "http://hub:8081"},
            "http://hub:8092",
            "0.0.0.0",
        ),
        ({"hub_ip": "::1"}, "http://[::1]:8092", "::1"),
        ({"internal_ssl": True, "hub_ip": ""}, "http://127.0.0.1:8092", "127.0.0.1"),
    ],
)
def test_the_service_listens_where_the_hubs_own_api_does(
    settings: dict[str, Any], url: str, host: str
) -> None:
    c = Config()
    c.JupyterHub.update(settings)
    configure(c)
    (service,) = c.JupyterHub.services
    assert service["url"] == url
    assert service["command"][-3:-2] == [host]


def test_servers_find_it_under_the_host_under_which_they_find_the_hub() -> None:
    c = Config()
    configure(c, port=9000)
    found = c.Spawner.environment[CENTRAL_URL](Spawner)
    assert found == "http://hub-host:9000/prefix/services/notify/"


@pytest.mark.parametrize(
    ("arguments", "settings", "found"),
    [
        (
            {"lab_url": "https://h.example/services/notify"},
            {},
            "https://h.example/services/notify/",
        ),
        (
            {"url": "http://notify:8000", "api_token": "t"},
            {},
            "http://notify:8000/services/notify/",
        ),
        (
            {"url": "http://notify:8000/", "api_token": "t"},
            {"base_url": "/prefix"},
            "http://notify:8000/prefix/services/notify/",
        ),
        (
            {"url": "http://notify:8000", "api_token": "t"},
            {"bind_url": "http://:8000/prefix/"},
            "http://notify:8000/prefix/services/notify/",
        ),
        (
            {},
            {"internal_ssl": True, "public_url": "https://h.example/"},
            "https://h.example/services/notify/",
        ),
        (
            {},
            {"internal_ssl": True, "bind_url": "http://127.0.0.1:8000/p"},
            "http://127.0.0.1:8000/p/services/notify/",
        ),
    ],
)
def test_servers_find_it_where_the_site_says(
    arguments: dict[str, Any], settings: dict[str, Any], found: str
) -> None:
    c = Config()
    c.JupyterHub.update(settings)
    configure(c, **arguments)
    assert c.Spawner.environment[CENTRAL_URL] == found


def test_a_databases_password_is_in_no_argument_of_a_command() -> None:
    c = Config()
    configure(c, database="postgresql+asyncpg://u:secret@db/notify", environment={"A": "1"})
    (service,) = c.JupyterHub.services
    assert "secret" not in " ".join(service["command"])
    assert service["environment"]["JUPYTERHUB_NOTIFY_DATABASE"].endswith("@db/notify")
    assert service["environment"]["A"] == "1"


def test_a_service_that_runs_elsewhere_is_not_started() -> None:
    c = Config()
    configure(c, url="http://notify:8000", api_token="t" * 32)
    (service,) = c.JupyterHub.services
    assert "command" not in service
    assert (service["url"], service["api_token"]) == ("http://notify:8000", "t" * 32)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"url": "http://notify:8000"}, "needs both"),
        ({"api_token": "t"}, "needs both"),
        ({"url": "notify:8000", "api_token": "t"}, "http or https"),
        ({"lab_url": "/services/notify"}, "lab_url"),
        ({"url": "http://n", "api_token": "t", "database": "sqlite://"}, "where it runs"),
        ({"command": "jupyterhub-notify"}, "list of words"),
    ],
)
def test_arguments_that_do_not_fit_stop_the_hub_with_a_sentence(
    arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        configure(Config(), **arguments)


def test_it_is_called_once() -> None:
    c = Config()
    configure(c)
    with pytest.raises(ValueError, match="already"):
        configure(c)


def test_a_site_may_leave_the_bot_and_the_users_scope_to_itself(version: str) -> None:
    c = Config()
    configure(c, bot=False, user_scopes=False)
    assert [r["name"] for r in c.JupyterHub.load_roles] == ["notify"]
    assert role(c, "notify")["scopes"] == ["list:users", "read:users:groups", "read:servers"]
    assert "extra_user_scopes" not in c.JupyterHub
    assert "post_auth_hook" not in c.Authenticator


# --- The hub's own pages

SCRIPT = "/services/notify/static/hub-pages.js"


def test_the_hubs_pages_load_our_script_and_show_no_empty_box() -> None:
    c = Config()
    configure(c)
    (announcement,) = c.JupyterHub.template_vars.values()
    assert f'src="{SCRIPT}" async' in announcement
    assert "display:none" in announcement


def test_what_a_site_announces_itself_stays_and_each_page_has_our_script_once() -> None:
    c = Config()
    c.JupyterHub.base_url = "/hubs/one/"
    c.JupyterHub.template_vars = {
        "announcement": "Welcome",
        "announcement_login": "Use your <b>institute's</b> account",
        "support": "help@example.org",
    }
    configure(c)
    texts = c.JupyterHub.template_vars
    assert texts["support"] == "help@example.org"
    for name, text in (("announcement", "Welcome"), ("announcement_login", "Use your <b>")):
        assert texts[name].startswith(text)
        assert texts[name].count(f"/hubs/one{SCRIPT}") == 1
        assert "display:none" not in texts[name]


def test_the_hubs_pages_can_be_left_alone() -> None:
    c = Config()
    configure(c, hub_pages=False)
    assert "template_vars" not in c.JupyterHub


def test_the_hubs_pages_load_no_script_of_another_domain() -> None:
    c = Config()
    c.JupyterHub.subdomain_host = "https://hub.example.org"
    configure(c)
    assert "template_vars" not in c.JupyterHub
