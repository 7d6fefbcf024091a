"""The events of welcome messages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..events.versions import Versions
from ..models.stored import StoredWelcome
from ..models.welcome import WelcomeGone
from ..storage.welcome import WelcomeStore
from .changes import Event, Range, Reader
from .views import dump
from .welcome import WelcomeService

__all__ = ["WelcomeChanges"]


class WelcomeChanges:
    """Makes ``welcome``, ``welcome-changed`` and ``welcome-gone``.

    Parameters
    ----------
    store
        The tables.
    service
        Renders welcome messages.
    """

    def __init__(self, *, store: WelcomeStore, service: WelcomeService) -> None:
        self._store = store
        self._service = service

    async def note(self, changed: Range, versions: Versions) -> None:
        """Note the users whose view changed in a range."""
        for stored in await self._store.changed(
            changed.connection, None, changed.after, changed.upto
        ):
            versions.everyone_changed(stored.seq)
        for user, _, state in await self._store.changed_states(*changed):
            versions.changed([user], state.seq)

    async def for_all(self, changed: Range, users: Collection[str]) -> list[Event]:
        """Return the events of a range, as these users and everybody else see them."""
        events: list[Event] = []
        for stored in await self._store.changed(
            changed.connection, None, changed.after, changed.upto
        ):
            own: dict[str, tuple[str, bytes]] = {}
            if stored.ended is None:
                rows, _ = await self._store.readers(
                    changed.connection, stored.id, limit=1_000_000, offset=0
                )
                own = {
                    user: self._event(replace(stored, user_state=state))
                    for user, state in rows
                    if user in users
                }
            name, data = self._event(stored)
            events.append(Event(seq=stored.seq, name=name, data=data, sees=stored.is_for, own=own))
        for user, id_, state in await self._store.changed_states(*changed):
            found = await self._store.one(changed.connection, id_) if user in users else None
            if found is not None:
                data = dump(self._service.changed_view(replace(found, user_state=state)))
                events.append(Event(seq=state.seq, name="welcome-changed", data=data, user=user))
        return events

    async def for_one(
        self, changed: Range, reader: Reader, limit: int
    ) -> list[tuple[int, str, bytes]]:
        """Return ``(seq, event, data)`` for the changes in a range that one reader sees."""
        if reader.user is None:
            return []
        events: list[tuple[int, str, bytes]] = []
        for stored in await self._store.changed(
            changed.connection, reader.user, changed.after, changed.upto
        ):
            if stored.is_for(*reader):
                events.append((stored.seq, *self._event(stored)))
        for stored in await self._store.current(changed.connection, reader.user, None):
            if changed.covers(stored.user_state.seq) and stored.is_for(*reader):
                data = dump(self._service.changed_view(stored))
                events.append((stored.user_state.seq, "welcome-changed", data))
        return events[:limit]

    def _event(self, stored: StoredWelcome) -> tuple[str, bytes]:
        if stored.ended is not None:
            return "welcome-gone", dump(WelcomeGone(id=stored.id))
        if not stored.is_due:
            return "welcome-changed", dump(self._service.changed_view(stored))
        return "welcome", dump(self._service.reader_view(stored))
