"""``jupyter notify run``: run a command as the shell would, and keep the end of what it says."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import BinaryIO

#: So much of the output's end is kept.
TAIL_BYTES = 64 * 1024
TAIL_LINES = 20

#: What colours a terminal and moves its cursor.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@dataclass(frozen=True)
class CompletedCommand:
    """How a command ended.

    Parameters
    ----------
    code
        What a shell would give as its exit code.
    tail
        The last lines that it printed.
    problem
        Why it could not be run.
    """

    code: int
    tail: str = ""
    problem: str = ""


class _Tail:
    """The end of what was printed, whoever printed it."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        with self._lock:
            self._pieces.append(data)
            self._size += len(data)
            while self._size - len(self._pieces[0]) > TAIL_BYTES:
                self._size -= len(self._pieces.popleft())

    def text(self) -> str:
        with self._lock:
            return last_lines(b"".join(self._pieces)[-TAIL_BYTES:])


def last_lines(data: bytes) -> str:
    """Return the last lines of an output as a terminal would show them in the end."""
    text = ESCAPES.sub("", data.decode("utf-8", "replace"))
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        # A progress bar writes over itself.
        shown = line.rstrip("\r").rpartition("\r")[2].rstrip()
        shown = "".join(c for c in shown if c == "\t" or c.isprintable())
        lines.append(shown)
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines[-TAIL_LINES:]).strip("\n")


def run(command: Sequence[str]) -> CompletedCommand:
    """Run a command with our input and output.

    In a terminal it gets one too, so that it colours and asks as it always does.

    Parameters
    ----------
    command
        The program and its arguments.
    """
    tail = _Tail()
    try:
        code = _in_terminal(command, tail) if _has_terminal() else _with_pipes(command, tail)
    except FileNotFoundError:
        return CompletedCommand(127, problem="command not found")
    except OSError as error:
        return CompletedCommand(126, problem=(error.strerror or "cannot be run").lower())
    return CompletedCommand(code, tail.text())


def _has_terminal() -> bool:
    """Whether we are what runs in the foreground of a terminal."""
    if sys.platform == "win32" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        # In the background it would be stopped as soon as it touches the terminal.
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False


def _with_pipes(command: Sequence[str], tail: _Tail) -> int:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        copies = [
            threading.Thread(target=_copy, args=(given, taken.fileno(), tail), daemon=True)
            for given, taken in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
        ]
        for copy in copies:
            copy.start()
        with _signals_to(process.pid):
            code = process.wait()
        for copy in copies:
            # What it left running in the background may hold its output open.
            copy.join(1.0)
        if any(copy.is_alive() for copy in copies):
            process.stdout = process.stderr = None
    return _as_shell(code)


def _copy(given: BinaryIO, taken: int, tail: _Tail) -> None:
    listening = True
    while data := os.read(given.fileno(), 65536):
        tail.add(data)
        # If nobody reads it any more, the command is read on all the same.
        listening = listening and _write(taken, data)


def _in_terminal(command: Sequence[str], tail: _Tail) -> int:
    import fcntl
    import pty
    import shutil
    import termios
    import tty

    if shutil.which(command[0]) is None:
        # Found out here: the child could tell it only as an exit code.
        if os.path.exists(command[0]) and "/" in command[0]:
            raise PermissionError(13, "permission denied")
        raise FileNotFoundError

    def size() -> bytes:
        try:
            return fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
        except OSError:
            return b"\0" * 8

    sys.stdout.flush()
    now = size()
    child, master = pty.fork()
    if child == 0:
        try:
            # Here, before it can ask for it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, now)
            os.execvp(command[0], list(command))
        finally:
            os._exit(127)

    def resize(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(master, termios.TIOCSWINSZ, size())

    def forward(number: int, frame: FrameType | None) -> None:
        """Pass on what is meant for the command to whatever of it is in the foreground."""
        with contextlib.suppress(OSError):
            os.killpg(os.tcgetpgrp(master), number)

    handlers = {signal.SIGWINCH: resize, signal.SIGTERM: forward, signal.SIGHUP: forward}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    ours = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        _relay(master, tail)
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, ours)
        os.close(master)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for number, handler in before.items():
            signal.signal(number, handler)
    return _as_shell(code)


def _relay(master: int, tail: _Tail) -> None:
    """Copy what is typed to a terminal's other side, and what is shown from there, to its end."""
    keyboard, screen = sys.stdin.fileno(), sys.stdout.fileno()
    sources = [master, keyboard]
    listening = True
    while True:
        ready, _, _ = select.select(sources, [], [])
        if master in ready:
            # Linux says by an error that nobody has it open any more.
            shown = _read(master, 65536)
            if not shown:
                return
            tail.add(shown)
            listening = listening and _write(screen, shown)
        if keyboard in ready:
            typed = _read(keyboard, 1024)
            if not typed or not _write(master, typed):
                sources.remove(keyboard)


def _read(given: int, size: int) -> bytes:
    """Read from a terminal; nothing, if it is gone."""
    try:
        return os.read(given, size)
    except OSError:
        return b""


def _write(taken: int, data: bytes) -> bool:
    """Write to a terminal or pipe; tell whether somebody still reads it."""
    try:
        while data:
            data = data[os.write(taken, data) :]
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _signals_to(pid: int) -> Iterator[None]:
    """Pass on what is meant for the command, and live to tell how it ended."""

    def forward(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def ignore(number: int, frame: FrameType | None) -> None:
        """Do nothing: the keyboard has sent it to the command as well."""

    handlers = {signal.SIGTERM: forward, signal.SIGINT: ignore}
    if sys.platform != "win32":
        handlers |= {signal.SIGHUP: forward, signal.SIGQUIT: ignore}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _as_shell(code: int) -> int:
    """Return an exit code as a shell gives it: 128 and the signal that ended it."""
    return 128 - code if code < 0 else code


def how(code: int) -> str:
    """Return in words how a command ended that did not succeed."""
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(code - 128).name}"
    return f"failed with exit code {code}"
