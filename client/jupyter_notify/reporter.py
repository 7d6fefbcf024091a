"""What ``jupyter notify run`` tells of a command: that it runs, and how it ended."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from .connection import ReconnectingClient, ingest_path
from .errors import SendError, Unreachable
from .message import Message, compose
from .send_queue import HEARTBEAT_S, RENEWAL_S, new_key
from .target import Target

#: A command that ends sooner is not shown as being in progress.
PATIENCE_S = 1.0
#: How long the end of a command waits for a server that does not answer. A busy machine's server
#: takes two seconds for its first notification.
END_TIMEOUT_S = 4.0


class CommandReporter:
    """Tells of one command, in a thread of its own: the command waits for no server.

    Parameters
    ----------
    find
        Returns the server.
    title
        What the command is called.
    key
        The same key again replaces the notification; by default it has one of its own.
    warn
        Called with one sentence if it cannot be told.
    """

    def __init__(
        self,
        find: Callable[[], Target],
        title: str,
        key: str | None,
        warn: Callable[[SendError, str], None],
    ) -> None:
        self._key = key or new_key()
        self._running = compose(f"{title}: running", type="in-progress", key=self._key)
        self._running["heartbeat"] = HEARTBEAT_S
        self._client = ReconnectingClient(find, END_TIMEOUT_S)
        self._warn = warn
        try:
            self._client.connect()
        except SendError as error:
            warn(error, "The command runs all the same.")
        self._ended = threading.Event()
        self._last: Message | None = None
        self._receipt: Message | None = None
        self._error: SendError | None = None
        self._thread = threading.Thread(target=self._report, daemon=True)

    def start(self) -> None:
        """Begin: the command runs."""
        self._thread.start()

    def end(self, message: Message | None) -> Message | None:
        """Tell how it ended, or take back that it runs; return the server's receipt.

        Parameters
        ----------
        message
            What to tell; None if nothing is to be told.
        """
        self._last = None if message is None else {**message, "key": self._key}
        self._ended.set()
        if self._thread.ident is None:
            # It could not be run.
            self._thread.start()
        self._thread.join(END_TIMEOUT_S + 0.5)
        if self._thread.is_alive():
            self._error = Unreachable("The Jupyter server does not answer: it took too long.")
        if self._error is not None:
            self._warn(self._error, "")
        return self._receipt

    def _report(self) -> None:
        shown = self._keep_reporting()
        try:
            if self._last is not None:
                self._receipt = self._client.request("POST", "/ingest", self._last)
            elif shown:
                self._client.request("DELETE", ingest_path(self._key))
        except SendError as error:
            self._error = error
        finally:
            self._client.close()

    def _keep_reporting(self) -> bool:
        shown = False
        due = time.monotonic() + PATIENCE_S
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due = time.monotonic() + RENEWAL_S
            # It is told at the end whether the server takes anything.
            with contextlib.suppress(SendError):
                self._client.request("POST", "/ingest", self._running)
                shown = True
        return shown
