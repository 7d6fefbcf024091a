"""Copy a command's output to its destination and keep the end of it; for ``jupyter notify run``."""

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

#: Bytes kept of the end of the output.
TAIL_BYTES = 64 * 1024
TAIL_LINES = 20
#: Time in seconds to wait, after the command has exited, for its output to be closed. A process
#: that still has the output open after that counts as a background process.
GRACE_S = 0.2

#: The program that goes on copying for a background process after we have exited.
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
    """The end of the output, of both streams together."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        """Append output."""
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
    """Read from a pipe or a terminal; return nothing at its end."""
    try:
        return os.read(source, size)
    except OSError:
        # Linux raises an error once no process has the terminal open any more.
        return b""


def write(target: int, data: bytes) -> bool:
    """Write all of ``data`` or lose it; return False if nobody reads any more."""
    try:
        return write_all(target, data)
    except OSError:
        return True


def write_all(target: int, data: bytes) -> bool:
    """Write all of ``data``; return False if nobody reads any more.

    Raises
    ------
    OSError
        If the data cannot be written, as on a full disk. The command may still go on writing.
    """
    while data:
        try:
            data = data[os.write(target, data) :]
        except BlockingIOError:
            # Another process has made this file non-blocking for all that share it.
            select.select([], [target], [])
        except BrokenPipeError:
            return False
    return True


class Copier(threading.Thread):
    """Copies from a pipe until its end.

    Parameters
    ----------
    source
        The pipe to read from; it is closed at its end.
    target
        The file to write to. When nobody reads it any more, the source is closed, so that the
        command gets SIGPIPE, as it would without us.
    tail
        Keeps the end of the output.
    """

    def __init__(self, source: int, target: int, tail: Tail) -> None:
        super().__init__(daemon=True)
        self.source: int | None = source
        self.target = target
        #: The reason why some of the output was lost; empty if nothing was.
        self.lost = ""
        self._tail = tail
        self._wake_read, self._wake_write = os.pipe()

    def run(self) -> None:
        """Copy until the command has exited and everything that it wrote is copied."""
        deadline: float | None = None
        while self.source is not None:
            wait_for = [self.source] if deadline else [self.source, self._wake_read]
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select(wait_for, [], [], left)
            if self.source in ready:
                data = read(self.source)
                if data:
                    self._tail.add(data)
                if not data or not self._write(data):
                    os.close(self.source)
                    self.source = None
                if deadline and time.monotonic() > deadline:
                    # A background process goes on writing.
                    return
            elif deadline is None:
                deadline = time.monotonic() + GRACE_S
            else:
                return

    def _write(self, data: bytes) -> bool:
        try:
            return write_all(self.target, data)
        except OSError as error:
            self.lost = (error.strerror or "it is not known why").lower()
            return True

    def finish(self) -> None:
        """Wait until everything is copied, once the command has exited."""
        os.close(self._wake_write)
        self.join()
        os.close(self._wake_read)


def hand_over(copier: Copier) -> None:
    """Start a process that goes on where a copier stopped, if something still writes."""
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
