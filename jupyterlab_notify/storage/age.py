"""The time against which the age of notifications counts, although the clock may be wrong."""

from __future__ import annotations

from collections.abc import Callable

#: Time in ms by which the clock may stray from the monotonic time.
TOLERANCE_MS = 300_000
#: Time in ms for which the clock must be consistent before it is trusted.
BELIEVED_AFTER_MS = 86_400_000


class AgeReference:
    """The time against which age counts.

    A clock may be a hundred days ahead when a machine starts. So age counts against the newest
    time that was stored before, and what has passed since, until the clock has been consistent
    for a day.

    Parameters
    ----------
    monotonic
        Returns monotonic seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._begun_ms: int | None = None
        self._begun_s = 0.0
        self._newest_ms: int | None = None

    def begin(self, newest_ms: int | None, now_ms: int) -> None:
        """Note the newest stored time when a file is opened; only the first call counts."""
        if self._begun_ms is None:
            self._restart(newest_ms, now_ms)

    def at(self, now_ms: int) -> int:
        """Return the time against which age counts, in milliseconds since 1970."""
        if self._begun_ms is None:
            return now_ms
        passed_ms = int((self._monotonic() - self._begun_s) * 1000)
        if abs(now_ms - self._begun_ms - passed_ms) > TOLERANCE_MS:
            # Somebody has set the clock. Go on from the time before that, plus what has passed.
            before_ms = self._begun_ms if self._newest_ms is None else self._newest_ms
            self._restart(before_ms + passed_ms, now_ms)
            passed_ms = 0
        elif passed_ms >= BELIEVED_AFTER_MS:
            return now_ms
        return now_ms if self._newest_ms is None else min(now_ms, self._newest_ms + passed_ms)

    def _restart(self, newest_ms: int | None, now_ms: int) -> None:
        self._newest_ms, self._begun_ms, self._begun_s = newest_ms, now_ms, self._monotonic()
