"""A real Jupyter server in a subprocess, with directories of its own; the fixtures start it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypeVar

import httpx
from websockets.sync.client import ClientConnection, connect

from jupyterlab_notify.timings import SourceTimings, Timings

from .ports import reserve_port

ROOT = Path(__file__).resolve().parent.parent.parent
OPENAPI = ROOT / "docs" / "openapi.json"
LEFT_OUT = ROOT / "tests" / "support" / "left_out"
NAMESPACE = "jupyterlab-notify"
ALIAS = "jupyterlab-notifications-extension"

START_TIMEOUT_S = 30.0
#: Variables that would let a test's server see the machine that it runs on.
FOREIGN = ("JUPYTER", "JPY_", "IPYTHON", "XDG_", "NOTEBOOK", "MAKE", "MFLAGS")
#: The variable that would make every server compile the extension anew, which no installed
#: extension needs.
UNCOMPILED = "PYTHONDONTWRITEBYTECODE"

#: JupyterLab's extensions that are on in every server of the environment, and take a third of its
#: start.
OTHERS = ("jupyter_lsp", "jupyter_server_terminals", "jupyterlab", "notebook", "notebook_shim")

#: Code that sets the extension's waits and intervals to the test's.
SET_TIMINGS = """
from jupyterlab_notify.app import NotifyApp
from jupyterlab_notify.timings import SourceTimings, StorageTimings, Timings
NotifyApp.timings = {timings!r}
"""

#: A server waits some time for the welcome files, but not for a folder that hangs. A busy machine
#: may need longer than that to import YAML.
PATIENT = Timings(sources=SourceTimings(files_timeout_s=30.0))

T = TypeVar("T")


def http_client() -> httpx.Client:
    """Return a client that keeps no cookies: a token's bearer gets one, and is then let in."""
    keeps_none = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(trust_env=False, timeout=30, cookies=keeps_none)


def wait_for(
    condition: Callable[[], T], what: str, timeout_s: float = 20.0, every_s: float = 0.02
) -> T:
    """Return what ``condition`` returns as soon as that is true; fail after ``timeout_s``.

    By default it waits longer than the longest back-off of a lab that polls every second, ten
    seconds, so that no test hangs on how many attempts failed before.
    """
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"Waited {timeout_s} s in vain: {what}"
        time.sleep(every_s)


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment in which only ``home`` and the tests' interpreter are known."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN) and k != UNCOMPILED}
    env.update(
        HOME=str(home),
        PATH=os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)]),
        PYTHONPATH=python_path(env.get("PYTHONPATH", "")),
        PYTHONUNBUFFERED="1",
    )
    return env


def at_once(*calls: Callable[[], Any]) -> None:
    """Run calls side by side, such as starts of servers, which mostly wait; raise their errors."""
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()


def python_path(more: str = "") -> str:
    """Return a ``PYTHONPATH`` that hides packages that are slow to import and not needed."""
    return os.pathsep.join(filter(None, [str(LEFT_OUT), more]))


class Frames:
    """A tab's end of the stream: each frame that comes, as a dictionary."""

    def __init__(self, connecting: AbstractContextManager[ClientConnection]) -> None:
        self._open = connecting
        self.connection = connecting.__enter__()
        #: The newest state of each row that has come, by id.
        self.seen: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the tab."""
        self._open.__exit__(None, None, None)

    def receive(self, timeout_s: float = 10.0) -> dict[str, Any]:
        """Return the next frame that is not the server's sign of life."""
        end = time.monotonic() + timeout_s
        while True:
            text = self.connection.recv(timeout=max(0.01, end - time.monotonic()))
            frame = json.loads(text)
            assert isinstance(frame, dict)
            if frame["type"] != "alive":
                return frame

    def send(self, value: Any) -> None:
        """Send a frame: JSON of ``value``, or ``value`` itself if it is text or bytes."""
        self.connection.send(value if isinstance(value, (str, bytes)) else json.dumps(value))

    def rows_until(
        self, enough: Callable[[dict[str, dict[str, Any]]], bool], timeout_s: float = 10.0
    ) -> dict[str, dict[str, Any]]:
        """Return the newest state of each row that comes, by id, once ``enough`` says so."""
        rows: dict[str, dict[str, Any]] = {}
        end = time.monotonic() + timeout_s
        while not enough(rows):
            frame = self.receive(max(0.01, end - time.monotonic()))
            for row in (*frame.get("notifications", ()), *frame.get("pinned", ())):
                for known in (rows, self.seen):
                    if row["id"] not in known or known[row["id"]]["seq"] < row["seq"]:
                        known[row["id"]] = row
        return rows


class Server:
    """A Jupyter server of the environment that the tests run in.

    Parameters
    ----------
    directory
        Made if missing; the server writes nowhere else.
    home
        Its home directory, below which Jupyter's data directory lies; two servers may share
        one. By default in ``directory``.
    lab
        Start ``jupyter lab`` instead of ``jupyter server``.
    others
        Also load the environment's other server extensions, as ``lab`` does in any case.
    timings
        Other waits and intervals than the usual ones.
    config
        Traitlets configuration, as ``{"NotifyApp": {"retention_count": 5}}``.
    config_py
        Lines of Python for its configuration file, in which ``c`` is the configuration.
    env
        More environment variables.
    args
        More command line arguments.
    python
        Another interpreter than the tests' own.
    """

    # Longer than a screen: half of it is the signature, and the configuration of one server.
    def __init__(
        self,
        directory: Path,
        *,
        home: Path | None = None,
        lab: bool = False,
        others: bool = False,
        timings: Timings | None = None,
        config: dict[str, Any] | None = None,
        config_py: str = "",
        env: dict[str, str] | None = None,
        args: tuple[str, ...] = (),
        python: str = sys.executable,
    ) -> None:
        self.directory = directory
        self.home = home or directory / "home"
        self.data_dir = self.home / ".local" / "share" / "jupyter"
        self.runtime_dir = directory / "runtime"
        self.config_dir = directory / "config"
        self.root_dir = directory / "root"
        for path in (self.home, self.data_dir, self.runtime_dir, self.config_dir, self.root_dir):
            path.mkdir(parents=True, exist_ok=True)
        self.log_file = directory / "server.log"
        self.token = secrets.token_hex(16)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.client = http_client()
        self._python = python
        self._module = "jupyterlab" if lab else "jupyter_server"
        self._args = args
        config = dict(config or {})
        # Tests send many at once, from one token; the limit has tests of its own.
        config["NotifyApp"] = {"ingest_rate": 0, **config.get("NotifyApp", {})}
        if not (lab or others):
            off = {"jpserver_extensions": dict.fromkeys(OTHERS, False)}
            config["ServerApp"] = {**off, **config.get("ServerApp", {})}
        self._env = {
            **clean_environment(self.home),
            "JUPYTER_DATA_DIR": str(self.data_dir),
            "JUPYTER_CONFIG_DIR": str(self.config_dir),
            "JUPYTER_RUNTIME_DIR": str(self.runtime_dir),
            "JUPYTER_TOKEN": self.token,
            # Let a wrong configuration end the server's start, instead of only logging it.
            "TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR": "1",
            **(env or {}),
        }
        if env and "PYTHONPATH" in env:
            self._env["PYTHONPATH"] = python_path(env["PYTHONPATH"])
        # Write the file in Python, since ``config_py`` may add code to the configuration.
        (self.config_dir / "jupyter_server_config.py").write_text(
            "c = get_config()\n"
            + "".join(
                f"c.{section}.{name} = {value!r}\n"
                for section, values in config.items()
                for name, value in values.items()
            )
            + config_py
            # This comes last: it imports modules whose import ``config_py`` may want to observe.
            + (SET_TIMINGS.format(timings=timings) if timings else "")
        )

    @property
    def database(self) -> Path:
        """The file of its notifications, unless its configuration names another."""
        return self.data_dir / "notify" / "notifications.sqlite"

    @property
    def url(self) -> str:
        """Its base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """All that it has logged since it was first started."""
        return self.log_file.read_text(errors="replace")

    def start(self) -> Server:
        """Start it, and wait until it answers."""
        for stale in self.runtime_dir.glob("jpserver-*.json"):
            stale.unlink()
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self._python,
                    "-m",
                    self._module,
                    "--no-browser",
                    "--allow-root",
                    "--ServerApp.ip=127.0.0.1",
                    # Use any free port at first, and the same port after a restart, for the tabs.
                    f"--ServerApp.port={self.port or reserve_port(self)}",
                    f"--ServerApp.port_retries={0 if self.port else 50}",
                    f"--ServerApp.root_dir={self.root_dir}",
                    *self._args,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                cwd=self.root_dir,
                start_new_session=True,
            )
        info = self.runtime_dir / f"jpserver-{self.process.pid}.json"
        wait_for(
            lambda: self._alive() and info.exists() and info.read_text().endswith("}"),
            "the server's start",
            START_TIMEOUT_S,
        )
        self.port = int(json.loads(info.read_text())["port"])
        # The server writes that file before its socket listens.
        wait_for(lambda: self._alive() and self._answers(), "its first answer", START_TIMEOUT_S)
        return self

    def _answers(self) -> bool:
        try:
            return self.request("GET", "/api/status").is_success
        except httpx.ConnectError:
            return False

    def _alive(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"The server ended at its start:\n{self.log}"
        return True

    def stop(self, timeout_s: float = 15.0) -> None:
        """End it as a user or a hub would, and whatever it started."""
        self._end(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """End it with SIGKILL: it can save nothing."""
        self._end(signal.SIGKILL, 10)

    def _end(self, number: int, timeout_s: float) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            if number == signal.SIGKILL:
                # Its process group is its own, so that this reaches nothing that it did not start.
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.send_signal(number)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            raise AssertionError(f"The server did not end:\n{self.log[-5000:]}") from None

    def restart(self) -> Server:
        """Start it again on the same port, with what it has kept."""
        self.stop()
        return self.start()

    # Requests of a sender or a tab

    def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        content: bytes | str | Any = None,
        token: str | None = "",
        headers: dict[str, str] | None = None,
        params: Any = None,
    ) -> httpx.Response:
        """Send a request to a path below the base URL.

        ``token`` is the server's own by default, and None for none.
        """
        auth = self.token if token == "" else token
        return self.client.request(
            method,
            self.url + path,
            json=json,
            content=content,
            params=params,
            headers={**({"Authorization": f"Bearer {auth}"} if auth else {}), **(headers or {})},
        )

    def ingest(self, message: dict[str, Any] | str, **fields: Any) -> dict[str, Any]:
        """Push a message (or its text, and more fields), and return the receipt."""
        value = {"message": message} if isinstance(message, str) else message
        answer = self.request("POST", f"/{NAMESPACE}/ingest", {**value, **fields})
        assert answer.status_code == 200, answer.text
        receipt = answer.json()
        assert isinstance(receipt, dict)
        return receipt

    def page(self, **params: Any) -> dict[str, Any]:
        """Return a page of the list."""
        answer = self.request("GET", f"/{NAMESPACE}/notifications", params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert isinstance(page, dict)
        return page

    def settle(self) -> None:
        """Revoke what would change by itself: by its time, or since its sender is dead."""
        for view in ("inbox", "dismissed", "snoozed"):
            before: dict[str, int] = {}
            while True:
                page = self.page(view=view, limit=200, **before)
                for row in page["notifications"]:
                    if row["type"] == "in-progress" or row["expiresAt"] or row["snoozedUntil"]:
                        path = f"/{NAMESPACE}/ingest/{row['id']}"
                        revoked = self.request("DELETE", path, params={"source": row["source"]})
                        assert revoked.status_code == 200, revoked.text
                if page["next"] is None:
                    break
                before = {"before": page["next"]}

    def detail(self, id_: str) -> dict[str, Any]:
        """Return one notification whole."""
        answer = self.request("GET", f"/{NAMESPACE}/notifications/{id_}")
        assert answer.status_code == 200, answer.text
        detail = answer.json()
        assert isinstance(detail, dict)
        return detail

    def change(self, id_: str, **state: bool | str) -> dict[str, Any]:
        """Change the state of one, as by ``read=True``."""
        answer = self.request("PATCH", f"/{NAMESPACE}/notifications/{id_}", state)
        assert answer.status_code == 200, answer.text
        changed = answer.json()
        assert isinstance(changed, dict)
        return changed

    def status(self) -> dict[str, Any]:
        """Return the extension's status."""
        answer = self.request("GET", f"/{NAMESPACE}/status")
        assert answer.status_code == 200, answer.text
        status = answer.json()
        assert isinstance(status, dict)
        return status

    def websocket(
        self,
        cursor: str | None = None,
        *,
        token: str | None = "",
        origin: str | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Frames:
        """Open a stream as a tab does; use it in a ``with``."""
        auth = self.token if token == "" else token
        query = httpx.QueryParams({"cursor": cursor} if cursor is not None else {})
        return Frames(
            connect(
                f"ws://127.0.0.1:{self.port}/{NAMESPACE}/stream?{query}",
                additional_headers={
                    **({"Authorization": f"Bearer {auth}"} if auth else {}),
                    **(headers or {}),
                },
                origin=origin,  # type: ignore[arg-type]
                proxy=None,
                compression=None,
                max_size=None,
                open_timeout=10,
                close_timeout=5,
                **options,
            )
        )
