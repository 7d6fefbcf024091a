"""Long work in the event loop, cut into slices so that other tasks get their turn in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from time import perf_counter
from typing import TypeVar

__all__ = ["paced"]

T = TypeVar("T")

#: Length of a slice in seconds.
SLICE_S = 0.02


async def paced(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield items, and let other tasks run whenever a slice of time is over.

    Parameters
    ----------
    items
        The items.

    Yields
    ------
    T
        Each item.
    """
    began = perf_counter()
    for item in items:
        if perf_counter() - began > SLICE_S:
            await asyncio.sleep(0)
            began = perf_counter()
        yield item
