"""Answers of servers: checked, printed without harm, and a wish to wait is obeyed."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..support.sending import Recorder, one_line, run
from ..support.servers import wait_for
from .support import Directed
from .test_cli import NOTIFY


@contextmanager
def answering(answer: bytes, drip_s: float = 0.0) -> Iterator[str]:
    """Answer every request with the same bytes, one at a time if they are to drip."""
    done = threading.Event()

    def answer_one(connection: socket.socket) -> None:
        pieces = [answer[i : i + 1] for i in range(len(answer))] if drip_s else [answer]
        with connection:
            connection.recv(65536)
            try:
                for piece in pieces:
                    connection.sendall(piece)
                    if drip_s and done.wait(drip_s):
                        return
            except OSError:
                return

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer_one, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            done.set()
            listening.shutdown(socket.SHUT_RDWR)


def http(content: bytes, head: str = "HTTP/1.1 200 OK") -> bytes:
    return f"{head}\r\nContent-Length: {len(content)}\r\n\r\n".encode("latin-1") + content


def environment(url: str, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(tmp_path),
        "JUPYTER_NOTIFY_URL": url,
        "JUPYTER_NOTIFY_TOKEN": "secret",
    }


def ask(url: str, tmp_path: Path, *arguments: str) -> Any:
    return run(NOTIFY, *arguments, env=environment(url, tmp_path), cwd=tmp_path)


ROW = {"id": "1", "type": "info", "message": "m", "updated": "2026-01-01T00:00:00Z"}
REST = {"read": None, "progress": None, "key": None}

ANSWERS = {
    "nothing": b"",
    "half": b'{"success": tr',
    "a list": b"[]",
    "a number": b"1",
    "no id": b'{"success": true}',
    "an id that is none": b'{"success": true, "notification_id": {"a": 1}}',
    "nested": b"[" * 200_000,
    "nested in what is asked for": b'{"notifications":' + b'{"a":' * 100_000,
    "no rows": b'{"notifications": null}',
    "rows that are none": b'{"notifications": [1, "x"]}',
    "no age": json.dumps({"notifications": [{**ROW, **REST, "updated": "soon"}]}).encode(),
    "not UTF-8": b"\xff\xfe{}",
    "a page": b"<html>Sign in</html>",
    "a long number": b'{"changed": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("content", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_none_is_one_sentence_and_exit_code_1(
    tmp_path: Path, content: bytes
) -> None:
    with answering(http(content)) as url:
        for command in (("send", "x"), ("list",), ("dismiss", "--all"), ("revoke", "x")):
            ran = ask(url, tmp_path, *command)
            assert ran.returncode == 1, (command, ran.stdout)
            assert url in one_line(ran)
            assert ran.stdout == ""


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff" * 1000,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"A" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}",
    ],
    ids=["nothing", "bytes", "headers", "status", "long", "chunks", "short"],
)
def test_what_is_no_http_is_one_sentence_too(tmp_path: Path, answer: bytes) -> None:
    with answering(answer) as url:
        ran = ask(url, tmp_path, "send", "x")
    assert ran.returncode == 1
    assert url in one_line(ran)


def test_an_answer_that_drips_does_not_last_longer_than_one_that_hangs(tmp_path: Path) -> None:
    # At a byte a second it would take some minutes, and each byte would begin a new wait.
    with answering(http(b'{"notification_id": "x"}' + b" " * 200), drip_s=1) as url:
        ran = ask(url, tmp_path, "send", "x")
    assert ran.returncode == 1
    assert "timed out" in one_line(ran)


@pytest.mark.parametrize("location", ["http://[", "//[::1", "http://\u2100.example/"], ids=ascii)
def test_a_redirect_to_nowhere_is_one_sentence_too(tmp_path: Path, location: str) -> None:
    moved = f"HTTP/1.1 302 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    with answering(moved.encode()) as url:
        ran = ask(url, tmp_path, "send", "x")
    assert ran.returncode == 1
    assert "where the token is not sent" in one_line(ran)


def test_what_an_answer_says_does_not_reach_the_terminal_as_it_is(tmp_path: Path) -> None:
    evil = "\x1b]0;title\x07\x1b[31m\u202e\x9b2Jred\r\nsecond"
    refused = json.dumps({"success": False, "message": evil}).encode()
    with answering(http(refused, "HTTP/1.1 400 Bad")) as url:
        ran = ask(url, tmp_path, "send", "x")
    assert ran.returncode == 2
    assert one_line(ran).isprintable()
    with answering(http(b"", f"HTTP/1.1 302 Moved\r\nLocation: /\x1b[31m{'x' * 50}")) as url:
        ran = ask(url, tmp_path, "send", "x")
    assert ran.returncode == 1
    assert one_line(ran).isprintable()
    row = {**ROW, **REST, "id": evil, "type": evil, "message": evil}
    with answering(http(json.dumps({"notifications": [row], "next": None}).encode())) as url:
        ran = ask(url, tmp_path, "list")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("\n") == 1
    assert ran.stdout.rstrip("\n").isprintable()


# A server that asks to wait


def test_a_message_that_must_wait_is_offered_again_when_the_server_said(
    recorder: Recorder, to_recorder: Directed
) -> None:
    recorder.status, recorder.headers["Retry-After"] = 429, "2"
    sent = [to_recorder(f"m{n}") for n in range(20)]
    wait_for(lambda: recorder.requests, "the first")
    recorder.status = 200
    assert to_recorder.flush(20)
    first, second = (asked.at for asked in recorder.requests[:2])
    assert second - first >= 2
    said = [asked.value["message"] for asked in recorder.requests[1:]]
    assert said == [f"m{n}" for n in range(20)]
    assert all(one.id for one in sent)


def test_what_must_wait_does_not_get_too_old(
    recorder: Recorder, to_recorder: Directed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The time that a server asks for does not count as one in which it was away.
    monkeypatch.setattr("jupyter_notify.send_queue.MAX_AGE_S", 0.5)
    recorder.status, recorder.headers["Retry-After"] = 429, "1"
    sent = to_recorder("held")
    wait_for(lambda: len(recorder.requests) >= 3, "two more offers")
    assert sent.error is None
    recorder.status = 200
    assert sent.wait(10)


def take_what_comes(busy: Recorder) -> threading.Thread:
    """Take what comes, once the first was told to wait."""

    def wait() -> None:
        wait_for(lambda: busy.requests, "the first", 20)
        busy.status = 200

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_the_end_of_the_program_waits_as_long_as_the_server_asks(tmp_path: Path) -> None:
    code = "from jupyter_notify import notify\nfor n in range(3): notify(f'm{n}')\n"
    with Recorder(429, {"Retry-After": "6"}) as busy:
        thread = take_what_comes(busy)
        ran = run(sys.executable, "-c", code, env=environment(busy.url, tmp_path), cwd=tmp_path)
        thread.join()
        assert (ran.returncode, ran.stderr) == (0, "")
        assert [asked.value["message"] for asked in busy.requests] == ["m0", "m0", "m1", "m2"]


def test_the_command_waits_too(tmp_path: Path) -> None:
    with Recorder(429, {"Retry-After": "1"}) as busy:
        thread = take_what_comes(busy)
        ran = ask(busy.url, tmp_path, "send", "x")
        thread.join()
        assert ran.returncode == 0, ran.stderr
        assert len(busy.requests) == 2


@pytest.mark.parametrize(
    "retry_after",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "9" * 400,
        "-1",
        "soon",
        "nan",
        "1e999",
        "\xb2",
        "",
    ],
    ids=range(8),
)
def test_a_time_to_wait_that_is_none_is_no_error(tmp_path: Path, retry_after: str) -> None:
    answer = http(b"{}", f"HTTP/1.1 429 Wait\r\nRetry-After: {retry_after}")
    with answering(answer) as url:
        ran = ask(url, tmp_path, "send", "x")
    assert ran.returncode == 1
    assert "429" in one_line(ran)
