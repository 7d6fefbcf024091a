"""``jupyter notify run``: run a command as the shell would, and keep the end of what it says.

The command's output passes through here, so that its last lines can be told. Nothing else of it
may change. What is a terminal stays one, what is redirected stays redirected, and two streams that
lead to one place keep their order. A reader that leaves ends the command by SIGPIPE. What it leaves
running in the background goes on, and goes on writing to where it wrote.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from .copying import Copier, Tail, hand_over

STANDARD = (0, 1, 2)


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


def guard_closed_streams() -> None:
    """Keep the numbers of closed standard streams from being taken by the next file.

    A command gets them closed all the same, since what stands in for them is not inherited.
    """
    for number in STANDARD:
        if _is_closed(number):
            # The lowest number that is free is this one.
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)


def _is_closed(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return True
    return False


def run(command: Sequence[str], started: Callable[[], None]) -> CompletedCommand:
    """Run a command with our input and output.

    Parameters
    ----------
    command
        The program and its arguments.
    started
        Called once it runs: before that, no thread may run beside the fork.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    tail = Tail()
    try:
        if _has_terminal():
            from .terminal import run_in_terminal

            code = run_in_terminal(command, tail, started)
        else:
            code = _run_beside_us(command, tail, started)
    except FileNotFoundError:
        return CompletedCommand(127, problem="command not found")
    except OSError as error:
        return CompletedCommand(126, problem=(error.strerror or "cannot be run").lower())
    except ValueError as error:
        # A program's name with a zero byte, say.
        return CompletedCommand(126, problem=str(error))
    # A signal that ended it counts as a shell counts it.
    return CompletedCommand(128 - code if code < 0 else code, tail.text())


def _has_terminal() -> bool:
    """Whether we are what runs in the foreground of a terminal, with its keyboard and screen."""
    if sys.platform == "win32" or not (os.isatty(0) and os.isatty(1)):
        return False
    try:
        # In the background it would be stopped as soon as it touches the terminal.
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


# Where there is no terminal for both: the command stays in our session and has our input


@dataclass
class _Channel:
    """A pipe, or a terminal that shows only, between the command and one of our streams."""

    read: int
    write: int
    target: int


def _run_beside_us(command: Sequence[str], tail: Tail, started: Callable[[], None]) -> int:
    channels = _open_channels()
    given: dict[int, int | None] = {1: None, 2: None}
    for number, channel in channels.items():
        given[number] = channel.write
    try:
        process = subprocess.Popen(command, stdout=given[1], stderr=given[2])
    except BaseException:
        for channel in _each(channels):
            os.close(channel.read)
        raise
    finally:
        for channel in _each(channels):
            os.close(channel.write)
    with process, contextlib.ExitStack() as stack:
        woken = stack.enter_context(signals_passed_on(lambda number: os.kill(process.pid, number)))
        copiers = [Copier(each.read, each.target, tail) for each in _each(channels)]
        for copier in copiers:
            copier.start()
        started()
        code = _wait(process, woken)
        for copier in copiers:
            copier.finish()
    for copier in copiers:
        hand_over(copier)
    return code


def _wait(process: subprocess.Popen[bytes], woken: socket.socket) -> int:
    """Wait for a command, and act on every signal meanwhile.

    A signal that comes just before a blocking wait would be acted on after it: after the command.
    """
    waiting, ended = socket.socketpair()

    def wait() -> None:
        process.wait()
        ended.close()

    with waiting:
        threading.Thread(target=wait, daemon=True).start()
        ready: list[socket.socket] = []
        while waiting not in ready:
            ready, _, _ = select.select([waiting, woken], [], [])
            if woken in ready:
                woken.recv(4096)
        return process.wait()


def _each(channels: dict[int, _Channel]) -> list[_Channel]:
    """Return the channels, one that two streams share only once."""
    return list({id(one): one for one in channels.values()}.values())


def _open_channels() -> dict[int, _Channel]:
    """Return a channel for each stream that is open; one for both if they lead to one place."""
    open_ones = [number for number in (1, 2) if not _stands_in(number)]
    channels = {number: _open_channel(number) for number in open_ones[:1]}
    if len(open_ones) == 2:
        same = os.path.sameopenfile(1, 2)
        channels[2] = channels[1] if same else _open_channel(2)
    return channels


def _stands_in(number: int) -> bool:
    """Whether a stream was closed, and something stands in for it that is not inherited."""
    return not os.get_inheritable(number)


def _open_channel(target: int) -> _Channel:
    if sys.platform != "win32" and os.isatty(target):
        from .terminal import open_screen

        return _Channel(*open_screen(target), target)
    read, write = os.pipe()
    return _Channel(read, write, target)


@contextlib.contextmanager
def signals_passed_on(
    pass_on: Callable[[int], Any], keyboard: bool = False
) -> Iterator[socket.socket]:
    """Pass on what is meant for the command, and live to report how it ended.

    Parameters
    ----------
    pass_on
        Sends a signal to the command.
    keyboard
        Whether signals of the keyboard are passed on, too: where the terminal does not send them
        to the command itself.

    Yields
    ------
    socket.socket
        Readable once a signal has come. Wait for it beside whatever else is waited for: Python
        acts on a signal only between two of its own steps.
    """

    def forward(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            pass_on(number)

    def ignore(number: int, frame: FrameType | None) -> None:
        """Do nothing: the keyboard has sent it to the command as well."""

    handlers = {signal.SIGTERM: forward, signal.SIGINT: forward if keyboard else ignore}
    if sys.platform != "win32":
        handlers |= {signal.SIGHUP: forward, signal.SIGQUIT: forward if keyboard else ignore}
        handlers |= {signal.SIGUSR1: forward, signal.SIGUSR2: forward}
    # What is ignored (nohup) is ignored by the command, too.
    handlers = {n: one for n, one in handlers.items() if signal.getsignal(n) != signal.SIG_IGN}
    woken, wakes = socket.socketpair()
    with woken, wakes:
        for each in (woken, wakes):
            each.setblocking(False)
        fd_before = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield woken
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(fd_before)


def how(code: int) -> str:
    """Return in words how a command ended that did not succeed."""
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(code - 128).name}"
    return f"failed with exit code {code}"
