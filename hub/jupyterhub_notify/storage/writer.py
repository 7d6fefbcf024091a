"""Runs changes: transactions that are ordered by one lock, with several commands in each.

Each process has one writer. Commands that arrive while a transaction is under way wait and go into
the next one together, so that a thousand receipts cost a few commits. Every transaction, on every
replica, begins by locking the counter's row (`Counter`). So numbers follow the order of commits,
and no other change can come between a command's reading and its writing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy import null, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ..errors import ServiceError, Unavailable
from ..schema import Counter
from .database import UNREACHABLE, Database, is_lost
from .epochs import LISTED, PLACE, Epochs, begin_epoch, first_id
from .time_limits import STOP_S

__all__ = ["CHANNEL", "Command", "Committed", "Transaction", "Writer"]

T = TypeVar("T")

#: PostgreSQL's channel that wakes the other replicas.
CHANNEL = "jupyterhub_notify"
#: The counter, locked.
COUNTER = select(
    Counter.epoch,
    Counter.seq,
    Counter.pruned,
    Counter.last_id,
    Counter.place,
    Counter.stopped,
    Counter.stopped_reason,
).with_for_update()
MOST_TOGETHER = 200
MOST_WAITING = 20_000
#: Seconds that the caller of a command waits for its commit.
WAIT_S = 30.0
#: Seconds that a transaction may take; a server that hangs sends nothing at all.
TRANSACTION_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Committed:
    """The changes of a transaction, for this process's own caches."""

    #: By user, the number of the latest change that only this user sees.
    users: Mapping[str, int]
    #: The number of the latest change that more than one user may see; 0 if there is none.
    everyone: int


@dataclass(kw_only=True)
class Transaction:
    """A transaction under way: its connection, and the numbers for its changes."""

    connection: AsyncConnection
    seq: int
    pruned: int
    last_id: int
    stopped_reason: str | None
    #: True if it begins an epoch.
    begins: bool = False
    #: The epochs, if this process does not know them yet.
    epochs: Sequence[tuple[str, int]] | None = None
    users: dict[str, int] = field(default_factory=dict)
    everyone: int = 0

    def next(self, user: str | None = None) -> int:
        """Return the number for one more change.

        Parameters
        ----------
        user
            The only user who sees the change; `None` if more than one may see it.

        Returns
        -------
        int
            The number.
        """
        self.seq += 1
        if user is None:
            self.everyone = self.seq
        else:
            self.users[user] = self.seq
        return self.seq

    def next_id(self) -> int:
        """Return the id for one more notification."""
        self.last_id += 1
        return self.last_id

    def bump(self) -> int:
        """Return the number for a change that no reader sees, such as a delivery's outcome."""
        self.seq += 1
        return self.seq


Command = Callable[[Transaction], Awaitable[T]]


@dataclass(kw_only=True)
class _Waiting(Generic[T]):
    command: Command[T]
    future: asyncio.Future[T]
    #: True if its caller was told that it failed: then it must not be run.
    given_up: bool = False

    @property
    def name(self) -> str:
        """The kind of change: the name of the command."""
        return str(getattr(self.command, "__qualname__", ""))


class Writer:
    """Runs commands in transactions, one transaction at a time.

    Parameters
    ----------
    database
        The database.
    epochs
        The epochs of its numbers.
    """

    def __init__(self, *, database: Database, epochs: Epochs) -> None:
        self._database = database
        self._epochs = epochs
        #: The latest number that this process knows of.
        self._seq = 0
        self._waiting: deque[_Waiting[Any]] = deque()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._failing = False
        #: For each kind of change that the database refuses, such as for lack of a privilege, the
        #: kind of error.
        self._refused: dict[str, str] = {}
        self._log = structlog.get_logger("jupyterhub_notify.writer")
        self.listeners: list[Callable[[Committed], None]] = []

    def start(self) -> None:
        """Begin to take commands."""
        self._task = asyncio.create_task(self._work(), name="writer")

    def hurry(self) -> None:
        """Give up waiting commands after a moment, because the service stops."""
        asyncio.get_running_loop().call_later(STOP_S, self._give_up_all)

    async def stop(self) -> None:
        """Finish the waiting commands, and end."""
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await self._task

    async def run(self, command: Command[T]) -> T:
        """Run a command and return its result once it is committed.

        Parameters
        ----------
        command
            The command; it may be run more than once, and only the last run counts.

        Returns
        -------
        T
            What the command returned.

        Raises
        ------
        ServiceError
            The error of the command; nothing of it was written.
        Unavailable
            If the database does not answer within `WAIT_S`. The change may have been committed all
            the same.
        """
        if self._closing:
            raise Unavailable("The service is stopping", retry_after_s=5)
        if len(self._waiting) >= MOST_WAITING:
            raise Unavailable("Too many changes are waiting", retry_after_s=5)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        waiting = _Waiting(command=command, future=future)
        self._waiting.append(waiting)
        self._arrived.set()
        timer = loop.call_later(WAIT_S, self._give_up, waiting)
        try:
            return await future
        finally:
            timer.cancel()

    def _give_up(self, waiting: _Waiting[Any]) -> None:
        waiting.given_up = True
        _fail(waiting.future, self._translated(asyncio.TimeoutError(), waiting))

    def _give_up_all(self) -> None:
        for waiting in self._waiting:
            self._give_up(waiting)

    async def _work(self) -> None:
        while True:
            if not self._waiting:
                if self._closing:
                    return
                self._arrived.clear()
                await self._arrived.wait()
                continue
            count = min(len(self._waiting), MOST_TOGETHER)
            batch = [self._waiting.popleft() for _ in range(count)]
            batch = [waiting for waiting in batch if not waiting.given_up]
            # A command that fails rolls the others back too. Then each is run in a transaction of
            # its own.
            if batch and not await self._commit(batch, alone=len(batch) == 1):
                for waiting in batch:
                    if not waiting.given_up:
                        await self._commit([waiting], alone=True)

    async def _commit(self, batch: list[_Waiting[Any]], *, alone: bool) -> bool:
        """Run a batch; return whether each command has its result or its error."""
        results: list[Any] = []
        try:
            with self._database.limits.within(TRANSACTION_S):
                async with self._database.engine.begin() as connection:
                    transaction = await self._begin(connection)
                    before = transaction.seq
                    for waiting in batch:
                        results.append(await waiting.command(transaction))
                    if transaction.seq != before:
                        await self._finish(transaction)
        except Exception as error:
            if not alone and not is_lost(error):
                return False
            # If the database itself fails, it fails for all: do not make them wait for one try
            # after the other.
            translated = self._translated(error, batch[0])
            for waiting in batch:
                _fail(waiting.future, translated)
            return True
        if self._failing:
            self._log.info("The database takes changes again")
            self._failing = False
        for waiting in batch:
            self._accepted(waiting)
        self._seq = transaction.seq
        if transaction.epochs is not None:
            self._epochs.take(transaction.epochs)
        if transaction.begins:
            self._epochs.due = False
        if transaction.seq != before:
            committed = Committed(users=transaction.users, everyone=transaction.everyone)
            for listener in self.listeners:
                listener(committed)
        for waiting, result in zip(batch, results, strict=True):
            if not waiting.future.done():
                waiting.future.set_result(result)
        return True

    def _accepted(self, waiting: _Waiting[Any]) -> None:
        kind = self._refused.get(waiting.name)
        if kind is not None:
            self._refused = {one: why for one, why in self._refused.items() if why != kind}
            self._log.info("The database takes a change again that it had refused", error=kind)

    def _translated(self, error: Exception, waiting: _Waiting[Any]) -> Exception:
        if isinstance(error, ServiceError):
            return error
        if isinstance(error, UNREACHABLE):
            # Only the kind of error is logged: the database's own text may quote stored values.
            origin = error.orig if isinstance(error, DBAPIError) else error
            # SQLAlchemy wraps many of the driver's errors, so look at the cause.
            kind = type((origin and origin.__cause__) or origin).__name__
            lost = is_lost(error)
            if not (self._failing if lost else kind in self._refused.values()):
                self._log.error("The database refused a change", error=kind)
            if lost:
                self._failing = True
            else:
                # The database may accept other kinds of changes.
                self._refused[waiting.name] = kind
            return Unavailable("The database does not answer", retry_after_s=5)
        return error

    async def _begin(self, connection: AsyncConnection) -> Transaction:
        place = null() if self._database.is_sqlite else PLACE
        row = (await connection.execute(COUNTER.add_columns(place.label("here")))).one()
        transaction = Transaction(
            connection=connection,
            seq=row.seq,
            pruned=row.pruned,
            last_id=row.last_id,
            stopped_reason=None if row.stopped is None else row.stopped_reason or "",
        )
        if self._epochs.due or row.here != row.place or row.seq < self._seq:
            transaction.begins = True
            transaction.epochs = await begin_epoch(connection, row.seq)
            transaction.last_id = max(transaction.last_id, first_id())
            values = {"epoch": transaction.epochs[-1][0], "place": row.here}
            await connection.execute(update(Counter).values(values))
        elif row.epoch != self._epochs.current:
            listed = await connection.execute(LISTED)
            transaction.epochs = [(name, after) for name, after in listed]
        return transaction

    async def _finish(self, transaction: Transaction) -> None:
        await transaction.connection.execute(
            update(Counter).values(
                seq=transaction.seq, pruned=transaction.pruned, last_id=transaction.last_id
            )
        )
        if not self._database.is_sqlite:
            await transaction.connection.execute(
                text("SELECT pg_notify(:channel, :seq)"),
                {"channel": CHANNEL, "seq": str(transaction.seq)},
            )


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
