"""Keeps the table of broadcasts in step with a folder of Markdown files.

Every replica looks; a replica that finds no difference writes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from ..broadcast_files import BroadcastDirectory, BroadcastFile
from ..models.stored import StoredBroadcast
from ..repeating import Repeating
from ..schema import now
from ..storage.broadcasts import BroadcastStore
from ..storage.database import Database
from ..storage.writer import Transaction, Writer
from .broadcasting import OUTAGE, TYPES_BY_CATEGORY, BroadcastingService
from .timing import FILE

__all__ = ["BroadcastFolder"]

LOOK_S = 5.0
SENDER = "files"


class BroadcastFolder:
    """Follows the folder.

    Parameters
    ----------
    database, writer
        For reading and writing.
    directory
        The folder.
    store
        The table.
    broadcasting
        Stores broadcasts.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        directory: BroadcastDirectory,
        store: BroadcastStore,
        broadcasting: BroadcastingService,
    ) -> None:
        self._database = database
        self._writer = writer
        self._directory = directory
        self._store = store
        self._broadcasting = broadcasting
        self._repeating = Repeating(
            self.look,
            name="broadcast-folder",
            pause_s=lambda: LOOK_S,
            log=structlog.get_logger("jupyterhub_notify.broadcast_folder"),
            failing="The folder is not followed now",
            working="The folder is followed again",
        )

    def start(self) -> None:
        """Begin to look at intervals."""
        self._repeating.start()

    async def stop(self) -> None:
        """Stop looking."""
        await self._repeating.stop()

    @property
    def problems(self) -> Mapping[str, str]:
        """The problem of each bad file."""
        return self._directory.problems

    async def look(self) -> None:
        """Compare the folder with the table, and change the table if they differ."""
        files = await asyncio.to_thread(self._directory.read)
        if files is None:
            return
        async with self._database.read() as connection:
            found = await self._store.of_folder(connection)
        if _is_so(files, found):
            return

        async def command(transaction: Transaction) -> None:
            await self._make_so(transaction, files)

        await self._writer.run(command)

    async def _make_so(self, transaction: Transaction, files: Sequence[BroadcastFile]) -> None:
        known = {one.id: one for one in await self._store.of_folder(transaction.connection)}
        at = now()
        for file in files:
            old = known.pop(_id_of(file), None)
            values = _values_of(file)
            if old is not None:
                if _differs(old, values):
                    await self._broadcasting.update(transaction, old, values)
                continue
            row = {
                **values,
                "id": _id_of(file),
                "origin": "folder",
                "sender": SENDER,
                "key": None,
                "audience": "all",
                "groups": [],
                "users": [],
                "created": at,
                "updated": at,
                "revoked": None,
                "counts": None,
            }
            # There may be an old row: the file was deleted earlier and has come back.
            gone = await self._store.one(transaction.connection, str(row["id"]))
            if gone is None:
                await self._broadcasting.insert(transaction, row)
            else:
                await self._broadcasting.update(transaction, gone, {**values, "revoked": None})
        for old in known.values():
            await self._broadcasting.end(transaction, old, at)


def _id_of(file: BroadcastFile) -> str:
    """Return a file's id without slashes, which would be several parts of an address."""
    return file.id.replace("/", ":")


def _values_of(file: BroadcastFile) -> dict[str, Any]:
    options: dict[str, Any] = dict(OUTAGE) if file.category == "outage" else {}
    if file.important:
        options["important"] = True
    return {
        "type": TYPES_BY_CATEGORY[file.category],
        "summary": file.summary,
        "body": file.body,
        "options": options,
        "schedule": {FILE: file.when},
        "enabled": file.enabled,
    }


def _differs(old: StoredBroadcast, values: dict[str, Any]) -> bool:
    return any(getattr(old, name) != value for name, value in values.items())


def _is_so(files: Sequence[BroadcastFile], found: Sequence[StoredBroadcast]) -> bool:
    known = {one.id: one for one in found}
    if {_id_of(file) for file in files} != known.keys():
        return False
    return not any(_differs(known[_id_of(file)], _values_of(file)) for file in files)
