"""Reads and writes the queue of the channels, and the users' choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..schema import (
    ChannelChoice,
    ChannelSend,
    ChannelSpread,
    Notification,
    NotificationState,
    now,
)
from .upsert import upsert

__all__ = ["ChannelStore", "Send"]

_N = Notification.__table__.c
_S = NotificationState.__table__.c
_C = ChannelChoice.__table__.c
_Q = ChannelSend.__table__.c
_P = ChannelSpread.__table__.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Send:
    """One message that is due for one user over one channel."""

    message: str
    user_name: str
    channel: str
    notification_id: int | None
    broadcast_id: str | None
    occurrence: datetime | None
    #: The time at which it was first due.
    created: datetime
    #: The number of claims so far, with this one; a row with more was claimed by another replica.
    attempts: int


_SEND = tuple(field.name for field in fields(Send))


class ChannelStore:
    """The queries of the tables; each method is given its connection."""

    async def unread(
        self, connection: AsyncConnection, after: datetime, before: datetime, limit: int
    ) -> list[tuple[int, str]]:
        """Return important notifications to users that are neither queued nor read.

        Parameters
        ----------
        connection
            The connection.
        after, before
            The moments between which they last changed.
        limit
            Maximum number.

        Returns
        -------
        list of tuple
            The id and the user of each.
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

    async def queue(self, connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
        """Put messages into the queue: each with message, user_name, channel, due and state."""
        at = now()
        shared = {"notification_id": None, "broadcast_id": None, "occurrence": None}
        if rows:
            # The day of attempts begins when the message is first due: a digest or quiet hours may
            # have put it off.
            values = [
                {**shared, **row, "created": row["due"], "attempts": 0, "updated": at}
                for row in rows
            ]
            await connection.execute(insert(ChannelSend), values)

    async def claim(
        self,
        connection: AsyncConnection,
        at: datetime,
        lease: timedelta,
        *,
        channel: str | None,
        known: Sequence[str],
        limit: int,
    ) -> list[Send]:
        """Claim sends that are due, the longest due first.

        Parameters
        ----------
        connection
            The connection.
        at, lease
            The present time, and how long no other replica may claim them.
        channel, known
            The channel, and all known ones; `None` for the sends of channels that are not known.
        limit
            Maximum number.
        """
        free = or_(_Q.leased_until.is_(None), _Q.leased_until <= at)
        wanted = _Q.channel.not_in(known) if channel is None else _Q.channel == channel
        statement = (
            select(*(_Q[name] for name in _SEND))
            .where(_Q.state == "waiting", _Q.due <= at, free, wanted)
            .order_by(_Q.due, _Q.user_name, _Q.message)
            .limit(limit)
        )
        found = [Send(**row._mapping) for row in await connection.execute(statement)]
        claimed = []
        for send in found:
            values = {"leased_until": at + lease, "attempts": send.attempts + 1}
            await connection.execute(update(ChannelSend).where(self._is(send)).values(values))
            claimed.append(replace(send, attempts=send.attempts + 1))
        return claimed

    async def renew(
        self, connection: AsyncConnection, sends: Sequence[Send], until: datetime
    ) -> list[Send]:
        """Extend the lease of claimed sends; return those that no other replica has claimed."""
        kept = []
        for send in sends:
            ours = and_(self._is(send), _Q.state == "waiting", _Q.attempts == send.attempts)
            statement = update(ChannelSend).where(ours).values(leased_until=until)
            if (await connection.execute(statement)).rowcount:
                kept.append(send)
        return kept

    async def settle(
        self,
        connection: AsyncConnection,
        send: Send,
        state: str,
        *,
        due: datetime | None = None,
        failure: str | None = None,
    ) -> None:
        """Write the outcome of a send."""
        values: dict[str, Any] = {
            "state": state,
            "leased_until": None,
            "failure": failure,
            "updated": now(),
        }
        if due is not None:
            values["due"] = due
        await connection.execute(update(ChannelSend).where(self._is(send)).values(**values))

    async def choices(
        self, connection: AsyncConnection, users: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Return the choices of some users, by name."""
        statement = select(ChannelChoice.__table__).where(_C.user_name.in_(users))
        rows = await connection.execute(statement)
        return {row.user_name: dict(row._mapping) for row in rows}

    async def choice(self, connection: AsyncConnection, user: str) -> dict[str, Any] | None:
        """Return a user's choice; `None` if the user has made none."""
        statement = select(ChannelChoice.__table__).where(_C.user_name == user)
        row = (await connection.execute(statement)).first()
        return None if row is None else dict(row._mapping)

    async def choice_of(self, connection: AsyncConnection, token: str) -> dict[str, Any] | None:
        """Return the choice that belongs to a link's token."""
        statement = select(ChannelChoice.__table__).where(_C.token == token)
        row = (await connection.execute(statement)).first()
        return None if row is None else dict(row._mapping)

    async def choose(self, connection: AsyncConnection, values: dict[str, Any]) -> None:
        """Write a user's choice."""
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

    async def delete_of_broadcasts(self, connection: AsyncConnection, before: datetime) -> int:
        """Delete old sends of broadcasts, which may recur for ever; return their number."""
        old = and_(_Q.broadcast_id.is_not(None), _Q.state != "waiting", _Q.updated < before)
        deleted = await connection.execute(delete(ChannelSend).where(old))
        spread = and_(_P.broadcast_id.is_not(None), _P.done.is_(True), _P.updated < before)
        await connection.execute(delete(ChannelSpread).where(spread))
        return int(deleted.rowcount)

    def _is(self, send: Send) -> ColumnElement[bool]:
        return and_(
            _Q.message == send.message,
            _Q.user_name == send.user_name,
            _Q.channel == send.channel,
        )
