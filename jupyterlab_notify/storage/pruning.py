"""Delete the rows that are too old or too many: of the latter, those that are worth least.

No sender can drive out another. The most valuable row of each sender is kept first, then the second
of each, and so on until the limit is reached: of rows when these are too many, and of bytes when
they are too large, so that large rows do not displace small ones. A sender is a token; within one
token's messages the same applies to the sources that they name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from .expiry import forget_held
from .retention import Retention
from .state import ACTIVE, INBOX, PINNED, SNOOZED, UNREAD
from .transaction import Transaction

#: Time in ms that tombstones stay.
TOMBSTONE_MS = 86_400_000
#: Number of rows that one transaction deletes.
PRUNE_CHUNK = 2000
#: The size of a row without its texts, in bytes, with its part of the indexes.
ROW_BYTES = 500

#: Rows that may be deleted. An active broadcast would only come again from the central service; an
#: expired broadcast no longer belongs to the service.
REPLACEABLE = f"NOT (origin = 'broadcast' AND ended_ms IS NULL AND {ACTIVE})"
#: The worth of a row: pinned, then unread or snoozed, then in the inbox, then dismissed, then
#: tombstones.
PINNED_WORTH = 4
_WORTH = (
    f"CASE WHEN {PINNED} THEN {PINNED_WORTH} WHEN ({UNREAD}) OR ({SNOOZED}) THEN 3 "
    f"WHEN {INBOX} THEN 2 WHEN {ACTIVE} THEN 1 ELSE 0 END"
)
_TEXTS = " + ".join(
    f"coalesce(length(CAST({name} AS BLOB)), 0)" for name in ("message", "body", "actions", "data")
)
#: The size of a row's picture in bytes.
_PICTURE = (
    "CASE WHEN image IS NULL THEN 0 ELSE coalesce("
    "(SELECT length(pictures.data) FROM pictures WHERE pictures.id = notifications.id), 0) END"
)
#: Number of pinned rows of a source that together count as one when the sources of a token take
#: turns. So a sender that names a new source in each message does not displace them.
PINNED_AS_ONE = 50
#: A row of half a page or more takes up whole pages.
PAGE_BYTES = 4096


_T = TypeVar("_T")


class _Row(NamedTuple):
    id: str
    sender: str
    source: str
    worth: int
    position: int
    texts: int

    @property
    def size(self) -> int:
        size = self.texts + ROW_BYTES
        return size if size < PAGE_BYTES / 2 else -(-size // PAGE_BYTES) * PAGE_BYTES

    @property
    def value(self) -> tuple[int, int]:
        return self.worth, self.position


def prune(transaction: Transaction, retention: Retention) -> tuple[int, bool]:
    """Delete a chunk of superfluous rows; return their number, and whether to go on."""
    if transaction.state.back_ms is not None:
        forget_held(transaction)
    ids = [row[0] for row in transaction.execute(_outdated(transaction, retention))]
    if not ids:
        ids = _find_superfluous(transaction, retention, PRUNE_CHUNK)
    for id_ in ids:
        transaction.execute("DELETE FROM notifications WHERE id = ?", (id_,))
    if ids:
        transaction.state.pruned = transaction.next_seq()
    # The next call counts again, without the outdated rows.
    return len(ids), bool(ids)


def _outdated(transaction: Transaction, retention: Retention) -> str:
    """Return the query for the ids of rows that have become too old."""
    queries = [
        "SELECT id FROM notifications WHERE (revoked_ms IS NOT NULL OR expired_ms IS NOT NULL) "
        f"AND coalesce(revoked_ms, expired_ms) < {transaction.now_ms - TOMBSTONE_MS} "
        "AND id NOT IN (SELECT id FROM held)"
    ]
    if retention.days > 0:
        oldest_ms = transaction.age_ms - int(retention.days * 86_400_000)
        queries.append(
            f"SELECT id FROM notifications WHERE updated_ms < {oldest_ms} AND {REPLACEABLE} "
            f"AND id NOT IN (SELECT id FROM notifications WHERE {ACTIVE} "
            f"ORDER BY position DESC LIMIT {retention.always})"
        )
    return f"{' UNION '.join(queries)} LIMIT {PRUNE_CHUNK}"


def _find_superfluous(transaction: Transaction, retention: Retention, most: int) -> list[str]:
    """Return the ids of the superfluous rows, the least valuable if there are more than ``most``.

    Parameters
    ----------
    transaction
        A transaction that reads.
    retention
        How much is kept.
    most
        The maximum number of ids.
    """
    rows = [
        _Row(*row)
        for row in transaction.execute(
            f"SELECT id, coalesce(via, source), source, {_WORTH}, position, "
            f"{_TEXTS} + {_PICTURE} "
            f"FROM notifications WHERE {REPLACEABLE}"
        )
    ]
    superfluous: list[str] = []
    if 0 < retention.count < len(rows):
        rows = _in_turns(rows, lambda row: 1)
        superfluous = [row.id for row in rows[retention.count :]]
        rows = rows[: retention.count]
    if 0 < retention.size < sum(row.size for row in rows):
        room = retention.size
        too_large: list[str] = []
        for row in _in_turns(rows, lambda row: row.size):
            room -= row.size
            if room < 0:
                too_large.append(row.id)
        superfluous = too_large + superfluous
    # The last ones are worth least.
    return superfluous[-most:]


def _in_turns(rows: Iterable[_Row], cost: Callable[[_Row], float]) -> list[_Row]:
    """Order rows so that senders take turns, and within each sender its sources.

    Parameters
    ----------
    rows
        The rows.
    cost
        How much of the limit a row takes.
    """
    pinned: defaultdict[object, int] = defaultdict(int)

    def cost_in_token(row: _Row) -> float:
        if row.worth == PINNED_WORTH:
            pinned[row.sender, row.source] += 1
            if pinned[row.sender, row.source] <= PINNED_AS_ONE:
                return cost(row) / PINNED_AS_ONE
        return cost(row)

    def value(row: _Row) -> tuple[int, int]:
        return row.value

    by_value = sorted(rows, key=value, reverse=True)
    by_source = take_turns(by_value, lambda row: (row.sender, row.source), cost_in_token, value)
    return take_turns(by_source, lambda row: row.sender, cost, value)


def take_turns(
    rows: Iterable[_T],
    group: Callable[[_T], object],
    cost: Callable[[_T], float],
    value: Callable[[_T], tuple[int, ...]],
) -> list[_T]:
    """Order rows by what their group has taken with each; within a group the order stays.

    Parameters
    ----------
    rows
        The rows, the most valuable of each group first.
    group
        Returns the group that a row belongs to.
    cost
        Returns how much of the limit a row takes.
    value
        Returns the worth of a row, which decides between equal turns.
    """
    taken: defaultdict[object, float] = defaultdict(float)
    turns: list[tuple[float, _T]] = []
    for row in rows:
        key = group(row)
        taken[key] += cost(row)
        # Fractions of a turn add up to a whole one despite rounding.
        turns.append((round(taken[key], 6), row))
    # Of equal turns, the most valuable row comes first: sorting keeps the order of what is equal.
    turns.sort(key=lambda turn: value(turn[1]), reverse=True)
    turns.sort(key=lambda turn: turn[0])
    return [row for _, row in turns]
