"""The database file and the file system that it lies on, without any SQL.

The engine creates the file here, keeps it private, and checks whether another file has replaced it.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .log_watch import LogWatch

#: Local file systems on which SQLite's write-ahead log works. Everything else (NFS, SMB,
#: Lustre, FUSE …) gets a rollback journal: there, WAL's shared memory is not shared between
#: hosts, and two of them corrupt the file without an error.
WAL_FILE_SYSTEMS = frozenset(
    {
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "reiserfs"),
        *("tmpfs", "ramfs", "overlay"),
    }
)
#: The sidecar files that SQLite keeps beside a database.
SIDECARS = ("-wal", "-shm", "-journal")


class Unusable(Exception):
    """The database file cannot be used; the message says why."""


class Damaged(Unusable):
    """Another program has changed the file or its log while it was in use; the message says how."""


def find_obstacle(path: Path, suffixes: Iterable[str] = SIDECARS) -> str | None:
    """Return what is in the place of one of SQLite's files beside a database and is not a file.

    SQLite cannot open a folder, and would wait for a pipe for ever.
    """
    real = os.path.realpath(path) if os.path.islink(path) else path
    for suffix in suffixes:
        beside = f"{real}{suffix}"
        # Asked once: another process may remove its journal at any moment.
        with suppress(OSError):
            mode = os.lstat(beside).st_mode
            if not stat.S_ISREG(mode) and not (stat.S_ISLNK(mode) and os.path.isfile(beside)):
                return beside
    return None


class DatabaseFile:
    """The database file, its sidecar files and its file system.

    Parameters
    ----------
    path
        The file.
    log
        The server's log.
    """

    def __init__(self, path: Path, log: logging.Logger) -> None:
        self.path = path
        #: True if hosts may share the file, so that a write-ahead log would corrupt it.
        self.shared = True
        #: The corrupt file that was set aside last, if this server has set one aside.
        self.quarantined: Path | None = None
        self._log = log
        #: The device and inode of the file that is open or was last tried.
        self._file: tuple[int, int] | None = None
        #: The sidecar files of the open file: for each suffix, the path at the time of opening, and
        #: the device and inode.
        self._sidecars: dict[str, tuple[str, tuple[int, int]]] = {}
        #: Watches the open file and its log; None if it has no log.
        self._watch: LogWatch | None = None
        #: The files that were logged because other users had access to them.
        self._warned: set[str] = set()

    def prepare(self) -> int:
        """Create the file if it is missing, remember it, and return its inode.

        Raises
        ------
        OSError, Unusable
            If the file cannot be created.
        """
        _make_private(self.path.parent)
        # Created here, because SQLite would make it readable for the whole group. An existing file
        # is not opened: closing it would drop this process's locks on it.
        with suppress(FileExistsError):
            made = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                if os.name != "nt":
                    # Whatever the umask takes away.
                    os.fchmod(made, 0o600)
            finally:
                os.close(made)
        # Remembered before it is opened, so that a replacement in between is noticed later.
        if not self.path.is_file():
            raise Unusable(f"{self.path} is not a file")
        self._keep_private()
        self._open_sidecars()
        self._look_at_folder()
        self._file = _identity(self.path)
        self.check_sidecars(SIDECARS)
        self.shared = file_system(self.path) not in WAL_FILE_SYSTEMS
        return self._file[1]

    def check_sidecars(self, suffixes: Iterable[str]) -> None:
        """Check that SQLite can open the files beside this one, or make them.

        Raises
        ------
        Unusable
            If something else is in the place of one of them.
        """
        if (obstacle := find_obstacle(self.path, suffixes)) is not None:
            raise Unusable(
                f"the database {self.path} cannot be used while {obstacle} is not a file; remove it"
            )

    def _keep_private(self) -> None:
        """Remove all other users' access to the file and its sidecar files."""
        for suffix in ("", *SIDECARS):
            path = self.beside(suffix)
            try:
                # A link may lead to a file of others, or to a device of the whole system.
                status = os.lstat(path)
                mode = stat.S_IMODE(status.st_mode)
                if not stat.S_ISREG(status.st_mode) or not mode & 0o077 or os.name == "nt":
                    continue
                os.chmod(path, mode & ~0o077)
            except FileNotFoundError:
                continue
            except OSError as error:
                outcome = f"that cannot be changed: {error.strerror}"
            else:
                outcome = "from now on only its owner can"
            if path not in self._warned:
                self._warned.add(path)
                self._log.warning(
                    "Others could read or write the notification database %s (its mode was %04o); "
                    "%s.",
                    *(path, mode, outcome),
                )

    def _open_sidecars(self) -> None:
        """Give the owner the rights to the sidecar files that they have to the file.

        SQLite makes them with the file's mode, and could never use them again if the file was
        read-only then.
        """
        if os.name == "nt":
            return
        owner = stat.S_IMODE(os.stat(self.path).st_mode) & 0o600
        for suffix in SIDECARS:
            path = self.beside(suffix)
            # Another user's are left as they are, and named where SQLite cannot use them.
            with suppress(OSError):
                status = os.lstat(path)
                mode = stat.S_IMODE(status.st_mode)
                if stat.S_ISREG(status.st_mode) and owner & ~mode:
                    os.chmod(path, mode | owner)

    def _look_at_folder(self) -> None:
        """Warn if other users could put another file in the place of ours.

        A folder may be shared on purpose, so it stays as it is.
        """
        folder = os.path.dirname(os.path.realpath(self.path))
        status = os.stat(folder)
        if not _may_others_write(status):
            return
        mode = stat.S_IMODE(status.st_mode)
        if folder not in self._warned:
            self._warned.add(folder)
            self._log.warning(
                "Others can replace the notification database, since they can write its folder %s "
                "(its mode is %04o).",
                *(folder, mode),
            )

    def forget(self) -> None:
        """Forget the remembered file, because it is not in use any more."""
        self._file = None

    def remember_sidecars(self) -> None:
        """Remember the sidecar files that SQLite has created on opening the file."""
        self._sidecars = {}
        for suffix in ("-wal", "-shm"):
            with suppress(OSError):
                path = self.beside(suffix)
                self._sidecars[suffix] = path, _identity(path)
        if len(self._sidecars) == 2:
            with suppress(OSError, ImportError):
                self._watch = LogWatch(
                    os.fspath(self.path), *(path for path, _ in self._sidecars.values())
                )

    def note_write(self) -> None:
        """Note that this process has written, so that the next look expects a change."""
        if self._watch is not None:
            self._watch.wrote = True

    def secure_index(self) -> None:
        """Prepare a damaged file for being read or closed by SQLite."""
        if self._watch is not None:
            self._watch.secure_index()

    def begin_anew(self, timeout_s: float) -> None:
        """Make SQLite read the log as the next process would.

        Parameters
        ----------
        timeout_s
            How long to wait for another process that writes the log.
        """
        if self._watch is not None:
            self._watch.begin_anew(timeout_s)

    def end_watch(self) -> None:
        """Stop watching, after SQLite has closed the file."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def remove_sidecars(self) -> None:
        """Remove the sidecar files, unless they belong to another database by now."""
        for path, identity in self._sidecars.values():
            with suppress(OSError):
                if _identity(path) == identity:
                    os.unlink(path)

    def beside(self, suffix: str) -> str:
        """Return the path of a sidecar file: beside the linked file, if the path is a link."""
        path = os.path.realpath(self.path) if os.path.islink(self.path) else self.path
        return f"{path}{suffix}"

    def is_replaced(self) -> bool:
        """Return whether the remembered file was replaced by another one, or removed."""
        if self._file is None:
            return False
        try:
            return _identity(self.path) != self._file
        except FileNotFoundError:
            return True
        except OSError:
            # Unknown; see ``is_lost``.
            return False

    def is_lost(self, *, has_log: bool) -> bool:
        """Return whether the next process would not find what is written now.

        That is so if the file or its log was replaced or removed. What is committed lies in the
        write-ahead log for a while, and SQLite looks for it beside the file, and deletes it if the
        file is empty. This also makes the file private again if somebody has changed that while it
        is open.

        It is called twice with each batch, so it asks the system as little as possible: over NFS
        each question may be a request.

        Parameters
        ----------
        has_log
            Whether a write-ahead log is in use.

        Raises
        ------
        OSError
            If that is unknown: the file's folder was replaced by a file or by a link that leads
            in a circle. What is written then might never be found.
        Damaged
            If another program has changed the file or its log in place.
        """
        if self._file is None:
            return False
        path = os.fspath(self.path)
        if self._watch is not None and self._watch.wrote:
            self._watch.prepare()
        try:
            status = os.lstat(path)
            is_link = stat.S_ISLNK(status.st_mode)
            if is_link:
                status = os.stat(path)
        except FileNotFoundError:
            return True
        if status.st_mode & 0o077:
            self._keep_private()
        if (status.st_dev, status.st_ino) != self._file:
            return True
        if not has_log or "-wal" not in self._sidecars:
            return False
        if status.st_size == 0:
            if self._watch is not None:
                raise Damaged("it was emptied")
            return True
        # If the path is a link, the log lies beside the linked file.
        file = os.path.realpath(path) if is_link else path
        sidecars = []
        try:
            for suffix, (_, identity) in self._sidecars.items():
                sidecar = os.stat(file + suffix)
                if (sidecar.st_dev, sidecar.st_ino) != identity:
                    return True
                if sidecar.st_mode & 0o077:
                    self._keep_private()
                sidecars.append(sidecar)
        except OSError:
            return True
        if self._watch is not None and (damage := self._watch.find_damage(status, *sidecars)):
            raise Damaged(damage)
        return False

    def fingerprint(self) -> tuple[int, ...] | None:
        """Return a value that changes whenever the file is written; None if there is no file."""
        with suppress(OSError):
            status = os.stat(self.path)
            return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
        return None


def _may_others_write(folder: os.stat_result) -> bool:
    """Return whether anybody but its owner can put files in a folder, or its owner is another."""
    mode = folder.st_mode
    # In a sticky folder, as `/tmp` is, nobody can replace the files of others.
    if os.name == "nt" or mode & stat.S_ISVTX:
        return False
    if folder.st_uid not in (0, os.geteuid()) or mode & stat.S_IWOTH:
        return True
    return bool(mode & stat.S_IWGRP) and not _is_of_one(folder)


def _is_of_one(folder: os.stat_result) -> bool:
    """Return whether a folder's group is its owner alone.

    Many systems give each user a group of the same name, which may write what the user makes.
    """
    try:
        from grp import getgrgid
        from pwd import getpwuid

        group, owner = getgrgid(folder.st_gid), getpwuid(folder.st_uid).pw_name
    except (ImportError, KeyError):
        # Containers often have a user without a name.
        return folder.st_gid == folder.st_uid
    return group.gr_name == owner and set(group.gr_mem) <= {owner}


def _make_private(folder: Path) -> None:
    """Create a folder and its missing parents, for this user alone.

    ``mkdir(parents=True)`` would leave the parents to the umask, and others could rename what is
    in them.
    """
    if not folder.parent.exists():
        _make_private(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        # Whatever the umask takes away, so that files can be made in it.
        folder.chmod(0o700)


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
        # Blanks and backslashes are escaped as octal numbers.
        point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), left.split(" ")[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        # Of several mounts on the same point, the last one is visible.
        if inside and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return kind


def _identity(path: Path | str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino
