"""The database: one SQLite file that is kept usable, whatever happens to it.

It opens and heals the file, goes on in memory while its place cannot be used, sets a corrupt
one aside, and runs operations in shared transactions. What rows mean is ``store``'s.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from .schema import (
    BURY,
    COLUMNS,
    HAS_BODY,
    LIVE,
    MIGRATIONS,
    PINNED,
    SCHEMA_VERSION,
    Row,
    statements,
    to_wire,
)

T = TypeVar("T")

#: Local file systems on which SQLite's write-ahead log works. Everything else (NFS, SMB,
#: Lustre, FUSE …) gets a rollback journal: there, WAL's shared memory is not shared between
#: hosts, and two of them corrupt the file without an error.
WAL_FILE_SYSTEMS = frozenset(
    {
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "reiserfs"),
        *("tmpfs", "ramfs", "overlay"),
    }
)
#: What the statements of this package need: ``ON CONFLICT … DO``.
MINIMUM_SQLITE = (3, 24, 0)
#: How many rows a memory store takes over from a failing file.
RESCUED_ROWS = 1000
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
#: How many corrupt files that were set aside are kept.
KEPT_COPIES = 2
#: From so many free bytes on a disk counts as full, when something fails.
LITTLE_SPACE = 65_536

#: When the next row changes by itself: it expires, or its sender is taken for dead.
NEXT_DUE = f"""
    SELECT min(due_ms) FROM (
        SELECT min(expires_ms) AS due_ms FROM notifications
        WHERE expires_ms IS NOT NULL AND {LIVE}
        UNION ALL
        SELECT min(interrupt_ms) FROM notifications
        WHERE interrupt_ms IS NOT NULL AND {LIVE}
    )"""


class Refusal(Exception):
    """The present state does not allow a request; its text is a sentence for the sender."""

    #: After how many seconds it is worth to try again, where that is known.
    retry_after_s: float | None = None


class NotFound(Refusal):
    """There is no such notification."""


class Conflict(Refusal):
    """There is, but it does not allow this."""


class Unavailable(Refusal):
    """What has to be asked elsewhere cannot be had now."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class _Failed(Exception):
    """An operation failed by its own fault, maybe halfway."""

    def __init__(self, call: Callable[[], Any], error: Exception) -> None:
        super().__init__(str(error))
        self.call, self.error = call, error


def look() -> None:
    """Do nothing: an operation for who only wants a batch's housekeeping, and its news."""


class _MustWrite(Exception):
    """A transaction that only reads has found that something must be written."""


class _Unusable(Exception):
    """The store's place cannot be used; the text says why."""


#: What opening and using a file can fail with.
FAULTS = (sqlite3.Error, OSError, _Unusable)


class Cursor(NamedTuple):
    """How far a tab has come: a store's epoch, and the highest ``seq`` applied."""

    epoch: str
    seq: int

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """Read ``epoch:seq``; anything else is no cursor, which costs one snapshot."""
        epoch, colon, seq = (text or "").partition(":")
        if not colon or not seq.isascii() or not seq.isdigit() or len(seq) > 16:
            return None
        return cls(epoch, int(seq))

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}"


def file_system(path: Path) -> str:
    """Return the type of the file system that ``path`` lies on, or "" where unknown."""
    try:
        mounts = os.fsdecode(Path("/proc/self/mountinfo").read_bytes())
    except OSError:
        return ""
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        # Blanks and backslashes are written as octal numbers.
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), left.split(" ")[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        # Of mounts on the same point the last one is what is seen.
        if inside and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return kind


class Beside(NamedTuple):
    """What is kept beside the notifications: each table's rows by their key, and what state says.

    Parameters
    ----------
    tables
        By name, in the tables' order.
    welcome, muted_ms
        See ``Database``.
    """

    tables: dict[str, dict[Any, Row]]
    welcome: int = 0
    muted_ms: int | None = None


#: What makes a row of a table beside the notifications unique, and what it is ordered by.
BESIDE = {
    "outbox": (("id",), "number"),
    "listed": (("central", "remote"), "central, remote"),
    "welcome": (("id",), "id"),
    "askers": (("central", "owner"), "central, owner"),
}
#: A welcome message of which nothing is kept.
UNKNOWN_WELCOME: Row = {"listed": 0, "views": 0, "told": 0}


class Database(ABC):
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
        self.path = path
        self.mode = "memory"
        self.problem: str | None = None
        #: The corrupt file that was set aside last, since this was made.
        self.aside: Path | None = None
        #: Whether hosts may share the file, so that a write-ahead log would corrupt it.
        self._shared = True
        self.epoch = ""
        self.seq = 0
        self.pruned = 0
        #: How often what is said of welcome messages has changed, and since when none is due.
        self.welcome = 0
        self.muted_ms: int | None = None
        self._log = log or logging.getLogger(__name__)
        self._clock = clock
        self._now = 0
        self._db: sqlite3.Connection | None = None
        #: Device and inode of the file that is open, or was last tried.
        self._file: tuple[int, int] | None = None
        #: What it looked like before it was last read, and when that was.
        self._seen: tuple[int, ...] | None = None
        self._read_at = 0.0
        #: The same of what lies beside it while it is open.
        self._beside: dict[str, tuple[int, int]] = {}
        #: Where the file stood when memory took over from it, and where memory began.
        self._origin: Cursor | None = None
        self._adopted_seq = 0
        self._adopted = Beside({})
        #: When the person, in memory, last wanted every welcome message again. To note it twice
        #: is the same, as an operation may be run again.
        self._reset_ms: int | None = None
        self._heal_at = 0.0
        #: When the next row changes by itself, as it was when the transaction began.
        self._due_ms: int | None = None
        #: Whether the file was seen to be older than what tabs know of it.
        self._went_back = False
        #: How many rows there are at most.
        self._rows = 0

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
    def _carry_reset(self, reset_ms: int) -> None:
        """Make due, in a file that memory did not know, what was dismissed before the reset."""

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
        if self.path is None:
            raise _Unusable("no place is configured for the database")
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made here, because SQLite would make it readable by the whole group. One that is
        # there is not opened: to close it would drop this process' locks on it.
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        # Looked at before it is opened: if it is replaced in between, that is noticed later.
        if not self.path.is_file():
            raise _Unusable(f"{self.path} is not a file")
        self._file = _identity(self.path)
        self._shared = file_system(self.path) not in WAL_FILE_SYSTEMS
        db = self._connect(str(self.path), timeout_s)
        try:
            new = os.stat(self.path).st_size == 0
            if new:
                # Before the first page is written; later it would take a copy of all.
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            mode = self._set_mode(db, new, timeout_s)
            db.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
            # Each commit is synced: a message that was answered survives a power cut too. With
            # a rollback journal that takes more than FULL: it ends with the journal's name.
            db.execute("PRAGMA synchronous = EXTRA")
            self._migrate(db, self._file[1])
            db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")
        except BaseException:
            db.close()
            raise
        self._disconnect()
        self._db = db
        self.mode = "wal" if mode == "wal" else "rollback"
        self._went_back = False
        self._load_state()
        self._beside = {}
        for suffix in ("-wal", "-shm"):
            with suppress(OSError):
                self._beside[suffix] = _identity(f"{self.path}{suffix}")

    def _set_mode(self, db: sqlite3.Connection, new: bool, timeout_s: float) -> str:
        """Set the journal mode where that is safe, and return the one that is now."""
        if not self._shared and not new:
            # The host on whose disk it lies cannot know which others have it open, in a mode
            # that does not go together with a write-ahead log.
            return str(db.execute("PRAGMA journal_mode").fetchone()[0])
        try:
            return _set_journal(db, "delete" if self._shared else "wal", timeout_s)
        except sqlite3.OperationalError:
            if self._shared and db.execute("PRAGMA journal_mode").fetchone() == ("wal",):
                raise _Unusable(self._wal_elsewhere()) from None
            raise

    def _check_mode(self) -> None:
        """Notice that another program has set a write-ahead log; SQLite does once it has read."""
        if self.mode == "rollback" and self._execute("PRAGMA journal_mode").fetchone() == ("wal",):
            if self._shared:
                raise _Unusable(self._wal_elsewhere())
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
                raise _Unusable(
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
        rows, beside, origin = self._rescue()
        if _is_corrupt(fault):
            aside = self._set_aside()
            # Another server of this home directory may have been faster.
            if self._replaced():
                self._disconnect()
                try:
                    self._open_file(BUSY_TIMEOUT_S)
                    self._adopt(rows, beside)
                except FAULTS as other:
                    fault = other
                else:
                    self._log.warning(
                        "The notification database %s was corrupt (%s). It was set aside as %s "
                        "and a new one is begun, with %d notifications that could be read.",
                        *(self.path, fault, aside or "another file", len(rows)),
                    )
                    return
        self._to_memory(self._problem(fault), rows, beside, origin)

    def _problem(self, fault: Exception) -> str:
        if isinstance(fault, _Unusable):
            return str(fault)
        if isinstance(fault, OSError):
            where = "" if fault.filename is None else f" ({fault.filename})"
            return f"the database {self.path} cannot be opened: {fault.strerror}{where}"
        return f"the database {self.path} cannot be used: {self._why(str(fault))}"

    def _why(self, text: str) -> str:
        """Say what SQLite means by "unable to open database file" and "disk I/O error"."""
        assert self.path is not None
        with suppress(OSError):
            folder = self.path.parent
            for place in (folder, self.path):
                if place.exists() and not os.access(place, os.R_OK | os.W_OK):
                    return f"{place} cannot be written or read ({text})"
            disk = os.statvfs(folder)
            if disk.f_bavail * disk.f_frsize < LITTLE_SPACE:
                return f"the disk is full ({text})"
        return text

    def _set_aside(self) -> Path | None:
        """Give a corrupt file another name, and return that; None where it cannot be done.

        It is renamed before it is closed: SQLite then leaves the bytes of both, the file and
        its log, as they are. Another server may have found the same, and the file that it begins
        stays.
        """
        if self.path is None or self._replaced():
            return None
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        aside = self.path.with_name(f"{self.path.name}.corrupt-{stamp}-{secrets.token_hex(2)}")
        try:
            with _locked(self.path), ExitStack() as back:
                # A host may know only what a folder held some seconds ago. To make a file there
                # has it look again.
                os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                back.callback(os.unlink, aside)
                if self._replaced():
                    return None
                # The file goes last: from then on these may be those of a new one.
                for suffix in ("-wal", "-shm", "-journal"):
                    with suppress(FileNotFoundError):
                        here, there = f"{self.path}{suffix}", f"{aside}{suffix}"
                        os.replace(here, there)
                        back.callback(os.replace, there, here)
                os.replace(self.path, aside)
                back.pop_all()
            self._forget_copies()
        except OSError as error:
            self._log.debug("Setting a corrupt database aside failed: %s", error)
            return None
        self.aside = aside
        return aside

    def _forget_copies(self) -> None:
        """Delete all but the newest files that were set aside: each may be large."""
        assert self.path is not None
        ours = re.compile(re.escape(self.path.name) + r"\.corrupt-\d{8}T\d{6}Z-[0-9a-f]{4}")
        with suppress(OSError):
            copies = sorted(name for name in os.listdir(self.path.parent) if ours.fullmatch(name))
            for name in copies[:-KEPT_COPIES]:
                for suffix in ("-wal", "-shm", "-journal", ""):
                    with suppress(FileNotFoundError):
                        os.unlink(self.path.with_name(name + suffix))

    def _to_memory(
        self, problem: str, rows: list[Row], beside: Beside, origin: Cursor | None
    ) -> None:
        """Keep messages in memory, with the newest of what the file had.

        It is an epoch of its own: if the process ends, the file gives its numbers again.
        """
        self._disconnect()
        self._file = None
        self._db = self._connect(":memory:")
        self._migrate(self._db, 0)
        self.mode, self.problem = "memory", problem
        self._load_state()
        self._adopt(rows, beside)
        self._origin, self._adopted_seq = origin, self.seq
        self._adopted = Beside(beside.tables, self.welcome, self.muted_ms)
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

    def _rescue(self) -> tuple[list[Row], Beside, Cursor | None]:
        """Read the newest rows of a failing file, what else it keeps, and where it stands."""
        for how in ("as it is", "mode=ro", "immutable=1"):
            if how == "as it is":
                db = self._db
                if db is None:
                    continue
            elif self.path is None or not self.path.is_file():
                break
            else:
                try:
                    db = self._connect(f"{self.path.absolute().as_uri()}?{how}", rescue=True)
                except (sqlite3.Error, OSError):
                    continue
            try:
                db.execute(f"PRAGMA busy_timeout = {RETRY_TIMEOUT_S * 1000:.0f}")
                if db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                    continue
                origin = Cursor(*db.execute("SELECT epoch, seq FROM state").fetchone())
                rows = _newest(db)
                if rows or db.execute("SELECT inbox FROM state").fetchone() == (0,):
                    return rows, _beside(db), origin
            except (sqlite3.Error, TypeError):
                continue
            finally:
                if db is not self._db:
                    db.close()
        return [], Beside({}), None

    def _adopt(self, rows: list[Row], beside: Beside) -> None:
        """Take in rows of a file that was given up, in their order, but for those known."""
        with self._transaction(write=True):
            for row in sorted(rows, key=lambda row: row["position"]):
                row["seq"] = row["position"] = self._next_seq()
                self._insert(row)
            for table, kept in beside.tables.items():
                for row in kept.values():
                    self._insert(row, table)
            # Another number than any before: what a tab has seen of the file may differ.
            self.welcome = max(self.welcome, beside.welcome) + 1
            self.muted_ms = beside.muted_ms or self.muted_ms

    def _insert(self, row: Row, table: str = "notifications") -> None:
        row = {name: value for name, value in row.items() if name != "number"}
        marks = ", ".join(f":{name}" for name in row)
        self._execute(f"INSERT OR IGNORE INTO {table} ({', '.join(row)}) VALUES ({marks})", row)

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
            if _is_corrupt(fault) and (aside := self._set_aside()) is not None:
                self._heal_at = 0.0
                problem += f". It was set aside as {aside}"
            self._file = None
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
        rows = _rows(
            memory,
            f"SELECT {_stored_columns(memory)} FROM notifications WHERE seq > ? ORDER BY position",
            (self._adopted_seq if same else 0,),
        )
        with self._transaction(write=True):
            # Spent whether or not there are rows: it shows that the file takes a write.
            self._next_seq()
            for row in rows:
                self._carry_one(row, self._origin.seq if same and self._origin else None)
            if self._reset_ms is not None and not same:
                self._carry_reset(self._reset_ms)
            self._carry_beside(_beside(memory), self._adopted if same else Beside({}))

    def _carry_beside(self, now: Beside, before: Beside) -> None:
        """Do to the tables beside the notifications what memory did to its own."""
        for table, rows in now.tables.items():
            known = before.tables.get(table, {})
            where = " AND ".join(f"{name} = :{name}" for name in BESIDE[table][0])
            for key, row in known.items():
                if key not in rows:
                    self._execute(f"DELETE FROM {table} WHERE {where}", row)
            for key, row in rows.items():
                if table == "welcome":
                    self._carry_welcome(row, known.get(key, UNKNOWN_WELCOME))
                elif key not in known:
                    # A claim says only who is at it; another number is given here.
                    self._insert(row, table)
        if now.muted_ms != before.muted_ms:
            self.muted_ms = now.muted_ms
        self.welcome = max(self.welcome, now.welcome) + 1

    def _carry_welcome(self, now: Row, before: Row) -> None:
        """Change of a welcome message what memory did: the file may know more of it than memory.

        Another server may have changed it meanwhile, or memory may never have seen the file.
        """
        changed = [name for name in now if name != "id" and now[name] != before.get(name)]
        if not changed:
            return
        values = {**now, "views": now["views"] - before["views"]}
        sets = [f"{name} = :{name}" for name in changed if name != "views"]
        self._execute("INSERT OR IGNORE INTO welcome (id) VALUES (:id)", values)
        self._execute(
            f"UPDATE welcome SET {', '.join(['views = max(views + :views, 0)', *sets])} "
            "WHERE id = :id",
            values,
        )

    def _carry_one(self, row: Row, origin_seq: int | None) -> None:
        live = row["revoked_ms"] is None and row["expired_ms"] is None
        known = self._execute(
            f"SELECT seq, position, {LIVE} FROM notifications WHERE id = ?", (row["id"],)
        ).fetchone()
        if known is None and not live:
            return
        if known is not None and (
            not known[2] or (origin_seq is not None and known[0] > origin_seq)
        ):
            # Another server of this home directory changed it meanwhile.
            return
        if live and row["key"] is not None:
            other = self._execute(
                f"SELECT id, updated_ms FROM notifications "
                f"WHERE source = ? AND key = ? AND id <> ? AND {LIVE}",
                (row["source"], row["key"], row["id"]),
            ).fetchone()
            if other is not None and other[1] > row["updated_ms"]:
                return
            if other is not None:
                self._bury(other[0], "revoked_ms")
        quiet = known is not None and row["position"] <= self._adopted_seq
        if known is not None and not quiet and row["origin"] == "message":
            # The central service listed it again for memory, which did not have it: it is the
            # same one, and only what the person did with it is new.
            self._execute(
                "UPDATE notifications SET seq = ?, read_ms = coalesce(read_ms, ?), "
                "dismissed_ms = coalesce(dismissed_ms, ?) WHERE id = ?",
                (self._next_seq(), row["read_ms"], row["dismissed_ms"], row["id"]),
            )
            return
        row["seq"] = self._next_seq()
        row["position"] = known[1] if quiet else row["seq"]
        self._execute("DELETE FROM notifications WHERE id = ?", (row["id"],))
        self._insert(row)

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
                if self._replaced():
                    self._reopen()
                if self.mode == "rollback":
                    self._seen, self._read_at = self._look_of_file(), time.monotonic()
                with self._transaction(write=write):
                    due = write and self._is_due(self._due_ms)
                    if due:
                        self._expire()
                    results = self._perform([call for call, _ in pending], failed)
                    if due:
                        self._interrupt()
                if write and self._replaced():
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
                if not self._replaced():
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
        except Refusal as refusal:
            # Raised before anything is changed.
            return refusal
        except Exception as error:
            # Memory has no faults, so there it is the operation's in any case.
            if self.durable and (isinstance(error, sqlite3.OperationalError) or _is_corrupt(error)):
                raise
            raise _Failed(call, error) from error

    def _execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        assert self._db is not None
        return self._db.execute(sql, values)

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

    def _is_quiet(self) -> bool:
        """Whether nothing is due and a shared file looks as it did when it was last read."""
        return (
            self.mode == "rollback"
            and self._seen is not None
            and time.monotonic() - self._read_at < QUIET_S
            and not self._went_back
            and not self._is_due(self._due_ms)
            and self._look_of_file() == self._seen
        )

    def _look_of_file(self) -> tuple[int, ...] | None:
        assert self.path is not None
        with suppress(OSError):
            status = os.stat(self.path)
            return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
        return None

    def _replaced(self) -> bool:
        """Whether another file, or none, lies where the open one was."""
        if self._file is None or self.path is None:
            return False
        try:
            return _identity(self.path) != self._file
        except FileNotFoundError:
            return True
        except OSError:
            return False

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
        for suffix, identity in self._beside.items():
            with suppress(OSError):
                beside = f"{self.path}{suffix}"
                if _identity(beside) == identity:
                    os.unlink(beside)
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

    def _next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def _bury(self, id_: str, column: str) -> None:
        """Make a tombstone of a row; ``column`` says why."""
        self._execute(BURY.format(column=column), (self._next_seq(), self._now, id_))


def _holds(text: str | None, word: str) -> bool:
    """Whether a text holds a word, which is given as ``casefold`` makes it."""
    return text is not None and word in text.casefold()


def _identity(path: Path | str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep out who does the same with this file; where no lock works, nobody is.

    It is not SQLite's lock, and this process loses that one: for files that are given up.

    Raises
    ------
    BlockingIOError
        If another holds it for too long.
    """
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock
    except ImportError:
        # On Windows nobody can rename a file that another has open.
        yield
        return
    # Over NFS only who may write gets an exclusive lock.
    with path.open("rb+", buffering=0) as file:
        end = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                flock(file, LOCK_EX | LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise
                time.sleep(0.01)
            except OSError:
                break
        yield


def _stored_columns(db: sqlite3.Connection) -> str:
    """Return the columns of a notification."""
    return ", ".join(row[1] for row in db.execute("PRAGMA table_info(notifications)"))


def _rows(db: sqlite3.Connection, sql: str, values: Iterable[Any] = ()) -> Iterator[Row]:
    cursor = db.execute(sql, tuple(values))
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _beside(db: sqlite3.Connection) -> Beside:
    """Return what is kept beside the notifications, as far as it can be read."""
    tables: dict[str, dict[Any, Row]] = {}
    for table, (names, order) in BESIDE.items():
        tables[table] = {}
        with suppress(sqlite3.Error):
            for row in _rows(db, f"SELECT * FROM {table} ORDER BY {order}"):
                if table != "welcome" or _is_json(row["content"]):
                    tables[table][tuple(row[name] for name in names)] = row
    welcome, muted_ms = 0, None
    with suppress(sqlite3.Error):
        welcome, muted_ms = db.execute("SELECT welcome, muted_ms FROM state").fetchone()
    return Beside(tables, welcome, muted_ms)


def _is_json(text: Any) -> bool:
    try:
        json.loads(text or "null")
    except (ValueError, TypeError):
        return False
    return True


def _newest(db: sqlite3.Connection) -> list[Row]:
    """Return the newest live rows, and those that must be in sight, as far as they are sound."""
    db.text_factory = lambda raw: raw.decode(errors="replace")
    columns = _stored_columns(db)
    found: dict[str, Row] = {}
    whole = True
    for source in (
        f"notifications NOT INDEXED WHERE {LIVE} ORDER BY position DESC",
        f"notifications WHERE {PINNED} ORDER BY position DESC",
        f"notifications NOT INDEXED WHERE {LIVE} ORDER BY position",
    ):
        try:
            for row in _rows(db, f"SELECT {columns} FROM {source} LIMIT {RESCUED_ROWS}"):
                if _is_sound(row):
                    found.setdefault(row["id"], row)
        except sqlite3.Error:
            whole = False
        if whole and PINNED in source:
            # What lies behind a damage can be reached from the other end only.
            break
    return list(found.values())


def _is_sound(row: Row) -> bool:
    """Whether a row is one that was stored, and not what a damage made of it."""
    values = {**row, HAS_BODY: row["body"] is not None or not row["fetched"]}
    try:
        to_wire(tuple(values[name] for name in COLUMNS.split(", ")))
        json.loads(row["data"] or "null")
    except (sqlite3.DatabaseError, ValueError, TypeError):
        return False
    return all(isinstance(row[name], str) for name in ("id", "source", "type", "message"))


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
