"""Receipts that arrive together are written together, and each is answered after the commit.

When a broadcast is out, every lab says within seconds that it is there. One command of the writer
for each would be some statements for each; one for all that wait is some statements for all.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence

from ..errors import ServiceError
from ..identity.caller import Caller
from ..models.receipts import LabReceipt
from ..storage.writer import Transaction, Writer

__all__ = ["ReceiptGroups", "Sent"]

#: Most labs whose receipts are written by one command.
MOST = 1_000
#: Seconds from the end of one command to the next, in which others join it: what a commit costs,
#: and the look at the database that it wakes, is the same for one lab and for fifty.
PAUSE_S = 0.025

#: A receipt, and the caller whose lab sent it.
Sent = tuple[Caller, LabReceipt]


class _Group:
    """The receipts of one command, and the task that ends with its commit."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.labs = 0
        self.task: asyncio.Task[None] | None = None


class ReceiptGroups:
    """Collects receipts until the writer's turn comes.

    Parameters
    ----------
    writer
        Where to write.
    write
        Writes what was collected; it may be run more than once.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        write: Callable[[Transaction, Sequence[Sent]], Awaitable[None]],
    ) -> None:
        self._writer = writer
        self._write = write
        self._open: _Group | None = None
        self._last = -math.inf

    async def take(self, caller: Caller, receipts: Sequence[LabReceipt]) -> None:
        """Return once the receipts of a lab are committed.

        Parameters
        ----------
        caller
            Whose lab it is.
        receipts
            What it says.
        """
        group = self._open
        if group is None or group.labs >= MOST:
            group = self._open = _Group()
            group.task = asyncio.create_task(self._commit(group), name="receipts")
        sent = [(caller, one) for one in receipts]
        group.sent += sent
        group.labs += 1
        assert group.task is not None
        try:
            # A lab that hangs up takes nothing of the others' with it.
            await asyncio.shield(group.task)
        except ServiceError:
            raise
        except Exception:
            # Another's receipt may be what fails.
            await self._writer.run(lambda transaction: self._write(transaction, sent))

    async def _commit(self, group: _Group) -> None:
        async def command(transaction: Transaction) -> None:
            self._close(group)
            await self._write(transaction, group.sent)

        loop = asyncio.get_running_loop()
        try:
            # The first after a quiet moment does not wait.
            await asyncio.sleep(self._last + PAUSE_S - loop.time())
            await self._writer.run(command)
        finally:
            self._close(group)
            self._last = loop.time()

    def _close(self, group: _Group) -> None:
        """Let what comes from now on be of the next group."""
        if self._open is group:
            self._open = None
