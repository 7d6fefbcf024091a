"""How long the database may take; less once the service is told to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CancelScope, current_time, fail_after

__all__ = ["TimeLimits"]

#: Seconds that what is under way has left once the service is told to stop: its callers are to hear
#: an answer before uvicorn ends their connections.
STOP_S = 5.0
#: Seconds that what begins later than that may take.
LATE_S = 2.0


class TimeLimits:
    """Ends what takes too long."""

    def __init__(self) -> None:
        self._scopes: set[CancelScope] = set()
        self._end: float | None = None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Raise `TimeoutError` if what is done inside takes longer.

        Parameters
        ----------
        seconds
            How long it may take while the service runs.
        """
        with fail_after(seconds) as scope:
            self._scopes.add(scope)
            try:
                self._shorten(scope)
                yield
            finally:
                self._scopes.discard(scope)

    def stop(self) -> None:
        """Shorten all limits, because the service stops."""
        self._end = current_time() + STOP_S
        for scope in self._scopes:
            self._shorten(scope)

    def _shorten(self, scope: CancelScope) -> None:
        if self._end is not None:
            scope.deadline = min(scope.deadline, max(self._end, current_time() + LATE_S))
