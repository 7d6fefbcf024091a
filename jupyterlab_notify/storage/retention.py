"""What is kept when there is too much: which rows are worth least.

Nobody is driven out by another: of each sender the most valuable row comes first, then of each the
second, and so on until as much is taken as is kept. A sender is a token; of one token's messages
the same holds for each source that it names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .state import ACTIVE, INBOX, PINNED, UNREAD
from .transaction import Transaction

#: What a row takes beside its texts, in bytes, with its part of the indexes.
ROW_BYTES = 500

#: What the central service still broadcasts would only come again.
REPLACEABLE = f"NOT (origin = 'broadcast' AND {ACTIVE})"
#: How much a row is worth: what must be in sight, what is unread, what is not dismissed.
_WORTH = (
    f"CASE WHEN {PINNED} THEN 4 WHEN {UNREAD} THEN 3 WHEN {INBOX} THEN 2 WHEN {ACTIVE} THEN 1 "
    "ELSE 0 END"
)
_TEXTS = " + ".join(
    f"coalesce(length(CAST({name} AS BLOB)), 0)" for name in ("message", "body", "actions", "data")
)
#: Of rows that are half a page and more, each takes whole pages.
PAGE_BYTES = 4096


class Retention:
    """What is kept.

    Parameters
    ----------
    days
        How old notifications become; 0: as old as they are.
    count
        How many there are at most; 0: any number.
    size
        How many bytes they take at most; 0: any number.
    always
        How many of the newest stay however old they are.
    """

    __slots__ = ("always", "count", "days", "size")

    def __init__(
        self,
        days: float = 90,
        count: int = 10_000,
        size: int = 64_000_000,
        always: int = 100,
    ) -> None:
        self.always = always
        self.days = days
        self.count = count
        self.size = size


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


def find_superfluous(transaction: Transaction, retention: Retention, most: int) -> list[str]:
    """Return the ids of up to ``most`` rows that are worth least, of those that are too many.

    Parameters
    ----------
    transaction
        One that reads.
    retention
        How much is kept.
    most
        How many ids are returned at most.
    """
    rows = [
        _Row(*row)
        for row in transaction.execute(
            f"SELECT id, coalesce(via, source), source, {_WORTH}, position, {_TEXTS} "
            f"FROM notifications WHERE {REPLACEABLE}"
        )
    ]
    kept = retention.count or len(rows)
    room = retention.size or sum(row.size for row in rows)
    superfluous: list[str] = []
    for number, row in enumerate(_in_turns(_by_source(rows), lambda row: row.sender)):
        room -= row.size
        if number >= kept or room < 0:
            superfluous.append(row.id)
    # The last of them are worth least.
    return superfluous[-most:]


def _by_source(rows: Iterable[_Row]) -> list[_Row]:
    by_value = sorted(rows, key=lambda row: row.value, reverse=True)
    return _in_turns(by_value, lambda row: (row.sender, row.source))


def _in_turns(rows: Iterable[_Row], group: Callable[[_Row], object]) -> list[_Row]:
    """Order rows so that the groups take turns; each group's own rows stay in their order."""
    taken: defaultdict[object, int] = defaultdict(int)
    turns: list[tuple[int, _Row]] = []
    for row in rows:
        key = group(row)
        turns.append((taken[key], row))
        taken[key] += 1
    # In a turn what is worth most comes first.
    turns.sort(key=lambda each: (each[0], -each[1].worth, -each[1].position))
    return [row for _, row in turns]
