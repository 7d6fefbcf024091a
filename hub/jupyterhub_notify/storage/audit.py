"""Writes the audit log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert

from ..identity.caller import Caller
from ..schema import AuditEntry, now
from .writer import Transaction

__all__ = ["AuditStore"]


class AuditStore:
    """Writes each entry in the same transaction as the change itself."""

    async def add(
        self, transaction: Transaction, caller: Caller, action: str, target: str, **detail: Any
    ) -> None:
        """Add an entry.

        Parameters
        ----------
        transaction
            The transaction of the change.
        caller
            The caller.
        action
            The kind of change, such as ``notification.create``.
        target
            The object of the change: a service, an id.
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
