"""Another program changes a database in use, its log or the log's index in place."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.storage import Storage, database_file, faults, no_operation
from jupyterlab_notify.storage.log_watch import _checksum
from jupyterlab_notify.timings import StorageTimings

from ..support.file_damage import DAMAGES, HARMLESS
from ..support.file_faults import checkpoint
from ..support.storage import QUICK, check_sound, do, live, message, receive, status

ROOT = Path(__file__).parents[2]
#: Longer than the steps in which a file system counts the time of a change.
TICK_S = 0.03

#: Damages the files of one server after the other, each in a folder of its own.
PROGRAM = """
import logging, os, sys, time
from pathlib import Path
from jupyterlab_notify.storage import Storage, database_file
from tests.support.file_damage import DAMAGES, HARMLESS
from tests.support.file_faults import checkpoint
from tests.support.storage import do, message, receive, status

logging.basicConfig(level=logging.WARNING, format="warning: %(message)s", stream=sys.stdout)
database_file.file_system = lambda path: "ext4"
stores = []
for how, damage in (DAMAGES | HARMLESS).items():
    print("how:", how, flush=True)
    path = Path(sys.argv[1], how, "file.sqlite")
    store = Storage(path)
    for number in range(20):
        receive(store, f"before {number}")
    if sys.argv[2] == "in the file":
        checkpoint(path)
        for number in range(3):
            receive(store, f"again {number}")
    time.sleep(float(sys.argv[3]))
    damage(path)
    for number in range(20):
        row = message(f"after {number}")
        stored = do(store, lambda tx: store.notifications.add(tx, row))
        print("durable:", stored.durable, flush=True)
    print("problem:", status(store)["problem"], flush=True)
    stores.append(store)
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module", params=["in the log", "in the file"])
def killed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, list[str]]]:
    """The folder of servers that were killed, and what each has printed."""
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, folder, request.param, str(TICK_S)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    printed: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("how: "):
            lines = printed[line.removeprefix("how: ")] = []
        else:
            lines.append(line)
    assert done.returncode == -signal.SIGKILL, f"{list(printed)[-1]}: {done.stderr}"
    return folder, printed


@pytest.mark.parametrize("how", DAMAGES | HARMLESS)
def test_what_was_called_durable_is_there_after_a_kill_whatever_was_damaged(
    killed: tuple[Path, dict[str, list[str]]], how: str
) -> None:
    folder, printed = killed
    lines = printed[how]
    assert lines.count("durable: True") == 20
    assert lines[-1] == "problem: None"
    said = [line for line in lines if "Another program has changed" in line]
    assert len(said) == (how in DAMAGES), "a damage is said once, and what does no harm is not"
    path = folder / how / "file.sqlite"
    again = Storage(path)
    texts = {row["message"] for row in live(again).values()}
    assert {f"{when} {number}" for when in ("before", "after") for number in range(20)} <= texts
    again.close()
    check_sound(path)


@pytest.fixture
def store(path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    monkeypatch.setattr(database_file, "file_system", lambda path: "ext4")
    store = Storage(path, timings=QUICK)
    for number in range(20):
        receive(store, f"before {number}")
    assert store.engine.mode == "wal"
    time.sleep(TICK_S)
    return store


@pytest.mark.parametrize("how", ["the log cut in half", "the log emptied", "the file emptied"])
def test_closing_copies_no_damage_into_the_file(path: Path, store: Storage, how: str) -> None:
    DAMAGES[how](path)
    store.close()
    check_sound(path)
    again = Storage(path)
    assert len(live(again)) == 20
    again.close()


@pytest.mark.parametrize("how", [how for how in DAMAGES if "index" not in how])
def test_reading_mends_the_damage_too(path: Path, store: Storage, how: str) -> None:
    DAMAGES[how](path)
    assert len(live(store)) == 20
    assert store.engine.durable
    store.close()
    check_sound(path)


SURVIVOR = """
import sys, time
from pathlib import Path
from jupyterlab_notify.storage import Storage, database_file
from tests.support.file_damage import DAMAGES
from tests.support.storage import live, receive

database_file.file_system = lambda path: "ext4"
for what in ("read", "close"):
    store = Storage(Path(sys.argv[1]))
    receive(store)
    DAMAGES[sys.argv[2]](store.engine.path)
    if what == "read":
        assert live(store)
    store.close()
"""


@pytest.mark.parametrize("how", [how for how in DAMAGES if "index" in how])
def test_neither_reading_nor_closing_is_ended_by_a_shortened_index(path: Path, how: str) -> None:
    """In a process of its own, which the system would end."""
    subprocess.run([sys.executable, "-c", SURVIVOR, path, how], check=True, cwd=ROOT)
    again = Storage(path)
    assert len(live(again)) == 2
    again.close()
    check_sound(path)


def test_what_is_damaged_during_a_commit_is_stored_once_more(
    path: Path, store: Storage, log: Callable[[int], list[str]]
) -> None:
    row = message("in between")
    cut: list[bool] = []

    def call(tx: Any) -> Any:
        if not cut:
            cut.append(True)
            DAMAGES["the log emptied"](path)
        return store.notifications.add(tx, row)

    assert do(store, call).durable
    store.engine._disconnect()
    again = Storage(path)
    assert len(live(again)) == 21
    again.close()
    check_sound(path)
    assert sum("Another program" in line for line in log(logging.WARNING)) == 1


def test_a_shorter_log_sets_no_page_back_that_the_file_holds_already(
    path: Path, store: Storage
) -> None:
    """The log's beginning, replayed onto a newer file, would make it corrupt."""
    store.engine._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert store.engine._file is not None
    store.engine._file.note_write()
    store.run([(no_operation, False)])
    DAMAGES["the log cut in half"](path)
    receive(store, "after")
    assert len(live(store)) == 21
    store.close()
    check_sound(path)


OTHER = """
import sys
from pathlib import Path
from jupyterlab_notify.storage import Storage, database_file
from jupyterlab_notify.timings import StorageTimings
from tests.support.storage import receive

database_file.file_system = lambda path: "ext4"
store = Storage(Path(sys.argv[1]), timings=StorageTimings(busy_timeout_s=60))
for number in range(300):
    receive(store, f"other {number}", body="x" * 5000)
store.close()
"""


def test_another_server_of_the_same_home_is_not_taken_for_damage(
    path: Path, store: Storage, log: Callable[[int], list[str]]
) -> None:
    store.close()
    # SQLite's waiting is not fair: on a busy machine one of two may wait for long.
    store = Storage(path, timings=StorageTimings(busy_timeout_s=60))
    with subprocess.Popen([sys.executable, "-c", OTHER, path], cwd=ROOT) as other:
        number = 0
        while other.poll() is None:
            receive(store, f"ours {number}", body="x" * 5000)
            number += 1
    assert other.returncode == 0
    checkpoint(path)
    receive(store, "last")
    assert log(logging.WARNING) == []
    assert len(live(store)) == 20 + 300 + number + 1
    store.close()
    check_sound(path)


def test_a_damage_is_mended_while_another_server_has_the_file_open(
    path: Path, store: Storage
) -> None:
    wait = "import sys; from tests.support.storage import *; from pathlib import Path\n"
    wait += "store = Storage(Path(sys.argv[1])); receive(store, 'other')\n"
    wait += "print('open', flush=True); sys.stdin.readline(); receive(store, 'more'); store.close()"
    with subprocess.Popen(
        [sys.executable, "-c", wait, path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == "open\n"
        receive(store, "between")
        time.sleep(TICK_S)
        DAMAGES["the log cut in half"](path)
        receive(store, "after")
        other.stdin.write("\n")
        other.stdin.close()
        assert other.wait() == 0
    assert len(live(store)) == 24
    assert status(store)["problem"] is None
    store.close()
    check_sound(path)


def test_a_log_of_a_machine_with_the_other_byte_order_has_the_same_checksum() -> None:
    words = 1, 2, 3, 2**32 - 1
    little, big = struct.pack("<4I", *words), struct.pack(">4I", *words)
    assert _checksum(little, (5, 6), big=False) == _checksum(big, (5, 6), big=True)


@pytest.fixture
def malformed_once(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite take the file for corrupt, as it does if it cannot read the beginning of it."""

    class Misled(sqlite3.Connection):
        told = False

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql.startswith("BEGIN") and not Misled.told and store.engine.durable:
                Misled.told = True
                raise sqlite3.DatabaseError("database disk image is malformed")
            return super().execute(sql, *values)

    connect = sqlite3.connect
    store.engine._disconnect()
    with monkeypatch.context() as patch:
        patch.setattr(
            sqlite3, "connect", lambda *args, **how: connect(*args, **how, factory=Misled)
        )
        Misled.told = True
        store.engine.open()
        Misled.told = False


@pytest.mark.usefixtures("malformed_once")
def test_a_file_that_could_not_be_read_for_a_moment_stays(path: Path, store: Storage) -> None:
    receive(store, "during")
    receive(store, "after")
    assert not list(path.parent.glob("*.corrupt-*"))
    assert status(store)["problem"] is None
    assert len(live(store)) == 22
    store.close()
    check_sound(path)


@pytest.mark.usefixtures("malformed_once")
def test_a_disk_that_cannot_be_read_is_not_taken_for_a_corrupt_file(
    path: Path, store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(faults, "read_through", fail)
        row = message("during")
        assert not do(store, lambda tx: store.notifications.add(tx, row)).durable
        assert "Input/output error" in str(store.engine.problem)
    receive(store, "after")
    assert not list(path.parent.glob("*.corrupt-*"))
    assert len(live(store)) == 22
    store.close()
    check_sound(path)


def test_a_system_without_these_locks_stores_messages_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(database_file, "file_system", lambda path: "ext4")
    store = Storage(tmp_path / "file.sqlite")
    id_ = receive(store, "kept")
    assert status(store)["durable"]
    assert id_ in live(store)
