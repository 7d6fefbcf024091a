"""Limits of time for the database, which become shorter when the service is told to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CancelScope, current_time, fail_after

__all__ = ["TimeLimits"]

#: Seconds that operations under way have left when the service is told to stop: their callers
#: should get an answer before uvicorn ends the connections.
STOP_S = 5.0
#: Seconds that an operation may take if it begins at the stop or later.
LATE_S = 2.0


class TimeLimits:
    """Ends operations that take too long."""

    def __init__(self) -> None:
        self._scopes: set[CancelScope] = set()
        self._end: float | None = None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Raise `TimeoutError` if the body takes longer.

        Parameters
        ----------
        seconds
            The limit while the service runs.
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
