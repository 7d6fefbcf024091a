"""Writes what came of pushes, of those that end at about the same time together.

A push takes the Hub some twenty milliseconds; a commit for each, and what each commit wakes, would
take this process as long again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from ..storage.pushes import Claimed, PushStore
from ..storage.writer import Transaction, Writer

__all__ = ["Settling"]

#: Seconds that a result waits for others.
LINGER_S = 0.1

_Settled = tuple[Claimed, dict[str, Any]]


class Settling:
    """Collects results for a moment, and writes them in one transaction.

    Parameters
    ----------
    writer, pushes
        Where to write, and the ledger.
    owner
        Whose claims they are.
    """

    def __init__(self, *, writer: Writer, pushes: PushStore, owner: str) -> None:
        self._writer = writer
        self._pushes = pushes
        self._owner = owner
        self._collected: list[_Settled] = []
        self._next: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()

    async def settle(self, claimed: Claimed, values: dict[str, Any]) -> None:
        """Return once the result of a push is committed.

        Parameters
        ----------
        claimed
            What was pushed.
        values
            The columns that say what came of it.

        Raises
        ------
        ServiceError
            If the database does not take it.
        """
        self._collected.append((claimed, values))
        if self._next is None:
            self._next = asyncio.create_task(self._write(), name="settling")
            self._tasks.add(self._next)
            self._next.add_done_callback(self._tasks.discard)
        # A delivery that is cancelled leaves what came of it to be written.
        await asyncio.shield(self._next)

    async def flush(self) -> None:
        """Write what was collected, now, and wait for what is being written."""
        self._hurry.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), LINGER_S)
        collected, self._collected, self._next = self._collected, [], None

        async def command(transaction: Transaction) -> None:
            for claimed, values in collected:
                await self._pushes.settle(transaction, self._owner, claimed, values)

        await self._writer.run(command)
