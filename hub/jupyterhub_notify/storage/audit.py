"""The audit log's rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from ..identity.caller import Caller
from ..schema import AuditEntry, now
from .writer import Transaction

__all__ = ["AuditStore"]


class AuditStore:
    """Writes the audit log in the same transaction as what it is about."""

    async def add(
        self, transaction: Transaction, caller: Caller, action: str, target: str, **detail: Any
    ) -> None:
        """Note what a caller does.

        Parameters
        ----------
        transaction
            Where it is done.
        caller
            Who.
        action
            What, such as ``notification.create``.
        target
            Of what: a service, an id.
        **detail
            Numbers and identifiers; never a text of a message.
        """
        await transaction.connection.execute(
            insert(AuditEntry).values(
                at=now(),
                caller_kind=caller.kind,
                caller=caller.name,
                action=action,
                target=target,
                detail=detail,
            )
        )
