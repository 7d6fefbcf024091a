"""Copy what a command writes to where it belongs, and keep its end; for ``jupyter notify run``."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from collections import deque

from .terminal_text import last_lines

#: So much of the output's end is kept.
TAIL_BYTES = 64 * 1024
TAIL_LINES = 20
#: How long what the command left behind has to close its output, before it is taken for
#: something that runs on in the background.
GRACE_S = 0.2

#: What goes on copying for a process in the background, once we have ended.
COPY = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
try:
    while data := os.read(0, 65536):
        while data:
            data = data[os.write(1, data):]
except OSError:
    pass
"""


class Tail:
    """The end of what was printed, whoever printed it."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        """Add what was printed last."""
        with self._lock:
            self._pieces.append(data)
            self._size += len(data)
            while self._size - len(self._pieces[0]) > TAIL_BYTES:
                self._size -= len(self._pieces.popleft())

    def text(self) -> str:
        """Return the last lines."""
        with self._lock:
            return last_lines(b"".join(self._pieces)[-TAIL_BYTES:], TAIL_LINES)


def read(source: int, size: int = 65536) -> bytes:
    """Read from a pipe or a terminal; nothing, if it is at its end."""
    try:
        return os.read(source, size)
    except OSError:
        # Linux says so by an error if nobody has a terminal open any more.
        return b""


def write(target: int, data: bytes) -> bool:
    """Write all of it; return whether somebody may still read.

    A full disk, say, is not the end: the command's output is read on.
    """
    while data:
        try:
            data = data[os.write(target, data) :]
        except BlockingIOError:
            # Somebody has set it so, for all who have it open.
            select.select([], [target], [])
        except BrokenPipeError:
            return False
        except OSError:
            return True
    return True


class Copier(threading.Thread):
    """Copies from a pipe until its end.

    Parameters
    ----------
    source
        Read from, and closed at the end.
    target
        Written to. When nobody reads it any more, the source is closed: the command is told by
        SIGPIPE, as it would be without us.
    tail
        Keeps the end.
    """

    def __init__(self, source: int, target: int, tail: Tail) -> None:
        super().__init__(daemon=True)
        self.source: int | None = source
        self.target = target
        self._tail = tail
        self._wake_read, self._wake_write = os.pipe()

    def run(self) -> None:
        """Copy, and after the command's end what it had written before that."""
        deadline: float | None = None
        while self.source is not None:
            wait_for = [self.source] if deadline else [self.source, self._wake_read]
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select(wait_for, [], [], left)
            if self.source in ready:
                data = read(self.source)
                if data:
                    self._tail.add(data)
                if not data or not write(self.target, data):
                    os.close(self.source)
                    self.source = None
                if deadline and time.monotonic() > deadline:
                    # A process in the background writes on.
                    return
            elif deadline is None:
                deadline = time.monotonic() + GRACE_S
            else:
                return

    def finish(self) -> None:
        """Wait until all is copied that the command has written: it has ended."""
        os.close(self._wake_write)
        self.join()
        os.close(self._wake_read)


def hand_over(copier: Copier) -> None:
    """Let a process of its own go on where a copier ended, if something still writes."""
    if copier.source is None:
        return
    with contextlib.suppress(OSError):
        subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", COPY],
            stdin=copier.source,
            stdout=copier.target,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    os.close(copier.source)
    copier.source = None
