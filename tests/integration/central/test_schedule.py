"""The central service is asked in time, and told of as it is."""

from __future__ import annotations

import time
from pathlib import Path

from jupyterlab_notify import models

from ...support.central import Central
from ...support.central_lab import (
    Make,
    healthy,
    rows,
    shows,
)
from ...support.models import exactly
from ...support.servers import NAMESPACE, wait_for
from ...support.welcome import tell


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
        # Measure from the end of a pass to the next: how long a pass takes depends on the machine.
        # A busy machine can also begin a pass late, so the shorter wait is nearer to the interval.
        waits = []
        for last, begun in ((asked[3], asked[4]), (asked[7], asked[8])):
            assert begun["path"] == "/v1/broadcasts"
            waits.append(begun["at"] - last["at"])
        assert 0.8 * interval_s - 0.01 <= min(waits) < 2 * interval_s
        # An unchanged list is not sent again.
        assert {r["status"] for r in asked[4:8]} == {304}
    central.wait_until_idle()
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
        # Broadcasts reach also a user who is never idle, whose actions cannot be sent.
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
        wait_for(lambda: "The central service answers again." in lab.log, "it to be asked again")
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
