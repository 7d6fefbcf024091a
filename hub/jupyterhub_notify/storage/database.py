"""The connections to the database, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import asyncpg
import structlog
from anyio import CancelScope, move_on_after
from sqlalchemy import Connection, event, select
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, TimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ..errors import Unavailable
from ..schema import Counter
from .epochs import LISTED
from .time_limits import TimeLimits

__all__ = ["CONNECTION_LOST", "UNREACHABLE", "Database", "create_engine", "is_lost"]

#: Seconds that a request waits for what it reads; a server that hangs says nothing at all.
READ_S = 20.0
#: Seconds that a change waits for another process that has locked the file of SQLite.
LOCKED_S = 15.0
#: Seconds that a server has to say goodbye.
CLOSE_S = 5.0

#: Where the store is; to the driver as text, which is not made anew each time.
POSITION = select(Counter.epoch, Counter.seq, Counter.pruned)
POSITION_TEXT = str(POSITION)

#: The driver's errors of a connection that is lost; the last is that of one whose server has said
#: that it ends it, and has not closed it yet.
CONNECTION_LOST = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

#: Errors of a database that cannot be reached; some of the driver's come as they are.
UNREACHABLE = (DBAPIError, TimeoutError, *CONNECTION_LOST)

#: PostgreSQL's error of a change where it only reads.
READ_ONLY = "25006"
#: Its classes of errors that no change is to blame for: connections, a server that only reads, a
#: login or a database that is not there, resources, locks that are not to be had, and the
#: operator's or the system's doing.
LOST_STATES = ("08", READ_ONLY, "28", "3D", "53", "55P03", "57", "58")
#: The same of SQLite, which says it in words only before Python 3.11.
LOST_WORDS = ("locked", "disk", "unable to open", "readonly")


def create_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """Return an engine set up as this service needs it.

    Parameters
    ----------
    url
        SQLAlchemy's URL.
    pool_size
        How many connections are kept.

    Returns
    -------
    AsyncEngine
        The engine; nothing is connected yet.
    """
    # Parameters are texts of messages, and an error that quotes them would be logged.
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "hide_parameters": True,
    }
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_async_engine(url, connect_args={"timeout": LOCKED_S}, **options)
        _prepare_sqlite(engine)
        return engine
    settings = {
        "application_name": "jupyterhub-notify",
        # A replica that hangs in its transaction must not hold up all the others.
        "idle_in_transaction_session_timeout": "15000",
        "lock_timeout": "10000",
        "statement_timeout": "60000",
    }
    engine = create_async_engine(
        url, connect_args={"server_settings": settings, "timeout": 10}, **options
    )
    _replace_lost(engine)
    _replace_read_only(engine)
    return engine


def _replace_lost(engine: AsyncEngine) -> None:
    """Try each connection before it is used, and replace it if it is lost.

    SQLAlchemy's ``pool_pre_ping`` does so for fewer of the driver's errors: not for those of
    `asyncpg.InternalClientError`.
    """

    @event.listens_for(engine.sync_engine, "checkout")
    def checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if not record.info.get("used"):
            # Made just now; what is kept here goes with the connection.
            record.info["used"] = True
            return
        try:
            engine.dialect.do_ping(connection)
        except (engine.dialect.loaded_dbapi.Error, *CONNECTION_LOST) as error:
            # The others of the pool will be lost as well: a server restarts as a whole.
            raise InvalidatePoolError from error


def _replace_read_only(engine: AsyncEngine) -> None:
    """Replace connections that only read, and that stay so.

    After a failover they may lead to what is a replica now, and a session keeps what its database
    had set when it began.
    """

    @event.listens_for(engine.sync_engine, "handle_error")
    def handle_error(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
            context.is_disconnect = True


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """Take transactions into our own hands: the driver begins them too late and too weak."""
    path = engine.url.database or ":memory:"
    if not path.startswith((":", "file:")):
        file = _SqliteFile(path)
        event.listen(engine.sync_engine, "do_connect", lambda *_: file.check())
        event.listen(engine.sync_engine, "checkout", lambda *_: file.check())

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        # FULL: what was answered survives a power failure, not only a crash of this process.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("notify_reader"):
            return
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class _SqliteFile:
    """The file of SQLite, which has to stay where it is while it is open.

    What is written to one that was removed or replaced is gone when the service ends; and the log
    of the old one, which lies beside, would be taken for that of the new one.

    Parameters
    ----------
    path
        Where it is; it is made if it is not there at first.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._identity: tuple[int, int] | None = None
        self._lost = False
        self._log = structlog.get_logger("jupyterhub_notify.database")

    def check(self) -> None:
        """Refuse a file that is another than at first."""
        if self._identity is None:
            # Messages are private to their users. SQLite gives its log the same mode, and refuses
            # a path that cannot be.
            with suppress(OSError):
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._identity = self._look()
        elif self._look() != self._identity:
            if not self._lost:
                self._log.error(
                    "The database's file was removed or replaced: put it back, or start the "
                    "service again"
                )
            self._lost = True
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._lost = False

    def _look(self) -> tuple[int, int] | None:
        try:
            about = os.stat(self._path)
        except OSError:
            return None
        return about.st_dev, about.st_ino


def is_lost(error: BaseException) -> bool:
    """Return whether an error is the database's own: any other change would fail as well now."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, UNREACHABLE)
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if error.connection_invalidated or state.startswith(LOST_STATES):
        return True
    return isinstance(error.orig, sqlite3.OperationalError) and any(
        word in str(error.orig) for word in LOST_WORDS
    )


class Database:
    """The database as the storage classes see it.

    Parameters
    ----------
    engine
        The engine; closed by `close`.
    """

    def __init__(self, *, engine: AsyncEngine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        # One statement needs no transaction, and so no two more round trips.
        reader: dict[str, Any] = {"notify_reader": True}
        if not self.is_sqlite:
            reader["isolation_level"] = "AUTOCOMMIT"
        self._reader = engine.execution_options(**reader)
        self._kept: AsyncConnection | None = None
        self._turn = asyncio.Lock()
        #: How long whatever is done with it may take.
        self.limits = TimeLimits()

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """End what takes longer than `READ_S`, and say of all that it may fail with the same."""
        try:
            with self.limits.within(READ_S):
                yield
        except UNREACHABLE as error:
            raise Unavailable("The database does not answer", retry_after_s=5) from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection to read with; each statement sees what is committed then.

        Yields
        ------
        AsyncConnection
            The connection.

        Raises
        ------
        Unavailable
            If the database does not answer within `READ_S`.
        """
        with self._bounded():
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def claim(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that has no place in the order of changes.

        Yields
        ------
        AsyncConnection
            The connection; what is written with it needs no number.

        Raises
        ------
        Unavailable
            If the database does not answer within `READ_S`.
        """
        with self._bounded():
            async with self.engine.begin() as connection:
                yield connection

    async def position(self) -> tuple[str, int, int]:
        """Return the epoch, the latest number, and the highest deleted number.

        Returns
        -------
        tuple
            ``(epoch, seq, pruned)``.
        """
        if not self.is_sqlite:
            return await self._position_by_driver()
        async with self.read() as connection:
            row = (await connection.execute(POSITION)).one()
        return row.epoch, row.seq, row.pruned

    async def epochs(self) -> list[tuple[str, int]]:
        """Return the epochs in order, each as ``(name, number after which it began)``."""
        async with self.read() as connection:
            return [(name, after) for name, after in await connection.execute(LISTED)]

    async def _position_by_driver(self) -> tuple[str, int, int]:
        """Ask the driver itself, on a connection that is kept: every unchanged answer needs this.

        By way of the pool, which first tries whether a connection is still good, it takes twenty
        times as much of the processor.
        """
        with self._bounded():
            async with self._turn:
                if self._kept is not None:
                    # It may have been lost since, as by a restart of the server.
                    with suppress(*UNREACHABLE):
                        return await self._ask_driver()
                return await self._ask_driver()

    async def _ask_driver(self) -> tuple[str, int, int]:
        if self._kept is None:
            self._kept = await self.engine.connect()
        try:
            driver = (await self._kept.get_raw_connection()).driver_connection
            assert isinstance(driver, asyncpg.Connection)
            row = await driver.fetchrow(POSITION_TEXT)
        except BaseException:
            # Lost, or given up in the middle of an answer.
            await self._drop_kept()
            raise
        return row["epoch"], row["seq"], row["pruned"]

    async def _drop_kept(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            # Also when whoever asked has gone away, or time is up.
            with CancelScope(shield=True), suppress(*UNREACHABLE):
                await kept.invalidate()
                await kept.close()

    async def close(self) -> None:
        """Close all connections; within `CLOSE_S`, whether the server takes part or not."""
        await self._drop_kept()
        with move_on_after(CLOSE_S):
            await self.engine.dispose()
