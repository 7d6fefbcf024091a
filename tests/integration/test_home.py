"""A real server tells that the home directory is nearly full, and takes it back when it is not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.timings import SourceTimings, Timings

from ..support.servers import Server, wait_for

#: For a machine that is busy with other tests.
LONG_S = 60.0
QUICK = Timings(sources=SourceTimings(home_interval_s=0.2))


class Quota:
    """Stands in for the program `quota`: a real one needs a file system of the test's own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self.asked = directory / "asked"
        self.asked.touch()
        self._used = directory / "used"
        program = directory / "quota"
        program.write_text(
            f"#!/bin/sh\necho >> {self.asked}\n"
            f'echo "/dev/sdb1 $(cat {self._used}) 0 1000 0 5 0 0 0"\n'
        )
        program.chmod(0o755)

    def use(self, kib: int) -> None:
        new = self.directory / "new"
        new.write_text(str(kib))
        new.replace(self._used)

    def looks(self) -> int:
        return self.asked.stat().st_size

    def wait(self) -> None:
        """Wait until the program was asked, and its answer was applied."""
        before = self.looks()
        wait_for(lambda: self.looks() >= before + 3, "three looks", LONG_S)


@pytest.fixture
def quota(tmp_path: Path) -> Quota:
    return Quota(tmp_path / "bin")


def start(make_server: Callable[..., Server], quota: Quota, *, watch: bool = True) -> Server:
    return make_server(
        timings=QUICK,
        config={"NotifyApp": {"watch_home": watch}},
        env={"PATH": f"{quota.directory}{os.pathsep}{os.environ['PATH']}"},
    )


def rows(server: Server, view: str = "inbox") -> list[dict[str, Any]]:
    return list(server.page(view=view)["notifications"])


def test_it_is_told_at_90_and_98_percent_and_gone_when_solved(
    make_server: Callable[..., Server], quota: Quota
) -> None:
    quota.use(500)
    server = start(make_server, quota)
    (server.home / "data").mkdir()
    (server.home / "data" / "big").write_bytes(os.urandom(300_000))
    with server.websocket():
        quota.wait()
        assert rows(server) == []

        quota.use(930)
        wait_for(lambda: len(rows(server)) == 1, "the warning", LONG_S)
        [warning] = rows(server)
        assert warning["message"] == "Your home directory is 93 % full: 930 KiB of 1.0 MiB"
        assert (warning["type"], warning["banner"]) == ("warning", False)
        body = server.detail(warning["id"])["body"]
        assert "| ` data/ ` |" in body
        server.change(warning["id"], read=True)
        # A new value on the same level is not reported, and a read message stays read.
        quota.use(950)
        quota.wait()
        [same] = rows(server)
        assert same["id"] == warning["id"]
        assert same["read"] is not None

        quota.use(990)
        wait_for(lambda: [row["type"] for row in rows(server)] == ["error"], "the error", LONG_S)
        assert rows(server)[0]["banner"] is True
        quota.use(500)
        wait_for(lambda: rows(server) == [], "its end", LONG_S)


def test_nothing_looks_without_a_tab_nor_where_the_site_does_not_want_it(
    make_server: Callable[..., Server], quota: Quota
) -> None:
    quota.use(990)
    server = start(make_server, quota)
    server.ingest("Hello")
    assert quota.looks() == 0
    with server.websocket():
        wait_for(lambda: len(rows(server)) == 2, "the warning", LONG_S)
    off = start(make_server, quota, watch=False)
    with off.websocket():
        off.ingest("Hello")
        assert [row["message"] for row in rows(off)] == ["Hello"]


def test_what_was_told_is_not_told_again_after_a_restart(
    make_server: Callable[..., Server], quota: Quota
) -> None:
    quota.use(930)
    server = start(make_server, quota)
    with server.websocket():
        wait_for(lambda: len(rows(server)) == 1, "the warning", LONG_S)
    [row] = rows(server)
    server.change(row["id"], dismissed=True)
    server.restart()
    with server.websocket():
        quota.wait()
        assert rows(server) == []
        assert [one["id"] for one in rows(server, "dismissed")] == [row["id"]]


def test_a_look_that_hangs_holds_nothing_up(
    make_server: Callable[..., Server], quota: Quota
) -> None:
    (quota.directory / "quota").write_text(f"#!/bin/sh\necho >> {quota.asked}\nexec sleep 60\n")
    server = start(make_server, quota)
    with server.websocket() as tab:
        wait_for(lambda: quota.looks() > 0, "a look", LONG_S)
        server.ingest("Hello")
        tab.rows_until(lambda rows: [row["message"] for row in rows.values()] == ["Hello"])
        server.stop()
    assert quota.looks() == 1


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("This user may not mount a file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_file_system_that_fills_is_told_and_gone_when_solved(
    small: Path, make_server: Callable[..., Server]
) -> None:
    def use(percent: float) -> None:
        """Fill it to a share, whatever else is in it."""
        data = small / "data"
        data.unlink(missing_ok=True)
        state = os.statvfs(small)
        size = int(percent / 100 * state.f_blocks - state.f_blocks + state.f_bfree)
        with data.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size * state.f_frsize)

    server = make_server(
        timings=QUICK, config={"NotifyApp": {"watch_home": True}}, env={"HOME": str(small)}
    )
    with server.websocket():
        use(93)
        wait_for(lambda: [row["type"] for row in rows(server)] == ["warning"], "90 %", LONG_S)
        [warning] = rows(server)
        assert warning["message"].startswith("Your home directory is 9")
        assert warning["message"].endswith("of 64.0 MiB")
        assert "| ` data ` |" in server.detail(warning["id"])["body"]
        use(98.8)
        wait_for(lambda: [row["type"] for row in rows(server)] == ["error"], "98 %", LONG_S)
        use(50)
        wait_for(lambda: rows(server) == [], "its end", LONG_S)
