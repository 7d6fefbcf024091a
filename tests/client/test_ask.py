"""``notify.ask``: the program waits for the user's answer, and never fails for want of one."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jupyter_notify.errors import BadUsage
from jupyter_notify.send_queue import with_key

from ..support.sending import find, outside, python
from ..support.servers import NAMESPACE, Server, wait_for
from .support import PRELUDE, Directed


def question(server: Server, message: str) -> dict[str, Any]:
    """Wait until the user is asked; return the row."""

    def found() -> list[dict[str, Any]]:
        return [row for row in server.page()["notifications"] if row["message"] == message]

    # Look the question up only once: it may be revoked a moment later.
    return wait_for(found, f"{message!r} to be asked")[0]


def when_asked(server: Server, message: str, do: Callable[[dict[str, Any]], object]) -> None:
    """Do something with a question once it is there."""
    threading.Thread(target=lambda: do(question(server, message)), daemon=True).start()


def reply(server: Server, row: dict[str, Any], answer: str) -> None:
    path = f"/{NAMESPACE}/notifications/{row['id']}/reply"
    answered = server.request("POST", path, {"answer": answer})
    assert answered.status_code == 200, answered.text


def test_the_program_goes_on_with_the_answer(server: Server, to_server: Directed) -> None:
    when_asked(server, "Loss rises", lambda row: reply(server, row, "Continue"))
    assert to_server.ask("Loss rises", choices=["Stop", "Continue"], timeout=60) == "Continue"
    row = question(server, "Loss rises")
    assert (row["answer"], row["autoClose"], row["reply"]["text"]) == ("Continue", False, False)
    when_asked(server, "How many?", lambda row: reply(server, row, "Twelve"))
    assert to_server.ask("How many?", prompt="Epochs", timeout=timedelta(minutes=1)) == "Twelve"
    assert question(server, "How many?")["reply"] == {
        "prompt": "Epochs",
        "choices": [],
        "text": True,
    }


def test_a_question_that_nobody_answers_in_time_vanishes(
    server: Server, to_server: Directed
) -> None:
    assert to_server.ask("In vain?", ["Yes"], timeout=0.2) is None
    assert "In vain?" not in [row["message"] for row in server.page()["notifications"]]


@pytest.mark.parametrize("how", ["dismissed", "revoked"])
def test_a_question_that_is_put_away_or_taken_back_has_no_answer(
    server: Server, to_server: Directed, how: str
) -> None:
    def end(row: dict[str, Any]) -> None:
        if how == "dismissed":
            server.change(row["id"], dismissed=True)
        else:
            server.request("DELETE", f"/{NAMESPACE}/ingest/{row['id']}")

    when_asked(server, f"Ends {how}", end)
    began = time.monotonic()
    assert to_server.ask(f"Ends {how}", ["Yes"], timeout=120) is None
    assert time.monotonic() - began < 110


def test_the_same_key_asks_anew(server: Server, to_server: Directed) -> None:
    def ask(answer: str) -> str | None:
        def unanswered() -> dict[str, Any] | None:
            row = question(server, "Again?")
            return row if row["key"] == "again" and row["answer"] is None else None

        def say() -> None:
            row = wait_for(unanswered, "the question")
            assert row is not None
            reply(server, row, answer)

        threading.Thread(target=say, daemon=True).start()
        return to_server.ask("Again?", ["Yes", "No"], key="again", timeout=60)

    assert [ask("Yes"), ask("No")] == ["Yes", "No"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_interrupted_program_takes_its_question_back(server: Server, method: str) -> None:
    """Interrupted while it waits, or before it knows the id that its question was given."""
    # The signal comes between the request and its answer.
    ran = python(
        server,
        f"""
import os, signal
from http.client import HTTPConnection as Connection
from jupyter_notify import notify
asked, getresponse = [], Connection.getresponse
def request(self, method, *args, request=Connection.request, **options):
    asked.append(method)
    request(self, method, *args, **options)
def interrupted(self):
    if asked[-1] == {method!r}:
        os.kill(os.getpid(), signal.SIGINT)
    return getresponse(self)
Connection.request, Connection.getresponse = request, interrupted
notify.ask("Interrupted {method}?", ["Yes"])
""",
    )
    assert "KeyboardInterrupt" in ran.stderr
    assert find(server, f"Interrupted {method}?") is None


def test_a_question_that_is_stored_after_its_revocation_is_revoked_again(server: Server) -> None:
    """The revocation overtakes the question of an interrupted program."""
    ran = python(
        server,
        """
import threading
import jupyter_notify.asking as asking
from http.client import HTTPConnection as Connection
from jupyter_notify import notify
# However busy the machine is: it ends with the question's revocation.
asking.STORING_S = 20
def late(host, port, args, options):
    connection = Connection(host, port)
    connection.request(*args, **options)
    print("stored", connection.getresponse().status)
def request(self, *args, request=Connection.request, **options):
    if args[0] == "POST":
        Connection.request = request
        threading.Timer(0.5, late, (self.host, self.port, args, options)).start()
        raise KeyboardInterrupt
    request(self, *args, **options)
Connection.request = request
notify.ask("Overtaken?", ["Yes"])
""",
    )
    assert "KeyboardInterrupt" in ran.stderr
    assert "stored 200" in ran.stdout
    assert find(server, "Overtaken?") is None


def test_a_question_outlives_a_restart_of_its_server(
    make_server: Callable[..., Server],
) -> None:
    own_server = make_server()
    # The program says when it has looked for its server and found none.
    code = """
import jupyter_notify.discovery as discovery
from jupyter_notify.errors import NoServer
def find(*args, find=discovery.find):
    try:
        return find(*args)
    except NoServer:
        print("No server", flush=True)
        raise
discovery.find = find
print(notify.ask("Restarted?", ["Yes"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code],
        env=outside(own_server),
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            row = question(own_server, "Restarted?")
            own_server.stop()
            # The second look is the one after which it gave up.
            assert program.stdout
            assert [program.stdout.readline() for _ in range(2)] == ["No server\n"] * 2
            own_server.start()
            reply(own_server, row, "Yes")
            assert program.communicate(timeout=60)[0].splitlines()[-1] == "Yes"
        finally:
            program.kill()


def test_a_killed_program_leaves_no_question_that_can_be_answered(server: Server) -> None:
    """One that waits longer keeps its question; so does a sender that asks now and then."""
    path = f"/{NAMESPACE}/ingest"
    server.ingest("Observed?", key="observed", reply={"text": True}, source="observer")
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PRELUDE + code], env=outside(server), stdout=subprocess.PIPE
        )
        for code in (
            "import jupyter_notify.asking as asking\n"
            "asking.HEARTBEAT_S, asking.WAIT_S = 5, 1\n"
            f"print(notify.ask({message!r}, ['Yes']))"
            for message in ("Killed?", "Alive?")
        )
    ]
    try:
        killed, alive = question(server, "Killed?"), question(server, "Alive?")
        programs[0].kill()

        def stopped() -> bool:
            return server.detail(killed["id"])["stopped"] is not None

        wait_for(stopped, "the question to be over", 30)
        refused = server.request(
            "POST", f"/{NAMESPACE}/notifications/{killed['id']}/reply", {"answer": "Yes"}
        )
        assert (refused.status_code, refused.json()["message"]) == (
            409,
            "The program that asked is gone.",
        )
        observed = server.request("GET", f"{path}/observed", params={"source": "observer"})
        assert observed.json()["stopped"] is None
        assert server.detail(alive["id"])["stopped"] is None
        reply(server, alive, "Yes")
        assert programs[1].communicate(timeout=30)[0] == b"Yes\n"
    finally:
        for program in programs:
            program.kill()
            program.communicate()


def test_a_question_promises_requests_unless_it_is_a_progress(
    server: Server, to_server: Directed, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "jupyter_notify.asking.with_key", lambda value: said.append(value) or with_key(value)
    )
    for type_ in ("warning", "in-progress"):
        assert to_server.ask("Promised?", ["Yes"], type=type_, timeout=0.1) is None
    assert [value.get("heartbeat") for value in said] == [60, None]


def test_without_anybody_to_ask_the_program_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    # A port that nobody listens on.
    nobody = Directed("http://127.0.0.1:9/")
    with caplog.at_level(logging.WARNING, "jupyter_notify"):
        assert nobody.ask("Anybody?", ["Yes"], timeout=0.1) is None
    assert "The user could not be asked" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"choices": ["x"] * 11},
        {"choices": ["x" * 81]},
        {"choices": [""]},
        {"choices": [" "]},
        {"choices": 3},
        {"text": False},
        {"choices": ["Yes"], "timeout": -1},
        {"choices": ["Yes"], "timeout": "soon"},
    ],
)
def test_a_question_that_cannot_be_answered_is_told_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadUsage):
        Directed("http://127.0.0.1:9/").ask("Well?", **wrong)
