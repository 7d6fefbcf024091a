"""Ports that belong to one server of a test, also while it is restarted."""

from __future__ import annotations

import socket
import weakref

from scripts.ports import free_ports


def reserve_port(owner: object) -> int:
    """Return a free port that is given to nobody else while ``owner`` lives.

    A server that is restarted keeps its port. For the seconds until it listens again, the port
    looks free to the tests that run beside this one, and a server of theirs could take it. So the
    UDP port of the same number is held: one process at a time can have it, until it ends.
    """
    while True:
        (port,) = free_ports(1)
        lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            lock.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        weakref.finalize(owner, lock.close)
        return port
