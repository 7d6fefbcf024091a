"""Do not disturb and muted sources, on servers with databases of their own, by the service."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ...support.central import Central
from ...support.central_lab import Make
from ...support.servers import NAMESPACE, Server, wait_for
from ...support.service import Service, follows, lab_beside

PATH = f"/{NAMESPACE}/quiet"
#: A lab tries a stream that was lost again after ten seconds at the latest.
PATIENCE_S = 60.0


def quiet(server: Server) -> Any:
    return server.request("GET", PATH).json()


def change(server: Server, **changes: Any) -> Any:
    answer = server.request("PATCH", PATH, json=changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


def set_back(server: Server, source: str, hours: int) -> None:
    """Have the user have changed it earlier."""
    with closing(sqlite3.connect(server.database, timeout=30)) as db, db:
        db.execute(
            "UPDATE quiet SET changed_ms = changed_ms - ? WHERE source = ?",
            (hours * 3_600_000, source),
        )


def test_a_switch_that_knows_of_no_end_leaves_the_end_as_it_is(
    make_server: Callable[..., Server],
) -> None:
    """A tab may tell of JupyterLab's switch before it hears that it was turned on for an hour."""
    server = make_server()
    until = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
    held = change(server, doNotDisturb=True, until=until)
    assert held["until"] is not None
    assert change(server, doNotDisturb=True) == held
    assert change(server, doNotDisturb=True, until=None)["until"] is None
    assert change(server, doNotDisturb=False)["doNotDisturb"] is False
    assert change(server, doNotDisturb=True)["until"] is None


def test_what_is_changed_at_one_server_holds_at_the_others(
    make_server: Callable[..., Server], service: Service
) -> None:
    one, other = lab_beside(service, make_server), lab_beside(service, make_server)
    with one.websocket(), other.websocket() as far:
        follows(one)
        follows(other)
        until = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
        change(one, doNotDisturb=True, until=until, mute="quota")
        # Its tabs hear of it by their stream.
        while (far.receive().get("quiet") or {}).get("doNotDisturb") is not True:
            pass
        wait_for(lambda: quiet(other)["muted"] == ["quota"], "the muted source")
        assert quiet(other)["until"][:19] == quiet(one)["until"][:19]
        # And back: now the first server follows the other.
        change(other, unmute="quota")
        change(other, doNotDisturb=False)
        wait_for(
            lambda: quiet(one) == {"doNotDisturb": False, "until": None, "muted": []},
            "it to be off at the first",
        )
    # A server without a tab asks nothing. It learns of the change when a tab is opened.
    change(one, mute="meanwhile")
    with one.websocket(), other.websocket():
        wait_for(
            lambda: quiet(other)["muted"] == ["meanwhile"],
            "the closed tabs' change",
        )


def test_what_was_changed_while_the_service_was_away_counts_by_its_time(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    service = Service(tmp_path / "service").start()
    try:
        one, other = lab_beside(service, make_server), lab_beside(service, make_server)
        with one.websocket(), other.websocket():
            follows(one)
            follows(other)
            service.stop()
            for server in (one, other):
                wait_for(lambda s=server: not s.status()["central"]["events"], "the stream's end")
            for server, source, muted, hours_ago in (
                (one, "last at the first", False, 3),
                (other, "last at the first", True, 2),
                (one, "last at the first", True, 1),
                (one, "last at the other", True, 2),
                (other, "last at the other", True, 3),
                (other, "last at the other", False, 1),
            ):
                change(server, **{"mute" if muted else "unmute": source})
                set_back(server, source, hours_ago)
            service.start()
            for server in (one, other):
                wait_for(
                    lambda s=server: quiet(s)["muted"] == ["last at the first"],
                    "both to be the same",
                    PATIENCE_S,
                )
    finally:
        service.stop()


def test_an_older_service_is_told_nothing_and_it_holds_at_this_server(
    make: Make, central: Central
) -> None:
    server = make()
    with server.websocket():
        central.message("Hello")
        wait_for(lambda: server.page()["counts"]["inbox"] == 1, "the first message")
        assert change(server, mute="quota", doNotDisturb=True)["muted"] == ["quota"]
        server.change(server.page()["notifications"][0]["id"], read=True)
        wait_for(lambda: central.unread() == [], "what is told after it")
    assert central.requests("quiet") == []
    assert quiet(server)["doNotDisturb"] is True
