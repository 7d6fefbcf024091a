"""The user's own home directory: when there is a message, what it says, and when it goes."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyterlab_notify.sources import home
from jupyterlab_notify.sources.home import (
    HomeSource,
    Meter,
    Part,
    Usage,
    body_of,
    file_system,
    largest,
    level_of,
    read_quota,
    size_text,
    summary_of,
)
from jupyterlab_notify.timings import SourceTimings

#: The output of `quota -w -p` (quota-tools 4.06).
QUOTA = """\
Disk quotas for user ada (uid 1000):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
      /dev/sdb1 9437184* 9000000 10000000 1732786543    4500       0       0       0
"""
NO_LIMIT = """\
Disk quotas for user ada (uid 1000):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
      server:/export/home  9437184       0       0       0    4500    5000    6000       0
"""


def test_a_level_begins_at_its_share_and_holds_until_it_is_clearly_over():
    assert [level_of(percent, set()) for percent in (0, 89.9, 90, 97.9, 98, 100)] == [
        *(0, 0, 90, 90, 98, 98)
    ]
    assert level_of(89, {90}) == 90
    assert level_of(87.9, {90}) == 0
    assert level_of(96.5, {98}) == 98
    assert level_of(95.9, {98}) == 90


def test_a_quota_is_read_as_the_program_prints_it():
    assert list(read_quota(QUOTA)) == [Usage(9437184 * 1024, 9000000 * 1024)]
    assert list(read_quota(NO_LIMIT)) == [Usage(4500, 5000, "files")]
    assert list(read_quota("quota: Mountpoint (or device) / not found")) == []
    assert list(read_quota("")) == []


def test_a_quota_goes_before_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A stand-in for the program: setting a real quota needs a file system of one's own.
    program = tmp_path / "bin" / "quota"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{QUOTA}END\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    found = Meter()(tmp_path)
    assert found is not None
    assert found.limit == 9000000 * 1024
    assert summary_of(found) == "Your home directory is 100 % full: 9.0 GiB of 8.6 GiB"


def test_a_program_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "quota"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(home, "QUOTA_TIMEOUT_S", 0.2)
    usage = Meter()(tmp_path)
    assert usage is not None
    assert usage.limit == next(file_system(tmp_path)).limit


def test_a_quota_that_is_not_told_in_time_is_not_the_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The program's answers are a quota, then none in time, then that there is no quota."""
    answers = iter([[Usage(9, 10)], None, []])
    monkeypatch.setattr(home, "quotas", lambda _: next(answers))
    meter = Meter()
    assert meter(tmp_path) == Usage(9, 10)
    assert meter(tmp_path) is None
    usage = meter(tmp_path)
    assert usage is not None and usage.limit > 10


def test_the_file_system_is_as_full_as_df_says(tmp_path: Path):
    usage = next(file_system(tmp_path))
    state = os.statvfs(tmp_path)
    assert usage.limit - usage.used <= state.f_blocks * state.f_frsize
    assert 0 <= usage.percent <= 100


@pytest.mark.parametrize(
    ("blocks", "files", "says"),
    [
        # Total, free, and free to users.
        ((0, 0, 0), (0, 0, 0), None),
        ((100, 50, 0), (0, 0, 0), "100 % full: 200 KiB of 200 KiB"),
        ((100, 50, 50), (400, 0, 0), "100 % full: 400 of 400 files"),
        ((100, 100, 100), (0, 0, 0), "0 % full: 0 B of 400 KiB"),
        # Some say more free than there are.
        ((100, 200, 200), (10, 20, 20), "0 % full"),
    ],
    ids=["no size", "the rest is root's", "no inodes left", "empty", "nonsense"],
)
def test_whatever_a_file_system_says_of_itself(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    blocks: tuple[int, ...],
    files: tuple[int, ...],
    says: str | None,
):
    state = os.statvfs_result((4096, 4096, *blocks, *files, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: state)
    monkeypatch.setattr(home, "quotas", lambda _: [])
    found = Meter()(tmp_path)
    if says is None:
        assert found is None
    else:
        assert found is not None
        assert says in summary_of(found)
        assert level_of(found.percent, set()) == (98 if says.startswith("100") else 0)


def test_a_file_system_that_fails_or_hangs_holds_nothing_up(tmp_path: Path):
    told: list[Usage] = []
    looks = 0
    hangs, mended = threading.Event(), threading.Event()

    def measure(_: Path) -> Usage:
        nonlocal looks
        looks += 1
        if looks <= 2:
            raise OSError(errno.ESTALE, "Stale file handle")
        if looks == 3:
            hangs.set()
            assert mended.wait(60)
        return Usage(95, 100)

    class Recording(HomeSource):
        async def _tell(self, usage: Usage) -> None:
            told.append(usage)

    async def main() -> None:
        timings = SourceTimings(home_interval_s=0.01)
        context: Any = SimpleNamespace(timings=timings, log=logging.getLogger("test"))
        source = Recording(context, tmp_path, measure)
        source.wake()
        # A check that fails is repeated; a check that hangs does not block the event loop.
        await asyncio.to_thread(hangs.wait, 60)
        for _ in range(5):
            # Other tabs open and close: there is still only one check, which hangs.
            source.sleep()
            source._looked_at = float("-inf")
            source.wake()
            await asyncio.sleep(0)
        assert (looks, told) == (3, [])
        mended.set()
        while len(told) < 2:  # noqa: ASYNC110  # a thread tells of it
            await asyncio.sleep(0.01)
        await source.stop()

    asyncio.run(asyncio.wait_for(main(), 60))
    assert set(told) == {Usage(95, 100)}


def test_what_takes_the_space_is_the_largest_with_all_below_it(tmp_path: Path):
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "deep" / "big").write_bytes(os.urandom(400_000))
    (tmp_path / "small.txt").write_bytes(os.urandom(50_000))
    (tmp_path / "link").symlink_to(tmp_path / "data")
    (tmp_path / ".cache").mkdir()
    for name in ("a", "b"):
        # One file with two names is not there twice.
        os.link(tmp_path / "small.txt", tmp_path / ".cache" / name)
    parts = largest(tmp_path)
    assert parts[0].name == "data/"
    assert parts[0].complete
    assert 400_000 <= parts[0].size < 500_000
    assert sum(part.size for part in parts) < 600_000
    assert next(part.size for part in parts if part.name == "link") < 10_000


def test_the_look_at_what_takes_the_space_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(home, "MAX_ENTRIES", 100)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for number in range(300):
            (tmp_path / folder / str(number)).write_bytes(b"x")
    parts = largest(tmp_path)
    assert {part.name for part in parts} == {"one/", "two/"}
    assert not any(part.complete for part in parts)
    monkeypatch.setattr(home, "MAX_SECONDS", 0.0)
    assert not any(part.complete for part in largest(tmp_path))
    assert largest(tmp_path / "not there") == []


@pytest.mark.parametrize("name", ["a|b", "``x`", "<b>", "\x1b[2J", "x" * 300, "bad\udcff"])
def test_the_name_of_a_file_is_text_and_nothing_else(name: str):
    body = body_of([Part(name, 1024, False)], Usage(95, 100))
    row = body.splitlines()[-1]
    assert row.count("|") - row.count("\\|") == 3
    assert row.isprintable()
    body.encode()
    assert "more than 1.0 KiB" in row


def test_sizes_are_as_people_read_them():
    assert [size_text(size) for size in (0, 999, 1024, 10 * 1024**3, 2048 * 1024**4)] == [
        *("0 B", "999 B", "1.0 KiB", "10.0 GiB", "2.0 PiB")
    ]
