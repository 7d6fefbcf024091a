"""The ledger as a queue: its recipients, and the claims and outcomes of pushes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..models.stored import StoredBroadcast
from ..schema import Broadcast, Delivery, Server, now
from .database import Database
from .writer import Transaction

__all__ = ["Claimed", "DeliveryKey", "PlanRow", "PushStore"]

_B = Broadcast.__table__.c
_D = Delivery.__table__.c

#: The user, and the name of the server.
DeliveryKey = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A delivery that this process pushes now."""

    broadcast_id: str
    occurrence: datetime
    user: str
    server: str
    url: str
    outcome: str
    route: str | None
    attempts: int

    @property
    def key(self) -> DeliveryKey:
        """The user and the name of the server."""
        return self.user, self.server

    @property
    def occurs(self) -> tuple[str, datetime]:
        """The broadcast's id and the occurrence."""
        return self.broadcast_id, self.occurrence


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRow:
    """The ledger's row of one server while recipients are planned."""

    outcome: str
    due: datetime | None
    url: str | None
    attempts: int


class PushStore:
    """The queries of the ledger for delivery.

    Parameters
    ----------
    database
        The database. Claims are made without the writer: they need no number, and so no place in
        the order of writes.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    # --- Recipients

    async def to_plan(self, connection: AsyncConnection, at: datetime) -> list[str]:
        """Return the broadcasts whose recipients have to be looked for."""
        begun = func.coalesce(_B.occurrence, _B.created)
        statement = select(_B.id).where(
            _B.active.is_(True),
            _B.revoked.is_(None),
            _B.audience != "anonymous",
            or_(_B.planned.is_(None), _B.planned != begun, _B.plan_next <= at),
            or_(_B.plan_leased_until.is_(None), _B.plan_leased_until <= at),
        )
        return list((await connection.execute(statement)).scalars())

    async def claim_plan(self, transaction: Transaction, id_: str, until: datetime) -> bool:
        """Claim the search for a broadcast's recipients; return False if another process has it."""
        result = await transaction.connection.execute(
            update(Broadcast)
            .where(
                _B.id == id_,
                or_(_B.plan_leased_until.is_(None), _B.plan_leased_until <= now()),
            )
            .values(plan_leased_until=until)
        )
        return bool(result.rowcount)

    async def planned(
        self, transaction: Transaction, stored: StoredBroadcast, again: datetime
    ) -> None:
        """Note that the recipients of the present occurrence are known, and when to look again."""
        await transaction.connection.execute(
            update(Broadcast)
            .where(_B.id == stored.id)
            .values(
                planned=stored.occurrence or stored.created,
                plan_next=again,
                plan_leased_until=None,
            )
        )

    async def release_plan(
        self, transaction: Transaction, stored: StoredBroadcast, again: datetime
    ) -> None:
        """Release the search without a result, and note when to look again."""
        await transaction.connection.execute(
            update(Broadcast).where(_B.id == stored.id).values(plan_leased_until=again)
        )

    async def rows(
        self, connection: AsyncConnection, stored: StoredBroadcast
    ) -> dict[DeliveryKey, PlanRow]:
        """Return the ledger's rows of the present occurrence."""
        statement = select(
            _D.user_name, _D.server_name, _D.outcome, _D.due, _D.url, _D.attempts
        ).where(*_of(stored))
        return {
            (row[0], row[1]): PlanRow(outcome=row[2], due=row[3], url=row[4], attempts=row[5])
            for row in await connection.execute(statement)
        }

    async def hellos(self, connection: AsyncConnection) -> dict[DeliveryKey, datetime]:
        """Return when each server's lab last said hello."""
        statement = select(Server.user_name, Server.server_name, Server.hello)
        return {(row[0], row[1]): row[2] for row in await connection.execute(statement)}

    async def add(
        self,
        transaction: Transaction,
        stored: StoredBroadcast,
        rows: Iterable[tuple[DeliveryKey, datetime | None, str | None]],
    ) -> None:
        """Add recipients: the user and server, and when and where to push, if at all."""
        at, begun = now(), stored.occurrence or stored.created
        values = [
            {
                "broadcast_id": stored.id,
                "occurrence": begun,
                "user_name": user,
                "server_name": server,
                "seq": transaction.bump(),
                "outcome": "waiting",
                "attempts": 0,
                "due": due,
                "url": url,
                "updated": at,
            }
            for (user, server), due, url in rows
        ]
        if values:
            await transaction.connection.execute(insert(Delivery), values)

    async def make_due(
        self,
        transaction: Transaction,
        stored: StoredBroadcast,
        key: DeliveryKey,
        due: datetime,
        url: str,
    ) -> None:
        """Make a waiting delivery due: the server runs now, and its lab does not ask."""
        await transaction.connection.execute(
            update(Delivery)
            .where(*_of(stored), *_at(key), _D.outcome == "waiting", _D.due.is_(None))
            .values(due=due, url=url, attempts=0)
        )

    async def drop(
        self, transaction: Transaction, stored: StoredBroadcast, users: Sequence[str]
    ) -> None:
        """Delete the unused rows of default servers of users who have other servers."""
        if not users:
            return
        await transaction.connection.execute(
            delete(Delivery).where(
                *_of(stored),
                _D.user_name.in_(users),
                _D.server_name == "",
                _D.outcome == "waiting",
                _D.attempts == 0,
                _D.url.is_(None),
            )
        )

    # --- Pushes

    async def claim(self, owner: str, count: int, lease_s: float) -> list[Claimed]:
        """Claim some deliveries that are due; skip those claimed by others without waiting."""
        at = now()
        columns = [_D.broadcast_id, _D.occurrence, _D.user_name, _D.server_name]
        wanted = (
            select(*columns, _D.url, _D.outcome, _D.route, _D.attempts)
            .where(
                _D.due <= at,
                _D.url.is_not(None),
                or_(_D.leased_until.is_(None), _D.leased_until <= at),
            )
            .order_by(_D.due)
            .limit(count)
            .with_for_update(skip_locked=True)
        )
        async with self._database.claim() as connection:
            rows = (await connection.execute(wanted)).all()
            if rows:
                await connection.execute(
                    update(Delivery)
                    .where(tuple_(*columns).in_([tuple(row[:4]) for row in rows]))
                    .values(leased_by=owner, leased_until=at + timedelta(seconds=lease_s))
                )
        names = ("broadcast_id", "occurrence", "user", "server", "url", "outcome", "route")
        return [Claimed(**dict(zip((*names, "attempts"), row, strict=True))) for row in rows]

    async def versions(self, connection: AsyncConnection, ids: Iterable[str]) -> dict[str, int]:
        """Return the numbers of the latest changes of some broadcasts."""
        statement = select(_B.id, _B.seq).where(_B.id.in_(set(ids)))
        return {row[0]: row[1] for row in await connection.execute(statement)}

    async def begin_older(self, transaction: Transaction, owner: str, claimed: Claimed) -> bool:
        """Note that a push by the older route begins; return False if the claim is lost.

        That route has no keys. If this process ends before it writes the outcome, the replica that
        takes over can see that the message may have arrived.
        """
        result = await transaction.connection.execute(
            update(Delivery).where(*_mine(owner, claimed)).values(route="older")
        )
        return bool(result.rowcount)

    async def settle(
        self, transaction: Transaction, owner: str, claimed: Claimed, values: dict[str, Any]
    ) -> bool:
        """Write the outcome of a push, if this process still has the claim.

        Another replica may have taken it over, or a receipt may have arrived, which ends the claim:
        a receipt knows more than a push.
        """
        result = await transaction.connection.execute(
            update(Delivery)
            .where(*_mine(owner, claimed))
            .values(
                leased_by=None,
                leased_until=None,
                attempts=_D.attempts + 1,
                seq=transaction.bump(),
                updated=now(),
                **values,
            )
        )
        return bool(result.rowcount)

    async def release(self, owner: str) -> None:
        """Release all claims of this process, because it ends."""
        async with self._database.claim() as connection:
            await connection.execute(
                update(Delivery)
                .where(_D.leased_by == owner)
                .values(leased_by=None, leased_until=None)
            )


def _of(stored: StoredBroadcast) -> tuple[Any, ...]:
    return _D.broadcast_id == stored.id, _D.occurrence == (stored.occurrence or stored.created)


def _mine(owner: str, claimed: Claimed) -> tuple[Any, ...]:
    """Return the condition that this process still has the claim of a delivery."""
    return (
        _D.broadcast_id == claimed.broadcast_id,
        _D.occurrence == claimed.occurrence,
        *_at(claimed.key),
        _D.leased_by == owner,
    )


def _at(key: DeliveryKey) -> tuple[Any, ...]:
    return _D.user_name == key[0], _D.server_name == key[1]
