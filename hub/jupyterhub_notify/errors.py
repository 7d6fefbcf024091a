"""Every error that the API gives, in one table.

A service raises one of these; ``handlers/errors.py`` turns it into the answer. Each class has a
status and a code, and each instance a sentence that says what is wrong and where.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BadHeader",
    "Conflict",
    "Invalid",
    "NoHub",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "PublishingStopped",
    "ServiceError",
    "TooLarge",
    "TooMany",
    "Unavailable",
]


class ServiceError(Exception):
    """An error with a status, a code and a place.

    Parameters
    ----------
    message
        One sentence: what is wrong.
    loc
        The place, in the form of FastAPI's own errors: ``["body", "recipient"]``.
    retry_after_s
        For the header ``Retry-After``, in seconds.
    """

    status = 500
    code = "internal_error"

    def __init__(
        self, message: str, loc: list[str | int] | None = None, *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.loc = loc
        self.retry_after_s = retry_after_s

    def detail(self) -> dict[str, Any]:
        """Return the entry of the answer's ``detail`` list."""
        entry: dict[str, Any] = {"msg": str(self), "type": self.code}
        if self.loc is not None:
            entry["loc"] = self.loc
        return entry


class BadHeader(ServiceError):
    """A header that cannot be understood."""

    status = 400
    code = "invalid_header"


class NotAuthenticated(ServiceError):
    """The caller is unknown, and the route is for known callers."""

    status = 401
    code = "not_authenticated"


class NotAllowed(ServiceError):
    """The caller may not do this."""

    status = 403
    code = "permission_denied"


class NotFound(ServiceError):
    """There is no such notification, or the caller may not see it."""

    status = 404
    code = "notification_not_found"


class NoHub(ServiceError):
    """A question that only a hub could answer, asked of a service without one."""

    status = 404
    code = "no_hub"


class Conflict(ServiceError):
    """The request does not fit what is there, such as a reply to a message that asks for none."""

    status = 409
    code = "conflict"


class TooLarge(ServiceError):
    """A body over the limit."""

    status = 413
    code = "too_large"


class Invalid(ServiceError):
    """A body or parameter that is invalid in a way that the schema cannot express."""

    status = 422
    code = "invalid"


class TooMany(ServiceError):
    """More than this publisher may send in this time."""

    status = 429
    code = "rate_limited"


class PublishingStopped(ServiceError):
    """An administrator has stopped all publishing."""

    status = 503
    code = "publishing_stopped"


class Unavailable(ServiceError):
    """The database does not answer."""

    status = 503
    code = "unavailable"
