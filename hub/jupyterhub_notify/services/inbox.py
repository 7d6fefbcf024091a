"""The user's side of notifications: list, read, mark, snooze, reply."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal

from ..errors import NotFound
from ..identity.caller import Caller
from ..models.stored import ENDED, StoredNotification
from ..schema import now
from ..storage.database import Database
from ..storage.notifications import NotificationStore
from ..storage.pages import Cursor, Page
from ..storage.writer import Transaction, Writer
from .access import require_user
from .replies import check_reply
from .snoozing import is_snoozed, snoozed, woken

__all__ = ["InboxService", "Mark", "numbers"]

Mark = Literal["read", "unread", "dismiss", "restore"]

#: The column that a mark sets or clears, and whether it sets it.
MARKS: dict[Mark, tuple[str, bool]] = {
    "read": ("read", True),
    "unread": ("read", False),
    "dismiss": ("dismissed", True),
    "restore": ("dismissed", False),
}


def numbers(ids: Iterable[str]) -> list[int]:
    """Return the ids that can be a notification's, as numbers."""
    return sorted(
        {int(id_) for id_ in ids if id_.isascii() and id_.isdigit() and 0 < len(id_) <= 18}
    )


class InboxService:
    """A user's own notifications.

    Parameters
    ----------
    database, writer
        For reading and writing.
    store
        The tables.
    """

    def __init__(self, *, database: Database, writer: Writer, store: NotificationStore) -> None:
        self._database = database
        self._writer = writer
        self._store = store

    async def listed(
        self, caller: Caller, *, limit: int | None, cursor: str | None, unread: bool
    ) -> Page[StoredNotification]:
        """Return a page of the caller's notifications, newest first."""
        user = require_user(caller)
        async with self._database.read() as connection:
            return await self._store.for_user(
                connection,
                user,
                caller.groups,
                limit=limit,
                cursor=None if cursor is None else Cursor.parse(cursor),
                unread=unread,
            )

    async def one(self, caller: Caller, id_: str) -> StoredNotification:
        """Return one of the caller's notifications.

        Raises
        ------
        NotFound
            If the caller has no such notification, or it was revoked or has expired.
        """
        user = require_user(caller)
        for number in numbers([id_]):
            async with self._database.read() as connection:
                found = await self._store.one_for_user(connection, user, caller.groups, number)
            if found is not None:
                return found
        raise NotFound(f"Unknown notification: {id_}")

    async def mark(self, caller: Caller, ids: Iterable[str], mark: Mark) -> None:
        """Mark some of the caller's notifications; unknown ids are ignored.

        Parameters
        ----------
        caller
            The user.
        ids
            The notifications.
        mark
            The mark.
        """
        column, on = MARKS[mark]

        def values(one: StoredNotification) -> dict[str, Any]:
            state = one.user_state
            if (getattr(state, column) is not None) == on:
                return {}
            # A dismissed notification must not come back when its snooze ends.
            ends = {"snoozed_until": ENDED} if mark == "dismiss" and is_snoozed(state) else {}
            return {column: now() if on else None, **ends}

        await self._change(caller, ids, values)

    async def snooze(self, caller: Caller, ids: Iterable[str], until: datetime | None) -> None:
        """Keep some of the caller's notifications out of sight; unknown ids are ignored.

        Parameters
        ----------
        caller
            The user.
        ids
            The notifications; those that cannot be dismissed stay in sight.
        until
            When they come back; `None` to bring them back now, as they were.
        """

        def values(one: StoredNotification) -> dict[str, Any]:
            changed = snoozed(one.user_state, until)
            stays = until is not None and not one.options.get("dismissable", True)
            return {} if stays else changed

        await self._change(caller, ids, values)

    async def wake(self, caller: Caller, ids: Iterable[str]) -> None:
        """Bring notifications back unread if their snooze has ended; leave the others."""
        await self._change(caller, ids, lambda one: woken(one.user_state))

    async def _change(
        self,
        caller: Caller,
        ids: Iterable[str],
        values: Callable[[StoredNotification], dict[str, Any]],
    ) -> None:
        """Set the columns that `values` returns for each of the caller's notifications, if any."""
        user = require_user(caller)
        wanted = numbers(ids)

        async def command(transaction: Transaction) -> None:
            found = await self._store.some_for_user(
                transaction.connection, user, caller.groups, wanted
            )
            rows: list[dict[str, Any]] = [
                {
                    "notification_id": one.id,
                    "user_name": user,
                    "seq": transaction.next(user),
                    **changed,
                }
                for one in found
                if (changed := values(one))
            ]
            await self._store.set_states(transaction.connection, rows)

        if wanted:
            await self._writer.run(command)

    async def reply(self, caller: Caller, id_: str, reply: str) -> None:
        """Answer a notification; a later answer replaces an earlier one.

        Parameters
        ----------
        caller
            The user.
        id_
            The notification.
        reply
            One of the choices, or a text if the notification asks for a text.
        """
        user = require_user(caller)

        async def command(transaction: Transaction) -> None:
            found = await self._store.some_for_user(
                transaction.connection, user, caller.groups, numbers([id_])
            )
            if not found:
                raise NotFound(f"Unknown notification: {id_}")
            check_reply(found[0].options, reply)
            row = {
                "notification_id": found[0].id,
                "user_name": user,
                "seq": transaction.next(user),
                "replied": now(),
                "reply": reply,
            }
            await self._store.set_states(transaction.connection, [row])

        await self._writer.run(command)
