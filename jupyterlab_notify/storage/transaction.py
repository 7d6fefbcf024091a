"""A transaction, and the operations that run in one.

Repositories receive a ``Transaction`` and hold no connection. The engine makes one for each
attempt; if the attempt is rolled back, the transaction's state is dropped with it.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .cursor import Cursor
from .state import ACTIVE

T = TypeVar("T")

#: When the next row changes by itself: it expires, its sender counts as dead, or do-not-disturb
#: ends.
NEXT_DUE = f"""
    SELECT min(due_ms) FROM (
        SELECT min(expires_ms) AS due_ms FROM notifications
        WHERE expires_ms IS NOT NULL AND {ACTIVE}
        UNION ALL
        SELECT min(interrupt_ms) FROM notifications
        WHERE interrupt_ms IS NOT NULL AND {ACTIVE}
        UNION ALL
        SELECT min(until_ms) FROM quiet
    )"""


@dataclass
class StoreState:
    """The one row of the table ``state``, and what goes with it."""

    epoch: str = ""
    #: The number that the last change took.
    seq: int = 0
    #: Up to this ``seq``, a cursor may have missed rows that retention deleted.
    pruned: int = 0
    #: How often the welcome messages have changed.
    welcome: int = 0
    #: Since when no welcome message is due at all.
    muted_ms: int | None = None
    #: How many rows there are at most.
    rows: int = 0
    #: When the next row changes by itself, as it was when the transaction began.
    due_ms: int | None = None
    #: When the user last made every welcome message due again, if that happened in memory. It is
    #: not stored: the file that memory is merged into learns of it then.
    reset_ms: int | None = None

    def is_due(self, now_ms: int) -> bool:
        """Whether a row changes by itself now."""
        return self.due_ms is not None and self.due_ms <= now_ms

    def columns(self) -> tuple[int, int, int, int | None]:
        """Return what is stored at the end of a transaction."""
        return self.seq, self.pruned, self.welcome, self.muted_ms


#: The largest number that a browser can hold; none that is larger was ever given.
MAX_SEQ = 2**53 - 1


def load_state(db: sqlite3.Connection) -> StoreState:
    """Read the state of a database.

    Raises
    ------
    sqlite3.DatabaseError
        If it holds what was never stored: the file is corrupt.
    """
    row = db.execute(
        "SELECT epoch, seq, pruned, welcome, muted_ms, inbox + dismissed + tombstones, "
        f"({NEXT_DUE}), (SELECT max(seq) FROM notifications) FROM state"
    ).fetchone()
    if row is None:
        raise sqlite3.DatabaseError("malformed: it has lost its state")
    *columns, highest = row
    state = StoreState(*columns)
    numbers = (state.seq, state.pruned, state.welcome, state.rows, highest or 0)
    if not isinstance(state.epoch, str) or not all(
        isinstance(number, int) and 0 <= number <= MAX_SEQ for number in numbers
    ):
        raise sqlite3.DatabaseError("malformed: a number in it was never given")
    if highest is not None and highest > state.seq:
        raise sqlite3.DatabaseError("malformed: a change in it was never made")
    return state


def newest_ms(db: sqlite3.Connection) -> int | None:
    """Return the newest time at which something that is stored came in."""
    (newest,) = db.execute(
        "SELECT max(updated_ms) FROM "
        "(SELECT updated_ms FROM notifications ORDER BY position DESC LIMIT 100)"
    ).fetchone()
    return newest if isinstance(newest, int) else None


class Transaction:
    """One attempt to run operations.

    Parameters
    ----------
    db
        The connection.
    state
        The state that the operations change; it counts once the transaction is committed.
    now_ms
        Milliseconds since 1970, the same for all operations.
    durable
        Whether what is committed survives the process.
    """

    def __init__(
        self, db: sqlite3.Connection, state: StoreState, *, now_ms: int, durable: bool
    ) -> None:
        self._db = db
        self.state = state
        self.now_ms = now_ms
        self.durable = durable
        #: Whether an operation found the file to be older than a tab's cursor: somebody restored
        #: a backup in its place.
        self.restored = False

    @property
    def cursor(self) -> Cursor:
        """How far the store has come."""
        return Cursor(self.state.epoch, self.state.seq)

    def execute(self, sql: str, params: Any = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._db.execute(sql, params)

    def next_seq(self) -> int:
        """Take the next sequence number."""
        self.state.seq += 1
        return self.state.seq


Operation = Callable[[Transaction], T]


class GroupedOperation(ABC):
    """An operation that runs faster together with others of its kind."""

    @abstractmethod
    def __call__(self, transaction: Transaction) -> Any:
        """Run it alone."""

    @abstractmethod
    def can_group(self, transaction: Transaction) -> bool:
        """Whether it may run together with those before and after it."""

    @abstractmethod
    def run_group(
        self, transaction: Transaction, operations: Sequence[GroupedOperation]
    ) -> list[Any]:
        """Run several, this one the first; they must do the same if they are run again alone."""


def no_operation(transaction: Transaction) -> None:
    """Do nothing: for a caller that only wants a batch's housekeeping, and its update."""
