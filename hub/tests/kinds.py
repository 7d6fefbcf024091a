"""Users' servers of every kind that a broadcast may reach, at one real hub."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from .hubs import BIN, Hub, wait_for

#: The folder into which `make` puts the older extension, apart from ours.
OLDER = Path(sys.prefix) / "older"
RECORDING = [sys.executable, str(Path(__file__).with_name("recording_server.py"))]

#: The configuration of a hub and each user's server; `asks` is what `configure(c)` makes of it.
SITE = """
KINDS = {kinds!r}

async def choose(spawner):
    kind = KINDS.get(spawner.user.name, "asks")
    # The server without the browser's part: it starts sooner.
    environment = {{"JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp"}}
    others = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals")
    extensions = [f"{{name}}=False" for name in others]
    if kind != "asks":
        inherited = spawner.environment
        own = [name for name in inherited if not name.startswith("JUPYTERLAB_NOTIFY")]
        spawner.environment = {{name: inherited[name] for name in own}}
    if kind in ("none", "older"):
        extensions.append("jupyterlab_notify=False")
    if kind == "older":
        environment["PYTHONPATH"] = {older!r}
        extensions.append("jupyterlab_notifications_extension=True")
    if kind == "recording":
        spawner.cmd = {recording!r}
        extensions = []
    if kind == "slow":
        spawner.cmd = [*{recording!r}, "0.3"]
        extensions = []
    spawner.args = ["--ServerApp.jpserver_extensions=" + one for one in extensions]
    spawner.environment.update(environment)

c.Spawner.pre_spawn_hook = choose
c.JupyterHub.allow_named_servers = True
c.Spawner.poll_interval = 600
"""


def site(kinds: dict[str, str]) -> str:
    """Return the lines of a hub's configuration that give each user their kind of server."""
    return SITE.format(kinds=kinds, older=str(OLDER), recording=RECORDING)


class Servers:
    """Starts the servers of a hub's users, and sends them requests.

    Parameters
    ----------
    hub
        The hub, which runs.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        if not OLDER.exists():
            raise RuntimeError(f"No older extension in {OLDER}: run `make test-hub`.")

    def start(self, *names: str) -> None:
        """Start servers at the same time, and wait for all; ``user/server`` for a named one."""
        for name in names:
            user, _, server = name.partition("/")
            self.hub.add_user(_quoted(user))
            where = f"/users/{_quoted(user)}"
            self.hub.api("POST", f"{where}/servers/{server}" if server else f"{where}/server")
        wait_for(lambda: all(self.model(one).get("ready") for one in names), "their start", 300)

    def model(self, name: str) -> dict[str, Any]:
        """Return the Hub's model of a server; empty if it does not run."""
        user, _, server = name.partition("/")
        found = self.hub.api("GET", f"/users/{_quoted(user)}")["servers"].get(server, {})
        return dict(found)

    def stop(self, name: str) -> None:
        """Stop a user's default server, and wait until it is gone."""
        self.hub.api("DELETE", f"/users/{_quoted(name)}/server")
        wait_for(lambda: not self.model(name).get("ready"), f"{name}'s stop")

    def process(self, user: str) -> psutil.Process:
        """Return the process of a user's server."""
        assert self.hub.process is not None
        for process in psutil.Process(self.hub.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if process.environ().get("JUPYTERHUB_USER") == user:
                    return process
        raise AssertionError(f"{user} has no process")

    def signal(self, user: str, number: signal.Signals) -> None:
        """Send a signal to the process of a user's server."""
        self.process(user).send_signal(number)

    def asked(self, name: str, path: str) -> Any:
        """Ask a user's server, as its user."""
        url = self.hub.origin + self.model(name)["url"]
        token = self.hub.token(_quoted(name.partition("/")[0]))
        answer = self.hub.client.get(url + path, headers={"Authorization": f"token {token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def notifications(self, name: str) -> list[dict[str, Any]]:
        """Return what a server with this extension shows its user."""
        return list(self.asked(name, "jupyterlab-notify/notifications")["notifications"])

    def recorded(self, user: str) -> list[dict[str, Any]]:
        """Return what a recording server was sent."""
        file = self.hub.directory / "home" / user / "requests.jsonl"
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_text().splitlines()]

    # --- The service

    def admin(self, method: str, path: str, json: Any = None) -> Any:
        """Ask the service as an administrator."""
        answer = self.hub.request(method, f"/v1/admin{path}", self.hub.token("root"), json=json)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def command(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a verb of the command line as an administrator."""
        return subprocess.run(
            [str(BIN / "jupyterhub-notify"), *words],
            env={
                **os.environ,
                "JUPYTERHUB_NOTIFY_URL": self.hub.service,
                "JUPYTERHUB_NOTIFY_TOKEN": self.hub.token("root"),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )

    def outcomes(self, id_: str) -> dict[str, str]:
        """Return each recipient's outcome."""
        rows = self.admin("GET", f"/broadcasts/{id_}/deliveries")
        names = {one["user"] + ("/" + one["server"] if one["server"] else ""): one for one in rows}
        return {name: one["outcome"] for name, one in names.items()}

    def reason(self, id_: str, user: str) -> str | None:
        """Return the reason of a recipient's outcome."""
        rows = self.admin("GET", f"/broadcasts/{id_}/deliveries")
        return next(one["reason"] for one in rows if one["user"] == user)

    def become(self, id_: str, outcomes: dict[str, str], seconds: float = 30) -> None:
        """Wait until these recipients have these outcomes."""

        def there() -> bool:
            found = self.outcomes(id_)
            return {name: found.get(name) for name in outcomes} == outcomes

        try:
            wait_for(there, "the outcomes", seconds)
        except AssertionError:
            raise AssertionError(f"{self.outcomes(id_)} are not {outcomes}") from None


def _quoted(name: str) -> str:
    return quote(name, safe="")
