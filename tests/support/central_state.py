"""The content of the central service for tests: ``central_server`` serves it, tests control it."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any


def stamp(seconds_ago: float = 0) -> str:
    """Return a time as the service writes it."""
    then = datetime.now(timezone.utc) - timedelta(seconds=seconds_ago)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(created: str) -> int:
    """Return a time's seconds since 1970."""
    return int(datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp())


def formatted(text: str | None) -> dict[str, str] | None:
    """Return a text in the service's form: as Markdown, and as (raw) HTML."""
    return None if text is None else {"gfm": text, "html": f"<p>{text}</p>"}


def given_fields(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return those fields that are given: Semaphore does not have them, but our own service."""
    return {name: value[name] for name in names if name in value}


def empty() -> dict[str, Any]:
    """Return the content of a new service."""
    return {
        "messages": {},
        "broadcasts": {},
        "welcome": {},
        "dismissed": [],
        "next": 1,
        "settings": {"token": None, "welcome": True, "etags": True, "totals": True, "links": None},
    }


class State:
    """The content of the service."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.started = time.monotonic()
        self.requests: list[dict[str, Any]] = []
        #: The connections that have made requests other than ``/control/``.
        self.connections: set[object] = set()
        self.fault: dict[str, Any] | None = None
        #: Set to end the waits of the present fault.
        self.released = threading.Event()
        self.held = empty()
        if path is not None and path.exists():
            self.held = json.loads(path.read_text())

    def save(self) -> None:
        if self.path is not None:
            # Replace the file in one step, since the service may be killed at any time.
            new = self.path.with_suffix(".new")
            new.write_text(json.dumps(self.held))
            new.replace(self.path)

    def _release(self) -> None:
        """Send at once what the faults so far hold back."""
        self.released.set()
        self.released = threading.Event()

    @property
    def settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = self.held["settings"]
        return settings

    def new_id(self) -> str:
        self.held["next"] += 1
        return str(self.held["next"] - 1)

    def newest_first(self) -> list[dict[str, Any]]:
        return sorted(
            self.held["messages"].values(), key=lambda m: (m["created"], m["order"]), reverse=True
        )

    def due(self) -> list[dict[str, Any]]:
        return [m for id_, m in self.held["welcome"].items() if id_ not in self.held["dismissed"]]

    # Longer than a screen: one case for each path below `/control/`.
    def control(self, method: str, path: str, value: Any) -> Any:
        """Do what a test asks for."""
        what, _, id_ = path.removeprefix("/control/").partition("/")
        held = self.held
        if what == "requests":
            asked = list(self.requests)
            if method == "DELETE":
                self.requests.clear()
            return asked
        if what == "connections":
            return len(self.connections)
        if what == "state":
            if method == "DELETE":
                self.fault = None
                self._release()
                held.update(empty(), next=held["next"])
            return held
        if what == "release":
            self._release()
        elif what == "fault":
            self.fault = value if method == "POST" else None
        elif what == "settings":
            held["settings"].update(value)
        elif method == "DELETE":
            held[what].pop(id_)
        elif what == "welcome-reset":
            held["dismissed"] = []
        elif what in ("read", "unread"):
            self.mark(value.get("ids", list(held["messages"])), what == "read")
        elif id_ == "fill":
            for n in range(value["count"]):
                self.add_message(
                    {
                        "summary": f"Message {n}",
                        "created": stamp(value["count"] - n),
                        "read": stamp() if value.get("read") else None,
                    }
                )
        elif what == "messages":
            return {"id": self.add_message(value)}
        elif what == "broadcasts":
            given = value.get("id") or self.new_id()
            held["broadcasts"][given] = {
                "id": given,
                "summary": formatted(value["summary"]),
                "body": formatted(value.get("body")),
                "active": value.get("active", True),
                "enabled": value.get("enabled", True),
                "stale": value.get("stale", False),
                "category": value.get("category", "info"),
                **given_fields(value, "countdown"),
            }
            return {"id": given}
        elif what == "welcome":
            given = value.get("id") or self.new_id()
            held["welcome"][given] = {
                "id": given,
                "aspect": value.get("aspect", "jupyterlab"),
                "title": value["title"],
                "summary": formatted(value.get("summary")),
                "body": formatted(value["body"]),
                "dismissable": value.get("dismissable", True),
                "max_views": value.get("max_views"),
                "updated": value.get("updated", stamp()),
                **given_fields(value, "must_accept"),
            }
            return {"id": given}
        else:
            raise KeyError(what)
        return {}

    def add_message(self, value: dict[str, Any]) -> str:
        id_ = str(value.get("id") or self.new_id())
        self.held["messages"][id_] = {
            "id": id_,
            "order": self.held["messages"].get(id_, {}).get("order", self.held["next"]),
            "created": value.get("created", stamp()),
            "read": value.get("read"),
            "summary": value["summary"],
            "body": value.get("body"),
        }
        self.held["next"] += 1
        return id_

    def mark(self, ids: list[str], read: bool) -> None:
        for id_ in ids:
            message = self.held["messages"].get(id_)
            if message is not None and (message["read"] is not None) != read:
                message["read"] = stamp() if read else None
