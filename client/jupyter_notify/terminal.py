"""Run a command in a pseudo-terminal and relay our screen and keyboard to it; POSIX only.

Three processes take part. This process relays. The session *leader* of the new terminal waits for
the command, and stays alive as long as anything runs in the background: the kernel would hang those
processes up when their session leader exits. The command runs in a process group of its own, as it
would under a shell.
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
from typing import Any, NoReturn

from .copying import COPY, GRACE_S, Copier, Tail, hand_over, read, write
from .run import SENT, TYPED, in_foreground, signals_passed_on

#: Reports from the leader: the command begins, exited, stopped, or could not be started. Each
#: carries a number: the process group, the exit code, the signal, or the errno.
BEGINS, EXITED, STOPPED, START_FAILED = b"B", b"E", b"S", b"F"
#: Requests to the leader: continue the command, or take over the screen.
CONTINUE, TAKE_OVER = b"C", b"T"
REPORT = struct.Struct("=ci")
#: Signals that the leader passes on: they come to it as the command's parent, but are meant for the
#: command.
PASSED_ON = (*SENT, *TYPED)
#: Signals that are blocked while the command is started, until their handlers are set.
HELD_BACK = (*PASSED_ON, signal.SIGTSTP, signal.SIGWINCH)
#: Interval at which a process in the background checks whether it is in the foreground again.
FOREGROUND_S = 0.1


def window_size(terminal: int) -> bytes:
    """Return a terminal's size as the bytes that ``TIOCSWINSZ`` takes."""
    try:
        return fcntl.ioctl(terminal, termios.TIOCGWINSZ, b"\0" * 8)
    except OSError:
        return b"\0" * 8


def open_screen(terminal: int) -> tuple[int, int]:
    """Open a pseudo-terminal for output only, for a command whose input comes from elsewhere.

    The pseudo-terminal is no controlling terminal: the command stays in the real one's session.

    Parameters
    ----------
    terminal
        The real terminal, which shows the output and gives the size.

    Returns
    -------
    tuple of int
        The end that we read from, and the end that the command writes to.
    """
    master, slave = pty.openpty()
    with contextlib.suppress(termios.error, OSError):
        fcntl.ioctl(slave, termios.TIOCSWINSZ, window_size(terminal))
        _disable_output_processing(slave)
    return master, slave


def _disable_output_processing(terminal: int) -> None:
    """Pass line feeds through unchanged; the real terminal translates them."""
    modes = termios.tcgetattr(terminal)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def run_in_terminal(command: Sequence[str], tail: Tail, started: Callable[[], None]) -> int:
    """Run a command in a pseudo-terminal; return its exit code, negative for a signal.

    Parameters
    ----------
    command
        The program and its arguments.
    tail
        Keeps the end of the output.
    started
        Called once the command runs.
    """
    control, leader_end = socket.socketpair()
    # Standard error goes to the new terminal only if it went to a terminal before.
    stderr_closed = not os.get_inheritable(2)
    errors = None if os.isatty(2) or stderr_closed else os.pipe()
    size = window_size(1)
    copier: Copier | None = None
    master: int | None = None
    # Keys that are typed from now on are meant for the command: Ctrl-Z must not stop us alone.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
    try:
        with _raw_keyboard() as modes:
            typed_ahead = _waiting(0)
            child, master = pty.fork()
            if child == 0:
                control.close()
                _lead_session(command, leader_end, errors, modes, size, stderr_closed, mask)
            leader_end.close()
            if errors is not None:
                os.close(errors[1])
                copier = Copier(errors[0], 2, tail)
                copier.start()
            started()
            with _signals(master) as woken:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                relay = _Relay(master, control, modes, tail, woken)
                relay.typed_ahead = typed_ahead
                code = relay.run()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if copier is not None:
            copier.finish()
        control.close()
        if master is not None:
            os.close(master)
    if copier is not None:
        hand_over(copier)
    return code


@contextlib.contextmanager
def _raw_keyboard() -> Iterator[list[Any]]:
    """Put the terminal into raw mode; yield the modes that it had before."""
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0, termios.TCSADRAIN)
        yield before
    finally:
        # In the background the terminal is the shell's, and a process that changes it is stopped.
        if in_foreground():
            with contextlib.suppress(termios.error):
                termios.tcsetattr(0, termios.TCSADRAIN, before)


def _waiting(terminal: int) -> int:
    """Return the number of bytes that can be read from a terminal."""
    count = array.array("i", [0])
    try:
        fcntl.ioctl(terminal, termios.FIONREAD, count)
    except OSError:
        return 0
    return count[0]


@contextlib.contextmanager
def _signals(master: int) -> Iterator[socket.socket]:
    """Pass signals on to the foreground process group, and changes of the window's size."""

    def resize(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(master, termios.TIOCSWINSZ, window_size(1))

    def pass_on(number: int) -> None:
        os.killpg(os.tcgetpgrp(master), number)

    def stop(number: int, frame: FrameType | None) -> None:
        # We stop when the command stops.
        with contextlib.suppress(OSError):
            pass_on(number)

    handlers = {signal.SIGWINCH: resize, signal.SIGTSTP: stop}
    # SIGCONT only has to wake us.
    handlers[signal.SIGCONT] = lambda number, frame: None
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        with signals_passed_on(pass_on) as woken:
            yield woken
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_gone() -> bool:
    """Return whether our session has lost its terminal, which nobody can bring back.

    A shell that ends takes the terminal from its background processes, even if a window keeps it.
    """
    try:
        os.tcgetpgrp(0)
    except OSError:
        return True
    return False


class _Relay:
    """Copies keyboard input to the pseudo-terminal, and its output to the screen."""

    def __init__(
        self,
        master: int,
        leader: socket.socket,
        modes: list[Any],
        tail: Tail,
        woken: socket.socket,
    ) -> None:
        self._master = master
        self._leader = leader
        self._modes = modes
        self._tail = tail
        self._woken = woken
        self._sources = [master, leader.fileno(), woken.fileno()]
        #: Character that ends the input of the terminal.
        self._end_of_file: bytes = modes[6][termios.VEOF]
        #: Number of bytes that were typed before the terminal was in raw mode.
        self.typed_ahead = 0
        self._has_keyboard = True
        self._keyboard_ended = False
        #: True if the key that stops a program was in what was typed last.
        self._stop_typed = False
        #: The command's process group, once it begins.
        self._group: int | None = None
        self._code: int | None = None

    def run(self) -> int:
        """Relay until the command has exited and all its output is shown; return its code."""
        while self._code is None:
            keyboard = [0] if self._has_keyboard and not self._keyboard_ended else []
            # No signal tells that a shell has brought a running command to the foreground.
            wait_s = None if self._has_keyboard else FOREGROUND_S
            ready, _, _ = select.select(self._sources + keyboard, [], [], wait_s)
            if self._woken.fileno() in ready:
                woken_by = self._woken.recv(4096)
                if signal.SIGCONT in woken_by:
                    self._has_keyboard = False
            if not self._has_keyboard:
                self._take_keyboard()
            if self._master in ready:
                self._copy_output()
            if self._leader.fileno() in ready:
                self._read_report()
            elif 0 in ready and self._has_keyboard:
                self._copy_input()
        end = time.monotonic() + GRACE_S
        while self._master in self._sources:
            # Whatever the command wrote before it exited can be read at once.
            left = max(0.0, end - time.monotonic())
            ready, _, _ = select.select([self._master], [], [], left)
            if ready:
                self._copy_output()
            if not ready or (left == 0.0 and self._master in self._sources):
                # A background process still has the terminal open.
                self._hand_over()
                break
        return self._code

    def _copy_output(self) -> None:
        output = read(self._master)
        if output:
            self._tail.add(output)
        if not output or not write(1, output):
            self._sources.remove(self._master)

    def _copy_input(self) -> None:
        typed = read(0, 1024)
        if self.typed_ahead > 0:
            # There the end of what is typed stands as a zero byte, which nobody types.
            ahead, rest = typed[: self.typed_ahead], typed[self.typed_ahead :]
            typed = ahead.replace(b"\0", self._end_of_file) + rest
            self.typed_ahead -= len(ahead)
        if not typed or not write(self._master, typed):
            self._keyboard_ended = True
            return
        self._stop_typed = self._has_signal(typed, termios.VSUSP)
        if self._has_signal(typed, termios.VINTR):
            _signal_our_group(signal.SIGINT, signal.SIG_IGN)

    def _has_signal(self, typed: bytes, key: int) -> bool:
        """Return whether a key was typed that sends a signal to the command.

        If our terminal were not raw, it would send the signal to our process group as well, and so
        to a script that runs us. A shell within gives the foreground to its own programs; then the
        signal is meant for these only.
        """
        try:
            modes = termios.tcgetattr(self._master)
            is_in_front = os.tcgetpgrp(self._master) == self._group
        except (OSError, termios.error):
            return False
        character = modes[6][key]
        sends = modes[3] & termios.ISIG and character != b"\0" and character in typed
        return bool(sends and is_in_front)

    def _read_report(self) -> None:
        report = self._leader.recv(REPORT.size)
        if len(report) < REPORT.size:
            # The leader was killed, and its whole session was hung up.
            self._code = -signal.SIGHUP
            return
        kind, number = REPORT.unpack(report)
        if kind == BEGINS:
            self._group = number
        elif kind == STOPPED:
            self._stop()
        elif kind == START_FAILED:
            raise OSError(number, os.strerror(number))
        else:
            self._code = number

    def _stop(self) -> None:
        """Stop when Ctrl-Z stopped the command; once continued, continue the command."""
        # In the background the terminal is the shell's, and a process that changes it is stopped.
        if in_foreground():
            termios.tcsetattr(0, termios.TCSADRAIN, self._modes)
        # Use the default action, which does not stop a process that no shell could continue.
        if self._stop_typed:
            _signal_our_group(signal.SIGTSTP, signal.SIG_DFL)
        else:
            before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, before)
        self._stop_typed = False
        self._take_keyboard()
        self._leader.send(CONTINUE)

    def _take_keyboard(self) -> None:
        """Take the keyboard if a shell has given it to us: ``fg`` does, ``bg`` does not."""
        if not self._keyboard_ended and _is_gone():
            # The terminal is gone, so the command's input ends.
            self._has_keyboard = self._keyboard_ended = True
            write(self._master, self._end_of_file)
            return
        self._has_keyboard = in_foreground()
        if self._has_keyboard:
            with contextlib.suppress(termios.error):
                tty.setraw(0, termios.TCSADRAIN)

    def _hand_over(self) -> None:
        """Let the leader, which outlives us, go on copying what background processes write."""
        with contextlib.suppress(OSError, termios.error):
            _disable_output_processing(self._master)
            fds = array.array("i", [self._master, 1])
            self._leader.sendmsg(
                [TAKE_OVER], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds.tobytes())]
            )


def _signal_our_group(number: int, action: signal.Handlers) -> None:
    """Send a signal to our process group, and take the given action ourselves."""
    before = signal.signal(number, action)
    os.killpg(0, number)
    signal.signal(number, before)


# The rest runs in the forked leader, which ends with os._exit


def _lead_session(
    command: Sequence[str],
    control: socket.socket,
    errors: tuple[int, int] | None,
    modes: list[Any],
    size: bytes,
    stderr_closed: bool,
    mask: set[int],
) -> NoReturn:
    try:
        with contextlib.suppress(OSError, termios.error):
            # Size and modes must be right before the command can ask for them.
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            termios.tcsetattr(0, termios.TCSANOW, modes)
        failure_read, failure_write = os.pipe()
        # The command has the foreground, so writing to the terminal would stop the leader.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        # Block these signals before the command runs: none must be missed before the leader waits
        # for them.
        signal.pthread_sigmask(signal.SIG_SETMASK, {*mask, signal.SIGCHLD, *PASSED_ON})
        child = os.fork()
        if child == 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            if stderr_closed:
                os.close(2)
            _exec_command(command, control, failure_write, errors)
        os.close(failure_write)

        def forward(number: int, frame: FrameType | None) -> None:
            with contextlib.suppress(OSError):
                os.killpg(child, number)

        # The leader is the command's parent, so signals for the command may come to the leader.
        passed_on = {each for each in PASSED_ON if signal.getsignal(each) != signal.SIG_IGN}
        for each in passed_on:
            signal.signal(each, forward)
        # Some systems drop the signal if it has no handler.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        if errors is not None:
            os.close(errors[0])
            os.close(errors[1])
        failure = os.read(failure_read, 4)
        if failure:
            control.send(REPORT.pack(START_FAILED, int.from_bytes(failure, "little")))
            os._exit(0)
        _report_until_exit(child, control, passed_on)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number in (0, 1, 2):
            os.close(number)
        _take_over(control)
    finally:
        os._exit(0)


def _exec_command(
    command: Sequence[str],
    control: socket.socket,
    failure_write: int,
    errors: tuple[int, int] | None,
) -> NoReturn:
    """Replace this process by the command; write the errno to the pipe if that fails."""
    try:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        # Sent before anything that the command shows, to which a user may answer with a key.
        control.send(REPORT.pack(BEGINS, os.getpid()))
        if errors is not None:
            os.dup2(errors[1], 2)
        # Python ignores these signals; a command expects their default handling.
        for number in (signal.SIGTTOU, signal.SIGPIPE, getattr(signal, "SIGXFSZ", None)):
            if number is not None:
                signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], list(command))
    except OSError as error:
        os.write(failure_write, (error.errno or 1).to_bytes(4, "little"))
    except BaseException:
        os.write(failure_write, (1).to_bytes(4, "little"))
    finally:
        os._exit(127)


def _report_until_exit(child: int, control: socket.socket, passed_on: set[int]) -> None:
    while True:
        # Wait for signals instead of handling them: a handler for a signal that comes just before
        # a wait would run only after the wait.
        number = signal.sigwait({signal.SIGCHLD, *passed_on})
        if number != signal.SIGCHLD:
            with contextlib.suppress(OSError):
                os.killpg(child, number)
            continue
        # One signal may stand for several changes.
        while True:
            pid, status = os.waitpid(child, os.WUNTRACED | os.WNOHANG)
            if pid == 0:
                break
            if not os.WIFSTOPPED(status):
                control.send(REPORT.pack(EXITED, os.waitstatus_to_exitcode(status)))
                return
            control.send(REPORT.pack(STOPPED, os.WSTOPSIG(status)))
            if control.recv(1) != CONTINUE:
                os.killpg(child, signal.SIGHUP)
            with contextlib.suppress(OSError):
                os.killpg(child, signal.SIGCONT)


def _take_over(control: socket.socket) -> None:
    size = socket.CMSG_SPACE(2 * array.array("i").itemsize)
    request, ancillary, _, _ = control.recvmsg(1, size)
    if request != TAKE_OVER:
        return
    fds = array.array("i")
    for _, _, data in ancillary:
        fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
    master, screen = fds
    os.dup2(master, 0)
    os.dup2(screen, 1)
    for number in (master, screen):
        if number > 1:
            os.close(number)
    control.close()
    exec(COPY)
