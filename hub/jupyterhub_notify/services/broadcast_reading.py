"""Broadcasts for their readers: list those shown now, dismiss, snooze, accept, reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from ..errors import Conflict, NotFound
from ..events.versions import Versions
from ..identity.caller import Caller
from ..models.stored import ENDED, BroadcastUserState, StoredBroadcast
from ..schema import now
from ..storage.broadcasts import BroadcastStore
from ..storage.database import Database
from ..storage.deliveries import DeliveryStore, Reported
from ..storage.writer import Transaction, Writer
from .access import require_known, require_user
from .replies import check_reply
from .snoozing import is_snoozed, snoozed, woken

__all__ = ["BroadcastMark", "BroadcastReadingService"]

BroadcastMark = Literal["read", "dismiss", "restore", "accept"]

#: The columns that a mark sets.
SETS: dict[BroadcastMark, tuple[str, ...]] = {
    "read": ("read",),
    "dismiss": ("dismissed",),
    "restore": (),
    "accept": ("accepted", "read"),
}
#: The outcome in the ledger after each mark.
OUTCOMES: dict[BroadcastMark, str] = {"read": "read", "dismiss": "dismissed", "accept": "read"}


class BroadcastReadingService:
    """Broadcasts for their readers.

    The list of broadcasts shown now is the same for all users. It is kept in memory until its
    version changes.

    Parameters
    ----------
    database, writer
        For reading and writing.
    store, deliveries
        The tables.
    versions
        Returns the versions, which change whenever the list of shown broadcasts does.
    keep
        What is kept of outcomes: nothing, numbers, or each user's.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        store: BroadcastStore,
        deliveries: DeliveryStore,
        versions: Callable[[], Versions],
        keep: Literal["off", "counts", "full"],
    ) -> None:
        self._database = database
        self._writer = writer
        self._store = store
        self._deliveries = deliveries
        self._versions = versions
        self._keep = keep
        self._shown: tuple[str, list[StoredBroadcast]] = ("", [])

    async def _all_shown(self) -> list[StoredBroadcast]:
        version = self._versions().of_everyone
        if self._shown[0] != version:
            async with self._database.read() as connection:
                self._shown = (version, await self._store.shown(connection))
        return self._shown[1]

    async def shown(self, caller: Caller) -> list[StoredBroadcast]:
        """Return the broadcasts that the caller sees now, newest first, with the caller's state."""
        user = caller.name if caller.kind == "user" else None
        found = [one for one in await self._all_shown() if one.is_for(user, caller.groups)]
        if user is None or not found:
            return found
        async with self._database.read() as connection:
            states = await self._store.states_of_user(connection, user)
        nothing: tuple[Any, BroadcastUserState] = (None, BroadcastUserState())
        result = []
        for one in found:
            occurrence, state = states.get(one.id, nothing)
            result.append(replace(one, user_state=state) if occurrence == one.occurrence else one)
        return result

    async def visible(self, transaction: Transaction, caller: Caller, id_: str) -> StoredBroadcast:
        """Return a broadcast that the caller may act on, whether it is shown now or not.

        Raises
        ------
        NotFound
            If there is no such broadcast for the caller.
        """
        require_known(caller)
        found = await self._store.one(transaction.connection, id_)
        seen = found is not None and found.occurrence is not None and found.revoked is None
        if found is None or not seen or not found.is_for(caller.name, caller.groups):
            raise NotFound(f"Unknown broadcast: {id_}", ["path", "id"])
        return found

    async def mark(self, caller: Caller, id_: str, mark: BroadcastMark) -> None:
        """Mark a broadcast for the caller.

        Parameters
        ----------
        caller
            The user.
        id_
            The broadcast.
        mark
            The mark.
        """
        user = require_user(caller)

        async def command(transaction: Transaction) -> None:
            stored = await self.visible(transaction, caller, id_)
            if mark == "dismiss" and not stored.options.get("dismissable", True):
                raise Conflict("This broadcast cannot be dismissed")
            if mark == "accept" and not stored.options.get("must_accept"):
                raise Conflict("This broadcast need not be accepted")
            await self.set_mark(transaction, stored, user, mark)
            if mark in OUTCOMES and self._keep != "off":
                await self._deliveries.mark(transaction, stored, user, OUTCOMES[mark], now())

        await self._writer.run(command)

    async def set_mark(
        self, transaction: Transaction, stored: StoredBroadcast, user: str, mark: BroadcastMark
    ) -> None:
        """Mark a broadcast for a user; marks that are already set keep their time."""
        state = await self._store.one_state(transaction.connection, stored, user)
        at = now()
        values: dict[str, Any] = {name: at for name in SETS[mark] if getattr(state, name) is None}
        if mark == "restore" and state.dismissed is not None:
            values = {"dismissed": None}
        if mark == "dismiss" and is_snoozed(state):
            # A dismissed broadcast must not come back when its snooze ends.
            values["snoozed_until"] = ENDED
        if values:
            values["seq"] = transaction.next(user)
            await self._store.set_state(transaction.connection, stored, user, values)

    async def snooze(self, caller: Caller, id_: str, until: datetime | None) -> None:
        """Keep a broadcast out of the caller's sight for a time.

        Parameters
        ----------
        caller
            The user.
        id_
            The broadcast.
        until
            When it comes back; `None` to bring it back now, as it was.
        """

        def values(stored: StoredBroadcast, state: BroadcastUserState) -> dict[str, Any]:
            if until is not None and not stored.options.get("dismissable", True):
                raise Conflict("This broadcast cannot be snoozed")
            return snoozed(state, until)

        await self._change(caller, id_, values)

    async def wake(self, caller: Caller, id_: str) -> None:
        """Bring a broadcast back unread if its snooze has ended; otherwise leave it as it is."""
        await self._change(caller, id_, lambda _, state: woken(state))

    async def _change(
        self,
        caller: Caller,
        id_: str,
        values: Callable[[StoredBroadcast, BroadcastUserState], dict[str, Any]],
    ) -> None:
        """Set the columns that `values` returns for a broadcast and the caller's state, if any."""
        user = require_user(caller)

        async def command(transaction: Transaction) -> None:
            stored = await self.visible(transaction, caller, id_)
            state = await self._store.one_state(transaction.connection, stored, user)
            changed = values(stored, state)
            if changed:
                changed = {**changed, "seq": transaction.next(user)}
                await self._store.set_state(transaction.connection, stored, user, changed)

        await self._writer.run(command)

    async def reply(self, caller: Caller, id_: str, reply: str, server: str) -> None:
        """Answer a broadcast; a later answer replaces an earlier one."""
        user = require_user(caller)

        async def command(transaction: Transaction) -> None:
            stored = await self.visible(transaction, caller, id_)
            check_reply(stored.options, reply)
            await self.set_reply(transaction, stored, user, reply, server)

        await self._writer.run(command)

    async def set_reply(
        self,
        transaction: Transaction,
        stored: StoredBroadcast,
        user: str,
        reply: str,
        server: str,
    ) -> None:
        """Store a user's reply, and note it in the ledger."""
        state = await self._store.one_state(transaction.connection, stored, user)
        if state.reply == reply:
            return
        at = now()
        values = {"replied": at, "reply": reply, "seq": transaction.next(user)}
        await self._store.set_state(transaction.connection, stored, user, values)
        replied = Reported(user=user, server=server, state="replied", reply=reply, at=at)
        await self._deliveries.receipts(transaction, stored, [replied])
