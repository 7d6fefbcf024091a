"""Read a body from a file or from the standard input, whatever is in it."""

from __future__ import annotations

import codecs
import os
import stat
import sys
from typing import BinaryIO

from .errors import BadUsage
from .message import MAX_BODY
from .terminal_text import tail

#: So much of the end is kept: of what takes less as UTF-8 than as it is, more than fits.
KEPT = 4 * MAX_BODY
NOTE = "*Shortened: this is the end of it.*\n\n"


def read_body(path: str, plain: bool) -> str | None:
    """Return the text of a file; of a long one the end, and a note that says so.

    Parameters
    ----------
    path
        The file; ``-`` is the standard input, which is read to its end.
    plain
        Whether it is a program's output: then the note is left to who shows that.

    Raises
    ------
    BadUsage
        If it cannot be read, or never ends.
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
    # A terminal and /dev/null have an end; other devices need not have one.
    endless = stat.S_ISCHR(mode) and not file.isatty() and not os.path.samefile(path, os.devnull)
    if endless or stat.S_ISBLK(mode):
        raise BadUsage(f"The body {path} cannot be read: it is a device.")


def _end_of(file: BinaryIO) -> tuple[bytes, bool]:
    """Return the end of a file, and whether that is all of it."""
    pieces: list[bytes] = []
    size, whole = 0, True
    while piece := file.read(64 * 1024):
        pieces.append(piece)
        size += len(piece)
        while size - len(pieces[0]) > KEPT:
            size -= len(pieces.pop(0))
            whole = False
    return b"".join(pieces), whole


def decode(data: bytes, whole: bool = True) -> str:
    """Return the text that bytes are, in whatever encoding they seem to be.

    Parameters
    ----------
    data
        The bytes.
    whole
        Whether they begin where the text does, and not within a character, perhaps.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if whole and data.startswith(mark):
            return data.decode(encoding, "replace")
    if not whole:
        # The rest of a character whose beginning is left out.
        data = data.lstrip(bytes(range(0x80, 0xC0)))
    text = data.decode("utf-8", "replace")
    if "\ufffd" not in text or any(ord(c) > 127 and c != "\ufffd" for c in text):
        return text
    # No letter beyond ASCII is right as UTF-8: it is of an older encoding.
    return data.decode("cp1252", "replace")
