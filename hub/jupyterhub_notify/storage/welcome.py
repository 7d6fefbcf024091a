"""Reads and writes welcome messages and what each user did with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..models.stored import StoredWelcome, WelcomeUserState
from ..schema import Welcome, WelcomeState
from .upsert import upsert

__all__ = ["WelcomeStore"]

_W = Welcome.__table__.c
_S = WelcomeState.__table__.c
_FIELDS = (
    "id",
    "seq",
    "sender",
    "aspect",
    "position",
    "title",
    "summary",
    "body",
    "dismissable",
    "max_views",
    "must_accept",
    "groups",
    "users",
    "created",
    "updated",
    "expires",
    "ended",
)
_STATE = ("seq", "views", "seen_version", "dismissed", "accepted")


class WelcomeStore:
    """The queries of the tables of welcome messages; each method is given its connection."""

    async def for_user(
        self, connection: AsyncConnection, user: str | None, *where: ColumnElement[bool]
    ) -> list[StoredWelcome]:
        """Return welcome messages in their order, with a user's states."""
        columns = [_W[name] for name in _FIELDS] + [_S[name].label(f"s_{name}") for name in _STATE]
        joined = Welcome.__table__.outerjoin(
            WelcomeState.__table__,
            and_(_S.welcome_id == _W.id, _S.user_name == (user or "")),
        )
        statement = (
            select(*columns)
            .select_from(joined)
            .where(*where)
            .order_by(_W.position, _W.created, _W.id)
        )
        found = []
        for row in await connection.execute(statement):
            values = row._mapping
            state = WelcomeUserState()
            if values["s_seq"] is not None:
                state = WelcomeUserState(**{name: values[f"s_{name}"] for name in _STATE})
            fields = {name: values[name] for name in _FIELDS}
            found.append(StoredWelcome(**fields, user_state=state))
        return found

    async def current(
        self, connection: AsyncConnection, user: str | None, aspect: str | None
    ) -> list[StoredWelcome]:
        """Return the welcome messages that have not ended, of one aspect or all, due or not."""
        where: list[ColumnElement[bool]] = [_W.ended.is_(None)]
        if aspect is not None:
            where.append(_W.aspect == aspect)
        return await self.for_user(connection, user, *where)

    async def changed(
        self, connection: AsyncConnection, user: str | None, after: int, upto: int
    ) -> list[StoredWelcome]:
        """Return the welcome messages in a range of numbers."""
        return await self.for_user(connection, user, _W.seq > after, _W.seq <= upto)

    async def one(self, connection: AsyncConnection, id_: str) -> StoredWelcome | None:
        """Return one welcome message; `None` if there is none."""
        found = await self.for_user(connection, None, _W.id == id_)
        return found[0] if found else None

    async def latest_mark(self, connection: AsyncConnection, id_: str) -> datetime | None:
        """Return the latest time at which any user dismissed or accepted a message; or `None`."""
        statement = select(func.max(_S.dismissed), func.max(_S.accepted)).where(
            _S.welcome_id == id_
        )
        row = (await connection.execute(statement)).one()
        return max((at for at in row if at is not None), default=None)

    async def changed_states(
        self, connection: AsyncConnection, after: int, upto: int
    ) -> list[tuple[str, str, WelcomeUserState]]:
        """Return ``(user, message, state)`` for the states in a range of numbers."""
        columns = [_S.user_name, _S.welcome_id, *(_S[name] for name in _STATE)]
        statement = select(*columns).where(_S.seq > after, _S.seq <= upto)
        return [
            (row[0], row[1], WelcomeUserState(**dict(zip(_STATE, row[2:], strict=True))))
            for row in await connection.execute(statement)
        ]

    async def readers(
        self, connection: AsyncConnection, id_: str, *, limit: int, offset: int
    ) -> tuple[list[tuple[str, WelcomeUserState]], int]:
        """Return users' states of a message, and how many users there are."""
        total = (
            await connection.execute(
                select(func.count()).select_from(WelcomeState).where(_S.welcome_id == id_)
            )
        ).scalar_one()
        columns = [_S.user_name, *(_S[name] for name in _STATE)]
        statement = (
            select(*columns)
            .where(_S.welcome_id == id_)
            .order_by(_S.user_name)
            .limit(limit)
            .offset(offset)
        )
        rows = [
            (row[0], WelcomeUserState(**dict(zip(_STATE, row[1:], strict=True))))
            for row in await connection.execute(statement)
        ]
        return rows, total

    async def insert(self, connection: AsyncConnection, row: dict[str, Any]) -> None:
        """Insert a welcome message."""
        await connection.execute(insert(Welcome).values(row))

    async def change(self, connection: AsyncConnection, id_: str, values: dict[str, Any]) -> None:
        """Set columns of one welcome message."""
        await connection.execute(update(Welcome).where(_W.id == id_).values(values))

    async def set_state(
        self, connection: AsyncConnection, id_: str, user: str, values: dict[str, Any]
    ) -> None:
        """Set a user's state of a message."""
        row = {"welcome_id": id_, "user_name": user, **values}
        await upsert(connection, WelcomeState.__table__, ["welcome_id", "user_name"], row)
