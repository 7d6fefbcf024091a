"""The rate at which each publisher may send: a token bucket."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from ..errors import TooMany
from ..metrics import REFUSED

__all__ = ["RateLimit"]

MOST_PUBLISHERS = 10_000


class RateLimit:
    """Counts what each publisher sends, in this process.

    Parameters
    ----------
    per_minute
        Notifications in a minute; as many may come at once. 0 for no limit.
    clock
        Returns seconds of a monotonic clock.
    """

    def __init__(self, *, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._rate = per_minute / 60
        self._most = float(per_minute)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, publisher: str, count: int = 1) -> None:
        """Take a number of notifications from a publisher's bucket.

        Raises
        ------
        TooMany
            If the bucket does not hold so many; then nothing is taken.
        """
        if not self._rate:
            return
        now = self._clock()
        left, since = self._buckets.pop(publisher, (self._most, now))
        left = min(self._most, left + (now - since) * self._rate)
        # A single request for more than a bucket holds is accepted if the bucket is full. It
        # leaves a debt, which takes long to fill up.
        enough = left >= count or left >= self._most
        self._buckets[publisher] = (left - count if enough else left, now)
        if len(self._buckets) > MOST_PUBLISHERS:
            self._buckets.popitem(last=False)
        if not enough:
            REFUSED.labels("rate").inc()
            wait = math.ceil((min(count, self._most) - left) / self._rate)
            raise TooMany(
                f"More than {self._most:.0f} notifications a minute", retry_after_s=max(1, wait)
            )
