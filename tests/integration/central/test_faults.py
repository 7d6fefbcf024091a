"""Faults of the central service."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from jupyterlab_notify import models

from ...support.central import Central
from ...support.central_lab import (
    FAULTS,
    LENGTHY,
    TIMEOUT_S,
    Make,
    healthy,
    passed,
    passes_back_off,
    rows,
    shows,
    tries,
)
from ...support.imports import RECORD, imported
from ...support.models import exactly
from ...support.servers import NAMESPACE, Server, wait_for
from ...support.welcome import due, tell


def seconds_to_show(server: Server, count: int) -> float:
    """Return how long a new tab takes to show so many messages."""
    began = time.monotonic()
    with server.websocket() as tab:
        assert len(tab.receive()["notifications"]) == count
        return time.monotonic() - began


# Longer than a screen: one fault, from before it to after it.
@pytest.mark.parametrize("name", FAULTS)
def test_what_was_known_stays_and_what_was_done_arrives_afterwards(
    server: Server, central: Central, tmp_path: Path, name: str
) -> None:
    fault = dict(FAULTS[name])
    other = None
    if name == "redirect":
        other = Central(tmp_path).start()
        fault["location"] = f"http://127.0.0.1:{other.port}"
    try:
        tell(server, "reset")
        ids = [central.message(f"{name} {n}", "body") for n in range(3)]
        central.broadcast(f"{name} banner")
        central.welcome(f"{name} welcome", "Hello")
        with server.websocket():
            shows(server, f"{name} banner", *(f"{name} {n}" for n in range(3)))
            wait_for(lambda: len(due(server)) == 1, "the welcome message")
            shown = {text: row["id"] for text, row in rows(server).items()}
            passed(server)
            central.fault(**fault)
            central.forget()
            since = server.status()["central"]["lastSuccess"]
            failed = wait_for(
                lambda: (f := server.status()["central"]["lastFailure"]) and f["at"] > since and f,
                "the failure to be told",
            )
            assert failed["message"].endswith(".")
            # A tab that opens now sees at once what was known.
            # A busy machine may hold one of the tabs up.
            assert min(seconds_to_show(server, 4) for _ in range(3)) < TIMEOUT_S
            answer = server.request("GET", f"/{NAMESPACE}/notifications/{shown[f'{name} 2']}")
            if name == "404":
                # For a lab, a 404 means that the message was revoked.
                assert answer.status_code == 404
            else:
                assert answer.status_code == 503
                assert ("Retry-After" in answer.headers) is ("retry_after" in fault)
                said = exactly(models.ErrorAnswer, answer.content)["message"]
                assert said.startswith("The central service")
            server.change(shown[f"{name} 0"], read=True)
            server.change(shown[f"{name} 1"], read=True)
            server.change(shown[f"{name} 0"], read=False)
            tell(server, "dismiss", {"all": True})
            assert server.status()["central"]["outbox"] == 4
            # Long enough to see it back off, and nothing else happen.
            often = 2 if LENGTHY & fault.keys() or fault.get("status") in (401, 403) else 3
            wait_for(lambda: len(tries(central)) >= often, "it to try again")
            assert len(rows(server)) == (3 if name == "404" else 4)
            assert due(server) == []
            passes_back_off(central, fault)
            assert not other or other.requests() == []
            central.forget()
            central.fault(None)
            wait_for(lambda: server.status()["central"]["outbox"] == 0, "the outbox to be empty")
            healthy(server, failed["at"])
            assert central.posts() == [
                ("read", {"ids": ids[:2]}),
                ("unread", {"ids": ids[:1]}),
                ("dismiss", {"all": True}),
            ]
            assert central.unread() == [ids[0], ids[2]]
            wait_for(lambda: len(rows(server)) == 4, "all, still")
    finally:
        if other is not None:
            other.stop()


def test_asked_to_be_left_alone_by_what_a_person_opens_it_is_by_a_pass_too(
    make: Make, central: Central
) -> None:
    # A server of its own, which waits for the late answer for as long as the test does.
    server = make({"central_timeout": 60.0})
    central.message("Opened meanwhile", "body")
    with server.websocket():
        shows(server, "Opened meanwhile")
        id_ = rows(server)["Opened meanwhile"]["id"]
        passed(server)
        central.forget()
        central.fault("mute", seconds=60, path="GET /v1/broadcasts", times=1)
        wait_for(lambda: central.requests("broadcasts"), "a pass to begin")
        wait_for(lambda: central.requests()[-1]["fault"] == "mute", "its answer to be late")
        central.fault("status", status=429, retry_after=3, path="GET .*/messages/.+")
        answer = server.request("GET", f"/{NAMESPACE}/notifications/{id_}")
        assert answer.status_code == 503
        central.release()
        assert "asks to wait" in wait_for(
            lambda: server.request("GET", f"/{NAMESPACE}/notifications/{id_}").text, "an answer"
        )
        # The user's changes are sent only after the pause, too.
        server.change(id_, read=True)
        wait_for(lambda: not central.unread(), "it to be read there")
        at = [asked["at"] for asked in central.requests()]
        refused = next(r["at"] for r in central.requests() if r["status"] == 429)
        assert not [round(t - refused, 2) for t in at if 0 < t - refused < 3]


def test_one_part_that_fails_does_not_keep_the_others_from_working(
    server: Server, central: Central
) -> None:
    with server.websocket():
        passed(server)
        central.fault("status", status=500, path="GET /v1/(broadcasts|welcome)")
        one = central.message("Comes all the same")
        shows(server, "Comes all the same")
        server.change(rows(server)["Comes all the same"]["id"], read=True)
        wait_for(lambda: one not in central.unread(), "it to be read there")


def test_an_expired_token_neither_hides_an_outage_nor_its_end(make: Make, central: Central) -> None:
    central.set(token="another")
    outage = central.broadcast("Storage is down", category="outage")
    lab = make()
    with lab.websocket():
        shows(lab, "Storage is down")
        # Broadcasts come first. The lab learns a moment later that the other lists are refused.
        failed = wait_for(lambda: lab.status()["central"]["lastFailure"], "the failure")
        assert "token" in failed["message"]
        central.end_broadcast(outage)
        shows(lab)


def test_a_list_in_a_circle_ends(server: Server, central: Central) -> None:
    central.message("One")
    central.set(etags=False)
    central.fault("loop")
    with server.websocket():
        wait_for(
            lambda: (
                "circle" in ((server.status()["central"]["lastFailure"] or {}).get("message", ""))
            ),
            "the failure",
        )
    assert len(central.requests("messages")) < 20


def test_links_to_elsewhere_lead_nowhere_else(
    server: Server, central: Central, tmp_path: Path
) -> None:
    other = Central(tmp_path).start()
    try:
        central.set(links=f"http://127.0.0.1:{other.port}/semaphore")
        central.fill(1200)
        with server.websocket():
            wait_for(lambda: server.status()["counts"]["inbox"] == 1200, "all pages")
        assert other.requests() == []
        central.mark("read")
    finally:
        other.stop()


def test_a_redirect_within_the_service_is_followed(make: Make, central: Central) -> None:
    central.message("Behind a redirect")
    here = f"http://127.0.0.1:{central.port}"
    central.fault("redirect", location=here, times=1, path="GET /v1/broadcasts")
    lab = make()
    with lab.websocket():
        shows(lab, "Behind a redirect")
    assert lab.status()["central"]["lastFailure"] is None
    assert [r["status"] for r in central.requests("broadcasts")][:2] == [307, 200]


def test_what_a_person_opens_is_buried_if_it_was_revoked(server: Server, central: Central) -> None:
    one = central.message("Soon gone", "body")
    central.set(etags=False)
    with server.websocket() as tab:
        shows(server, "Soon gone")
        id_ = rows(server)["Soon gone"]["id"]
        # While the lists fail, only opening the message can show that it was revoked.
        central.fault("status", status=500, path="messages$")
        central.revoke(one)
        answer = server.request("GET", f"/{NAMESPACE}/notifications/{id_}")
        assert answer.status_code == 404
        assert "withdrawn" in exactly(models.ErrorAnswer, answer.content)["message"]
        tab.rows_until(lambda seen: bool(id_ in seen and seen[id_]["revoked"]))
    assert rows(server) == {}


def test_a_lab_starts_as_fast_with_a_service_that_hangs(
    make: Make, central: Central, tmp_path: Path
) -> None:
    hangs_s = 60.0
    central.fault("slow", seconds=hangs_s)
    record = tmp_path / "imports"
    lab = make({"central_timeout": hangs_s}, config_py=RECORD.format(file=record))
    # A start asks for nothing, and loads nothing with which it could.
    assert imported(record) == set()
    assert central.requests() == []
    began = time.monotonic()
    with lab.websocket() as tab:
        tab.receive()
        lab.ingest("m")
        tab.receive()
        assert due(lab) == []
        assert time.monotonic() - began < hangs_s / 2
        wait_for(lambda: "httpx" in imported(record), "it to be asked: this test could fail")
    # This fails by itself long before the service answers.
    lab.stop()
