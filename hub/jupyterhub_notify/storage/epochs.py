"""The epochs of the store's numbers, by which a reader's cursor is known to be of this history.

A database that is restored from a backup, or whose replica takes over, goes back to an earlier
number and hands out those above it once more, for other changes. A reader that has seen the first
ones would miss these. So a new epoch begins before the first change that a process makes after its
start, and before the first after PostgreSQL itself was started, replaced or set back. It
remembers at which number it began. A cursor ``epoch:seq`` is good where its epoch is known and its
number is not above that epoch's end: all up to there is the history of this store as well. A mere
restart makes no cursor worthless.
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

#: Older ones are forgotten; so many starts ago, nobody's cursor is.
MOST_EPOCHS = 1_000
#: Unix time of the beginning of 2026 in milliseconds.
BEGINNING_MS = 1_767_225_600_000

#: What changes if another server answers, if it was started anew, or if the table was made anew.
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
        Reads them, each as ``(name, number after which it began)``.
    """

    def __init__(self, *, read: Callable[[], Awaitable[Sequence[tuple[str, int]]]]) -> None:
        self._read = read
        self._names: list[str] = []
        self._after: list[int] = []
        #: True if the next change has to begin one.
        self.due = True

    @property
    def current(self) -> str:
        """The present epoch's name, as far as is known here."""
        return self._names[-1] if self._names else ""

    def take(self, listed: Sequence[tuple[str, int]]) -> None:
        """Take what was read."""
        self._names = [name for name, _ in listed]
        self._after = [after for _, after in listed]

    async def learn(self, name: str) -> None:
        """Read them if this is the present epoch's name, and not known as such."""
        if name != self.current:
            self.take(await self._read())

    async def hold(self, name: str, seq: int) -> bool:
        """Return whether a cursor is one of this history; its number may be still to come."""
        if name not in self._names:
            # Another replica may have begun it just now.
            self.take(await self._read())
        return self.held(name, seq)

    def held(self, name: str, seq: int) -> bool:
        """Return the same as far as is known here."""
        if name not in self._names:
            return False
        following = self._names.index(name) + 1
        return following == len(self._names) or seq <= self._after[following]

    def of(self, seq: int) -> str:
        """Return the name of the epoch in which a number was given."""
        return self._names[max(bisect_left(self._after, seq) - 1, 0)] if self._names else ""


async def begin_epoch(connection: AsyncConnection, after: int) -> Sequence[tuple[str, int]]:
    """Begin a new epoch, and return all; the caller holds the counter's lock.

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
    """Return an id above all that this store may have given in a history that is lost.

    That is so while it has given fewer than a thousand a second for all of its life.
    """
    return time.time_ns() // 1_000_000 - BEGINNING_MS
