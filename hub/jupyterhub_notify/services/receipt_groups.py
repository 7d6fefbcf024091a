"""Receipts that arrive together are written together, and each is answered after the commit.

After a broadcast is sent, every lab acknowledges it within seconds. A command of the writer for
each lab would execute some statements for each; one command for all waiting labs executes some
statements for all.
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

#: Maximum number of labs in one command.
MOST = 1_000
#: Seconds from the end of one command to the next, in which more labs can join: the commit, and the
#: look at the database that it wakes, cost the same for one lab and for fifty.
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
        The writer.
    write
        Writes the collected receipts; it may be run more than once.
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
            The user of the lab.
        receipts
            The receipts.
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
            # Shielded: if one lab hangs up, the others' receipts are still written.
            await asyncio.shield(group.task)
        except ServiceError:
            raise
        except Exception:
            # Another lab's receipt may have caused the failure: try this lab's alone.
            await self._writer.run(lambda transaction: self._write(transaction, sent))

    async def _commit(self, group: _Group) -> None:
        async def command(transaction: Transaction) -> None:
            self._close(group)
            await self._write(transaction, group.sent)

        loop = asyncio.get_running_loop()
        try:
            # After a quiet moment the time is negative, and the first lab does not wait.
            await asyncio.sleep(self._last + PAUSE_S - loop.time())
            await self._writer.run(command)
        finally:
            self._close(group)
            self._last = loop.time()

    def _close(self, group: _Group) -> None:
        """Close a group: receipts that come from now on start the next one."""
        if self._open is group:
            self._open = None
