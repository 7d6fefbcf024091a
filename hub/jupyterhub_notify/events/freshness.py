"""Keeps the versions of which `ETag`s are made up to date, also with other replicas' commits.

The wake-up for another replica's commit arrives a moment after that replica has answered. A request
in that moment must not be answered *unchanged*. So each request waits for a look at the store's
number that began after the request arrived. All waiting requests share the next look.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from ..storage.database import Database
from .versions import Versions

__all__ = ["Freshness", "VersionsReader"]

#: Maximum length of a range.
MOST_AT_ONCE = 5_000


class VersionsReader(Protocol):
    """Reads which users' views changed."""

    async def versions_range(self, versions: Versions, after: int, upto: int) -> None:
        """Note the users whose view changed in the range ``(after, upto]``."""


class Freshness:
    """Reads the store's position, and notes the users whose view changed up to there.

    Parameters
    ----------
    database
        The database, which gives the numbers.
    reader
        Reads which users' views changed.
    versions
        Where the changes are noted.
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
        """Note all commits so far, and return the position that was read."""
        async with self._turn:
            return await self._look()

    async def wait(self) -> None:
        """Wait until every commit before this call is noted.

        Raises
        ------
        Unavailable
            If the database does not answer.
        """
        if self._database.is_sqlite:
            # Only this process writes, and it notes each commit before it answers.
            return
        if self._next is None:
            self._next = asyncio.create_task(self._look_for_all(), name="freshness")
            self._next.add_done_callback(_heard)
        # Shielded: if one caller is cancelled, the others still wait for the look.
        await asyncio.shield(self._next)

    async def _look_for_all(self) -> None:
        # Callers that come while a look is under way share the next look.
        async with self._turn:
            self._next = None
            await self._look()

    async def _look(self) -> tuple[str, int, int]:
        epoch, seq, pruned = await self._database.position()
        epochs = self.versions.epochs
        await epochs.learn(epoch)
        known = epochs.held(self.versions.epoch, self._seq)
        if not known or seq < self._seq or pruned > self._seq:
            # The database was replaced or restored, or rows of unnoted changes are already gone.
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
    """Retrieve the error: asyncio need not log it, since the waiting callers get it."""
    with suppress(asyncio.CancelledError):
        task.exception()
