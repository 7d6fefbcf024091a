"""Snoozes on servers with databases of their own, by the service."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ...support.central import Central
from ...support.central_lab import Make
from ...support.servers import Frames, Server, wait_for
from ...support.service import Service, follows, lab_beside, row_of

#: A lab tries a stream that was lost again after ten seconds at the latest.
PATIENCE_S = 60.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service of each test's own: these look at all that is there."""
    service = Service(tmp_path / "service")
    try:
        yield service.start()
    finally:
        service.stop()


def ahead(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


def listed(server: Server, view: str = "inbox") -> list[str]:
    return [row["message"] for row in server.page(view=view)["notifications"]]


def has(server: Server, *messages: str, view: str = "inbox", timeout: float = 20.0) -> None:
    wait_for(
        lambda: set(listed(server, view)) == set(messages),
        f"{messages} in the {view}",
        timeout,
    )


def id_of(server: Server, message: str) -> str:
    rows = [
        row
        for view in ("inbox", "snoozed", "dismissed")
        for row in server.page(view=view)["notifications"]
    ]
    return next(str(row["id"]) for row in rows if row["message"] == message)


def told(server: Server) -> None:
    wait_for(lambda: server.status()["central"]["outbox"] == 0, "the outbox to be empty")


def snooze(server: Server, message: str, seconds: float | None) -> Any:
    """Snooze a message, or bring it back."""
    id_ = id_of(server, message)
    return server.change(id_, snoozedUntil=False if seconds is None else ahead(seconds))


def comes_back(tab: Frames, message: str, position: int) -> dict[str, Any]:
    """Wait until a tab has a message above a position, and return its row."""

    def found() -> list[dict[str, Any]]:
        rows = [row for row in tab.seen.values() if row["message"] == message]
        return [one for one in rows if one["position"] > position and not one["snoozedUntil"]]

    tab.rows_until(lambda _: bool(found()), 60.0)
    return found()[0]


def come_due(*servers: Server, service: Service | None = None) -> None:
    """Have all snoozes of these databases be over."""
    files = [(server.database, "notifications", "snoozed_until_ms", 1) for server in servers]
    if service is not None:
        file = service.directory / "jupyterhub-notify.sqlite"
        files.append((file, "notification_states", "snoozed_until", "2001-01-01 09:00:00.000000"))
    for path, table, column, value in files:
        with closing(sqlite3.connect(path, timeout=30)) as db, db:
            db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} IS NOT NULL", (value,))


def test_what_is_snoozed_at_one_server_is_snoozed_at_the_others(
    make_server: Callable[..., Server], service: Service
) -> None:
    one, other = lab_beside(service, make_server), lab_beside(service, make_server)
    service.send("Later")
    service.broadcast("Later for all", banner=True)
    with one.websocket() as near, other.websocket() as far:
        for server in (one, other):
            follows(server)
            has(server, "Later", "Later for all")
        one.change(id_of(one, "Later"), read=True)
        row_of(far, "Later", read=True)
        before = {name: row_of(far, name) for name in ("Later", "Later for all")}
        for name in before:
            snooze(one, name, 3600)
            here, there = (row_of(tab, name, snoozedUntil=True) for tab in (near, far))
            assert there["snoozedUntil"][:19] == here["snoozedUntil"][:19]
        has(other)
        has(other, *before, view="snoozed")
        # If the user ends the snooze at the other server, the message is as it was before.
        for name, was in before.items():
            snooze(other, name, None)
            row_of(near, name, snoozedUntil=False)
            row = row_of(far, name, snoozedUntil=False)
            for field in ("read", "closed", "position"):
                assert row[field] == was[field]
        # Both servers bring the messages back by themselves, unread even if they were read.
        for name in before:
            snooze(one, name, 3)
        for tab in (near, far):
            for name, was in before.items():
                row = comes_back(tab, name, was["position"])
                assert row["read"] is None
        wait_for(lambda: service.unread() == ["Later"], "it to be unread at the service")
        # The slower server does not undo what the user did at the first.
        one.change(id_of(one, "Later"), read=True)
        row_of(far, "Later", read=True)
        for server in (one, other):
            told(server)
        assert service.unread() == []
        # A snoozed message that the user dismisses comes back at no server.
        snooze(one, "Later", 3600)
        row_of(far, "Later", snoozedUntil=True)
        one.change(id_of(one, "Later"), dismissed=True)
        row_of(far, "Later", snoozedUntil=False, read=True)


def test_a_server_that_comes_later_does_not_show_what_is_snoozed(
    make_server: Callable[..., Server], service: Service
) -> None:
    one, other = lab_beside(service, make_server), lab_beside(service, make_server)
    for name in ("unread", "read", "new", "brought back"):
        service.send(name)
    service.broadcast("for all")
    names = {"unread", "read", "new", "brought back", "for all"}
    with one.websocket(), other.websocket():
        for server in (one, other):
            has(server, *names)
        one.change(id_of(one, "read"), read=True)
        snooze(one, "brought back", 3600)
        has(other, *names - {"brought back"})
        wait_for(lambda: other.page()["counts"]["unread"] == 3, "it to be read at the other")
        for server in (one, other):
            told(server)
    # The other server has no tab and asks nothing. A third one starts with an empty home.
    with one.websocket():
        for name in ("unread", "read", "new", "for all"):
            snooze(one, name, 3600)
        snooze(one, "brought back", None)
        told(one)
    another = lab_beside(service, make_server)
    with other.websocket(), another.websocket() as tab:
        has(other, "brought back")
        has(other, *names - {"brought back"}, view="snoozed")
        has(another, "brought back")
        # What was read elsewhere comes to no new server.
        has(another, *names - {"brought back", "read"}, view="snoozed")
        shown = set[str]()

        def look() -> bool:
            rows = tab.seen.values()
            shown.update(row["message"] for row in rows if row["snoozedUntil"] is None)
            return len(rows) == 4

        tab.rows_until(lambda _: look(), 60.0)
        assert shown == {"brought back"}, "none was shown before it was snoozed"


def test_a_server_that_was_away_at_the_end_takes_nothing_back(
    make_server: Callable[..., Server], service: Service
) -> None:
    one, other = lab_beside(service, make_server), lab_beside(service, make_server)
    service.send("Later")
    with one.websocket(), other.websocket():
        for server in (one, other):
            has(server, "Later")
        snooze(one, "Later", 3600)
        has(other, "Later", view="snoozed")
        told(one)
    come_due(one, service=service)
    with one.websocket() as near:
        row_of(near, "Later", snoozedUntil=False)
        told(one)
        one.change(id_of(one, "Later"), read=True)
        told(one)
        assert service.unread() == []
        come_due(other)
        # The other server ends the snooze, and then learns that the user has read the message.
        with other.websocket():
            wait_for(lambda: other.page()["counts"]["snoozed"] == 0, "it to come back")
            wait_for(lambda: other.page()["counts"]["unread"] == 0, "it to be read")
            told(other)
        assert service.unread() == []
        row_of(near, "Later", read=True)


def test_what_was_snoozed_while_the_service_was_away_is_told_when_it_is_back(
    make_server: Callable[..., Server], service: Service
) -> None:
    one, other = lab_beside(service, make_server), lab_beside(service, make_server)
    for name in ("snoozed", "over", "undone"):
        service.send(name)
    service.broadcast("for all")
    with one.websocket(), other.websocket():
        for server in (one, other):
            follows(server)
            has(server, "snoozed", "over", "undone", "for all")
        one.change(id_of(one, "over"), read=True)
        wait_for(lambda: other.page()["counts"]["unread"] == 3, "it to be read there")
        service.stop()
        for server in (one, other):
            wait_for(lambda s=server: not s.status()["central"]["events"], "the stream's end")
        for name in ("snoozed", "for all"):
            snooze(one, name, 3600)
        snooze(one, "undone", 3600)
        snooze(one, "undone", None)
        # Long enough to look at what is shown meanwhile, and then soon over.
        snooze(one, "over", 3600)
        has(one, "undone")
        snooze(one, "over", 3)
        has(one, "undone", "over")
        service.start()
        has(other, "snoozed", "for all", view="snoozed", timeout=PATIENCE_S)
        has(other, "undone", "over")
        wait_for(lambda: other.page()["counts"]["unread"] == 2, "it to be unread there")
        told(one)


def test_a_snooze_of_what_is_gone_keeps_no_other_from_the_service(
    make_server: Callable[..., Server], service: Service
) -> None:
    one, other = lab_beside(service, make_server), lab_beside(service, make_server)
    service.send("Later")
    gone = service.broadcast("for all")
    with one.websocket(), other.websocket():
        for server in (one, other):
            follows(server)
            has(server, "Later", "for all")
        service.stop()
        snooze(one, "for all", 3600)
        snooze(one, "Later", 3600)
        file = service.directory / "jupyterhub-notify.sqlite"
        with closing(sqlite3.connect(file, timeout=30)) as db, db:
            db.execute("UPDATE broadcasts SET revoked = updated WHERE id = ?", (gone,))
        service.start()
        has(other, "Later", view="snoozed", timeout=PATIENCE_S)
        told(one)


def test_by_a_clock_that_is_off_it_comes_back_at_the_same_moment(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    service = Service(tmp_path / "late", ahead_s=-7200).start()
    try:
        one, other = lab_beside(service, make_server), lab_beside(service, make_server)
        service.send("Later")
        with one.websocket() as near, other.websocket() as far:
            for server in (one, other):
                follows(server)
                has(server, "Later")
            until = ahead(3600)
            one.change(id_of(one, "Later"), snoozedUntil=until)
            row = row_of(far, "Later", snoozedUntil=True)
            # The dates of answers are whole seconds.
            there = datetime.fromisoformat(row["snoozedUntil"].replace("Z", "+00:00"))
            assert abs(there - datetime.fromisoformat(until)) < timedelta(seconds=5)
            snooze(one, "Later", 3)
            for tab in (near, far):
                comes_back(tab, "Later", row["position"])
            told(one)
    finally:
        service.stop()


def test_an_older_service_is_told_nothing_and_it_holds_at_this_server(
    make: Make, central: Central
) -> None:
    server = make()
    with server.websocket():
        central.message("Later")
        has(server, "Later")
        snooze(server, "Later", 3600)
        told(server)
        has(server, "Later", view="snoozed")
        come_due(server)
        has(server, "Later")
        told(server)
        # Such a service is told if the message must be unread again.
        server.change(id_of(server, "Later"), read=True)
        wait_for(lambda: central.unread() == [], "it to be read there")
        snooze(server, "Later", 3600)
        come_due(server)
        wait_for(lambda: central.unread() != [], "it to be unread there")
    for what in ("snooze", "unsnooze", "wake"):
        assert central.requests(f"notifications/{what}") == []
