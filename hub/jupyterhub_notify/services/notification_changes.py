"""The events of notifications."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from ..events.versions import Versions
from ..models.stored import StoredNotification, StoredState
from ..storage.notifications import NotificationStore
from .changes import Event
from .views import NotificationViews, dump

__all__ = ["NotificationChanges"]


class NotificationChanges:
    """Makes ``message``, ``message-changed`` and ``message-gone``.

    Parameters
    ----------
    store
        The tables.
    views
        Renders them.
    """

    def __init__(self, *, store: NotificationStore, views: NotificationViews) -> None:
        self._store = store
        self._views = views

    async def note(
        self, connection: AsyncConnection, versions: Versions, after: int, upto: int
    ) -> None:
        """Note whose view changed in a range."""
        for target, seq in await self._store.changed_targets(connection, after, upto):
            if target.startswith("u:"):
                versions.changed([target[2:]], seq)
            else:
                versions.everyone_changed(seq)
        for user, seq in await self._store.changed_users(connection, after, upto):
            versions.changed([user], seq)

    async def for_all(
        self, connection: AsyncConnection, users: Collection[str], after: int, upto: int
    ) -> list[Event]:
        """Return what changed in a range, as these users and everybody else see it."""
        events: list[Event] = []
        changed = await self._store.changed(connection, after, upto, users)
        done = await self._store.states_of(connection, [one.id for one in changed], users)
        for stored in changed:
            states = done.get(stored.id, {})
            if stored.recipient is not None:
                own = replace(stored, user_state=states.get(stored.recipient, StoredState()))
                name, data = self._event(own)
                events.append(Event(seq=stored.seq, name=name, data=data, user=stored.recipient))
                continue
            name, data = self._event(stored)
            different = {
                user: self._event(replace(stored, user_state=state))
                for user, state in states.items()
            }
            sees = _in_group(stored.group or "")
            events.append(Event(seq=stored.seq, name=name, data=data, sees=sees, own=different))
        for user, id_, state in await self._store.changed_states(connection, after, upto):
            if user in users:
                data = dump(self._views.changed(id_, state))
                events.append(Event(seq=state.seq, name="message-changed", data=data, user=user))
        return events

    async def for_one(
        self,
        connection: AsyncConnection,
        user: str | None,
        groups: frozenset[str],
        after: int,
        upto: int,
        limit: int,
    ) -> list[tuple[int, str, bytes]]:
        """Return ``(seq, event, data)`` of what one user sees of a range."""
        if user is None:
            return []
        found = await self._store.changed_for_user(connection, user, groups, after, upto, limit)
        events: list[tuple[int, str, bytes]] = []
        for stored in found:
            if after < stored.seq <= upto:
                events.append((stored.seq, *self._event(stored)))
            if stored.state == "active" and after < stored.user_state.seq <= upto:
                data = dump(self._views.changed(stored.id, stored.user_state))
                events.append((stored.user_state.seq, "message-changed", data))
        return events

    def _event(self, stored: StoredNotification) -> tuple[str, bytes]:
        if stored.state != "active":
            return "message-gone", dump(self._views.gone(stored))
        return "message", dump(self._views.message(stored))


def _in_group(group: str) -> Callable[[str | None, frozenset[str]], bool]:
    return lambda user, groups: group in groups
