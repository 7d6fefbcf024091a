"""Welcome files of every kind: one that is bad hides no other, and costs little."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.sources import welcome_files
from jupyterlab_notify.sources.images import place_images
from jupyterlab_notify.sources.welcome_files import MAX_FILES, WelcomeFiles

GOOD = "---\nid: good\ntitle: Good\n---\nHello\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notify" / "welcome"
    folder.mkdir(parents=True)
    (folder / "good.md").write_text(GOOD)
    return folder


def make_files(folder: Path) -> WelcomeFiles:
    log = logging.getLogger("welcome files")
    return WelcomeFiles([str(folder.parents[1])], aspect="jupyterlab", image_url="/i/", log=log)


def scan(folder: Path) -> list[str]:
    """Return the ids of the valid messages."""
    files = make_files(folder)
    # The messages must be valid in an answer, so as JSON.
    return [message["id"] for message in json.loads(json.dumps(files.scan()))]


def front(line: str) -> str:
    return f"---\nid: bad\ntitle: Bad\n{line}\n---\nHello\n"


BAD = {
    "sexagesimal views": front("max_views: " + ":".join("1" * 3000)),
    "sexagesimal, very long": front("max_views: " + ":".join("1" * 100_000)),
    "very many views": front("max_views: " + "9" * 5000),
    "hexadecimal views": front("max_views: 0x" + "f" * 5000),
    "views beyond a browser": front("max_views: 9007199254740993"),
    "sexagesimal id": "---\nid: " + ":".join("1" * 3000) + "\ntitle: Bad\n---\nHello\n",
    "nested": front("x: " + "[" * 5000),
    "nested keys": front("? " * 3000),
    "aliases": front(
        "\n".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9 if n else 1}]" for n in range(99))
    ),
    "an alias of itself": front("title: &a [*a]"),
    "no date": front("id: 2001-99-99"),
    "half a pair": front('title: "\\ud800"'),
    "a title that nobody sees": front('title: "\\u3164\\u200b"'),
    "a title of tags": front("title: \U000e0041\U000e0042"),
    "a text that nobody sees": "---\nid: bad\ntitle: Bad\n---\n\u2800\n\u200b\n",
    "long aspect": front("aspect: " + "x" * 300),
    "a tag": front("title: !!python/object/apply:os.system ['true']"),
    "binary": front("title: !!binary aaa"),
    "a merge": front("<<: [1, 2]"),
    "merges of merges": front(
        "\n".join(
            f"a{n}: &a{n} {{<<: [{f'*a{n - 1},' * 9 if n else ''}{{x: 1}}]}}" for n in range(50)
        )
    ),
    "a definition of blanks": front("max_views: 1") + "[a]:" + " " * 200_000 + "<\n",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_hides_no_good_one(
    folder: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "bad.md").write_text(BAD[name])
    began = time.process_time()
    found = scan(folder)
    assert time.process_time() - began < 4, "this would take minutes"
    assert "file:good" in found
    assert ("bad.md is left out: " in caplog.text) is ("file:bad" not in found)


#: Values that YAML reads as dates, numbers or characters, and cannot convert.
ODD_VALUES = (
    *("2026-13-45", "2026-01-01 00:00:00 +99:99", '"\\U00110000"', "9" * 5000),
    *("!!timestamp x", "!!int x", '!!int ""', "!!float x"),
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        *((front(f"x: {value}"), "holds a date, a number or") for value in ODD_VALUES),
        *((f"---\n{unit * 3000}\n---\nx", "is nested too deeply") for unit in ("- ", "? ")),
    ],
    ids=lambda text: repr(text[:40]),
)
def test_a_value_that_cannot_be_converted_is_said_in_words(
    folder: Path, content: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "bad.md").write_text(content)
    assert scan(folder) == ["file:good"]
    assert f"its front matter {reason}" in caplog.text
    assert "Error" not in caplog.text


@pytest.mark.parametrize("mtime", [2**40, -(2**33), 2**33])
def test_a_file_of_any_age_hides_no_good_one(folder: Path, mtime: int) -> None:
    (folder / "bad.md").write_text(front("max_views: 1"))
    os.utime(folder / "bad.md", (mtime, mtime))
    assert "file:good" in scan(folder)


@pytest.mark.parametrize("make", ["fifo", "folder", "zero", "loop"])
def test_what_is_no_file_hides_no_good_one(folder: Path, make: str) -> None:
    bad = folder / "bad.md"
    if make == "fifo":
        os.mkfifo(bad)
    elif make == "folder":
        bad.mkdir()
    else:
        bad.symlink_to("/dev/zero" if make == "zero" else bad)
    assert scan(folder) == ["file:good"]


@pytest.mark.parametrize("name", ["bad.md", "bad.png"])
def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, writers, look = folder / name, [], os.stat

    def write() -> None:
        with suppress(BrokenPipeError):
            bad.write_text(GOOD.replace("good", "bad"))

    def replaced_after(path: Any, **options: Any) -> os.stat_result:
        """Look at the file, and put a pipe in its place once it was seen to be one."""
        seen = look(path, **options)
        if Path(os.fsdecode(path)) == bad and not writers:
            bad.unlink()
            os.mkfifo(bad)
            writers.append(threading.Thread(target=write))
            writers[0].start()
        return seen

    bad.write_text(GOOD)
    monkeypatch.setattr(os, "stat", replaced_after)
    if name == "bad.md":
        assert scan(folder) == ["file:good"]
    else:
        assert make_files(folder).find_image(f"0/{name}") is None
    # The writer ends once somebody has had the pipe open.
    reader = os.open(bad, os.O_RDONLY | os.O_NONBLOCK)
    writers[0].join()
    os.close(reader)


def test_many_bad_files_hide_no_good_one(folder: Path) -> None:
    for number in range(MAX_FILES + 50):
        (folder / f"bad{number}.md").write_text("No front matter")
    for number in range(MAX_FILES + 50):
        other = GOOD.replace("id: good", f"id: n{number}\naspect: elsewhere")
        (folder / f"elsewhere{number}.md").write_text(other)
    assert scan(folder) == ["file:good"]


def test_very_many_other_files_hide_no_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(welcome_files, "MAX_NAMES", 5)
    for number in range(200):
        (folder / f"picture{number}.png").touch()
        (folder / f".hidden{number}.md").touch()
    assert scan(folder) == ["file:good"]


def test_of_too_many_names_the_first_count_in_whatever_order_they_are_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(welcome_files, "MAX_NAMES", 5)
    for number in range(200, 0, -1):
        (folder / f"n{number:03}.md").write_text(GOOD.replace("good", f"n{number}"))
    assert scan(folder) == ["file:good", "file:n1", "file:n2", "file:n3", "file:n4"]


@pytest.mark.parametrize(
    "name", [b"\x1b[2J.md", b"a\nb.md", b"\xff.md", "\u202egpj.md".encode(), b"\x7f\r.md"]
)
def test_the_name_of_a_file_reaches_the_log_without_control_characters(
    folder: Path, name: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_text("no front matter")
    assert scan(folder) == ["file:good"]
    (said,) = caplog.messages
    assert said.isprintable() and said.encode()


#: Texts that once took a time that grows with the square of their length.
SLOW = {
    "backticks": "`",
    "spaced backticks": "` ",
    "double backticks": "``` ",
    "images": "![",
    "image brackets": "![](",
    "image angles": "![](<",
    "image spaces": "![]( ",
    "html images": "<img ",
    "html sources": "<img src=",
    "html quotes": '<img src="',
    "single quotes": "<img src='x ",
    "source after source": "src= ",
    "definitions": "[a]: ",
    "lines of definitions": "[a]:\n",
    "fences": "```\n",
    "other fences": "~~~\n```\n",
    "a text": "x",
    "brackets": "[",
    "ticks of every length": "".join("`" * n + " " for n in range(1, 200)),
}


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("before", ["", "<img ", "![", "```\n"])
def test_images_are_found_in_a_time_that_grows_with_the_length_alone(
    name: str, before: str
) -> None:
    text = before + SLOW[name] * (256 * 1024 // len(SLOW[name]))
    began = time.process_time()
    place_images(text, "/i/")
    # A quadratic reader takes a minute and more.
    assert time.process_time() - began < 2


def test_the_images_of_a_text_are_placed_and_its_code_is_left_alone() -> None:
    text = "\n".join(
        [
            "![a](a.png) `![b](b.png)` ![c](<c.png>) `` ` ![d](d.png) `` ` ![e](e.png)",
            "```python",
            "![f](f.png) ``` ![g](g.png)",
            "```",
            "~~~~",
            "~~~",
            "![h](h.png)",
            "~~~~",
            '[i]: i.png "title"',
            "<img alt='x' src=\"j.png\"> <IMG src = k.svg> `unclosed ![l](l.png)",
            "and ` here ![m](https://elsewhere/m.png) ![n](/n.png)",
            "```",
            "![o](o.png) in a block that does not end",
        ]
    )
    placed = place_images(text, "/i/")
    names = [name for name in "abcdefghijklmno" if f"/i/{name}." in placed]
    assert names == list("aceijkl")
    assert placed.replace("/i/", "").replace("<c.png>", "c.png") == text.replace("<c.png>", "c.png")


def test_files_beyond_the_most_that_are_read_are_said_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(MAX_FILES + 4):
        (folder / f"n{number:03}.md").write_text(GOOD.replace("good", f"n{number}"))
    files = make_files(folder)
    for _ in range(2):
        assert len(files.scan()) == MAX_FILES
    said = f"{MAX_FILES} of the first {MAX_FILES} files by name are shown, and 5 are left out."
    assert caplog.text.count(said) == 1
    (notice,) = files.notices.values()
    assert notice.endswith(said)
    for number in range(5):
        (folder / f"n{number:03}.md").unlink()
    files.scan()
    assert files.notices == {}
