"""Failures of requests to the central service."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

from ...exceptions import NoThread
from ..threads import in_thread

T = TypeVar("T")

#: The longest ``Retry-After`` that is obeyed: the broadcast of an outage must not stay unknown for
#: a day. And the maximum length of an HTTP date, in characters.
MAX_RETRY_AFTER_S = 3600.0
MAX_DATE = 100

#: The statuses from 400 to 499 that may change with the next attempt; some come from a proxy.
TRANSIENT = (401, 403, 404, 405, 407, 408, 421, 425, 429)
#: The transient statuses that pass by themselves.
PASSING = (408, 421, 425, 429)


class Failure(Exception):
    """A request to the central service has failed.

    Parameters
    ----------
    message
        One sentence for ``status`` and the log.
    status
        The HTTP status of the answer; 0 if there is no valid answer.
    retry_after_s
        The seconds that the service asks to wait, if it does.
    """

    def __init__(
        self, message: str, *, status: int = 0, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def concerns_all(self) -> bool:
        """Return whether the service, or a proxy, rules out all other requests as well.

        A 429 without a pause may concern one list only, and so may a 401. A 503 may too, whatever
        pause it asks for: requests for the other lists show whether the whole service is down.
        """
        return self.status == 407 or (self.status == 429 and bool(self.retry_after_s))

    @property
    def unauthorized(self) -> bool:
        """Return whether the token was refused."""
        return self.status in (401, 403)

    @property
    def missing(self) -> bool:
        """Return whether the central service does not have what was requested."""
        return self.status in (404, 405, 501)

    @property
    def is_lasting(self) -> bool:
        """Return whether this lasts until somebody changes a setting, a token or the service."""
        return (400 <= self.status < 500 and self.status not in PASSING) or self.status == 501

    @property
    def permanent(self) -> bool:
        """Return whether the same request will always be refused."""
        return 400 <= self.status < 500 and self.status not in TRANSIENT


class NoToken(Failure):
    """Raised where there is no token, so that only broadcasts can be requested."""

    @property
    def concerns_all(self) -> bool:
        """Return True: all steps after the broadcasts need a token."""
        return True


@dataclass(frozen=True)
class Answer:
    """The service's answer: status, headers and content."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def failure_of(answer: Answer) -> Failure:
    """Return the failure for an answer's status."""
    status = answer.status
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        message = f"The proxy that the environment names refuses the request ({phrase})."
    elif status in (401, 403):
        message = f"The central service refuses the user's token ({phrase})."
    else:
        message = f"The central service answered {phrase}."
    retry_after_s = parse_retry_after(answer.headers.get("retry-after", ""))
    return Failure(message, status=status, retry_after_s=retry_after_s)


def malformed() -> Failure:
    """Return the failure for an answer that cannot be understood."""
    return Failure("The central service's answer cannot be understood.")


def parse_retry_after(text: str) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for."""
    if len(text) > MAX_DATE or not (text := text.strip()):
        return None
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        then = parse_date(text)
        if then is None:
            return None
        seconds = then - time.time()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def parse_date(text: str) -> float | None:
    """Return the time of an HTTP date, in seconds since 1970; None if the date is invalid."""
    if len(text) > MAX_DATE:
        return None
    try:
        then = parsedate_to_datetime(text)
        if then.tzinfo is None:
            then = then.replace(tzinfo=timezone.utc)
        return then.timestamp()
    # Python versions differ in which of these they raise.
    except (ValueError, TypeError, IndexError, ArithmeticError, OSError):
        return None


async def run_in_thread(call: Callable[[], T]) -> T:
    """Run a call that may block in a thread; raise ``Failure`` if no thread can start."""
    try:
        return await in_thread(call)
    except NoThread as error:
        raise Failure(str(error)) from None
