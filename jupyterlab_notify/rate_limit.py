"""The rate limit of each caller: a number of messages a second, averaged over ten seconds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from .exceptions import TooMany

#: The window over which a caller's messages are counted.
WINDOW_S = 10.0
#: Number of callers that are remembered. While so many send, all others count as one.
MAX_CALLERS = 1000
OTHERS = b""
#: The shortest ``Retry-After``; by then a part of the window is free again.
LEAST_WAIT_S = 1.0
#: The longest time between two messages, however low the rate is.
MAX_COST_S = 86_400.0


class RateLimit:
    """Counts the messages of each caller.

    Parameters
    ----------
    rate
        The number of messages a second; 0 for no limit.
    clock
        Returns monotonic seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        #: For each caller, the time until which its messages count. Each message adds its share of
        #: a second; a caller whose time lies more than a window ahead is over the limit.
        self._until: dict[bytes, float] = {}

    def count(self, caller: str) -> None:
        """Count a message of a caller, who is identified by the token.

        Raises
        ------
        TooMany
            If the caller is over the limit.
        """
        if not self.rate:
            return
        # A hash, so that the token itself is kept no longer than its request.
        key = hashlib.sha256(caller.encode("utf-8", "replace")).digest()
        # At most a day, since a rate close to zero would make the cost infinite.
        now, cost = self._clock(), min(1 / self.rate, MAX_COST_S)
        if key not in self._until and len(self._until) >= MAX_CALLERS:
            self._until = {key: end for key, end in self._until.items() if end > now}
            if len(self._until) >= MAX_CALLERS:
                key = OTHERS
        until = max(self._until.get(key, now), now) + cost
        # Even a rate below one message in ten seconds lets one through.
        if (over := until - now - max(WINDOW_S, cost)) > 1e-9:
            raise TooMany(max(over, LEAST_WAIT_S))
        self._until[key] = until
