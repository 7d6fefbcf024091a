"""Fixtures of these tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.storage import (
    Storage,
)

from ...support.storage import (
    Clock,
    Make,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notify" / "notifications.sqlite"


@pytest.fixture
def make(path: Path, clock: Clock) -> Iterator[Make]:
    made: list[Storage] = []

    def _make(**options: Any) -> Storage:
        store = Storage(
            options.pop("path", path), clock=clock, monotonic=lambda: clock() / 1000, **options
        )
        made.append(store)
        return store

    yield _make
    for store in made:
        store.close()


@pytest.fixture
def store(make: Make) -> Storage:
    return make()


@pytest.fixture
def backup() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:")
    yield db
    db.close()
