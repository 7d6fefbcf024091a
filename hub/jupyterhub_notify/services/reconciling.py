"""Make a service's active notifications what a list says, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..errors import Invalid
from ..identity.caller import Caller
from ..metrics import PUBLISHED
from ..models.notifications import Reconciled, ReconcileItem
from ..schema import now
from ..storage.audit import AuditStore
from ..storage.notifications import NotificationStore
from ..storage.writer import Transaction, Writer
from .access import require_publisher
from .limits import RateLimit
from .publishing import Draft, PublishingService, require_open

__all__ = ["ReconcilingService"]


class ReconcilingService:
    """Creates what is missing, changes what is different, revokes what is not in the list.

    Parameters
    ----------
    writer
        Where to write.
    store, audit
        The tables.
    publishing
        Checks and stores each notification.
    limit
        How fast a publisher may send; a reconciliation counts once.
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
    ) -> Reconciled:
        """Make it so.

        Parameters
        ----------
        caller
            Who asks.
        service
            Whose notifications.
        items
            All that should be active.
        scope
            Only keys that begin so are looked at, and only such may be in the list.
        revoke
            If the list is not complete: the only keys that may be revoked.

        Returns
        -------
        Reconciled
            What was done.

        Raises
        ------
        Invalid
            If a key is out of the scope, or a key and recipient are there twice.
        """
        require_publisher(caller, service)
        wanted = await self._wanted(caller, items, scope)
        self._limit.take(caller.name)

        async def command(transaction: Transaction) -> Reconciled:
            require_open(transaction)
            found = await self._store.of_service(transaction.connection, service)
            existing = {
                (one.key, one.target): one for one in found if (one.key or "").startswith(scope)
            }
            result = Reconciled(created=0, changed=0, revoked=0, unchanged=0)
            stored = await self._publishing.store_drafts(
                transaction, service, list(wanted.values()), existing
            )
            for place, one in zip(wanted, stored, strict=True):
                old = existing.pop(place, None)
                if old is None:
                    result.created += 1
                elif old.seq == one.seq:
                    result.unchanged += 1
                else:
                    result.changed += 1
            for old in existing.values():
                if revoke is not None and old.key not in revoke:
                    continue
                await self._publishing.end(transaction, old, now())
                result.revoked += 1
            if result.created or result.changed or result.revoked:
                await self._audit.add(
                    transaction,
                    caller,
                    "notification.reconcile",
                    service,
                    scope=scope,
                    **result.model_dump(),
                )
            return result

        result = await self._writer.run(command)
        PUBLISHED.labels("notification").inc(result.created)
        return result

    async def _wanted(
        self, caller: Caller, items: Sequence[ReconcileItem], scope: str
    ) -> dict[tuple[str | None, str], Draft]:
        wanted: dict[tuple[str | None, str], Draft] = {}
        for index, item in enumerate(items):
            if not item.key.startswith(scope):
                raise Invalid("The key is outside of the scope", ["body", index, "key"])
            for draft in await self._publishing.drafts(caller, item, ("body", index)):
                place = (draft.key, draft.target)
                if place in wanted:
                    raise Invalid(
                        "The same key and recipient are there twice", ["body", index, "key"]
                    )
                # A job that runs every five minutes must not make the same message unread.
                again = bool(item.show_again)
                wanted[place] = Draft(
                    target=draft.target, key=draft.key, values=draft.values, show_again=again
                )
        return wanted
