"""Receipts: the service is told which of its messages are in how many tabs.

They are kept in memory and sent together after a moment at random, so that the labs of a hub do not
all send in the same instant. What the user did is not told here but through the outbox.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterable
from typing import Any

from .client import CentralClient
from .failure import Failure

#: How many receipts make one request, and how many wait at most.
BATCH = 500
MOST_WAITING = 5000
#: Within how many seconds they are sent.
SPREAD_S = 3.0


class ReceiptSender:
    """Tells which messages arrived.

    Parameters
    ----------
    client
        Tells the service.
    count_tabs
        Returns how many tabs are open.
    """

    def __init__(self, client: CentralClient, count_tabs: Callable[[], int]) -> None:
        self._client = client
        self._count_tabs = count_tabs
        self._waiting: dict[str, dict[str, Any]] = {}
        self._task: asyncio.Task[None] | None = None
        #: Whether the service wants them.
        self.wanted = False

    def add(self, remotes: Iterable[str]) -> None:
        """Note that these messages of the service's are stored, and shown if a tab is open."""
        if not self.wanted:
            return
        tabs = self._count_tabs()
        receipt: dict[str, Any] = {"server": os.environ.get("JUPYTERHUB_SERVER_NAME", "")}
        receipt |= {"state": "shown", "tabs": tabs} if tabs else {"state": "stored"}
        for remote in remotes:
            if len(self._waiting) < MOST_WAITING:
                self._waiting[remote] = {"id": remote, **receipt}
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.ensure_future(self._send())

    async def _send(self) -> None:
        wait_s = random.uniform(0, SPREAD_S)
        while self._waiting:
            await asyncio.sleep(wait_s)
            batch = list(self._waiting.values())[:BATCH]
            try:
                await self._client.send_receipts(batch)
            except Failure as failure:
                if failure.permanent:
                    self._waiting.clear()
                    return
                wait_s = min(600.0, 2 * max(wait_s, 5.0, failure.retry_after_s or 0.0))
                continue
            for receipt in batch:
                # Not one that came meanwhile for the same message.
                if self._waiting.get(receipt["id"]) is receipt:
                    del self._waiting[receipt["id"]]

    async def stop(self) -> None:
        """End at once."""
        if self._task is not None:
            self._task.cancel()
