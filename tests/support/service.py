"""This project's own central service as a process, and a lab beside it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from jupyterlab_notify.timings import SourceTimings, Timings

from .ports import reserve_port
from .servers import Frames, Server, clean_environment, http_client, wait_for

USER = "ada"
#: The polling interval is longer than any test, so that changes can only come by events.
INTERVAL_S = 600.0


#: Runs it by a clock that is ahead by the first argument's seconds.
BY_ANOTHER_CLOCK = """
import runpy, sys, time
from datetime import timedelta
ahead, real = float(sys.argv.pop(1)), time.time
time.time = lambda: real() + ahead
import jupyterhub_notify.schema as schema
there = schema.now
schema.now = lambda: there() + timedelta(seconds=ahead)
runpy.run_module("jupyterhub_notify", run_name="__main__", alter_sys=True)
"""


class Service:
    """``jupyterhub-notify serve`` standing alone, with its SQLite file in a directory.

    Parameters
    ----------
    directory
        Where its files are.
    ahead_s
        By how much its clock is ahead of this machine's.
    """

    def __init__(self, directory: Path, *, ahead_s: float = 0.0) -> None:
        self._ahead_s = ahead_s
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = reserve_port(self)
        self.client = http_client()
        self.process: subprocess.Popen[bytes] | None = None
        self.admin = str(self._run("init", "--json")["token"])
        self.user = str(self._run("token", "create", USER, "--user", "--json")["token"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _command(self, *words: str) -> list[str]:
        if self._ahead_s:
            return [sys.executable, "-c", BY_ANOTHER_CLOCK, str(self._ahead_s), *words]
        return [sys.executable, "-m", "jupyterhub_notify", *words]

    def _run(self, *words: str) -> Any:
        ran = subprocess.run(
            self._command(*words),
            cwd=self.directory,
            env=clean_environment(self.directory),
            capture_output=True,
            check=True,
        )
        return json.loads(ran.stdout)

    def start(self, **settings: str) -> Service:
        """Start it, with settings as environment variables."""
        with (self.directory / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command("serve", "--port", str(self.port)),
                cwd=self.directory,
                env={**clean_environment(self.directory), **settings},
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, "the service's start", 40)
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.directory / "service.log").read_text()
        try:
            return self.client.get(f"{self.url}/health/ready").is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.terminate()
            # uvicorn ends itself by the signal once it has stopped.
            assert process.wait(10) in (0, -signal.SIGTERM)

    def ask(self, method: str, path: str, value: Any = None, *, token: str = "") -> Any:
        answer = self.client.request(
            method,
            self.url + path,
            json=value,
            headers={"Authorization": f"Bearer {token or self.admin}"},
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def broadcast(self, summary: str, **fields: Any) -> str:
        value = {"summary": summary, "audience": "all", **fields}
        return str(self.ask("POST", "/v1/admin/broadcasts", value)["id"])

    def send(self, summary: str, **fields: Any) -> None:
        value = {"summary": summary, "recipient": USER, **fields}
        self.ask("POST", "/v1/services/admin/notifications", value)

    def unread(self) -> list[str]:
        listed = self.ask("GET", "/v1/notifications/messages?unread=true", token=self.user)
        return [entry["summary"]["gfm"] for entry in listed]


def lab_beside(
    service: Service,
    make_server: Callable[..., Server],
    *,
    interval_s: float = INTERVAL_S,
    url: str = "",
    **options: Any,
) -> Server:
    """Start a lab that asks the service, by way of a proxy if a URL is given."""
    return make_server(
        config={
            "NotifyApp": {
                "central_url": url or service.url,
                "central_token_variable": "CENTRAL_TOKEN",
                "central_interval": interval_s,
            }
        },
        env={"CENTRAL_TOKEN": service.user},
        timings=Timings(sources=SourceTimings(hello_spread_s=0.1)),
        **options,
    )


def follows(server: Server) -> None:
    """Wait until the lab holds the service's event stream."""
    wait_for(lambda: server.status()["central"]["events"], "the event stream")


def row_of(tab: Frames, message: str, **state: Any) -> dict[str, Any]:
    """Wait until a tab has a message in a state; return its row.

    The wait is longer than a lab's pause after it has found the service away.
    """

    def found() -> list[dict[str, Any]]:
        # One frame may have brought it with another row that was waited for before.
        return [
            row
            for row in tab.seen.values()
            if row["message"] == message
            and all((row[name] is not None) == is_set for name, is_set in state.items())
        ]

    tab.rows_until(lambda _: bool(found()), 60.0)
    return found()[0]
