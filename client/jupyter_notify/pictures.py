"""Convert a program's picture (a figure, an image, a file, bytes) to the bytes of a file.

Neither Matplotlib nor Pillow is imported: their objects are recognized by the methods that they
have. A picture that is too large is made smaller where its library can do that.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from .errors import BadUsage, SendError
from .reading import read_pieces
from .values import raising_bad_usage

#: The server's limits, in bytes and in pixels of one side.
MAX_PICTURE = 2 * 1024 * 1024
MAX_SIDE = 4000
#: Number of attempts to make a picture smaller: by a third each time.
ATTEMPTS = 8
SMALLER = 0.67

#: First bytes of the files that the server takes.
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")

Picture = bytes

log = logging.getLogger("jupyter_notify")


class PictureProblem(SendError):
    """A picture cannot be sent; its message can."""

    exit_code = 2


def picture_of(image: Any) -> Picture | None:
    """Return a picture's bytes; None, with a warning, if the picture cannot be sent.

    Raises
    ------
    BadUsage
        If the object is no picture.
    """
    try:
        return to_picture(image)
    except PictureProblem as problem:
        log.warning("A notification has no picture: %s", problem)
        return None


@raising_bad_usage
def to_picture(image: Any) -> Picture:
    """Return a picture's bytes.

    Parameters
    ----------
    image
        A Matplotlib figure or axes, or anything else with ``savefig``; a PIL image; the bytes of a
        PNG, JPEG, GIF or WebP, or the path of such a file; anything that shows itself as a PNG in
        a notebook.

    Raises
    ------
    BadUsage
        If the object is none of these.
    PictureProblem
        If the picture cannot be read or drawn, or is too large.
    """
    if isinstance(image, (bytes, bytearray, memoryview)):
        return _checked(bytes(image), "The picture")
    if isinstance(image, (str, os.PathLike)):
        return _read(image)
    try:
        # A class has its objects' methods, but is no picture.
        if not isinstance(image, type):
            return _convert(image)
    except SendError:
        raise
    except Exception as error:
        # Whatever the library raises, the program goes on.
        raise PictureProblem(
            f"The picture cannot be drawn: {type(error).__name__}: {error}."
        ) from None
    raise _wrong_type(image)


def _convert(image: Any) -> Picture:
    figure = image if hasattr(image, "savefig") else getattr(image, "figure", None)
    if callable(getattr(figure, "savefig", None)):
        return _draw(figure)
    if callable(getattr(image, "save", None)) and hasattr(image, "resize"):
        return _encode(image)
    show = getattr(image, "_repr_png_", None)
    shown = show() if callable(show) else None
    if isinstance(shown, tuple):
        # Some objects add metadata.
        shown = shown[0]
    if isinstance(shown, str):
        import base64

        shown = base64.b64decode(shown)
    if isinstance(shown, bytes):
        return _checked(shown, "The picture")
    raise _wrong_type(image)


def _wrong_type(image: Any) -> BadUsage:
    return BadUsage(
        "The image must be a figure, a PIL image, a file's path or its bytes, not a "
        f"{type(image).__name__}."
    )


def _draw(figure: Any) -> Picture:
    """Draw an object with ``savefig``, such as a Matplotlib figure; with fewer dots if need be."""
    dpi = float(getattr(figure, "dpi", None) or 100)
    size = getattr(figure, "get_size_inches", None)
    if callable(size):
        longest = max(float(side) for side in size())
        dpi = min(dpi, MAX_SIDE / longest)

    def draw(scale: float) -> bytes:
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=dpi * scale)
        return file.getvalue()

    return _fitted(draw)


def _encode(image: Any) -> Picture:
    """Encode a PIL image as a PNG, with fewer pixels if need be."""
    width, height = image.size
    fits = min(1.0, MAX_SIDE / max(width, height, 1))

    def encode(scale: float) -> bytes:
        made = image
        # PNG knows no other modes, such as CMYK.
        if getattr(made, "mode", "RGB") not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
            made = made.convert("RGB")
        if fits * scale < 1:
            size = (max(1, int(width * fits * scale)), max(1, int(height * fits * scale)))
            made = made.resize(size)
        file = io.BytesIO()
        made.save(file, format="PNG")
        return file.getvalue()

    return _fitted(encode)


def _fitted(make: Callable[[float], bytes]) -> Picture:
    scale = 1.0
    for _ in range(ATTEMPTS):
        data = make(scale)
        if len(data) <= MAX_PICTURE:
            return _checked(data, "The picture")
        scale *= SMALLER
    raise _too_large("The picture")


def _read(path: str | os.PathLike[Any]) -> Picture:
    """Return the bytes of a file, or of standard input for ``-``."""
    name = os.fsdecode(path)
    try:
        if name == "-":
            if sys.stdin is None:
                raise PictureProblem("There is no standard input to read the picture from.")
            data = _beginning(sys.stdin.fileno())
        else:
            # A device may have no end.
            with open(name, "rb") as file:
                data = file.read(MAX_PICTURE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PictureProblem(f"The picture {name} cannot be read: {reason}.") from None
    return _checked(data, f"The picture {name}")


def _beginning(fd: int) -> bytes:
    """Return the bytes of a file, or of one that is too large as many as show that."""
    data = bytearray()
    for piece in read_pieces(fd):
        data += piece
        if len(data) > MAX_PICTURE:
            break
    return bytes(data)


def _checked(data: bytes, what: str) -> Picture:
    if len(data) > MAX_PICTURE:
        raise _too_large(what)
    if not data.startswith(SIGNATURES) and not (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        raise BadUsage(f"{what} is no PNG, JPEG, GIF or WebP.")
    return data


def _too_large(what: str) -> PictureProblem:
    return PictureProblem(f"{what} is larger than {MAX_PICTURE // 1024**2} MiB.")
