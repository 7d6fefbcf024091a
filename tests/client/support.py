"""A sender that a test directs, and the fixtures for it; the client's tests share them."""

from __future__ import annotations

from typing import Any

from jupyter_notify.api import Notify
from jupyter_notify.discovery import Target

from ..support.sending import wait_for_message
from ..support.servers import Server, wait_for

#: The first line of a program that a test runs.
PRELUDE = "from jupyter_notify import notify\n"


class Directed(Notify):
    """A ``Notify`` that sends to a server that a test names."""

    def __init__(self, url: str, token: str = "t") -> None:
        super().__init__()
        self.target = Target(url, token, local=True)

    def _find(self) -> Target:
        return self.target


def final(server: Server, text: str) -> dict[str, Any]:
    """Return a notification once it is no longer in progress."""
    row = wait_for(
        lambda: (row := wait_for_message(server, text))["type"] != "in-progress" and row,
        f"the end of {text!r}",
    )
    assert row and row["progress"] is None
    return row
