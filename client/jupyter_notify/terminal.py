"""Run a command in a terminal of its own, whose screen and keyboard are ours; POSIX only.

Three processes take part. We relay. The *leader* of the new terminal's session waits for the
command, since what is left in the background would be ended with the leader. The command runs in
a process group of its own, as under a shell.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import pty
import select
import signal
import socket
import struct
import termios
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import NoReturn

from .copying import COPY, GRACE_S, Copier, Tail, hand_over, read, write
from .run import signals_passed_on

#: What the leader tells: the command ended, was stopped, or could not be begun; and a number.
ENDED, STOPPED, FAILED = b"E", b"S", b"F"
#: What the leader is told: go on, or take over the screen.
CONTINUE, TAKE_OVER = b"C", b"T"
REPORT = struct.Struct("=ci")
#: What a command may send to its parent, and means for itself.
PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def window_size(terminal: int) -> bytes:
    """Return a terminal's size, in the form in which it is set."""
    try:
        return fcntl.ioctl(terminal, termios.TIOCGWINSZ, b"\0" * 8)
    except OSError:
        return b"\0" * 8


def open_screen(terminal: int) -> tuple[int, int]:
    """Open a terminal that only shows, for a command whose input is something else.

    It controls nothing: the command stays in the session of the real one.

    Parameters
    ----------
    terminal
        The one on which it is shown in the end, and which has its size.

    Returns
    -------
    tuple of int
        The end that is read, and the command's.
    """
    master, slave = pty.openpty()
    with contextlib.suppress(termios.error, OSError):
        fcntl.ioctl(slave, termios.TIOCSWINSZ, window_size(terminal))
        _show_as_it_is(slave)
    return master, slave


def _show_as_it_is(terminal: int) -> None:
    """Let a terminal leave line feeds to the real one, which makes of them what it should."""
    modes = termios.tcgetattr(terminal)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def run_in_terminal(command: Sequence[str], tail: Tail, started: Callable[[], None]) -> int:
    """Run a command in a terminal of its own; return its exit code, negative for a signal.

    Parameters
    ----------
    command
        The program and its arguments.
    tail
        Keeps the end of what it shows.
    started
        Called once it runs.
    """
    ours, leaders = socket.socketpair()
    # Only what is a terminal becomes the new one.
    closed = not os.get_inheritable(2)
    errors = None if os.isatty(2) or closed else os.pipe()
    size = window_size(1)
    child, master = pty.fork()
    if child == 0:
        ours.close()
        _lead(command, leaders, errors, size, closed)
    leaders.close()
    copier = None
    if errors is not None:
        os.close(errors[1])
        copier = Copier(errors[0], 2, tail)
        copier.start()
    started()
    try:
        with _raw_keyboard() as modes, _signals(master) as woken:
            code = _Relay(master, ours, modes, tail, woken).run()
    finally:
        if copier is not None:
            copier.finish()
        ours.close()
        os.close(master)
    if copier is not None:
        hand_over(copier)
    return code


@contextlib.contextmanager
def _raw_keyboard() -> Iterator[list[object]]:
    """Let every key through; yield the modes that the terminal has otherwise."""
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        yield before
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(0, termios.TCSAFLUSH, before)


@contextlib.contextmanager
def _signals(master: int) -> Iterator[socket.socket]:
    """Pass signals on to whatever of the command is in the foreground, and the window's size."""

    def resize(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(master, termios.TIOCSWINSZ, window_size(1))

    before = signal.signal(signal.SIGWINCH, resize)
    try:
        with signals_passed_on(
            lambda n: os.killpg(os.tcgetpgrp(master), n), keyboard=True
        ) as woken:
            yield woken
    finally:
        signal.signal(signal.SIGWINCH, before)


class _Relay:
    """Copies what is typed to the terminal's other side, and what is shown from there."""

    def __init__(
        self,
        master: int,
        leader: socket.socket,
        modes: list[object],
        tail: Tail,
        woken: socket.socket,
    ) -> None:
        self._master = master
        self._leader = leader
        self._modes = modes
        self._tail = tail
        self._woken = woken
        self._sources = [master, leader.fileno(), 0, woken.fileno()]
        self._code: int | None = None

    def run(self) -> int:
        """Relay until the command has ended and all is shown that it wrote."""
        while self._code is None:
            ready, _, _ = select.select(self._sources, [], [])
            if self._woken.fileno() in ready:
                self._woken.recv(4096)
            if self._master in ready:
                self._show()
            if 0 in ready:
                self._type()
            if self._leader.fileno() in ready:
                self._listen()
        end = time.monotonic() + GRACE_S
        while self._master in self._sources:
            # What was written before its end is there at once.
            left = max(0.0, end - time.monotonic())
            ready, _, _ = select.select([self._master], [], [], left)
            if ready:
                self._show()
            if not ready or (left == 0.0 and self._master in self._sources):
                # Somebody still has the terminal open: in the background.
                self._give_away()
                break
        return self._code

    def _show(self) -> None:
        shown = read(self._master)
        if shown:
            self._tail.add(shown)
        if not shown or not write(1, shown):
            self._sources.remove(self._master)

    def _type(self) -> None:
        typed = read(0, 1024)
        if not typed or not write(self._master, typed):
            self._sources.remove(0)

    def _listen(self) -> None:
        report = self._leader.recv(REPORT.size)
        if len(report) < REPORT.size:
            # The leader was killed, and with it all that it led.
            self._code = -signal.SIGHUP
            return
        kind, number = REPORT.unpack(report)
        if kind == STOPPED:
            self._stop()
        elif kind == FAILED:
            raise OSError(number, os.strerror(number))
        else:
            self._code = number

    def _stop(self) -> None:
        """Stop as the command was stopped, by Ctrl-Z, and go on with it."""
        termios.tcsetattr(0, termios.TCSAFLUSH, self._modes)  # type: ignore[arg-type]  # its own
        os.kill(os.getpid(), signal.SIGSTOP)
        with contextlib.suppress(termios.error):
            tty.setraw(0)
        self._leader.send(CONTINUE)

    def _give_away(self) -> None:
        """Let the leader show on what is written in the background: it outlives us."""
        with contextlib.suppress(OSError, termios.error):
            _show_as_it_is(self._master)
            fds = array.array("i", [self._master, 1])
            self._leader.sendmsg(
                [TAKE_OVER], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds.tobytes())]
            )


# In the leader's process, which a fork has made: it ends with os._exit


def _lead(
    command: Sequence[str],
    control: socket.socket,
    errors: tuple[int, int] | None,
    size: bytes,
    closed: bool,
) -> NoReturn:
    try:
        with contextlib.suppress(OSError):
            # Before the command can ask for it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        told_read, told_write = os.pipe()
        # The leader is in the background of its own terminal.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        # Held back from before the command runs until the leader waits for them: none is missed.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, *PASSED_ON})
        child = os.fork()
        if child == 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            if closed:
                os.close(2)
            _become(command, told_write, errors)
        os.close(told_write)

        def forward(number: int, frame: FrameType | None) -> None:
            with contextlib.suppress(OSError):
                os.killpg(child, number)

        # To the command the leader is the parent, which a signal may be sent to.
        passed_on = {each for each in PASSED_ON if signal.getsignal(each) != signal.SIG_IGN}
        for each in passed_on:
            signal.signal(each, forward)
        # Where it has no handler, some systems drop it.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        if errors is not None:
            os.close(errors[0])
            os.close(errors[1])
        failure = os.read(told_read, 4)
        if failure:
            control.send(REPORT.pack(FAILED, int.from_bytes(failure, "little")))
            os._exit(0)
        _wait(child, control, passed_on)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number in (0, 1, 2):
            os.close(number)
        _take_over(control)
    finally:
        os._exit(0)


def _become(command: Sequence[str], told: int, errors: tuple[int, int] | None) -> NoReturn:
    try:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        if errors is not None:
            os.dup2(errors[1], 2)
        # Python ignores these; a command is begun with them as they are by default.
        for number in (signal.SIGTTOU, signal.SIGPIPE, getattr(signal, "SIGXFSZ", None)):
            if number is not None:
                signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], list(command))
    except OSError as error:
        os.write(told, (error.errno or 1).to_bytes(4, "little"))
    except BaseException:
        os.write(told, (1).to_bytes(4, "little"))
    finally:
        os._exit(127)


def _wait(child: int, control: socket.socket, passed_on: set[signal.Signals]) -> None:
    while True:
        # Asked for rather than handled: a handler would run after a wait that has just begun.
        number = signal.sigwait({signal.SIGCHLD, *passed_on})
        if number != signal.SIGCHLD:
            with contextlib.suppress(OSError):
                os.killpg(child, number)
            continue
        # One signal may stand for two changes.
        while True:
            pid, status = os.waitpid(child, os.WUNTRACED | os.WNOHANG)
            if pid == 0:
                break
            if not os.WIFSTOPPED(status):
                control.send(REPORT.pack(ENDED, os.waitstatus_to_exitcode(status)))
                return
            control.send(REPORT.pack(STOPPED, os.WSTOPSIG(status)))
            if control.recv(1) != CONTINUE:
                os.killpg(child, signal.SIGHUP)
            with contextlib.suppress(OSError):
                os.killpg(child, signal.SIGCONT)


def _take_over(control: socket.socket) -> None:
    size = socket.CMSG_SPACE(2 * array.array("i").itemsize)
    asked, passed, _, _ = control.recvmsg(1, size)
    if asked != TAKE_OVER:
        return
    fds = array.array("i")
    for _, _, data in passed:
        fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    master, screen = fds
    os.dup2(master, 0)
    os.dup2(screen, 1)
    for number in (master, screen):
        if number > 1:
            os.close(number)
    control.close()
    exec(COPY)
