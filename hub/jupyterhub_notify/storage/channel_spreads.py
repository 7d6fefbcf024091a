"""Messages to many that go over channels: which are due, and how far each has been queued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..models.stored import StoredBroadcast
from ..schema import (
    OF_GROUPS,
    Broadcast,
    BroadcastState,
    ChannelSpread,
    Delivery,
    Notification,
    NotificationState,
    now,
)
from .broadcasts import BroadcastStore
from .upsert import upsert

__all__ = ["ChannelSpreadStore", "ToMany"]

_N = Notification.__table__.c
_S = NotificationState.__table__.c
_B = Broadcast.__table__.c
_O = BroadcastState.__table__.c
_D = Delivery.__table__.c
_P = ChannelSpread.__table__.c


@dataclass(frozen=True, kw_only=True, slots=True)
class ToMany:
    """One message to a group, or one occurrence of a broadcast.

    Parameters
    ----------
    message
        The identifier in the queue.
    notification_id, group
        The notification to a group, and the group; `None` for a broadcast.
    broadcast
        The broadcast; `None` for a notification.
    """

    message: str
    notification_id: int | None = None
    group: str | None = None
    broadcast: StoredBroadcast | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The columns that identify the message."""
        return {
            "message": self.message,
            "notification_id": self.notification_id,
            "broadcast_id": None if self.broadcast is None else self.broadcast.id,
        }


class ChannelSpreadStore:
    """The queries; each method is given its connection."""

    def __init__(self) -> None:
        self._broadcasts = BroadcastStore()

    async def due(
        self, connection: AsyncConnection, after: datetime, before: datetime
    ) -> list[ToMany]:
        """Return important messages to many that are not completely queued yet.

        Parameters
        ----------
        connection
            The connection.
        after, before
            The moments between which they last changed.
        """
        statement = (
            select(_N.id, _N.target)
            .where(
                OF_GROUPS,
                _N.state == "active",
                _N.updated > after,
                _N.updated <= before,
                _N.options["important"].as_boolean().is_(True),
            )
            .order_by(_N.id)
        )
        found = [
            ToMany(message=f"n:{row.id}", notification_id=row.id, group=row.target[2:])
            for row in await connection.execute(statement)
        ]
        found += [
            ToMany(message=message_of(stored.id, stored.occurrence), broadcast=stored)
            for stored in await self._broadcasts.important(connection, after, before)
            if stored.occurrence is not None
        ]
        names = [one.message for one in found]
        done = select(_P.message).where(_P.message.in_(names), _P.done.is_(True))
        over = set((await connection.execute(done)).scalars()) if names else set()
        return [one for one in found if one.message not in over]

    async def upto(self, connection: AsyncConnection, message: str) -> str | None:
        """Return the last user processed, an empty name at first; None if all users are."""
        statement = select(_P.upto, _P.done).where(_P.message == message)
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return ""
        return None if row.done else str(row.upto)

    async def move(
        self, connection: AsyncConnection, message: ToMany, upto: str, *, done: bool
    ) -> None:
        """Note how far a message has been queued."""
        # The name is dropped at the end, since it is no longer needed.
        row = {**message.row, "upto": "" if done else upto, "done": done, "updated": now()}
        await upsert(connection, ChannelSpread.__table__, ["message"], row)

    async def settled(
        self, connection: AsyncConnection, message: ToMany, users: Sequence[str]
    ) -> set[str]:
        """Return those of some users who have read, dismissed or answered a message."""
        if message.broadcast is None:
            statement = select(_S.user_name).where(
                _S.notification_id == message.notification_id,
                _S.user_name.in_(users),
                or_(_S.read.is_not(None), _S.dismissed.is_not(None)),
            )
        else:
            done = (_O.read, _O.dismissed, _O.accepted, _O.replied)
            statement = select(_O.user_name).where(
                _O.broadcast_id == message.broadcast.id,
                _O.occurrence == message.broadcast.occurrence,
                _O.user_name.in_(users),
                or_(*(column.is_not(None) for column in done)),
            )
        return set((await connection.execute(statement)).scalars())

    async def in_ledger(self, connection: AsyncConnection, stored: StoredBroadcast) -> set[str]:
        """Return the users who have a row in a broadcast's ledger."""
        statement = select(func.distinct(_D.user_name)).where(
            and_(_D.broadcast_id == stored.id, _D.occurrence == stored.occurrence)
        )
        return set((await connection.execute(statement)).scalars())


def message_of(broadcast: str, occurrence: datetime | None) -> str:
    """Return the identifier of an occurrence in the queue: each is a message of its own."""
    moment = "" if occurrence is None else f"{occurrence:%Y%m%dT%H%M%S.%f}"
    return f"b:{broadcast}:{moment}"
