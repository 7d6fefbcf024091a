"""The difference between this server's clock and the central service's, whose times count.

If this server's clock were ahead, a message for the next few minutes would expire before it came.
"""

from __future__ import annotations

import time
from typing import TypeVar

from ...storage.remote import RemoteOptions, RemoteState
from ...storage.transaction import MAX_TIME_MS
from .failure import parse_date

__all__ = ["ServiceClock", "moved"]

#: A smaller difference may come from an answer's delay, or from the header's whole seconds. Such a
#: difference changes with each answer, and would change the stored messages each time.
LEAST_MS = 10_000

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
            The header as it came; an invalid date is ignored.
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
        """Convert a message's future times to this server's clock, and return the message."""
        for name in ("expires_ms", "countdown_ms", "snoozed_until_ms"):
            item[name] = self._local(item[name])
        return item

    def state_to_local(self, state: RemoteState) -> RemoteState:
        """Return a state with the snooze's end converted to this server's clock."""
        return state._replace(snoozed_until_ms=self._local(state.snoozed_until_ms))

    def to_service(self, at: int) -> int:
        """Convert a time of this server's clock to the service's clock."""
        return moved(at, -self.ahead_ms)

    def _local(self, at: int | None) -> int | None:
        # 0 is kept: it is no moment of 1970, but means that a snooze is over.
        return at and moved(at, self.ahead_ms)


def moved(at: int, by_ms: int) -> int:
    """Return a time that is later by some ms, as far as a datetime can hold it."""
    return min(max(at + by_ms, 0), MAX_TIME_MS)
