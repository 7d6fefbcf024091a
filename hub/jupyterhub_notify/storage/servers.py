"""The servers whose labs ask the service by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..schema import (
    BroadcastState,
    ChannelChoice,
    ChannelSend,
    Delivery,
    Notification,
    NotificationState,
    SavedTemplate,
    Server,
    WelcomeState,
    now,
)
from .notifications import user_target
from .upsert import upsert
from .writer import Transaction

__all__ = ["ServerStore"]

_ABOUT_A_USER = (
    NotificationState,
    BroadcastState,
    WelcomeState,
    Delivery,
    Server,
    ChannelChoice,
    ChannelSend,
)


class ServerStore:
    """The queries of the table of servers, and the deletion of everything kept of a user."""

    async def hello(
        self,
        transaction: Transaction,
        user: str,
        server: str,
        *,
        extension: str,
        version: str,
        started: datetime | None,
    ) -> None:
        """Note that a server's lab has said hello."""
        await upsert(
            transaction.connection,
            Server.__table__,
            ["user_name", "server_name"],
            {
                "user_name": user,
                "server_name": server,
                "extension": extension,
                "version": version,
                "started": started,
                "hello": now(),
            },
        )

    async def listed(self, connection: AsyncConnection) -> list[dict[str, Any]]:
        """Return every server, by user and name."""
        statement = select(Server.__table__).order_by(Server.user_name, Server.server_name)
        return [dict(row._mapping) for row in await connection.execute(statement)]

    async def forget_user(self, transaction: Transaction, user: str) -> int:
        """Delete everything that is kept of a user; return the number of notifications."""
        connection = transaction.connection
        for table in _ABOUT_A_USER:
            await connection.execute(delete(table).where(table.user_name == user))
        # Templates saved and broadcasts sent by an administrator belong to the site, and stay.
        own = (SavedTemplate.saved_by == user, SavedTemplate.shared.is_(False))
        await connection.execute(delete(SavedTemplate).where(*own))
        gone = await connection.execute(
            delete(Notification).where(Notification.target == user_target(user))
        )
        # Deleted rows cannot be read as changes, so readers with an older cursor must start anew.
        transaction.pruned = max(transaction.pruned, transaction.next(user))
        return int(gone.rowcount)
