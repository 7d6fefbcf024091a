"""Reads and writes broadcasts and what each user did with them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..models.stored import ENDED, BroadcastUserState, StoredBroadcast
from ..schema import Broadcast, BroadcastState
from .upsert import upsert

__all__ = ["BroadcastStore"]

_B = Broadcast.__table__.c
_S = BroadcastState.__table__.c
_FIELDS = (
    "id",
    "seq",
    "origin",
    "sender",
    "key",
    "type",
    "summary",
    "body",
    "options",
    "audience",
    "groups",
    "users",
    "schedule",
    "enabled",
    "active",
    "stale",
    "occurrence",
    "occurrence_ends",
    "next_change",
    "created",
    "updated",
    "revoked",
    "counts",
)
#: Maximum number of names in a statement.
FEW = 100
_STATE = ("seq", "read", "dismissed", "snoozed_until", "accepted", "replied", "reply")


def _stored(row: Row[Any]) -> StoredBroadcast:
    return StoredBroadcast(**{name: row._mapping[name] for name in _FIELDS})


class BroadcastStore:
    """The queries of the tables of broadcasts; each method is given its connection."""

    async def shown(self, connection: AsyncConnection) -> list[StoredBroadcast]:
        """Return the broadcasts shown now, newest first, whatever their audience."""
        return await self._where(connection, _B.active.is_(True), _B.revoked.is_(None))

    async def important(
        self, connection: AsyncConnection, after: datetime, before: datetime
    ) -> list[StoredBroadcast]:
        """Return the important broadcasts shown now whose occurrence began between two moments."""
        return await self._where(
            connection,
            _B.active.is_(True),
            _B.revoked.is_(None),
            _B.occurrence > after,
            _B.occurrence <= before,
            _B.options["important"].as_boolean().is_(True),
        )

    async def changed(
        self, connection: AsyncConnection, after: int, upto: int
    ) -> list[StoredBroadcast]:
        """Return the broadcasts in a range of numbers."""
        return await self._where(connection, _B.seq > after, _B.seq <= upto)

    async def due(self, connection: AsyncConnection, at: datetime) -> list[StoredBroadcast]:
        """Return the broadcasts that the scheduler has to look at."""
        return await self._where(connection, _B.next_change <= at, _B.revoked.is_(None))

    async def one(self, connection: AsyncConnection, id_: str) -> StoredBroadcast | None:
        """Return one broadcast, revoked ones included; `None` if there is none."""
        found = await self._where(connection, _B.id == id_)
        return found[0] if found else None

    async def with_key(
        self, connection: AsyncConnection, sender: str, key: str
    ) -> StoredBroadcast | None:
        """Return a sender's broadcast with a key, unless it is revoked."""
        found = await self._where(
            connection, _B.sender == sender, _B.key == key, _B.revoked.is_(None)
        )
        return found[0] if found else None

    async def of_folder(self, connection: AsyncConnection) -> list[StoredBroadcast]:
        """Return the broadcasts that came from files and are not revoked."""
        return await self._where(connection, _B.origin == "folder", _B.revoked.is_(None))

    async def listed(
        self,
        connection: AsyncConnection,
        *,
        sender: str | None,
        words: str | None = None,
        limit: int,
        offset: int,
    ) -> tuple[list[StoredBroadcast], int]:
        """Return a page of all or a sender's broadcasts, newest first, and their number in all."""
        where = [] if sender is None else [_B.sender == sender]
        if words:
            texts = (_B.summary, _B.body, _B.sender)
            where.append(or_(*(text.icontains(words, autoescape=True) for text in texts)))
        total = (
            await connection.execute(select(func.count()).select_from(Broadcast).where(*where))
        ).scalar_one()
        statement = (
            select(*(_B[name] for name in _FIELDS))
            .where(*where)
            .order_by(_B.created.desc(), _B.id.desc())
            .limit(limit)
            .offset(offset)
        )
        return [_stored(row) for row in await connection.execute(statement)], total

    async def _where(
        self, connection: AsyncConnection, *where: ColumnElement[bool]
    ) -> list[StoredBroadcast]:
        statement = (
            select(*(_B[name] for name in _FIELDS))
            .where(*where)
            .order_by(_B.created.desc(), _B.id.desc())
        )
        return [_stored(row) for row in await connection.execute(statement)]

    async def insert(self, connection: AsyncConnection, row: dict[str, Any]) -> None:
        """Insert a broadcast."""
        await connection.execute(insert(Broadcast).values(row))

    async def change(self, connection: AsyncConnection, id_: str, values: dict[str, Any]) -> None:
        """Set columns of one broadcast."""
        await connection.execute(update(Broadcast).where(_B.id == id_).values(values))

    async def show_again(self, connection: AsyncConnection, id_: str) -> None:
        """Clear that users have read, dismissed, snoozed or accepted it; keep their replies."""
        await connection.execute(
            update(BroadcastState)
            .where(_S.broadcast_id == id_)
            .values(read=None, dismissed=None, accepted=None)
        )
        await connection.execute(
            update(BroadcastState)
            .where(_S.broadcast_id == id_, _S.snoozed_until.is_not(None))
            .values(snoozed_until=ENDED)
        )

    async def states_of_user(
        self, connection: AsyncConnection, user: str
    ) -> dict[str, tuple[datetime | None, BroadcastUserState]]:
        """Return, by broadcast, a user's state and the occurrence that it belongs to."""
        columns = [_S.broadcast_id, _S.occurrence, *(_S[name] for name in _STATE)]
        statement = select(*columns).where(_S.user_name == user)
        return {
            row[0]: (row[1], BroadcastUserState(**dict(zip(_STATE, row[2:], strict=True))))
            for row in await connection.execute(statement)
        }

    async def states_of(
        self, connection: AsyncConnection, stored: StoredBroadcast, users: Collection[str]
    ) -> dict[str, BroadcastUserState]:
        """Return these users' states of the present occurrence of a broadcast."""
        columns = [_S.user_name, *(_S[name] for name in _STATE)]
        statement = select(*columns).where(
            _S.broadcast_id == stored.id, _S.occurrence == stored.occurrence
        )
        if len(users) <= FEW:
            # Not all states: ten thousand users may have one.
            statement = statement.where(_S.user_name.in_(users))
        return {
            row[0]: BroadcastUserState(**dict(zip(_STATE, row[1:], strict=True)))
            for row in await connection.execute(statement)
            if row[0] in users
        }

    async def changed_states(
        self, connection: AsyncConnection, after: int, upto: int
    ) -> list[tuple[str, str, BroadcastUserState]]:
        """Return ``(user, broadcast, state)`` for the states in a range of numbers."""
        columns = [_S.user_name, _S.broadcast_id, *(_S[name] for name in _STATE)]
        statement = select(*columns).where(_S.seq > after, _S.seq <= upto)
        return [
            (row[0], row[1], BroadcastUserState(**dict(zip(_STATE, row[2:], strict=True))))
            for row in await connection.execute(statement)
        ]

    async def set_state(
        self,
        connection: AsyncConnection,
        stored: StoredBroadcast,
        user: str,
        values: dict[str, Any],
    ) -> None:
        """Set a user's state of the present occurrence; the state of an earlier one is dropped."""
        statement = select(_S.occurrence).where(_S.broadcast_id == stored.id, _S.user_name == user)
        row = (await connection.execute(statement)).one_or_none()
        anew: dict[str, Any] = {}
        if row is not None and row[0] != stored.occurrence:
            anew = {name: None for name in _STATE if name != "seq"}
        await upsert(
            connection,
            BroadcastState.__table__,
            ["broadcast_id", "user_name"],
            {
                "broadcast_id": stored.id,
                "user_name": user,
                "occurrence": stored.occurrence,
                **anew,
                **values,
            },
        )

    async def one_state(
        self, connection: AsyncConnection, stored: StoredBroadcast, user: str
    ) -> BroadcastUserState:
        """Return a user's state of the present occurrence."""
        return (await self.states_of(connection, stored, [user])).get(user, BroadcastUserState())
