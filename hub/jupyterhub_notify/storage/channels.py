"""Reading and writing what goes over other channels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..schema import ChannelChoice, ChannelSend, Notification, NotificationState, now
from .upsert import upsert

__all__ = ["ChannelStore"]

_N = Notification.__table__.c
_S = NotificationState.__table__.c
_C = ChannelChoice.__table__.c
_Q = ChannelSend.__table__.c


class ChannelStore:
    """The queries of the tables; each method is given its connection."""

    async def unread(
        self, connection: AsyncConnection, after: datetime, before: datetime, limit: int
    ) -> list[tuple[int, str]]:
        """Return important notifications of users that were not queued yet, and are not read.

        Parameters
        ----------
        connection
            Where from.
        after, before
            Between which moments they became what they are.
        limit
            Most of them.

        Returns
        -------
        list of tuple
            Id and user of each.
        """
        queued = exists().where(_Q.notification_id == _N.id)
        statement = (
            select(_N.id, _N.target)
            .select_from(
                Notification.__table__.outerjoin(
                    NotificationState.__table__,
                    and_(
                        _S.notification_id == _N.id,
                        # The target of a user is u:NAME.
                        _N.target == "u:" + _S.user_name,
                    ),
                )
            )
            .where(
                _N.state == "active",
                _N.target.like("u:%"),
                _N.updated > after,
                _N.updated <= before,
                _N.options["important"].as_boolean().is_(True),
                _S.read.is_(None),
                _S.dismissed.is_(None),
                ~queued,
            )
            .order_by(_N.id)
            .limit(limit)
        )
        return [(row.id, row.target[2:]) for row in await connection.execute(statement)]

    async def queue(
        self, connection: AsyncConnection, rows: Sequence[tuple[int, str, str, datetime, str]]
    ) -> None:
        """Put notifications into the queue: id, user, channel, when, and state."""
        at = now()
        for id_, user, channel, due, state in rows:
            await connection.execute(
                insert(ChannelSend).values(
                    notification_id=id_,
                    user_name=user,
                    channel=channel,
                    state=state,
                    due=due,
                    created=at,
                    attempts=0,
                    updated=at,
                )
            )

    async def claim(
        self, connection: AsyncConnection, at: datetime, lease: timedelta, limit: int
    ) -> list[tuple[int, str, str]]:
        """Claim what is due: id, user and channel of each. All of a user's goes together."""
        free = or_(_Q.leased_until.is_(None), _Q.leased_until <= at)
        statement = (
            select(_Q.notification_id, _Q.user_name, _Q.channel)
            .where(_Q.state == "waiting", _Q.due <= at, free)
            .order_by(_Q.due, _Q.user_name, _Q.notification_id)
            .limit(limit)
        )
        found = [tuple(row) for row in await connection.execute(statement)]
        for row in found:
            await connection.execute(
                update(ChannelSend)
                .where(self._is(*row))
                .values(leased_until=at + lease, attempts=_Q.attempts + 1)
            )
        return found

    async def settle(
        self,
        connection: AsyncConnection,
        row: tuple[int, str, str],
        state: str,
        *,
        due: datetime | None = None,
        failure: str | None = None,
    ) -> None:
        """Write what became of one."""
        values: dict[str, Any] = {
            "state": state,
            "leased_until": None,
            "failure": failure,
            "updated": now(),
        }
        if due is not None:
            values["due"] = due
        await connection.execute(update(ChannelSend).where(self._is(*row)).values(**values))

    async def tries(
        self, connection: AsyncConnection, row: tuple[int, str, str]
    ) -> tuple[int, datetime]:
        """Return how often one was tried, and when it was queued."""
        statement = select(_Q.attempts, _Q.created).where(self._is(*row))
        found = (await connection.execute(statement)).one()
        return found.attempts, found.created

    async def choice(self, connection: AsyncConnection, user: str) -> dict[str, Any] | None:
        """Return what a user has chosen."""
        statement = select(ChannelChoice.__table__).where(_C.user_name == user)
        row = (await connection.execute(statement)).first()
        return None if row is None else dict(row._mapping)

    async def choice_of(self, connection: AsyncConnection, token: str) -> dict[str, Any] | None:
        """Return the choice that a link's token is for."""
        statement = select(ChannelChoice.__table__).where(_C.token == token)
        row = (await connection.execute(statement)).first()
        return None if row is None else dict(row._mapping)

    async def choose(self, connection: AsyncConnection, values: dict[str, Any]) -> None:
        """Write what a user has chosen."""
        row = {**values, "updated": now()}
        await upsert(connection, ChannelChoice.__table__, ["user_name"], row)

    async def summary(self, connection: AsyncConnection) -> list[dict[str, Any]]:
        """Return the number of sends by channel, state and failure."""
        columns = (_Q.channel, _Q.state, _Q.failure)
        statement = select(
            *columns, func.count().label("count"), func.max(_Q.updated).label("last")
        )
        rows = await connection.execute(statement.group_by(*columns).order_by(*columns))
        return [dict(row._mapping) for row in rows]

    def _is(self, id_: int, user: str, channel: str) -> Any:
        return and_(_Q.notification_id == id_, _Q.user_name == user, _Q.channel == channel)
