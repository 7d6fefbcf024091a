"""Send notifications about a command for ``jupyter notify run``: that it runs, how it ended."""

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
SHOW_AFTER_S = 1.0
#: Time in seconds to wait, at the end of a command, for a server that does not answer. The server
#: of a busy machine takes two seconds for its first notification.
END_TIMEOUT_S = 4.0


class CommandReporter:
    """Reports on one command from a thread, so that the command never waits for the server.

    Parameters
    ----------
    find
        Returns the server.
    title
        The command's title.
    key
        The notification's key; by default a new one.
    warn
        Called with the error if nothing can be sent, and with a sentence on what happens next.
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
            warn(error, "The command runs anyway.")
        self._ended = threading.Event()
        self._last: Message | None = None
        self._receipt: Message | None = None
        self._error: SendError | None = None
        self._thread = threading.Thread(target=self._report, daemon=True)

    def start(self) -> None:
        """Start reporting, once the command runs."""
        self._thread.start()

    def end(self, message: Message | None) -> Message | None:
        """Send the final message, or revoke the notification; return the server's receipt.

        Parameters
        ----------
        message
            The final message; None if there is none to send.
        """
        self._last = None if message is None else {**message, "key": self._key}
        self._ended.set()
        try:
            if self._thread.ident is None:
                # The command could not be started, or no thread beside it.
                self._thread.start()
            self._thread.join(END_TIMEOUT_S + 0.5)
        except RuntimeError:
            # The system allows no more threads.
            self._report()
        if self._thread.is_alive():
            self._error = Unreachable("The Jupyter server does not answer: timed out.")
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
        due = time.monotonic() + SHOW_AFTER_S
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due = time.monotonic() + RENEWAL_S
            # A server that refuses is reported at the end.
            with contextlib.suppress(SendError):
                self._client.request("POST", "/ingest", self._running)
                shown = True
        return shown
