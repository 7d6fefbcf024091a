"""A fork is safe at any moment, and both sides send their own; so is the end of a program."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from ..support.sending import Recorder
from .interpreters import in_each_python, run_program
from .test_loops import PROGRAM

FORKS = PROGRAM.with_name("forks.py")
ENDS = PROGRAM.with_name("ends.py")

EXPECTED = {
    "right_after_the_first": ["parent first", "child first"],
    "at_every_moment": [f"{who} {n}" for who in ("parent", "child") for n in range(30)],
    "while_threads_send": [f"beside threads {n}" for n in range(10)],
    "beside_the_first_question": ["beside a question", "asked?"],
    "in_progress": ["warm", "from a child in it"],
    "workers": [f"worker {n}" for n in (*range(4), *range(10, 16))],
    "killed_workers": [f"worker {n}" for n in (20, 21, 30, 31)],
    "loaders": ["from a loader's worker"] * 3,
    "in_a_handler": ["interrupted", "from a handler"],
    "in_a_thread": ["beside the main thread", *["from a child of a thread"] * 2],
    "interrupted": ["before the interrupt", "from a child nevertheless", "after the interrupt"],
    "bars": [],
    "prefork": ["prefork parent", *(f"job {job}" for job in "abcdef")],
}
#: Ends of what was in progress.
ENDS_OF = {
    "in_progress": ["Parent: done, 2"],
    "killed_workers": [f"Loop {n}: done, 2" for n in (20, 21, 30, 31)],
    "bars": ["Loop 0: done, 2", "Loop 1: done, 2", "Loop of bars: done, 2"],
    "in_a_thread": ["Loop of a thread: interrupted after 1 of 2"] * 2,
}
#: Beginnings of messages whose number depends on the time that the program takes.
UNCOUNTED = ("thread at ", "Epoch ")


@in_each_python
@pytest.mark.parametrize("way", list(EXPECTED))
def test_parent_and_child_each_send_their_own(
    recorder: Recorder, interpreter: str, way: str
) -> None:
    ran = run_program(interpreter, FORKS, way, env=named(recorder), timeout_s=100)
    # The program treats warnings as errors: Python 3.12 warns of a fork beside a thread.
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    values = [asked.value for asked in recorder.requests if asked.value]
    told = [each["message"] for each in values if each["type"] != "in-progress"]
    counted = [text for text in told if not text.startswith(UNCOUNTED)]
    ends = sorted(text.split(" in ")[0] for text in counted if text.startswith(("Parent", "Loop")))
    said = sorted(text for text in counted if not text.startswith(("Parent", "Loop")))
    assert said == sorted(EXPECTED[way])
    assert ends == ENDS_OF.get(way, [])


def test_a_worker_waits_for_a_server_that_hangs_once_only(tmp_path: Path) -> None:
    code = (
        "import multiprocessing\n"
        "from jupyter_notify import notify\n"
        "from jupyter_notify.send_queue import SendQueue\n"
        "def work(n):\n"
        "    waited = []\n"
        "    wait = SendQueue._wait_for\n"
        "    def count(queue, sent):\n"
        "        sent.wait = waited.append\n"
        "        wait(queue, sent)\n"
        "    SendQueue._wait_for = count\n"
        "    for _ in range(50): notify('lost')\n"
        "    return waited\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool: print(pool.map(work, [0]))\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as hung:
        url = f"http://127.0.0.1:{hung.getsockname()[1]}/"
        env = {"JUPYTER_NOTIFY_URL": url, "JUPYTER_NOTIFY_TOKEN": "t", "HOME": str(tmp_path)}
        ran = run_program(sys.executable, "-c", code, env=env)
    assert ran.stdout == "[[1.0]]\n", ran.stdout + ran.stderr


def named(recorder: Recorder) -> dict[str, str]:
    """Return the environment of a program that sends to a recorder."""
    return {"JUPYTER_NOTIFY_URL": recorder.url, "JUPYTER_NOTIFY_TOKEN": "t", "HOME": "/nowhere"}


@in_each_python
def test_the_thread_imports_nothing(recorder: Recorder, interpreter: str) -> None:
    # If the thread held an import lock during a fork, the lock would stay held in the child.
    code = (
        "import sys, threading\n"
        "main = threading.main_thread()\n"
        "imported = []\n"
        "def hook(event, arguments):\n"
        "    if event == 'import' and threading.current_thread() is not main:\n"
        "        imported.append(arguments[0])\n"
        "sys.addaudithook(hook)\n"
        "from jupyter_notify import notify\n"
        "notify('first').wait()\n"
        "notify('of a name', key='k').wait()\n"
        "notify.revoke('k').wait()\n"
        "for n in notify.track(range(3)): pass\n"
        "assert notify.flush()\n"
        "notify.configure('http://localhost:1/')\n"
        "notify('to a name that is looked up').wait(0.5)\n"
        "print(imported)\n"
    )
    ran = run_program(interpreter, "-c", code, env=named(recorder))
    assert ran.stdout == "[]\n", ran.stdout + ran.stderr


@in_each_python
@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("registered", ["first", "finalized", "Loop at exit: done", "at exit"]),
        ("only", ["only at exit"]),
        ("thread", ["from a thread that goes on"]),
    ],
)
def test_what_is_sent_after_the_last_line_is_sent(
    recorder: Recorder, interpreter: str, way: str, expected: list[str]
) -> None:
    ran = run_program(interpreter, ENDS, way, env=named(recorder))
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    told = [asked.value for asked in recorder.requests]
    ends = [each["message"].split(",")[0] for each in told if each["type"] != "in-progress"]
    assert ends == expected
