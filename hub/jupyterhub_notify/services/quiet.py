"""Do not disturb and muted sources, which all servers of a user share."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from ..errors import Invalid
from ..events.versions import Versions
from ..identity.caller import Caller
from ..models.quiet import MOST, ChangeQuiet, Quiet, QuietChange, QuietEntry
from ..storage.database import Database
from ..storage.quiet import QuietStore
from ..storage.writer import Transaction, Writer
from .access import require_user
from .changes import Event, Range, Reader
from .views import dump

__all__ = ["QuietChanges", "QuietService"]


class QuietService:
    """Merges the changes of a user's servers: for each source the latest change counts.

    Parameters
    ----------
    database, writer
        For reading and writing.
    store
        The table.
    """

    def __init__(self, *, database: Database, writer: Writer, store: QuietStore) -> None:
        self._database = database
        self._writer = writer
        self._store = store

    async def get(self, caller: Caller) -> Quiet:
        """Return the caller's do-not-disturb and muted sources."""
        user = require_user(caller)
        async with self._database.read() as connection:
            return _view(await self._store.one(connection, user))

    async def change(self, caller: Caller, body: ChangeQuiet) -> Quiet:
        """Apply changes that are later than the known ones; return the result.

        Raises
        ------
        Invalid
            If too many sources would be muted.
        """
        user = require_user(caller)

        async def command(transaction: Transaction) -> Quiet:
            known = await self._store.one(transaction.connection, user)
            entries = _merged(known, body.entries)
            if entries != known:
                # `bump`, since the overview does not show these entries and its version can stay.
                seq = transaction.bump()
                await self._store.put(transaction.connection, user, seq, entries)
            return _view(entries)

        return await self._writer.run(command)


class QuietChanges:
    """Makes the event ``quiet``, for the user's own streams only.

    Parameters
    ----------
    store
        The table.
    """

    def __init__(self, *, store: QuietStore) -> None:
        self._store = store

    async def note(self, changed: Range, versions: Versions) -> None:
        """Note nothing: no answer with a validator shows these entries."""

    async def for_all(self, changed: Range, users: Collection[str]) -> list[Event]:
        """Return the events of a range."""
        return [
            Event(seq=seq, name="quiet", data=dump(_view(entries)), user=user)
            for user, seq, entries in await self._store.changed(*changed)
            if user in users
        ]

    async def for_one(
        self, changed: Range, reader: Reader, limit: int
    ) -> list[tuple[int, str, bytes]]:
        """Return ``(seq, event, data)`` for the changes in a range that one reader sees."""
        if reader.user is None:
            return []
        found = await self._store.changed(*changed, reader.user)
        return [(seq, "quiet", dump(_view(entries))) for _, seq, entries in found]


def _merged(known: dict[str, Any], changes: list[QuietChange]) -> dict[str, Any]:
    """Return the entries after some changes; if there are too many, drop those off the longest."""
    entries = dict(known)
    now_ms = int(time.time() * 1000)
    for change in changes:
        stamp, before = max(now_ms - change.age_ms, 1), entries.get(change.source, {"stamp": 0})
        if stamp >= before["stamp"]:
            # Two changes of a source never get the same time, so that a lab that knows the first
            # accepts the second.
            stamp = max(stamp, before["stamp"] + 1)
            until = None if change.until is None or not change.on else change.until.isoformat()
            entries[change.source] = {"on": change.on, "until": until, "stamp": stamp}
    off = [source for source, entry in entries.items() if source and not entry["on"]]
    off.sort(key=lambda source: entries[source]["stamp"])
    for source in off[: max(len(entries) - MOST, 0)]:
        del entries[source]
    if len(entries) > MOST:
        raise Invalid("Too many sources are muted: unmute another", ["body", "entries"])
    return entries


def _view(entries: dict[str, Any]) -> Quiet:
    return Quiet(
        entries=[QuietEntry(source=source, **entry) for source, entry in sorted(entries.items())]
    )
