"""Show the service on a hub: a real JupyterHub with the two lines, two users and an administrator.

`make demo-hub` calls it. Everything that is written goes into a temporary directory, which is
removed at the end, when it is told to stop (Ctrl-C).
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
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from ports import free_ports

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NODE_BIN = ROOT / "ui-tests" / "node_modules" / ".bin"
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 30

CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allowed_users = {{"ada", "bob", "root"}}
c.Authenticator.admin_users = {{"root"}}
c.JupyterHub.load_groups = {{"staff": {{"users": ["ada"]}}}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r} + "/{{username}}"
c.Spawner.cmd = [{singleuser!r}, "--allow-root"]
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = 60
# A service that publishes, as a quota job or a batch queue would.
c.JupyterHub.services = [{{"name": "demo", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "demo", "services": ["demo"], "scopes": ["custom:notify:admin"]}},
]

from jupyterhub_notify import configure
configure(c, port={service_port})
"""

WELCOME = {
    "title": "Welcome to the demonstration",
    "body": "This hub has **two lines** more in its configuration than before:\n\n"
    "```python\nfrom jupyterhub_notify import configure\nconfigure(c)\n```",
    "max_views": 3,
}

BROADCAST = {
    "summary": "Tonight from 22:00 to 23:30 the **file system** is moved",
    "body": "Running kernels stay; reading and writing files pauses.",
    "type": "warning",
    "banner": True,
}

MESSAGE = {
    "recipient": "ada",
    "summary": "Your home directory holds 46.1 of 50 GB",
    "type": "warning",
    "key": "quota",
}


class Hub:
    """The demonstration's hub, in a directory."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.url = f"http://127.0.0.1:{port}"
        self.service = f"{self.url}/services/notify"
        self.password = secrets.token_urlsafe(6)
        self.token = secrets.token_hex(16)
        self.log = directory / "hub.log"
        hub_port, api_port, service_port = free_ports(3)
        (directory / "jupyterhub_config.py").write_text(
            CONFIG.format(
                port=port,
                hub_port=hub_port,
                api_port=api_port,
                service_port=service_port,
                password=self.password,
                token=self.token,
                home=str(directory / "home"),
                singleuser=str(BIN / "jupyterhub-singleuser"),
            )
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the hub, and wait until the service answers through its proxy."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTERHUB")}
        env = {**kept, "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16)}
        env["PATH"] = os.pathsep.join([str(NODE_BIN), str(BIN), env["PATH"]])
        if not shutil.which("configurable-http-proxy", path=env["PATH"]):
            raise SystemExit("A hub needs configurable-http-proxy: run `make setup`.")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "--config", "jupyterhub_config.py"],
                cwd=self.directory,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C should reach only this script, which then stops the hub cleanly.
                start_new_session=True,
            )
        until = time.monotonic() + START_TIMEOUT_S
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"The hub ended at its start:\n{self.log.read_text()[-3000:]}")
            try:
                self.ask("GET", "/v1/me")
                return
            except OSError:
                if time.monotonic() > until:
                    raise SystemExit(
                        f"The hub did not start:\n{self.log.read_text()[-3000:]}"
                    ) from None
                time.sleep(0.2)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a publisher's request to the service."""
        request = urllib.request.Request(
            self.service + path,
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        # The request goes to this machine, so never through a proxy of the environment.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def stop(self) -> None:
        """Stop the hub with its proxy, its service and its users' servers."""
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def main() -> None:
    """Run the demonstration until it is told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="where the hub listens (8000)")
    port = parser.parse_args().port
    # Handle SIGTERM like Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with tempfile.TemporaryDirectory(prefix="notify-demo-hub-") as directory:
        hub = Hub(Path(directory), port)
        try:
            hub.start()
            hub.ask("POST", "/v1/admin/welcome", WELCOME)
            hub.ask("POST", "/v1/admin/broadcasts", BROADCAST)
            hub.ask("POST", "/v1/services/demo/notifications", MESSAGE)
            say(hub)
            signal.pause()
        except KeyboardInterrupt:
            print("\nStopping …", flush=True)
        finally:
            hub.stop()


def say(hub: Hub) -> None:
    """Print the addresses and logins."""
    print(
        f"""
A JupyterHub with the service runs at {hub.url}

  log in as   ada, bob (users) or root (an administrator)
  password    {hub.password}

What to see
  Start ada's server: a welcome message, a banner, and a message about her quota.
  Bob sees the welcome message and the banner; the message is Ada's alone.

The service
  {hub.service}/v1/broadcasts   what everyone may read
  {hub.service}/docs            its API

Send something yourself
  export JUPYTERHUB_NOTIFY_URL={hub.service}
  export JUPYTERHUB_NOTIFY_TOKEN={hub.token}
  {BIN}/jupyterhub-notify send ada 'Your job has finished' --type success
  {BIN}/jupyterhub-notify doctor

Ctrl-C stops everything.""",
        flush=True,
    )


if __name__ == "__main__":
    main()
