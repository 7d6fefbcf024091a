"""Begins and ends broadcasts and notifications in time; each such change gets a new number.

Every replica runs a scheduler. The second one finds nothing to do: a row says when it next changes,
and a replica with a slow clock does not undo what another has begun.
"""

from __future__ import annotations

import structlog

from ..repeating import Repeating
from ..schema import now
from ..storage.broadcasts import BroadcastStore
from ..storage.database import Database
from ..storage.deliveries import DeliveryStore
from ..storage.expiry import ExpiryStore
from ..storage.writer import Transaction, Writer
from .timing import timing_at

__all__ = ["Scheduler"]

#: Interval in seconds between looks at the database.
LOOK_S = 1.0
MOST_AT_ONCE = 1_000


class Scheduler:
    """Looks for broadcasts and notifications that begin or end.

    Parameters
    ----------
    database, writer
        For reading and writing.
    broadcasts, deliveries, expiry
        The tables.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        broadcasts: BroadcastStore,
        deliveries: DeliveryStore,
        expiry: ExpiryStore,
    ) -> None:
        self._database = database
        self._writer = writer
        self._broadcasts = broadcasts
        self._deliveries = deliveries
        self._expiry = expiry
        self._repeating = Repeating(
            self.look,
            name="scheduler",
            pause_s=lambda: LOOK_S,
            log=structlog.get_logger("jupyterhub_notify.scheduler"),
            failing="Nothing begins or ends now",
            working="What is due begins and ends again",
        )

    def start(self) -> None:
        """Begin to look at intervals."""
        self._repeating.start()

    async def stop(self) -> None:
        """Stop looking."""
        await self._repeating.stop()

    async def look(self) -> None:
        """Begin and end everything that is due."""
        at = now()
        async with self._database.read() as connection:
            due = await self._broadcasts.due(connection, at)
            expired = await self._expiry.any_due(connection, at)
        if due:
            await self._writer.run(self._move_on)
        while expired:
            expired = await self._writer.run(self._expire)

    async def _move_on(self, transaction: Transaction) -> None:
        at = now()
        for old in await self._broadcasts.due(transaction.connection, at):
            timing = timing_at(old.schedule, old.enabled, at, old.occurrence)
            values = {name: getattr(timing, name) for name in timing.__slots__}
            another = timing.active and timing.occurrence != old.occurrence
            if timing.active != old.active or another or timing.stale != old.stale:
                values["seq"] = transaction.next()
            await self._broadcasts.change(transaction.connection, old.id, values)
            if old.active and (not timing.active or another):
                await self._deliveries.end(transaction, old.id, "it has ended")
            if timing.active and (not old.active or another):
                kept = {name: getattr(old, name) for name in old.__slots__}
                await self._deliveries.begin(transaction, type(old)(**{**kept, **values}))

    async def _expire(self, transaction: Transaction) -> bool:
        """Expire some that are due; return whether there may be more."""
        return await self._expiry.expire(transaction, now(), MOST_AT_ONCE) == MOST_AT_ONCE
