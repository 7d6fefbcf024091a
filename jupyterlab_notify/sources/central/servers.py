"""Names of the servers that share a home directory, and so a database."""

from __future__ import annotations

import os
import secrets
import socket


def make_owner() -> str:
    """Return a name for this server: its host, its process, and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def has_ended(owner: str) -> bool:
    """Return whether a server is known to have ended, which only its own host can tell."""
    if os.name != "posix":
        return False
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdigit():
        return False
    pid = int(rest)
    if pid == os.getpid():
        # An earlier server with the same process id, as in a container; this one's name differs.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
