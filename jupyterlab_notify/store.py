"""The store: one SQLite file with every notification, its state and its ``seq``.

Synchronous, without asyncio and HTTP; one thread owns it (``worker``). It answers with
dictionaries in the shape of ``models.Notification``: pydantic would cost an idle server
7 MB to say what a test says as well.

Every change gives its row the next ``seq``. Rows that were revoked or have expired stay as
tombstones without content, so that a tab which was away learns of it; retention deletes
them, and remembers in ``pruned`` up to which ``seq`` a cursor has missed something.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

__all__ = [
    "Conflict",
    "Cursor",
    "NotFound",
    "Query",
    "Refusal",
    "Retention",
    "Store",
]

T = TypeVar("T")
Row = dict[str, Any]

#: Numbered from 1, in order; each brings the schema from the version before to its number.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch TEXT NOT NULL,
        inode INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        pruned INTEGER NOT NULL,
        inbox INTEGER NOT NULL,
        unread INTEGER NOT NULL,
        dismissed INTEGER NOT NULL,
        tombstones INTEGER NOT NULL
    );
    CREATE TABLE notifications (
        position INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        seq INTEGER NOT NULL UNIQUE,
        source TEXT NOT NULL,
        key TEXT,
        type TEXT NOT NULL,
        message TEXT NOT NULL,
        markdown INTEGER NOT NULL,
        body TEXT,
        auto_close TEXT,
        actions TEXT NOT NULL,
        progress REAL,
        banner INTEGER NOT NULL,
        dismissable INTEGER NOT NULL,
        data TEXT,
        created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL,
        expires_ms INTEGER,
        read_ms INTEGER,
        dismissed_ms INTEGER,
        revoked_ms INTEGER,
        expired_ms INTEGER,
        view TEXT GENERATED ALWAYS AS (
            CASE
                WHEN revoked_ms IS NOT NULL OR expired_ms IS NOT NULL THEN 'tombstone'
                WHEN dismissed_ms IS NOT NULL THEN 'dismissed'
                WHEN read_ms IS NOT NULL THEN 'read'
                ELSE 'unread'
            END
        ) VIRTUAL
    );
    CREATE INDEX inbox ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL;
    CREATE INDEX unread ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL
        AND read_ms IS NULL;
    CREATE INDEX dismissed ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NOT NULL;
    CREATE INDEX pinned ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL
        AND (banner = 1 OR (read_ms IS NULL AND (auto_close = 'false' OR type = 'in-progress')));
    CREATE UNIQUE INDEX by_key ON notifications (source, key)
        WHERE key IS NOT NULL AND revoked_ms IS NULL AND expired_ms IS NULL;
    CREATE INDEX keys ON notifications (key) WHERE key IS NOT NULL;
    CREATE INDEX expiring ON notifications (expires_ms)
        WHERE expires_ms IS NOT NULL AND revoked_ms IS NULL AND expired_ms IS NULL;
    CREATE INDEX tombstones ON notifications (seq)
        WHERE revoked_ms IS NOT NULL OR expired_ms IS NOT NULL;
    CREATE TRIGGER count_insert AFTER INSERT ON notifications BEGIN
        UPDATE state SET
            inbox = inbox + (NEW.view IN ('read', 'unread')),
            unread = unread + (NEW.view = 'unread'),
            dismissed = dismissed + (NEW.view = 'dismissed'),
            tombstones = tombstones + (NEW.view = 'tombstone');
    END;
    CREATE TRIGGER count_delete AFTER DELETE ON notifications BEGIN
        UPDATE state SET
            inbox = inbox - (OLD.view IN ('read', 'unread')),
            unread = unread - (OLD.view = 'unread'),
            dismissed = dismissed - (OLD.view = 'dismissed'),
            tombstones = tombstones - (OLD.view = 'tombstone');
    END;
    CREATE TRIGGER count_update AFTER UPDATE ON notifications WHEN OLD.view <> NEW.view BEGIN
        UPDATE state SET
            inbox = inbox + (NEW.view IN ('read', 'unread')) - (OLD.view IN ('read', 'unread')),
            unread = unread + (NEW.view = 'unread') - (OLD.view = 'unread'),
            dismissed = dismissed + (NEW.view = 'dismissed') - (OLD.view = 'dismissed'),
            tombstones = tombstones + (NEW.view = 'tombstone') - (OLD.view = 'tombstone');
    END;
    """,
)

SCHEMA_VERSION = len(MIGRATIONS)

LIVE = "revoked_ms IS NULL AND expired_ms IS NULL"
INBOX = f"{LIVE} AND dismissed_ms IS NULL"
UNREAD = f"{INBOX} AND read_ms IS NULL"
DISMISSED = f"{LIVE} AND dismissed_ms IS NOT NULL"
PINNED = (
    f"{INBOX} AND (banner = 1 OR (read_ms IS NULL AND "
    "(auto_close = 'false' OR type = 'in-progress')))"
)
VIEWS = {"inbox": INBOX, "unread": UNREAD, "dismissed": DISMISSED}

#: What lists and streams carry: all but the texts that only an opened message shows.
COLUMNS = (
    "id, seq, position, source, key, type, message, markdown, body IS NOT NULL, auto_close, "
    "actions, progress, banner, dismissable, created_ms, updated_ms, expires_ms, read_ms, "
    "dismissed_ms, revoked_ms, expired_ms"
)
#: What a sender says, and what therefore makes two messages the same.
CONTENT = (
    "type", "message", "markdown", "body", "auto_close", "actions", "progress", "banner",
    "dismissable", "data",
)  # fmt: skip
SELECT = f"SELECT {COLUMNS} FROM notifications"
INSERT = """
    INSERT INTO notifications (
        id, seq, position, source, key, type, message, markdown, body, auto_close, actions,
        progress, banner, dismissable, data, created_ms, updated_ms, expires_ms, expired_ms
    ) VALUES (
        :id, :seq, :seq, :source, :key, :type, :message, :markdown, :body, :auto_close, :actions,
        :progress, :banner, :dismissable, :data, :now, :now, :expires_ms, :expired_ms
    )"""
REPLACE = """
    UPDATE notifications SET
        seq = :seq, type = :type, message = :message, markdown = :markdown, body = :body,
        auto_close = :auto_close, actions = :actions, progress = :progress, banner = :banner,
        dismissable = :dismissable, data = :data, expires_ms = :expires_ms,
        expired_ms = :expired_ms
    WHERE id = :id"""
ANNOUNCE = """
    UPDATE notifications SET position = seq, updated_ms = ?, read_ms = NULL, dismissed_ms = NULL
    WHERE id = ?"""
#: A tombstone keeps nothing of what was said.
BURY = """
    UPDATE notifications SET
        seq = ?, {column} = ?, key = NULL, message = '', body = NULL, data = NULL, actions = '[]',
        progress = NULL
    WHERE id = ?"""

#: Local file systems on which SQLite's write-ahead log works. Everything else (NFS, SMB,
#: Lustre, FUSE …) gets a rollback journal: there, WAL's shared memory is not shared between
#: hosts, and two of them corrupt the file without an error.
WAL_FILE_SYSTEMS = frozenset(
    {
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "reiserfs"),
        *("tmpfs", "ramfs", "overlay", "apfs", "hfs"),
    }
)
#: The same message under the same key again within this time is a sender's retry.
RETRY_WINDOW_MS = 600_000
#: How many rows a snapshot carries, and a memory store takes over from a failing file.
SNAPSHOT_ROWS = 50
PINNED_ROWS = 50
RESCUED_ROWS = 1000
#: From so many changed rows on, a tab gets a snapshot instead.
MAX_CHANGES = 500
#: How long to wait before the store's place is tried again, in seconds.
HEAL_INTERVAL_S = 10.0
#: How often a batch is tried again, each time after the file's place was taken by another.
MAX_FAULTS = 4
#: How long another process may hold the file's lock, in seconds.
BUSY_TIMEOUT_S = 5.0
#: How long tombstones stay, in milliseconds, and how often retention looks.
TOMBSTONE_MS = 86_400_000
PRUNE_INTERVAL_S = 3600.0
PRUNE_CHUNK = 2000


class Refusal(Exception):
    """The present state does not allow a request; its text is a sentence for the sender."""


class NotFound(Refusal):
    """There is no such notification."""


class Conflict(Refusal):
    """There is, but it does not allow this."""


class _NewerSchema(Exception):
    """The file was written by a later version of this software."""


class _Failed(Exception):
    """An operation failed by its own fault, maybe halfway."""

    def __init__(self, call: Callable[[], Any], error: Exception) -> None:
        super().__init__(str(error))
        self.call, self.error = call, error


class _Place(Exception):
    """The store's place cannot be used; the text says why."""


@dataclass(frozen=True)
class Cursor:
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


@dataclass(frozen=True)
class Query:
    """Which rows a page is made of; every part that is given must hold."""

    view: str = "inbox"
    types: tuple[str, ...] = ()
    source: str = ""
    text: str = ""
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True)
class Retention:
    """What is kept: so many days, and at most so many notifications; 0 means no bound."""

    days: float = 90
    count: int = 10_000


def new_id(now_ms: int) -> str:
    """Return a ULID: 48 bits of time, 80 random ones, in Crockford's base 32."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = (now_ms << 80) | secrets.randbits(80)
    return "".join(alphabet[(number >> shift) & 31] for shift in range(125, -1, -5))


def rfc3339(ms: int | None) -> str | None:
    """Return milliseconds since 1970 as an RFC 3339 time in UTC."""
    if ms is None:
        return None
    # A datetime of years past 9999 cannot be made; no such time is let in.
    stamp = datetime.fromtimestamp(ms / 1000, timezone.utc)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def to_wire(row: tuple[Any, ...]) -> Row:
    """Return a row of ``COLUMNS`` in the shape of ``models.Notification``."""
    return {
        "id": row[0],
        "seq": row[1],
        "position": row[2],
        "source": row[3],
        "key": row[4],
        "type": row[5],
        "message": row[6],
        "markdown": bool(row[7]),
        "hasBody": bool(row[8]),
        "autoClose": None if row[9] is None else json.loads(row[9]),
        "actions": json.loads(row[10]),
        "progress": row[11],
        "banner": bool(row[12]),
        "dismissable": bool(row[13]),
        "created": rfc3339(row[14]),
        "updated": rfc3339(row[15]),
        "expiresAt": rfc3339(row[16]),
        "read": rfc3339(row[17]),
        "dismissed": rfc3339(row[18]),
        "revoked": rfc3339(row[19]),
        "expired": rfc3339(row[20]),
    }


def file_system(path: Path) -> str:
    """Return the type of the file system that ``path`` lies on, or "" where unknown."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text()
    except OSError:
        return "" if sys.platform.startswith("linux") else "apfs"
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        point = left.split()[4].encode().decode("unicode_escape")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        # Of mounts on the same point the last one is what is seen.
        if inside and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return kind


class Store:
    """Notifications in a SQLite file, or in memory while its place cannot be used.

    Every method must be called from one and the same thread. Only ``run`` handles faults
    of the file; the methods that read and change rows are called from inside it.

    Parameters
    ----------
    path
        The database file; its folder is made if it is missing. None keeps everything in
        memory, which counts as not durable.
    retention
        What is kept.
    log
        Where the administrator looks; each fault is said there once.
    clock
        Milliseconds since 1970.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        retention: Retention | None = None,
        log: logging.Logger | None = None,
        clock: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self.path = path
        self.retention = retention or Retention()
        self.mode = "memory"
        self.problem: str | None = None
        self.epoch = ""
        self.seq = 0
        self.pruned = 0
        self._log = log or logging.getLogger(__name__)
        self._clock = clock
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._rescued_seq = 0
        self._heal_at = 0.0
        self._prune_at = 0.0
        self._now = 0

    @property
    def durable(self) -> bool:
        """Whether what is committed survives the process."""
        return self.mode != "memory"

    # Opening, failing and healing

    def open(self) -> None:
        """Open the file, or memory if it cannot be used; never raises for the file's sake."""
        try:
            self._open_file()
        except (sqlite3.Error, OSError, _NewerSchema, _Place) as fault:
            self._fault(fault)

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None

    def _open_file(self) -> None:
        if self.path is None:
            raise _Place("no place is configured for the database")
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made here, because SQLite would make it readable by the whole group.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        db = self._connect(str(self.path))
        try:
            kind = file_system(self.path)
            wanted = "wal" if kind in WAL_FILE_SYSTEMS else "delete"
            (mode,) = db.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
            # FULL syncs each commit: a message that was answered survives a power cut too.
            db.execute("PRAGMA synchronous = FULL")
            self._migrate(db, os.stat(self.path).st_ino)
        except BaseException:
            db.close()
            raise
        self.close()
        self._db = db
        self.mode = "wal" if mode == "wal" else "rollback"
        stat = os.stat(self.path)
        self._file = (stat.st_dev, stat.st_ino)
        self._load_state()

    def _connect(self, target: str, uri: bool = False) -> sqlite3.Connection:
        db = sqlite3.connect(target, timeout=BUSY_TIMEOUT_S, isolation_level=None, uri=uri)
        db.execute("PRAGMA cache_size = -512")
        db.execute("PRAGMA temp_store = MEMORY")
        db.create_function("fold", 1, lambda s: (s or "").casefold(), deterministic=True)
        return db

    def _migrate(self, db: sqlite3.Connection, inode: int, epoch: str | None = None) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise _NewerSchema(
                f"was written by a newer version (its schema is {version}, "
                f"this version knows {SCHEMA_VERSION})"
            )
        # Taken even if there is nothing to migrate: it shows that the file can be written.
        db.execute("BEGIN IMMEDIATE")
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            for number in range(version, SCHEMA_VERSION):
                for statement in _statements(MIGRATIONS[number]):
                    db.execute(statement)
            if version < SCHEMA_VERSION:
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            new = epoch or secrets.token_hex(8)
            db.execute(
                "INSERT OR IGNORE INTO state VALUES (1, ?, ?, 0, 0, 0, 0, 0, 0)", (new, inode)
            )
            # Another inode is another file: copied, or restored from a backup. Cursors given
            # before may name sequence numbers that it gives again.
            db.execute(
                "UPDATE state SET epoch = ?, inode = ? WHERE inode <> ?", (new, inode, inode)
            )
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            raise

    def _load_state(self) -> None:
        self.epoch, self.seq, self.pruned = self._execute(
            "SELECT epoch, seq, pruned FROM state"
        ).fetchone()

    def _fault(self, fault: Exception) -> None:
        """Go on without the file after ``fault``: with a new one, or in memory."""
        text = str(fault)
        if type(fault) is sqlite3.DatabaseError or "malformed" in text:
            aside = self._set_aside()
            if aside is not None:
                self._log.warning(
                    "The notification database %s was corrupt (%s). It was set aside as %s and "
                    "a new one is begun.",
                    self.path,
                    text,
                    aside,
                )
                if self._db is None:
                    self.open()
                else:
                    self._heal_at = 0.0
                return
        if isinstance(fault, _Place):
            problem = text
        elif isinstance(fault, _NewerSchema):
            problem = f"the database {self.path} {text}"
        elif isinstance(fault, OSError):
            problem = f"the database {self.path} cannot be opened: {fault.strerror}"
        else:
            problem = f"the database {self.path} cannot be used: {text}"
        self._to_memory(problem)

    def _set_aside(self) -> Path | None:
        """Give a corrupt file another name, and return that; None where it cannot be done."""
        if self.path is None:
            return None
        if self._file is not None:
            self.close()
            self._file = None
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        aside = self.path.with_name(f"{self.path.name}.corrupt-{stamp}-{secrets.token_hex(2)}")
        try:
            os.replace(self.path, aside)
            for suffix in ("-wal", "-shm", "-journal"):
                with suppress(FileNotFoundError):
                    os.replace(f"{self.path}{suffix}", f"{aside}{suffix}")
        except OSError as error:
            self._log.debug("Setting a corrupt database aside failed: %s", error)
            return None
        return aside

    def _to_memory(self, problem: str) -> None:
        """Keep messages in memory, with the newest of what the file had."""
        self._heal_at = time.monotonic() + HEAL_INTERVAL_S
        if self._db is not None and self.mode == "memory":
            # Still broken. Said again only if it is broken in another way.
            if problem != self.problem:
                self._log.warning("Notifications are still kept in memory only: %s.", problem)
            self.problem = problem
            return
        rescued, epoch, seq, pruned = self._rescue()
        self.close()
        memory = self._connect(":memory:")
        self._migrate(memory, 0, epoch)
        memory.execute("UPDATE state SET seq = ?, pruned = ?", (seq, pruned))
        for names, values in rescued:
            marks = ", ".join("?" * len(names))
            memory.execute(
                f"INSERT OR IGNORE INTO notifications ({', '.join(names)}) VALUES ({marks})",
                values,
            )
        self._db = memory
        self._file = None
        self._rescued_seq = seq
        self.mode = "memory"
        self.problem = problem
        self._load_state()
        self._log.warning(
            "Notifications are kept in memory only and will be lost when this server stops: %s. "
            "It is tried again by itself.",
            problem,
        )

    def _rescue(
        self,
    ) -> tuple[list[tuple[list[str], tuple[Any, ...]]], str | None, int, int]:
        """Read the newest rows of a file that cannot be written any more, if it can be read."""
        for open_again in (False, True):
            db = self._db
            try:
                if open_again:
                    if self.path is None or not self.path.exists():
                        break
                    db = self._connect(f"{self.path.absolute().as_uri()}?immutable=1", uri=True)
                elif db is None or self.mode == "memory":
                    continue
                if db.in_transaction:
                    db.execute("ROLLBACK")
                if db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                    break
                epoch, seq = db.execute("SELECT epoch, seq FROM state").fetchone()
                rows = []
                for where in (LIVE, PINNED):
                    found = db.execute(
                        f"SELECT {', '.join(_stored_columns(db))} FROM notifications "
                        f"WHERE {where} ORDER BY position DESC LIMIT {RESCUED_ROWS}"
                    )
                    names = [d[0] for d in found.description]
                    rows += [(names, row) for row in found]
                # Cursors from before may be asked for rows that were left behind.
                return rows, epoch, seq, seq
            except (sqlite3.Error, OSError):
                continue
            finally:
                if open_again and db is not None:
                    db.close()
        return [], None, 0, 0

    def _heal(self) -> None:
        """Try the file again, and carry over what came in meanwhile."""
        memory, problem, epoch = self._db, self.problem, self.epoch
        assert memory is not None
        rescued_seq, memory_seq = self._rescued_seq, self.seq
        self._db = None
        try:
            self._open_file()
            names = _stored_columns(memory)
            rows = memory.execute(
                f"SELECT {', '.join(names)} FROM notifications WHERE seq > ? ORDER BY seq",
                (rescued_seq,),
            ).fetchall()
            with self._transaction(write=True):
                self.seq = max(self.seq, memory_seq)
                for values in rows:
                    self._carry_over(dict(zip(names, values, strict=True)), rescued_seq)
                # Tabs know the memory's numbers: whatever their cursor, they begin anew.
                self.pruned = self._next_seq()
        except (sqlite3.Error, OSError, _NewerSchema, _Place) as fault:
            self.close()
            self._db, self.mode, self.problem = memory, "memory", problem
            self.epoch, self.seq = epoch, memory_seq
            self._rescued_seq = rescued_seq
            self._load_state()
            self._fault(fault)
            return
        memory.close()
        self.problem = None
        self._log.info(
            "The notification database %s works again; what came in meanwhile is stored.",
            self.path,
        )

    def _carry_over(self, row: Row, rescued_seq: int) -> None:
        row["seq"] = self._next_seq()
        if row["position"] > rescued_seq:
            row["position"] = row["seq"]
        if row["key"] is not None and row["revoked_ms"] is None and row["expired_ms"] is None:
            for (other,) in self._execute(
                f"SELECT id FROM notifications WHERE source = ? AND key = ? AND id <> ? AND {LIVE}",
                (row["source"], row["key"], row["id"]),
            ).fetchall():
                self._bury(other, "revoked_ms")
        self._execute("DELETE FROM notifications WHERE id = ?", (row["id"],))
        columns = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        self._execute(f"INSERT INTO notifications ({columns}) VALUES ({marks})", row)

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
        failed: dict[Callable[[], T], Exception] = {}
        if self._db is None:
            self.open()
        if self.mode == "memory" and self.path is not None and time.monotonic() >= self._heal_at:
            self._heal()
        faults = 0
        while faults < MAX_FAULTS:
            try:
                if self._replaced():
                    self._reopen()
                self._now = self._clock()
                write = any(w for _, w in pending) or self._expiry_due()
                with self._transaction(write=write):
                    if write:
                        self._expire()
                    results = [
                        failed[call] if call in failed else self._one(call) for call, _ in pending
                    ]
                if write and self._replaced():
                    # The file was taken away under the commit: what was written is not there.
                    faults += 1
                    continue
                break
            except _Failed as failure:
                # The others begin again without it. A savepoint for each would cost them more.
                failed[failure.call] = failure.error
            except (sqlite3.Error, OSError) as fault:
                faults += 1
                self._fault(fault)
        else:
            raise RuntimeError("The store fails again and again.")
        if write:
            try:
                self._prune_if_due()
            except (sqlite3.Error, OSError) as fault:
                self._fault(fault)
        return results

    def _one(self, call: Callable[[], T]) -> T | Exception:
        try:
            return call()
        except Refusal as refusal:
            # Raised before anything is changed.
            return refusal
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError) as error:
            raise _Failed(call, error) from error
        except sqlite3.Error:
            raise
        except Exception as error:
            raise _Failed(call, error) from error

    def _execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        assert self._db is not None
        return self._db.execute(sql, values)

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[None]:
        self._execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            last = self.seq
            self._load_state()
            if write and self.seq < last and self._file is not None:
                # The file went back in time (a backup copied over it): another epoch.
                self.epoch = secrets.token_hex(8)
                self._execute("UPDATE state SET epoch = ?", (self.epoch,))
            before = (self.seq, self.pruned)
            yield
            if before != (self.seq, self.pruned):
                self._execute("UPDATE state SET seq = ?, pruned = ?", (self.seq, self.pruned))
            self._execute("COMMIT")
        except BaseException:
            assert self._db is not None
            if self._db.in_transaction:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            raise

    def _replaced(self) -> bool:
        """Whether another file, or none, lies where the open one was."""
        if self._file is None or self.path is None:
            return False
        try:
            stat = os.stat(self.path)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return (stat.st_dev, stat.st_ino) != self._file

    def _reopen(self) -> None:
        self._log.warning(
            "The notification database %s was deleted or replaced; what lies there now is used.",
            self.path,
        )
        self.close()
        self.open()

    def _next_seq(self) -> int:
        self.seq += 1
        return self.seq

    # Reading

    def cursor(self) -> Cursor:
        """Return how far the store has come."""
        return Cursor(self.epoch, self.seq)

    def counts(self) -> dict[str, int]:
        """Return how many notifications there are, in the shape of ``models.Counts``."""
        inbox, unread, dismissed = self._execute(
            "SELECT inbox, unread, dismissed FROM state"
        ).fetchone()
        return {"inbox": inbox, "unread": unread, "dismissed": dismissed}

    def page(self, query: Query) -> Row:
        """Return a page of the list, in the shape of ``models.Page``."""
        where = [VIEWS[query.view]]
        values: list[Any] = []
        if query.types:
            where.append(f"type IN ({', '.join('?' * len(query.types))})")
            values += query.types
        if query.source:
            where.append("instr(fold(source), ?)")
            values.append(query.source.casefold())
        for word in query.text.split():
            where.append(
                "(instr(fold(message), ?) OR instr(fold(source), ?) OR instr(fold(body), ?))"
            )
            values += [word.casefold()] * 3
        if query.before is not None:
            where.append("position < ?")
            values.append(query.before)
        rows = self._execute(
            f"{SELECT} WHERE {' AND '.join(where)} ORDER BY position DESC LIMIT ?",
            (*values, query.limit + 1),
        ).fetchall()
        found = [to_wire(row) for row in rows[: query.limit]]
        return {
            "notifications": found,
            "next": found[-1]["position"] if len(rows) > query.limit else None,
            "counts": self.counts(),
            "cursor": str(self.cursor()),
        }

    def detail(self, id_: str) -> Row:
        """Return one notification whole, in the shape of ``models.NotificationDetail``."""
        row = self._execute(f"{SELECT} WHERE id = ? AND {LIVE}", (id_,)).fetchone()
        if row is None:
            raise NotFound(
                f"There is no notification {id_!r}, or it was taken back or has expired."
            )
        body, data = self._execute(
            "SELECT body, data FROM notifications WHERE id = ?", (id_,)
        ).fetchone()
        return {**to_wire(row), "body": body, "data": None if data is None else json.loads(data)}

    def frame(self, since: Cursor | None) -> Row:
        """Return what a tab at ``since`` must learn: changes, or a snapshot.

        A snapshot is for a tab without a cursor, or whose cursor is of another epoch, of
        the future, or so old that rows it knows may have been deleted, or that much changed.
        """
        head: Row = {
            "cursor": str(self.cursor()),
            "counts": self.counts(),
            "durable": self.durable,
        }
        if since is not None and since.epoch == self.epoch and self.pruned <= since.seq <= self.seq:
            rows = self._execute(
                f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", (since.seq, MAX_CHANGES + 1)
            ).fetchall()
            if len(rows) <= MAX_CHANGES:
                return {"type": "changes", **head, "notifications": [to_wire(r) for r in rows]}
        newest = [
            to_wire(row)
            for row in self._execute(
                f"{SELECT} WHERE {INBOX} ORDER BY position DESC LIMIT {SNAPSHOT_ROWS}"
            )
        ]
        pinned: list[Row] = []
        if len(newest) == SNAPSHOT_ROWS:
            pinned = [
                to_wire(row)
                for row in self._execute(
                    f"{SELECT} WHERE {PINNED} AND position < ? "
                    f"ORDER BY position DESC LIMIT {PINNED_ROWS}",
                    (newest[-1]["position"],),
                )
            ]
        return {"type": "snapshot", **head, "notifications": newest, "pinned": pinned}

    def status(self) -> Row:
        """Return the state of the store, in the shape of ``models.StoreStatus``."""
        size = 0
        if self.durable:
            for suffix in ("", "-wal"):
                with suppress(OSError):
                    size += os.stat(f"{self.path}{suffix}").st_size
        return {
            "path": None if self.path is None else str(self.path),
            "mode": self.mode,
            "durable": self.durable,
            "problem": self.problem,
            "epoch": self.epoch,
            "seq": self.seq,
            "size": size,
        }

    # Changing

    def receive(self, message: Row) -> tuple[str, int]:
        """Store a message, or replace the one with its source's key.

        Parameters
        ----------
        message
            The columns ``CONTENT``, and ``source``, ``key``, ``expires_ms``.

        Returns
        -------
        tuple
            The notification's id and the ``seq`` of this change.
        """
        now = self._now
        values = dict(message, now=now, expired_ms=None)
        if values["expires_ms"] is not None and values["expires_ms"] <= now:
            values["expired_ms"] = now
        if values["key"] is not None:
            known = self._execute(
                f"SELECT id, seq, updated_ms, expires_ms, {', '.join(CONTENT)} FROM notifications "
                f"WHERE source = ? AND key = ? AND {LIVE}",
                (values["source"], values["key"]),
            ).fetchone()
            if known is not None:
                return self._replace(known, values)
        values["id"] = new_id(now)
        values["seq"] = self._next_seq()
        self._execute(INSERT, values)
        if values["expired_ms"] is not None:
            self._bury(values["id"], "expired_ms")
        return values["id"], self.seq

    def _replace(self, known: tuple[Any, ...], values: Row) -> tuple[str, int]:
        id_, seq, updated_ms, expires_ms, *content = known
        same = content == [values[name] for name in CONTENT]
        retry = same and values["now"] - updated_ms < RETRY_WINDOW_MS
        if retry and expires_ms == values["expires_ms"]:
            return id_, seq
        # A step of a progress moves a bar; it does not call for the person again.
        quiet = retry or (content[0] == values["type"] == "in-progress")
        values.update(id=id_, seq=self._next_seq())
        self._execute(REPLACE, values)
        if not quiet:
            self._execute(ANNOUNCE, (values["now"], id_))
        if values["expired_ms"] is not None:
            self._bury(id_, "expired_ms")
        return id_, self.seq

    def revoke(self, id_or_key: str, source: str, *, any_source: bool) -> tuple[str, int]:
        """Take a notification back.

        Parameters
        ----------
        id_or_key
            Its id, or its key.
        source
            Whose key is meant.
        any_source
            Whether a key of just one other source will do.
        """
        found = self._execute(
            f"SELECT id FROM notifications WHERE id = ? AND {LIVE}", (id_or_key,)
        ).fetchall()
        if not found:
            by_key = self._execute(
                f"SELECT id, source FROM notifications WHERE key = ? AND {LIVE}", (id_or_key,)
            ).fetchall()
            found = [(i,) for i, s in by_key if s == source]
            if not found and any_source:
                if len(by_key) > 1:
                    raise Conflict(
                        f"Several sources use the key {id_or_key!r}: name one with ?source=."
                    )
                found = [(i,) for i, _ in by_key]
        if not found:
            raise NotFound(f"There is no notification with the id or key {id_or_key!r}.")
        id_ = found[0][0]
        self._bury(id_, "revoked_ms")
        return id_, self.seq

    def _bury(self, id_: str, column: str) -> None:
        self._execute(BURY.format(column=column), (self._next_seq(), self._now, id_))

    def change_one(self, id_: str, read: bool | None, dismissed: bool | None) -> Row:
        """Change the state of one; in the shape of ``models.Changed``."""
        row = self._execute(
            f"SELECT dismissable FROM notifications WHERE id = ? AND {LIVE}", (id_,)
        ).fetchone()
        if row is None:
            raise NotFound(
                f"There is no notification {id_!r}, or it was taken back or has expired."
            )
        if dismissed and not row[0]:
            raise Conflict("This notification cannot be dismissed: its sender does not allow it.")
        return self._change(f"id = ? AND {LIVE}", (id_,), read, dismissed)

    def change_many(
        self,
        *,
        ids: list[str] | None = None,
        seqs: tuple[int, int] | None = None,
        read: bool | None,
        dismissed: bool | None,
    ) -> Row:
        """Change the state of those with ``ids``, of a range of ``seqs``, or of the inbox.

        Ids that are unknown and notifications that cannot be dismissed are passed over.
        """
        if ids is not None:
            # One parameter, however many ids: an old SQLite takes 999.
            where = f"id IN (SELECT value FROM json_each(?)) AND {LIVE}"
            return self._change(where, (json.dumps(ids),), read, dismissed)
        if seqs is not None:
            return self._change(f"seq BETWEEN ? AND ? AND {LIVE}", seqs, read, dismissed)
        return self._change(INBOX, (), read, dismissed)

    def _change(
        self, where: str, values: Iterable[Any], read: bool | None, dismissed: bool | None
    ) -> Row:
        wanted = []
        sets = []
        for column, on, extra in (
            ("read_ms", read, ""),
            ("dismissed_ms", dismissed, " AND dismissable"),
        ):
            if on is None:
                continue
            wanted.append(f"({column} IS NULL{extra})" if on else f"({column} IS NOT NULL)")
            # What has the state already keeps the time at which it got it.
            if on:
                guard = f"{column} IS NULL{extra}"
                sets.append(f"{column} = CASE WHEN {guard} THEN {self._now} ELSE {column} END")
            else:
                sets.append(f"{column} = NULL")
        ids = self._execute(
            f"SELECT id FROM notifications WHERE {where} AND ({' OR '.join(wanted)}) "
            "ORDER BY position",
            tuple(values),
        ).fetchall()
        first = self.seq + 1
        update = f"UPDATE notifications SET seq = ?, {', '.join(sets)} WHERE id = ?"
        for (id_,) in ids:
            self._execute(update, (self._next_seq(), id_))
        return {
            "changed": len(ids),
            "seqs": [first, self.seq] if ids else None,
            "cursor": str(self.cursor()),
        }

    def _expiry_due(self) -> bool:
        (due,) = self._execute(
            f"SELECT min(expires_ms) FROM notifications WHERE expires_ms IS NOT NULL AND {LIVE}"
        ).fetchone()
        return due is not None and due <= self._now

    def _expire(self) -> None:
        due = self._execute(
            f"SELECT id FROM notifications WHERE expires_ms <= ? AND {LIVE}", (self._now,)
        ).fetchall()
        for (id_,) in due:
            self._bury(id_, "expired_ms")

    # Retention

    def _prune_if_due(self) -> None:
        inbox, dismissed, tombstones = self._execute(
            "SELECT inbox, dismissed, tombstones FROM state"
        ).fetchone()
        keep = self.retention.count
        # A tenth more than is kept, so that not every message deletes another.
        crowded = keep and inbox + dismissed + tombstones > keep + max(keep // 10, 1)
        if crowded or time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + PRUNE_INTERVAL_S
            self.prune()

    def prune(self) -> int:
        """Delete what retention does not keep; return how many rows that were."""
        where = [f"SELECT id FROM notifications WHERE NOT ({LIVE}) AND updated_ms < {{tomb}}"]
        if self.retention.days > 0:
            where.append("SELECT id FROM notifications WHERE updated_ms < {age}")
        if self.retention.count > 0:
            where.append(
                "SELECT id FROM (SELECT id FROM notifications ORDER BY position DESC "
                f"LIMIT -1 OFFSET {self.retention.count})"
            )
        union = " UNION ".join(where).format(
            tomb=self._now - TOMBSTONE_MS,
            age=self._now - int(self.retention.days * 86_400_000),
        )
        gone = 0
        while True:
            with self._transaction(write=True):
                ids = self._execute(f"{union} LIMIT {PRUNE_CHUNK}").fetchall()
                if ids:
                    assert self._db is not None
                    self._db.executemany("DELETE FROM notifications WHERE id = ?", ids)
                    self.pruned = self._next_seq()
            gone += len(ids)
            if len(ids) < PRUNE_CHUNK:
                return gone


def _statements(script: str) -> Iterator[str]:
    """Split a script into statements, triggers whole; ``executescript`` would commit first."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _stored_columns(db: sqlite3.Connection) -> list[str]:
    """Return the columns that hold something, without the generated ones."""
    return [row[1] for row in db.execute("PRAGMA table_info(notifications)")]
