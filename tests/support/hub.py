"""A real JupyterHub, with its proxy and a user's server; the tests and `python -m tests.hub`.

As a script it starts a hub and a user's server, prints one line of JSON that says where they
are, and runs until its standard input closes.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
import psutil

from scripts.ports import free_ports

from .servers import ROOT, clean_environment, http_client, wait_for

#: The folder into which `make` puts configurable-http-proxy, which the hub needs.
NODE_BIN = ROOT / "ui-tests" / "node_modules" / ".bin"

#: A service of the hub that may do what a hub's administration page does.
SERVICE = "ops"
#: A service of the hub that may reach every user's server, and nothing else.
MESSENGER = "messenger"

CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.pid_file = {dir!r} + "/proxy.pid"
c.JupyterHub.db_url = "sqlite:///" + {dir!r} + "/hub.sqlite"
c.JupyterHub.cookie_secret_file = {dir!r} + "/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {dir!r} + "/home/{{username}}"
c.Spawner.args = ["--allow-root"]
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = 60
c.JupyterHub.services = [
    {{"name": {service!r}, "api_token": {service_token!r}}},
    {{"name": {messenger!r}, "api_token": {messenger_token!r}}},
]
c.JupyterHub.load_roles = [
    {{
        "name": "ops",
        "scopes": ["admin:users", "admin:servers", "tokens", "proxy"],
        "services": [{service!r}],
    }},
    {{"name": "messenger", "scopes": ["access:servers"], "services": [{messenger!r}]}},
]
"""


class HubClient:
    """A service of the administrators' that uses a hub."""

    def __init__(self, url: str, service_token: str) -> None:
        self.url = url
        self.service_token = service_token
        self.client = http_client()

    def api(self, method: str, path: str, json: Any = None) -> Any:
        """Ask the Hub's API, as the administrators' service."""
        answer = self.client.request(
            method,
            f"{self.url}/hub/api{path}",
            json=json,
            headers={"Authorization": f"Bearer {self.service_token}"},
        )
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def add_user(self, name: str) -> None:
        """Make a user."""
        self.api("POST", f"/users/{name}")

    def spawn(self, name: str) -> str:
        """Start a user's server; return its base URL, without a slash at the end."""
        self.api("POST", f"/users/{name}/server")

        def ready() -> bool:
            server = self.api("GET", f"/users/{name}")["servers"].get("", {})
            return bool(server.get("ready"))

        wait_for(ready, f"{name}'s server", 60, 0.1)
        return f"{self.url}/user/{name}"

    def token(self, name: str, **fields: Any) -> str:
        """Return a new token of a user's that lives five minutes."""
        made = self.api("POST", f"/users/{name}/tokens", {"expires_in": 300, **fields})
        return str(made["token"])

    def knows(self, token: str) -> bool:
        """Return whether the Hub takes a token."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.get(f"{self.url}/hub/api/user", headers=headers).is_success


def leave_out(home: Path) -> None:
    """Disable this extension for the user with this home directory."""
    settings = {
        "labconfig/page_config.json": {"disabledExtensions": {"jupyterlab_notify": True}},
        "jupyter_server_config.json": {
            "ServerApp": {"jpserver_extensions": {"jupyterlab_notify": False}}
        },
    }
    for name, content in settings.items():
        file = home / ".jupyter" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))


class Hub(HubClient):
    """A JupyterHub below ``directory``, which is made if it is missing."""

    def __init__(self, directory: Path) -> None:
        super().__init__("", secrets.token_hex(16))
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.log_file = directory / "hub.log"
        self.password = secrets.token_hex(8)
        self.messenger_token = secrets.token_hex(16)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """The log of the hub, its proxy and the users' servers."""
        return self.log_file.read_text(errors="replace")

    def start(self) -> Hub:
        """Start it, and wait until it answers through its proxy."""
        env = clean_environment(self.directory)
        env["PATH"] = os.pathsep.join([str(NODE_BIN), env["PATH"]])
        env["CONFIGPROXY_AUTH_TOKEN"] = secrets.token_hex(16)
        if not shutil.which("configurable-http-proxy", path=env["PATH"]):
            raise RuntimeError(
                f"A JupyterHub needs configurable-http-proxy, which is not in {NODE_BIN}: "
                "run `make setup`."
            )
        public, hub, api = free_ports(3)
        self.url = f"http://127.0.0.1:{public}"
        config = self.directory / "jupyterhub_config.py"
        config.write_text(
            CONFIG.format(
                dir=str(self.directory),
                public=public,
                hub=hub,
                api=api,
                password=self.password,
                service=SERVICE,
                service_token=self.service_token,
                messenger=MESSENGER,
                messenger_token=self.messenger_token,
            )
        )
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "--config", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=self.directory,
                start_new_session=True,
            )
        wait_for(self._answers, "the hub's start", 40, 0.1)
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"The hub ended at its start:\n{self.log}")
        try:
            return self.client.get(f"{self.url}/hub/api/").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End it, its proxy and its users' servers."""
        self.client.close()
        process, self.process = self.process, None
        if process is None:
            return
        family = [psutil.Process(process.pid)] if process.poll() is None else []
        family += [child for parent in family for child in parent.children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(family, timeout=20)
        for one in left:
            one.kill()
        process.wait(10)


def main() -> None:
    """Run a hub with one user's server, or two, until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--user", default="ada")
    parser.add_argument("--bare", help="another user, whose server does not have this extension")
    arguments = parser.parse_args()
    user = arguments.user
    with tempfile.TemporaryDirectory(prefix="notify-hub-") as directory:
        hub = Hub(Path(directory))
        try:
            hub.start()
            hub.add_user(user)
            server = hub.spawn(user)
            if arguments.bare:
                leave_out(Path(directory) / "home" / arguments.bare)
                hub.add_user(arguments.bare)
                hub.spawn(arguments.bare)
            where = {
                "url": hub.url,
                "server": server,
                "user": user,
                "password": hub.password,
                "token": hub.token(user),
                "service_token": hub.service_token,
                "messenger_token": hub.messenger_token,
                "log": str(hub.log_file),
            }
            print(json.dumps(where), flush=True)
            sys.stdin.read()
        except KeyboardInterrupt:
            pass
        finally:
            hub.stop()


if __name__ == "__main__":
    main()
