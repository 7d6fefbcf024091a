"""A real JupyterHub, 6.x or 5.x, set up by `configure(c)` and by a site's own lines."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from .ports import free_ports

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
#: The folder into which `make` puts configurable-http-proxy, which a hub needs.
NODE_BIN = ROOT / "ui-tests" / "node_modules" / ".bin"
#: The Python of the environment in which `make` puts JupyterHub 5.
HUB5 = Path(sys.prefix) / "hub5" / "bin" / "python"

#: The program that a hub starts for a user: JupyterLab, or a stand-in that only reports its
#: environment and starts faster.
LAB = [str(BIN / "jupyterhub-singleuser"), "--allow-root"]
STAND_IN = [sys.executable, str(Path(__file__).with_name("stand_in_server.py"))]

CONFIG = """
import sys
from jupyterhub.services import service
from traitlets import Integer
c = get_config()

# A hub looks every half a minute whether a service has ended, and has no setting for it.
class OftenPolled(service._ServiceSpawner):
    poll_interval = Integer(1)

service._ServiceSpawner = OftenPolled
c.JupyterHub.bind_url = {bind_url!r}
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.pid_file = {dir!r} + "/proxy.pid"
c.JupyterHub.db_url = "sqlite:///" + {dir!r} + "/hub.sqlite"
c.JupyterHub.cookie_secret_file = {dir!r} + "/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {{"root"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {dir!r} + "/home/{{username}}"
c.Spawner.cmd = {command!r}
c.Spawner.http_timeout = 90
c.JupyterHub.load_groups = {{"staff": {{"users": ["ada"]}}}}
c.JupyterHub.services = [
    {{"name": "ops", "api_token": {ops!r}, "admin": True}},
    {{"name": "bot-quota", "api_token": {quota!r}}},
    {{"name": "bot-none", "api_token": {none!r}}},
]
c.JupyterHub.load_roles = [
    {{"name": "quota", "services": ["bot-quota"], "scopes": ["custom:notify:publish!group=staff"]}},
]
"""


def wait_for(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.1)


class Hub:
    """A hub below a directory.

    Parameters
    ----------
    directory
        The directory of all its files.
    site
        The site's own lines of `jupyterhub_config.py`.
    configure
        The arguments of `configure(c, …)`, as text; None leaves the call out.
    after
        Lines that a site wrote after the call.
    python
        The Python of the hub's environment; an environment other than the tests' has only the one
        file of ours.
    base_url
        The hub's prefix.
    lab
        Whether users' servers are JupyterLab, rather than stand-ins that report their environment.
    domain
        The hub's domain, if users' servers and services have domains of their own below it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        site: str = "",
        configure: str | None = "",
        after: str = "",
        python: Path = Path(sys.executable),
        base_url: str = "/",
        lab: bool = True,
        domain: str | None = None,
    ) -> None:
        self.directory = directory
        self.python = python
        self.base_url = base_url
        self.password = secrets.token_hex(8)
        self.tokens = {name: secrets.token_hex(16) for name in ("ops", "quota", "none")}
        self.port, self.hub_port, api_port, self.service_port = free_ports(4)
        self.origin = f"http://127.0.0.1:{self.port}"
        bind_url = self.origin + base_url
        services = self.origin
        if domain is not None:
            self.origin = f"http://{domain}:{self.port}"
            services = f"http://notify--service.{domain}:{self.port}"
            site += f"c.JupyterHub.subdomain_host = {self.origin!r}\n"
        self.url = self.origin + base_url.rstrip("/")
        self.service = f"{services}{base_url}services/notify"
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(trust_env=False, timeout=30)
        directory.mkdir(parents=True, exist_ok=True)
        self.log_file = directory / "hub.log"
        self.config_file = directory / "jupyterhub_config.py"
        text = CONFIG.format(
            dir=str(directory),
            bind_url=bind_url,
            hub_port=self.hub_port,
            api_port=api_port,
            password=self.password,
            command=LAB if lab else STAND_IN,
            **self.tokens,
        )
        text += site
        if configure is not None:
            text += self._call(configure)
        self.config_file.write_text(text + after)

    def _call(self, arguments: str) -> str:
        """Return the two lines; in an environment without our package also the file's place."""
        more = [f"port={self.service_port}"] if "url=" not in arguments else []
        lines = ""
        if self.python != Path(sys.executable):
            beside = self.directory / "etc"
            beside.mkdir(exist_ok=True)
            import jupyterhub_notify

            source = Path(jupyterhub_notify.__file__).parent / "configure.py"
            shutil.copy(source, beside / "jupyterhub_notify.py")
            lines += f"\nsys.path.insert(0, {str(beside)!r})\n"
            if "url=" not in arguments:
                more.append(f"command=[{str(BIN / 'jupyterhub-notify')!r}]")
        words = ", ".join(["c", *([arguments] if arguments else []), *more])
        return f"{lines}\nfrom jupyterhub_notify import configure\nconfigure({words})\n"

    @property
    def log(self) -> str:
        """The log of the hub, its proxy, the service and the users' servers."""
        return self.log_file.read_text(errors="replace")

    def start(self, *, ready: bool = True) -> Hub:
        """Start the hub, and wait until the service answers through its proxy."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "COLUMNS"))}
        env["PATH"] = os.pathsep.join([str(NODE_BIN), str(BIN), env["PATH"]])
        env["HOME"] = str(self.directory)
        env["CONFIGPROXY_AUTH_TOKEN"] = secrets.token_hex(16)
        if not shutil.which("configurable-http-proxy", path=env["PATH"]):
            raise RuntimeError(f"No configurable-http-proxy in {NODE_BIN}: run `make setup`.")
        if not self.python.exists():
            raise RuntimeError(f"No JupyterHub 5 at {self.python}: run `make test-hub`.")
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.python), "-m", "jupyterhub", "--config", str(self.config_file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=self.directory,
                start_new_session=True,
            )
        wait_for(self._answers, "the hub's start", 90)
        if ready:
            wait_for(self.serves, "the service's start", 60)
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            lines = [line for line in self.log.splitlines() if "ConfigProxy" not in line]
            raise RuntimeError("The hub ended at its start:\n" + "\n".join(lines[-40:]))
        with suppress(httpx.TransportError):
            return self.client.get(f"{self.url}/hub/api/").status_code == 200
        return False

    def serves(self) -> bool:
        """Return whether the service answers through the hub's proxy."""
        with suppress(httpx.TransportError):
            return self.client.get(f"{self.service}/v1/me").status_code == 200
        return False

    def stop(self) -> None:
        """Stop the hub, its proxy, its service and its users' servers."""
        self.client.close()
        process, self.process = self.process, None
        if process is None:
            return
        family = [psutil.Process(process.pid)] if process.poll() is None else []
        family += [child for parent in family for child in parent.children(recursive=True)]
        # The users' servers are in sessions of their own.
        with suppress(psutil.Error):
            process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(family, timeout=20)
        for one in left:
            with suppress(psutil.Error):
                one.kill()
        process.wait(10)

    # --- Requests

    def api(self, method: str, path: str, json: Any = None, *, token: str | None = None) -> Any:
        """Ask the Hub's API, as its administrators do."""
        answer = self.client.request(
            method,
            f"{self.url}/hub/api{path}",
            json=json,
            headers={"Authorization": f"Bearer {token or self.tokens['ops']}"},
        )
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def add_user(self, name: str) -> None:
        """Make a user, unless there is one."""
        with suppress(RuntimeError):
            self.api("POST", f"/users/{name}")

    def token(self, name: str, **fields: Any) -> str:
        """Return a new token of a user."""
        made = self.api("POST", f"/users/{name}/tokens", {"expires_in": 600, **fields})
        return str(made["token"])

    def spawn(self, name: str) -> dict[str, str]:
        """Start a user's server; return the environment of its process."""
        self.add_user(name)
        self.api("POST", f"/users/{name}/server")

        def ready() -> bool:
            server = self.api("GET", f"/users/{name}")["servers"].get("", {})
            return bool(server.get("ready"))

        wait_for(ready, f"{name}'s server", 120)
        assert self.process is not None
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                environment = process.environ()
                if environment.get("JUPYTERHUB_USER") == name:
                    return dict(environment)
        raise AssertionError(f"{name}'s server has no process")

    def get(self, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        """Ask the service through the hub's proxy."""
        return self.request("GET", path, token, **options)

    def request(
        self, method: str, path: str, token: str | None = None, **options: Any
    ) -> httpx.Response:
        """Ask the service through the hub's proxy."""
        headers = options.pop("headers", {})
        if token is not None:
            headers = {"Authorization": f"Bearer {token}", **headers}
        return self.client.request(method, self.service + path, headers=headers, **options)

    def me(self, token: str | None = None) -> dict[str, Any]:
        """Return the service's answer to the holder of a token about themselves."""
        answer = self.get("/v1/me", token)
        assert answer.status_code == 200, answer.text
        model: dict[str, Any] = answer.json()
        return model

    def browser(self, name: str, **options: Any) -> httpx.Client:
        """Return a browser's cookies of a user who is logged in at the Hub."""
        browser = httpx.Client(trust_env=False, timeout=30, follow_redirects=True, **options)
        page = browser.get(f"{self.url}/hub/login", headers=NAVIGATION)
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        assert xsrf is not None, page.text
        answer = browser.post(
            f"{self.url}/hub/login",
            data={"username": name, "password": self.password, "_xsrf": xsrf.group(1)},
            headers=NAVIGATION,
            follow_redirects=False,
        )
        if answer.status_code != 302:
            raise PermissionError(f"{name} may not log in: {answer.status_code}")
        return browser


#: Headers that a browser sends when a user opens a page.
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
#: Headers that it sends for a request of a page's script.
FETCH = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """Run a hub."""
    try:
        yield hub.start()
    finally:
        hub.stop()
