"""Restarts, and two servers beside one central service."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jupyterlab_notify.timings import SourceTimings

from ...support.central import Central
from ...support.central_lab import (
    NO_RESOLVER,
    Make,
    healthy,
    passed,
    rows,
    shows,
)
from ...support.servers import PATIENT, Frames, at_once, wait_for
from ...support.welcome import due, tell


def test_a_server_ends_at_once_and_keeps_what_waits_while_nobody_knows_the_services_address(
    make: Make,
) -> None:
    gone = {"central_url": "http://gone.example/semaphore", "central_timeout": 20.0}
    lab = make(gone, config_py=NO_RESOLVER)
    with lab.websocket():
        tell(lab, "dismiss", {"all": True})
        wait_for(lambda: "Nobody answers" in lab.log, "its name to be looked up")
        # This fails by itself long before the look-up is over.
        lab.stop()
    with closing(sqlite3.connect(lab.database)) as database:
        assert database.execute("SELECT action FROM outbox").fetchall() == [("dismiss-all",)]


@pytest.mark.parametrize("end", ["stop", "kill", "kill-once-heard"])
def test_what_was_done_arrives_across_a_restart(
    make: Make, central: Central, tmp_path: Path, end: str
) -> None:
    service = Central(tmp_path).start()
    lab = make({"central_url": service.url, "central_timeout": 5.0})
    try:
        ids = [service.message(f"m{n}") for n in range(4)]
        service.welcome("Hello", "You")
        with lab.websocket():
            wait_for(lambda: len(rows(lab)) == 4 and due(lab), "all")
            shown = {text: row["id"] for text, row in rows(lab).items()}
            if end == "kill":
                # It dies while it is telling …
                service.fault("slow", seconds=30, path="POST")
            elif end == "kill-once-heard":
                # … or before it has noted that it has told.
                service.fault("mute", seconds=30, path="POST")
            else:
                service.stop()
            lab.change(shown["m0"], read=True)
            lab.change(shown["m1"], dismissed=True)
            if end != "stop":
                wait_for(lambda: service.requests(method="POST"), "it to be told")
            if end == "kill-once-heard":
                wait_for(lambda: ids[0] not in service.unread(), "it to be heard")
            lab.change(shown["m0"], read=False)
            tell(lab, "dismiss", {"all": True})
        if end == "stop":
            lab.stop()
        else:
            lab.kill()
            service.stop()
        lab.start()
        # Known messages are still there, though the service is not.
        assert set(rows(lab)) == {"m0", "m2", "m3"}
        service.start()
        with lab.websocket():
            wait_for(lambda: lab.status()["central"]["outbox"] == 0, "the outbox to be empty")
            told = [(r["path"].rpartition("/")[2], r["body"]) for r in service.requests("", "POST")]
            # The changes under way make one request; later changes have waited for it.
            expected = [("read", ids[:2])] if end == "stop" else [("read", ids[:1])]
            if end != "stop" and told[0][1]["ids"] == ids[:1]:
                expected.append(("read", ids[1:2]))
            else:
                expected = [("read", ids[:2])]
            assert told == [(what, {"ids": some}) for what, some in expected] + [
                ("unread", {"ids": ids[:1]}),
                ("dismiss", {"all": True}),
            ]
            assert service.unread() == [ids[0], *ids[2:]]
            healthy(lab, None)
            assert set(rows(lab)) == {"m0", "m2", "m3"}
            assert due(lab) == []
    finally:
        service.stop()


def test_two_servers_of_one_person(make: Make, central: Central) -> None:
    ids = [central.message(f"m{n}") for n in range(3)]
    central.welcome("Hello", "You")
    one = make(start=False)
    two = make(start=False, home=one.home)
    at_once(one.start, two.start)
    tabs: list[Frames] = []
    try:
        tabs += [lab.websocket() for lab in (one, two, one, two)]
        for lab in (one, two):
            wait_for(lambda lab=lab: len(rows(lab)) == 3 and due(lab), "all")
        central.fault("status", status=500, path="POST")
        shown = {text: row["id"] for text, row in rows(one).items()}
        one.change(shown["m0"], read=True)
        two.change(shown["m0"], read=False)
        one.change(shown["m0"], read=True)
        two.change(shown["m1"], read=True)
        version = tell(two, "dismiss", {"all": True})
        for tab in tabs:
            wait_for(lambda tab=tab: tab.receive()["welcome"] == version, "every tab")
        central.forget()
        central.fault(None)
        wait_for(lambda: one.status()["central"]["outbox"] == 0, "the outbox to be empty")
        assert central.posts() == [
            ("read", {"ids": ids[:1]}),
            ("unread", {"ids": ids[:1]}),
            ("read", {"ids": ids[:2]}),
            ("dismiss", {"all": True}),
        ]
        passed(one)
        passed(two)
        assert len(rows(one)) == len(rows(two)) == 3
    finally:
        for tab in tabs:
            tab.close()
    at_once(one.restart, two.restart)
    with one.websocket(), two.websocket():
        passed(one)
        passed(two)
        assert due(one) == due(two) == []
        tell(one, "reset")
        assert len(due(one)) == len(due(two)) == 1
        wait_for(lambda: not central.state()["dismissed"], "the service to know")
        passed(one)
        passed(two)
        assert len(due(one)) == len(due(two)) == 1


def test_what_one_service_says_concerns_nothing_of_anothers(
    make: Make, central: Central, tmp_path: Path
) -> None:
    other = Central(tmp_path).start()
    often = {"timings": PATIENT._replace(sources=SourceTimings(lease_renewal_s=0.1))}
    one = make(start=False, **often)
    two = make({"central_url": other.url}, start=False, home=one.home, **often)
    try:
        # The same ids: each service counts for itself.
        for service, whose in ((central, "one"), (other, "two")):
            service.broadcast(f"Outage of {whose}", id="b", category="outage")
            service.message(f"Message of {whose}", "body", id="m")
            service.welcome(f"Welcome to {whose}", "You", id="w")
        at_once(one.start, two.start)
        texts = {f"{what} of {whose}" for what in ("Outage", "Message") for whose in ("one", "two")}
        with one.websocket():
            with two.websocket():
                for lab in (one, two):
                    wait_for(lambda lab=lab: len(due(lab)) == 1, "its welcome message")
                    shows(lab, *texts)
                # The list of one takes no message of the other away.
                for lab in (one, two, one, two):
                    passed(lab)
                    assert set(rows(lab)) == texts
                    assert len(due(lab)) == 1
                # A change at one server is sent to the service that the other server polls.
                one.change(rows(one)["Message of two"]["id"], read=True)
                wait_for(lambda: not other.unread(), "the other service to know")
                passed(two)
                assert rows(two)["Message of two"]["read"]
                assert central.unread() == ["m"]
                # A list without a broadcast revokes it, but not the other service's with that id.
                other.end_broadcast("b")
                shows(one, "Outage of one", "Message of one", "Message of two")
                assert central.requests(method="POST") == []
                other.broadcast("Outage of two", id="b", category="outage")
                shows(one, *texts)
            # Once no server polls the other service, nothing else would remove its outage.
            two.kill()
            shows(one, *(texts - {"Outage of two"}))
    finally:
        other.stop()
