"""Read a body from a file or from standard input, in whatever encoding it has."""

from __future__ import annotations

import os
import stat
import sys

from .decoding import START, decode
from .errors import BadUsage
from .message import MAX_BODY
from .reading import read_pieces
from .terminal_text import plain_output, tail
from .values import is_blank

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
            text, whole = _end_of(sys.stdin.fileno(), path)
        else:
            with open(path, "rb", buffering=0) as file:
                text, whole = _end_of(file.fileno(), path)
    except OSError as error:
        raise BadUsage(f"The body {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        if isinstance(error, BadUsage):
            raise
        raise BadUsage(f"The body {path!r} cannot be read: {error}.") from None
    if plain:
        return text or None
    # In Markdown they mean nothing, and each takes six bytes of the request.
    text = text if _is_clean(text) else plain_output(text)
    if is_blank(text):
        return None
    if whole and len(text.encode()) <= MAX_BODY:
        return text
    return NOTE + tail(text, MAX_BODY - len(NOTE))


def _is_clean(text: str) -> bool:
    return not any(c < " " and c not in "\t\n\r" for c in set(text))


def _end_of(fd: int, path: str) -> tuple[str, bool]:
    """Return the end of a file, and whether it is the whole file."""
    about = os.fstat(fd)
    _check_kind(fd, path, about)
    start, data, size = b"", bytearray(), 0
    for piece in read_pieces(fd):
        start += piece[: START - len(start)]
        data += piece
        size += len(piece)
        if size == len(piece) and stat.S_ISREG(about.st_mode):
            skipped = _skip_to_the_end(fd, about.st_size)
            if skipped:
                size += skipped
                data.clear()
        if len(data) > 2 * KEPT:
            del data[:-KEPT]
    end = bytes(data[-KEPT:])
    return decode(end, size - len(end), start), size == len(end)


def _skip_to_the_end(fd: int, size: int) -> int:
    """Skip what will not be kept of a file that can be of any size; return how much that is."""
    skipped = size - os.lseek(fd, 0, os.SEEK_CUR) - KEPT
    if skipped <= 0:
        return 0
    os.lseek(fd, skipped, os.SEEK_CUR)
    return skipped


def _check_kind(fd: int, path: str, about: os.stat_result) -> None:
    # A terminal and /dev/null have an end; other devices may not.
    endless = stat.S_ISCHR(about.st_mode) and not os.isatty(fd)
    endless = endless and not os.path.samestat(about, os.stat(os.devnull))
    if endless or stat.S_ISBLK(about.st_mode):
        raise BadUsage(f"The body {path} cannot be read: it is a device.")
