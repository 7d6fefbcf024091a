"""Read files of any kind to their end, also terminals and non-blocking ones."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator


def read_pieces(fd: int) -> Iterator[bytes]:
    """Read a file to its end.

    A terminal comes to its end each time that the user says so, hence no reading ahead.
    """
    while True:
        try:
            piece = os.read(fd, 64 * 1024)
        except BlockingIOError:
            # Another process has made this file non-blocking for all that share it.
            select.select([fd], [], [])
            continue
        if not piece:
            return
        yield piece
