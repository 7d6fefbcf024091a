"""A service's side of its notifications: send, change, revoke."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from ..errors import Invalid, NotAllowed, NotFound, PublishingStopped
from ..identity.caller import Caller
from ..metrics import PUBLISHED, REFUSED
from ..models.notifications import CreateNotification, PatchNotification, Receipt
from ..models.stored import StoredNotification, StoredState
from ..schema import Notification as NotificationTable
from ..schema import now
from ..storage.audit import AuditStore
from ..storage.database import Database
from ..storage.notifications import NotificationStore, group_target, user_target
from ..storage.pages import Cursor, Page
from ..storage.writer import Transaction, Writer
from .access import require_admin, require_publisher
from .content import ContentService, options_of
from .limits import RateLimit

__all__ = ["Directory", "Draft", "PublishingService", "require_open"]

#: Fields that decide whether two notifications have the same content.
CONTENT = ("type", "summary", "body", "template", "data", "options", "expires")


class Directory(Protocol):
    """Knows the users' groups."""

    async def groups_of(self, user: str) -> frozenset[str]:
        """Return a user's groups; none if they are not known now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A notification to one target that has been checked and can be stored."""

    target: str
    key: str | None
    values: dict[str, Any]
    show_again: bool


def require_open(transaction: Transaction) -> None:
    """Refuse to publish while an administrator has stopped publishing."""
    if transaction.stopped_reason is None:
        return
    REFUSED.labels("stopped").inc()
    reason = f": {transaction.stopped_reason}" if transaction.stopped_reason else ""
    raise PublishingStopped(f"Publishing has been stopped{reason}", retry_after_s=60)


# Longer than a screen: each way to send ends in the same checks and the same transaction.
class PublishingService:
    """Sends, changes and revokes notifications in a service's name.

    Parameters
    ----------
    database, writer
        For reading and writing.
    store, audit
        The tables.
    content
        Checks templates.
    limit
        Bounds the rate at which a publisher may send.
    directory
        Knows the groups of users, which decide whether a group's sender may send to them.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        store: NotificationStore,
        audit: AuditStore,
        content: ContentService,
        limit: RateLimit,
        directory: Directory,
    ) -> None:
        self._database = database
        self._writer = writer
        self._store = store
        self._audit = audit
        self._content = content
        self._limit = limit
        self._directory = directory

    async def drafts(
        self, caller: Caller, item: CreateNotification, loc: Sequence[str | int] = ("body",)
    ) -> list[Draft]:
        """Check one notification and return its drafts, one for each target.

        Parameters
        ----------
        caller
            The sender.
        item
            The notification.
        loc
            Its place in the request, for errors.

        Returns
        -------
        list
            One draft for each recipient.

        Raises
        ------
        Invalid
            If its template is unknown or its data do not fit.
        NotAllowed
            If the caller may not send to a recipient.
        """
        if item.template is not None:
            try:
                self._content.check(item.template, item.data)
            except Invalid as error:
                raise Invalid(str(error), [*loc, *(error.loc or ["body"])[1:]]) from None
        values = self._values(item)
        again = item.show_again
        if again is None:
            again = item.type != "in-progress"
        return [
            Draft(target=target, key=item.key, values=values, show_again=again)
            for target in await self._targets(caller, item, loc)
        ]

    def _values(self, item: CreateNotification) -> dict[str, Any]:
        return {
            "type": item.type or ("" if item.template else "info"),
            "summary": item.summary or "",
            "body": item.body,
            "template": item.template,
            "data": item.data,
            "options": options_of(item),
            "expires": item.expires,
        }

    async def _targets(
        self, caller: Caller, item: CreateNotification, loc: Sequence[str | int]
    ) -> list[str]:
        if item.group is not None:
            if not caller.may_send_to_group(item.group):
                raise NotAllowed("This caller may not send to this group", [*loc, "group"])
            return [group_target(item.group)]
        users = item.recipients if item.recipients is not None else [item.recipient or ""]
        users = list(dict.fromkeys(users))
        if not caller.may_send_to_everyone():
            field = "recipient" if item.recipients is None else "recipients"
            for user in users:
                if not caller.may_send_to_user(await self._directory.groups_of(user)):
                    raise NotAllowed("This caller may not send to this user", [*loc, field])
        return [user_target(user) for user in users]

    async def create(
        self, caller: Caller, service: str, item: CreateNotification
    ) -> list[StoredNotification]:
        """Send a notification, or replace the one that has the same key and recipient.

        Parameters
        ----------
        caller
            The sender.
        service
            The service in whose name it is sent.
        item
            The notification.

        Returns
        -------
        list
            The stored notifications, one for each recipient.
        """
        require_publisher(caller, service)
        drafts = await self.drafts(caller, item)
        self._limit.take(caller.name, len(drafts))

        async def command(transaction: Transaction) -> list[StoredNotification]:
            require_open(transaction)
            existing: dict[tuple[str | None, str], StoredNotification] = {}
            if item.key is not None:
                found = await self._store.of_service(
                    transaction.connection, service, keys=[item.key]
                )
                existing = {(one.key, one.target): one for one in found}
            result = await self.store_drafts(transaction, service, drafts, existing)
            ids = [one.id for one in result]
            await self._audit.add(
                transaction,
                caller,
                "notification.create",
                service,
                count=len(ids),
                first=str(ids[0]),
                key=item.key,
            )
            return result

        result = await self._writer.run(command)
        PUBLISHED.labels("notification").inc(len(result))
        return result

    async def store_drafts(
        self,
        transaction: Transaction,
        service: str,
        drafts: Sequence[Draft],
        existing: dict[tuple[str | None, str], StoredNotification],
    ) -> list[StoredNotification]:
        """Insert drafts, or change existing notifications; return the stored ones, in order."""
        at = now()
        new: list[Draft] = []
        places: list[StoredNotification | None] = []
        for draft in drafts:
            old = existing.get((draft.key, draft.target)) if draft.key is not None else None
            if old is None:
                new.append(draft)
            places.append(None if old is None else await self.replace(transaction, old, draft, at))
        inserted = iter(await self._insert(transaction, service, new, at))
        return [place or next(inserted) for place in places]

    async def _insert(
        self, transaction: Transaction, service: str, drafts: Sequence[Draft], at: datetime
    ) -> list[StoredNotification]:
        if not drafts:
            return []
        rows = [
            {
                **draft.values,
                "id": transaction.next_id(),
                "seq": transaction.next(_only_user(draft.target)),
                "service": service,
                "target": draft.target,
                "key": draft.key,
                "created": at,
                "updated": at,
                "state": "active",
            }
            for draft in drafts
        ]
        await self._store.insert(transaction.connection, rows)
        return [StoredNotification(**row) for row in rows]

    async def replace(
        self, transaction: Transaction, old: StoredNotification, draft: Draft, at: datetime
    ) -> StoredNotification:
        """Give a notification new content, unless it already has the same content."""
        if all(getattr(old, name) == draft.values[name] for name in CONTENT):
            return old
        return await self._change(transaction, old, draft.values, at, draft.show_again)

    async def _change(
        self,
        transaction: Transaction,
        old: StoredNotification,
        values: dict[str, Any],
        at: datetime,
        show_again: bool,
    ) -> StoredNotification:
        # At least a second later than before, even within the same second: a lab that polls
        # recognises a change by this time.
        updated = max(at, old.updated + timedelta(seconds=1))
        changed = {**values, "seq": transaction.next(_only_user(old.target)), "updated": updated}
        await self._store.change(transaction.connection, old.id, changed)
        if show_again:
            await self._store.forget_states(transaction.connection, old.id)
        state = StoredState() if show_again else old.user_state
        kept = {name: getattr(old, name) for name in old.__slots__}
        return StoredNotification(**{**kept, **changed, "user_state": state})

    async def end(self, transaction: Transaction, found: Iterable[StoredNotification]) -> None:
        """Revoke notifications."""
        seqs = {old.id: transaction.next(_only_user(old.target)) for old in found}
        await self._store.end(transaction.connection, seqs, "revoked", now())

    async def patch(
        self, caller: Caller, service: str, reference: str, patch: PatchNotification
    ) -> list[StoredNotification]:
        """Change a notification, or all that have a key.

        Parameters
        ----------
        caller
            The sender.
        service
            The service in whose name it was sent.
        reference
            A key, or an id.
        patch
            The changes.

        Returns
        -------
        list
            The stored notifications.
        """
        require_publisher(caller, service)
        self._limit.take(caller.name)

        async def command(transaction: Transaction) -> list[StoredNotification]:
            require_open(transaction)
            found = await self._referenced(transaction, service, reference)
            result = []
            for old in found:
                values = self._patched(old, patch)
                same = all(getattr(old, name) == value for name, value in values.items())
                if same and not patch.show_again:
                    result.append(old)
                    continue
                result.append(await self._change(transaction, old, values, now(), patch.show_again))
            await self._audit.add(
                transaction, caller, "notification.change", service, id=reference, count=len(found)
            )
            return result

        return await self._writer.run(command)

    def _patched(self, old: StoredNotification, patch: PatchNotification) -> dict[str, Any]:
        given = patch.model_fields_set
        values = {name: getattr(old, name) for name in CONTENT}
        for name in ("type", "body", "template", "data", "expires", "summary"):
            if name in given:
                values[name] = getattr(patch, name)
        if patch.summary is not None:
            values["template"], values["data"] = None, None
        elif patch.template is not None:
            values["summary"], values["body"] = "", None
        if values["template"] is not None:
            self._content.check(values["template"], values["data"])
        elif not values["summary"]:
            raise Invalid("A notification needs a summary or a template", ["body", "summary"])
        values["summary"] = values["summary"] or ""
        values["type"] = values["type"] or ("" if values["template"] else "info")
        values["options"] = {
            name: value
            for name, value in {**old.options, **options_of(patch)}.items()
            if name not in given or getattr(patch, name) is not None
        }
        return values

    async def revoke(self, caller: Caller, service: str, reference: str) -> None:
        """Revoke a notification, or all that have a key; they disappear from every tab.

        Raises
        ------
        NotFound
            If the service has no such notification.
        """
        require_publisher(caller, service)

        async def command(transaction: Transaction) -> None:
            found = await self._referenced(transaction, service, reference)
            await self.end(transaction, found)
            await self._audit.add(
                transaction, caller, "notification.revoke", service, id=reference, count=len(found)
            )

        await self._writer.run(command)

    async def _referenced(
        self, transaction: Transaction, service: str, reference: str
    ) -> list[StoredNotification]:
        """Return the notifications with a key or, if none has that key, the one with that id."""
        found = await self._store.of_service(transaction.connection, service, keys=[reference])
        if not found and _is_id(reference):
            one = await self._store.one_of_service(transaction.connection, service, int(reference))
            found = [one] if one is not None and one.state == "active" else []
        if not found:
            raise NotFound(f"Unknown notification: {reference}")
        return found

    async def one(self, caller: Caller, service: str, id_: str) -> StoredNotification:
        """Return one notification of a service, whatever its state.

        Raises
        ------
        NotFound
            If the service has no such notification.
        """
        require_publisher(caller, service)
        found = None
        async with self._database.read() as connection:
            if _is_id(id_):
                found = await self._store.one_of_service(connection, service, int(id_))
            if found is None:
                keyed = await self._store.of_service(connection, service, keys=[id_])
                found = keyed[0] if len(keyed) == 1 else None
        if found is None:
            raise NotFound(f"Unknown notification: {id_}")
        return found

    async def listed(
        self,
        caller: Caller,
        service: str | None,
        *,
        cursor: str | None,
        limit: int | None,
        since: datetime | None,
        until: datetime | None,
        recipient: str | None,
    ) -> Page[StoredNotification]:
        """Return a page of a service's notifications, or of all services'.

        Parameters
        ----------
        caller
            The caller.
        service
            The service; `None` for all, which an administrator may see.
        cursor, limit
            The page.
        since, until, recipient
            Restrict the list to a time and a recipient.

        Returns
        -------
        Page
            The notifications.
        """
        columns = NotificationTable.__table__.c
        where = []
        if service is None:
            require_admin(caller)
        else:
            require_publisher(caller, service)
            where.append(columns.service == service)
        if since is not None:
            where.append(columns.created >= since)
        if until is not None:
            where.append(columns.created <= until)
        if recipient is not None:
            where.append(columns.target == user_target(recipient))
        async with self._database.read() as connection:
            return await self._store.of_services(
                connection,
                where,
                limit=limit,
                cursor=None if cursor is None else Cursor.parse(cursor),
            )

    async def receipts(self, caller: Caller, service: str, id_: str) -> list[Receipt]:
        """Return the receipts of a notification, one for each user."""
        stored = await self.one(caller, service, id_)
        async with self._database.read() as connection:
            rows = await self._store.receipts(connection, stored.id)
        names = ("stored", "shown", "tabs", "read", "dismissed", "replied", "reply")
        return [
            Receipt(user=user, **{name: getattr(state, name) for name in names})
            for user, state in rows
        ]


def _only_user(target: str) -> str | None:
    return target[2:] if target.startswith("u:") else None


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 18
