"""How much each caller may send: so many messages a second, over ten seconds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from .exceptions import TooMany

#: Over how many seconds a caller's messages are counted.
WINDOW_S = 10.0
#: How many callers are remembered at most.
MAX_CALLERS = 1000
#: The soonest that a caller is told to come back: by then a part of its window is free again.
LEAST_WAIT_S = 1.0


class RateLimit:
    """Counts what each caller sends.

    Parameters
    ----------
    rate
        How many messages a second; 0: any number.
    clock
        Seconds that only go forward.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        #: Of each caller: until when what it sent counts. What is full of time is over the limit.
        self._until: dict[bytes, float] = {}

    def count(self, caller: str) -> None:
        """Count a message of a caller, which its token names.

        Raises
        ------
        TooMany
            If it has sent as much as it may.
        """
        if not self.rate:
            return
        # Not the token itself: it lives no longer than its request.
        key = hashlib.sha256(caller.encode("utf-8", "replace")).digest()
        now, cost = self._clock(), 1 / self.rate
        until = max(self._until.get(key, now), now) + cost
        # A rate below one in ten seconds still lets one through.
        if (over := until - now - max(WINDOW_S, cost)) > 1e-9:
            raise TooMany(max(over, LEAST_WAIT_S))
        if len(self._until) >= MAX_CALLERS:
            self._until = {key: end for key, end in self._until.items() if end > now}
        if len(self._until) < MAX_CALLERS or key in self._until:
            self._until[key] = until
