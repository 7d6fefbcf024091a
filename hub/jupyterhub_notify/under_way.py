"""The requests under way. At its stop the service ends them early enough to answer them.

Anything that they wait for may hang: the Hub, an alerting engine, a user's server. After ten
seconds uvicorn cuts off a request without a proper answer.
"""

from __future__ import annotations

import asyncio

from .storage import time_limits

__all__ = ["UnderWay"]

#: Seconds beyond the database's own limit, so that a request that waits for the database gets the
#: database's error instead of being cut off.
MORE_S = 0.5


class UnderWay:
    """The tasks of the requests under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._ended: set[asyncio.Task[object]] = set()

    def stop(self) -> None:
        """End requests that are still under way in a moment, because the service stops."""
        left_s = time_limits.STOP_S + time_limits.LATE_S + MORE_S
        asyncio.get_running_loop().call_later(left_s, self._end)

    def _end(self) -> None:
        for task in self._tasks:
            self._ended.add(task)
            task.cancel()

    def begin(self) -> asyncio.Task[object]:
        """Note the current task, and return it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        return task

    def end(self, task: asyncio.Task[object]) -> bool:
        """Forget a task; return whether it was ended here."""
        self._tasks.discard(task)
        ended = task in self._ended
        self._ended.discard(task)
        return ended
