"""A body is read from files of every kind and encoding, to its end, which is kept."""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_notify.body_file import KEPT, NOTE, read_body
from jupyter_notify.errors import BadUsage
from jupyter_notify.message import MAX_BODY

LINES = "".join(f"Zeile {n} grün\n" for n in range(40_000))

#: A text's bytes before it, and its encoding.
ENCODINGS = [
    (codecs.BOM_UTF8, "utf-8"),
    (b"", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (b"", "utf-16-le"),
    (b"", "utf-16-be"),
    (b"", "cp1252"),
]


@pytest.mark.parametrize(("mark", "encoding"), ENCODINGS)
def test_of_a_long_text_in_any_encoding_the_end_is_kept(
    tmp_path: Path, mark: bytes, encoding: str
) -> None:
    path = tmp_path / "body"
    # Odd numbers of characters, so that what is kept begins at every place within one.
    for more in ("", "x", "xyz"):
        path.write_bytes(mark + (LINES + more).encode(encoding))
        body = read_body(str(path), plain=False)
        assert body is not None
        assert body.startswith(f"{NOTE}Zeile ")
        assert body.endswith(f"Zeile 39999 grün\n{more}")
        assert MAX_BODY - 100 < len(body.encode()) <= MAX_BODY


@pytest.mark.parametrize(("mark", "encoding"), ENCODINGS)
def test_a_short_text_is_whole(tmp_path: Path, mark: bytes, encoding: str) -> None:
    path = tmp_path / "body"
    path.write_bytes(mark + "Zeile grün".encode(encoding))
    assert read_body(str(path), plain=False) == "Zeile grün"


def test_what_many_control_characters_make_long_keeps_its_end(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_text("\x1b[31mred\x1b[0m\x01\n" * 20_000 + "the end")
    body = read_body(str(path), plain=False)
    assert body is not None and body.endswith("\nred\nthe end")


@pytest.mark.parametrize("blank", [b"", b"   \n\n", b"\0" * 1000, b"\xe2\x80\x8b"])
def test_what_nobody_sees_is_no_body(tmp_path: Path, blank: bytes) -> None:
    path = tmp_path / "body"
    path.write_bytes(blank)
    assert read_body(str(path), plain=False) is None


def test_a_file_of_any_size_takes_no_longer_than_its_end(tmp_path: Path) -> None:
    path = tmp_path / "body"
    with path.open("wb") as file:
        file.truncate(2**40)
        file.seek(0, os.SEEK_END)
        file.write(b"\nthe end")
    body = read_body(str(path), plain=False)
    assert body is not None and body.endswith("the end")


def from_input(stdin: int, tmp_path: Path) -> subprocess.Popen[str]:
    """Read a body from standard input in another process, and print it."""
    code = "from jupyter_notify.body_file import read_body; print(read_body('-', False))"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )


def test_an_input_that_does_not_block_is_waited_for(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    with from_input(read, tmp_path) as reader:
        os.close(read)
        with os.fdopen(write, "wb", buffering=0) as pipe:
            for _ in range(3):
                pipe.write(b"piece ")
                # The reader is waiting again once it has been asleep.
                wait_until_asleep(reader.pid)
        assert reader.communicate(timeout=20) == ("piece piece piece \n", "")


def wait_until_asleep(pid: int) -> None:
    state = ""
    while state not in ("S", "Z"):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_an_input_without_an_end_is_refused(tmp_path: Path) -> None:
    with open("/dev/zero", "rb") as zero, from_input(zero.fileno(), tmp_path) as reader:
        _, said = reader.communicate(timeout=20)
    assert BadUsage.__name__ in said and "it is a device" in said


def test_an_input_is_read_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"read before\n" + b"x" * KEPT + b"\nthe end")
    with path.open("rb", buffering=0) as file:
        assert file.readline() == b"read before\n"
        with from_input(file.fileno(), tmp_path) as reader:
            shown, _ = reader.communicate(timeout=20)
    assert shown.endswith("\nthe end\n")
    path.write_bytes(b"read before\nthe end")
    with path.open("rb", buffering=0) as file:
        assert file.readline() == b"read before\n"
        with from_input(file.fileno(), tmp_path) as reader:
            assert reader.communicate(timeout=20)[0] == "the end\n"
