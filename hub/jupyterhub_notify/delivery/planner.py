"""Finds a broadcast's recipients at the hub and writes them into the ledger.

It looks again at intervals while a broadcast is shown: servers start later, and those whose labs do
not ask the service need a push then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from ..hubapi import HubRefused, HubUnreachable
from ..models.stored import StoredBroadcast
from ..schema import now
from ..storage.broadcasts import BroadcastStore
from ..storage.database import Database
from ..storage.pushes import DeliveryKey, PlanRow, PushStore
from ..storage.writer import Transaction, Writer
from .servers import HubServers, HubUserServers, RunningServer

__all__ = ["Planner"]

#: Number of users in one transaction; other writes get their turn in between.
CHUNK = 1_000
#: Time in seconds after which another replica takes over the search for recipients.
PLAN_LEASE_S = 60
#: Pause in seconds after the Hub failed to answer.
AGAIN_S = 10


class Planner:
    """Finds recipients.

    Parameters
    ----------
    database, writer
        For reading and writing.
    broadcasts, pushes
        The tables.
    servers
        Lists the users and their servers.
    bot
        The user whose tokens open servers; never a recipient.
    grace_s
        Seconds after a server's start in which its lab may still say that it asks the service.
    look_s
        Seconds until the next search for the same broadcast.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        broadcasts: BroadcastStore,
        pushes: PushStore,
        servers: HubServers,
        bot: str,
        grace_s: float,
        look_s: float,
    ) -> None:
        self._database = database
        self._writer = writer
        self._broadcasts = broadcasts
        self._pushes = pushes
        self._servers = servers
        self._bot = bot
        self._grace = timedelta(seconds=grace_s)
        self._look = timedelta(seconds=look_s)
        self._failing = False
        self._addresses_missing = False
        self._planning: StoredBroadcast | None = None
        self._log = structlog.get_logger("jupyterhub_notify.delivery")

    async def look(self) -> None:
        """Find the recipients of broadcasts that have begun, and of those that are still shown."""
        async with self._database.read() as connection:
            ids = await self._pushes.to_plan(connection, now())
        for id_ in ids:
            until = now() + timedelta(seconds=PLAN_LEASE_S)

            async def claim(
                transaction: Transaction, id_: str = id_, until: datetime = until
            ) -> StoredBroadcast | None:
                if not await self._pushes.claim_plan(transaction, id_, until):
                    return None
                return await self._broadcasts.one(transaction.connection, id_)

            stored = await self._writer.run(claim)
            if stored is not None and stored.is_shown:
                self._planning = stored
                try:
                    await self._plan(stored)
                except Exception:
                    # Do not release the lease at the stop: it ends by itself, and another replica
                    # may hold it by then.
                    self._planning = None
                    raise
                self._planning = None

    async def release(self) -> None:
        """Release a search that was cancelled, so that another replica need not wait for it."""
        stored, self._planning = self._planning, None
        if stored is not None:
            await self._writer.run(lambda tx: self._pushes.release_plan(tx, stored, now()))

    async def _plan(self, stored: StoredBroadcast) -> None:
        everybody = stored.audience == "all" or bool(stored.groups)
        try:
            users = await self._servers.users(running=not everybody)
        except (HubUnreachable, HubRefused) as error:
            if not self._failing:
                self._log.warning("Recipients cannot be found.", reason=str(error))
            self._failing = True
            again = now() + timedelta(seconds=AGAIN_S)
            await self._writer.run(lambda tx: self._pushes.release_plan(tx, stored, again))
            return
        if self._failing:
            self._log.info("The Hub tells again who runs what.")
            self._failing = False
        self._warn_if_addresses_are_missing(users)
        meant = [
            one for one in users if one.name != self._bot and stored.is_for(one.name, one.groups)
        ]
        # Servers that do not answer are often neighbours in the list, such as those of one node.
        # Pushed to at the same time, they would hold up all others.
        random.shuffle(meant)
        for start in range(0, len(meant), CHUNK):
            chunk = meant[start : start + CHUNK]
            await self._writer.run(partial(self._write, stored=stored, users=chunk))
        again = now() + self._look
        await self._writer.run(lambda tx: self._pushes.planned(tx, stored, again))

    def _warn_if_addresses_are_missing(self, users: Sequence[HubUserServers]) -> None:
        """Log once that servers cannot be pushed to because their addresses are not known."""
        servers = [server for user in users for server in user.servers]
        missing = bool(servers) and all(server.target is None for server in servers)
        if missing and not self._addresses_missing:
            self._log.warning(
                "Servers' addresses are not known, and nothing is pushed to those: set "
                "JUPYTERHUB_NOTIFY_PROXY_URL to the address of the hub's proxy."
            )
        self._addresses_missing = missing

    async def _write(
        self, transaction: Transaction, stored: StoredBroadcast, users: Sequence[HubUserServers]
    ) -> None:
        """Write some users' servers into the ledger, unless the broadcast has ended meanwhile."""
        fresh = await self._broadcasts.one(transaction.connection, stored.id)
        if fresh is None or not fresh.is_shown or fresh.occurrence != stored.occurrence:
            return
        rows = await self._pushes.rows(transaction.connection, stored)
        hellos = await self._pushes.hellos(transaction.connection)
        known = {user for user, _ in rows}
        new: list[tuple[DeliveryKey, datetime | None, str | None]] = []
        needless: list[str] = []
        for user in users:
            if not user.servers:
                if user.name not in known:
                    new.append(((user.name, ""), None, None))
                continue
            for server in user.servers:
                due, url = self._due(user.name, server, hellos)
                row = rows.get((user.name, server.name))
                if row is None:
                    new.append(((user.name, server.name), due, url))
                elif due is not None and url is not None and _waits(row):
                    await self._pushes.make_due(
                        transaction, stored, (user.name, server.name), due, url
                    )
            if "" not in {server.name for server in user.servers} and (user.name, "") in rows:
                needless.append(user.name)
        await self._pushes.drop(transaction, stored, needless)
        await self._pushes.add(transaction, stored, new)

    def _due(
        self, user: str, server: RunningServer, hellos: Mapping[DeliveryKey, datetime]
    ) -> tuple[datetime | None, str | None]:
        """Return when and where to push to a server; None if its lab asks by itself."""
        if server.target is None:
            return None, None
        hello = hellos.get((user, server.name))
        started = server.started
        if hello is not None and (started is None or hello >= started.replace(microsecond=0)):
            return None, None
        ready = now() if started is None else started + self._grace
        return max(now(), ready), server.target.encode()


def _waits(row: PlanRow) -> bool:
    return row.outcome == "waiting" and row.due is None
