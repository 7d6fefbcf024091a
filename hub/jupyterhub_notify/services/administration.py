"""Administration: stopping all publishing, the audit log, the list of labs, forgetting a user."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update

from ..identity.caller import Caller
from ..models.admin import AuditLogEntry, LabServer, Publishing
from ..models.receipts import Hello
from ..schema import AuditEntry, Counter, now
from ..storage.audit import AuditStore
from ..storage.database import Database
from ..storage.deliveries import DeliveryStore
from ..storage.servers import ServerStore
from ..storage.writer import Transaction, Writer
from .access import require_admin, require_user

__all__ = ["AdministrationService"]


class AdministrationService:
    """What administrators do apart from messages.

    Parameters
    ----------
    database, writer
        For reading and writing.
    audit, servers, deliveries
        The tables.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        audit: AuditStore,
        servers: ServerStore,
        deliveries: DeliveryStore,
    ) -> None:
        self._database = database
        self._writer = writer
        self._audit = audit
        self._servers = servers
        self._deliveries = deliveries

    async def publishing(self, caller: Caller) -> Publishing:
        """Return whether publishing has been stopped."""
        require_admin(caller)
        statement = select(Counter.stopped, Counter.stopped_by, Counter.stopped_reason)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one()
        return Publishing(
            stopped=row.stopped is not None,
            since=row.stopped,
            by=row.stopped_by,
            reason=row.stopped_reason,
        )

    async def set_publishing(self, caller: Caller, stopped: bool, reason: str | None) -> None:
        """Stop all publishing, or let it go on."""
        require_admin(caller)

        async def command(transaction: Transaction) -> None:
            values: dict[str, Any] = {"stopped": None, "stopped_by": None, "stopped_reason": None}
            if stopped:
                values = {"stopped": now(), "stopped_by": caller.name, "stopped_reason": reason}
            await transaction.connection.execute(update(Counter).values(values))
            # The switch also applies to later commands in the same transaction.
            transaction.stopped_reason = (reason or "") if stopped else None
            action = "publishing.stop" if stopped else "publishing.resume"
            await self._audit.add(transaction, caller, action, "")

        await self._writer.run(command)

    async def audit_log(
        self, caller: Caller, *, limit: int, offset: int
    ) -> tuple[list[AuditLogEntry], int]:
        """Return a page of the audit log, newest first, and how many entries there are."""
        require_admin(caller)
        statement = (
            select(AuditEntry.__table__).order_by(AuditEntry.id.desc()).limit(limit).offset(offset)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
            counted = select(func.count()).select_from(AuditEntry)
            total = (await connection.execute(counted)).scalar_one()
        return [AuditLogEntry.model_validate(dict(row._mapping)) for row in rows], total

    async def hello(self, caller: Caller, hello: Hello) -> None:
        """Note that a lab asks the service by itself, so that nothing is pushed to its server."""
        user = require_user(caller)

        async def command(transaction: Transaction) -> None:
            await self._servers.hello(
                transaction,
                user,
                hello.server,
                extension=hello.extension,
                version=hello.version,
                started=hello.started,
            )
            await self._deliveries.asks(transaction, user, hello.server)

        await self._writer.run(command)

    async def labs(self, caller: Caller) -> list[LabServer]:
        """Return the servers whose labs have said hello."""
        require_admin(caller)
        async with self._database.read() as connection:
            rows = await self._servers.listed(connection)
        return [
            LabServer(
                user=row["user_name"],
                server=row["server_name"],
                extension=row["extension"],
                version=row["version"],
                started=row["started"],
                hello=row["hello"],
            )
            for row in rows
        ]

    async def forget_user(self, caller: Caller, user: str) -> None:
        """Delete everything that is kept of a user."""
        require_admin(caller)

        async def command(transaction: Transaction) -> None:
            count = await self._servers.forget_user(transaction, user)
            # Without the name, since the user is to be forgotten.
            await self._audit.add(transaction, caller, "user.forget", "", count=count)

        await self._writer.run(command)
