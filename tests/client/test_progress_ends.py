"""Progress ends as the loop or the block does that drives it."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from jupyter_notify.api import Notify

from ..support.sending import Recorder, outside, python, running, wait_for_message
from ..support.servers import Server, wait_for
from .support import PRELUDE, Directed, final


def test_track_ends_in_success(server: Server, to_server: Directed) -> None:
    assert list(to_server.track([1, 2, 3], "Track success")) == [1, 2, 3]
    assert final(server, "Track success: done, 3 in ")["type"] == "success"


def test_track_ends_in_error_with_the_exceptions_summary(
    server: Server, to_server: Directed
) -> None:
    with pytest.raises(ValueError, match="bad batch"):
        for n in to_server.track(range(10), "Track error"):
            if n == 4:
                raise ValueError("bad batch")
    row = final(server, "Track error: ")
    assert row["message"] == "Track error: failed after 4 of 10: ValueError: bad batch"
    assert row["type"] == "error"
    assert sys.gettrace() is None


def caught(notify: Notify, title: str) -> None:
    try:
        for n in notify.track(range(10), title):
            if n == 2:
                raise KeyError("k")
    except KeyError:
        pass


def raising(notify: Notify, title: str) -> None:
    def inner() -> None:
        for _ in notify.track(range(10), title):
            1 / 0  # noqa: B018  # it raises

    with contextlib.suppress(ZeroDivisionError):
        inner()


def suppressed(notify: Notify, title: str) -> None:
    with contextlib.suppress(KeyError):
        for _ in notify.track(range(10), title):
            raise KeyError("s")


def broken(notify: Notify, title: str) -> None:
    for n in notify.track(range(10), title):
        if n == 2:
            break


def returned(notify: Notify, title: str) -> int:
    for n in notify.track(range(10), title):
        if n == 2:
            return n
    raise AssertionError


def broken_while_another_is_handled(notify: Notify, title: str) -> None:
    try:
        raise TypeError("old")
    except TypeError:
        for n in notify.track(range(10), title):
            if n == 2:
                break


def source_fails(notify: Notify, title: str) -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError):
        list(notify.track(source(), title))


@pytest.mark.parametrize(
    ("leave", "type_", "text"),
    [
        (caught, "error", "failed after 2 of 10: KeyError: 'k'"),
        (suppressed, "error", "failed: KeyError: 's'"),
        (raising, "error", "failed: ZeroDivisionError: division by zero"),
        (broken, "success", "ended after 2 of 10 in "),
        (returned, "success", "ended after 2 of 10 in "),
        (broken_while_another_is_handled, "success", "ended after 2 of 10 in "),
        (source_fails, "error", "failed after 1: OSError: the disk is gone"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_how_a_loop_is_left_is_what_is_told(
    recorder: Recorder,
    to_recorder: Directed,
    leave: Callable[[Notify, str], object],
    type_: str,
    text: str,
) -> None:
    leave(to_recorder, "Left")
    assert to_recorder.flush()
    last = recorder.requests[-1].value
    assert last["type"] == type_
    assert last["message"].startswith(f"Left: {text}")
    assert sys.gettrace() is None


def test_a_debugger_is_left_in_peace(to_recorder: Directed, recorder: Recorder) -> None:
    def trace(*_: object) -> None:
        return None

    sys.settrace(trace)
    try:
        caught(to_recorder, "Debugged")
        assert sys.gettrace() is trace
    finally:
        sys.settrace(None)
    assert to_recorder.flush()
    assert recorder.requests[-1].value["message"].startswith("Debugged: ended after 2 of 10")
    assert recorder.requests[-1].value["type"] == "info"


def test_progress_ends_as_its_block_does(server: Server, to_server: Directed) -> None:
    with pytest.raises(RuntimeError), to_server.progress("Block", total=3) as progress:
        progress.update(2)
        progress.note = "loss 0.3"
        raise RuntimeError("out of\nmemory")
    row = final(server, "Block: ")
    assert row["type"] == "error"
    assert row["message"] == "Block: failed after 2 of 3: RuntimeError: out of memory, loss 0.3"
    with to_server.progress("Calm block", key="calm") as calm:
        calm.set(7, "seven")
    row = final(server, "Calm block: ")
    assert row["key"] == "calm"
    assert row["message"].endswith("s, seven")


def test_one_that_is_dropped_says_that_it_was_left_unfinished(
    server: Server, to_server: Directed
) -> None:
    to_server.progress("Dropped", total=3).update()
    assert final(server, "Dropped: left unfinished after 1 of 3")["type"] == "warning"


def test_a_script_that_fails_ends_its_loop_in_error(server: Server) -> None:
    ran = python(
        server,
        PRELUDE + "for n in notify.track(range(9), 'Uncaught'):\n    if n == 5: int('x')\n",
    )
    assert ran.returncode == 1
    assert ran.stderr.count("Traceback") == 1
    row = final(server, "Uncaught: ")
    assert row["message"].startswith("Uncaught: failed after 5 of 9: ValueError: invalid literal")


def test_a_script_that_ends_leaves_nothing_in_progress(server: Server) -> None:
    ran = python(server, PRELUDE + "p = notify.progress('Forgotten', total=9)\np.update(4)\n")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert final(server, "Forgotten: interrupted after 4 of 9")["type"] == "warning"


def test_ctrl_c_interrupts(server: Server) -> None:
    code = (
        PRELUDE + "import time\n"
        "for n in notify.track(range(1000), 'Interrupted loop'): time.sleep(0.05)\n"
    )
    with running(sys.executable, "-c", code, env=outside(server), cwd=server.root_dir) as process:
        wait_for_message(server, "Interrupted loop")
        process.send_signal(signal.SIGINT)
        process.wait(10)
    assert final(server, "Interrupted loop: interrupted")["type"] == "warning"


def test_killed_in_the_middle_it_says_when_it_stopped(server: Server) -> None:
    code = (
        "import jupyter_notify.progress as progress\nprogress.HEARTBEAT_S = 5\n"
        + PRELUDE
        + "import time\nwith notify.progress('In the middle', total=3): time.sleep(60)\n"
    )
    with running(sys.executable, "-c", code, env=outside(server), cwd=server.root_dir) as process:
        assert wait_for_message(server, "In the middle")["type"] == "in-progress"
        process.kill()
    row = wait_for(
        lambda: next(
            (
                row
                for row in server.page(limit=200)["notifications"]
                if row["message"].startswith("In the middle") and row["type"] != "in-progress"
            ),
            None,
        ),
        "that it stopped",
        30,
    )
    assert (row["type"], row["message"], row["progress"]) == ("warning", "In the middle: 0 of 3", 0)
    assert row["created"] <= row["stopped"] < row["updated"]
