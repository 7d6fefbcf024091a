"""Welcome messages: those due to a user, and their administration."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal

from ..errors import Invalid, NotFound
from ..identity.caller import Caller
from ..models.stored import StoredWelcome, WelcomeUserState
from ..models.welcome import (
    AdminWelcome,
    CreateWelcome,
    PatchWelcome,
    WelcomeChanged,
    WelcomeMessage,
)
from ..schema import new_id, now
from ..storage.audit import AuditStore
from ..storage.database import Database
from ..storage.welcome import WelcomeStore
from ..storage.writer import Transaction, Writer
from .access import require_admin, require_user
from .content import formatted_body, formatted_summary

__all__ = ["WelcomeMark", "WelcomeService"]

WelcomeMark = Literal["dismiss", "accept", "seen", "reset"]

#: Fields whose change makes a message due again.
_TEXT = {"title", "summary", "body", "must_accept"}


class WelcomeService:
    """Keeps welcome messages and who has seen, dismissed and accepted them.

    Parameters
    ----------
    database, writer
        For reading and writing.
    store, audit
        The tables.
    """

    def __init__(
        self, *, database: Database, writer: Writer, store: WelcomeStore, audit: AuditStore
    ) -> None:
        self._database = database
        self._writer = writer
        self._store = store
        self._audit = audit

    # --- Readers

    async def due(self, caller: Caller, aspect: str | None) -> list[StoredWelcome]:
        """Return the welcome messages due to the caller, in their order."""
        user = require_user(caller)
        async with self._database.read() as connection:
            found = await self._store.current(connection, user, aspect)
        return [one for one in found if one.is_due and one.is_for(user, caller.groups)]

    async def mark(
        self, caller: Caller, mark: WelcomeMark, ids: Iterable[str] = (), *, all_: bool = False
    ) -> None:
        """Mark welcome messages for the caller; unknown ids are ignored.

        Parameters
        ----------
        caller
            The user.
        mark
            The mark; ``reset`` makes each message due again.
        ids
            The messages.
        all_
            Whether to mark all messages that are due, in place of `ids`.
        """
        user = require_user(caller)
        wanted = set(ids)

        async def command(transaction: Transaction) -> None:
            found = await self._store.current(transaction.connection, user, None)
            for one in found:
                if not one.is_for(user, caller.groups) or not (all_ or one.id in wanted):
                    continue
                values = _marked(one, mark)
                if values:
                    values["seq"] = transaction.next(user)
                    await self._store.set_state(transaction.connection, one.id, user, values)

        await self._writer.run(command)

    # --- Administrators

    async def create(self, caller: Caller, body: CreateWelcome) -> StoredWelcome:
        """Add a welcome message."""
        require_admin(caller)
        at = now()
        row = {
            **body.model_dump(),
            "id": new_id("w"),
            "sender": caller.name,
            "created": at,
            "updated": at,
            "ended": None,
        }

        async def command(transaction: Transaction) -> StoredWelcome:
            values = {**row, "seq": transaction.next()}
            await self._store.insert(transaction.connection, values)
            await self._audit.add(transaction, caller, "welcome.create", str(row["id"]))
            return StoredWelcome(**values)

        return await self._writer.run(command)

    async def patch(self, caller: Caller, id_: str, patch: PatchWelcome) -> StoredWelcome:
        """Change a welcome message; a new text is due to everyone again."""
        require_admin(caller)
        given = patch.model_fields_set - {"quiet"}
        values: dict[str, Any] = patch.model_dump(include=given)
        for name, value in values.items():
            if value is None and name not in ("summary", "max_views", "expires"):
                raise Invalid("This field cannot be null", ["body", name])

        async def command(transaction: Transaction) -> StoredWelcome:
            old = await self._one(transaction, id_)
            kept = {name: getattr(old, name) for name in old.__slots__}
            if all(kept[name] == value for name, value in values.items()):
                return old
            changed = {**values, "seq": transaction.next()}
            if given & _TEXT and not patch.quiet:
                # Times have whole seconds. So that the new text is due again, its time must be at
                # least a second later than the old text's and than every dismissal and acceptance.
                mark = await self._store.latest_mark(transaction.connection, id_)
                before = old.updated if mark is None else max(old.updated, mark)
                changed["updated"] = max(now(), before + timedelta(seconds=1))
            await self._store.change(transaction.connection, id_, changed)
            await self._audit.add(transaction, caller, "welcome.change", id_)
            return StoredWelcome(**{**kept, **changed})

        return await self._writer.run(command)

    async def revoke(self, caller: Caller, id_: str) -> None:
        """Revoke a welcome message."""
        require_admin(caller)

        async def command(transaction: Transaction) -> None:
            await self._one(transaction, id_)
            values = {"ended": now(), "seq": transaction.next()}
            await self._store.change(transaction.connection, id_, values)
            await self._audit.add(transaction, caller, "welcome.revoke", id_)

        await self._writer.run(command)

    async def _one(self, transaction: Transaction, id_: str) -> StoredWelcome:
        found = await self._store.one(transaction.connection, id_)
        if found is None or found.ended is not None:
            raise NotFound(f"Unknown welcome message: {id_}", ["path", "id"])
        return found

    async def one(self, caller: Caller, id_: str) -> StoredWelcome:
        """Return a welcome message, ended ones included."""
        require_admin(caller)
        async with self._database.read() as connection:
            found = await self._store.one(connection, id_)
        if found is None:
            raise NotFound(f"Unknown welcome message: {id_}", ["path", "id"])
        return found

    async def listed(self, caller: Caller) -> list[StoredWelcome]:
        """Return all welcome messages that have not ended."""
        require_admin(caller)
        async with self._database.read() as connection:
            return await self._store.current(connection, None, None)

    async def readers(
        self, caller: Caller, id_: str, *, limit: int, offset: int
    ) -> tuple[StoredWelcome, list[tuple[str, WelcomeUserState]], int]:
        """Return a message, what each user did with it, and how many users there are."""
        stored = await self.one(caller, id_)
        async with self._database.read() as connection:
            rows, total = await self._store.readers(connection, id_, limit=limit, offset=offset)
        return stored, rows, total

    # --- Views

    def reader_view(self, stored: StoredWelcome) -> WelcomeMessage:
        """Return a message as its reader sees it."""
        body = formatted_body(stored.body)
        assert body is not None
        return WelcomeMessage(
            id=stored.id,
            aspect=stored.aspect,
            title=stored.title,
            summary=None if stored.summary is None else formatted_summary(stored.summary),
            body=body,
            dismissable=stored.dismissable and not stored.must_accept,
            max_views=stored.max_views,
            updated=stored.updated,
            must_accept=stored.must_accept,
            accepted=stored.user_state.accepted,
            views=stored.views,
        )

    def admin_view(self, stored: StoredWelcome) -> AdminWelcome:
        """Return a message as administrators see it."""
        return AdminWelcome.model_validate(
            {name: getattr(stored, name) for name in AdminWelcome.model_fields}
        )

    def changed_view(self, stored: StoredWelcome) -> WelcomeChanged:
        """Return the event data of a user's act on a message."""
        return WelcomeChanged(
            id=stored.id,
            due=stored.is_due,
            dismissed=stored.user_state.dismissed,
            accepted=stored.user_state.accepted,
        )


def _marked(one: StoredWelcome, mark: WelcomeMark) -> dict[str, Any]:
    """Return the columns that a mark changes; none if the mark is already set."""
    state, at = one.user_state, max(now(), one.updated)
    if mark == "reset":
        used = state.dismissed is not None or state.views
        return {"dismissed": None, "views": 0, "seen_version": None} if used else {}
    if not one.is_due:
        return {}
    if mark == "accept":
        return {"accepted": at} if one.must_accept else {}
    if mark == "seen":
        return {"views": one.views + 1, "seen_version": one.updated}
    return {"dismissed": at} if one.dismissable and not one.must_accept else {}
