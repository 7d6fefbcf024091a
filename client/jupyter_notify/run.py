"""``jupyter notify run``: run a command as the shell would, and keep the end of its output.

The output passes through this process, so that a notification can quote its last lines. The command
must notice nothing else. A terminal stays a terminal, a redirected stream stays redirected, and two
streams with the same destination keep their order. When the reader closes the pipe, the command
gets SIGPIPE. Processes that the command leaves in the background go on, and go on writing to the
same place.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
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
from .decoding import encodable

STANDARD = (0, 1, 2)


def _signals(*names: str) -> tuple[int, ...]:
    """Return those of the named signals that this system has."""
    return tuple(int(getattr(signal, name)) for name in names if hasattr(signal, name))


#: Signals that a keyboard sends, and others that are sent to a program. Each ends a program that
#: does not handle it, and is meant for the command.
TYPED = _signals("SIGINT", "SIGQUIT")
SENT = (
    *_signals("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF"),
    *_signals("SIGXCPU", "SIGIO", "SIGPWR"),
    *range(getattr(signal, "SIGRTMIN", 0), getattr(signal, "SIGRTMAX", -1) + 1),
)
#: Number of threads that a command needs at most: two copy, one waits, one reports, and the command
#: itself counts as one where a system limits both together.
THREADS = 5
#: Number of files that a command needs at most: pipes or terminals, and what wakes each wait.
FILES = 20


@dataclass(frozen=True)
class CompletedCommand:
    """The end of a command.

    Parameters
    ----------
    code
        The exit code as a shell would give it.
    tail
        The last lines of its output.
    problem
        Why the command could not be started; empty if it was.
    lost
        Why some of the output could not be written; empty if all of it was.
    ended_by
        The signal that ended it; 0 if none did.
    """

    code: int
    tail: str = ""
    problem: str = ""
    lost: str = ""
    ended_by: int = 0


def guard_closed_streams() -> None:
    """Open the null device in place of each closed standard stream.

    Otherwise the next file that is opened would become a standard stream. The placeholder is not
    inherited, so a command still gets the stream closed.
    """
    for number in STANDARD:
        if _is_closed(number):
            # The system uses the lowest free number, which is this one.
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)


def _is_closed(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return True
    return False


def run(command: Sequence[str], started: Callable[[], None]) -> CompletedCommand:
    """Run a command with our standard input and output.

    Where the system allows no more threads or open files, the command runs all the same, but the
    end of its output is not kept, and ``started`` is not called.

    Parameters
    ----------
    command
        The program and its arguments.
    started
        Called once the command runs. No other thread may run before that, because of the fork.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    tail, lost = Tail(), ""
    _restore_environment()
    if not command[0]:
        # Python would look for an empty name in every directory of the path.
        return CompletedCommand(127, problem="command not found")
    command = _with_shell(command)
    is_limited = not (_can_start(THREADS) and _can_open(FILES))
    try:
        if is_limited:
            code, lost = _run_with_pipes(command, {}, tail, lambda: None)
        elif _has_terminal():
            from .terminal import run_in_terminal

            code = run_in_terminal(command, tail, started)
        else:
            code, lost = _run_with_pipes(command, _open_channels(), tail, started)
    except FileNotFoundError:
        return CompletedCommand(127, problem="command not found")
    except OSError as error:
        return CompletedCommand(126, problem=(error.strerror or "cannot be run").lower())
    except ValueError as error:
        # For example, the program's name holds a zero byte.
        return CompletedCommand(126, problem=str(error))
    # A shell reports death by a signal as 128 plus its number.
    ended_by, code = (-code, 128 - code) if code < 0 else (0, code)
    # A program that cannot write its output fails.
    return CompletedCommand(code or int(bool(lost)), tail.text(), lost=lost, ended_by=ended_by)


def end_by_interrupt() -> None:
    """End this process as Ctrl-C has ended its command, so that a script around it ends too.

    A shell goes on with the script if a program has handled Ctrl-C and ended in another way.
    """
    sys.stdout.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


def _can_start(number: int) -> bool:
    """Tell whether so many threads can be started now; none runs on afterwards."""
    over = threading.Event()
    threads = [threading.Thread(target=over.wait, daemon=True) for _ in range(number)]
    begun: list[threading.Thread] = []
    try:
        for thread in threads:
            thread.start()
            begun.append(thread)
    except RuntimeError:
        return False
    finally:
        over.set()
        for thread in begun:
            thread.join()
    return True


def _can_open(number: int) -> bool:
    """Tell whether so many files can be opened now; none stays open."""
    opened: list[int] = []
    try:
        opened.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(number))
    except OSError:
        return False
    finally:
        for each in opened:
            os.close(each)
    return True


def _restore_environment() -> None:
    """Unset the locale that Python sets for itself and its children where none is set."""
    with contextlib.suppress(OSError):
        with open("/proc/self/environ", "rb") as file:
            began_with = file.read().split(b"\0")
        if not any(one.startswith(b"LC_CTYPE=") for one in began_with):
            os.environ.pop("LC_CTYPE", None)


def _with_shell(command: Sequence[str]) -> Sequence[str]:
    """Return a command with the shell before it if it is a script without a ``#!`` line.

    The system does not run such a script; shells, ``env`` and ``nohup`` do.
    """
    program = None if sys.platform == "win32" else shutil.which(command[0])
    if program is None:
        return command
    try:
        with open(program, "rb") as file:
            text = file.read(128).partition(b"\n")[0].decode("utf-8", "surrogateescape")
    except (OSError, ValueError):
        return command
    if text.startswith("#!") or "\0" in text or encodable(text) != text:
        return command
    return ["/bin/sh", program, *command[1:]]


def _has_terminal() -> bool:
    """Tell whether this process is in the foreground of a terminal and has its input and output."""
    return sys.platform != "win32" and os.isatty(0) and os.isatty(1) and in_foreground()


def in_foreground() -> bool:
    """Tell whether this process is in the foreground of the terminal that is its input.

    A background process is stopped as soon as it touches the terminal.
    """
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


# Without a terminal for both input and output, the command stays in our session and reads our input


@dataclass
class _Channel:
    """A pipe or an output-only terminal between the command and one of our streams."""

    read: int
    write: int
    target: int


def _run_with_pipes(
    command: Sequence[str],
    channels: dict[int, _Channel],
    tail: Tail,
    started: Callable[[], None],
) -> tuple[int, str]:
    """Return the command's code, and why some of its output was lost."""
    outputs: dict[int, int | None] = {1: None, 2: None}
    for number, channel in channels.items():
        outputs[number] = channel.write
    passed_on = _PassedOn()
    with contextlib.ExitStack() as stack:
        # Handle signals before the command starts: one that comes at once is meant for the command.
        woken = stack.enter_context(signals_passed_on(passed_on.send, keyboard=_keyboard_is_ours))
        stack.enter_context(stopped_together(passed_on.send))
        # What the wait needs is had before the command starts, and its failure is no one's.
        waiting, ended = map(stack.enter_context, socket.socketpair())
        try:
            # The command inherits all other open files, as a shell's `<(…)` needs.
            process = stack.enter_context(
                subprocess.Popen(
                    command,
                    stdout=outputs[1],
                    stderr=outputs[2],
                    close_fds=sys.platform == "win32",
                )
            )
        except BaseException:
            for channel in _distinct(channels):
                os.close(channel.read)
            raise
        finally:
            for channel in _distinct(channels):
                os.close(channel.write)
        passed_on.to(process.pid)
        copiers = [Copier(each.read, each.target, tail) for each in _distinct(channels)]
        for copier in copiers:
            copier.start()
        started()
        code = _wait(process, woken, waiting, ended)
        for copier in copiers:
            copier.finish()
    for copier in copiers:
        hand_over(copier)
    return code, next((copier.lost for copier in copiers if copier.lost), "")


class _PassedOn:
    """Sends signals to a process, once its id is known."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._waiting: list[int] = []

    def send(self, number: int) -> None:
        if self._pid is None:
            self._waiting.append(number)
        else:
            os.kill(self._pid, number)

    def to(self, pid: int) -> None:
        self._pid = pid
        for number in self._waiting:
            with contextlib.suppress(OSError):
                os.kill(pid, number)


def _keyboard_is_ours() -> bool:
    """Tell whether a terminal's keyboard sends signals to this process and to the command alike."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _wait(
    process: subprocess.Popen[bytes],
    woken: socket.socket,
    waiting: socket.socket,
    ended: socket.socket,
) -> int:
    """Wait for a command, and handle every signal in the meantime.

    Python would handle a signal that arrives just before a blocking wait only after the wait, and
    so after the command. A thread waits, and closes one end of a pair of sockets.
    """

    def wait() -> None:
        process.wait()
        ended.close()

    try:
        threading.Thread(target=wait, daemon=True).start()
    except RuntimeError:
        # The system allows no more threads.
        while process.poll() is None:
            if select.select([woken], [], [], 0.1)[0]:
                woken.recv(4096)
        ended.close()
    ready: list[socket.socket] = []
    while waiting not in ready:
        ready, _, _ = select.select([waiting, woken], [], [])
        if woken in ready:
            woken.recv(4096)
    return process.wait()


def _distinct(channels: dict[int, _Channel]) -> list[_Channel]:
    """Return each channel once, even if two streams share it."""
    return list({id(one): one for one in channels.values()}.values())


def _open_channels() -> dict[int, _Channel]:
    """Return a channel for each open stream; two streams with one destination share a channel."""
    numbers = [number for number in (1, 2) if not _is_placeholder(number)]
    channels = {number: _open_channel(number) for number in numbers[:1]}
    if len(numbers) == 2:
        same = os.path.sameopenfile(1, 2)
        channels[2] = channels[1] if same else _open_channel(2)
    return channels


def _is_placeholder(number: int) -> bool:
    """Tell whether ``guard_closed_streams`` has opened a placeholder for a closed stream."""
    return not os.get_inheritable(number)


def _open_channel(target: int) -> _Channel:
    if sys.platform != "win32" and os.isatty(target):
        from .terminal import open_screen

        return _Channel(*open_screen(target), target)
    read, write = os.pipe()
    return _Channel(read, write, target)


@contextlib.contextmanager
def signals_passed_on(
    pass_on: Callable[[int], Any], keyboard: Callable[[], bool] = lambda: False
) -> Iterator[socket.socket]:
    """Pass signals on to the command instead of dying by them, so that we can report its end.

    Parameters
    ----------
    pass_on
        Sends a signal to the command.
    keyboard
        Whether the terminal sends its keyboard's signals to the command itself, so that they must
        not be passed on.

    Yields
    ------
    socket.socket
        Becomes readable when a signal arrives. Include it in every wait: Python runs a signal's
        handler only between two of its own instructions.
    """

    def forward(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            pass_on(number)

    def forward_unless_typed(number: int, frame: FrameType | None) -> None:
        if not keyboard():
            forward(number, frame)

    handlers = {
        **dict.fromkeys(SENT, forward),
        **dict.fromkeys(TYPED, forward_unless_typed),
    }
    # A signal that is ignored here (nohup) is ignored by the command as well.
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


@contextlib.contextmanager
def stopped_together(pass_on: Callable[[int], Any]) -> Iterator[None]:
    """Stop the command when SIGTSTP stops us, and continue the command with us.

    Parameters
    ----------
    pass_on
        Sends a signal to the command.
    """
    if sys.platform == "win32" or signal.getsignal(signal.SIGTSTP) == signal.SIG_IGN:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            pass_on(number)
        # Use the default action, which does not stop a process that no shell could continue.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, stop)
        with contextlib.suppress(OSError):
            pass_on(signal.SIGCONT)

    before = signal.signal(signal.SIGTSTP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)


def describe_failure(code: int) -> str:
    """Return in words how a command failed."""
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(code - 128).name}"
    return f"failed with exit code {code}"
