"""Deletes old rows at intervals. Every replica does so; later ones find nothing to delete."""

from __future__ import annotations

import random
from datetime import timedelta

import structlog

from ..config import Settings
from ..repeating import Repeating
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
        For writing.
    store, channels
        The tables.
    settings
        The site's settings, with the times of retention.
    """

    def __init__(
        self, *, writer: Writer, store: ExpiryStore, channels: ChannelStore, settings: Settings
    ) -> None:
        self._channels = channels
        self._writer = writer
        self._store = store
        self._settings = settings
        self._log = structlog.get_logger("jupyterhub_notify.housekeeping")
        self._repeating = Repeating(
            self.clean,
            name="housekeeping",
            # Random, so that replicas do not all clean up at the same time; and not at the start.
            pause_s=lambda: EVERY_S * random.uniform(0.1, 1.0),
            log=self._log,
            failing="Nothing is cleaned up now",
            working="What is old is cleaned up again",
            at_once=False,
        )

    def start(self) -> None:
        """Begin to clean up at intervals."""
        self._repeating.start()

    async def stop(self) -> None:
        """Stop cleaning up."""
        await self._repeating.stop()

    async def clean(self) -> None:
        """Delete rows that are older than the site wants to keep."""
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
