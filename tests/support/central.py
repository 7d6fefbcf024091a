"""A central service for tests: the process of ``central_server``, and a method for each control."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from .central_server import FAULTS
from .ports import reserve_port
from .servers import ROOT, wait_for


class Central:
    """The service as a process, and its controls.

    Parameters
    ----------
    directory
        The folder for its content, so that it can be stopped and started again.
    certificate
        Its key and certificate, for an ``https_url``.
    """

    def __init__(self, directory: Path, certificate: Path | None = None) -> None:
        self._state = directory / "central.json"
        self._certificate = certificate
        self._process: subprocess.Popen[str] | None = None
        self.port = reserve_port(self)
        self.url = ""
        self.https_url = ""

    def start(self) -> Central:
        """Start it, always on the same port, and wait until it listens."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.central_server", "--port", str(self.port)),
                *("--state", str(self._state)),
                *(["--certificate", str(self._certificate)] if self._certificate else []),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "The central service did not start."
        if self._certificate:
            self.https_url = self._process.stdout.readline().strip()
        return self

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def tell(self, method: str, path: str, value: Any = None) -> Any:
        """Call ``/control/{path}``."""
        from urllib.request import ProxyHandler, Request, build_opener

        request = Request(
            f"http://127.0.0.1:{self.port}/control/{path}",
            method=method,
            data=None if value is None else json.dumps(value).encode(),
        )
        # The tests' own environment may name a proxy.
        with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)

    def message(self, summary: str, body: str | None = None, **more: Any) -> str:
        """Add or change a message; return its id."""
        value = {"summary": summary, "body": body, **more}
        return str(self.tell("POST", "messages", value)["id"])

    def fill(self, count: int, *, read: bool = False) -> None:
        """Add very many messages."""
        self.tell("POST", "messages/fill", {"count": count, "read": read})

    def revoke(self, id_: str) -> None:
        """Revoke a message."""
        self.tell("DELETE", f"messages/{id_}")

    def mark(self, what: str, *ids: str) -> None:
        """Mark messages as ``read`` or ``unread`` elsewhere; without ids, all of them."""
        self.tell("POST", what, {"ids": list(ids)} if ids else {})

    def broadcast(self, summary: str, **more: Any) -> str:
        """Add or change a broadcast; return its id."""
        return str(self.tell("POST", "broadcasts", {"summary": summary, **more})["id"])

    def end_broadcast(self, id_: str) -> None:
        """Remove a broadcast."""
        self.tell("DELETE", f"broadcasts/{id_}")

    def welcome(self, title: str, body: str, **more: Any) -> str:
        """Add or change a welcome message; return its id."""
        return str(self.tell("POST", "welcome", {"title": title, "body": body, **more})["id"])

    def set(self, **settings: Any) -> None:
        """Change settings."""
        self.tell("POST", "settings", settings)

    def fault(self, kind: str | None, **more: Any) -> None:
        """Set a fault; None ends it."""
        if kind is None:
            self.tell("DELETE", "fault")
        else:
            assert kind in FAULTS
            self.tell("POST", "fault", {"kind": kind, **more})

    def release(self) -> None:
        """Send at once what the faults ``slow`` and ``mute`` hold back."""
        self.tell("POST", "release")

    def requests(self, path: str = "", method: str = "") -> list[dict[str, Any]]:
        """Return the requests whose path contains ``path``.

        The request for the service's features, which each lab makes once, is left out.
        """
        asked: list[dict[str, Any]] = self.tell("GET", "requests")
        return [
            r
            for r in asked
            if r["path"] != "/" and path in r["path"] and method in ("", r["method"])
        ]

    def posts(self) -> list[tuple[str, Any]]:
        """Return the POST requests without a fault: the last part of the path, and the body."""
        asked = self.requests("", "POST")
        return [(r["path"].rpartition("/")[2], r["body"]) for r in asked if not r["fault"]]

    def forget(self) -> None:
        """Forget the requests."""
        self.tell("DELETE", "requests")

    def state(self) -> dict[str, Any]:
        """Return all its content."""
        state: dict[str, Any] = self.tell("GET", "state")
        return state

    def wait_until_idle(self) -> None:
        """Wait until no lab polls any more, after the last tab of each was closed."""
        wait_for(lambda: self.tell("GET", "connections") == 0, "the end of all polling")

    def clear(self) -> None:
        """Remove all content and faults, once no lab polls any more."""
        self.tell("DELETE", "state")
        # Requests until then would count for the next test.
        self.wait_until_idle()
        self.forget()

    def unread(self) -> list[str]:
        """Return the ids of the unread messages, oldest first."""
        return [id_ for id_, m in self.state()["messages"].items() if m["read"] is None]
