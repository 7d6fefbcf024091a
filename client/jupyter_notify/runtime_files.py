"""The servers that have told of themselves in Jupyter's runtime directory.

A file that another user may have written could name a server of theirs, which would then receive
our token. So the directory, each file and each socket must be ours or root's, and no other user
may be able to write them. None is read that is not a small, regular file.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

if sys.platform != "win32":
    import grp
    import pwd

from .processes import is_here, is_ours, listens
from .server_url import bracketed, quoted
from .target import Target

#: What a server that listens everywhere says of itself, and where it is reached.
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}
#: A server writes some 500 bytes about itself.
MAX_FILE = 64 * 1024
#: How many files are looked at: the newest.
MAX_FILES = 1000


@dataclass(frozen=True)
class RunningServer:
    """A server that has told of itself in Jupyter's runtime directory."""

    pid: int
    target: Target
    #: What it calls itself, which its terminals know too.
    own_url: str
    base_url: str
    has_password: bool


class _Ignored(Exception):
    """A file is not used; the text says why, for a user who misses its server."""


def runtime_dir(env: Mapping[str, str]) -> Path:
    """Return the directory in which servers tell of themselves."""
    given = env.get("JUPYTER_RUNTIME_DIR")
    if given:
        return Path(given)
    # It takes some 20 ms, and every server tells its kernels and terminals the directory.
    paths = _jupyter_core_paths()
    if paths is None:
        return _default_data_dir(env) / "runtime"
    return Path(paths.jupyter_runtime_dir())


@cache
def _jupyter_core_paths() -> ModuleType | None:
    """Import what knows Jupyter's directories, if it is installed.

    Once: the thread that sends must not import, nor try to.
    """
    try:
        from jupyter_core import paths
    except ImportError:
        return None
    return paths


def _default_data_dir(env: Mapping[str, str]) -> Path:
    """Return Jupyter's data directory as ``jupyter_core`` does, which is not installed here."""
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
    """Return the servers of this user that run on this machine, and why others were left out.

    Parameters
    ----------
    env
        The environment that names the directory.
    """
    found: list[RunningServer] = []
    ignored: list[str] = []
    try:
        directory = runtime_dir(env)
    except (OSError, RuntimeError):
        # There is no home directory.
        return found, ignored
    try:
        with _Directory(directory) as opened:
            for name in opened.names():
                try:
                    server = _server(opened.read(name))
                except _Ignored as error:
                    ignored.append(f"Not used: {directory / name}, since {error}.")
                    continue
                if server is not None:
                    found.append(server)
    except _Ignored as error:
        ignored.append(f"Not used: {directory}, since {error}.")
    return found, ignored


class _Directory:
    """The runtime directory, held open, so that it stays the one that was checked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def __enter__(self) -> _Directory:
        if sys.platform == "win32":
            return self
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            # There is none: no server has run here.
            return self
        try:
            check_owner(os.fstat(self._fd))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def names(self) -> list[str]:
        """Return the names of the servers' files."""
        try:
            names = os.listdir(self._path if self._fd is None else self._fd)
        except OSError:
            return []
        names = [n for n in names if n.startswith("jpserver-") and n.endswith(".json")]
        return sorted(names)[-MAX_FILES:]

    def read(self, name: str) -> bytes:
        """Return what a file holds; nothing if it is gone or not readable.

        Raises
        ------
        _Ignored
            If another user may have written it, or if it is no file of a server.
        """
        try:
            fd = self._open(name)
        except OSError:
            return b""
        try:
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode):
                raise _Ignored("it is no file")
            if about.st_size > MAX_FILE:
                raise _Ignored("it is too large")
            check_owner(about)
            return os.read(fd, MAX_FILE)
        except OSError:
            return b""
        finally:
            os.close(fd)

    def _open(self, name: str) -> int:
        if sys.platform == "win32":
            return os.open(self._path / name, os.O_RDONLY)
        # No link is followed, and a FIFO does not block.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(name, flags, dir_fd=self._fd)


def check_owner(about: os.stat_result) -> None:
    """Make sure that no other user, root aside, can have written something.

    Raises
    ------
    _Ignored
        If one can.
    """
    if sys.platform == "win32":
        return
    if about.st_uid not in (0, os.geteuid()):
        raise _Ignored("another user owns it")
    # In a sticky directory others can add files, but not exchange ours.
    if about.st_mode & stat.S_IWOTH and not about.st_mode & stat.S_ISVTX:
        raise _Ignored("others can write it")
    if about.st_mode & stat.S_IWGRP and _group_has_others(about.st_gid):
        raise _Ignored("others of its group can write it")


def _group_has_others(group: int) -> bool:
    """Whether other users are in a group.

    Volumes of Kubernetes are writable for a group that only the user is in, as are the files of
    users who have a group each.
    """
    if group == 0:
        # Root's own; containers of OpenShift give it to their user.
        return False
    ours = {0, os.geteuid()}
    if any(user.pw_gid == group and user.pw_uid not in ours for user in pwd.getpwall()):
        return True
    names = {user.pw_name for user in pwd.getpwall() if user.pw_uid in ours}
    try:
        return bool(set(grp.getgrgid(group).gr_mem) - names)
    except KeyError:
        # It has no name, and so no members.
        return False


# What a file says


def _server(content: bytes) -> RunningServer | None:
    """Return the server that a file tells of, if it runs here."""
    try:
        info = json.loads(content)
    except (ValueError, RecursionError):
        # Half written.
        return None
    if not isinstance(info, dict):
        return None
    pid, port = _whole(info.get("pid"), 2**31), _whole(info.get("port"), 2**16)
    if pid is None or port is None or not isinstance(info.get("hostname"), str):
        return None
    base_url = _text(info, "base_url")
    # Anything else could make another host of it.
    if not base_url.startswith("/") or any(c in base_url for c in "?#\\"):
        return None
    unix_socket = _text(info, "sock") or None
    host = _text(info, "hostname")
    host = EVERYWHERE.get(host, host)
    if not is_ours(pid):
        return None
    if unix_socket is not None:
        _check_socket(unix_socket)
        where = "localhost"
    elif any(c in host for c in "/@?#[]\\ ") or not is_here(host) or listens(pid, port) is False:
        # Of another machine that shares the home directory, or left by one that is gone.
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


def _whole(value: Any, end: int) -> int | None:
    """Return a whole number below an end; None for anything else."""
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < end
    return value if whole else None


def _text(info: dict[str, Any], name: str) -> str:
    """Return a text of a file; none where it is something else or has control characters."""
    value = info.get(name)
    return value if isinstance(value, str) and not any(ord(c) < 32 for c in value) else ""


def _check_socket(path: str) -> None:
    """Make sure that nobody else can have put a socket there.

    Its directory may be sticky, as ``/tmp`` is: others cannot exchange what is ours in it. Who
    listens on it is asked again once it is connected.
    """
    try:
        about = os.lstat(path)
        folder = os.stat(os.path.dirname(path) or ".")
    except OSError:
        raise _Ignored("its socket is gone") from None
    if not stat.S_ISSOCK(about.st_mode):
        raise _Ignored("what it names is no socket")
    for one, name in ((about, "its socket"), (folder, "its socket's directory")):
        try:
            check_owner(one)
        except _Ignored as error:
            raise _Ignored(f"{str(error).replace(' it', f' {name}')}") from None
