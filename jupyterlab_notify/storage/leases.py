"""Leases: which servers poll which central service.

Servers that share a home directory share the database, and may poll different services. Nothing
would remove the broadcasts of a service that no server polls any more, so they expire.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from .fields import tombstone
from .state import ACTIVE
from .transaction import Transaction

#: A service that no server has polled for this long counts as abandoned.
ABANDONED_MS = 900_000
#: Time in ms after which an abandoned service's outbox and seen ids are deleted.
FORGOTTEN_MS = 30 * 86_400_000


class LeaseRepository:
    """The table ``askers``.

    Parameters
    ----------
    central
        The tag of the central service that this server polls.
    """

    def __init__(self, central: str) -> None:
        self._central = central

    def pollers(self, transaction: Transaction) -> list[str]:
        """Return the servers that have, or recently had, a lease on a central service."""
        return [row[0] for row in transaction.execute("SELECT DISTINCT owner FROM askers")]

    def renew(self, transaction: Transaction, owner: str, ended: Iterable[str]) -> list[str]:
        """Renew this server's lease on its service, and expire abandoned services' broadcasts.

        Parameters
        ----------
        transaction
            A transaction that writes.
        owner
            This server.
        ended
            Servers that are known to have ended.

        Returns
        -------
        list
            Our ids of the broadcasts that have expired.
        """
        now = transaction.now_ms
        transaction.execute(
            "INSERT INTO askers (central, owner, asked_ms) VALUES (?, ?, ?) "
            "ON CONFLICT (central, owner) DO UPDATE SET asked_ms = excluded.asked_ms",
            (self._central, owner, now),
        )
        abandoned = [
            row[0]
            for row in transaction.execute(
                f"SELECT id FROM notifications WHERE origin = 'broadcast' AND {ACTIVE} "
                "AND central NOT IN (SELECT central FROM askers WHERE abs(asked_ms - ?) < ? "
                "AND owner NOT IN (SELECT value FROM json_each(?)))",
                (now, ABANDONED_MS, json.dumps([name for name in ended if name != owner])),
            )
        ]
        for id_ in abandoned:
            tombstone(transaction, id_, "expired_ms")
        transaction.execute("DELETE FROM askers WHERE asked_ms < ?", (now - FORGOTTEN_MS,))
        for table in ("outbox", "listed"):
            transaction.execute(
                f"DELETE FROM {table} WHERE central NOT IN (SELECT central FROM askers)"
            )
        return abandoned
