"""The numbers of the latest changes that everyone, or one user, sees."""

from __future__ import annotations

from sqlalchemy import func, select

from ..schema import (
    OF_GROUPS,
    Broadcast,
    BroadcastState,
    Notification,
    NotificationState,
    Welcome,
    WelcomeState,
)
from .database import Database
from .notifications import user_target

__all__ = ["PositionStore"]


class PositionStore:
    """Reads the highest numbers; each process asks once for each user.

    Parameters
    ----------
    database
        The database.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def of_everyone(self) -> int:
        """Return the number of the latest change that more than one user may see."""
        statements = [
            select(func.max(Broadcast.seq)),
            select(func.max(Welcome.seq)),
            select(func.max(Notification.seq)).where(OF_GROUPS),
        ]
        async with self._database.read() as connection:
            found = [(await connection.execute(one)).scalar_one() for one in statements]
        return max(value or 0 for value in found)

    async def of_user(self, user: str) -> int:
        """Return the number of the latest change that only this user sees."""
        statements = [
            select(func.max(Notification.seq)).where(Notification.target == user_target(user)),
            select(func.max(NotificationState.seq)).where(NotificationState.user_name == user),
            select(func.max(BroadcastState.seq)).where(BroadcastState.user_name == user),
            select(func.max(WelcomeState.seq)).where(WelcomeState.user_name == user),
        ]
        async with self._database.read() as connection:
            found = [(await connection.execute(one)).scalar_one() for one in statements]
        return max(value or 0 for value in found)
