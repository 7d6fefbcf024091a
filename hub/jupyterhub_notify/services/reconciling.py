"""Reconciles a service's active notifications with a list.

A service's list is reconciled in one transaction. An alerting engine's list, with up to twenty
thousand alerts, takes several transactions, so that others can read and write in between. If it is
cut off halfway, the engine gets no answer and sends the list again.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ..errors import Invalid
from ..identity.caller import Caller
from ..metrics import PUBLISHED
from ..models.notifications import Reconciled, ReconcileItem
from ..models.stored import StoredNotification
from ..storage.audit import AuditStore
from ..storage.notifications import NotificationStore
from ..storage.writer import Transaction, Writer
from .access import require_publisher
from .limits import RateLimit
from .pace import paced
from .publishing import Draft, PublishingService, require_open

__all__ = ["ReconcilingService"]

#: The size with which a whole list is reconciled in one transaction.
WHOLE = sys.maxsize

#: A notification's key and target.
_Place = tuple[str | None, str]


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A reconciliation under way.

    Parameters
    ----------
    service, scope
        The service, and the beginning of the keys that are looked at.
    size
        Number of notifications in one transaction.
    wanted
        The notifications that should be active.
    put
        Those of them that are still to be stored.
    revoke
        If the list is not complete: the only keys that may be revoked.
    end
        The notifications that are still to be revoked; `None` until they are known.
    result
        The numbers so far.
    over
        Whether everything is done.
    """

    service: str
    scope: str
    size: int
    wanted: Mapping[_Place, Draft]
    put: Sequence[_Place]
    revoke: Collection[str] | None
    end: Sequence[_Place] | None = None
    result: Reconciled = field(
        default_factory=lambda: Reconciled(created=0, changed=0, revoked=0, unchanged=0)
    )
    over: bool = False


class ReconcilingService:
    """Creates missing notifications, changes different ones, revokes those not in the list.

    Parameters
    ----------
    writer
        For writing.
    store, audit
        The tables.
    publishing
        Checks and stores each notification.
    limit
        Bounds the rate at which a publisher may send; a reconciliation counts once.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        store: NotificationStore,
        audit: AuditStore,
        publishing: PublishingService,
        limit: RateLimit,
    ) -> None:
        self._writer = writer
        self._store = store
        self._audit = audit
        self._publishing = publishing
        self._limit = limit

    async def reconcile(
        self,
        caller: Caller,
        service: str,
        items: Sequence[ReconcileItem],
        scope: str,
        *,
        revoke: Collection[str] | None = None,
        size: int = WHOLE,
    ) -> Reconciled:
        """Reconcile a service's notifications with a list.

        Parameters
        ----------
        caller
            The caller.
        service
            The service.
        items
            All notifications that should be active.
        scope
            Only keys that begin with this text are looked at, and allowed in the list.
        revoke
            If the list is not complete: the only keys that may be revoked.
        size
            Number of notifications in one transaction. If it is less than the whole list, a
            reconciliation that is cut off is half done: only for callers who send the list again.

        Returns
        -------
        Reconciled
            The numbers of notifications created, changed and revoked.

        Raises
        ------
        Invalid
            If a key is outside of the scope, or a key and recipient occur twice.
        """
        require_publisher(caller, service)
        wanted = await self._wanted(caller, items, scope)
        self._limit.take(caller.name)
        run = _Run(
            service=service,
            scope=scope,
            size=size,
            wanted=wanted,
            put=list(wanted),
            revoke=revoke,
        )
        while not run.over:
            run = await self._writer.run(partial(self._slice, caller=caller, run=run))
        PUBLISHED.labels("notification").inc(run.result.created)
        return run.result

    async def _slice(self, transaction: Transaction, caller: Caller, run: _Run) -> _Run:
        """Do the next part, in a transaction of its own; return the run with what is left."""
        require_open(transaction)
        result, end = run.result.model_copy(), run.end
        now_put, put = run.put[: run.size], run.put[run.size :]
        if now_put:
            drafts = {place: run.wanted[place] for place in now_put}
            await self._put(transaction, run.service, drafts, result)
        room = run.size - len(now_put)
        if not put and end is None:
            end = await self._to_end(transaction, run)
        if not put and end and room:
            result.revoked += await self._end(transaction, run.service, end[:room])
            end = end[room:]
        over = not put and not end
        if over and (result.created or result.changed or result.revoked):
            await self._audit.add(
                transaction,
                caller,
                "notification.reconcile",
                run.service,
                scope=run.scope,
                **result.model_dump(),
            )
        return replace(run, result=result, put=put, end=end, over=over)

    async def _put(
        self,
        transaction: Transaction,
        service: str,
        wanted: dict[_Place, Draft],
        result: Reconciled,
    ) -> None:
        existing = await self._existing(transaction, service, wanted)
        stored = await self._publishing.store_drafts(
            transaction, service, list(wanted.values()), existing
        )
        for place, one in zip(wanted, stored, strict=True):
            old = existing.get(place)
            if old is None:
                result.created += 1
            elif old.seq == one.seq:
                result.unchanged += 1
            else:
                result.changed += 1

    async def _to_end(self, transaction: Transaction, run: _Run) -> list[_Place]:
        """Return the notifications that are not in the list and may be revoked."""
        found = await self._store.keys_of_service(transaction.connection, run.service, run.scope)
        return [
            place
            for place in found
            if place not in run.wanted and (run.revoke is None or place[0] in run.revoke)
        ]

    async def _end(self, transaction: Transaction, service: str, places: Sequence[_Place]) -> int:
        existing = await self._existing(transaction, service, places)
        await self._publishing.end(transaction, existing.values())
        return len(existing)

    async def _existing(
        self, transaction: Transaction, service: str, places: Collection[_Place]
    ) -> dict[_Place, StoredNotification]:
        keys = {key for key, _ in places if key is not None}
        found = await self._store.of_service(transaction.connection, service, keys=keys)
        wanted = set(places)
        by_place = {(one.key, one.target): one for one in found}
        return {place: one for place, one in by_place.items() if place in wanted}

    async def _wanted(
        self, caller: Caller, items: Sequence[ReconcileItem], scope: str
    ) -> dict[_Place, Draft]:
        wanted: dict[_Place, Draft] = {}
        async for index, item in paced(enumerate(items)):
            if not item.key.startswith(scope):
                raise Invalid("The key is outside of the scope", ["body", index, "key"])
            for draft in await self._publishing.drafts(caller, item, ("body", index)):
                place = (draft.key, draft.target)
                if place in wanted:
                    raise Invalid(
                        "The same key and recipient are there twice", ["body", index, "key"]
                    )
                # By default a message does not become unread again: a job may reconcile every five
                # minutes.
                again = bool(item.show_again)
                wanted[place] = Draft(
                    target=draft.target, key=draft.key, values=draft.values, show_again=again
                )
        return wanted
