"""What is in the place of SQLite's files beside the database is said once, and waited for."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyterlab_notify.storage import Storage

from ..support.storage import QUICK, live, receive

OBSTACLES: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to(path.with_name("nothing")),
    "a link to itself": lambda path: path.symlink_to(path),
}


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

    def use() -> None:
        store = Storage(path, timings=QUICK)
        for number in range(3):
            receive(store, f"meanwhile {number}")
        found.append(store.engine.durable)
        os.rmdir(obstacle) if obstacle.is_dir() else os.unlink(obstacle)
        receive(store, "after")
        found.append(store.engine.durable)
        store.close()

    found: list[bool] = []
    # A daemon: SQLite would wait for a pipe for ever.
    thread = threading.Thread(target=use, daemon=True)
    with caplog.at_level(logging.WARNING):
        thread.start()
        thread.join(20)
    assert found == [False, True]
    (said,) = caplog.messages
    assert f"while {obstacle} is not a file" in said
    store = Storage(path, timings=QUICK)
    texts = {row["message"] for row in live(store).values()}
    assert texts == {"before", "meanwhile 0", "meanwhile 1", "meanwhile 2", "after"}
    store.close()
