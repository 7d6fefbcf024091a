"""Decode texts from programs and the system, whatever their encoding is."""

from __future__ import annotations

import codecs
import re

#: The surrogates with which Python keeps bytes of a name or an argument that it cannot decode.
ESCAPED = re.compile("[\udc80-\udcff]+")


def decode(data: bytes, whole: bool = True) -> str:
    """Decode bytes, guessing their encoding.

    Parameters
    ----------
    data
        The bytes.
    whole
        Whether the bytes start where the text starts. Otherwise they may start within a character.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if whole and data.startswith(mark):
            return data.decode(encoding, "replace")
    if not whole:
        # Drop the rest of a character whose first byte is missing.
        data = data.lstrip(bytes(range(0x80, 0xC0)))
    return _guessed(data)


def _guessed(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    if "\ufffd" not in text or any(ord(c) > 127 and c != "\ufffd" for c in text):
        return text
    # No character beyond ASCII is valid UTF-8, so it must be an older encoding.
    return data.decode("cp1252", "replace")


def encodable(text: str) -> str:
    """Return a text without lone surrogates.

    A file name or an argument holds surrogates where Python could not decode it.
    """
    if text.isascii():
        return text
    text = ESCAPED.sub(lambda found: _guessed(found[0].encode("ascii", "surrogateescape")), text)
    return text.encode("utf-8", "replace").decode()
