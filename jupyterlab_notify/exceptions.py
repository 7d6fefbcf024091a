"""The errors that callers see, each with its HTTP status.

Storage, the manager and the handlers raise them. Their text is one sentence for the sender. A
request that fails with one of these errors has changed nothing.
"""

from __future__ import annotations

import math

from .limits import MAX_REQUEST_BYTES


class NotifyError(Exception):
    """A request that failed; its text is a sentence for the sender."""

    #: The HTTP status.
    status = 400
    #: Seconds after which it is worth trying again, where that is known.
    retry_after_s: float | None = None


class NotFound(NotifyError):
    """Raised when there is no such notification."""

    status = 404


class Conflict(NotifyError):
    """The notification exists, but its state does not allow this."""

    status = 409


class Unavailable(NotifyError):
    """A service that the request needs cannot be reached now."""

    status = 503

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooSoon(NotifyError):
    """The site does not allow this so often."""

    status = 429

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Busy(NotifyError):
    """Too many operations are waiting."""

    status = 503
    retry_after_s = 2.0


class NoThread(Busy):
    """The system lets no thread start for now."""

    def __init__(self) -> None:
        super().__init__("The system lets no thread start; try again in a few seconds.")


class NoFiles(Busy):
    """The server has as many files and connections open as it may have."""

    def __init__(self) -> None:
        super().__init__("This server has too many files open; try again in a few seconds.")


class TooMany(NotifyError):
    """The caller sends more than it may."""

    status = 429

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(
            f"This token sends too many messages; try again in {math.ceil(retry_after_s)} s."
        )
        self.retry_after_s = retry_after_s


class BadRequest(NotifyError):
    """The request is invalid; ``errors`` lists what is wrong with each field."""

    def __init__(self, message: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or []


class TooLarge(BadRequest):
    """The body is larger than ``MAX_REQUEST_BYTES``, or a picture than its own bounds."""

    status = 413

    def __init__(self, message: str | None = None) -> None:
        super().__init__(
            message or f"The request body is larger than {MAX_REQUEST_BYTES // 1024} KiB."
        )


class UnsupportedPicture(BadRequest):
    """The body is not a picture of a supported type."""

    status = 415

    def __init__(self) -> None:
        super().__init__("The request body is no PNG, JPEG, GIF or WebP.")


class Encoded(BadRequest):
    """The body is compressed, which no route accepts."""

    status = 415

    def __init__(self) -> None:
        super().__init__("The request body must be sent as it is, without a Content-Encoding.")
