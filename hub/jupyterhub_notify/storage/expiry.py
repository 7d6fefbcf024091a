"""Rows that are over, and rows so old that they are deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..schema import (
    AlertProblem,
    AuditEntry,
    Broadcast,
    Delivery,
    Notification,
    NotificationState,
    Server,
    Welcome,
    now,
)
from .writer import Transaction

__all__ = ["ExpiryStore"]


class ExpiryStore:
    """Ends and deletes rows by their age."""

    async def any_due(self, connection: AsyncConnection, at: datetime) -> bool:
        """Return whether a notification's or welcome message's time is over."""
        statement = select(
            or_(
                exists().where(Notification.state == "active", Notification.expires <= at),
                exists().where(Welcome.ended.is_(None), Welcome.expires <= at),
            )
        )
        return bool((await connection.execute(statement)).scalar_one())

    async def expire(self, transaction: Transaction, at: datetime, limit: int) -> int:
        """Expire what is due, at most so many notifications; return how many there were."""
        statement = (
            select(Notification.id, Notification.target)
            .where(Notification.state == "active", Notification.expires <= at)
            .limit(limit)
        )
        found = (await transaction.connection.execute(statement)).all()
        await self._end(transaction, found, at)
        over = select(Welcome.id).where(Welcome.ended.is_(None), Welcome.expires <= at)
        for id_ in (await transaction.connection.execute(over)).scalars().all():
            await transaction.connection.execute(
                update(Welcome).where(Welcome.id == id_).values(ended=at, seq=transaction.next())
            )
        return len(found)

    async def expire_older(self, transaction: Transaction, before: datetime, limit: int) -> int:
        """Expire notifications without an expiry that are older; return how many."""
        statement = (
            select(Notification.id, Notification.target)
            .where(
                Notification.state == "active",
                Notification.expires.is_(None),
                Notification.created < before,
            )
            .order_by(Notification.id)
            .limit(limit)
        )
        found = (await transaction.connection.execute(statement)).all()
        await self._end(transaction, found, now())
        return len(found)

    async def _end(self, transaction: Transaction, found: Sequence[Any], at: datetime) -> None:
        for id_, target in found:
            user = target[2:] if target.startswith("u:") else None
            await transaction.connection.execute(
                update(Notification)
                .where(Notification.id == id_)
                .values(state="expired", ended=at, seq=transaction.next(user))
            )

    async def delete_ended(self, transaction: Transaction, before: datetime) -> int:
        """Delete what ended before; cursors below the highest deleted number must start anew."""
        count = 0
        conditions: list[tuple[type[Any], Any]] = [
            (
                Notification,
                and_(Notification.ended.is_not(None), Notification.ended < before),
            ),
            (Broadcast, and_(Broadcast.revoked.is_not(None), Broadcast.revoked < before)),
            (
                Broadcast,
                and_(
                    Broadcast.stale.is_(True),
                    Broadcast.active.is_(False),
                    Broadcast.updated < before,
                    or_(Broadcast.occurrence.is_(None), Broadcast.occurrence < before),
                    Broadcast.origin == "api",
                ),
            ),
            (Welcome, and_(Welcome.ended.is_not(None), Welcome.ended < before)),
        ]
        for table, condition in conditions:
            connection = transaction.connection
            found = await connection.execute(
                select(func.max(table.seq), func.count()).where(condition)
            )
            highest, number = found.one()
            if number:
                transaction.pruned = max(transaction.pruned, highest)
                transaction.bump()
                await connection.execute(delete(table).where(condition))
                count += number
        return count

    async def delete_receipts(self, transaction: Transaction, before: datetime) -> int:
        """Delete what became of messages, if it is older; return how many rows there were."""
        connection = transaction.connection
        deleted = await connection.execute(delete(Delivery).where(Delivery.updated < before))
        await connection.execute(
            update(NotificationState)
            .where(
                or_(NotificationState.stored < before, NotificationState.shown < before),
            )
            .values(stored=None, shown=None, tabs=None)
        )
        return int(deleted.rowcount)

    async def delete_audit(self, transaction: Transaction, before: datetime) -> int:
        """Delete old entries of the audit log; return how many there were."""
        result = await transaction.connection.execute(
            delete(AuditEntry).where(AuditEntry.at < before)
        )
        return int(result.rowcount)

    async def delete_alert_problems(self, transaction: Transaction, before: datetime) -> int:
        """Delete what kept alerts from users and has not come up since; return how many."""
        statement = delete(AlertProblem).where(AlertProblem.last < before)
        return int((await transaction.connection.execute(statement)).rowcount)

    async def delete_servers(self, transaction: Transaction, before: datetime) -> int:
        """Forget servers that have not said hello for long; return how many there were."""
        result = await transaction.connection.execute(delete(Server).where(Server.hello < before))
        return int(result.rowcount)

    async def fold_counts(self, transaction: Transaction) -> int:
        """Keep numbers only of broadcasts that are over; return of how many."""
        connection = transaction.connection
        statement = (
            select(Broadcast.id)
            .where(
                Broadcast.stale.is_(True), Broadcast.active.is_(False), Broadcast.counts.is_(None)
            )
            .where(exists().where(Delivery.broadcast_id == Broadcast.id))
        )
        ids = (await connection.execute(statement)).scalars().all()
        for id_ in ids:
            counted = (
                select(Delivery.outcome, func.count())
                .where(Delivery.broadcast_id == id_)
                .group_by(Delivery.outcome)
            )
            counts = {row[0]: row[1] for row in await connection.execute(counted)}
            await connection.execute(
                update(Broadcast).where(Broadcast.id == id_).values(counts=counts)
            )
            await connection.execute(delete(Delivery).where(Delivery.broadcast_id == id_))
        return len(ids)
