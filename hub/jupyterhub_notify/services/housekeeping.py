"""Deletes what is old, once in a while; every replica does, and the second finds nothing."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import structlog

from ..config import Settings
from ..errors import ServiceError
from ..schema import now
from ..storage.channels import ChannelStore
from ..storage.expiry import ExpiryStore
from ..storage.writer import Transaction, Writer

__all__ = ["Housekeeping"]

EVERY_S = 3600.0
MOST_AT_ONCE = 1_000


class Housekeeping:
    """Applies the site's retention.

    Parameters
    ----------
    writer
        Where to write.
    store, channels
        The tables.
    settings
        What is kept for how long.
    """

    def __init__(
        self, *, writer: Writer, store: ExpiryStore, channels: ChannelStore, settings: Settings
    ) -> None:
        self._channels = channels
        self._writer = writer
        self._store = store
        self._settings = settings
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("jupyterhub_notify.housekeeping")

    def start(self) -> None:
        """Begin to keep house."""
        self._task = asyncio.create_task(self._work(), name="housekeeping")

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            # Not all replicas at once, and not while the service has just begun.
            await asyncio.sleep(EVERY_S * random.uniform(0.1, 1.0))
            try:
                await self.clean()
            except ServiceError as error:
                self._log.warning("Nothing is cleaned up now", reason=str(error))
            except Exception:
                # A defect must not end the house-keeping; it is logged and tried again.
                self._log.exception("The house-keeping failed")

    async def clean(self) -> None:
        """Delete what is older than the site wants."""
        settings, at = self._settings, now()

        async def older(transaction: Transaction) -> int:
            before = at - timedelta(days=settings.keep_days)
            return await self._store.expire_older(transaction, before, MOST_AT_ONCE)

        while settings.keep_days and await self._writer.run(older) == MOST_AT_ONCE:
            pass

        async def rest(transaction: Transaction) -> dict[str, int]:
            kept = at - timedelta(days=settings.retention_days)
            receipts = at - timedelta(days=settings.receipts_days)
            audit = at - timedelta(days=settings.audit_days)
            done = {
                "ended": await self._store.delete_ended(transaction, kept),
                "receipts": await self._store.delete_receipts(transaction, receipts),
                "audit": await self._store.delete_audit(transaction, audit),
                "alerts": await self._store.delete_alert_problems(transaction, kept),
                "servers": await self._store.delete_servers(transaction, receipts),
                "sends": await self._channels.delete_of_broadcasts(
                    transaction.connection, receipts
                ),
            }
            if settings.receipts == "counts":
                done["folded"] = await self._store.fold_counts(transaction)
            return done

        done = await self._writer.run(rest)
        if any(done.values()):
            self._log.info("Deleted what is old", **done)
