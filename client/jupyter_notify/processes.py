"""Ask the system about processes: which started which, and which listens on a port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .server_url import LOOPBACK


def ancestors(pid: int) -> Iterator[int]:
    """Return the ids of a process's ancestors, the parent first."""
    if sys.platform == "win32":
        return
    parents: dict[int, int] | None = None
    seen = {0, 1}
    while pid not in seen:
        seen.add(pid)
        try:
            # The command's name stands in brackets and may itself hold brackets.
            stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
            pid = int(stat.rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            if parents is None:
                parents = _parents()
            pid = parents.get(pid, 0)
        yield pid


def _parents() -> dict[int, int]:
    """Return each process's parent, where there is no ``/proc``."""
    try:
        listing = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, timeout=5
        ).stdout
        return {int(pid): int(parent) for pid, parent in map(str.split, listing.splitlines())}
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}


def is_ours(pid: int) -> bool:
    """Return whether a process is alive and belongs to this user."""
    if sys.platform == "win32":
        # On Windows, os.kill with signal 0 would end the process.
        return True
    try:
        os.kill(pid, 0)
    except OSError:
        # The process is gone, or belongs to another user.
        return False
    return True


def is_here(host: str) -> bool:
    """Return whether a host is this machine."""
    if host in LOOPBACK:
        return True
    try:
        family, _, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as one:
            one.bind(address)
    except (OSError, UnicodeError):
        # There is no such name, or there cannot be one.
        return False
    return True


def listening_ports(pid: int) -> frozenset[int] | None:
    """Return the ports on which a process listens; None where the system does not say.

    A home directory that several machines share lists the servers of all of them. A process id
    from another machine may belong to an unrelated process here.
    """
    try:
        held = {_link(one) for one in list(Path(f"/proc/{pid}/fd").iterdir())}
        tables = [Path(f"/proc/{pid}/net/{name}") for name in ("tcp", "tcp6")]
        lines = [line for table in tables if table.exists() for line in _lines(table)]
    except PermissionError:
        # Another user's process.
        return frozenset()
    except OSError:
        return None
    # Columns 1, 3 and 9: local address, state (0A means listening), inode.
    sockets = (columns for columns in map(str.split, lines) if columns[3] == "0A")
    return frozenset(
        int(columns[1].rpartition(":")[2], 16)
        for columns in sockets
        if f"socket:[{columns[9]}]" in held
    )


def _link(path: Path) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:
        # The file was closed in the meantime.
        return ""


def _lines(table: Path) -> list[str]:
    return table.read_text().splitlines()[1:]
