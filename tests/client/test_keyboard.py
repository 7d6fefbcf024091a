"""What is typed in a terminal reaches the command, or becomes a body, up to its one end."""

from __future__ import annotations

import os
import pty
import select
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


def test_a_body_that_is_typed_ends_where_the_user_says_so(server: Server) -> None:
    terminal = Terminal([NOTIFY, "send", "Typed body", "--body-file", "-"], outside(server))
    terminal.type(b"one line\n\x04")
    terminal.go()
    assert terminal.code() == 0
    assert server.detail(wait_for_message(server, "Typed body")["id"])["body"] == "one line\n"
