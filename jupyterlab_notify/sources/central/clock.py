"""The distance of this server's clock from the central service's, whose times count.

By a clock that is ahead, a message that is to be shown for some minutes would be over before it
came.
"""

from __future__ import annotations

import time
from typing import TypeVar

from ...storage.remote import RemoteOptions
from .failure import parse_date

__all__ = ["ServiceClock"]

#: A smaller difference may be the time that an answer takes, or the header's whole seconds. It
#: would change with each answer, and the stored messages with it.
LEAST_MS = 10_000

#: The end of the year 9999, the last that a datetime can hold, in ms.
MAX_TIME_MS = 253_402_300_799_999

T = TypeVar("T", bound=RemoteOptions)


class ServiceClock:
    """Knows the service's time from the ``Date`` of its answers."""

    def __init__(self) -> None:
        #: Time in ms by which this server's clock is ahead.
        self.ahead_ms = 0

    def note(self, date: str | None, age: str | None = None) -> None:
        """Compare an answer's ``Date`` with this server's clock.

        Parameters
        ----------
        date
            The header as it came; what is no date is ignored.
        age
            The header ``Age``, with which a cache says that the answer is an earlier one.
        """
        then = parse_date(date or "") if age is None else None
        if then is None:
            return
        ahead_ms = int((time.time() - then) * 1000)
        if abs(ahead_ms) <= LEAST_MS:
            self.ahead_ms = 0
        elif abs(ahead_ms - self.ahead_ms) > LEAST_MS:
            self.ahead_ms = ahead_ms

    def to_local(self, item: T) -> T:
        """Return a message with its end, and what it counts down to, by this server's clock."""
        for name in ("expires_ms", "countdown_ms"):
            at = item[name]
            if at is not None and self.ahead_ms:
                item[name] = min(max(at + self.ahead_ms, 0), MAX_TIME_MS)
        return item
