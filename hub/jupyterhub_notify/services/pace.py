"""Long work in the event loop, in slices: others have their turn every few milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from time import perf_counter
from typing import TypeVar

__all__ = ["paced"]

T = TypeVar("T")

#: Seconds after which others have their turn.
SLICE_S = 0.02


async def paced(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield items, and give way to others whenever a slice of time is over.

    Parameters
    ----------
    items
        What to go through.

    Yields
    ------
    T
        Each of them.
    """
    began = perf_counter()
    for item in items:
        if perf_counter() - began > SLICE_S:
            await asyncio.sleep(0)
            began = perf_counter()
        yield item
