"""Real faults of a database's place, each a context in which it is there."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

Fault = Callable[[Path], AbstractContextManager[None]]

HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def mount(*arguments: str | Path) -> None:
    """Mount, or skip the test where that is not allowed."""
    program = shutil.which("mount")
    if program is None:
        pytest.skip("mounting needs the mount command")
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")


def unmount(path: Path) -> None:
    """Undo ``mount``."""
    subprocess.run(["umount", "--lazy", path], check=True, capture_output=True)


@contextmanager
def small_disk(path: Path, size: str = "1m") -> Iterator[Path]:
    """Mount a small file system at ``path``."""
    path.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={size},mode=0700", "jupyterlab_notify_test", path)
    try:
        yield path
    finally:
        unmount(path)


@contextmanager
def read_only(database: Path) -> Iterator[None]:
    """Make the database's folder read-only: for root by a mount, for others by its mode."""
    folder = database.parent
    if os.geteuid() != 0:
        files = [folder, *folder.iterdir()]
        modes = [file.stat().st_mode for file in files]
        for file in reversed(files):
            file.chmod(0o500 if file.is_dir() else 0o400)
        try:
            yield
        finally:
            for file, mode in zip(files, modes, strict=True):
                file.chmod(mode)
        return
    mount("--bind", folder, folder)
    try:
        mount("-o", "remount,bind,ro", folder)
        yield
    finally:
        unmount(folder)


@contextmanager
def mounted(database: Path) -> Iterator[None]:
    """Make the file a mount of its own, as a container's may be: it can be written, not renamed."""
    mount("--bind", database, database)
    try:
        yield
    finally:
        unmount(database)


@contextmanager
def disk_full(database: Path) -> Iterator[None]:
    """Fill its small disk to the last byte; see ``small_disk``."""
    filler = database.parent / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def no_growth(database: Path) -> Iterator[None]:
    """Let no file of this process grow: a full disk, where mounting one is not permitted."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Let another process hold the database's lock."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", HOLD, database],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.stdin.close()


@contextmanager
def newer_schema(database: Path) -> Iterator[None]:
    """Mark the database as written by a later version."""

    def set_version(number: int) -> None:
        db = sqlite3.connect(database)
        db.execute(f"PRAGMA user_version = {number}")
        db.close()

    db = sqlite3.connect(database)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.close()
    set_version(version + 98)
    try:
        yield
    finally:
        set_version(version)


@contextmanager
def a_folder_in_its_place(database: Path) -> Iterator[None]:
    """Put a folder in the place of the database."""
    aside = database.with_name("aside")
    database.rename(aside)
    database.mkdir()
    try:
        yield
    finally:
        database.rmdir()
        aside.rename(database)


@contextmanager
def a_file_for_a_folder(database: Path) -> Iterator[None]:
    """Put a file in the place of the database's folder, so that the folder cannot be made."""
    folder = database.parent
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


def checkpoint(database: Path) -> None:
    """Write all of the log back into the file, so that damaging the file has an effect."""
    db = sqlite3.connect(database)
    assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    db.close()


def overwrite(database: Path, offset: int, data: bytes) -> None:
    """Write into the file behind SQLite's back."""
    with database.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def content(path: Path) -> bytes:
    """Return the bytes of a file."""
    return path.read_bytes()
