"""Receipts: tell the service which of its messages are stored or shown, and in how many tabs.

They are kept in memory and sent together after a random delay, so that the labs of a hub do not all
send at once. The user's actions go through the outbox instead.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterable
from typing import Any

from .client import CentralClient
from .failure import Failure

#: Number of receipts in one request, and number of those that may wait.
BATCH = 500
MAX_WAITING = 5000
#: The longest delay before they are sent.
SPREAD_S = 3.0


class ReceiptSender:
    """Sends receipts.

    Parameters
    ----------
    client
        The client of the service.
    count_tabs
        Returns how many tabs are open.
    """

    def __init__(self, client: CentralClient, count_tabs: Callable[[], int]) -> None:
        self._client = client
        self._count_tabs = count_tabs
        self._waiting: dict[str, dict[str, Any]] = {}
        self._task: asyncio.Task[None] | None = None
        #: True if the service wants receipts.
        self.wanted = False

    def add(self, remotes: Iterable[str]) -> None:
        """Queue receipts for messages: shown if a tab is open, or else stored."""
        if not self.wanted:
            return
        tabs = self._count_tabs()
        receipt: dict[str, Any] = {"server": os.environ.get("JUPYTERHUB_SERVER_NAME", "")}
        receipt |= {"state": "shown", "tabs": tabs} if tabs else {"state": "stored"}
        for remote in remotes:
            if len(self._waiting) < MAX_WAITING:
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
                # A newer receipt for the same message stays.
                if self._waiting.get(receipt["id"]) is receipt:
                    del self._waiting[receipt["id"]]

    async def stop(self) -> None:
        """Stop at once."""
        if self._task is not None:
            self._task.cancel()
