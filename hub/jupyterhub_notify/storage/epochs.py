"""The epochs of the store's numbers, which tell whether a reader's cursor is of this history.

A database that is restored from a backup, or whose replica takes over, goes back to an earlier
number and gives the numbers above it once more, for other changes. A reader that has seen the lost
changes would miss these. So a new epoch begins before the first change that a process makes after
its start, and before the first change after PostgreSQL itself was started, replaced or set back.
An epoch remembers the number at which it began. A cursor ``epoch:seq`` is valid if its epoch is
known and its number is not above that epoch's end: everything up to there is also the history of
this store. A mere restart invalidates no cursor.
"""

from __future__ import annotations

import secrets
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import ColumnElement, delete, insert, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..schema import Epoch

__all__ = ["LISTED", "PLACE", "Epochs", "begin_epoch", "first_id"]

#: Number of epochs kept; no reader still has a cursor from so many starts ago.
MOST_EPOCHS = 1_000
#: Unix time of the beginning of 2026 in milliseconds.
BEGINNING_MS = 1_767_225_600_000

#: A text that changes if another server answers, if the server was started anew, or if the table
#: was made anew.
PLACE: ColumnElement[str] = literal_column(
    "extract(epoch FROM pg_postmaster_start_time())::text"
    " || ' ' || pg_relation_filepath(counter.tableoid)"
)
LISTED = select(Epoch.name, Epoch.after).order_by(Epoch.number)


class Epochs:
    """The epochs as this process knows them.

    Parameters
    ----------
    read
        Reads the epochs, each as ``(name, number after which it began)``.
    """

    def __init__(self, *, read: Callable[[], Awaitable[Sequence[tuple[str, int]]]]) -> None:
        self._read = read
        self._names: list[str] = []
        self._after: list[int] = []
        #: True if the next change has to begin an epoch.
        self.due = True

    @property
    def current(self) -> str:
        """The name of the latest known epoch."""
        return self._names[-1] if self._names else ""

    def take(self, listed: Sequence[tuple[str, int]]) -> None:
        """Replace the known epochs with those that were read."""
        self._names = [name for name, _ in listed]
        self._after = [after for _, after in listed]

    async def learn(self, name: str) -> None:
        """Read the epochs if this name, the present epoch's, is not the latest known one."""
        if name != self.current:
            self.take(await self._read())

    async def hold(self, name: str, seq: int) -> bool:
        """Return whether a cursor belongs to this history; its number may not be given yet."""
        if name not in self._names:
            # Another replica may have begun this epoch just now.
            self.take(await self._read())
        return self.held(name, seq)

    def held(self, name: str, seq: int) -> bool:
        """Return the same as `hold`, by the known epochs only."""
        if name not in self._names:
            return False
        following = self._names.index(name) + 1
        return following == len(self._names) or seq <= self._after[following]

    def of(self, seq: int) -> str:
        """Return the name of the epoch in which a number was given."""
        return self._names[max(bisect_left(self._after, seq) - 1, 0)] if self._names else ""


async def begin_epoch(connection: AsyncConnection, after: int) -> Sequence[tuple[str, int]]:
    """Begin a new epoch, and return all epochs; the caller holds the counter's lock.

    Parameters
    ----------
    connection
        The transaction.
    after
        The store's last number.
    """
    last = select(Epoch.number).order_by(Epoch.number.desc()).limit(1)
    number = ((await connection.execute(last)).scalar_one_or_none() or 0) + 1
    values = {"number": number, "name": secrets.token_hex(4), "after": after}
    await connection.execute(insert(Epoch).values(values))
    await connection.execute(delete(Epoch).where(Epoch.number <= number - MOST_EPOCHS))
    return [(name, after) for name, after in await connection.execute(LISTED)]


def first_id() -> int:
    """Return an id above all ids that this store may have given in a lost history.

    This holds if the store has on average given fewer than a thousand ids a second.
    """
    return time.time_ns() // 1_000_000 - BEGINNING_MS
