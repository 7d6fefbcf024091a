"""The time against which age counts, although the clock may be wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .transaction import ClockRecord

#: Time in ms by which the clock may stray from the monotonic time.
TOLERANCE_MS = 300_000
#: Time in ms for which the clock must be consistent before it is trusted.
BELIEVED_AFTER_MS = 86_400_000
#: A server may be stopped for so long, in ms, and the clock still counts as the one of before.
STOPPED_MS = 7 * 86_400_000
#: A clock that shows an earlier time, in ms, is wrong: this software is younger.
EARLIEST_MS = 1_700_000_000_000


class ClockStep(NamedTuple):
    """A clock that was behind is set right while the server runs.

    Parameters
    ----------
    begun_ms
        What the clock showed when the server began.
    last_ms
        What it would show now, had nobody set it.
    by_ms
        How far it was set forward.
    """

    begun_ms: int
    last_ms: int
    by_ms: int


class AgeReference:
    """The time against which age counts.

    A clock may be a hundred days ahead when a machine starts, and again at the next start. So age
    counts against the time that was reached before, and what has passed since, until servers have
    run with a consistent clock for a day.

    Parameters
    ----------
    monotonic
        Returns monotonic seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._begun_ms: int | None = None
        self._begun_s = 0.0
        self._reached_ms: int | None = None
        self._steady_ms = 0
        #: How a clock was set right that was behind; None again once that was followed.
        self.step: ClockStep | None = None

    def begin(self, record: ClockRecord, newest_ms: int | None, now_ms: int) -> None:
        """Go on from a file when it is opened; only the first call counts.

        Parameters
        ----------
        record
            What the file keeps of the clock.
        newest_ms
            The newest time of a notification, for a file that keeps nothing of the clock.
        now_ms
            What the clock shows now.
        """
        if self._begun_ms is not None:
            return
        known = record.reached_ms is not None
        self._restart(record.reached_ms if known else newest_ms, now_ms)
        if record.clock_ms is not None and 0 <= now_ms - record.clock_ms <= STOPPED_MS:
            self._steady_ms = record.steady_ms

    def at(self, now_ms: int) -> int:
        """Return the time against which age counts, in milliseconds since 1970."""
        if self._begun_ms is None:
            return now_ms
        passed_ms = self._passed_ms
        by_ms = now_ms - self._begun_ms - passed_ms
        if abs(by_ms) > TOLERANCE_MS:
            # Somebody has set the clock. Go on from the time before that, plus what has passed.
            before_ms = self._begun_ms if self._reached_ms is None else self._reached_ms
            if by_ms > 0 and self._begun_ms < max(self._reached_ms or 0, EARLIEST_MS):
                self.step = ClockStep(self._begun_ms, self._begun_ms + passed_ms, by_ms)
            self._restart(before_ms + passed_ms, now_ms)
            passed_ms = 0
        elif self._steady_ms + passed_ms >= BELIEVED_AFTER_MS:
            return now_ms
        return now_ms if self._reached_ms is None else min(now_ms, self._reached_ms + passed_ms)

    def record(self, now_ms: int) -> ClockRecord:
        """Return what the next server needs to know of the clock."""
        reached_ms = self.at(now_ms)
        # What was believed is reached; a gap that comes later is another matter.
        steady_ms = 0 if reached_ms >= now_ms else self._steady_ms + self._passed_ms
        return ClockRecord(reached_ms, now_ms, steady_ms)

    @property
    def _passed_ms(self) -> int:
        return int((self._monotonic() - self._begun_s) * 1000)

    def _restart(self, reached_ms: int | None, now_ms: int) -> None:
        self._reached_ms, self._begun_ms, self._begun_s = reached_ms, now_ms, self._monotonic()
        self._steady_ms = 0
