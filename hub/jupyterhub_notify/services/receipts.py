"""Receipts, in which labs report the states of messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from ..errors import ServiceError
from ..identity.caller import Caller
from ..metrics import RECEIPTS
from ..models.receipts import LabReceipt
from ..models.stored import StoredBroadcast, StoredNotification
from ..schema import now
from ..storage.broadcasts import BroadcastStore
from ..storage.deliveries import DeliveryStore, Reported
from ..storage.notifications import NotificationStore
from ..storage.writer import Transaction, Writer
from .access import require_user
from .broadcast_reading import BroadcastReadingService
from .inbox import numbers
from .receipt_groups import ReceiptGroups, Sent
from .replies import check_reply

__all__ = ["ReceiptService"]

#: The columns of a notification's state that receipts set and the user's other labs do not see.
_QUIET = {"stored": "stored", "shown": "shown"}
#: The columns that receipts set and the user's other labs do see.
_LOUD = {"read": "read", "dismissed": "dismissed", "replied": "replied"}


class ReceiptService:
    """Takes receipts. Impossible ones are ignored: a lab would repeat a refused one for ever.

    Parameters
    ----------
    writer
        For writing.
    notifications, broadcasts, deliveries
        The tables.
    reading
        Marks broadcasts.
    keep
        What is kept of receipts: nothing, numbers, or each user's.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        notifications: NotificationStore,
        broadcasts: BroadcastStore,
        deliveries: DeliveryStore,
        reading: BroadcastReadingService,
        keep: Literal["off", "counts", "full"],
    ) -> None:
        self._writer = writer
        self._notifications = notifications
        self._broadcasts = broadcasts
        self._deliveries = deliveries
        self._reading = reading
        self._keep = keep
        self._groups = ReceiptGroups(writer=writer, write=self._delivered)

    async def take(self, caller: Caller, receipts: Sequence[LabReceipt]) -> None:
        """Take receipts of the caller's lab.

        Parameters
        ----------
        caller
            The user of the lab.
        receipts
            The receipts; those of unknown messages are ignored.
        """
        user = require_user(caller)
        wanted = [one for one in receipts if self._keep != "off" or one.state in _LOUD]
        if not wanted:
            return
        if all(one.state in _QUIET and not numbers([one.id]) for one in wanted):
            # After a broadcast ten thousand labs send these within seconds.
            await self._groups.take(caller, wanted)
        else:
            await self._take(caller, user, wanted)
        for one in wanted:
            RECEIPTS.labels(one.state).inc()

    async def _take(self, caller: Caller, user: str, wanted: Sequence[LabReceipt]) -> None:
        async def command(transaction: Transaction) -> None:
            ids = numbers(one.id for one in wanted)
            found = await self._notifications.some_for_user(
                transaction.connection, user, caller.groups, ids
            )
            known = {str(one.id): one for one in found}
            for receipt in wanted:
                stored = known.get(receipt.id)
                if stored is not None:
                    await self._notification(transaction, user, stored, receipt)
                    fresh = await self._notifications.one_for_user(
                        transaction.connection, user, caller.groups, stored.id
                    )
                    if fresh is not None:
                        known[receipt.id] = fresh
                elif not numbers([receipt.id]):
                    await self._broadcast(transaction, caller, receipt)

        await self._writer.run(command)

    async def _notification(
        self, transaction: Transaction, user: str, stored: StoredNotification, receipt: LabReceipt
    ) -> None:
        state, at = stored.user_state, _sane(receipt.at)
        values: dict[str, Any] = {}
        if receipt.state in _QUIET:
            if self._keep != "full":
                return
            if getattr(state, receipt.state) is None:
                values[receipt.state] = at
            if (receipt.tabs or 0) > (state.tabs or 0):
                values["tabs"] = receipt.tabs
            # There is no event for this: the number stays as it is, or is 0 in a new row.
            values = {**values, "seq": state.seq} if values else {}
        elif receipt.state == "replied":
            if receipt.reply is None or receipt.reply == state.reply:
                return
            if not _asked(stored.options, receipt.reply):
                return
            values = {"replied": at, "reply": receipt.reply, "seq": transaction.next(user)}
        elif getattr(state, _LOUD[receipt.state]) is None:
            values = {_LOUD[receipt.state]: at, "seq": transaction.next(user)}
        if values:
            row = {"notification_id": stored.id, "user_name": user, **values}
            await self._notifications.set_states(transaction.connection, [row])

    async def _broadcast(
        self, transaction: Transaction, caller: Caller, receipt: LabReceipt
    ) -> None:
        stored = await self._broadcasts.one(transaction.connection, receipt.id)
        if stored is None or not _is_shown_to(stored, caller):
            return
        if receipt.state == "replied":
            if receipt.reply is not None and _asked(stored.options, receipt.reply):
                await self._reading.set_reply(
                    transaction, stored, caller.name, receipt.reply, receipt.server
                )
            return
        await self._mark(transaction, stored, caller.name, receipt)
        if self._keep != "off":
            reported = [_reported(caller, receipt)]
            await self._deliveries.receipts(transaction, stored, reported)

    async def _delivered(self, transaction: Transaction, sent: Sequence[Sent]) -> None:
        """Write the receipts of broadcasts from many labs, with some statements per broadcast."""
        of: dict[str, list[Sent]] = {}
        for one in sent:
            of.setdefault(one[1].id, []).append(one)
        for id_, some in of.items():
            stored = await self._broadcasts.one(transaction.connection, id_)
            if stored is not None:
                reported = [_reported(*one) for one in some if _is_shown_to(stored, one[0])]
                await self._deliveries.receipts(transaction, stored, reported)

    async def _mark(
        self, transaction: Transaction, stored: StoredBroadcast, user: str, receipt: LabReceipt
    ) -> None:
        if receipt.state == "read":
            await self._reading.set_mark(transaction, stored, user, "read")
        elif receipt.state == "dismissed" and stored.options.get("dismissable", True):
            await self._reading.set_mark(transaction, stored, user, "dismiss")


def _is_shown_to(stored: StoredBroadcast, caller: Caller) -> bool:
    shown = stored.occurrence is not None and stored.revoked is None
    return shown and stored.is_for(caller.name, caller.groups)


def _reported(caller: Caller, receipt: LabReceipt) -> Reported:
    return Reported(
        user=caller.name,
        server=receipt.server,
        state=receipt.state,
        tabs=receipt.tabs,
        at=_sane(receipt.at),
    )


def _asked(options: dict[str, Any], reply: str) -> bool:
    try:
        check_reply(options, reply)
    except ServiceError:
        return False
    return True


def _sane(at: datetime | None) -> datetime:
    """Return a lab's time, or a plausible one if the lab's clock is wrong."""
    present = now()
    if at is None or at > present or at < present - timedelta(days=30):
        return present
    return at
