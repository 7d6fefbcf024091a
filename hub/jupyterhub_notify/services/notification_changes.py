"""The events of notifications."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from ..events.versions import Versions
from ..models.stored import StoredNotification, StoredState
from ..storage.notifications import NotificationStore
from .changes import Event, Range, Reader
from .views import NotificationViews, dump

__all__ = ["NotificationChanges"]


class NotificationChanges:
    """Makes ``message``, ``message-changed`` and ``message-gone``.

    Parameters
    ----------
    store
        The tables.
    views
        Renders notifications.
    """

    def __init__(self, *, store: NotificationStore, views: NotificationViews) -> None:
        self._store = store
        self._views = views

    async def note(self, changed: Range, versions: Versions) -> None:
        """Note the users whose view changed in a range."""
        for target, seq in await self._store.changed_targets(*changed):
            if target.startswith("u:"):
                versions.changed([target[2:]], seq)
            else:
                versions.everyone_changed(seq)
        for user, seq in await self._store.changed_users(*changed):
            versions.changed([user], seq)

    async def for_all(self, changed: Range, users: Collection[str]) -> list[Event]:
        """Return the events of a range, as these users and everybody else see them."""
        events: list[Event] = []
        found = await self._store.changed(*changed, users)
        ids = [stored.id for stored in found]
        done = await self._store.states_of(changed.connection, ids, users)
        for stored in found:
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
        for user, id_, state in await self._store.changed_states(*changed):
            if user in users:
                data = dump(self._views.changed(id_, state))
                events.append(Event(seq=state.seq, name="message-changed", data=data, user=user))
        return events

    async def for_one(
        self, changed: Range, reader: Reader, limit: int
    ) -> list[tuple[int, str, bytes]]:
        """Return ``(seq, event, data)`` for the changes in a range that one reader sees."""
        if reader.user is None:
            return []
        found = await self._store.changed_for_user(
            changed.connection, reader.user, reader.groups, changed.after, changed.upto, limit
        )
        events: list[tuple[int, str, bytes]] = []
        for stored in found:
            if changed.covers(stored.seq):
                events.append((stored.seq, *self._event(stored)))
            if stored.state == "active" and changed.covers(stored.user_state.seq):
                data = dump(self._views.changed(stored.id, stored.user_state))
                events.append((stored.user_state.seq, "message-changed", data))
        return events

    def _event(self, stored: StoredNotification) -> tuple[str, bytes]:
        if stored.state != "active":
            return "message-gone", dump(self._views.gone(stored))
        return "message", dump(self._views.message(stored))


def _in_group(group: str) -> Callable[[str | None, frozenset[str]], bool]:
    return lambda user, groups: group in groups
