"""Pictures from programs: figures, images, files, bytes; none stops its program."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import PIL.Image
import pytest

from jupyter_notify import pictures
from jupyter_notify.api import Notify
from jupyter_notify.errors import BadUsage
from jupyter_notify.pictures import MAX_PICTURE, PictureProblem, to_picture

from ..support.pictures import JPEG, PICTURES, png
from ..support.sending import Shell, find, one_line, wait_for_message
from ..support.servers import NAMESPACE, Server, wait_for
from .support import Directed


class Figure:
    """A stand-in for Matplotlib's: the more dots, the more bytes.

    Parameters
    ----------
    bytes_per_dpi
        How many bytes a picture has for each of its dots per inch.
    """

    dpi = 100.0

    def __init__(self, bytes_per_dpi: int = 10, inches: tuple[float, float] = (6.4, 4.8)) -> None:
        self.bytes_per_dpi, self.inches = bytes_per_dpi, inches
        self.asked: list[float] = []

    def get_size_inches(self) -> tuple[float, float]:
        return self.inches

    def savefig(self, file: Any, *, format: str, dpi: float) -> None:
        assert format == "png"
        self.asked.append(dpi)
        file.write(png() + bytes(int(self.bytes_per_dpi * dpi)))


class Axes:
    """A stand-in for Matplotlib's."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure


class Image:
    """A stand-in for Pillow's."""

    def __init__(self, width: int, height: int, mode: str = "RGB") -> None:
        self.size, self.mode = (width, height), mode

    def resize(self, size: tuple[int, int]) -> Image:
        return Image(*size, self.mode)

    def convert(self, mode: str) -> Image:
        return Image(*self.size, mode)

    def save(self, file: Any, format: str) -> None:
        if self.mode == "CMYK":
            raise OSError("cannot write mode CMYK as PNG")
        file.write(png(*self.size))


class Shown:
    """Something that a notebook shows as a PNG."""

    def __init__(self, shown: Any) -> None:
        self.shown = shown

    def _repr_png_(self) -> Any:
        return self.shown


@pytest.mark.parametrize("name", PICTURES)
def test_bytes_and_files_are_taken_as_they_are(name: str, tmp_path: Path) -> None:
    data, _ = PICTURES[name]
    file = tmp_path / "a picture"
    file.write_bytes(data)
    for given in (data, bytearray(data), memoryview(data), file, str(file)):
        assert to_picture(given) == data


def test_figures_axes_and_images_are_drawn() -> None:
    assert to_picture(Figure()).startswith(png())
    assert to_picture(Axes(Figure())).startswith(png())
    assert to_picture(Image(30, 20)) == png(30, 20)
    assert to_picture(Image(30, 20, "CMYK")) == png(30, 20)
    assert to_picture(Shown(png())) == png()
    assert to_picture(Shown((png(), {"width": 24}))) == png()


def test_what_is_too_large_is_made_smaller() -> None:
    figure = Figure(bytes_per_dpi=50_000)
    assert len(to_picture(figure)) <= MAX_PICTURE
    assert figure.asked[0] == 100
    assert sorted(figure.asked, reverse=True) == figure.asked
    assert len(figure.asked) > 1
    # The size in dots is limited too: the server refuses larger pictures.
    poster = Figure(inches=(100, 50))
    to_picture(poster)
    assert poster.asked == [40]
    assert to_picture(Image(8000, 2000)) == png(4000, 1000)


class NoPath:
    """Says that it is a path, and has none."""

    def __fspath__(self) -> int:
        return 3


class Unreachable:
    """A stand-in for a proxy of an object that is gone."""

    def __getattribute__(self, name: str) -> Any:
        raise ReferenceError(name)


def test_a_wrong_type_is_said_at_once(to_server: Directed, server: Server) -> None:
    for wrong in (3, object(), b"<svg/>", ["loss.png"], Figure, Shown, NoPath(), Unreachable()):
        with pytest.raises(BadUsage) as said:
            to_server("Wrong picture", image=wrong)
        assert isinstance(said.value, ValueError)
        assert str(said.value).endswith(".")
    assert find(server, "Wrong picture") is None


class Broken(Figure):
    """A figure that cannot be drawn."""

    def savefig(self, file: Any, **_: Any) -> None:
        raise RuntimeError("latex was not found")


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (Broken(), "RuntimeError: latex was not found"),
        (Path("nowhere/loss.png"), "cannot be read: No such file or directory"),
        (Path("/"), "Is a directory"),
        (png() + bytes(MAX_PICTURE), "larger than 2 MiB"),
        (Figure(bytes_per_dpi=10**6), "larger than 2 MiB"),
        ("null\0byte.png", "cannot be read"),
    ],
)
def test_a_picture_that_cannot_be_had_is_said_and_left_out(
    to_server: Directed, server: Server, caplog: pytest.LogCaptureFixture, image: Any, said: str
) -> None:
    with pytest.raises(PictureProblem):
        to_picture(image)
    text = f"Without: {said}"
    assert to_server(text, image=image).wait()
    (warning,) = [record for record in caplog.records if said in record.getMessage()]
    assert warning.levelname == "WARNING"
    assert find(server, text)["image"] is None  # type: ignore[index]  # None would fail the test as well


def image_of(server: Server, text: str) -> bytes | None:
    """Return the picture of the newest message that holds a text."""
    row = find(server, text)
    if row is None or row["image"] is None:
        return None
    path = f"/{NAMESPACE}/notifications/{row['id']}/image/{row['image']['version']}"
    return server.request("GET", path).content


def test_a_picture_arrives_with_its_message(to_server: Directed, server: Server) -> None:
    sent = to_server("Training done", image=png(shade=1), source="trainer")
    assert sent.wait()
    assert image_of(server, "Training done") == png(shade=1)
    assert sent.error is None


def test_a_curve_grows_and_stays(to_server: Directed, server: Server) -> None:
    for step in range(3):
        to_server(f"Epoch {step}", key="curve", type="in-progress", image=png(shade=step))
        # Another message in between leaves the picture.
        to_server(f"Step {step}", key="curve", type="in-progress")
    assert to_server.flush()
    assert image_of(server, "Step 2") == png(shade=2)
    to_server("Curve done", key="curve", type="success")
    assert to_server.flush()
    assert image_of(server, "Curve done") == png(shade=2)


def test_a_progress_shows_the_newest_picture_also_at_its_end(
    to_server: Directed, server: Server
) -> None:
    with to_server.progress("Showing", total=3) as progress:
        for step in range(3):
            progress.update()
            progress.show(png(shade=step))
            wait_for(
                lambda step=step: image_of(server, "Showing") == png(shade=step),
                f"picture {step}",
            )
        progress.show(png(shade=9))
    assert to_server.flush()
    progress.show(png(shade=10))
    assert image_of(server, "Showing: done") == png(shade=9)
    with pytest.raises(BadUsage):
        progress.show(3)


def test_asend_and_ask_take_a_picture(to_server: Directed, server: Server) -> None:
    import asyncio

    asyncio.run(to_server.asend("From a loop", image=JPEG))
    assert image_of(server, "From a loop") == JPEG
    assert to_server.ask("Go on with this?", ["Yes"], timeout=0.5, image=JPEG) is None


def test_a_question_shows_its_picture(to_server: Directed, server: Server) -> None:
    import threading

    answers: list[str | None] = []
    asking = threading.Thread(
        target=lambda: answers.append(
            to_server.ask("Loss is rising. Continue?", ["Stop"], timeout=20, image=png(shade=7))
        )
    )
    asking.start()
    try:
        wait_for(lambda: image_of(server, "Loss is rising") == png(shade=7), "the picture")
        id_ = wait_for_message(server, "Loss is rising")["id"]
    finally:
        server.request("POST", f"/{NAMESPACE}/notifications/{id_}/reply", {"answer": "Stop"})
        asking.join(20)
    assert answers == ["Stop"]


def test_the_command_sends_a_file(server: Server, tmp_path: Path) -> None:
    shell = Shell(server)
    file = tmp_path / "loss.png"
    file.write_bytes(png(shade=5))
    receipt = shell.json("send", "With a file", "--image", file, "--source", "script")
    assert image_of(server, "With a file") == png(shade=5)
    assert receipt["notification_id"] == find(server, "With a file")["id"]  # type: ignore[index]  # None would fail the test as well
    ran = subprocess.run(
        [Path(sys.executable).with_name("jupyter-notify"), "send", "Piped", "--image", "-"],
        env=shell.env,
        input=JPEG,
        capture_output=True,
        timeout=30,
    )
    assert ran.returncode == 0, ran.stderr
    assert image_of(server, "Piped") == JPEG


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg/>", "is no PNG, JPEG, GIF or WebP."),
        (png() + bytes(MAX_PICTURE), "is larger than 2 MiB."),
        (None, "cannot be read: No such file or directory."),
    ],
)
def test_the_command_says_what_is_wrong_and_sends_nothing(
    server: Server, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "loss.png"
    if content is not None:
        file.write_bytes(content)
    ran = Shell(server)("send", "Not sent", "--image", file)
    assert ran.returncode == 2
    assert one_line(ran).endswith(said)
    assert find(server, "Not sent") is None


def test_pictures_that_wait_take_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_notify import send_queue

    monkeypatch.setattr(send_queue, "MAX_WAITING_PICTURES", 5000)
    notify: Notify = Directed("http://127.0.0.1:9/")
    try:
        with notify.queue.lock:
            for number in range(10):
                notify(f"{number}", image=png() + bytes(1000))
            held = [one.picture for one in notify.queue._waiting.values() if one.picture]
        assert 1 <= len(held) < 10
        assert sum(map(len, held)) <= 5000
    finally:
        notify.queue.close(0.1)


def test_matplotlib_and_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    image = PIL.Image
    figure, axes = plt.subplots()
    axes.plot([3, 2, 1])
    for given in (figure, axes, plt):
        assert image.open(io.BytesIO(to_picture(given))).size == (640, 480)
    assert image.open(io.BytesIO(to_picture(image.new("CMYK", (5000, 10))))).size == (4000, 8)
    monkeypatch.setattr(pictures, "MAX_PICTURE", 10_000)
    assert len(to_picture(figure)) <= 10_000
