"""What to do about a fault of the database file: find its cause, explain it, set the file aside.

The engine imports this before its first operation: once a process has no free file descriptors, it
can import nothing.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from .connection import connect, is_corrupt
from .database_file import SIDECARS, Damaged, DatabaseFile, Unusable

#: Number of quarantined files that are kept.
KEPT_COPIES = 2
#: Free bytes below which, after a failure, a disk counts as full.
LITTLE_SPACE = 65_536
#: What SQLite says of a damaged file, and of one of which it could not read the beginning.
UNREADABLE = ("disk image is malformed", "not a database")


def find_cause(fault: Exception, file: DatabaseFile | None) -> Exception:
    """Return a fault, or that of the disk for which SQLite took the file for corrupt."""
    if file is None or not is_corrupt(fault) or file.is_replaced():
        return fault
    try:
        read_through(file.path)
    except FileNotFoundError:
        return fault
    except OSError as error:
        return error
    if any(words in str(fault) for words in UNREADABLE) and is_sound(file.path):
        return sqlite3.OperationalError("it could not be read for a moment")
    return fault


def read_through(path: Path) -> None:
    """Read the whole file, which must be given up then: this drops SQLite's locks on it.

    Raises
    ------
    OSError
        If the disk cannot be read. To SQLite the file may look corrupt then.
    """
    with path.open("rb", buffering=0) as file:
        while file.read(1_048_576):
            pass


def is_sound(path: Path) -> bool:
    """Return whether a file has no fault."""
    try:
        with closing(connect(str(path))) as db:
            check_integrity(db)
    except sqlite3.Error:
        return False
    return True


def check_integrity(db: sqlite3.Connection) -> None:
    """Read all of a file.

    Raises
    ------
    sqlite3.DatabaseError
        If it is corrupt.
    """
    (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"malformed: {found}")


def explain(fault: Exception, file: DatabaseFile | None) -> str:
    """Return a sentence that tells an administrator why a file is not in use."""
    if isinstance(fault, Unusable) and not isinstance(fault, Damaged):
        return str(fault)
    assert file is not None
    if isinstance(fault, Damaged):
        return f"another program has changed the database {file.path} ({fault})"
    if isinstance(fault, OSError):
        where = "" if fault.filename is None else f" ({fault.filename})"
        return f"the database {file.path} cannot be opened: {fault.strerror}{where}"
    return f"the database {file.path} cannot be used: {_find_reason(file, str(fault))}"


def _find_reason(file: DatabaseFile, text: str) -> str:
    """Return the likely cause of "unable to open database file" and "disk I/O error"."""
    with suppress(OSError):
        folder = file.path.parent
        beside = (Path(file.beside(suffix)) for suffix in SIDECARS)
        for place in (folder, file.path, *beside):
            if place.exists() and not os.access(place, os.R_OK | os.W_OK):
                return f"{place} cannot be written or read ({text})"
        disk = os.statvfs(folder)
        if disk.f_bavail * disk.f_frsize < LITTLE_SPACE:
            return f"the disk is full ({text})"
    return text


def quarantine(file: DatabaseFile, timeout_s: float, log: logging.Logger) -> Path | None:
    """Rename a corrupt file and return its new name; None if that is impossible.

    The file is renamed before it is closed, so that SQLite does not change it or its log. If
    another server was faster, the new file that it has created stays.

    Parameters
    ----------
    file
        The file.
    timeout_s
        How long to wait for another server that does the same.
    log
        The server's log.
    """
    if file.is_replaced():
        return None
    path = file.path
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.corrupt-{stamp}-{os.urandom(2).hex()}")
    try:
        with _locked(path, timeout_s), ExitStack() as back:
            # Over NFS, a host may see the folder as it was some seconds ago. Creating a file in it
            # refreshes that view.
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            back.callback(os.unlink, target)
            if file.is_replaced():
                return None
            # The file itself comes last: once it is gone, sidecar files may be a new file's.
            for suffix in SIDECARS:
                with suppress(FileNotFoundError):
                    here, there = f"{path}{suffix}", f"{target}{suffix}"
                    os.replace(here, there)
                    back.callback(os.replace, there, here)
            os.replace(path, target)
            back.pop_all()
        _delete_old_copies(path)
    except OSError as error:
        log.debug("Quarantining a corrupt database failed: %s", error)
        return None
    file.quarantined = target
    return target


def _delete_old_copies(path: Path) -> None:
    """Delete all but the newest quarantined files, since each may be large."""
    ours = re.compile(re.escape(path.name) + r"\.corrupt-\d{8}T\d{6}Z-[0-9a-f]{4}")
    with suppress(OSError):
        copies = sorted(name for name in os.listdir(path.parent) if ours.fullmatch(name))
        for name in copies[:-KEPT_COPIES]:
            for suffix in (*SIDECARS, ""):
                with suppress(FileNotFoundError):
                    os.unlink(path.with_name(name + suffix))


@contextmanager
def _locked(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold an exclusive lock; go on without one where the file system has none.

    The lock is not SQLite's, and taking it makes this process lose SQLite's lock. So use it only
    for files that are given up.

    Raises
    ------
    BlockingIOError
        If another process holds the lock for longer than the timeout.
    """
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock
    except ImportError:
        # On Windows no process can rename a file that another has open.
        yield
        return
    # Over NFS an exclusive lock needs write access.
    with path.open("rb+", buffering=0) as file:
        end = time.monotonic() + timeout_s
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
