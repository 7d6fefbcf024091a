"""Decode texts from programs and the system, whatever their encoding is."""

from __future__ import annotations

import codecs
import re

#: The marks with which a text begins, their encodings, and the bytes of a unit of each.
MARKS = (
    (codecs.BOM_UTF8, "utf-8", 1),
    (codecs.BOM_UTF32_LE, "utf-32-le", 4),
    (codecs.BOM_UTF32_BE, "utf-32-be", 4),
    (codecs.BOM_UTF16_LE, "utf-16-le", 2),
    (codecs.BOM_UTF16_BE, "utf-16-be", 2),
)
#: Bytes of a text's beginning that its encoding is told by.
START = 1024
#: A character as UTF-16 writes it, in two halves.
PAIRS = re.compile("[\ud800-\udbff][\udc00-\udfff]")
#: The surrogates with which Python keeps bytes of a name or an argument that it cannot decode.
ESCAPED = re.compile("[\udc80-\udcff]+")


def decode(data: bytes, before: int = 0, start: bytes | None = None) -> str:
    """Decode bytes, guessing their encoding.

    Parameters
    ----------
    data
        The bytes.
    before
        How many bytes of the text came before them. They may start within a character.
    start
        The first bytes of the text, if they are not the first of ``data`` and are known.
    """
    start = data[:START] if start is None and not before else (start or b"")
    for mark, encoding, unit in MARKS:
        if start.startswith(mark):
            return _decoded(data if before else data[len(mark) :], encoding, unit, before)
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        # Of characters such as those of English, every second byte is zero, and no other one.
        if (
            len(zeros) > 3
            and zeros.count(0) > 0.7 * len(zeros)
            and start.count(0) == zeros.count(0)
        ):
            return _decoded(data, encoding, 2, before)
    if before:
        # Drop the rest of a character whose first byte is missing.
        data = data.lstrip(bytes(range(0x80, 0xC0)))
    return _guessed(data)


def _decoded(data: bytes, encoding: str, unit: int, before: int) -> str:
    return data[-before % unit :].decode(encoding, "replace")


def _guessed(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    if "\ufffd" not in text or any(ord(c) > 127 and c != "\ufffd" for c in text):
        return text
    # No character beyond ASCII is valid UTF-8, so it must be an older encoding.
    return data.decode("cp1252", "replace")


def _joined(pair: str) -> str:
    return pair.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def encodable(text: str) -> str:
    """Return a text without lone surrogates.

    A file name or an argument holds surrogates where Python could not decode it.
    """
    if text.isascii():
        return text
    text = PAIRS.sub(lambda found: _joined(found[0]), text)
    text = ESCAPED.sub(lambda found: _guessed(found[0].encode("ascii", "surrogateescape")), text)
    return text.encode("utf-8", "replace").decode()
