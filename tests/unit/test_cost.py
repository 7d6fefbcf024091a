"""The cost of a start and of a message, as far as it can be counted without a clock."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.storage import Storage, database_file

from ..support.storage import receive

#: Modules that many servers never need, and one that is for type checkers only.
LEFT_OUT = (
    "models",
    "pictures",
    "sources.central",
    "sources.home",
    "sources.welcome_files",
    "storage.leases",
    "storage.pictures",
    "storage.remote",
    "storage.shapes",
)

START = f"""
import sys
from pathlib import Path

from jupyterlab_notify.app import NotifyApp
from jupyterlab_notify.storage import Storage, no_operation

def print_imported():
    print([name for name in {LEFT_OUT} if f"jupyterlab_notify.{{name}}" in sys.modules])

storage = Storage(Path(sys.argv[1]), central="a tag")
storage.run([(no_operation, True)])
print_imported()
# So that the test could fail.
storage.remote, storage.leases
print_imported()
"""


def test_an_idle_start_imports_nothing_that_only_some_servers_need(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path / "file.sqlite")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines() == ["[]", "['storage.leases', 'storage.remote']"]


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
    # What a trigger does is reported under the name of the statement that it belongs to.
    assert [name for name, _ in groupby(statements)] == [
        *("BEGIN", "SELECT", "INSERT", "UPDATE", "COMMIT")
    ]


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
