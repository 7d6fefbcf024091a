"""Open and set up connections to SQLite, and interpret its errors."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress

from .database_file import DatabaseFile, Unusable
from .schema import migrate

#: The oldest version that has ``ON CONFLICT … DO``, which the statements of this package use.
MINIMUM_SQLITE = (3, 24, 0)
#: The maximum size of the log or journal between two transactions, in bytes.
JOURNAL_BYTES = 4 * 1024 * 1024
#: Number of compiled statements that a connection keeps: enough for what messages, frames and lists
#: repeat. The usual 128 would keep those of all migrations too, which never run again.
CACHED_STATEMENTS = 32
#: A file is shortened only if it has this many unused pages and they are a quarter of it, since the
#: next messages can reuse a few. Each time, at most ``SHRINK_BY`` pages are freed.
SHRINK_FROM = 256
SHRINK_BY = 500

#: SQLite's messages about a damaged file, and about a file whose tables do not match its version.
FOREIGN = (
    *("malformed", "no such table", "no such column", "has no column named", "is a view"),
    *("already exists", "duplicate column name", "no such function"),
)

#: The exceptions that opening and using a file can raise.
FAULTS = (sqlite3.Error, OSError, Unusable)


def connect(target: str, timeout_s: float = 0, *, damaged: bool = False) -> sqlite3.Connection:
    """Connect to a file, to ``:memory:``, or to a URI that names a ``damaged`` file."""
    db = sqlite3.connect(
        target,
        timeout=timeout_s,
        isolation_level=None,
        uri=damaged,
        cached_statements=CACHED_STATEMENTS,
    )
    if damaged:
        # Otherwise SQLite does not read a truncated file at all.
        db.execute("PRAGMA writable_schema = ON")
    db.execute("PRAGMA cache_size = -512")
    db.execute("PRAGMA temp_store = MEMORY")
    db.create_function("holds", 2, _holds, deterministic=True)
    return db


def open_file(
    file: DatabaseFile, timeout_s: float, busy_timeout_s: float
) -> tuple[sqlite3.Connection, str]:
    """Open the database file and migrate it; return the connection and the journal mode.

    Parameters
    ----------
    file
        The file.
    timeout_s
        How long to wait for another process's lock now.
    busy_timeout_s
        How long later statements wait for such a lock.

    Raises
    ------
    sqlite3.Error, OSError, Unusable
        If the file cannot be used.
    """
    inode = file.prepare()
    db = connect(str(file.path), timeout_s)
    try:
        is_new = os.stat(file.path).st_size == 0
        if is_new:
            # This must precede the first page; later it would need a copy of the whole file.
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        mode = _set_journal_mode(db, file, is_new, timeout_s)
        db.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
        # Each commit is synced, so an acknowledged message survives a power cut. With a rollback
        # journal FULL is not enough: the journal's directory entry must be synced as well.
        db.execute("PRAGMA synchronous = EXTRA")
        migrate(db, inode, file.path)
        db.execute(f"PRAGMA busy_timeout = {busy_timeout_s * 1000:.0f}")
    except BaseException:
        db.close()
        raise
    return db, "wal" if mode == "wal" else "rollback"


def _set_journal_mode(
    db: sqlite3.Connection, file: DatabaseFile, is_new: bool, timeout_s: float
) -> str:
    """Set the journal mode where that is safe, and return the mode that holds now."""
    if not file.shared and not is_new:
        # On the host that owns the disk the file looks local. Other hosts may have it open in a
        # mode that is incompatible with a write-ahead log, so the mode is left as it is.
        return str(db.execute("PRAGMA journal_mode").fetchone()[0])
    try:
        return _try_journal_mode(db, "delete" if file.shared else "wal", timeout_s)
    except sqlite3.OperationalError:
        if file.shared and db.execute("PRAGMA journal_mode").fetchone() == ("wal",):
            raise Unusable(explain_foreign_log(file)) from None
        raise


def _try_journal_mode(db: sqlite3.Connection, wanted: str, timeout_s: float) -> str:
    """Set the journal mode, waiting for another process that does the same: SQLite does not."""
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


def explain_foreign_log(file: DatabaseFile) -> str:
    """Return why a shared file with a write-ahead log cannot be used."""
    return (
        f"another program keeps a write-ahead log for the database {file.path}, which would "
        "corrupt it on this file system"
    )


def is_corrupt(fault: BaseException) -> bool:
    """Return whether a fault means that the file holds data that this software never wrote."""
    text = str(fault)
    return isinstance(fault, sqlite3.Error) and (
        type(fault) is sqlite3.DatabaseError
        or any(words in text for words in FOREIGN)
        # The only user-defined function is ``holds``, which fails on invalid UTF-8.
        or text.startswith(("Could not decode to UTF-8", "user-defined function"))
    )


def shrink(db: sqlite3.Connection) -> bool:
    """Return some of a file's unused pages to the disk; return whether there are more."""
    (free,) = db.execute("PRAGMA freelist_count").fetchone()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    if free < SHRINK_FROM or free * 4 < pages:
        return False
    # As a script, because ``execute`` would stop after the first page. If another process has
    # locked the file, this waits until the next time.
    with suppress(sqlite3.OperationalError):
        db.executescript(f"PRAGMA incremental_vacuum({SHRINK_BY})")
    (now,) = db.execute("PRAGMA freelist_count").fetchone()
    return bool(now < free)


def measure(db: sqlite3.Connection) -> int:
    """Return how many bytes a database's used pages take."""
    pages, free, size = (
        db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _holds(text: str | None, word: str) -> bool:
    """Return whether a text contains a word, which must be case-folded."""
    return text is not None and word in text.casefold()
