"""Writes the outcomes of pushes, many in one transaction.

A push costs the Hub some twenty milliseconds. A commit for each push, with the work that a commit
wakes, would cost this process as much again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from ..schema import now
from ..storage.pushes import Claimed, PushStore
from ..storage.writer import Transaction, Writer

__all__ = ["Settling"]

#: Time in seconds that an outcome waits for others.
LINGER_S = 0.1

#: A claimed delivery, the number of the broadcast as it was pushed, and its outcome.
_Settled = tuple[Claimed, int, dict[str, Any]]


class Settling:
    """Collects results for a moment, and writes them in one transaction.

    Parameters
    ----------
    writer, pushes
        The writer, and the ledger.
    owner
        The name under which this process claims deliveries.
    """

    def __init__(self, *, writer: Writer, pushes: PushStore, owner: str) -> None:
        self._writer = writer
        self._pushes = pushes
        self._owner = owner
        self._collected: list[_Settled] = []
        self._next: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()

    async def begin_older(self, claimed: Claimed) -> bool:
        """Commit that a push by the older route begins; return False if it must not be made."""
        return await self._writer.run(
            lambda transaction: self._pushes.begin_older(transaction, self._owner, claimed)
        )

    async def settle(self, claimed: Claimed, seq: int, values: dict[str, Any]) -> None:
        """Return once the result of a push is committed.

        Parameters
        ----------
        claimed
            The delivery.
        seq
            The number of the broadcast's latest change that was pushed. If there is a later change
            by now, and the server accepted the message by our route, it is pushed again.
        values
            The columns of the outcome.

        Raises
        ------
        ServiceError
            If the database fails.
        """
        self._collected.append((claimed, seq, values))
        if self._next is None:
            self._next = asyncio.create_task(self._write(), name="settling")
            self._tasks.add(self._next)
            self._next.add_done_callback(self._tasks.discard)
        # Shielded: the outcome is written even if the delivery is cancelled.
        await asyncio.shield(self._next)

    async def flush(self) -> None:
        """Write the collected outcomes at once, and wait until all are written."""
        self._hurry.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), LINGER_S)
        collected, self._collected, self._next = self._collected, [], None

        async def command(transaction: Transaction) -> None:
            ids = {claimed.broadcast_id for claimed, _, _ in collected}
            latest = await self._pushes.versions(transaction.connection, ids)
            for claimed, seq, values in collected:
                stored = values.get("route", claimed.route) == "notify"
                if stored and latest.get(claimed.broadcast_id, seq) != seq:
                    values = {**values, "due": now()}
                await self._pushes.settle(transaction, self._owner, claimed, values)

        await self._writer.run(command)
