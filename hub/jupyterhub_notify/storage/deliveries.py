"""The ledger: what became of each occurrence of a broadcast at each server of each user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..models.broadcasts import Delivered
from ..models.stored import StoredBroadcast
from ..schema import Delivery, now
from .upsert import upsert
from .writer import Transaction

__all__ = ["RANKS", "DeliveryStore"]

_D = Delivery.__table__.c
_KEY = ["broadcast_id", "occurrence", "user_name", "server_name"]

#: What a receipt says counts if it is further than what was known; a push's failure is corrected.
RANKS = {
    "expired": 0,
    "error": 0,
    "no-extension": 0,
    "refused": 0,
    "not-responding": 0,
    "waiting": 0,
    "stored": 1,
    "shown": 2,
    "read": 3,
    "dismissed": 4,
    "replied": 5,
}


class DeliveryStore:
    """The queries of the ledger; each method is given its connection or transaction."""

    async def begin(self, transaction: Transaction, stored: StoredBroadcast) -> None:
        """Make the rows of an occurrence whose recipients are known by name: they wait."""
        at = now()
        rows = [
            {
                "broadcast_id": stored.id,
                "occurrence": stored.occurrence or stored.created,
                "user_name": user,
                "server_name": "",
                "seq": transaction.bump(),
                "outcome": "waiting",
                "attempts": 0,
                "updated": at,
            }
            for user in dict.fromkeys(stored.users)
        ]
        if rows:
            known = await self.users(transaction.connection, stored)
            rows = [row for row in rows if row["user_name"] not in known]
        if rows:
            await transaction.connection.execute(insert(Delivery), rows)

    async def users(self, connection: AsyncConnection, stored: StoredBroadcast) -> set[str]:
        """Return the users who have a row of the present occurrence."""
        statement = select(_D.user_name).where(
            _D.broadcast_id == stored.id, _D.occurrence == (stored.occurrence or stored.created)
        )
        return set((await connection.execute(statement)).scalars())

    async def end(self, transaction: Transaction, id_: str, reason: str | None) -> None:
        """Say of what still waits that it expired; nothing is pushed any more."""
        await transaction.connection.execute(
            update(Delivery)
            .where(_D.broadcast_id == id_, _D.outcome == "waiting")
            .values(
                outcome="expired",
                reason=reason,
                due=None,
                leased_by=None,
                leased_until=None,
                seq=transaction.bump(),
                updated=now(),
            )
        )

    async def push_again(self, transaction: Transaction, stored: StoredBroadcast) -> None:
        """Bring a change, or the end, to the servers that took it in by our route."""
        await transaction.connection.execute(
            update(Delivery)
            .where(
                _D.broadcast_id == stored.id,
                _D.occurrence == (stored.occurrence or stored.created),
                _D.route == "notify",
                _D.url.is_not(None),
            )
            .values(due=now(), attempts=0, leased_by=None, leased_until=None)
        )

    async def asks(self, transaction: Transaction, user: str, server: str) -> None:
        """Push nothing to a server any more whose lab asks by itself."""
        await transaction.connection.execute(
            update(Delivery)
            .where(
                _D.user_name == user,
                _D.server_name == server,
                _D.outcome == "waiting",
                _D.due.is_not(None),
            )
            .values(due=None)
        )

    async def receipt(
        self,
        transaction: Transaction,
        stored: StoredBroadcast,
        user: str,
        server: str,
        state: str,
        *,
        tabs: int | None = None,
        reply: str | None = None,
        at: datetime,
    ) -> None:
        """Note what a lab says; something less than what is known changes nothing.

        Where the rows of the user's other servers wait only, the one of the server that has
        answered is what counts: a row of the default server that nobody pushed to is taken over.
        """
        connection = transaction.connection
        occurrence = stored.occurrence or stored.created
        mine = (
            _D.broadcast_id == stored.id,
            _D.occurrence == occurrence,
            _D.user_name == user,
        )
        columns = [_D.server_name, _D.outcome, _D.tabs, _D.attempts]
        rows = {row[0]: row for row in await connection.execute(select(*columns).where(*mine))}
        known = rows.get(server)
        if known is not None and not _is_further(known, state, tabs):
            return
        first = rows.get("")
        if (
            known is None
            and first is not None
            and first.outcome == "waiting"
            and not first.attempts
        ):
            await connection.execute(delete(Delivery).where(*mine, _D.server_name == ""))
        values: dict[str, Any] = {
            "broadcast_id": stored.id,
            "occurrence": occurrence,
            "user_name": user,
            "server_name": server,
            "seq": transaction.bump(),
            "outcome": state,
            "reason": None,
            "due": None,
            "leased_by": None,
            "leased_until": None,
            "updated": at,
        }
        if tabs is not None:
            values["tabs"] = tabs
        if reply is not None:
            values["reply"] = reply
        await upsert(connection, Delivery.__table__, _KEY, values)

    async def mark(
        self,
        transaction: Transaction,
        stored: StoredBroadcast,
        user: str,
        state: str,
        at: datetime,
    ) -> None:
        """Note what a user did with a broadcast, which all their servers and pages follow.

        It is so of each server that has it; a user who did it elsewhere, as on the inbox page, has
        it by the default server's row.
        """
        connection = transaction.connection
        mine = (
            _D.broadcast_id == stored.id,
            _D.occurrence == (stored.occurrence or stored.created),
            _D.user_name == user,
        )
        columns = [_D.server_name, _D.outcome, _D.tabs]
        rows = (await connection.execute(select(*columns).where(*mine))).all()
        servers = [row.server_name for row in rows if RANKS[row.outcome]]
        for server in servers or [""]:
            await self.receipt(transaction, stored, user, server, state, at=at)

    async def counts(
        self, connection: AsyncConnection, found: Iterable[StoredBroadcast]
    ) -> dict[str, dict[str, int]]:
        """Return how many recipients of the latest occurrence there are of each outcome."""
        latest = {one.id: one.occurrence or one.created for one in found}
        counts: dict[str, dict[str, int]] = {id_: {} for id_ in latest}
        if not latest:
            return counts
        statement = (
            select(_D.broadcast_id, _D.occurrence, _D.outcome, func.count())
            .where(_D.broadcast_id.in_(latest))
            .group_by(_D.broadcast_id, _D.occurrence, _D.outcome)
        )
        for id_, occurrence, outcome, count in await connection.execute(statement):
            if occurrence == latest[id_]:
                counts[id_][outcome] = count
        return counts

    async def listed(
        self,
        connection: AsyncConnection,
        stored: StoredBroadcast,
        *,
        outcome: str | None = None,
        user: str | None = None,
        after_seq: int | None = None,
        limit: int = 10_000,
        offset: int = 0,
    ) -> tuple[list[Delivered], int, int]:
        """Return the latest occurrence's rows, how many there are, and the highest number."""
        where = [
            _D.broadcast_id == stored.id,
            _D.occurrence == (stored.occurrence or stored.created),
        ]
        if outcome is not None:
            where.append(_D.outcome == outcome)
        if user:
            where.append(_D.user_name.icontains(user, autoescape=True))
        if after_seq is not None:
            where.append(_D.seq > after_seq)
        counted = select(func.count(), func.max(_D.seq)).where(*where)
        total, highest = (await connection.execute(counted)).one()
        columns = [
            _D.seq,
            _D.user_name,
            _D.server_name,
            _D.outcome,
            _D.reason,
            _D.tabs,
            _D.reply,
            _D.updated,
        ]
        statement = (
            select(*columns)
            .where(*where)
            .order_by(*([_D.seq] if after_seq is not None else [_D.user_name, _D.server_name]))
            .limit(limit)
            .offset(offset)
        )
        names = ("user", "server", "outcome", "reason", "tabs", "reply", "updated")
        rows: Sequence[Any] = (await connection.execute(statement)).all()
        items = [Delivered(**dict(zip(names, row[1:], strict=True))) for row in rows]
        if after_seq is not None and rows:
            # The rest comes with the next call.
            highest = rows[-1][0]
        return items, total, highest or 0

    async def retry(
        self, transaction: Transaction, stored: StoredBroadcast, outcomes: Sequence[str]
    ) -> int:
        """Make what failed due again; return how many there are."""
        result = await transaction.connection.execute(
            update(Delivery)
            .where(
                _D.broadcast_id == stored.id,
                _D.occurrence == (stored.occurrence or stored.created),
                _D.outcome.in_(outcomes),
            )
            .values(
                outcome="waiting",
                reason=None,
                due=now(),
                attempts=0,
                seq=transaction.bump(),
                updated=now(),
            )
        )
        return int(result.rowcount)


def _is_further(known: Any, state: str, tabs: int | None) -> bool:
    """Return whether a receipt says more than the row does."""
    if RANKS[known.outcome] != RANKS[state]:
        return RANKS[known.outcome] < RANKS[state]
    return known.outcome == state and (tabs or 0) > (known.tabs or 0)
