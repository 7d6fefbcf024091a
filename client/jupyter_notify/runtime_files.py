"""Read the files in Jupyter's runtime directory, in which running servers describe themselves.

A file written by another user could name a server of theirs, which would then receive our token.
So the directory, each file and each socket must belong to this user or to root, and no other user
may have write permission. Only small, regular files are read.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

if sys.platform != "win32":
    import grp
    import pwd

from .decoding import encodable
from .errors import Unreachable
from .processes import is_here, is_ours, listening_ports
from .server_url import bracketed, is_base, quoted
from .target import Target

#: The addresses that mean every interface, and the loopback address to use instead.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}
#: The largest file that is read; a server writes some 500 bytes.
MAX_FILE = 64 * 1024
#: The maximum number of files that are read.
MAX_FILES = 1000


@dataclass(frozen=True)
class RunningServer:
    """A running server, as its file describes it."""

    pid: int
    target: Target
    #: The server's own URL, which its terminals have in ``JUPYTER_SERVER_URL``.
    own_url: str
    base_url: str
    has_password: bool


class _Ignored(Exception):
    """A file is ignored; the message says why, for a user who misses its server."""


def runtime_dir(env: Mapping[str, str]) -> Path:
    """Return the directory in which running servers write their files."""
    directory = env.get("JUPYTER_RUNTIME_DIR")
    if directory:
        return Path(directory)
    # Ask ``jupyter_core`` last, since that takes some 20 ms; servers set the variable for their
    # kernels and terminals.
    paths = _jupyter_core_paths()
    if paths is None:
        return _default_data_dir(env) / "runtime"
    return Path(paths.jupyter_runtime_dir())


@cache
def _jupyter_core_paths() -> ModuleType | None:
    """Import ``jupyter_core.paths``, if it is installed.

    The result is cached, because the background thread must not even try to import.
    """
    try:
        from jupyter_core import paths
    except ImportError:
        return None
    return paths


def _default_data_dir(env: Mapping[str, str]) -> Path:
    """Return Jupyter's data directory as ``jupyter_core`` would, where that is not installed."""
    if env.get("JUPYTER_DATA_DIR"):
        return Path(env["JUPYTER_DATA_DIR"])
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Jupyter"
    if sys.platform == "win32":
        roaming = env.get("APPDATA")
        return Path(roaming) / "jupyter" if roaming else home / ".jupyter" / "data"
    return Path(env.get("XDG_DATA_HOME") or home / ".local" / "share") / "jupyter"


def running_servers(env: Mapping[str, str] = os.environ) -> tuple[list[RunningServer], list[str]]:
    """Return this user's servers on this machine, and a sentence for each file that was ignored.

    Parameters
    ----------
    env
        The environment variables.
    """
    found: list[RunningServer] = []
    ignored: list[str] = []
    # Look up the ports of each process only once, since there may be a thousand files.
    ports = cache(listening_ports)
    try:
        directory = runtime_dir(env)
    except (OSError, RuntimeError):
        # The user has no home directory.
        return found, ignored
    try:
        with _Directory(directory) as opened:
            for name in opened.names():
                try:
                    server = _server(opened.read(name), ports)
                except _Ignored as error:
                    ignored.append(f"Ignored {directory / name}: {error}.")
                    continue
                if server is not None:
                    found.append(server)
    except _Ignored as error:
        ignored.append(f"Ignored {directory}: {error}.")
    return found, ignored


class _Directory:
    """The runtime directory, kept open so that it cannot be replaced after the check."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def __enter__(self) -> _Directory:
        if sys.platform == "win32":
            return self
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            # There is no directory: no server has ever run here.
            return self
        except OSError as error:
            _raise_if_short(error)
            raise _Ignored((error.strerror or "it cannot be read").lower()) from None
        try:
            check_owner(os.fstat(self._fd), self._fd)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def names(self) -> list[str]:
        """Return the names of the servers' files, those of servers that may run here first.

        In a sticky directory others can add any number of files, and a server that is killed
        leaves its own. None of these must hide a server that runs.
        """
        try:
            names = os.listdir(self._path if self._fd is None else self._fd)
        except OSError as error:
            _raise_if_short(error)
            return []
        names = [n for n in names if n.startswith("jpserver-") and n.endswith(".json")]
        names.sort()
        if len(names) > 1:
            names.sort(key=lambda name: (self._is_of_another(name), not _may_run(name)))
        return names[:MAX_FILES]

    def _is_of_another(self, name: str) -> bool:
        if sys.platform == "win32":
            return False
        try:
            about = os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        except OSError:
            return True
        return about.st_uid not in (0, os.geteuid())

    def read(self, name: str) -> bytes:
        """Return a file's content; nothing if it is gone or not readable.

        Raises
        ------
        _Ignored
            If another user may have written the file, or it is not a small, regular file.
        """
        try:
            fd = self._open(name)
        except OSError as error:
            _raise_if_short(error)
            return b""
        try:
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode):
                raise _Ignored("it is not a regular file")
            if about.st_size > MAX_FILE:
                raise _Ignored("it is too large")
            check_owner(about, fd)
            return os.read(fd, MAX_FILE)
        except OSError:
            return b""
        finally:
            os.close(fd)

    def _open(self, name: str) -> int:
        if sys.platform == "win32":
            return os.open(self._path / name, os.O_RDONLY)
        # Links are not followed, and opening a FIFO does not block.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(name, flags, dir_fd=self._fd)


def _may_run(name: str) -> bool:
    """Return whether the process that a file's name tells is one of this user's that runs."""
    pid = name.removeprefix("jpserver-").removesuffix(".json")
    if not (pid.isascii() and pid.isdigit() and len(pid) <= 10):
        return False
    return 0 < int(pid) < 2**31 and is_ours(int(pid))


#: The errors if the process or the system may open no more files, or has no memory for another.
SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def _raise_if_short(error: OSError) -> None:
    """Raise ``Unreachable`` if the system lacks the means to look for servers: one may exist."""
    if error.errno in SHORT:
        raise Unreachable(
            f"Jupyter servers cannot be looked for: {(error.strerror or '').lower()}."
        ) from None


def check_owner(about: os.stat_result, where: int | str, name: str = "it") -> None:
    """Check that no other user except root can have written something.

    Parameters
    ----------
    about
        Its status.
    where
        Its descriptor or path, for its access list.
    name
        What to call it in the error.

    Raises
    ------
    _Ignored
        If another user can have written it.
    """
    if sys.platform == "win32":
        return
    if about.st_uid not in (0, os.geteuid()):
        raise _Ignored(f"another user owns {name}")
    # In a sticky directory other users can add files, but cannot replace ours.
    if about.st_mode & stat.S_IWOTH and not about.st_mode & stat.S_ISVTX:
        raise _Ignored(f"other users can write {name}")
    if not about.st_mode & stat.S_IWGRP:
        # Without write permission for the group, an access list lets nobody else write either.
        return
    if _group_has_others(about.st_gid):
        raise _Ignored(f"other users of its group can write {name}")
    if any(map(_is_other, _writers(where))):
        raise _Ignored(f"other users can write {name} by its access list")


#: Linux's format of an access list: a version, then entries of kind, permissions, user or group.
ACL, ACL_HEADER, ACL_ENTRY = "system.posix_acl_access", 4, struct.Struct("<HHI")
ACL_USER, ACL_GROUP, ACL_WRITE = 2, 8, 2


def _writers(where: int | str) -> list[tuple[int, int]]:
    """Return the users and groups, each with its kind, that an access list lets write."""
    if not hasattr(os, "getxattr"):
        return []
    try:
        entries = os.getxattr(where, ACL)[ACL_HEADER:]
    except OSError:
        # There is no access list.
        return []
    whole = entries[: len(entries) - len(entries) % ACL_ENTRY.size]
    return [(kind, who) for kind, may, who in ACL_ENTRY.iter_unpack(whole) if may & ACL_WRITE]


def _is_other(writer: tuple[int, int]) -> bool:
    kind, who = writer
    if kind == ACL_USER:
        return who not in (0, os.geteuid())
    return kind == ACL_GROUP and _group_has_others(who)


def _group_has_others(group: int) -> bool:
    """Return whether a group has other members.

    A volume in Kubernetes is often writable by a group that only this user is in. So are a user's
    files on a system where each user has a group of their own.
    """
    if group == 0:
        # Root's group; OpenShift runs its containers in it.
        return False
    ours = {0, os.geteuid()}
    if any(user.pw_gid == group and user.pw_uid not in ours for user in pwd.getpwall()):
        return True
    names = {user.pw_name for user in pwd.getpwall() if user.pw_uid in ours}
    try:
        return bool(set(grp.getgrgid(group).gr_mem) - names)
    except KeyError:
        # The group has no entry, so nobody else is in it.
        return False


# Reading a file's content


def _server(content: bytes, ports: Callable[[int], frozenset[int] | None]) -> RunningServer | None:
    """Return the server that a file describes, if it runs on this machine.

    Parameters
    ----------
    content
        The file's content.
    ports
        Returns the ports on which a process listens; None where the system does not say.
    """
    try:
        info = json.loads(content)
    except (ValueError, RecursionError):
        # The file may be half written.
        return None
    if not isinstance(info, dict):
        return None
    pid, port = _whole(info.get("pid"), 2**31), _whole(info.get("port"), 2**16)
    # A signal to process 0 would go to our own process group.
    if not pid or port is None or not isinstance(info.get("hostname"), str):
        return None
    base_url = _text(info, "base_url")
    if not is_base(base_url):
        return None
    unix_socket = _text(info, "sock") or None
    host = _text(info, "hostname")
    host = EVERYWHERE.get(host, host)
    if not is_ours(pid):
        return None
    if unix_socket is not None:
        _check_socket(unix_socket)
        where = "localhost"
    elif any(c in host for c in "/@?#[]\\ ") or not is_here(host) or not _listens(ports(pid), port):
        # The server runs on another machine that shares the home directory, or has ended.
        return None
    else:
        where = f"{bracketed(host)}:{port}"
    scheme = "https" if info.get("secure") else "http"
    return RunningServer(
        pid=pid,
        target=Target(
            url=f"{scheme}://{where}{quoted(base_url)}",
            token=_text(info, "token") or None,
            unix_socket=unix_socket,
            local=True,
            root_dir=_text(info, "root_dir") or None,
        ),
        own_url=_text(info, "url"),
        base_url=base_url,
        has_password=bool(info.get("password")),
    )


def _listens(ports: frozenset[int] | None, port: int) -> bool:
    """Return whether a port is among those of a process, or whether these are unknown."""
    return ports is None or port in ports


def _whole(value: Any, end: int) -> int | None:
    """Return a whole number from 0 to below ``end``; None for anything else."""
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < end
    return value if whole else None


def _text(info: dict[str, Any], name: str) -> str:
    """Return a text field; empty if it is not text, or has control characters or surrogates."""
    value = info.get(name)
    if not isinstance(value, str) or any(ord(c) < 32 for c in value) or encodable(value) != value:
        return ""
    return value


def _check_socket(path: str) -> None:
    """Check that no other user can have created a socket.

    Its directory may be sticky, as ``/tmp`` is, where other users cannot replace our files. Who
    listens on the socket is checked again once it is connected.
    """
    try:
        about = os.lstat(path)
        folder = os.stat(os.path.dirname(path) or ".")
    except OSError:
        raise _Ignored("its socket is gone") from None
    if not stat.S_ISSOCK(about.st_mode):
        raise _Ignored("its socket is not a socket")
    check_owner(about, path, "its socket")
    check_owner(folder, os.path.dirname(path) or ".", "its socket's directory")
