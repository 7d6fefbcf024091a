"""Choose the rows to delete when there are too many: those that are worth least.

No sender can drive out another. The most valuable row of each sender is kept first, then the second
of each, and so on until the limit is reached. A sender is a token; within one token's messages the
same applies to the sources that they name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .state import ACTIVE, INBOX, PINNED, SNOOZED, UNREAD
from .transaction import Transaction

#: The size of a row without its texts, in bytes, with its part of the indexes.
ROW_BYTES = 500

#: Rows that may be deleted. An active broadcast would only come again from the central service; an
#: expired broadcast no longer belongs to the service.
REPLACEABLE = f"NOT (origin = 'broadcast' AND ended_ms IS NULL AND {ACTIVE})"
#: The worth of a row: pinned, then unread or snoozed, then in the inbox, then dismissed, then
#: tombstones.
_WORTH = (
    f"CASE WHEN {PINNED} THEN 4 WHEN ({UNREAD}) OR ({SNOOZED}) THEN 3 WHEN {INBOX} THEN 2 "
    f"WHEN {ACTIVE} THEN 1 ELSE 0 END"
)
_TEXTS = " + ".join(
    f"coalesce(length(CAST({name} AS BLOB)), 0)" for name in ("message", "body", "actions", "data")
)
#: The size of a row's picture in bytes.
_PICTURE = (
    "CASE WHEN image IS NULL THEN 0 ELSE coalesce("
    "(SELECT size FROM pictures WHERE pictures.id = notifications.id), 0) END"
)
#: A row of half a page or more takes up whole pages.
PAGE_BYTES = 4096


class Retention:
    """The bounds of what is kept.

    Parameters
    ----------
    days
        The maximum age; 0 for no limit.
    count
        The maximum number of notifications; 0 for no limit.
    size
        The maximum size in bytes; 0 for no limit.
    always
        How many of the newest stay, however old they are.
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
    kept = retention.count or len(rows)
    room = retention.size or sum(row.size for row in rows)
    superfluous: list[str] = []
    for number, row in enumerate(_in_turns(_by_source(rows), lambda row: row.sender)):
        room -= row.size
        if number >= kept or room < 0:
            superfluous.append(row.id)
    # The last ones are worth least.
    return superfluous[-most:]


def _by_source(rows: Iterable[_Row]) -> list[_Row]:
    by_value = sorted(rows, key=lambda row: row.value, reverse=True)
    return _in_turns(by_value, lambda row: (row.sender, row.source))


def _in_turns(rows: Iterable[_Row], group: Callable[[_Row], object]) -> list[_Row]:
    """Order rows so that the groups take turns; within a group the order stays."""
    taken: defaultdict[object, int] = defaultdict(int)
    turns: list[tuple[int, _Row]] = []
    for row in rows:
        key = group(row)
        turns.append((taken[key], row))
        taken[key] += 1
    # Within a turn, the most valuable rows come first.
    turns.sort(key=lambda each: (each[0], -each[1].worth, -each[1].position))
    return [row for _, row in turns]
