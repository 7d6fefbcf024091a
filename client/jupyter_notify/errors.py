"""The errors of sending: each has a one-sentence message that says what to do, and an exit code."""

from __future__ import annotations

from .printing import printable


class SendError(Exception):
    """Nothing was sent, or the server did not accept it."""

    #: The exit code of `jupyter notify`.
    exit_code = 1

    def __str__(self) -> str:
        # It may name a file of another user's, or repeat what a server has answered, and a log
        # leads to a terminal.
        return printable(super().__str__())


class BadUsage(SendError, ValueError):
    """The request was wrong; trying again does not help."""

    exit_code = 2


class NoServer(SendError):
    """Raised when there is no Jupyter server to send to."""


class SeveralServers(BadUsage):
    """Several servers run here; the caller must say which one is meant."""


class Unreachable(SendError):
    """The server does not answer at the moment."""


class MalformedAnswer(SendError):
    """The server's answer is not one that this extension gives."""


class Refused(SendError):
    """The server answered with an error.

    Parameters
    ----------
    message
        The server's message.
    status
        The HTTP status.
    retry_after_s
        How many seconds the server asks to wait before the next attempt.
    """

    def __init__(self, message: str, status: int, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        if status in (400, 413):
            self.exit_code = 2

    @property
    def temporary(self) -> bool:
        """Return whether the server may accept the same request a little later."""
        return self.status in (429, 502, 503, 504)
