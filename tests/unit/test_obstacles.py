"""What is in the place of SQLite's files beside the database is said once, and waited for."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyterlab_notify.storage import Storage, database_file

from ..support.storage import QUICK, live, receive

OBSTACLES: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to(path.with_name("nothing")),
    "a link to itself": lambda path: path.symlink_to(path),
}


def use_beside(path: Path, obstacle: Path, put: Callable[[], None], found: list[bool]) -> None:
    """Store something before and after an obstacle is put there and taken away."""
    store = Storage(path, timings=QUICK)
    receive(store, "opened")
    put()
    for number in range(3):
        receive(store, f"meanwhile {number}")
    found.append(store.engine.durable)
    os.rmdir(obstacle) if obstacle.is_dir() else os.unlink(obstacle)
    receive(store, "after")
    found.append(store.engine.durable)
    store.close()


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("name", OBSTACLES)
def test_a_file_without_a_log_waits_for_no_pipe_in_the_place_of_its_journal(
    tmp_path: Path,
    name: str,
    is_open: bool,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database_file, "file_system", lambda path: "nfs4")
    path = tmp_path / "notifications.sqlite"
    obstacle = tmp_path / "notifications.sqlite-journal"
    if not is_open:
        OBSTACLES[name](obstacle)
    found: list[bool] = []
    thread = threading.Thread(
        target=use_beside,
        args=(path, obstacle, lambda: is_open and OBSTACLES[name](obstacle), found),
        daemon=True,
    )
    with caplog.at_level(logging.WARNING):
        thread.start()
        thread.join(20)
    assert found == [False, True]
    assert len(caplog.messages) == 1
    store = Storage(path, timings=QUICK)
    texts = {row["message"] for row in live(store).values()}
    assert texts == {"opened", "meanwhile 0", "meanwhile 1", "meanwhile 2", "after"}
    store.close()


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("name", OBSTACLES)
def test_an_obstacle_is_said_once_and_what_came_meanwhile_is_stored_once_it_is_gone(
    tmp_path: Path, suffix: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "notifications.sqlite"
    before = Storage(path, timings=QUICK)
    receive(before, "before")
    before.close()
    obstacle = path.with_name(path.name + suffix)
    OBSTACLES[name](obstacle)

    found: list[bool] = []
    # A daemon: SQLite would wait for a pipe for ever.
    thread = threading.Thread(
        target=use_beside, args=(path, obstacle, lambda: None, found), daemon=True
    )
    with caplog.at_level(logging.WARNING):
        thread.start()
        thread.join(20)
    assert found == [False, True]
    (said,) = caplog.messages
    assert f"while {obstacle} is not a file" in said
    store = Storage(path, timings=QUICK)
    texts = {row["message"] for row in live(store).values()}
    assert texts == {"before", "opened", "meanwhile 0", "meanwhile 1", "meanwhile 2", "after"}
    store.close()
