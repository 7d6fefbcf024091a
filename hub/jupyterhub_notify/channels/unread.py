"""The queued messages that their user still has not read, with their texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ..models.stored import BroadcastUserState, StoredNotification
from ..rendering import plain_text, render_block, render_inline
from ..services.content import ContentService
from ..storage.broadcasts import BroadcastStore
from ..storage.channels import Send
from ..storage.database import Database
from ..storage.notifications import NotificationStore
from .audience import Audience
from .channel import Message

__all__ = ["UnreadMessages"]


class UnreadMessages:
    """Checks, just before a message is sent, whether it is still to be sent.

    Parameters
    ----------
    database
        The database.
    notifications, broadcasts
        The tables.
    content
        Gives the text of a notification.
    audience
        Knows the groups that a user is still in.
    """

    def __init__(
        self,
        *,
        database: Database,
        notifications: NotificationStore,
        broadcasts: BroadcastStore,
        content: ContentService,
        audience: Audience,
    ) -> None:
        self._database = database
        self._notifications = notifications
        self._broadcasts = broadcasts
        self._content = content
        self._audience = audience

    async def of(self, user: str, sends: Sequence[Send]) -> list[Message]:
        """Return the messages that the user has not read or put away and may still see, by age."""
        groups = await self._groups_of(user)
        found: list[tuple[datetime, Message]] = []
        async with self._database.read() as connection:
            ids = [send.notification_id for send in sends if send.notification_id is not None]
            for stored in await self._notifications.some_with_state(connection, user, ids):
                state = stored.user_state
                theirs = stored.recipient == user or groups is None or stored.group in groups
                if theirs and state.read is None and state.dismissed is None:
                    found.append((stored.created, self._notification(stored)))
            found += await self._broadcasts_of(connection, user, groups, sends)
        return [message for _, message in sorted(found, key=lambda one: (one[0], one[1].id))]

    async def _groups_of(self, user: str) -> frozenset[str] | None:
        """Return a user's groups; `None` if the hub does not tell them now."""
        users = await self._audience.users()
        if users is None:
            return None
        known = users.get(user)
        return frozenset() if known is None else known.groups

    async def _broadcasts_of(
        self,
        connection: AsyncConnection,
        user: str,
        groups: frozenset[str] | None,
        sends: Sequence[Send],
    ) -> list[tuple[datetime, Message]]:
        """Return the broadcasts whose occurrence is still shown and that the user has not settled.

        If the groups are not known now, the user counts as still in the audience.
        """
        wanted = [send for send in sends if send.broadcast_id is not None]
        states = await self._broadcasts.states_of_user(connection, user) if wanted else {}
        found = []
        for send in wanted:
            stored = await self._broadcasts.one(connection, send.broadcast_id or "")
            if stored is None or not stored.is_shown or stored.occurrence != send.occurrence:
                continue
            occurrence, state = states.get(stored.id, (None, BroadcastUserState()))
            done = (state.read, state.dismissed, state.accepted, state.replied)
            settled = occurrence == send.occurrence and any(moment is not None for moment in done)
            if not settled and (groups is None or stored.is_for(user, groups)):
                message = _message(send.message, stored.type, stored.summary, stored.body)
                found.append((stored.occurrence or stored.created, message))
        return found

    def _notification(self, stored: StoredNotification) -> Message:
        content = self._content.of(stored)
        return _message(f"n:{stored.id}", content.type, content.summary, content.body)


def _message(id_: str, type_: str, summary: str, body: str | None) -> Message:
    return Message(
        id=id_,
        type=type_,
        summary=plain_text(summary, block=False) or "A message",
        body=plain_text(body) if body else None,
        html=f"<p><strong>{render_inline(summary)}</strong></p>\n"
        + (render_block(body) if body else ""),
    )
