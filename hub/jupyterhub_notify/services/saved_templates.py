"""Broadcasts that senders save as templates for further broadcasts."""

from __future__ import annotations

from typing import Any

from ..errors import Conflict, Invalid, NotFound
from ..identity.caller import Caller
from ..models.recipients import SavedTemplate, SaveTemplate
from ..storage.audit import AuditStore
from ..storage.database import Database
from ..storage.templates import SavedTemplateStore
from ..storage.writer import Transaction, Writer
from .access import require_sender

__all__ = ["SavedTemplateService"]

#: Maximum number of templates, so that a script cannot fill the database.
MOST = 500


class SavedTemplateService:
    """Keeps templates. Administrators' templates are for every sender, others only for their own.

    Parameters
    ----------
    database, writer
        For reading and writing.
    store, audit
        The tables.
    """

    def __init__(
        self, *, database: Database, writer: Writer, store: SavedTemplateStore, audit: AuditStore
    ) -> None:
        self._database = database
        self._writer = writer
        self._store = store
        self._audit = audit

    async def listed(self, caller: Caller) -> list[SavedTemplate]:
        """Return the templates that a sender sees, by name."""
        require_sender(caller)
        async with self._database.read() as connection:
            rows = await self._store.listed(connection, None if caller.admin else caller.name)
        return [self._view(row) for row in rows]

    async def one(self, caller: Caller, name: str) -> SavedTemplate:
        """Return a template.

        Raises
        ------
        NotFound
            If there is no such template that the caller may see.
        """
        require_sender(caller)
        async with self._database.read() as connection:
            row = await self._store.one(connection, name)
        if row is None or not (row["shared"] or self._owns(caller, row)):
            raise NotFound("There is no saved template of this name")
        return self._view(row)

    async def save(self, caller: Caller, name: str, template: SaveTemplate) -> SavedTemplate:
        """Save a template, in place of the caller's own of the same name.

        Raises
        ------
        Conflict
            If another sender has a template of this name.
        Invalid
            If there are too many.
        """
        require_sender(caller)

        async def command(transaction: Transaction) -> dict[str, Any]:
            there = await self._store.one(transaction.connection, name)
            if there is not None and not self._owns(caller, there):
                raise Conflict("Another sender has a template of this name", ["path", "name"])
            if there is None and await self._store.count(transaction.connection) >= MOST:
                raise Invalid(f"There are {MOST} saved templates: delete some first")
            row = {
                "name": name,
                "saved_by": caller.name,
                "shared": caller.admin,
                "content": template.model_dump(mode="json", exclude_unset=True),
            }
            await self._store.put(transaction.connection, row)
            await self._audit.add(transaction, caller, "template.save", name)
            saved = await self._store.one(transaction.connection, name)
            assert saved is not None
            return saved

        return self._view(await self._writer.run(command))

    async def delete(self, caller: Caller, name: str) -> None:
        """Delete a template.

        Raises
        ------
        NotFound
            If there is no such template that the caller may delete.
        """
        require_sender(caller)

        async def command(transaction: Transaction) -> None:
            there = await self._store.one(transaction.connection, name)
            if there is None or not self._owns(caller, there):
                raise NotFound("There is no saved template of this name that is yours")
            await self._store.delete(transaction.connection, name)
            await self._audit.add(transaction, caller, "template.delete", name)

        await self._writer.run(command)

    def _owns(self, caller: Caller, row: dict[str, Any]) -> bool:
        own = row["saved_by"] == caller.name and not row["shared"]
        return caller.admin or own

    def _view(self, row: dict[str, Any]) -> SavedTemplate:
        fields = {name: row[name] for name in ("name", "saved_by", "shared", "updated")}
        return SavedTemplate.model_validate({**row["content"], **fields})
