"""Hostile pictures, and pictures that are something else."""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from collections.abc import Iterator

from ..support.pictures import (
    ANIMATED_GIF,
    ANIMATED_WEBP,
    EXTENDED_WEBP,
    GIF,
    JPEG,
    LOSSLESS_WEBP,
    PROGRESSIVE_JPEG,
    WEBP,
    chunk,
    png,
)
from ..support.servers import NAMESPACE, Server
from .watch import Figures, Watch

MIB = 1 << 20
SIGNATURE = b"\x89PNG\r\n\x1a\n"
PAGE = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
#: Types as which a picture may be served.
TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
#: The key of the message to which pictures are sent.
KEY = "pictured"


def header(width: int, height: int, depth: int = 8, colors: int = 6) -> bytes:
    """Return how a PNG of a size begins."""
    fields = struct.pack(">IIBBBBB", width, height, depth, colors, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", fields)


def text(name: bytes, content: bytes) -> bytes:
    """Return a PNG with a part that is compressed."""
    data = png()
    return data[:33] + chunk(name, b"x\0\0" + zlib.compress(content, 9)) + data[33:]


def bombs() -> Iterator[tuple[str, bytes]]:
    """Yield pictures that take much more memory or time than their size suggests."""
    zeros = zlib.compress(bytes(32 * MIB), 9)
    end = chunk(b"IEND", b"")
    for side in (1, 4000, 16_384, 65_535, 2**31 - 1, 2**32 - 1):
        yield f"a PNG of {side}", header(side, side) + chunk(b"IDAT", zeros) + end
    yield "a PNG of one row", header(2**31 - 1, 1) + chunk(b"IDAT", zeros) + end
    yield "a PNG of no size", header(0, 0) + chunk(b"IDAT", zeros) + end
    yield "a PNG of odd depth", header(9, 9, 255, 255) + chunk(b"IDAT", zeros) + end
    for name in (b"iCCP", b"zTXt", b"iTXt"):
        yield f"a PNG with {name.decode()}", text(name, bytes(32 * MIB))
    yield "a PNG of empty parts", png()[:33] + chunk(b"IDAT", b"") * 100_000 + png()[33:]
    yield "a part of 4 GiB", png()[:33] + b"\xff\xff\xff\xffIDAT" + png()[33:]
    frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    for frames in (1000, 100_000):
        yield f"a GIF of {frames} frames", GIF[:-1] + frame * frames + b"\x3b"
    wide = b"\x2c\0\0\0\0" + struct.pack("<HH", 4000, 4000) + b"\0\x02\0"
    yield "a GIF of large frames", GIF[:-1] + wide * 1000 + b"\x3b"
    yield "a GIF without end", GIF[:-1] + b"\x21\xfe" + b"\x01a" * 900_000
    yield "a GIF of comments", GIF[:-1] + b"\x21\xfe\x01a\0" * 50_000 + b"\x3b"
    scan = PROGRESSIVE_JPEG.rindex(b"\xff\xda")
    scans = PROGRESSIVE_JPEG[scan:-2] * 5000
    yield "a JPEG of 5,000 scans", PROGRESSIVE_JPEG[:scan] + scans + b"\xff\xd9"
    yield "a JPEG of markers", JPEG[:2] + b"\xff" * (2 * MIB - 10)
    yield "a JPEG of comments", JPEG[:2] + b"\xff\xfe\0\x02" * 400_000 + JPEG[2:]
    # Orientation 6, and a thumbnail that is not there.
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\3\0\0\0\1\0\6\0\0\xff\xff\xff\xff"
    part = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    yield "a JPEG with EXIF", JPEG[:2] + part + JPEG[2:]
    yield "a JPEG of EXIF", JPEG[:2] + (b"\xff\xe1\xff\xff" + bytes(65_533)) * 30 + JPEG[2:]
    many = ANIMATED_WEBP[12:] * 5000
    yield "a WebP of frames", b"RIFF" + struct.pack("<I", 4 + len(many)) + b"WEBP" + many
    yield "a WebP of 4 GiB", b"RIFF\xff\xff\xff\xffWEBP" + WEBP[12:]


def impostors() -> Iterator[tuple[str, bytes]]:
    """Yield files that are no picture, or a picture and something else."""
    for name, content in {
        "an SVG": SVG,
        "an SVG that says that it is a PNG": SIGNATURE + SVG,
        "an SVG in XML": b'<?xml version="1.0"?>' + SVG,
        "an SVG after a mark": b"\xef\xbb\xbf" + SVG,
        "a compressed SVG": gzip.compress(SVG),
        "a page": PAGE,
        "a PDF": b"%PDF-1.7\n%\xff\n",
        "a BMP": b"BM" + bytes(60),
        "an icon": b"\0\0\1\0\1\0" + bytes(60),
        "a TIFF": b"II*\0" + bytes(60),
        "an AVIF": b"\0\0\0\x1cftypavif" + bytes(60),
        "a JPEG XL": b"\xff\x0a" + bytes(60),
        "a ZIP": b"PK\3\4" + bytes(60),
        "nothing": b"",
        "a zero": b"\0",
        "2 MiB and 1": png() + bytes(2 * MIB + 1 - len(png())),
        "8 MiB": png() + bytes(8 * MIB),
    }.items():
        yield name, content
    for name, data in {
        "PNG": png(),
        "JPEG": JPEG,
        "GIF": GIF,
        "WebP": WEBP,
        "another GIF": ANIMATED_GIF,
        "another WebP": EXTENDED_WEBP,
        "a lossless WebP": LOSSLESS_WEBP,
    }.items():
        yield f"{name} and a page", data + PAGE
        yield f"{name} and a ZIP", data + b"PK\3\4" + bytes(60)
        yield f"a page in {name}", data[:20] + PAGE + data[20:]
        yield f"{name} twice", data + data
        for part in (1, 3, 10):
            yield f"the first of {part} parts of {name}", data[: len(data) // (part + 1)]
        chance = random.Random(name)
        for n in range(2):
            damaged = bytearray(data)
            for _ in range(4):
                damaged[chance.randrange(len(data))] = chance.randrange(256)
            yield f"{name} with damage {n}", bytes(damaged)


def attack(server: Server, watch: Watch, figures: Figures) -> None:
    """Give a message each of these files, and check the type with which it is served."""
    server.ingest("Has a picture", source="pictures", key=KEY)
    path = f"/{NAMESPACE}/ingest/{KEY}/image?source=pictures"
    for name, data in (*bombs(), *impostors()):
        watch.trying = f"picture: {name}"
        for says in ("image/png", "text/html")[: 1 + name.startswith("a page")]:
            answer = server.request("PUT", path, content=data, headers={"Content-Type": says})
            figures.answered(watch.trying, answer)
        if answer.status_code == 200:
            serve(server, answer.json()["notification_id"], watch, figures)
    for encoding in ("gzip", "br", "chunked"):
        watch.trying = f"picture: {encoding}"
        headers = {"Content-Type": "image/png", "Content-Encoding": encoding}
        answer = server.request("PUT", path, content=gzip.compress(png()), headers=headers)
        figures.answered(watch.trying, answer)


def serve(server: Server, id_: str, watch: Watch, figures: Figures) -> None:
    """Ask for a picture that was taken; it must be one, and nothing that runs."""
    found = server.request("GET", f"/{NAMESPACE}/notifications/{id_}").json()["image"]
    answer = server.request("GET", f"/{NAMESPACE}/notifications/{id_}/image/{found['version']}")
    figures.answered(watch.trying, answer)
    is_picture = (
        answer.headers.get("Content-Type") in TYPES
        and answer.headers.get("X-Content-Type-Options") == "nosniff"
        and not answer.content.endswith(PAGE)
    )
    if answer.status_code != 200 or not is_picture:
        figures.failed.append(f"{watch.trying}: it is served as {answer.headers}")
