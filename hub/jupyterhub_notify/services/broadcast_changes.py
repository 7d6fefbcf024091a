"""The events of broadcasts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..events.versions import Versions
from ..models.stored import StoredBroadcast
from ..storage.broadcasts import BroadcastStore
from .broadcast_views import BroadcastViews
from .changes import Event, Range, Reader
from .views import dump

__all__ = ["BroadcastChanges"]


class BroadcastChanges:
    """Makes ``broadcast``, ``broadcast-changed`` and ``broadcast-gone``.

    Parameters
    ----------
    store
        The tables.
    views
        Renders broadcasts.
    """

    def __init__(self, *, store: BroadcastStore, views: BroadcastViews) -> None:
        self._store = store
        self._views = views

    async def note(self, changed: Range, versions: Versions) -> None:
        """Note the users whose view changed in a range."""
        for stored in await self._store.changed(*changed):
            versions.everyone_changed(stored.seq)
        for user, _, state in await self._store.changed_states(*changed):
            versions.changed([user], state.seq)

    async def for_all(self, changed: Range, users: Collection[str]) -> list[Event]:
        """Return the events of a range, as these users and everybody else see them."""
        events: list[Event] = []
        for stored in await self._store.changed(*changed):
            name, data = self._event(stored)
            own: dict[str, tuple[str, bytes]] = {}
            if stored.is_shown:
                states = await self._store.states_of(changed.connection, stored, users)
                own = {
                    user: self._event(replace(stored, user_state=state))
                    for user, state in states.items()
                }
            events.append(Event(seq=stored.seq, name=name, data=data, sees=stored.is_for, own=own))
        for user, id_, state in await self._store.changed_states(*changed):
            if user in users:
                data = dump(self._views.changed(id_, state))
                events.append(Event(seq=state.seq, name="broadcast-changed", data=data, user=user))
        return events

    async def for_one(
        self, changed: Range, reader: Reader, limit: int
    ) -> list[tuple[int, str, bytes]]:
        """Return ``(seq, event, data)`` for the changes in a range that one reader sees."""
        found = await self._store.changed(*changed)
        states = (
            {}
            if reader.user is None
            else await self._store.states_of_user(changed.connection, reader.user)
        )
        events: list[tuple[int, str, bytes]] = []
        for stored in found:
            if stored.is_for(*reader):
                occurrence, state = states.get(stored.id, (None, stored.user_state))
                if occurrence == stored.occurrence:
                    stored = replace(stored, user_state=state)
                events.append((stored.seq, *self._event(stored)))
        for id_, (_, state) in states.items():
            if changed.covers(state.seq):
                data = dump(self._views.changed(id_, state))
                events.append((state.seq, "broadcast-changed", data))
        return events[:limit]

    def _event(self, stored: StoredBroadcast) -> tuple[str, bytes]:
        if not stored.is_shown:
            return "broadcast-gone", dump(self._views.gone(stored))
        return "broadcast", dump(self._views.reader(stored))
