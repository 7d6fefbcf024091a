"""Expires rows whose time is over, and deletes old rows."""

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
        """Return whether the time of a notification or welcome message is over."""
        statement = select(
            or_(
                exists().where(Notification.state == "active", Notification.expires <= at),
                exists().where(Welcome.ended.is_(None), Welcome.expires <= at),
            )
        )
        return bool((await connection.execute(statement)).scalar_one())

    async def expire(self, transaction: Transaction, at: datetime, limit: int) -> int:
        """Expire what is due, with at most `limit` notifications; return their number."""
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
        """Expire old notifications that have no expiry of their own; return their number."""
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
        """Delete messages that ended before; return their number.

        Readers with a cursor below the highest deleted number must start anew.
        """
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
        """Delete old deliveries and receipts; return the number of deliveries."""
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
        """Delete old entries of the audit log; return their number."""
        result = await transaction.connection.execute(
            delete(AuditEntry).where(AuditEntry.at < before)
        )
        return int(result.rowcount)

    async def delete_alert_problems(self, transaction: Transaction, before: datetime) -> int:
        """Delete problems of alerts that have not occurred since; return their number."""
        statement = delete(AlertProblem).where(AlertProblem.last < before)
        return int((await transaction.connection.execute(statement)).rowcount)

    async def delete_servers(self, transaction: Transaction, before: datetime) -> int:
        """Delete servers that have not said hello for a long time; return their number."""
        result = await transaction.connection.execute(delete(Server).where(Server.hello < before))
        return int(result.rowcount)

    async def fold_counts(self, transaction: Transaction) -> int:
        """Replace the rows of ended broadcasts by their numbers; return how many broadcasts."""
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
