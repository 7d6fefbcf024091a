"""Each row of the central service's wire, as the lab takes it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from jupyterlab_notify import models
from jupyterlab_notify.storage import central_tag

from ...support.central import Central
from ...support.central_lab import (
    TOKEN,
    Make,
    healthy,
    passed,
    rows,
    shows,
)
from ...support.models import exactly
from ...support.servers import NAMESPACE, Server, wait_for
from ...support.welcome import ask, due, folder, tell, write


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
        # Dismissals are not sent: this service keeps no state of broadcasts.
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
        # The bodies came with the answers and are stored; one message has no body.
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
        # A read message may be revoked too.
        server.change(row["id"], read=True)
        wait_for(lambda: one not in central.unread(), "it to be read there")
        central.revoke(one)
        shows(server, "Old news")
    assert {r["token"] for r in central.requests("notifications")} == {TOKEN}
    # A single 404 shows that an unread message was revoked.
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
            # The version changes again once the service has the dismissal and lists it no longer.
            central.fault("status", status=500, path="POST")
            version = tell(server, "dismiss", {"ids": [message["id"]]})
            wait_for(lambda: tab.receive()["welcome"] == version, "its version")
            assert due(server) == ["file:local"]
            central.fault(None)
            wait_for(lambda: central.state()["dismissed"], "the service to know")
            # An update does not bring it back: only a new id is a new message.
            central.welcome("Hello", "Rewritten", id=hello)
            passed(server)
            assert due(server) == ["file:local"]
            # A single answer of a replica without the dismissal does not bring it back either.
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


def test_a_reset_elsewhere_counts_though_the_service_lists_the_same_as_before(
    make: Make, central: Central
) -> None:
    """The lab never gets a list without the dismissed message, so the ETag stays the same."""
    central.welcome("Hello", "You")
    lab = make()
    with lab.websocket():
        wait_for(lambda: due(lab), "it")
        passed(lab)
        central.fault("status", status=503, path="GET .*welcome")
        tell(lab, "dismiss", {"ids": due(lab)})
        wait_for(lambda: central.state()["dismissed"], "the service to know")
        wait_for(lambda: lab.status()["central"]["outbox"] == 0, "it to be noted")
        central.tell("POST", "welcome-reset")
        central.fault(None)
        wait_for(lambda: due(lab), "the reset elsewhere", 60)


def test_a_list_that_the_user_overtook_is_asked_for_again_at_once(
    make: Make, central: Central
) -> None:
    """A page counts a view as it starts, which is when the first list comes as well."""
    hello = f"central:{central_tag(central.url)}:{central.welcome('Hello', 'You')}"
    lab = make({"central_interval": 600.0, "central_timeout": 10.0})
    write(folder(lab), "local")
    central.forget()
    central.fault("slow", seconds=1.0, path="GET .*welcome", times=1)
    with lab.websocket():
        wait_for(lambda: central.requests("welcome"), "the list to be asked for")
        tell(lab, "seen", {"ids": ["file:local"]})
        wait_for(lambda: due(lab) == [hello, "file:local"], "both")


def test_a_welcome_part_that_goes_while_the_person_looks_takes_its_messages_along(
    make: Make, central: Central
) -> None:
    hello = f"central:{central_tag(central.url)}:{central.welcome('Hello', 'You')}"
    lab = make()
    with lab.websocket():
        wait_for(lambda: due(lab) == [hello], "it")
        # This comes first: a service without welcome messages is not asked for them again.
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
                # Let the dismissal wait for a pass: one that is sent at once is sent again anyway.
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


def test_what_comes_back_after_a_snooze_is_unread_there_as_well(
    server: Server, central: Central
) -> None:
    message = central.message("Later")
    outage = central.broadcast("Later for all", dismissable=True)
    with server.websocket():
        shows(server, "Later", "Later for all")
        for text in ("Later", "Later for all"):
            server.change(rows(server)[text]["id"], read=True)
        server.change(rows(server)["Later for all"]["id"], closed=True)
        wait_for(lambda: central.unread() == [], "it to be read there")

        def snooze(view: str, seconds: float) -> None:
            for row in rows(server, view).values():
                until = datetime.now(timezone.utc) + timedelta(seconds=seconds)
                server.change(row["id"], snoozedUntil=until.isoformat())

        # Long enough to look at what is shown meanwhile, and then soon over.
        snooze("inbox", 3600)
        shows(server)
        passed(server)
        shows(server)
        snooze("snoozed", 3)
        shows(server, "Later", "Later for all")
        wait_for(lambda: central.unread() == [message], "it to be unread there")
        passed(server)
        assert set(rows(server, "unread")) == {"Later", "Later for all"}
        central.end_broadcast(outage)
        central.mark("read", message)
