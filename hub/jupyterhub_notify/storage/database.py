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

#: Seconds that a request waits for its reading; a server that hangs sends nothing at all.
READ_S = 20.0
#: Seconds that a change waits for another process that has locked the SQLite file.
LOCKED_S = 15.0
#: Seconds that closing the connections may take.
CLOSE_S = 5.0

#: The query for the store's position. The driver gets it as text, compiled only once.
POSITION = select(Counter.epoch, Counter.seq, Counter.pruned)
POSITION_TEXT = str(POSITION)

#: The driver's errors for a lost connection. The last one is raised if the server has announced the
#: end of the connection, but has not closed it yet.
CONNECTION_LOST = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

#: Errors of a database that cannot be reached; SQLAlchemy does not wrap all of the driver's.
UNREACHABLE = (DBAPIError, TimeoutError, *CONNECTION_LOST)

#: PostgreSQL's error for a change on a read-only server.
READ_ONLY = "25006"
#: PostgreSQL's errors that no change itself causes, by the beginnings of their codes: lost
#: connections, a read-only server, a missing login or database, a lack of resources, locks that are
#: not available, and interventions of the operator or the system.
LOST_STATES = ("08", READ_ONLY, "28", "3D", "53", "55P03", "57", "58")
#: Words in SQLite's errors of the same kind. Before Python 3.11 these errors have no code.
LOST_WORDS = ("locked", "disk", "unable to open", "readonly")


def create_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """Return an engine with the settings that this service needs.

    Parameters
    ----------
    url
        SQLAlchemy's URL.
    pool_size
        Number of connections that are kept open.

    Returns
    -------
    AsyncEngine
        The engine; nothing is connected yet.
    """
    # Errors must not quote parameters: these are texts of messages, and errors are logged.
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
    """Test each connection before it is used, and replace it if it is lost.

    SQLAlchemy's ``pool_pre_ping`` recognises fewer of the driver's errors, and not
    `asyncpg.InternalClientError`.
    """

    @event.listens_for(engine.sync_engine, "checkout")
    def checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if not record.info.get("used"):
            # The connection is new. Its `info` disappears together with it.
            record.info["used"] = True
            return
        try:
            engine.dialect.do_ping(connection)
        except (engine.dialect.loaded_dbapi.Error, *CONNECTION_LOST) as error:
            # The pool's other connections are probably lost too: a server restarts as a whole.
            raise InvalidatePoolError from error


def _replace_read_only(engine: AsyncEngine) -> None:
    """Replace connections to a read-only server, which would stay read-only.

    After a failover a connection may lead to a server that is a replica now, and a session keeps
    the settings that its database had when it began.
    """

    @event.listens_for(engine.sync_engine, "handle_error")
    def handle_error(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
            context.is_disconnect = True


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """Begin transactions ourselves: the driver begins them too late, and without the write lock."""
    path = engine.url.database or ":memory:"
    if not path.startswith((":", "file:")):
        file = _SqliteFile(path)
        event.listen(engine.sync_engine, "do_connect", lambda *_: file.check())
        event.listen(engine.sync_engine, "checkout", lambda *_: file.check())

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        # FULL: an answered change survives a power failure, not only a crash of this process.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("notify_reader"):
            return
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class _SqliteFile:
    """The SQLite file, which has to stay in its place while it is open.

    Whatever is written to a removed or replaced file is lost when the service ends. Moreover SQLite
    would take the old file's log, which lies beside it, for the log of the new file.

    Parameters
    ----------
    path
        The path of the file; it is created if it does not exist at first.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._identity: tuple[int, int] | None = None
        self._lost = False
        self._log = structlog.get_logger("jupyterhub_notify.database")

    def check(self) -> None:
        """Raise an error if the file is no longer the one that was first opened."""
        if self._identity is None:
            # Messages are private, hence the mode. SQLite gives its log the same mode, and reports
            # an impossible path itself.
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
    """Return whether the database itself fails, so that any other change would fail now too."""
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
        # A single statement needs no transaction, which would cost two more round trips.
        reader: dict[str, Any] = {"notify_reader": True}
        if not self.is_sqlite:
            reader["isolation_level"] = "AUTOCOMMIT"
        self._reader = engine.execution_options(**reader)
        self._kept: AsyncConnection | None = None
        self._turn = asyncio.Lock()
        #: The limits of time for everything done with the database.
        self.limits = TimeLimits()

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Bound the time to `READ_S`, and raise `Unavailable` for every failure of the database."""
        try:
            with self.limits.within(READ_S):
                yield
        except UNREACHABLE as error:
            raise Unavailable("The database does not answer", retry_after_s=5) from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading; each statement sees what is committed at its time.

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
        """Give a connection in a transaction outside of the order of changes.

        Yields
        ------
        AsyncConnection
            The connection, for changes that need no number.

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
        """Ask the driver directly, on a connection that stays open: every 304 needs the position.

        Through the pool, which first tests the connection, the query takes twenty times as much
        processor time.
        """
        with self._bounded():
            async with self._turn:
                if self._kept is not None:
                    # The connection may have been lost since, such as by a restart of the server.
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
            # The connection is lost, or was left in the middle of an answer.
            await self._drop_kept()
            raise
        return row["epoch"], row["seq"], row["pruned"]

    async def _drop_kept(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            # Shielded: also done if the caller was cancelled, or its time is up.
            with CancelScope(shield=True), suppress(*UNREACHABLE):
                await kept.invalidate()
                await kept.close()

    async def close(self) -> None:
        """Close all connections; give up after `CLOSE_S` if the server does not answer."""
        await self._drop_kept()
        with move_on_after(CLOSE_S):
            await self.engine.dispose()
