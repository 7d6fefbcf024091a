"""Read a body from a file or from standard input, in whatever encoding it has."""

from __future__ import annotations

import os
import stat
import sys
from typing import BinaryIO

from .decoding import decode
from .errors import BadUsage
from .message import MAX_BODY
from .terminal_text import tail

#: How many bytes of a text's end are kept. A text in UTF-16 is smaller as UTF-8, so these are more
#: than a body may have.
KEPT = 4 * MAX_BODY
NOTE = "*Shortened: this is the end of it.*\n\n"


def read_body(path: str, plain: bool) -> str | None:
    """Return the text of a file; if it is too long, a note and the end of it.

    Parameters
    ----------
    path
        The file; ``-`` is standard input, which is read to its end.
    plain
        Whether the text is program output, for which ``fenced`` adds the note.

    Raises
    ------
    BadUsage
        If the file cannot be read or has no end.
    """
    try:
        if path == "-":
            if sys.stdin is None:
                raise BadUsage("There is no standard input to read the body from: it is closed.")
            data, whole = _end_of(sys.stdin.buffer)
        else:
            with open(path, "rb") as file:
                _check_kind(path, file)
                data, whole = _end_of(file)
    except OSError as error:
        raise BadUsage(f"The body {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        if isinstance(error, BadUsage):
            raise
        raise BadUsage(f"The body {path!r} cannot be read: {error}.") from None
    text = decode(data, whole)
    if plain or (whole and len(text.encode()) <= MAX_BODY):
        return text or None
    return NOTE + tail(text, MAX_BODY - len(NOTE))


def _check_kind(path: str, file: BinaryIO) -> None:
    mode = os.fstat(file.fileno()).st_mode
    # A terminal and /dev/null have an end; other devices may not.
    endless = stat.S_ISCHR(mode) and not file.isatty() and not os.path.samefile(path, os.devnull)
    if endless or stat.S_ISBLK(mode):
        raise BadUsage(f"The body {path} cannot be read: it is a device.")


def _end_of(file: BinaryIO) -> tuple[bytes, bool]:
    """Return the end of a file, and whether it is the whole file."""
    pieces: list[bytes] = []
    size, whole = 0, True
    while piece := file.read(64 * 1024):
        pieces.append(piece)
        size += len(piece)
        while size - len(pieces[0]) > KEPT:
            size -= len(pieces.pop(0))
            whole = False
    return b"".join(pieces), whole
