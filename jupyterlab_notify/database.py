"""The database: one SQLite file that is kept usable, whatever happens to it.

It opens the file, goes on in memory while its place cannot be used, begins anew where one is
corrupt, and runs operations in shared transactions. What rows mean is ``store``'s.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from .exceptions import NotifyError, Unavailable
from .place import Place, Unusable
from .rescue import Beside, Rescue, Rescued, read
from .schema import ACTIVE, MIGRATIONS, SCHEMA_VERSION, statements

T = TypeVar("T")

#: What the statements of this package need: ``ON CONFLICT … DO``.
MINIMUM_SQLITE = (3, 24, 0)
#: How long to wait before the store's place is tried again, in seconds.
HEAL_INTERVAL_S = 10.0
#: For how long, in seconds, an idle file on a shared file system is only looked at from outside:
#: there each lock is a request, and each host may keep what it knows of a file for some seconds.
QUIET_S = 5.0
#: How often a batch is tried again, each time after the file's place was taken by another.
MAX_FAULTS = 4
#: How long another process may hold the file's lock, in seconds: hubs give up after five.
#: While it is known not to work, nobody is kept waiting for it.
BUSY_TIMEOUT_S = 3.0
RETRY_TIMEOUT_S = 0.2
#: How long a log or journal may stay between two transactions, in bytes.
JOURNAL_BYTES = 4 * 1024 * 1024
#: From so many unused pages on a file is made shorter, if they are a quarter of it, and by how
#: many at once: what is written next would use them again.
SHRINK_FROM = 256
SHRINK_BY = 500

#: When the next row changes by itself: it expires, or its sender is taken for dead.
NEXT_DUE = f"""
    SELECT min(due_ms) FROM (
        SELECT min(expires_ms) AS due_ms FROM notifications
        WHERE expires_ms IS NOT NULL AND {ACTIVE}
        UNION ALL
        SELECT min(interrupt_ms) FROM notifications
        WHERE interrupt_ms IS NOT NULL AND {ACTIVE}
    )"""


class _Failed(Exception):
    """An operation failed by its own fault, maybe halfway."""

    def __init__(self, call: Callable[[], Any], error: Exception) -> None:
        super().__init__(str(error))
        self.call, self.error = call, error


def look() -> None:
    """Do nothing: an operation for who only wants a batch's housekeeping, and its news."""


class _MustWrite(Exception):
    """A transaction that only reads has found that something must be written."""


#: What opening and using a file can fail with.
FAULTS = (sqlite3.Error, OSError, Unusable)


class Database(Rescue):
    """A SQLite file, or memory while its place cannot be used.

    Every method must be called from one and the same thread. Only ``run`` handles faults
    of the file; what reads and changes rows is called from inside it.

    Parameters
    ----------
    path
        The database file; its folder is made if it is missing. None keeps everything in
        memory, which counts as not durable.
    log
        Where the administrator looks; each fault is said there once.
    clock
        Milliseconds since 1970.
    """

    def __init__(
        self, path: Path | None, *, log: logging.Logger | None, clock: Callable[[], int]
    ) -> None:
        super().__init__()
        self._log = log or logging.getLogger(__name__)
        self._place = None if path is None else Place(path, self._log)
        self.mode = "memory"
        self.problem: str | None = None
        self.epoch = ""
        self.pruned = 0
        self._clock = clock
        #: What the file looked like before it was last read, and when that was.
        self._seen: tuple[int, ...] | None = None
        self._read_at = 0.0
        self._heal_at = 0.0
        #: When the next row changes by itself, as it was when the transaction began.
        self._due_ms: int | None = None
        #: Whether the file was seen to be older than what tabs know of it.
        self._went_back = False
        #: How many rows there are at most.
        self._rows = 0

    @property
    def path(self) -> Path | None:
        """The file; None if everything is in memory."""
        return None if self._place is None else self._place.path

    @property
    def aside(self) -> Path | None:
        """The corrupt file that was set aside last, since this was made."""
        return None if self._place is None else self._place.aside

    @property
    def durable(self) -> bool:
        """Whether what is committed survives the process."""
        return self.mode != "memory"

    # What the rows need done with each batch

    @abstractmethod
    def _expire(self) -> None:
        """Let what has had its time go; called in a transaction that writes, before the others."""

    @abstractmethod
    def _interrupt(self) -> None:
        """See to senders that were not heard of; called after what they may have sent just now."""

    @abstractmethod
    def _prune_if_due(self) -> None:
        """Delete what need not be kept; called after a transaction that wrote."""

    # Opening, failing and healing

    def open(self) -> None:
        """Open the file, or memory if it cannot be used; never raises for the file's sake."""
        try:
            self._open_file(BUSY_TIMEOUT_S)
        except FAULTS as fault:
            self._fault(fault)

    def close(self) -> None:
        """Close the file; what is in memory only gets a last chance to come into it."""
        if (
            self._db is not None
            and not self.durable
            and (self.seq > self._adopted_seq or self.welcome != self._adopted.welcome)
        ):
            self._heal()
        self._disconnect()

    def _disconnect(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _open_file(self, timeout_s: float) -> None:
        if self._place is None:
            raise Unusable("no place is configured for the database")
        inode = self._place.prepare()
        db = self._connect(str(self._place.path), timeout_s)
        try:
            new = os.stat(self._place.path).st_size == 0
            if new:
                # Before the first page is written; later it would take a copy of all.
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            mode = self._set_mode(db, self._place.shared, new, timeout_s)
            db.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
            # Each commit is synced: a message that was answered survives a power cut too. With
            # a rollback journal that takes more than FULL: it ends with the journal's name.
            db.execute("PRAGMA synchronous = EXTRA")
            self._migrate(db, inode)
            db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")
        except BaseException:
            db.close()
            raise
        self._disconnect()
        self._db = db
        self.mode = "wal" if mode == "wal" else "rollback"
        self._went_back = False
        self._load_state()
        self._place.remember_beside()

    def _set_mode(self, db: sqlite3.Connection, shared: bool, new: bool, timeout_s: float) -> str:
        """Set the journal mode where that is safe, and return the one that is now."""
        if not shared and not new:
            # The host on whose disk it lies cannot know which others have it open, in a mode
            # that does not go together with a write-ahead log.
            return str(db.execute("PRAGMA journal_mode").fetchone()[0])
        try:
            return _set_journal(db, "delete" if shared else "wal", timeout_s)
        except sqlite3.OperationalError:
            if shared and db.execute("PRAGMA journal_mode").fetchone() == ("wal",):
                raise Unusable(self._wal_elsewhere()) from None
            raise

    def _check_mode(self) -> None:
        """Notice that another program has set a write-ahead log; SQLite does once it has read."""
        if self.mode == "rollback" and self._execute("PRAGMA journal_mode").fetchone() == ("wal",):
            assert self._place is not None
            if self._place.shared:
                raise Unusable(self._wal_elsewhere())
            self.mode = "wal"

    def _wal_elsewhere(self) -> str:
        return (
            f"another program keeps a write-ahead log for the database {self.path}, which would "
            "corrupt it on this file system"
        )

    def _connect(
        self, target: str, timeout_s: float = 0, rescue: bool = False
    ) -> sqlite3.Connection:
        db = sqlite3.connect(target, timeout=timeout_s, isolation_level=None, uri=rescue)
        if rescue:
            # Without it a file that was cut short is not read at all.
            db.execute("PRAGMA writable_schema = ON")
        db.execute("PRAGMA cache_size = -512")
        db.execute("PRAGMA temp_store = MEMORY")
        db.create_function("holds", 2, _holds, deterministic=True)
        return db

    def _migrate(self, db: sqlite3.Connection, inode: int) -> None:
        # Taken even if there is nothing to migrate: it shows that the file can be written.
        db.execute("BEGIN IMMEDIATE")
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise Unusable(
                    f"the database {self.path} was written by a newer version (its schema is "
                    f"{version}, this version knows {SCHEMA_VERSION})"
                )
            for number in range(version, SCHEMA_VERSION):
                for statement in statements(MIGRATIONS[number]):
                    db.execute(statement)
            if version < SCHEMA_VERSION:
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            epoch = secrets.token_hex(8)
            # Some file systems use all 64 bits and more; SQLite's numbers have 63.
            inode &= 2**63 - 1
            db.execute(
                "INSERT OR IGNORE INTO state VALUES (1, ?, ?, 0, 0, 0, 0, 0, 0, 0, NULL)",
                (epoch, inode),
            )
            # Another inode is another file: copied, or restored from a backup. Cursors given
            # before may name sequence numbers that it gives again.
            db.execute(
                "UPDATE state SET epoch = ?, inode = ? WHERE inode <> ?", (epoch, inode, inode)
            )
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            raise

    def _load_state(self) -> None:
        (
            self.epoch,
            self.seq,
            self.pruned,
            self.welcome,
            self.muted_ms,
            self._rows,
            self._due_ms,
        ) = self._execute(
            "SELECT epoch, seq, pruned, welcome, muted_ms, inbox + dismissed + tombstones, "
            f"({NEXT_DUE}) FROM state"
        ).fetchone()

    def _is_due(self, due_ms: int | None) -> bool:
        return due_ms is not None and due_ms <= self._now

    def _fault(self, fault: Exception) -> None:
        """Go on without the file after ``fault``: with a new one, or in memory."""
        rescued = self._rescue()
        if self._place is not None and _is_corrupt(fault):
            aside = self._place.set_aside(BUSY_TIMEOUT_S)
            # Another server of this home directory may have been faster.
            if self._place.replaced():
                self._disconnect()
                try:
                    self._open_file(BUSY_TIMEOUT_S)
                    with self._transaction(write=True):
                        self._take_in(rescued)
                except FAULTS as other:
                    fault = other
                else:
                    self._log.warning(
                        "The notification database %s was corrupt (%s). It was set aside as %s "
                        "and a new one is begun, with %d notifications that could be read.",
                        *(self.path, fault, aside or "another file", len(rescued.rows)),
                    )
                    return
        self._to_memory(self._problem(fault), rescued)

    def _problem(self, fault: Exception) -> str:
        if isinstance(fault, Unusable):
            return str(fault)
        if isinstance(fault, OSError):
            where = "" if fault.filename is None else f" ({fault.filename})"
            return f"the database {self.path} cannot be opened: {fault.strerror}{where}"
        assert self._place is not None
        return f"the database {self.path} cannot be used: {self._place.why(str(fault))}"

    def _to_memory(self, problem: str, rescued: Rescued) -> None:
        """Keep messages in memory, with the newest of what the file had.

        It is an epoch of its own: if the process ends, the file gives its numbers again.
        """
        self._disconnect()
        if self._place is not None:
            self._place.forget()
        self._db = self._connect(":memory:")
        self._migrate(self._db, 0)
        self.mode, self.problem = "memory", problem
        self._load_state()
        with self._transaction(write=True):
            self._take_in(rescued)
        self._origin, self._adopted_seq = rescued.origin, self.seq
        self._adopted = Beside(rescued.beside.tables, self.welcome, self.muted_ms)
        self._reset_ms = None
        self._heal_at = time.monotonic() + HEAL_INTERVAL_S
        if self.path is None:
            self._log.info("Notifications are kept in memory only: %s.", problem)
        else:
            self._log.warning(
                "Notifications are kept in memory only and will be lost when this server stops: "
                "%s. It is tried again by itself.",
                problem,
            )

    def _rescue(self) -> Rescued:
        """Read the newest rows of a failing file, what else it keeps, and where it stands."""
        for how in ("as it is", "mode=ro", "immutable=1"):
            if how == "as it is":
                db = self._db
                if db is None:
                    continue
            # Not ``Path.is_file``, which raises where a folder may not be entered.
            elif self.path is None or not os.path.isfile(self.path):
                break
            else:
                try:
                    db = self._connect(f"{self.path.absolute().as_uri()}?{how}", rescue=True)
                except (sqlite3.Error, OSError):
                    continue
            try:
                db.execute(f"PRAGMA busy_timeout = {RETRY_TIMEOUT_S * 1000:.0f}")
                if (rescued := read(db)) is not None:
                    return rescued
            except (sqlite3.Error, TypeError):
                continue
            finally:
                if db is not self._db:
                    db.close()
        return Rescued([], Beside({}), None)

    def _heal(self) -> None:
        """Try the file again, and carry over what came in meanwhile."""
        memory, self._db = self._db, None
        assert memory is not None
        try:
            self._open_file(RETRY_TIMEOUT_S)
            self._carry_over(memory)
        except FAULTS as fault:
            self._disconnect()
            self._db, self.mode = memory, "memory"
            self._load_state()
            self._heal_at = time.monotonic() + HEAL_INTERVAL_S
            problem = self._problem(fault)
            if self._place is not None:
                if _is_corrupt(fault) and (aside := self._place.set_aside(BUSY_TIMEOUT_S)):
                    self._heal_at = 0.0
                    problem += f". It was set aside as {aside}"
                self._place.forget()
            if problem != self.problem:
                self.problem = problem
                self._log.warning("Notifications are still kept in memory only: %s.", problem)
            return
        memory.close()
        self.problem = None
        self._log.info(
            "The notification database %s works again; what came in meanwhile is stored.",
            self.path,
        )

    def _carry_over(self, memory: sqlite3.Connection) -> None:
        """Store what memory learned since it took over; all of it, if this is another file."""
        same = self._origin is not None and self._origin.epoch == self.epoch
        if same and self._origin is not None and self.seq < self._origin.seq:
            same, self._went_back = False, True
        with self._transaction(write=True):
            self._carry(memory, same=same)

    # Running operations

    def run(self, operations: Iterable[tuple[Callable[[], T], bool]]) -> list[T | Exception]:
        """Run operations in one transaction, so that they share its commit.

        Parameters
        ----------
        operations
            Calls of this store's methods, each with whether it writes. They may be run
            more than once, if the file fails and its place is taken by another.

        Returns
        -------
        list
            For each operation what it returned, or the exception that it raised; one that
            raised has changed nothing.
        """
        pending = list(operations)
        if sqlite3.sqlite_version_info < MINIMUM_SQLITE:
            # Memory would be no better.
            text = self._too_old()
            return [Unavailable(text) for _ in pending]
        failed: dict[Callable[[], T], Exception] = {}
        self._now = self._clock()
        if self._is_quiet() and all(call is look for call, _ in pending):
            return [call() for call, _ in pending]
        if self._db is None:
            self.open()
        elif not self.durable and self.path is not None and time.monotonic() >= self._heal_at:
            self._heal()
        faults = 0
        write = any(w for _, w in pending)
        while faults < MAX_FAULTS:
            try:
                if self._is_replaced():
                    self._reopen()
                if self.mode == "rollback":
                    self._seen, self._read_at = self._look(), time.monotonic()
                with self._transaction(write=write):
                    due = write and self._is_due(self._due_ms)
                    if due:
                        self._expire()
                    results = self._perform([call for call, _ in pending], failed)
                    if due:
                        self._interrupt()
                if write and self._is_replaced():
                    # The file was taken away under the commit: what was written is not there.
                    faults += 1
                elif write or not self._went_back:
                    break
                else:
                    write = True
            except _MustWrite:
                write = True
            except _Failed as failure:
                # The others begin again without it. A savepoint for each would cost them more.
                failed[failure.call] = failure.error
            except FAULTS as fault:
                faults += 1
                if not self._is_replaced():
                    self._fault(fault)
        else:
            raise RuntimeError("The store fails again and again.")
        if write:
            try:
                self._prune_if_due()
            except FAULTS as fault:
                # What was committed stays so; only that the file works no more is new.
                self._fault(fault)
        return results

    def _too_old(self) -> str:
        needed = ".".join(map(str, MINIMUM_SQLITE))
        text = (
            "Notifications cannot be kept: this server's Python uses SQLite "
            f"{sqlite3.sqlite_version}, and {needed} or later is needed."
        )
        if self.problem is None:
            self.problem = text
            self._log.warning(text)
        return text

    def _perform(self, calls: list[Callable[[], T]], failed: dict[Any, Exception]) -> list[Any]:
        """Run operations in the open transaction; those that ``failed`` before are left out."""
        return [failed[call] if call in failed else self._one(call) for call in calls]

    def _one(self, call: Callable[[], T]) -> T | Exception:
        try:
            return call()
        except NotifyError as refusal:
            # Raised before anything is changed.
            return refusal
        except Exception as error:
            # Memory has no faults, so there it is the operation's in any case.
            if self.durable and (isinstance(error, sqlite3.OperationalError) or _is_corrupt(error)):
                raise
            raise _Failed(call, error) from error

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[None]:
        last = (self.epoch, self.seq, self.pruned, self.welcome, self.muted_ms)
        self._execute("BEGIN IMMEDIATE" if write else "BEGIN")
        # Not earlier: what another server wrote while this one waited would lie in the future.
        self._now = self._clock()
        try:
            self._load_state()
            self._check_mode()
            # The file went back in time (a backup restored in place): another epoch.
            back = self._went_back or (self.epoch == last[0] and self.seq < last[1])
            if not write and (back or self._is_due(self._due_ms)):
                raise _MustWrite
            if back:
                self.epoch = secrets.token_hex(8)
                self._execute("UPDATE state SET epoch = ?", (self.epoch,))
            before = (self.seq, self.pruned, self.welcome, self.muted_ms)
            yield
            self._rows += max(self.seq - before[0], 0)
            after = (self.seq, self.pruned, self.welcome, self.muted_ms)
            if before != after:
                self._execute(
                    "UPDATE state SET seq = ?, pruned = ?, welcome = ?, muted_ms = ?", after
                )
            self._execute("COMMIT")
            self._went_back = self._went_back and not back
        except BaseException:
            assert self._db is not None
            if self._db.in_transaction:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            self.epoch, self.seq, self.pruned, self.welcome, self.muted_ms = last
            raise

    def _is_replaced(self) -> bool:
        return self._place is not None and self._place.replaced()

    def _look(self) -> tuple[int, ...] | None:
        return None if self._place is None else self._place.look()

    def _is_quiet(self) -> bool:
        """Whether nothing is due and a shared file looks as it did when it was last read."""
        return (
            self.mode == "rollback"
            and self._seen is not None
            and time.monotonic() - self._read_at < QUIET_S
            and not self._went_back
            and not self._is_due(self._due_ms)
            and self._look() == self._seen
        )

    def _reopen(self) -> None:
        self._log.warning(
            "The notification database %s was deleted or replaced; what lies there now is used.",
            self.path,
        )
        # Bring the log into its own file, wherever that went, and take it away: SQLite would
        # replay it onto the file that lies here now.
        with suppress(sqlite3.Error):
            self._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._disconnect()
        if self._place is not None:
            self._place.remove_beside()
        self.open()

    def _shrink(self) -> bool:
        """Give some of a file's unused pages back to the disk; return whether there are more."""
        (free,) = self._execute("PRAGMA freelist_count").fetchone()
        (pages,) = self._execute("PRAGMA page_count").fetchone()
        if free < SHRINK_FROM or free * 4 < pages:
            return False
        assert self._db is not None
        # As a script, and so in a transaction of its own: ``execute`` would stop at its first page.
        # It can wait until another process leaves the file alone.
        with suppress(sqlite3.OperationalError):
            self._db.executescript(f"PRAGMA incremental_vacuum({SHRINK_BY})")
        (now,) = self._execute("PRAGMA freelist_count").fetchone()
        return bool(now < free)


def _holds(text: str | None, word: str) -> bool:
    """Whether a text holds a word, which is given as ``casefold`` makes it."""
    return text is not None and word in text.casefold()


def _is_corrupt(fault: BaseException) -> bool:
    """Whether the file holds what SQLite, or this software, never wrote."""
    text = str(fault)
    return isinstance(fault, sqlite3.Error) and (
        type(fault) is sqlite3.DatabaseError
        or "malformed" in text
        # The one function is ``holds``, which fails at what is no UTF-8.
        or text.startswith(("Could not decode to UTF-8", "user-defined function"))
    )


def _set_journal(db: sqlite3.Connection, wanted: str, timeout_s: float) -> str:
    """Set the journal mode, and return the one that is now.

    SQLite does not wait for another process that is doing the same.
    """
    end = time.monotonic() + timeout_s
    while True:
        try:
            (mode,) = db.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() >= end:
                raise
            time.sleep(0.01)
        else:
            return str(mode)
