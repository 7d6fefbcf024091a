"""Why nothing was sent: each error is one sentence that says what to do, and an exit code."""

from __future__ import annotations


class SendError(Exception):
    """Nothing was sent, or the server did not take it."""

    #: What `jupyter notify` ends with.
    exit_code = 1


class BadUsage(SendError, ValueError):
    """The caller asked for something that cannot be; asking again does not help."""

    exit_code = 2


class NoServer(SendError):
    """There is no Jupyter server to send to."""


class SeveralServers(BadUsage):
    """Several servers run, and it is not ours to guess which one is meant."""


class Unreachable(SendError):
    """The server does not answer; it may later."""


class MalformedAnswer(SendError):
    """The server answered something that is no answer of ours."""


class Refused(SendError):
    """The server answered that it will not.

    Parameters
    ----------
    message
        What it said.
    status
        Its HTTP status.
    retry_after_s
        In how many seconds it asks to be asked again.
    """

    def __init__(self, message: str, status: int, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        if status in (400, 413):
            self.exit_code = 2

    @property
    def temporary(self) -> bool:
        """Whether the same may be taken a little later."""
        return self.status in (429, 502, 503, 504)
