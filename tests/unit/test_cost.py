"""The cost of a start and of a message, as far as it can be counted without a clock."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.storage import Storage, database_file, repositories
from jupyterlab_notify.storage.repositories import Repositories

from ..support.storage import receive

#: Modules that no server needs before something is stored or asked for, those that many servers
#: never need, and one that is for type checkers only.
LEFT_OUT = (
    "models",
    "pictures",
    "sources.central",
    "sources.home",
    "sources.nublado",
    "sources.source",
    "sources.welcome_files",
    "storage.expiry",
    "storage.faults",
    "storage.fields",
    "storage.leases",
    "storage.notifications",
    "storage.outbox",
    "storage.pictures",
    "storage.pruning",
    "storage.quiet",
    "storage.recovery",
    "storage.remote",
    "storage.replies",
    "storage.repositories",
    "storage.shapes",
    "storage.welcome",
    "validation_errors",
    "visible",
    "wiring",
)
#: Modules that are needed once the file is opened, which is a second after the server's start.
OPENING = (
    "storage.age",
    "storage.batch",
    "storage.connection",
    "storage.database_file",
    "storage.engine",
    "storage.log_watch",
    "storage.maintenance",
    "storage.schema",
)

START = f"""
import sys
from pathlib import Path

from jupyterlab_notify.app import NotifyApp
from jupyterlab_notify.storage import Storage

def print_imported(names):
    print(*(name for name in names if f"jupyterlab_notify.{{name}}" in sys.modules))

storage = Storage(Path(sys.argv[1]), central="a tag")
print_imported({OPENING + LEFT_OUT})
# As the worker does, a second after the server's start.
storage.run([])
print_imported({OPENING + LEFT_OUT})
# So that the test could fail; and a fault may come when no file can be opened any more.
storage.run([(lambda tx: None, False)])
storage.remote, storage.leases
print_imported({LEFT_OUT})
"""


def test_an_idle_start_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path / "file.sqlite")],
        capture_output=True,
        text=True,
        check=True,
    )
    started, opened, used = (line.split() for line in ran.stdout.splitlines())
    assert started == []
    assert opened == list(OPENING)
    at_a_fault = {"storage.faults", "storage.recovery"}
    in_use = {"storage.remote", "storage.leases", "storage.notifications"}
    assert at_a_fault | in_use <= set(used)


def test_an_idle_server_keeps_few_compiled_statements(tmp_path: Path) -> None:
    # Not those of the migrations, which a new file has just run: they take 4 KB each.
    def compiled() -> int:
        # Not `type(each).__name__`: a test may have left a class that answers no questions.
        names = (type.__getattribute__(type(each), "__name__") for each in gc.get_objects())
        return sum(name == "Statement" for name in names)

    before = compiled()
    storage = Storage(tmp_path / "file.sqlite")
    storage.run([])
    assert 0 < compiled() - before <= 32
    storage.close()


def test_both_threads_get_the_same_repositories(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(None)
    begun, go_on = threading.Event(), threading.Event()

    class SlowRepositories(Repositories):
        def __init__(self, central: str) -> None:
            super().__init__(central)
            begun.set()
            assert go_on.wait(30)

    monkeypatch.setattr(repositories, "Repositories", SlowRepositories)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(lambda: storage.welcome)
        assert begun.wait(30)
        other = threads.submit(lambda: storage.welcome)
        go_on.set()
        assert one.result() is other.result()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """A file with a write-ahead log, after its first message and the work that follows it."""
    monkeypatch.setattr(database_file, "file_system", lambda path: "ext4")
    store = Storage(tmp_path / "file.sqlite")
    receive(store)
    assert store.engine.mode == "wal"
    return store


def test_a_message_takes_five_statements(store: Storage) -> None:
    statements: list[str] = []
    store.engine._connection.set_trace_callback(lambda sql: statements.append(sql.split()[0]))
    receive(store)
    # SQLite reports what a trigger does under the statement that fires the trigger.
    assert [name for name, _ in groupby(statements)] == [
        *("BEGIN", "SELECT", "INSERT", "UPDATE", "COMMIT")
    ]


def test_a_message_takes_few_calls(store: Storage) -> None:
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    # Every fourth message measures the database too.
    for _ in range(4):
        sys.setprofile(count)
        receive(store)
        sys.setprofile(None)
    # 250 now, of which 18 look at the log; 36 more with generators for the checks of a batch.
    assert calls / 4 <= 255


def test_a_message_looks_four_times_into_its_log_and_its_index(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(store)
    sizes: list[int] = []
    read = os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        sizes.append(size)
        return read(descriptor, size, offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", counted)
        receive(store)
    assert sizes == [136, 32, 24, 24]


def test_a_message_asks_for_three_files_before_and_after_its_commit(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    def count(name: str) -> Callable[..., Any]:
        call = getattr(os, name)

        def counted(path: Any, *args: Any, **options: Any) -> Any:
            calls[f"{name} {Path(path).name}"] += 1
            return call(path, *args, **options)

        return counted

    with monkeypatch.context() as patch:
        for name in ("stat", "lstat", "readlink"):
            patch.setattr(os, name, count(name))
        receive(store)
    assert calls == {
        "lstat file.sqlite": 2,
        "stat file.sqlite-wal": 2,
        "stat file.sqlite-shm": 2,
    }
