"""The central service: each row of its wire, every way in which it can fail, two servers, restarts.

All against ``tests.central``, a real HTTP server in a process of its own.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest

from jupyterlab_notify import models
from jupyterlab_notify.storage import central_tag
from jupyterlab_notify.timings import SourceTimings

from .central import Central
from .servers import NAMESPACE, PATIENT, Frames, Server, at_once, wait_for
from .test_start import RECORD, imported
from .test_welcome import ask, due, folder, tell, write
from .test_wire import exactly

TOKEN = "sesame-open-the-central-service"
INTERVAL_S = 0.1
#: The longest back-off: ten intervals, where ten minutes are more.
LONGEST_S = 10 * INTERVAL_S
TIMEOUT_S = 2.0

#: A proxy of the machine's has no business between the two.
ENV = {"CENTRAL_TOKEN": TOKEN, "NO_PROXY": "127.0.0.1"}

Make = Callable[..., Server]


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Central]:
    central = Central(tmp_path_factory.mktemp("central"))
    try:
        yield central.start()
    finally:
        central.stop()


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


@pytest.fixture(scope="module")
def server(central: Central, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return the server that most of these tests share."""
    directory = tmp_path_factory.mktemp("lab")
    server = Server(directory, config=config(central), timings=PATIENT, env=ENV)
    try:
        yield server.start()
    finally:
        server.stop()
        server.client.close()


@pytest.fixture
def make(make_server: Make, central: Central) -> Make:
    """Return a function that starts a lab of this test's own."""

    def make(options: dict[str, Any] | None = None, **more: Any) -> Server:
        more = {"timings": PATIENT, "env": ENV, **more}
        return make_server(config=config(central, **(options or {})), **more)

    return make


@pytest.fixture(autouse=True)
def calm(central: Central) -> Iterator[None]:
    """Begin with a service that holds nothing and behaves."""
    yield
    central.clear()


def rows(server: Server, view: str = "inbox") -> dict[str, dict[str, Any]]:
    """Return what is in a view, by the text."""
    return {row["message"]: row for row in server.page(view=view, limit=200)["notifications"]}


def shows(server: Server, *texts: str) -> None:
    """Wait until just these are shown."""
    wait_for(lambda: set(rows(server)) == set(texts), f"{texts} to be shown")


def healthy(server: Server, after: str | None) -> None:
    """Wait until all was asked and answered after a time."""
    wait_for(lambda: (server.status()["central"]["lastSuccess"] or "") > (after or ""), "a pass")


def passed(server: Server) -> None:
    """Wait for a whole pass that began after now."""
    for _ in range(2):
        healthy(server, server.status()["central"]["lastSuccess"])


# Each row of the wire


def test_broadcasts_are_banners_as_long_as_they_are_listed(
    server: Server, central: Central
) -> None:
    info = central.broadcast("All is **well**")
    central.broadcast("Disks get full", category="notice", body="Delete some.")
    central.broadcast("Network is down", category="outage", body="# Details")
    central.broadcast("Later", active=False)
    central.broadcast("Not at all", enabled=False)
    with server.websocket():
        shows(server, "All is **well**", "Disks get full", "Network is down")
        shown = rows(server)
        for text, type_, dismissable, body in (
            ("All is **well**", "info", True, None),
            ("Disks get full", "warning", True, "Delete some."),
            ("Network is down", "error", False, "# Details"),
        ):
            row = shown[text]
            assert (row["type"], row["dismissable"]) == (type_, dismissable)
            assert row["origin"] == "broadcast"
            assert row["banner"] is row["markdown"] is True
            assert row["autoClose"] == 0
            assert row["source"] == "The platform"
            assert row["hasBody"] is (body is not None)
            answer = server.request("GET", f"/{NAMESPACE}/notifications/{row['id']}")
            assert exactly(models.NotificationDetail, answer.content)["body"] == body
        server.change(shown["All is **well**"]["id"], dismissed=True)
        passed(server)
        assert set(rows(server, "dismissed")) == {"All is **well**"}
        central.end_broadcast(info)
        wait_for(lambda: not rows(server, "dismissed"), "its end")
        # What is dismissed is nothing to tell: broadcasts have no state there.
        assert not central.requests(method="POST")


def test_what_is_read_there_is_read_here_also_if_it_has_no_body_and_was_never_opened(
    server: Server, central: Central
) -> None:
    bare = central.message("No body")
    whole = central.message("A body", "All of it")
    with server.websocket() as tab:
        shows(server, "No body", "A body")
        central.mark("read", bare, whole)
        wait_for(lambda: not rows(server, "unread"), "them to be read here")
        # Their bodies, which came with the answer, are here; one of them is none.
        id_ = rows(server)["No body"]["id"]
        tab.rows_until(lambda seen: id_ in seen and not seen[id_]["hasBody"])
        assert server.detail(rows(server)["A body"]["id"])["body"] == "All of it"
        assert len(central.requests(f"messages/{whole}")) == 1


def test_a_message_and_its_body_and_its_state_in_both_directions(
    server: Server, central: Central
) -> None:
    one = central.message("**Quota** <img src=x onerror=alert(1)>", "<script>alert(1)</script>")
    central.message("Old news", created="2026-11-01T00:00:00Z", read="2026-11-02T00:00:00Z")
    two = central.message("No body")
    with server.websocket() as tab:
        shows(server, "**Quota** <img src=x onerror=alert(1)>", "No body")
        row = rows(server)["**Quota** <img src=x onerror=alert(1)>"]
        assert row["origin"] == "message"
        assert row["markdown"] is row["hasBody"] is row["dismissable"] is True
        assert row["banner"] is False
        assert row["autoClose"] is None
        assert row["source"] == "The platform"
        assert row["created"][:19] + "Z" == central.state()["messages"][one]["created"]
        # The body is fetched when it is opened, once, however many tabs open it.
        assert not central.requests(f"messages/{one}")
        with ThreadPoolExecutor(4) as pool:
            bodies = list(pool.map(lambda _: server.detail(row["id"])["body"], range(4)))
        assert bodies == ["<script>alert(1)</script>"] * 4
        assert len(central.requests(f"messages/{one}")) == 1
        bare = rows(server)["No body"]
        assert server.detail(bare["id"])["body"] is None
        assert rows(server)["No body"]["hasBody"] is False
        # Here …
        server.change(row["id"], read=True)
        wait_for(lambda: central.unread() == [two], "it to be read there")
        server.change(row["id"], read=False)
        wait_for(lambda: central.unread() == [one, two], "it to be unread there")
        server.change(row["id"], dismissed=True)
        wait_for(lambda: central.unread() == [two], "what was dismissed to be read there")
        # … and there.
        central.mark("read", two)
        wait_for(lambda: rows(server)["No body"]["read"], "it to be read here")
        central.mark("unread")
        wait_for(lambda: len(rows(server, "unread")) == 3, "all to be unread here")
        texts = set(rows(server, "unread"))
        assert texts == {"**Quota** <img src=x onerror=alert(1)>", "No body", "Old news"}
        central.revoke(two)
        tab.rows_until(lambda seen: bool(bare["id"] in seen and seen[bare["id"]]["revoked"]))
        # What was read may be revoked too.
        server.change(row["id"], read=True)
        wait_for(lambda: one not in central.unread(), "it to be read there")
        central.revoke(one)
        shows(server, "Old news")
    assert {r["token"] for r in central.requests("notifications")} == {TOKEN}
    # The one 404 is how a message that was unread is found to be revoked.
    assert [r["status"] for r in central.requests()].count(404) <= 1


@pytest.mark.parametrize("plain", [False, True], ids=["tagged", "plain"])
def test_many_are_followed_with_few_requests(server: Server, central: Central, plain: bool) -> None:
    if plain:
        # Neither ETags nor totals: both are a courtesy.
        central.set(etags=False, totals=False)
    ids = [central.message(f"m{n}") for n in range(30)]
    with server.websocket():
        wait_for(lambda: len(rows(server)) == 30, "all")
        # All of it happens between two lists: one in the middle would be explained differently.
        central.fault("status", status=500, path="GET /v1/notifications/messages")
        central.mark("read", *ids[:20])
        for id_ in ids[18:22]:
            central.revoke(id_)
        central.forget()
        central.fault(None)
        wait_for(lambda: len(rows(server)) == 26, "four to be revoked")
        wait_for(lambda: len(rows(server, "unread")) == 8, "eighteen to be read")
        assert len(central.requests("messages/")) <= 8


def test_welcome_messages_of_both_kinds(server: Server, central: Central) -> None:
    hello = central.welcome("Hello", "From the *service*", summary="In short", max_views=3)
    central.welcome("Another part", "Hello", aspect="portal")
    write(folder(server), "local")
    try:
        with server.websocket() as tab:
            wait_for(lambda: len(due(server)) == 2, "both")
            message = next(m for m in ask(server)["messages"] if m["source"] == "central")
            assert (message["title"], message["body"]) == ("Hello", "From the *service*")
            assert (message["summary"], message["max_views"]) == ("In short", 3)
            assert server.status()["central"]["welcome"] == "central"
            # Once the service knows and lists it no longer, the version is another again.
            central.fault("status", status=500, path="POST")
            version = tell(server, "dismiss", {"ids": [message["id"]]})
            wait_for(lambda: tab.receive()["welcome"] == version, "its version")
            assert due(server) == ["file:local"]
            central.fault(None)
            wait_for(lambda: central.state()["dismissed"], "the service to know")
            # That it is updated does not bring it back: only a new id is a new message.
            central.welcome("Hello", "Rewritten", id=hello)
            passed(server)
            assert due(server) == ["file:local"]
            # Nor does one answer of a replica that was not told yet.
            stale = list(central.state()["welcome"].values())
            for _ in range(2):
                central.forget()
                central.fault("nonsense", content=json.dumps(stale), path="GET .*welcome", times=1)
                wait_for(
                    lambda: any(r["fault"] for r in central.requests("welcome", "GET")),
                    "that answer",
                )
                passed(server)
                assert due(server) == ["file:local"]
            tell(server, "reset")
            wait_for(lambda: not central.state()["dismissed"], "the service to know")
            assert len(due(server)) == 2
            tell(server, "dismiss", {"all": True})
            assert due(server) == []
            wait_for(lambda: len(central.state()["dismissed"]) == 2, "the service to know")
            assert central.requests("dismiss")[-1]["body"] == {"all": True}
            passed(server)
            central.tell("POST", "welcome-reset")
            wait_for(lambda: len(due(server)) == 2, "the reset elsewhere")
    finally:
        (folder(server) / "local.md").unlink()


def test_a_welcome_part_that_goes_while_the_person_looks_takes_its_messages_along(
    make: Make, central: Central
) -> None:
    hello = f"central:{central_tag(central.url)}:{central.welcome('Hello', 'You')}"
    lab = make()
    with lab.websocket():
        wait_for(lambda: due(lab) == [hello], "it")
        # First, since without a welcome part it is not asked for one again.
        central.forget()
        central.fault("slow", seconds=0.5, path="GET .*welcome")
        central.set(welcome=False)
        wait_for(
            lambda: any(r["fault"] for r in central.requests("welcome")), "a list to be asked for"
        )
        tell(lab, "seen", {"ids": [hello]})
        wait_for(lambda: not due(lab), "it to go")


def test_what_a_proxy_cannot_find_from_the_middle_of_a_pass_on_is_there_all_the_same(
    server: Server, central: Central
) -> None:
    hello = central.welcome("Hello", "You")
    with server.websocket():
        wait_for(lambda: len(due(server)) == 1, "it")
        for since in ("GET .*welcome", "POST .*welcome"):
            if since.startswith("POST"):
                # It waits to be told in a pass: what is told at once is told again anyhow.
                central.fault("status", status=500, path="POST")
                tell(server, "dismiss", {"all": True})
                wait_for(lambda: central.requests("dismiss"), "it to be told")
            central.forget()
            central.fault("status", status=404, since=since)
            wait_for(lambda: any(r["fault"] for r in central.requests()), "that")
            passed_at = server.status()["central"]["lastSuccess"]
            central.fault(None)
            healthy(server, passed_at)
        wait_for(lambda: central.state()["dismissed"] == [hello], "the service to know")
        assert server.status()["central"]["welcome"] == "central"
        tell(server, "reset")
        central.welcome("And more", "You")
        wait_for(lambda: len(due(server)) == 2, "what is new")


def test_without_a_welcome_part_files_are_and_the_service_is_not_asked_again(
    make: Make, central: Central
) -> None:
    central.set(welcome=False)
    lab = make(start=False)
    write(folder(lab), "local")
    lab.start()
    with lab.websocket():
        passed(lab)
        assert lab.status()["central"]["welcome"] == "files"
        assert lab.status()["central"]["lastFailure"] is None
        assert due(lab) == ["file:local"]
        tell(lab, "dismiss", {"all": True})
        wait_for(lambda: lab.status()["central"]["outbox"] == 0, "the outbox to be empty")
        assert len(central.requests("welcome", "GET")) == 1
    central.set(welcome=True)
    lab.restart()
    assert due(lab) == []
    with lab.websocket():
        wait_for(lambda: lab.status()["central"]["welcome"] == "central", "it to be asked again")


# When it asks, and what it says


def test_it_is_asked_only_while_a_tab_is_open(make: Make, central: Central) -> None:
    interval_s = 1.0
    lab = make({"central_interval": interval_s})
    lab.ingest("not a tab")
    before = exactly(models.Status, lab.request("GET", f"/{NAMESPACE}/status").content)["central"]
    assert before == {
        "url": central.url,
        "lastSuccess": None,
        "lastFailure": None,
        "outbox": 0,
        "welcome": "files",
        "events": False,
    }
    assert central.requests() == []
    with lab.websocket():
        wait_for(lambda: len(central.requests("broadcasts")) >= 3, "three passes")
        asked = central.requests()[:9]
        assert [(r["method"], r["path"]) for r in asked[:4]] == [
            ("GET", "/v1/broadcasts"),
            ("GET", "/v1/notifications/messages"),
            ("GET", "/v1/notifications/messages"),
            ("GET", "/v1/welcome"),
        ]
        # From the end of a pass to the next: how long one takes is the machine's affair.
        for last, begun in ((asked[3], asked[4]), (asked[7], asked[8])):
            assert begun["path"] == "/v1/broadcasts"
            assert 0.8 * interval_s - 0.01 <= begun["at"] - last["at"] < 2 * interval_s
        # What has not changed is not sent again.
        assert {r["status"] for r in asked[4:8]} == {304}
    central.left_alone()
    before = len(central.requests())
    time.sleep(1.2 * interval_s + 0.1)
    assert len(central.requests()) == before
    exactly(models.Status, lab.request("GET", f"/{NAMESPACE}/status").content)


def test_reloading_a_page_again_and_again_does_not_ask_each_time(
    make: Make, central: Central
) -> None:
    lab = make({"central_interval": 60.0})
    with lab.websocket():
        healthy(lab, None)
    for _ in range(5):
        with lab.websocket() as tab:
            tab.receive()
    assert len(central.requests("broadcasts")) == 1


def test_no_token_still_shows_broadcasts(make: Make, central: Central) -> None:
    central.broadcast("For everyone")
    lab = make(env={"NO_PROXY": "127.0.0.1"})
    with lab.websocket():
        shows(lab, "For everyone")
        failure = wait_for(lambda: lab.status()["central"]["lastFailure"], "a word")
        assert "no token" in failure["message"]
        # Also to a person who is never idle, and of whom the service cannot be told anything.
        tell(lab, "dismiss", {"all": True})
        (row,) = rows(lab).values()
        central.forget()

        def click() -> bool:
            lab.change(row["id"], read=True)
            return len(central.requests("broadcasts")) > 2

        wait_for(click, "more broadcasts to be asked for", every_s=0)
    assert {r["path"] for r in central.requests()} == {"/v1/broadcasts"}
    assert {r["token"] for r in central.requests()} == {None}


def test_the_token_is_read_afresh_and_shown_nowhere(
    make: Make, central: Central, tmp_path: Path
) -> None:
    central.set(token="first-secret")
    file = tmp_path / "token"
    file.write_text("first-secret\n")
    one = central.message("The summary-secret", "The body-secret")
    lab = make({"central_token_file": str(file)})
    with lab.websocket():
        shows(lab, "The summary-secret")
        central.set(token="second-secret")
        wait_for(
            lambda: (
                "refuses" in (lab.status()["central"]["lastFailure"] or {"message": ""})["message"]
            ),
            "the refusal",
        )
        file.write_text("second-secret")
        healthy(lab, lab.status()["central"]["lastFailure"]["at"])
        row = rows(lab)["The summary-secret"]
        assert lab.detail(row["id"])["body"] == "The body-secret"
        lab.change(row["id"], read=True)
        wait_for(lambda: one not in central.unread(), "it to be read there")
        central.fault("nonsense", content="{'secret'}")
        wait_for(lambda: "understood" in lab.status()["central"]["lastFailure"]["message"], "it")
        assert "secret" not in lab.request("GET", f"/{NAMESPACE}/status").text
    lab.stop()
    assert "refuses the user's token (401" in lab.log
    assert "The central service answers again." in lab.log
    assert "-secret" not in lab.log
    assert "Traceback" not in lab.log


# Faults

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


#: What makes each try take long, or the time between two.
LENGTHY = {"retry_after", "seconds"}


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
            began = time.monotonic()
            with server.websocket() as tab:
                assert len(tab.receive()["notifications"]) == 4
            assert time.monotonic() - began < TIMEOUT_S
            answer = server.request("GET", f"/{NAMESPACE}/notifications/{shown[f'{name} 2']}")
            if name == "404":
                # This one says that it was revoked, as far as a lab can tell.
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
            assert central.told() == [
                ("read", {"ids": ids[:2]}),
                ("unread", {"ids": ids[:1]}),
                ("dismiss", {"all": True}),
            ]
            assert central.unread() == [ids[0], ids[2]]
            wait_for(lambda: len(rows(server)) == 4, "all, still")
    finally:
        if other is not None:
            other.stop()


def gaps(asked: list[dict[str, Any]]) -> list[float]:
    """Return the seconds between each two requests."""
    return [later["at"] - earlier["at"] for earlier, later in pairwise(asked)]


def tries(central: Central) -> list[list[dict[str, Any]]]:
    """Return what was asked in each pass that has begun since it forgot: broadcasts come first."""
    begun: list[list[dict[str, Any]]] = []
    for request in central.requests():
        # What a person opens is asked for at any time.
        if re.fullmatch("/v1/notifications/messages/.+", request["path"]):
            continue
        if request["path"] == "/v1/broadcasts" and request["token"] is not None:
            begun.append([])
        # Before the first is what was left of a pass that had begun earlier.
        if begun:
            begun[-1].append(request)
    return begun


def passes_back_off(central: Central, fault: dict[str, Any]) -> None:
    """Assert that it was asked no faster than the back-off allows."""
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
        if "retry_after" in fault or refused:
            # Asked to be left alone, it is: nothing else was tried in that pass. Broadcasts are
            # for everybody: each time they are asked for without the token, too.
            assert {r["path"] for r in earlier} == {"/v1/broadcasts"}
            assert [r["token"] is None for r in earlier] == [False, True][: 1 + refused]


def test_asked_to_be_left_alone_by_what_a_person_opens_it_is_by_a_pass_too(
    server: Server, central: Central
) -> None:
    central.message("Opened meanwhile", "body")
    with server.websocket():
        shows(server, "Opened meanwhile")
        id_ = rows(server)["Opened meanwhile"]["id"]
        passed(server)
        central.forget()
        central.fault("mute", seconds=1.5, path="GET /v1/broadcasts", times=1)
        wait_for(lambda: central.requests("broadcasts"), "a pass to begin")
        wait_for(lambda: central.requests()[-1]["fault"] == "mute", "its answer to be late")
        central.fault("status", status=429, retry_after=3, path="GET .*/messages/.+")
        answer = server.request("GET", f"/{NAMESPACE}/notifications/{id_}")
        assert answer.status_code == 503
        assert "left alone" in wait_for(
            lambda: server.request("GET", f"/{NAMESPACE}/notifications/{id_}").text, "an answer"
        )
        # What the person does is told after that, too.
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
        # Broadcasts come first: that the rest is refused is known a moment later.
        failed = wait_for(lambda: lab.status()["central"]["lastFailure"], "the failure")
        assert "token" in failed["message"]
        central.end_broadcast(outage)
        shows(lab)


def test_a_service_that_has_broadcasts_only_is_asked_for_them_at_the_usual_pace(
    server: Server, central: Central
) -> None:
    with server.websocket():
        passed(server)
        central.fault("status", status=404, path="GET /v1/notifications/messages")
        central.forget()
        wait_for(lambda: len(central.requests("broadcasts")) > 12, "a dozen passes", 30)
        # 1, 2, 4, 8 and then 10 intervals for the messages, and always just one for broadcasts.
        waits = gaps(central.requests("messages"))
        for n, wait_s in enumerate(waits):
            assert wait_s >= 0.8 * min(INTERVAL_S * 2**n, LONGEST_S) - 0.01, waits
        assert median(gaps(central.requests("broadcasts"))) < 0.8 * LONGEST_S
        said = server.status()["central"]
        assert "404" in said["lastFailure"]["message"]
        assert said["lastFailure"]["at"] >= said["lastSuccess"]
    central.fault(None)
    with server.websocket():
        central.message("Now it has messages")
        shows(server, "Now it has messages")


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
        # Revoked, and the lists are out of order: only opening it can tell.
        central.fault("status", status=500, path="messages$")
        central.revoke(one)
        answer = server.request("GET", f"/{NAMESPACE}/notifications/{id_}")
        assert answer.status_code == 404
        assert "taken back" in exactly(models.ErrorAnswer, answer.content)["message"]
        tab.rows_until(lambda seen: bool(id_ in seen and seen[id_]["revoked"]))
    assert rows(server) == {}


def test_a_lab_starts_as_fast_with_a_service_that_hangs(
    make: Make, central: Central, tmp_path: Path
) -> None:
    central.fault("slow", seconds=15)
    record = tmp_path / "imports"
    lab = make({"central_timeout": 20.0}, config_py=RECORD.format(file=record))
    # A start asks for nothing, and loads nothing with which it could.
    assert imported(record) == set()
    assert central.requests() == []
    began = time.monotonic()
    with lab.websocket() as tab:
        tab.receive()
        lab.ingest("m")
        tab.receive()
        assert due(lab) == []
        assert time.monotonic() - began < 5
        wait_for(lambda: "httpx" in imported(record), "it to be asked: this test could fail")
    began = time.monotonic()
    lab.stop()
    assert time.monotonic() - began < 5


# Restarts, and two servers


NO_RESOLVER = """
import socket, time
look_up = socket.getaddrinfo
def wait_and_look_up(host, *args, **kwargs):
    if host in ("gone.example", b"gone.example"):
        print("Nobody answers", flush=True)
        time.sleep(15)
    return look_up(host, *args, **kwargs)
socket.getaddrinfo = wait_and_look_up
"""


def test_a_server_ends_at_once_and_keeps_what_waits_while_nobody_knows_the_services_address(
    make: Make,
) -> None:
    gone = {"central_url": "http://gone.example/semaphore", "central_timeout": 20.0}
    lab = make(gone, config_py=NO_RESOLVER)
    with lab.websocket():
        tell(lab, "dismiss", {"all": True})
        wait_for(lambda: "Nobody answers" in lab.log, "its name to be looked up")
        began = time.monotonic()
        lab.stop()
        assert time.monotonic() - began < 6
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
        # What was known is still there, though the service is not.
        assert set(rows(lab)) == {"m0", "m2", "m3"}
        service.start()
        with lab.websocket():
            wait_for(lambda: lab.status()["central"]["outbox"] == 0, "the outbox to be empty")
            told = [(r["path"].rpartition("/")[2], r["body"]) for r in service.requests("", "POST")]
            # What was on its way is one request; what came later waited for it.
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
        assert central.told() == [
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
    often = {"timings": replace(PATIENT, sources=SourceTimings(lease_renewal_s=0.1))}
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
                # What the one lists takes nothing of the other away, and so on.
                for lab in (one, two, one, two):
                    passed(lab)
                    assert set(rows(lab)) == texts
                    assert len(due(lab)) == 1
                # What is done in a tab of one is told to the service that the other asks.
                one.change(rows(one)["Message of two"]["id"], read=True)
                wait_for(lambda: not other.unread(), "the other service to know")
                passed(two)
                assert rows(two)["Message of two"]["read"]
                assert central.unread() == ["m"]
                # A list without it takes back one service's own, and no other's of that id.
                other.end_broadcast("b")
                shows(one, "Outage of one", "Message of one", "Message of two")
                assert central.requests(method="POST") == []
                other.broadcast("Outage of two", id="b", category="outage")
                shows(one, *texts)
            # Once nobody asks the other service, nobody would take its outage back.
            two.kill()
            shows(one, *(texts - {"Outage of two"}))
    finally:
        other.stop()


# Very many


@pytest.mark.timeout(300)
def test_twenty_thousand_messages_come_without_a_flood(make: Make, central: Central) -> None:
    central.fill(20_000)
    lab = make({"retention_count": 0, "central_timeout": 10.0, "central_interval": 0.5})
    assert lab.process is not None
    process = psutil.Process(lab.process.pid)

    def worked_s() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    slowest = 0.0
    with lab.websocket() as tab:
        while lab.status()["counts"]["inbox"] < 20_000:
            began = worked_s()
            assert lab.request("GET", "/api/status").is_success
            slowest = max(slowest, worked_s() - began)
        # Kernels' messages go through the same loop. In the time that the server itself works:
        # for how long it waits for a busy machine says nothing of it.
        assert slowest < 0.5
        healthy(lab, None)
        newest = [row["message"] for row in lab.page(limit=3)["notifications"]]
        assert newest == [f"Message {n}" for n in (19_999, 19_998, 19_997)]
        frame, frames = tab.receive(), 1
        while frame["counts"]["inbox"] < 20_000:
            assert len(frame["notifications"]) <= 500
            frame, frames = tab.receive(), frames + 1
        assert frames < 60
        passed(lab)
        asked = [r for r in central.requests("messages") if r["status"] == 200]
        assert len(asked) < 90
        central.forget()
        # From here on what changes is what costs.
        central.message("And one more")
        wait_for(lambda: "And one more" in rows(lab), "it")
        passed(lab)
        assert len([r for r in central.requests("messages") if r["status"] == 200]) <= 4
        central.mark("read")
        wait_for(lambda: lab.status()["counts"]["unread"] == 0, "all to be read here", 60)
