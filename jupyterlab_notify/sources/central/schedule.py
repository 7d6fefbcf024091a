"""The times of polling the central service: the interval, and the back-off after failures."""

from __future__ import annotations

import random
import time

from .failure import Failure

#: The longest back-off, in seconds.
MAX_BACKOFF_S = 600.0
#: The polling interval while the event stream is open, in seconds.
RELAXED_S = 1800.0
#: The random variation of an interval, so that the labs of a hub do not poll all at once.
JITTER = 0.2


class Backoff:
    """Waits longer after each failure.

    Parameters
    ----------
    interval_s
        The polling interval while nothing fails.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._until = self._asked_until = float("-inf")
        self.failures = 0
        #: The last failure; None after a success.
        self.failure: Failure | None = None

    @property
    def longest_s(self) -> float:
        """The longest wait."""
        return max(min(MAX_BACKOFF_S, 10 * self._interval_s), self._interval_s)

    @property
    def is_active(self) -> bool:
        """Return whether the back-off is waiting now."""
        return time.monotonic() < self._until

    def delay_s(self, failures: int) -> float:
        """Return how long to wait after a number of failures in a row."""
        wait_s = self._interval_s * 2.0 ** min(failures - 1, 20)
        return min(wait_s * jitter(), self.longest_s)

    def fail(self, failure: Failure) -> float:
        """Count a failure; return how long to wait."""
        self.failures += 1
        self.failure = failure
        wait_s = self.longest_s if failure.unauthorized else self.delay_s(self.failures)
        asked_s = failure.retry_after_s or 0.0
        wait_s = max(wait_s, asked_s)
        now = time.monotonic()
        self._until, self._asked_until = now + wait_s, now + asked_s
        return wait_s

    def resume(self) -> None:
        """Forget the failures, but wait as long as the service has asked for."""
        self.failures, self.failure = 0, None
        self._until = self._asked_until

    def succeed(self) -> None:
        """Forget the failures."""
        self._asked_until = float("-inf")
        self.resume()


class Schedule:
    """The time of the next pass, and the time before which no request may be made.

    Parameters
    ----------
    interval_s
        The polling interval.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        #: The back-off of the whole service.
        self.backoff = Backoff(interval_s)
        # All in monotonic time.
        self._next_at = 0.0
        self._begun_at = float("-inf")
        self._quiet_until = 0.0
        self._paused_until = 0.0

    @property
    def spacing_s(self) -> float:
        """The minimum time between the starts of two passes."""
        return self._interval_s / 6

    @property
    def wait_s(self) -> float:
        """The time until the next pass is due."""
        return max(self._next_at, self._quiet_until, self._paused_until) - time.monotonic()

    @property
    def is_quiet(self) -> bool:
        """Return whether no request may be made now."""
        return time.monotonic() < max(self._quiet_until, self._paused_until)

    @property
    def paused_s(self) -> float:
        """The rest of the pause that the service has asked for."""
        return self._paused_until - time.monotonic()

    def wake(self) -> None:
        """Plan a pass now, but not too soon after the last one: the user may be reloading pages."""
        self._next_at = min(self._next_at, self._begun_at + self.spacing_s)

    def begin(self) -> None:
        """Record the start of a pass."""
        self._begun_at = time.monotonic()

    def plan(self, *, relaxed: bool = False, lost_s: float = 0.0) -> None:
        """Plan the next pass after a complete one; much later if events report changes.

        Parameters
        ----------
        relaxed
            Whether events report changes.
        lost_s
            The time in which lists of this pass have failed. It must not delay the others.
        """
        interval_s = max(self._interval_s, RELAXED_S) if relaxed else self._interval_s
        wait_s = max(interval_s * jitter() - lost_s, self.spacing_s)
        self._next_at = time.monotonic() + wait_s

    def plan_within(self, seconds: float) -> None:
        """Plan the next pass at a random time within ``seconds``, unless it is due sooner.

        A service that keeps asking for passes gets no more of them than a user who reloads pages.
        """
        at = time.monotonic() + random.uniform(0, seconds)
        self._next_at = min(self._next_at, max(at, self._begun_at + self.spacing_s))

    def restart(self) -> None:
        """Treat an interrupted pass as if it had not happened."""
        self._next_at, self._begun_at = 0.0, float("-inf")

    def fail(self, failure: Failure) -> None:
        """Wait after a failure of the whole service."""
        wait_s = self.backoff.fail(failure)
        if failure.retry_after_s is not None:
            self.pause(failure.retry_after_s)
        self._next_at = self._quiet_until = time.monotonic() + wait_s

    def succeed(self) -> None:
        """End the back-off."""
        self.backoff.succeed()
        self._quiet_until = 0.0

    def resume(self) -> None:
        """Plan a pass now, because a request succeeded during the back-off."""
        self._next_at = self._quiet_until = 0.0

    def pause(self, seconds: float) -> None:
        """Make no request for a while, even if one that is under way succeeds."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)


def jitter() -> float:
    """Return a factor near 1."""
    return random.uniform(1 - JITTER, 1 + JITTER)
