"""`jupyterhub-notify doctor` finds what is missing in the configuration and at a running hub."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_notify.doctor.config_file import ConfigFileError, problems_of

from .hubs import BIN, LAB, STAND_IN, Hub, running

TWO_LINES = """
from jupyterhub_notify import configure
configure(c)
"""


def doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTERHUB")}
    return subprocess.run(
        [str(BIN / "jupyterhub-notify"), "doctor", *arguments],
        capture_output=True,
        text=True,
        env={**kept, **environment},
        timeout=60,
        check=False,
    )


# --- The configuration


def config(tmp_path: Path, before: str = "", after: str = "") -> Path:
    file = tmp_path / "jupyterhub_config.py"
    file.write_text(f"c = get_config()\n{before}\n{TWO_LINES}\n{after}\n")
    return file


@pytest.mark.parametrize(
    "before",
    [
        "",
        "c.KubeSpawner.environment = {'A': '1'}",
        "c.KubeSpawner.environment.update({'A': '1'})",
        "c.JupyterHub.load_roles = [{'name': 'user', 'scopes': ['self']}]",
        "c.Spawner.server_token_scopes = lambda spawner: []",
        "c.Spawner.server_token_scopes = ['inherit']",
        "c.JupyterHub.services.append({'name': 'cull'})",
    ],
)
def test_what_the_two_lines_leave_as_last_lines_is_whole(tmp_path: Path, before: str) -> None:
    assert problems_of(config(tmp_path, before)) == []


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ("c.JupyterHub.services = []", ["c.JupyterHub.services has no service named 'notify'."]),
        (
            "c.JupyterHub.load_roles = []",
            [
                "c.JupyterHub.load_roles gives the service 'notify' no role.",
                "The user notify-bot does not have the scope access:servers, so that servers which"
                " do not ask the service cannot be reached.",
            ],
        ),
        (
            "c.Spawner.environment = {'A': '1'}",
            ["c.Spawner.environment lacks JUPYTERLAB_NOTIFY_CENTRAL_URL."],
        ),
        (
            "c.KubeSpawner.environment = {'A': '1'}",
            ["c.KubeSpawner.environment lacks JUPYTERLAB_NOTIFY_CENTRAL_URL."],
        ),
        (
            "c.KubeSpawner.server_token_scopes = ['users:activity!user']",
            ["c.KubeSpawner.server_token_scopes lacks access:services!service=notify."],
        ),
        (
            "c.Spawner.server_token_scopes = lambda spawner: []",
            ["c.Spawner.server_token_scopes is a later function."],
        ),
        (
            "c.JupyterHub.load_roles.append({'name': 'user', 'scopes': ['self']})",
            [
                "Users do not hold access:services!service=notify, so that no token of their"
                " servers can."
            ],
        ),
        (
            "c.JupyterHub.custom_scopes = {}",
            ["c.JupyterHub.custom_scopes lacks custom:notify:admin, custom:notify:publish."],
        ),
        (
            "c.Authenticator.blocked_users = {'notify-bot'}",
            ["c.Authenticator.blocked_users holds notify-bot: the Hub takes its roles away."],
        ),
    ],
)
def test_what_a_later_line_drops_is_named(tmp_path: Path, after: str, says: list[str]) -> None:
    problems = problems_of(config(tmp_path, after=after))
    assert [p.problem for p in problems] == says
    assert all(p.remedy for p in problems)


def test_a_bot_without_roles_is_named_where_the_authenticator_manages_them(tmp_path: Path) -> None:
    problems = problems_of(config(tmp_path, "c.Authenticator.manage_roles = True"))
    assert [p.what for p in problems] == ["roles"]
    assert "load_managed_roles" in problems[0].remedy


def test_a_file_that_fails_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileError, match="ZeroDivisionError"):
        problems_of(config(tmp_path, "1 / 0"))
    with pytest.raises(ConfigFileError, match="missing"):
        problems_of(tmp_path / "missing.py")


def test_the_command_says_it_and_ends_with_1(tmp_path: Path) -> None:
    assert doctor("--config", str(config(tmp_path))).returncode == 0
    done = doctor("--config", str(config(tmp_path, after="c.JupyterHub.services = []")))
    assert done.returncode == 1
    assert "no service named 'notify'" in done.stdout
    assert "last line of jupyterhub_config.py" in done.stdout
    done = doctor()
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


# --- A hub that runs

#: The configuration of a site that read only half of the documentation.
DROPPED = """
c.JupyterHub.load_roles = [role for role in c.JupyterHub.load_roles if role["name"] != "notify-bot"]
"""

#: Some users' servers have the extension, others have something else.
MIXED = f"""
from jupyterhub.spawner import SimpleLocalProcessSpawner

class Mixed(SimpleLocalProcessSpawner):
    @property
    def cmd_of_user(self):
        return {LAB!r} if self.user.name != "bob" else {STAND_IN!r}

    def get_env(self):
        self.cmd = self.cmd_of_user
        environment = super().get_env()
        if self.user.name == "carl":
            # As a server that runs since before the service was added.
            environment.pop("JUPYTERLAB_NOTIFY_CENTRAL_URL")
        return environment

c.JupyterHub.spawner_class = Mixed
c.Mixed.home_dir_template = c.SimpleLocalProcessSpawner.home_dir_template
"""


def examined(hub: Hub) -> dict[str, Any]:
    answer = hub.get("/v1/admin/doctor", hub.token("root"))
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = Hub(tmp_path_factory.mktemp("hub"), site=MIXED, base_url="/prefix/")
    with running(made):
        made.add_user("root")
        yield made


def test_each_running_server_is_told_how_it_stands(hub: Hub) -> None:
    for name in ("ada", "bob", "carl"):
        hub.spawn(name)
    report = examined(hub)
    assert report["ok"] is False
    ada, bob, carl = report["servers"]
    assert (ada["user"], ada["state"]) == ("ada", "ok")
    assert ada["version"]
    assert (bob["user"], bob["state"]) == ("bob", "no-extension")
    assert (carl["user"], carl["state"]) == ("carl", "needs-restart")
    assert carl["version"]
    (problem,) = report["problems"]
    assert problem["what"] == "environment"
    assert "carl/" in problem["problem"]
    # The doctor removed the tokens that it made.
    assert hub.api("GET", "/users/notify-bot/tokens")["api_tokens"] == []

    done = doctor(*("--url", hub.service, "--json"), JUPYTERHUB_NOTIFY_TOKEN=hub.token("root"))
    assert done.returncode == 1
    assert json.loads(done.stdout)["servers"][2]["state"] == "needs-restart"


def test_only_administrators_are_told(hub: Hub) -> None:
    hub.add_user("ada")
    assert hub.get("/v1/admin/doctor", hub.token("ada")).status_code == 403
    assert hub.get("/v1/admin/doctor").status_code == 401


def test_a_hub_that_dropped_a_role_is_told_which(tmp_path: Path) -> None:
    made = Hub(tmp_path, lab=False, after=DROPPED)
    with running(made):
        made.add_user("root")
        made.spawn("ada")
        report = examined(made)
        assert [p["what"] for p in report["problems"]] == ["roles"]
        assert "notify-bot" in report["problems"][0]["problem"]
        assert [s["state"] for s in report["servers"]] == ["unknown"]
