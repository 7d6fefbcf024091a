"""The type, size and end of a picture, read from its own bytes.

What the sender says about a picture is ignored. Nothing is decoded here, since the browser does
that. A picture that would cost the browser too much is refused by its headers.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from .exceptions import BadRequest, TooLarge, UnsupportedPicture
from .limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE

#: Number of pixels that all frames of an animation have together.
MAX_ANIMATED_PIXELS = 16 * MAX_IMAGE_PIXELS
#: Number of a picture's parts (chunks, segments, blocks). A picture of 2 MiB has some ten thousand.
MAX_PARTS = 65_536
#: Number of scans of a progressive JPEG; a browser draws the whole picture for each.
MAX_SCANS = 100

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: The next marker in compressed data, where FF00 stands for FF and FFD0 to FFD7 only restart.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class Picture(NamedTuple):
    """A picture, without what followed it.

    Parameters
    ----------
    data
        Its bytes.
    media_type
        Its type, such as ``image/png``.
    width, height
        Its size in pixels.
    """

    data: bytes
    media_type: str
    width: int
    height: int

    @property
    def version(self) -> str:
        """A name for these bytes, which a URL can hold."""
        return hashlib.sha256(self.data).hexdigest()[:16]


def read_picture(data: bytes) -> Picture:
    """Return the picture that some bytes begin with.

    What follows its end is cut off, so that no file is a picture and something else as well.

    Raises
    ------
    BadRequest
        If there are no bytes, or the picture is damaged.
    UnsupportedPicture
        If the bytes are no PNG, JPEG, GIF or WebP.
    TooLarge
        If the picture has too many bytes or pixels.
    """
    if not data:
        raise BadRequest("The request body is empty: it must be a picture.")
    if len(data) > MAX_IMAGE_BYTES:
        raise too_many_bytes()
    media_type, measure = _recognize(data)
    try:
        width, height, end = measure(data)
    except (IndexError, struct.error):
        raise _Damaged("it ends early") from None
    _check_size(width, height)
    return Picture(data[:end], media_type, width, height)


def too_many_bytes() -> TooLarge:
    """Return the error for a picture of too many bytes."""
    return TooLarge(f"The picture is larger than {MAX_IMAGE_BYTES // 1024**2} MiB.")


class _Damaged(BadRequest):
    def __init__(self, what: str) -> None:
        super().__init__(f"The picture is damaged: {what}.")


#: Returns width, height, and where the picture ends.
_Measure = Callable[[bytes], tuple[int, int, int]]


def _recognize(data: bytes) -> tuple[str, _Measure]:
    if data.startswith(PNG_SIGNATURE):
        return "image/png", _measure_png
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", _measure_jpeg
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif", _measure_gif
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp", _measure_webp
    raise UnsupportedPicture


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise _Damaged("it has no size")
    if width > MAX_IMAGE_SIDE or height > MAX_IMAGE_SIDE or width * height > MAX_IMAGE_PIXELS:
        raise TooLarge(
            f"The picture is too large: {width} × {height} pixels; at most "
            f"{MAX_IMAGE_PIXELS // 10**6} million, and {MAX_IMAGE_SIDE} on a side."
        )


class _Parts:
    """Counts a picture's parts, and the pixels of its frames."""

    def __init__(self) -> None:
        self._parts = 0
        self._pixels = 0

    def add(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _Damaged(f"it has more than {MAX_PARTS} parts")

    def add_frame(self, width: int, height: int) -> None:
        _check_size(width, height)
        self._pixels += width * height
        if self._pixels > MAX_ANIMATED_PIXELS:
            raise TooLarge("The picture is too large: its frames have too many pixels together.")


def _measure_png(data: bytes) -> tuple[int, int, int]:
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if (length, kind) != (13, b"IHDR"):
        raise _Damaged("it does not begin with its size")
    if zlib.crc32(data[12:29]) != struct.unpack_from(">I", data, 29)[0]:
        raise _Damaged("its header has a wrong checksum")
    parts, place, has_pixels = _Parts(), 33, False
    while True:
        parts.add()
        length, kind = struct.unpack_from(">I4s", data, place)
        after = place + 12 + length
        if after > len(data):
            raise _Damaged("it ends early")
        if kind == b"IEND":
            if not has_pixels:
                raise _Damaged("it has no pixels")
            return width, height, after
        if kind == b"IHDR":
            raise _Damaged("it has two sizes")
        if kind == b"fcTL":
            parts.add_frame(*struct.unpack_from(">II", data, place + 12))
        has_pixels = has_pixels or kind == b"IDAT"
        place = after


def _measure_jpeg(data: bytes) -> tuple[int, int, int]:
    parts, place, scans = _Parts(), 2, 0
    size: tuple[int, int] | None = None
    while True:
        parts.add()
        # Any number of FF may stand before a marker.
        while data[place + 1] == 0xFF:
            place += 1
        if data[place] != 0xFF:
            raise _Damaged("there is no marker where one must be")
        marker = data[place + 1]
        place += 2
        if marker == 0xD9:
            if size is None or not scans:
                raise _Damaged("it has no pixels")
            return *size, place
        if marker in (0x01, *range(0xD0, 0xD8)):
            continue
        (length,) = struct.unpack_from(">H", data, place)
        if length < 2 or place + length > len(data):
            raise _Damaged("it ends early")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if size is not None:
                raise _Damaged("it has two sizes")
            height, width = struct.unpack_from(">HH", data, place + 3)
            size = width, height
        place += length
        if marker == 0xDA:
            scans += 1
            if scans > MAX_SCANS:
                raise _Damaged(f"it has more than {MAX_SCANS} scans")
            found = _JPEG_MARKER.search(data, place)
            if found is None:
                raise _Damaged("it ends early")
            place = found.start()


def _measure_gif(data: bytes) -> tuple[int, int, int]:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    parts, has_pixels = _Parts(), False
    place = 13 + _color_table(flags)
    while True:
        parts.add()
        kind = data[place]
        place += 1
        if kind == 0x3B:
            if not has_pixels:
                raise _Damaged("it has no pixels")
            return width, height, place
        if kind == 0x21:
            place += 1
        elif kind == 0x2C:
            left, top, columns, rows, flags = struct.unpack_from("<HHHHB", data, place)
            parts.add_frame(left + columns, top + rows)
            place += 9 + _color_table(flags) + 1
            has_pixels = True
        else:
            raise _Damaged("there is no block where one must be")
        while (length := data[place]) != 0:
            parts.add()
            place += 1 + length
        place += 1


def _color_table(flags: int) -> int:
    """Return the size in bytes of the colour table that a GIF's flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _measure_webp(data: bytes) -> tuple[int, int, int]:
    (length,) = struct.unpack_from("<I", data, 4)
    end = 8 + length
    if end > len(data):
        raise _Damaged("it ends early")
    parts, place, canvas = _Parts(), 12, None
    size: tuple[int, int] | None = None
    while place + 8 <= end:
        parts.add()
        kind, length = struct.unpack_from("<4sI", data, place)
        content = place + 8
        if content + length > end:
            raise _Damaged("it ends early")
        if kind == b"VP8X" and canvas is None:
            canvas = _int24(data, content + 4) + 1, _int24(data, content + 7) + 1
        elif kind == b"ANMF":
            size = _int24(data, content + 6) + 1, _int24(data, content + 9) + 1
            parts.add_frame(*size)
            # Its content counts as a part of its own.
            length = 16
        elif kind in (b"VP8 ", b"VP8L"):
            size = _bitstream_size(data, content, kind)
            _check_size(*size)
        place = content + length + length % 2
    if size is None:
        raise _Damaged("it has no pixels")
    return *(canvas or size), end


def _int24(data: bytes, place: int) -> int:
    return data[place] | data[place + 1] << 8 | data[place + 2] << 16


def _bitstream_size(data: bytes, place: int, kind: bytes) -> tuple[int, int]:
    """Return the width and height at the start of a WebP's compressed data."""
    if kind == b"VP8 ":
        if data[place + 3 : place + 6] != b"\x9d\x01\x2a":
            raise _Damaged("its pixels do not begin as they must")
        width, height = struct.unpack_from("<HH", data, place + 6)
        return width & 0x3FFF, height & 0x3FFF
    if data[place] != 0x2F:
        raise _Damaged("its pixels do not begin as they must")
    (bits,) = struct.unpack_from("<I", data, place + 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
