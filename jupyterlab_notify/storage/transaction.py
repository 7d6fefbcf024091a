"""A transaction, and the operations that run in one.

Repositories receive a ``Transaction`` and hold no connection. The engine creates one for each
attempt. If the attempt is rolled back, the transaction's state is dropped with it.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from .cursor import Cursor
from .state import ACTIVE, SNOOZED

T = TypeVar("T")

#: Returns the time in milliseconds since 1970.
Clock = Callable[[], int]

#: The time at which the next row changes by itself: it expires, its sender counts as dead, its
#: snooze or do-not-disturb ends.
NEXT_DUE = f"""
    SELECT min(due_ms) FROM (
        SELECT min(expires_ms) AS due_ms FROM notifications
        WHERE expires_ms IS NOT NULL AND {ACTIVE}
        UNION ALL
        SELECT min(interrupt_ms) FROM notifications
        WHERE interrupt_ms IS NOT NULL AND {ACTIVE}
        UNION ALL
        SELECT min(until_ms) FROM quiet
        UNION ALL
        SELECT min(snoozed_until_ms) FROM notifications WHERE {SNOOZED}
    )"""


class ClockRecord(NamedTuple):
    """What the database keeps of the clock from one server to the next.

    Parameters
    ----------
    reached_ms
        The time against which age counted last; None if that was never stored.
    clock_ms
        The time that the clock showed then.
    steady_ms
        For how long servers have run with that clock before it was believed.
    """

    reached_ms: int | None = None
    clock_ms: int | None = None
    steady_ms: int = 0


class StoreState:
    """The single row of the table ``state``, and values that belong to it.

    Parameters
    ----------
    epoch
        The name of the database.
    seq
        The number of the last change.
    pruned
        A cursor below this ``seq`` may have missed rows that retention deleted.
    welcome
        Number of changes of the welcome messages.
    muted_ms
        Time at which the user switched off all welcome messages, if so.
    rows
        An upper bound of the number of rows.
    due_ms
        Time at which the next row changes by itself, as of the start of the transaction.
    back_ms
        Time before which a row comes back by itself that has expired by a clock that was ahead.
    """

    __slots__ = (
        *("back_ms", "clock", "due_ms", "epoch", "muted_ms", "pruned", "reset_ms", "rows", "seq"),
        "welcome",
    )

    def __init__(
        self,
        epoch: str = "",
        seq: int = 0,
        pruned: int = 0,
        welcome: int = 0,
        muted_ms: int | None = None,
        rows: int = 0,
        due_ms: int | None = None,
        back_ms: int | None = None,
    ) -> None:
        self.epoch = epoch
        self.seq = seq
        self.pruned = pruned
        self.welcome = welcome
        self.muted_ms = muted_ms
        self.rows = rows
        self.due_ms = due_ms
        self.back_ms = back_ms
        self.clock = ClockRecord()
        #: Time at which the user last reset the welcome messages, if that happened in memory. It
        #: is not stored, but repeated in the file that memory is merged into.
        self.reset_ms: int | None = None

    def is_due(self, now_ms: int) -> bool:
        """Return whether a row is due to change by itself."""
        return (self.due_ms is not None and self.due_ms <= now_ms) or (
            self.back_ms is not None and now_ms < self.back_ms
        )

    def columns(self) -> tuple[int, int, int, int | None]:
        """Return the values that are stored at the end of a transaction."""
        return self.seq, self.pruned, self.welcome, self.muted_ms


#: The end of the year 9999, the last that a datetime can hold, in ms.
MAX_TIME_MS = 253_402_300_799_999
#: The largest integer that a browser can hold exactly; larger ones are never used.
MAX_SEQ = 2**53 - 1


#: The types of values in columns of integers, without and with NULL.
_INTEGER = frozenset({int})
_INTEGER_OR_NULL = frozenset({int, type(None)})


def load_state(db: sqlite3.Connection) -> StoreState:
    """Read the state of a database.

    Raises
    ------
    sqlite3.DatabaseError
        If the state holds values that were never stored, so that the file is corrupt.
    """
    row = db.execute(
        "SELECT unread, inbox, dismissed, tombstones, "
        "epoch, seq, pruned, welcome, muted_ms, inbox + dismissed + tombstones "
        f"+ (SELECT count(*) FROM notifications WHERE {SNOOZED}), "
        f"({NEXT_DUE}), (SELECT max(until_ms) FROM held), reached_ms, clock_ms, steady_ms, "
        "(SELECT max(seq) FROM notifications) FROM state"
    ).fetchone()
    if row is None:
        raise sqlite3.DatabaseError("malformed: its state is missing")
    counters, (*columns, reached_ms, clock_ms, steady_ms, highest) = row[:4], row[4:]
    state = StoreState(*columns)
    state.clock = ClockRecord(reached_ms, clock_ms, steady_ms)
    numbers = (
        state.seq,
        state.pruned,
        state.welcome,
        state.rows,
        steady_ms,
        0 if highest is None else highest,
    )
    times = (state.muted_ms, state.due_ms, state.back_ms, reached_ms, clock_ms)
    # Without generators, which take longer than the statement; this runs with each batch.
    if (
        not isinstance(state.epoch, str)
        or not _INTEGER.issuperset(map(type, (*counters, *numbers)))
        or min(numbers) < 0
        or max(numbers) > MAX_SEQ
        or not _INTEGER_OR_NULL.issuperset(map(type, times))
    ):
        raise sqlite3.DatabaseError("malformed: a number is out of range")
    if highest is not None and highest > state.seq:
        raise sqlite3.DatabaseError("malformed: a row is newer than its last change")
    return state


def newest_ms(db: sqlite3.Connection) -> int | None:
    """Return the newest stored time."""
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
        The time in milliseconds since 1970, the same for all operations.
    durable
        Whether committed changes survive the process.
    age_ms
        The time against which age counts, where the clock may be ahead.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        state: StoreState,
        *,
        now_ms: int,
        durable: bool,
        age_ms: int | None = None,
    ) -> None:
        self._db = db
        self.state = state
        self.now_ms = now_ms
        self.age_ms = now_ms if age_ms is None else age_ms
        self.durable = durable
        #: True once an operation found that the file is older than a tab's cursor, because a backup
        #: was restored in place.
        self.restored = False

    @property
    def cursor(self) -> Cursor:
        """The store's present cursor."""
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
        """Run this operation alone."""

    @abstractmethod
    def can_group(self, transaction: Transaction) -> bool:
        """Return whether it may run together with the operations before and after it."""

    @abstractmethod
    def run_group(
        self, transaction: Transaction, operations: Sequence[GroupedOperation]
    ) -> list[Any]:
        """Run several operations, of which this is the first.

        Each must do the same if it is run again alone.
        """


def no_operation(transaction: Transaction) -> None:
    """Do nothing; for a caller that only needs a batch's housekeeping and its update."""
