"""The command line against a running service: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyterhub_notify.cli import main

from .support import Service


class Shell:
    """Runs verbs with a service's token in this process."""

    def __init__(
        self, service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._service = service
        self._capsys = capsys
        monkeypatch.setenv("JUPYTERHUB_NOTIFY_URL", service.url)
        self._monkeypatch = monkeypatch
        self.as_("quota")

    def as_(self, name: str) -> None:
        self._monkeypatch.setenv("JUPYTERHUB_NOTIFY_TOKEN", self._service.tokens.of(name))

    async def run(self, *words: str) -> tuple[int, str, str]:
        try:
            code = await asyncio.to_thread(main, list(words))
        except SystemExit as error:
            code = int(error.code or 0)
        out, err = self._capsys.readouterr()
        return code, out, err


@pytest.fixture
def shell(
    service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    return Shell(service, capsys, monkeypatch)


async def test_send_list_show_revoke(shell: Shell, service: Service, tmp_path: Path) -> None:
    body = tmp_path / "body.md"
    body.write_text("The *long* text.", encoding="utf-8")
    arguments = ["--type", "warning", "--key", "disk", "--body-file", str(body), "--json"]
    code, out, _ = await shell.run("send", "alice", "at 90%", *arguments)
    assert code == 0
    (sent,) = json.loads(out)
    (message,) = await service.messages()
    assert (message["id"], message["type"]) == (sent["id"], "warning")
    code, out, _ = await shell.run("list")
    assert (code, out.split("\t")[::2]) == (0, [sent["id"], "alice", "at 90%\n"])
    code, out, _ = await shell.run("show", "disk", "--json")
    assert json.loads(out)["body"] == "The *long* text."
    assert (await shell.run("revoke", "disk"))[0] == 0
    assert await service.messages() == []
    nothing = "No notification is active; --broadcasts lists broadcasts.\n"
    assert await shell.run("list") == (0, "", nothing)
    code, _, err = await shell.run("revoke", "disk")
    assert (code, err.count("\n")) == (1, 1)
    assert "Unknown notification: disk" in err


async def test_reconcile(shell: Shell, service: Service, tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text(json.dumps([{"key": "a", "recipient": "alice", "summary": "x"}]))
    code, out, _ = await shell.run("reconcile", str(file), "--json")
    assert (code, json.loads(out)["created"]) == (0, 1)
    code, out, _ = await shell.run("reconcile", str(file))
    assert out == "0 created, 0 changed, 0 revoked, 1 unchanged\n"
    file.write_text("{}")
    assert (await shell.run("reconcile", str(file)))[0] == 2


async def test_broadcast_waits_for_outcomes(shell: Shell, service: Service) -> None:
    shell.as_("admin")
    words = [
        "broadcast",
        "Down at ten",
        "--type",
        "warning",
        "--user",
        "alice",
        "--banner",
        "--important",
    ]
    waiting = asyncio.create_task(shell.run(*words, "--wait", "60", "--json"))
    shown: list[dict[str, Any]] = []
    while not shown:
        shown = (await service.as_("alice").get("/v1/broadcasts")).json()
    assert (shown[0]["type"], shown[0]["banner"], shown[0]["important"]) == ("warning", True, True)
    receipt = {"id": shown[0]["id"], "state": "shown", "tabs": 1}
    await service.as_("alice").post("/v1/receipts", json={"receipts": [receipt]})
    code, out, _ = await waiting
    assert code == 0
    assert json.loads(out) == {
        "id": shown[0]["id"],
        "counts": {"shown": 1},
        "recipients": [{"user": "alice", "server": "", "outcome": "shown", "reason": None}],
    }
    assert (await shell.run("retry", shown[0]["id"]))[0] == 0
    assert (await shell.run("revoke", shown[0]["id"]))[0] == 0
    code, out, _ = await shell.run("list", "--broadcasts", "--json")
    assert json.loads(out)[0]["revoked"] is not None


async def test_bad_usage_and_a_service_that_is_not_there(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (
        ["send"],
        ["send", "alice"],
        ["send", "alice", "x", "--group", "staff"],
        ["send", "alice", "x", "--type", "loud"],
        ["send", "alice", "x", "--token-file", "/nowhere"],
        ["broadcast", "x", "--running", "--group", "g"],
        ["nonsense"],
        [],
    ):
        code, _, err = await shell.run(*words)
        assert code == 2, words
        assert err
    code, _, err = await shell.run("send", "alice", "x", "--until", "soon")
    assert code == 1
    assert "body.expires" in err
    code, _, err = await shell.run("list", "--url", "http://127.0.0.1:9")
    assert (code, err.count("\n")) == (1, 1)
    monkeypatch.setenv("JUPYTERHUB_NOTIFY_TOKEN", "jhn_wrong")
    code, _, err = await shell.run("list")
    assert code == 1
    assert "jhn_wrong" not in err


def test_init_makes_what_a_service_alone_needs(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "jupyterhub_notify", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    done = run("init", "--json")
    assert done.returncode == 0, done.stderr
    token = json.loads(done.stdout)["token"]
    kept = (tmp_path / "jupyterhub-notify-tokens.json").read_text()
    assert token not in kept
    # Nobody else may read it.
    database = tmp_path / "jupyterhub-notify.sqlite"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert run("init").returncode == 1
    assert run("token", "create", "quota").stdout.startswith("jhn_")


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import jupyterhub_notify; "
        "from jupyterhub_notify import configure; assert callable(configure); "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'jupyterhub_notify'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100
    )
    assert done.stdout == "[]\n"
