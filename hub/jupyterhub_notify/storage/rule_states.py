"""Reads and writes the states of rules, and the lease of the replica that runs them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..schema import Lease, RuleState, now
from .upsert import upsert

__all__ = ["RuleStateStore"]

_R = RuleState.__table__.c
_L = Lease.__table__.c


class RuleStateStore:
    """The queries of the tables; each method is given its connection."""

    async def all(self, connection: AsyncConnection) -> list[dict[str, Any]]:
        """Return all states."""
        statement = select(RuleState.__table__).order_by(_R.rule, _R.user_name)
        return [
            {"rule": row.rule, "user": row.user_name, "state": row.state, "updated": row.updated}
            for row in await connection.execute(statement)
        ]

    async def put(
        self,
        connection: AsyncConnection,
        rule: str,
        states: Mapping[str, dict[str, Any] | None],
    ) -> None:
        """Write the states of some users; a state that is `None` is deleted."""
        for user, state in states.items():
            if state is None:
                await connection.execute(
                    delete(RuleState).where(and_(_R.rule == rule, _R.user_name == user))
                )
            else:
                values = {"rule": rule, "user_name": user, "state": state, "updated": now()}
                await upsert(connection, RuleState.__table__, ["rule", "user_name"], values)

    async def take_lease(
        self, connection: AsyncConnection, name: str, holder: str, at: datetime, length: timedelta
    ) -> bool:
        """Take or keep a lease.

        Parameters
        ----------
        connection
            The connection.
        name
            The lease's name.
        holder
            The process that wants it.
        at
            The present time.
        length
            The length of the lease.

        Returns
        -------
        bool
            Whether the process holds the lease.
        """
        mine = or_(_L.until <= at, _L.holder == holder)
        changed = await connection.execute(
            update(Lease).where(_L.name == name, mine).values(holder=holder, until=at + length)
        )
        if changed.rowcount:
            return True
        if (await connection.execute(select(_L.name).where(_L.name == name))).first() is not None:
            return False
        await connection.execute(insert(Lease).values(name=name, holder=holder, until=at + length))
        return True

    async def release(self, connection: AsyncConnection, name: str, holder: str) -> None:
        """Release a lease."""
        await connection.execute(delete(Lease).where(_L.name == name, _L.holder == holder))
