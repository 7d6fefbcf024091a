"""Does something again and again in a task of its own, which no failure ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import move_on_after

from .errors import ServiceError

__all__ = ["Repeating"]

#: Most seconds that are added to the pause after a failure, whoever wakes it.
AFTER_FAILURE_S = 1.0


class Repeating:
    """Repeats a piece of work until it is stopped.

    A failure is logged once, until the work has succeeded again or fails for another reason.

    Parameters
    ----------
    work
        What to do.
    name
        The task's name.
    pause_s
        Returns the seconds until the next time; what wakes it makes that shorter.
    log
        Where to say what fails.
    failing, working
        The sentences for the log: that it fails, and that it succeeds again.
    at_once
        Whether the first time is at the start, not after the first pause.
    """

    def __init__(
        self,
        work: Callable[[], Awaitable[None]],
        *,
        name: str,
        pause_s: Callable[[], float],
        log: Any,
        failing: str,
        working: str,
        at_once: bool = True,
    ) -> None:
        self._work = work
        self._name = name
        self._pause_s = pause_s
        self._log = log
        self._failing = failing
        self._working = working
        self._at_once = at_once
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        #: The reason of the failure that was logged last; none while the work succeeds.
        self._reason: str | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._repeat(), name=self._name)

    async def stop(self) -> None:
        """End, also in the middle of the work."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._wake.set()

    def succeeded(self) -> None:
        """Note that the work succeeds, such as in the middle of work that does not end."""
        if self._reason is not None:
            self._reason = None
            self._log.info(self._working)

    async def _repeat(self) -> None:
        if not self._at_once:
            await self._rest()
        while True:
            # What comes from now on is for the next time.
            self._wake.clear()
            try:
                await self._work()
            except (ServiceError, OSError) as error:
                self._failed(str(error) or type(error).__name__)
            except Exception as error:
                # A defect must not end what others rely on; it is logged and tried again.
                self._failed(type(error).__name__, exc_info=error)
            else:
                self.succeeded()
            if self._reason is not None:
                await asyncio.sleep(min(self._pause_s(), AFTER_FAILURE_S))
            await self._rest()

    async def _rest(self) -> None:
        # Not `asyncio.wait_for`, which before Python 3.12 loses a cancellation that comes with it.
        with move_on_after(self._pause_s()):
            await self._wake.wait()

    def _failed(self, reason: str, **more: Any) -> None:
        if reason != self._reason:
            self._log.error(self._failing, reason=reason, **more)
        self._reason = reason
