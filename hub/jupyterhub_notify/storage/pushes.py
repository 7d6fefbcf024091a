"""The ledger as a queue: who is planned for, what is due, who has claimed it, what came of it."""

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

#: User and server.
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
        """The broadcast's id, and which occurrence of it this is."""
        return self.broadcast_id, self.occurrence


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRow:
    """The ledger's row of one server while recipients are planned."""

    outcome: str
    due: datetime | None
    url: str | None
    attempts: int


class PushStore:
    """The ledger's side of delivery.

    Parameters
    ----------
    database
        Where claims are made: they need no number, and so no place in the order of writes.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    # --- Recipients

    async def to_plan(self, connection: AsyncConnection, at: datetime) -> list[str]:
        """Return the broadcasts whose recipients are to be looked for."""
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
        """Say that this process looks for a broadcast's recipients; False if another does."""
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
        """Say that the recipients of the present occurrence are known."""
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
        """Say that they could not be found, and when to look again."""
        await transaction.connection.execute(
            update(Broadcast).where(_B.id == stored.id).values(plan_leased_until=again)
        )

    async def rows(
        self, connection: AsyncConnection, stored: StoredBroadcast
    ) -> dict[DeliveryKey, PlanRow]:
        """Return what the ledger has of the present occurrence."""
        statement = select(
            _D.user_name, _D.server_name, _D.outcome, _D.due, _D.url, _D.attempts
        ).where(*_of(stored))
        return {
            (row[0], row[1]): PlanRow(outcome=row[2], due=row[3], url=row[4], attempts=row[5])
            for row in await connection.execute(statement)
        }

    async def hellos(self, connection: AsyncConnection) -> dict[DeliveryKey, datetime]:
        """Return when which server's lab said hello last."""
        statement = select(Server.user_name, Server.server_name, Server.hello)
        return {(row[0], row[1]): row[2] for row in await connection.execute(statement)}

    async def add(
        self,
        transaction: Transaction,
        stored: StoredBroadcast,
        rows: Iterable[tuple[DeliveryKey, datetime | None, str | None]],
    ) -> None:
        """Add recipients: whose server, when it is pushed to if at all, and where."""
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
        """Push to a server that waits: it runs now, and its lab does not ask."""
        await transaction.connection.execute(
            update(Delivery)
            .where(*_of(stored), *_at(key), _D.outcome == "waiting", _D.due.is_(None))
            .values(due=due, url=url, attempts=0)
        )

    async def drop(
        self, transaction: Transaction, stored: StoredBroadcast, users: Sequence[str]
    ) -> None:
        """Delete the rows of default servers that do not run, of users who have others."""
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
        """Claim some of what is due; what others have claimed is left out, not waited for."""
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
        """Note that a push by the older route begins; False if it is not this process's any more.

        That route knows no keys. Should this process end before it says what came of the push, who
        takes over can tell that it may have arrived.
        """
        result = await transaction.connection.execute(
            update(Delivery).where(*_mine(owner, claimed)).values(route="older")
        )
        return bool(result.rowcount)

    async def settle(
        self, transaction: Transaction, owner: str, claimed: Claimed, values: dict[str, Any]
    ) -> bool:
        """Write what came of a push, unless another replica has taken it over meanwhile.

        What a receipt said in the meantime stays: it knows more.
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
        """Give back whatever this process has claimed: it ends."""
        async with self._database.claim() as connection:
            await connection.execute(
                update(Delivery)
                .where(_D.leased_by == owner)
                .values(leased_by=None, leased_until=None)
            )


def _of(stored: StoredBroadcast) -> tuple[Any, ...]:
    return _D.broadcast_id == stored.id, _D.occurrence == (stored.occurrence or stored.created)


def _mine(owner: str, claimed: Claimed) -> tuple[Any, ...]:
    """Return the condition of a delivery that this process still has."""
    return (
        _D.broadcast_id == claimed.broadcast_id,
        _D.occurrence == claimed.occurrence,
        *_at(claimed.key),
        _D.leased_by == owner,
    )


def _at(key: DeliveryKey) -> tuple[Any, ...]:
    return _D.user_name == key[0], _D.server_name == key[1]
