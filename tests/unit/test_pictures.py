"""Pictures count as such by their own bytes, whole, and not too costly for a browser."""

from __future__ import annotations

import random
import struct
import zlib

import pytest

from jupyterlab_notify.exceptions import NotifyError
from jupyterlab_notify.limits import MAX_IMAGE_BYTES
from jupyterlab_notify.pictures import MAX_SCANS, read_picture

from ..support.pictures import (
    ANIMATED_GIF,
    GIF,
    HEIGHT,
    JPEG,
    LOSSLESS_WEBP,
    PICTURES,
    PROGRESSIVE_JPEG,
    WEBP,
    WIDTH,
    chunk,
    png,
    png_of,
)

EACH = pytest.mark.parametrize("name", PICTURES)


def refusal(data: bytes) -> tuple[int, str]:
    """Return the status and the sentence with which bytes are refused."""
    with pytest.raises(NotifyError) as refused:
        read_picture(data)
    return refused.value.status, str(refused.value)


@EACH
def test_type_and_size_are_read_from_the_bytes(name: str) -> None:
    data, media_type = PICTURES[name]
    picture = read_picture(data)
    assert picture == (data, media_type, WIDTH, HEIGHT)
    assert read_picture(data).version == picture.version
    assert len(picture.version) == 16


@EACH
def test_what_follows_a_picture_is_cut_off(name: str) -> None:
    data, _ = PICTURES[name]
    script = b"<!doctype html><script>alert(1)</script>"
    assert read_picture(data + script).data == data
    assert read_picture(data + b"PK\x03\x04 an archive").data == data


@EACH
def test_a_truncated_picture_is_refused_wherever_it_ends(name: str) -> None:
    data, _ = PICTURES[name]
    for end in range(1, len(data)):
        status, text = refusal(data[:end])
        assert status in (400, 415), end
        assert text.endswith(".")


@EACH
def test_no_damage_makes_it_fail_otherwise(name: str) -> None:
    data, _ = PICTURES[name]
    chance = random.Random(name)
    for _ in range(3000):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            picture = read_picture(bytes(damaged))
        except NotifyError:
            continue
        assert picture.width * picture.height <= 16_000_000
        assert damaged.startswith(picture.data)


@pytest.mark.parametrize(
    "data",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'<?xml version="1.0"?><svg/>',
        b"<!doctype html>",
        b"%PDF-1.7",
        b"BM" + bytes(60),
        b"RIFF\x00\x00\x00\x00WAVE",
        b"\0\0\0\x1cftypavif",
        b"{}",
        b" " + png(),
    ],
)
def test_whatever_else_it_is_is_refused(data: bytes) -> None:
    assert refusal(data) == (415, "The request body is no PNG, JPEG, GIF or WebP.")


def test_nothing_is_no_picture() -> None:
    assert refusal(b"")[0] == 400


def test_too_many_bytes_are_refused() -> None:
    assert refusal(png() + bytes(MAX_IMAGE_BYTES)) == (
        413,
        "The picture is larger than 2 MiB.",
    )


def sized(name: str, width: int, height: int) -> bytes:
    """Return a small file that says that it is so large."""
    if name == "PNG":
        return png_of(width, height, zlib.compress(bytes(1000)))
    if name == "JPEG":
        place = JPEG.index(b"\xff\xc0") + 5
        return JPEG[:place] + struct.pack(">HH", height, width) + JPEG[place + 4 :]
    if name == "GIF":
        return GIF[:6] + struct.pack("<HH", width, height) + GIF[10:]
    place = WEBP.index(b"\x9d\x01\x2a") + 3
    return WEBP[:place] + struct.pack("<HH", width, height) + WEBP[place + 4 :]


@pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "WebP"])
def test_a_picture_that_a_browser_could_not_hold_is_refused(name: str) -> None:
    for width, height in ((5000, 5000), (16_383, 1000)):
        status, text = refusal(sized(name, width, height))
        assert status == 413
        assert f"{width} × {height} pixels" in text
    assert read_picture(sized(name, 4000, 4000))[2:] == (4000, 4000)
    assert refusal(sized(name, 0, 16))[0] == 400


def test_a_decompression_bomb_is_refused() -> None:
    assert refusal(sized("PNG", 60_000, 60_000))[0] == 413
    assert refusal(sized("PNG", 2**31 - 1, 2**31 - 1))[0] == 413
    # One row that is a million pixels long.
    assert refusal(sized("PNG", 1_000_000, 1))[0] == 413


def test_a_frame_outside_an_animation_counts() -> None:
    place = ANIMATED_GIF.index(b"\x2c") + 1
    moved = ANIMATED_GIF[:place] + struct.pack("<HH", 60_000, 60_000) + ANIMATED_GIF[place + 4 :]
    assert refusal(moved)[0] == 413
    frame = struct.pack(">IIIIIHHBB", 0, 60_000, 60_000, 0, 0, 1, 1, 0, 0)
    data = png()
    assert refusal(data[:33] + chunk(b"fcTL", frame) + data[33:])[0] == 413


def test_an_animation_of_very_many_large_frames_is_refused() -> None:
    frame = b"\x2c\0\0\0\0" + struct.pack("<HH", 4000, 4000) + b"\0\x02\0"
    data = GIF[:-1] + frame * 20 + b"\x3b"
    assert refusal(data) == (
        413,
        "The picture is too large: its frames have too many pixels together.",
    )


def test_a_progressive_picture_that_begins_very_often_is_refused() -> None:
    scan = PROGRESSIVE_JPEG.rindex(b"\xff\xda")
    body = PROGRESSIVE_JPEG[scan:-2]
    status, text = refusal(PROGRESSIVE_JPEG[:scan] + body * (MAX_SCANS + 1) + b"\xff\xd9")
    assert (status, text) == (400, "The picture is damaged: it has more than 100 scans.")


def test_a_picture_of_very_many_parts_is_refused() -> None:
    many = b"\x21\xfe" + b"\x01a" * 1_000_000 + b"\0"
    assert "more than 65536 parts" in refusal(GIF[:-1] + many + b"\x3b")[1]


def test_a_size_must_be_where_it_belongs() -> None:
    assert refusal(b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b"") + chunk(b"IEND", b""))[0] == 400
    data = png()
    # Two sizes: which one a browser takes is its own affair.
    assert refusal(data[:33] + data[8:33] + data[33:])[0] == 400
    assert refusal(data[:16] + b"\0\0\0\x20" + data[20:])[1].endswith("a wrong checksum.")
    assert refusal(LOSSLESS_WEBP[:20] + b"\x00" + LOSSLESS_WEBP[21:])[0] == 400
