"""How far this server's clock is from the central service's, whose times count.

By a clock that is ahead, a message that is to be shown for some minutes would be over before it
came.
"""

from __future__ import annotations

import time
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TypeVar

from ...storage.remote import RemoteOptions

__all__ = ["ServiceClock"]

#: Less is not told from the time that an answer takes, and from the header's whole seconds. A
#: difference that changed with each answer would change what is stored.
LEAST_MS = 10_000

T = TypeVar("T", bound=RemoteOptions)


class ServiceClock:
    """Knows the service's time from the ``Date`` of its answers."""

    def __init__(self) -> None:
        #: By how much this server's clock is ahead, in ms.
        self.ahead_ms = 0

    def note(self, date: str | None) -> None:
        """Compare an answer's ``Date`` with this server's clock.

        Parameters
        ----------
        date
            The header as it came; what is no date is ignored.
        """
        try:
            then = parsedate_to_datetime(date or "")
        except (TypeError, ValueError, IndexError):
            return
        if then.tzinfo is None:
            then = then.replace(tzinfo=timezone.utc)
        ahead_ms = int((time.time() - then.timestamp()) * 1000)
        if abs(ahead_ms) <= LEAST_MS:
            self.ahead_ms = 0
        elif abs(ahead_ms - self.ahead_ms) > LEAST_MS:
            self.ahead_ms = ahead_ms

    def here(self, item: T) -> T:
        """Return a message with its end, and what it counts down to, by this server's clock."""
        for name in ("expires_ms", "countdown_ms"):
            at = item[name]
            if at is not None and self.ahead_ms:
                item[name] = at + self.ahead_ms
        return item
