"""Each list of the central service has its own back-off."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from ...support.central import Central
from ...support.central_lab import INTERVAL_S, LONGEST_S, Make, gaps, passed, rows, shows
from ...support.servers import Server, wait_for

#: Faults that one list alone may have.
FAULTS: dict[str, dict[str, Any]] = {
    "401": {"kind": "status", "status": 401},
    "403": {"kind": "status", "status": 403},
    "401 later": {"kind": "status", "status": 401, "retry_after": 3},
    "404": {"kind": "status", "status": 404},
    "429": {"kind": "status", "status": 429},
    "500": {"kind": "status", "status": 500},
    "503 at once": {"kind": "status", "status": 503, "retry_after": 0},
    "503 later": {"kind": "status", "status": 503, "retry_after": 3},
    "html": {"kind": "nonsense"},
    "json": {"kind": "nonsense", "content": '[{"id": '},
    "redirect": {"kind": "redirect", "location": "http://127.0.0.1:1"},
    "drop": {"kind": "drop"},
    "reset": {"kind": "reset"},
    "cut": {"kind": "cut"},
    "endless": {"kind": "endless"},
}


@pytest.mark.parametrize("name", FAULTS)
def test_messages_that_fail_do_not_delay_broadcasts(
    server: Server, central: Central, name: str
) -> None:
    with server.websocket():
        passed(server)
        central.fault(**FAULTS[name], path="GET /v1/notifications/messages")
        central.forget()
        wait_for(lambda: len(central.requests("broadcasts")) > 8, "eight passes", 30)
        # 1, 2, 4, 8 and then 10 intervals for the messages, and always just one for broadcasts.
        for n, wait_s in enumerate(waits := gaps(central.requests("messages"))):
            least = LONGEST_S if name.startswith(("401", "403")) else INTERVAL_S * 2**n
            assert wait_s >= 0.8 * min(least, LONGEST_S) - 0.01, waits
            assert wait_s >= FAULTS[name].get("retry_after", 0), waits
        assert median(gaps(central.requests("broadcasts"))) < 0.8 * LONGEST_S
        said = server.status()["central"]
        assert said["lastFailure"]["at"] >= said["lastSuccess"]
    central.fault(None)
    with server.websocket():
        central.message("Now it has messages")
        shows(server, "Now it has messages")


# Broadcasts are requested first. If the service asks to wait there, its other lists may still work.
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_broadcasts_that_fail_do_not_delay_messages(
    server: Server, central: Central, name: str
) -> None:
    with server.websocket():
        passed(server)
        central.fault(**FAULTS[name], path="GET /v1/broadcasts")
        central.forget()
        # Two requests a pass: those that are unread, and how many there are.
        wait_for(lambda: len(central.requests("messages")) > 16, "eight passes", 30)
        assert median(gaps(central.requests("messages")[::2])) < 0.8 * LONGEST_S
        if name == "503 later":
            assert all(wait_s >= 3 for wait_s in gaps(central.requests("broadcasts")))
        one = central.message("Comes all the same")
        shows(server, "Comes all the same")
        server.change(rows(server)["Comes all the same"]["id"], read=True)
        wait_for(lambda: one not in central.unread(), "it to be read there")


# A service without welcome messages (404) is no fault.
@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"404"}))
def test_welcome_messages_that_fail_delay_neither_messages_nor_broadcasts(
    server: Server, central: Central, name: str
) -> None:
    with server.websocket():
        # The test before may have left a back-off.
        wait_for(lambda: central.requests("welcome"), "a sound pass")
        central.fault(**FAULTS[name], path="GET /v1/welcome")
        central.forget()
        wait_for(lambda: len(central.requests("broadcasts")) > 6, "six passes", 30)
        asked = central.requests("welcome")
        assert asked[0]["fault"] == FAULTS[name]["kind"]
        assert len(asked) < 6
        assert median(gaps(central.requests("broadcasts"))) < 0.8 * LONGEST_S
        assert median(gaps(central.requests("messages")[::2])) < 0.8 * LONGEST_S


# The lists that are asked after the broadcasts.
@pytest.mark.parametrize("path", ["notifications/messages", "welcome"])
def test_a_list_that_hangs_costs_the_others_nothing_of_their_interval(
    make: Make, central: Central, path: str
) -> None:
    interval_s = 0.5
    server = make({"central_interval": interval_s, "central_timeout": interval_s})
    with server.websocket():
        passed(server)
        central.fault("slow", seconds=30, path=f"GET /v1/{path}")
        central.forget()
        # It is tried in the first, second and fourth of these passes.
        wait_for(lambda: len(central.requests("broadcasts")) > 5, "five passes", 30)
        hung = [r["at"] for r in central.requests(path)]
        others = [r["at"] for r in central.requests("broadcasts")]
        waits = [b - a for a, b in pairwise(others) if any(a <= at <= b for at in hung)]
        # An interval and the time in which nothing came would be 1.8 intervals or more.
        assert waits and median(waits) < 1.6 * interval_s, waits


def test_the_pause_of_one_list_does_not_hold_for_others_that_fail_later(
    make: Make, central: Central
) -> None:
    # A server of its own, which keeps to the pause after this test.
    server = make()
    with server.websocket():
        passed(server)
        central.forget()
        central.fault("status", status=503, retry_after=60, path="GET /v1/broadcasts")
        wait_for(
            lambda: 503 in [asked["status"] for asked in central.requests("broadcasts")],
            "the service to ask for a pause",
        )
        # Wait until the pass with the pause is over: the other requests in it end with that list.
        central.forget()
        wait_for(lambda: len(central.requests("messages")) > 4, "passes without that list")
        central.fault("status", status=500)
        central.forget()
        wait_for(lambda: len(central.requests("messages")) > 2, "others to be tried again", 30)
        assert central.requests("broadcasts") == []
        since = server.status()["central"]
        assert since["lastFailure"]["at"] > since["lastSuccess"]


def test_a_click_with_a_token_that_is_refused_does_not_delay_broadcasts(
    server: Server, central: Central
) -> None:
    central.message("Read here")
    with server.websocket():
        shows(server, "Read here")
        central.fault("status", status=401, path="/v1/notifications/")
        server.change(rows(server)["Read here"]["id"], read=True)
        wait_for(lambda: central.requests("", "POST"), "it to be told")
        central.forget()
        wait_for(lambda: len(central.requests("broadcasts")) > 8, "eight passes", 30)
        assert median(gaps(central.requests("broadcasts"))) < 0.8 * LONGEST_S
