"""Keeps what an `ETag` is made of up to date, also with what other replicas commit.

A wake-up tells of another replica's commit a moment after it was answered there. Whoever asks in
that moment must not hear *unchanged*: so each request waits for a look at the store's number that
began after the request came. All that wait share the next look.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from ..storage.database import Database
from .versions import Versions

__all__ = ["Freshness", "VersionsReader"]

#: More than so many numbers at once are read in several ranges.
MOST_AT_ONCE = 5_000


class VersionsReader(Protocol):
    """Reads whose view changed."""

    async def versions_range(self, versions: Versions, after: int, upto: int) -> None:
        """Note whose view changed in the range ``(after, upto]``."""


class Freshness:
    """Reads where the store is, and notes whose view changed up to there.

    Parameters
    ----------
    database
        Where the numbers are.
    reader
        Reads whose view changed.
    versions
        Where that is noted.
    """

    def __init__(self, *, database: Database, reader: VersionsReader, versions: Versions) -> None:
        self._database = database
        self._reader = reader
        self.versions = versions
        self._turn = asyncio.Lock()
        self._seq = 0
        self._next: asyncio.Task[None] | None = None

    async def begin(self) -> tuple[str, int, int]:
        """Start at the present position of the store, and return it."""
        async with self._turn:
            epoch, seq, pruned = await self._database.position()
            await self.versions.epochs.learn(epoch)
            await self._begin(epoch, seq)
        return epoch, seq, pruned

    async def look(self) -> tuple[str, int, int]:
        """Note all that is committed, and return the position that was read."""
        async with self._turn:
            return await self._look()

    async def wait(self) -> None:
        """Wait until everything is noted that was committed before this call.

        Raises
        ------
        Unavailable
            If the database does not answer.
        """
        if self._database.is_sqlite:
            # One process writes, and notes what it commits before it is answered.
            return
        if self._next is None:
            self._next = asyncio.create_task(self._look_for_all(), name="freshness")
            self._next.add_done_callback(_heard)
        # A caller who goes away leaves the look to the others who wait for it.
        await asyncio.shield(self._next)

    async def _look_for_all(self) -> None:
        # Those who come while a look is under way wait for the one after it, all for the same.
        async with self._turn:
            self._next = None
            await self._look()

    async def _look(self) -> tuple[str, int, int]:
        epoch, seq, pruned = await self._database.position()
        epochs = self.versions.epochs
        await epochs.learn(epoch)
        known = epochs.held(self.versions.epoch, self._seq)
        if not known or seq < self._seq or pruned > self._seq:
            # Another history, an older copy of this one, or a change whose row is gone already.
            await self._begin(epoch, seq)
        self.versions.epoch = epoch
        while self._seq < seq:
            upto = min(seq, self._seq + MOST_AT_ONCE)
            await self._reader.versions_range(self.versions, self._seq, upto)
            self._seq = upto
        return epoch, seq, pruned

    async def _begin(self, epoch: str, seq: int) -> None:
        await self.versions.begin(epoch)
        self._seq = seq


def _heard(task: asyncio.Task[None]) -> None:
    """Look at what came of it, so that asyncio does not log what whoever waited has been told."""
    with suppress(asyncio.CancelledError):
        task.exception()
