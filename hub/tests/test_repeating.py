"""Repeated work: no failure ends it, and the log has each failure once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import structlog
from anyio import fail_after
from structlog.testing import capture_logs

from jupyterhub_notify import repeating
from jupyterhub_notify.errors import Unavailable
from jupyterhub_notify.repeating import Repeating

#: More than any of it takes, on a machine that is busy.
SOON_S = 20


class Work:
    """Fails when told to, and counts the tries."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.count = 0
        self._tried = asyncio.Event()

    async def __call__(self) -> None:
        self.count += 1
        self._tried.set()
        if self.failure is not None:
            raise self.failure

    async def times(self, count: int) -> None:
        """Wait until it was tried some more times."""
        upto = self.count + count
        with fail_after(SOON_S):
            while self.count < upto:
                self._tried.clear()
                await self._tried.wait()


def repeated(work: Work, pause_s: Callable[[], float], **more: bool) -> Repeating:
    return Repeating(
        work,
        name="test",
        pause_s=pause_s,
        log=structlog.get_logger("test"),
        failing="It fails",
        working="It works again",
        **more,
    )


async def test_a_failure_ends_nothing_and_is_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeating, "AFTER_FAILURE_S", 0.01)
    work = Work()
    one = repeated(work, lambda: 0.01)
    with capture_logs() as logs:
        one.start()
        await work.times(2)
        for failure in (Unavailable("away"), OSError("gone"), KeyError("a defect"), None):
            work.failure = failure
            await work.times(4)
        await one.stop()
    assert [(entry["event"], entry.get("reason")) for entry in logs] == [
        ("It fails", "away"),
        ("It fails", "gone"),
        # A defect is logged with its place and type, not with its text.
        ("It fails", "KeyError"),
        ("It works again", None),
    ]
    assert [bool(entry.get("exc_info")) for entry in logs] == [False, False, True, False]


async def test_what_wakes_it_is_not_lost_while_it_works() -> None:
    work = Work()
    one = repeated(work, lambda: 3600.0)
    one.start()
    await work.times(1)
    one.wake()
    await work.times(1)
    await one.stop()


async def test_the_first_time_waits_where_it_is_to_wait() -> None:
    work = Work()
    one = repeated(work, lambda: 3600.0, at_once=False)
    one.start()
    await asyncio.sleep(0)
    assert work.count == 0
    one.wake()
    await work.times(1)
    await one.stop()


@pytest.mark.parametrize("turns", range(6))
async def test_it_stops_also_in_the_moment_in_which_it_is_woken(turns: int) -> None:
    work = Work()
    one = repeated(work, lambda: 3600.0)
    one.start()
    await work.times(1)
    await asyncio.sleep(0)
    one.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    with fail_after(SOON_S):
        await one.stop()
