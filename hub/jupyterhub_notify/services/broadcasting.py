"""Broadcasts for their senders: send, change, revoke, look at the results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ..errors import Conflict, Invalid, NotAllowed, NotFound
from ..identity.caller import Caller
from ..metrics import PUBLISHED
from ..models.broadcasts import CreateBroadcast, Delivered, PatchBroadcast, Schedule
from ..models.notifications import Options
from ..models.stored import StoredBroadcast
from ..schema import new_id, now
from ..storage.audit import AuditStore
from ..storage.broadcasts import BroadcastStore
from ..storage.database import Database
from ..storage.deliveries import DeliveryStore
from ..storage.writer import Transaction, Writer
from .access import require_known, require_sender
from .limits import RateLimit
from .publishing import Directory, require_open
from .timing import check_schedule, recurs, timing_at

__all__ = ["FAILED", "OUTAGE", "TYPES_BY_CATEGORY", "BroadcastingService"]

#: Outcomes that *Retry failed* tries again.
FAILED = ("refused", "not-responding", "error", "no-extension")
_OPTIONS = {*Options.model_fields, "inbox", "must_accept"}
#: The options of an outage; labs show Semaphore's outages in the same way.
OUTAGE = {"banner": True, "dismissable": False}
TYPES_BY_CATEGORY = {"info": "info", "notice": "warning", "outage": "error"}


# Longer than a screen: each change of a broadcast ends in the same checks and transaction.
class BroadcastingService:
    """Sends, changes and revokes broadcasts.

    Parameters
    ----------
    database, writer
        For reading and writing.
    store, deliveries, audit
        The tables.
    limit
        Bounds the rate at which a publisher may send.
    directory
        Knows the groups of users, which decide whether a group's sender may send to them.
    leads_min
        How long before a maintenance it is announced, in minutes.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        store: BroadcastStore,
        deliveries: DeliveryStore,
        audit: AuditStore,
        limit: RateLimit,
        directory: Directory,
        leads_min: Sequence[int],
    ) -> None:
        self._leads_min = leads_min
        self._database = database
        self._writer = writer
        self._store = store
        self._deliveries = deliveries
        self._audit = audit
        self._limit = limit
        self._directory = directory

    # --- Sending

    async def create(self, caller: Caller, body: CreateBroadcast) -> StoredBroadcast:
        """Send a broadcast, or replace the sender's broadcast that has the same key.

        Parameters
        ----------
        caller
            The sender.
        body
            The broadcast.

        Returns
        -------
        StoredBroadcast
            The stored broadcast.
        """
        await self._require_sender(caller, body)
        at = now()
        row = self._row(caller, body, at)
        self._limit.take(caller.name)

        async def command(transaction: Transaction) -> StoredBroadcast:
            require_open(transaction)
            old = None
            if body.key is not None:
                old = await self._store.with_key(transaction.connection, caller.name, body.key)
            if old is not None and not _same_audience(old, row):
                # With another audience it becomes a new broadcast: users who are no longer in the
                # audience must lose the old one.
                await self.end(transaction, old, at)
                old = None
            if old is None:
                stored = await self.insert(transaction, row)
            else:
                kept = ("id", "created", "seq", "counts")
                values = {name: value for name, value in row.items() if name not in kept}
                stored = await self.update(transaction, old, values, show_again=True)
            await self._audit.add(transaction, caller, "broadcast.create", stored.id, key=body.key)
            return stored

        stored = await self._writer.run(command)
        PUBLISHED.labels("broadcast").inc()
        return stored

    async def _require_sender(self, caller: Caller, body: CreateBroadcast) -> None:
        require_known(caller)
        if caller.admin or caller.may_send_to_everyone():
            return
        if not caller.send_groups:
            raise NotAllowed("This caller may not send broadcasts")
        if body.audience != "named":
            raise NotAllowed("This caller may not send to everyone", ["body", "audience"])
        for index, group in enumerate(body.groups):
            if not caller.may_send_to_group(group):
                raise NotAllowed(
                    "This caller may not send to this group", ["body", "groups", index]
                )
        for index, user in enumerate(body.users):
            if not caller.may_send_to_user(await self._directory.groups_of(user)):
                raise NotAllowed("This caller may not send to this user", ["body", "users", index])

    def _row(self, caller: Caller, body: CreateBroadcast, at: datetime) -> dict[str, Any]:
        type_ = body.type or TYPES_BY_CATEGORY[body.category or "info"]
        options = body.model_dump(
            mode="json", include=_OPTIONS, exclude_unset=True, exclude_none=True
        )
        if body.category == "outage":
            options = {**OUTAGE, **options}
        return {
            # Never just a number, so that a receipt can tell it from a notification.
            "id": new_id("b"),
            "origin": "api",
            "sender": caller.name,
            "key": body.key,
            "type": type_,
            "summary": body.summary,
            "body": body.body,
            "options": options,
            "audience": body.audience,
            "groups": body.groups,
            "users": body.users,
            "schedule": self._schedule(body, at),
            "enabled": body.enabled,
            "created": at,
            "updated": at,
            "revoked": None,
            "counts": None,
        }

    def _schedule(self, body: CreateBroadcast, at: datetime) -> dict[str, Any]:
        if body.maintenance and body.leads_min is None:
            # Store the site's present default: a later change of it is for later broadcasts only.
            body = body.model_copy(update={"leads_min": list(self._leads_min)})
        schedule = check_schedule(body, at)
        if body.hold_s:
            schedule["held_until"] = (at + timedelta(seconds=body.hold_s)).isoformat()
        return schedule

    async def insert(self, transaction: Transaction, row: dict[str, Any]) -> StoredBroadcast:
        """Store a new broadcast, and begin its occurrence if there is one now."""
        timing = timing_at(row["schedule"], row["enabled"], row["created"])
        values = {**row, **_columns(timing), "seq": transaction.next()}
        await self._store.insert(transaction.connection, values)
        stored = StoredBroadcast(**values)
        if stored.active:
            await self._deliveries.begin(transaction, stored)
        return stored

    async def update(
        self,
        transaction: Transaction,
        old: StoredBroadcast,
        values: dict[str, Any],
        *,
        show_again: bool = False,
    ) -> StoredBroadcast:
        """Set columns of a broadcast, and compute from them whether it is shown now."""
        at = now()
        schedule = values.get("schedule", old.schedule)
        enabled = values.get("enabled", old.enabled)
        timing = timing_at(schedule, enabled, at, old.occurrence)
        # If its times are moved while it is shown, it is still the same occurrence, and the
        # results go on.
        columns = _columns(timing)
        if old.active and timing.active and not recurs(schedule):
            columns["occurrence"] = old.occurrence
        values = {**values, **columns, "seq": transaction.next(), "updated": at}
        await self._store.change(transaction.connection, old.id, values)
        if show_again:
            await self._store.show_again(transaction.connection, old.id)
        kept = {name: getattr(old, name) for name in old.__slots__}
        stored = StoredBroadcast(**{**kept, **values})
        if stored.active and not old.active:
            await self._deliveries.begin(transaction, stored)
        if old.active and stored.active:
            await self._deliveries.push_again(transaction, old)
        elif old.active:
            await self._deliveries.withdraw(transaction, old)
            await self._deliveries.end(transaction, old.id, "it is not shown any more")
        return stored

    async def end(self, transaction: Transaction, old: StoredBroadcast, at: datetime) -> None:
        """Revoke one broadcast."""
        await self._store.change(
            transaction.connection,
            old.id,
            {
                "revoked": at,
                "active": False,
                "stale": True,
                "next_change": None,
                "seq": transaction.next(),
            },
        )
        await self._deliveries.withdraw(transaction, old)
        await self._deliveries.end(transaction, old.id, "it was revoked")

    # --- Changing

    async def patch(self, caller: Caller, id_: str, patch: PatchBroadcast) -> StoredBroadcast:
        """Change a broadcast in place."""

        async def command(transaction: Transaction) -> StoredBroadcast:
            require_open(transaction)
            old = await self._own(transaction, caller, id_)
            stored = await self.update(
                transaction, old, self._patched(old, patch), show_again=patch.show_again
            )
            await self._audit.add(transaction, caller, "broadcast.change", id_)
            return stored

        require_sender(caller)
        self._limit.take(caller.name)
        return await self._writer.run(command)

    def _patched(self, old: StoredBroadcast, patch: PatchBroadcast) -> dict[str, Any]:
        given = patch.model_fields_set
        values: dict[str, Any] = {}
        for name in ("summary", "type", "enabled"):
            if getattr(patch, name) is not None:
                values[name] = getattr(patch, name)
        if "body" in given:
            values["body"] = patch.body
        changed = patch.model_dump(mode="json", include=_OPTIONS & given)
        options = {**old.options, **changed}
        values["options"] = {name: value for name, value in options.items() if value is not None}
        if patch.hold_s == 0:
            values["schedule"] = {k: v for k, v in old.schedule.items() if k != "held_until"}
        times = given & set(Schedule.model_fields)
        if times:
            wanted = {**old.schedule, **patch.model_dump(mode="json", include=times)}
            try:
                schedule = Schedule.model_validate(wanted)
            except ValueError as error:
                raise Invalid(_first(error), ["body"]) from None
            values["schedule"] = check_schedule(schedule, old.created)
        return values

    async def revoke(self, caller: Caller, id_: str) -> None:
        """Revoke a broadcast; it goes from every screen."""
        require_sender(caller)

        async def command(transaction: Transaction) -> None:
            await self.end(transaction, await self._own(transaction, caller, id_), now())
            await self._audit.add(transaction, caller, "broadcast.revoke", id_)

        await self._writer.run(command)

    async def retry(self, caller: Caller, id_: str) -> StoredBroadcast:
        """Make the failed deliveries due again."""
        require_sender(caller)

        async def command(transaction: Transaction) -> StoredBroadcast:
            stored = await self._own(transaction, caller, id_)
            if not stored.active:
                raise Conflict("This broadcast is not shown now")
            count = await self._deliveries.retry(transaction, stored, FAILED)
            # Look for recipients again: servers may have other addresses by now.
            await self._store.change(transaction.connection, id_, {"plan_next": now()})
            await self._audit.add(transaction, caller, "broadcast.retry", id_, count=count)
            return stored

        return await self._writer.run(command)

    async def _own(self, transaction: Transaction, caller: Caller, id_: str) -> StoredBroadcast:
        found = await self._store.one(transaction.connection, id_)
        if found is None or found.revoked is not None or not _may_see(caller, found):
            raise NotFound(f"Unknown broadcast: {id_}", ["path", "id"])
        if found.origin == "folder":
            raise Conflict("This broadcast is a file of the broadcasts' directory: change that")
        return found

    # --- Looking

    async def one(self, caller: Caller, id_: str) -> tuple[StoredBroadcast, dict[str, int]]:
        """Return a broadcast and the numbers of its outcomes."""
        require_sender(caller)
        async with self._database.read() as connection:
            found = await self._store.one(connection, id_)
            if found is None or not _may_see(caller, found):
                raise NotFound(f"Unknown broadcast: {id_}", ["path", "id"])
            return found, (await self._deliveries.counts(connection, [found]))[id_]

    async def listed(
        self, caller: Caller, *, limit: int, offset: int, words: str | None = None
    ) -> tuple[Sequence[tuple[StoredBroadcast, dict[str, int]]], int]:
        """Return a page of the broadcasts that the caller may see, and their number in all."""
        require_sender(caller)
        sender = None if caller.admin else caller.name
        async with self._database.read() as connection:
            found, total = await self._store.listed(
                connection, sender=sender, words=words, limit=limit, offset=offset
            )
            counts = await self._deliveries.counts(connection, found)
        return [(one, counts[one.id]) for one in found], total

    async def deliveries(
        self,
        caller: Caller,
        id_: str,
        *,
        outcome: str | None = None,
        user: str | None = None,
        after_seq: int | None = None,
        limit: int = 10_000,
        offset: int = 0,
    ) -> tuple[list[Delivered], int, int]:
        """Return the rows of a broadcast's ledger, how many there are, and the highest number."""
        stored, _ = await self.one(caller, id_)
        async with self._database.read() as connection:
            return await self._deliveries.listed(
                connection,
                stored,
                outcome=outcome,
                user=user,
                after_seq=after_seq,
                limit=limit,
                offset=offset,
            )


def _columns(timing: Any) -> dict[str, Any]:
    return {name: getattr(timing, name) for name in timing.__slots__}


def _same_audience(old: StoredBroadcast, row: dict[str, Any]) -> bool:
    if old.audience != row["audience"]:
        return False
    return set(old.users) == set(row["users"]) and set(old.groups) == set(row["groups"])


def _may_see(caller: Caller, stored: StoredBroadcast) -> bool:
    return caller.admin or stored.sender == caller.name


def _first(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    return str(errors()[0]["msg"]).removeprefix("Value error, ")
