"""What is typed in a terminal reaches the command, or becomes a body, up to its one end."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from collections.abc import Sequence

import pytest

from ..support.sending import find, outside, wait_for_message
from ..support.servers import Server
from .test_cli import NOTIFY


class Terminal:
    """A program in a terminal of its own, which waits to be let go."""

    def __init__(self, command: Sequence[str], env: dict[str, str]) -> None:
        waits, self._go = os.pipe()
        self.pid, self.keyboard = pty.fork()
        if self.pid == 0:
            os.close(self._go)
            os.read(waits, 1)
            os.execve(command[0], list(command), env)
        os.close(waits)
        self.shown = b""

    def type(self, text: bytes) -> None:
        os.write(self.keyboard, text)

    def go(self) -> None:
        os.close(self._go)

    def read_until(self, text: bytes, timeout_s: float = 20) -> None:
        """Read what it shows up to some text; to its end if there is none."""
        end = time.monotonic() + timeout_s
        while not text or text not in self.shown:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.keyboard], [], [], left)[0], self.shown
            try:
                data = os.read(self.keyboard, 4096)
            except OSError:
                # Linux raises an error once nobody has the terminal open any more.
                data = b""
            self.shown += data
            if not data:
                assert not text, self.shown
                return

    def code(self) -> int:
        """Return its exit code once it has ended."""
        try:
            self.read_until(b"")
        finally:
            os.close(self.keyboard)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.mark.parametrize("ahead", [True, False])
def test_the_end_of_what_is_typed_reaches_a_command(server: Server, ahead: bool) -> None:
    title = f"Typed {ahead}"
    command = [NOTIFY, "run", "--title", title, "--", "sh", "-c", "echo begun; cat; echo ended"]
    terminal = Terminal(command, outside(server))
    if ahead:
        # Before anything of ours runs, while the terminal is as a shell has left it.
        terminal.type(b"a line\n\x04")
    terminal.go()
    if not ahead:
        terminal.read_until(b"begun")
        terminal.type(b"a line\n\x04")
    assert terminal.code() == 0
    assert terminal.shown.endswith(b"a line\r\nended\r\n")
    assert find(server, f"{title}: done in ")


def scripted(server: Server, script: str) -> Terminal:
    """Return a script of a shell in a terminal, in which ``$RUN`` is our command."""
    terminal = Terminal(["/bin/bash", "-c", script], outside(server, RUN=f"{NOTIFY} run --"))
    terminal.go()
    return terminal


def interrupt_begun(terminal: Terminal, key: bytes = b"\x03") -> None:
    terminal.read_until(b"begun")
    terminal.type(key)


@pytest.mark.parametrize("piped", ["", " | cat"])
def test_ctrl_c_ends_the_script_around_a_command(server: Server, piped: str) -> None:
    script = f"for n in 1 2; do $RUN sh -c 'echo begun $0; exec sleep 60' $n{piped}; done; echo on"
    terminal = scripted(server, script)
    interrupt_begun(terminal)
    # Under a shell, a program that handles Ctrl-C and ends in another way lets a script go on.
    assert terminal.code() == -signal.SIGINT
    assert b"begun 2" not in terminal.shown and b"on" not in terminal.shown.split()


def test_ctrl_c_that_a_command_handles_lets_the_script_go_on(server: Server) -> None:
    loop = "for n in {1..400}; do sleep .05; done"
    script = f"$RUN bash -c 'trap \"echo handled; exit 9\" INT; echo begun; {loop}'; echo on $?"
    terminal = scripted(server, script)
    interrupt_begun(terminal)
    assert terminal.code() == 0
    assert terminal.shown.endswith(b"handled\r\non 9\r\n")


def test_a_command_that_is_to_be_stopped_where_nothing_could_continue_it_goes_on(
    server: Server,
) -> None:
    terminal = scripted(server, "$RUN sh -c 'kill -STOP $$; echo begun; exit 4'; echo on $?")
    assert terminal.code() == 0
    assert terminal.shown == b"begun\r\non 4\r\n"


def test_the_terminal_of_a_command_is_set_as_the_real_one(server: Server) -> None:
    sleep = "sh -c 'echo begun; exec sleep 60'"
    script = f"stty intr ^X erase ^H -ixon; stty -g; $RUN stty -g; $RUN {sleep}; echo on"
    terminal = scripted(server, script)
    interrupt_begun(terminal, b"\x18")
    assert terminal.code() == -signal.SIGINT
    real, own = terminal.shown.split()[:2]
    assert own == real


def test_a_body_that_is_typed_ends_where_the_user_says_so(server: Server) -> None:
    terminal = Terminal([NOTIFY, "send", "Typed body", "--body-file", "-"], outside(server))
    terminal.type(b"one line\n\x04")
    terminal.go()
    assert terminal.code() == 0
    assert server.detail(wait_for_message(server, "Typed body")["id"])["body"] == "one line\n"
