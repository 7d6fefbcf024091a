"""Reads and writes the templates that senders have saved."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..schema import SavedTemplate, now
from .upsert import upsert

__all__ = ["SavedTemplateStore"]

_T = SavedTemplate.__table__.c


class SavedTemplateStore:
    """The queries of the table; each method is given its connection."""

    async def listed(self, connection: AsyncConnection, sender: str | None) -> list[dict[str, Any]]:
        """Return templates by name: those that a sender may see, or all."""
        statement = select(SavedTemplate.__table__).order_by(func.lower(_T.name), _T.name)
        if sender is not None:
            statement = statement.where(or_(_T.shared, _T.saved_by == sender))
        return [dict(row._mapping) for row in await connection.execute(statement)]

    async def one(self, connection: AsyncConnection, name: str) -> dict[str, Any] | None:
        """Return the template with a name."""
        statement = select(SavedTemplate.__table__).where(_T.name == name)
        row = (await connection.execute(statement)).first()
        return None if row is None else dict(row._mapping)

    async def count(self, connection: AsyncConnection) -> int:
        """Return the number of templates."""
        statement = select(func.count()).select_from(SavedTemplate)
        return int((await connection.execute(statement)).scalar_one())

    async def put(self, connection: AsyncConnection, values: dict[str, Any]) -> None:
        """Write a template; it replaces one of the same name."""
        row = {**values, "updated": now()}
        await upsert(connection, SavedTemplate.__table__, ["name"], row)

    async def delete(self, connection: AsyncConnection, name: str) -> None:
        """Delete a template."""
        await connection.execute(delete(SavedTemplate).where(_T.name == name))
