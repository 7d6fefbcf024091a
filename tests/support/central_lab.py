"""A lab's server beside a central service."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ..support.central import Central
from ..support.servers import Server, wait_for

TOKEN = "sesame-open-the-central-service"


INTERVAL_S = 0.1


#: The longest back-off: ten intervals, or ten minutes if that is less.
LONGEST_S = 10 * INTERVAL_S


TIMEOUT_S = 2.0


#: Requests from the lab to the service must not go through the machine's own proxy.
ENV = {"CENTRAL_TOKEN": TOKEN, "NO_PROXY": "127.0.0.1"}


Make = Callable[..., Server]


def config(central: Central, **more: Any) -> dict[str, Any]:
    """Return the configuration of a lab that asks often."""
    return {
        "NotifyApp": {
            "central_url": central.url,
            "central_name": "The platform",
            "central_interval": INTERVAL_S,
            "central_timeout": TIMEOUT_S,
            "central_token_variable": "CENTRAL_TOKEN",
            **more,
        }
    }


def rows(server: Server, view: str = "inbox") -> dict[str, dict[str, Any]]:
    """Return what is in a view, by the text."""
    return {row["message"]: row for row in server.page(view=view, limit=200)["notifications"]}


def shows(server: Server, *texts: str) -> None:
    """Wait until just these are shown."""
    wait_for(lambda: set(rows(server)) == set(texts), f"{texts} to be shown")


def healthy(server: Server, after: str | None) -> None:
    """Wait until a whole pass has succeeded after a time."""
    wait_for(lambda: (server.status()["central"]["lastSuccess"] or "") > (after or ""), "a pass")


def passed(server: Server) -> None:
    """Wait for a whole pass that began after now."""
    for _ in range(2):
        healthy(server, server.status()["central"]["lastSuccess"])


FAULTS: dict[str, dict[str, Any]] = {
    "401": {"kind": "status", "status": 401},
    "403": {"kind": "status", "status": 403},
    "404": {"kind": "status", "status": 404},
    "429": {"kind": "status", "status": 429, "retry_after": 1},
    "500": {"kind": "status", "status": 500},
    "503": {"kind": "status", "status": 503, "retry_after": 1},
    "html": {"kind": "nonsense"},
    "json": {"kind": "nonsense", "content": '[{"id": {}}, null, 3]'},
    "deep": {"kind": "nonsense", "content": "[" * 100_000},
    "empty": {"kind": "nonsense", "content": ""},
    "drop": {"kind": "drop"},
    "slow": {"kind": "slow", "seconds": 8},
    "drip": {"kind": "drip", "seconds": 8},
    "endless": {"kind": "endless"},
    "redirect": {"kind": "redirect"},
}


#: Faults that make each try take long, or the time between two.
LENGTHY = {"retry_after", "seconds"}


def gaps(asked: list[dict[str, Any]]) -> list[float]:
    """Return the seconds between each two requests."""
    return [later["at"] - earlier["at"] for earlier, later in pairwise(asked)]


def tries(central: Central) -> list[list[dict[str, Any]]]:
    """Return the requests of each pass since the service forgot them; broadcasts come first."""
    begun: list[list[dict[str, Any]]] = []
    for request in central.requests():
        # The body of a message that a user opens is requested at any time.
        if re.fullmatch("/v1/notifications/messages/.+", request["path"]):
            continue
        if request["path"] == "/v1/broadcasts" and request["token"] is not None:
            begun.append([])
        # Requests before the first broadcasts belong to a pass that had begun earlier.
        if begun:
            begun[-1].append(request)
    return begun


def passes_back_off(central: Central, fault: dict[str, Any]) -> None:
    """Assert that the service was asked no faster than the back-off allows."""
    passes = tries(central)
    refused = fault.get("status") in (401, 403)
    least = INTERVAL_S
    for earlier, wait_s in zip(passes, gaps([asked[0] for asked in passes]), strict=False):
        assert wait_s >= 0.8 * min(least, LONGEST_S) - 0.01, passes
        if refused:
            assert wait_s >= 0.95 * LONGEST_S
        if "retry_after" in fault:
            assert wait_s >= fault["retry_after"]
        least *= 2
        if "retry_after" in fault and fault["status"] == 429:
            # The service asks for a pause, so nothing else was tried in that pass.
            assert {r["path"] for r in earlier} == {"/v1/broadcasts"}
        if refused:
            # Broadcasts are public: each time they are requested without the token, too.
            asked = [r["token"] is None for r in earlier if r["path"] == "/v1/broadcasts"]
            assert asked == [False, True]


NO_RESOLVER = """
import socket, time
look_up = socket.getaddrinfo
def wait_and_look_up(host, *args, **kwargs):
    if host in ("gone.example", b"gone.example"):
        print("Nobody answers", flush=True)
        time.sleep(60)
    return look_up(host, *args, **kwargs)
socket.getaddrinfo = wait_and_look_up
"""
