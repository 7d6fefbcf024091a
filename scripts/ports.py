"""Free ports for programs that demonstrations and tests start."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, each another.

    They are none that the system gives to whoever wants any: until a program listens, which takes
    seconds, it could give them to another.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = 10_000 + secrets.randbelow(10_000)
        with socket.socket() as one, suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", port))
            if port not in ports:
                ports.append(port)
    return ports
