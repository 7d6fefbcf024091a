"""Repeats a piece of work in a task of its own, which goes on after failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import move_on_after

from .errors import ServiceError

__all__ = ["Repeating"]

#: Maximum time in seconds added to the pause after a failure. `wake` does not shorten it.
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
        Returns the seconds until the next time; `wake` ends the pause early.
    log
        Where to log failures.
    failing, working
        The sentences for the log: that the work fails, and that it succeeds again.
    at_once
        Whether the work is done at the start, not only after the first pause.
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
        #: The reason of the last logged failure; None while the work succeeds.
        self._reason: str | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._repeat(), name=self._name)

    async def stop(self) -> None:
        """End, even in the middle of the work."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._wake.set()

    def succeeded(self) -> None:
        """Note that the work succeeds; called by work that itself does not end."""
        if self._reason is not None:
            self._reason = None
            self._log.info(self._working)

    async def _repeat(self) -> None:
        if not self._at_once:
            await self._rest()
        while True:
            # A wake-up during the work leads to another run.
            self._wake.clear()
            try:
                await self._work()
            except (ServiceError, OSError) as error:
                self._failed(str(error) or type(error).__name__)
            except Exception as error:
                # A defect must not end work that others rely on: it is logged and tried again.
                self._failed(type(error).__name__, exc_info=error)
            else:
                self.succeeded()
            if self._reason is not None:
                await asyncio.sleep(min(self._pause_s(), AFTER_FAILURE_S))
            await self._rest()

    async def _rest(self) -> None:
        # Not `asyncio.wait_for`: before Python 3.12 it loses a cancellation that comes at the
        # same moment as the event.
        with move_on_after(self._pause_s()):
            await self._wake.wait()

    def _failed(self, reason: str, **more: Any) -> None:
        if reason != self._reason:
            self._log.error(self._failing, reason=reason, **more)
        self._reason = reason
