"""Reads and writes users' do-not-disturb and muted sources."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..schema import UserQuiet, now
from .upsert import upsert

__all__ = ["QuietStore"]

_Q = UserQuiet.__table__.c


class QuietStore:
    """The queries of the table; each method is given its connection."""

    async def one(self, connection: AsyncConnection, user: str) -> dict[str, Any]:
        """Return a user's entries by source."""
        found = await connection.execute(select(_Q.entries).where(_Q.user_name == user))
        return dict(found.scalar_one_or_none() or {})

    async def put(
        self, connection: AsyncConnection, user: str, seq: int, entries: dict[str, Any]
    ) -> None:
        """Write a user's entries."""
        row = {"user_name": user, "seq": seq, "entries": entries, "updated": now()}
        await upsert(connection, UserQuiet.__table__, ["user_name"], row)

    async def changed(
        self, connection: AsyncConnection, after: int, upto: int, user: str | None = None
    ) -> list[tuple[str, int, dict[str, Any]]]:
        """Return the user, number and entries of each change in a range, of all users or one."""
        statement = select(_Q.user_name, _Q.seq, _Q.entries).where(_Q.seq > after, _Q.seq <= upto)
        if user is not None:
            statement = statement.where(_Q.user_name == user)
        rows = await connection.execute(statement)
        return [(row.user_name, row.seq, row.entries) for row in rows]
