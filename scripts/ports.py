"""Free ports for programs that demonstrations and tests start."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress


def free_ports(count: int) -> list[int]:
    """Return different ports on which no program listens.

    They are outside of the range from which the system assigns ports: until the caller's program
    listens, which takes seconds, the system could assign such a port to another program.
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
