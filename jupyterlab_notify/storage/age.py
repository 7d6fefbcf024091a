"""By which time notifications grow old, although the machine's clock may be wrong."""

from __future__ import annotations

from collections.abc import Callable

#: How far the clock may stray from the time that passes, in milliseconds.
TOLERANCE_MS = 300_000
#: How long it must not, before it is believed.
BELIEVED_AFTER_MS = 86_400_000


class AgeReference:
    """The time against which age counts.

    A clock may be a hundred days ahead when a machine starts. So age counts against the newest
    time that was stored before, and what has passed since, until the clock has been consistent
    for a day.

    Parameters
    ----------
    monotonic
        Seconds that only go forward.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._begun_ms: int | None = None
        self._begun_s = 0.0
        self._newest_ms: int | None = None

    def begin(self, newest_ms: int | None, now_ms: int) -> None:
        """Note the newest time that is stored, as a file is opened; only the first one counts."""
        if self._begun_ms is None:
            self._restart(newest_ms, now_ms)

    def at(self, now_ms: int) -> int:
        """Return the time against which age counts, in milliseconds since 1970."""
        if self._begun_ms is None:
            return now_ms
        passed_ms = int((self._monotonic() - self._begun_s) * 1000)
        if abs(now_ms - self._begun_ms - passed_ms) > TOLERANCE_MS:
            # It was set. What is known is the time before that, and what has passed.
            before_ms = self._begun_ms if self._newest_ms is None else self._newest_ms
            self._restart(before_ms + passed_ms, now_ms)
            passed_ms = 0
        elif passed_ms >= BELIEVED_AFTER_MS:
            return now_ms
        return now_ms if self._newest_ms is None else min(now_ms, self._newest_ms + passed_ms)

    def _restart(self, newest_ms: int | None, now_ms: int) -> None:
        self._newest_ms, self._begun_ms, self._begun_s = newest_ms, now_ms, self._monotonic()
