"""When the central service is asked: the interval, and the back-off after failures."""

from __future__ import annotations

import random
import time

from .failure import Failure

#: The longest back-off, in seconds.
MAX_BACKOFF_S = 600.0
#: How often everything is compared while events tell what changes, in seconds.
RELAXED_S = 1800.0
#: How much an interval may differ, so that the labs of a hub do not ask all at once.
JITTER = 0.2


class Backoff:
    """Waits longer after each failure.

    Parameters
    ----------
    interval_s
        How often the service is asked while nothing fails.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._until = float("-inf")
        self.failures = 0
        #: What failed last; None: nothing, since the last success.
        self.failure: Failure | None = None

    @property
    def longest_s(self) -> float:
        """How long it waits at most."""
        return max(min(MAX_BACKOFF_S, 10 * self._interval_s), self._interval_s)

    @property
    def is_active(self) -> bool:
        """Whether it waits now."""
        return time.monotonic() < self._until

    def delay_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row."""
        wait_s = self._interval_s * 2.0 ** min(failures - 1, 20)
        return min(wait_s * jitter(), self.longest_s)

    def fail(self, failure: Failure) -> float:
        """Count a failure; return how long to wait."""
        self.failures += 1
        self.failure = failure
        wait_s = self.longest_s if failure.unauthorized else self.delay_s(self.failures)
        wait_s = max(wait_s, failure.retry_after_s or 0.0)
        self._until = time.monotonic() + wait_s
        return wait_s

    def succeed(self) -> None:
        """Forget the failures."""
        self.failures, self.failure = 0, None
        self._until = float("-inf")


class Schedule:
    """When the next pass over everything is due, and until when nothing is asked.

    Parameters
    ----------
    interval_s
        How often the service is asked.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        #: For what fails as a whole.
        self.backoff = Backoff(interval_s)
        # By the monotonic clock.
        self._next_at = 0.0
        self._begun_at = float("-inf")
        self._quiet_until = 0.0
        self._paused_until = 0.0

    @property
    def spacing_s(self) -> float:
        """How long after one pass the next may come at the soonest."""
        return self._interval_s / 6

    @property
    def wait_s(self) -> float:
        """How long until the next pass is due."""
        return max(self._next_at, self._quiet_until, self._paused_until) - time.monotonic()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing may be asked now."""
        return time.monotonic() < max(self._quiet_until, self._paused_until)

    @property
    def paused_s(self) -> float:
        """How long the service still asks to be left alone."""
        return self._paused_until - time.monotonic()

    def wake(self) -> None:
        """Ask at once, but not again and again while somebody reloads a page."""
        self._next_at = min(self._next_at, self._begun_at + self.spacing_s)

    def begin(self) -> None:
        """Note that a pass begins."""
        self._begun_at = time.monotonic()

    def plan(self, *, relaxed: bool = False) -> None:
        """Plan the next pass after a whole one; much later, where changes are told by events."""
        interval_s = max(self._interval_s, RELAXED_S) if relaxed else self._interval_s
        self._next_at = time.monotonic() + interval_s * jitter()

    def plan_within(self, seconds: float) -> None:
        """Plan the next pass at some moment within a time, unless it is due sooner.

        A service that asks for one again and again gets no more of them than a user who reloads.
        """
        at = time.monotonic() + random.uniform(0, seconds)
        self._next_at = min(self._next_at, max(at, self._begun_at + self.spacing_s))

    def restart(self) -> None:
        """Note that a pass was broken off, which is as good as none."""
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
        """Ask again now: something was answered during the back-off."""
        self._next_at = self._quiet_until = 0.0

    def pause(self, seconds: float) -> None:
        """Ask nothing for a while, whatever else is answered: more may be under way."""
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)


def jitter() -> float:
    """Return a factor near 1."""
    return random.uniform(1 - JITTER, 1 + JITTER)
