"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.storage import Storage

from ....support.remote import (
    Make,
)
from ....support.storage import QUICK, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notify" / "notifications.sqlite"


@pytest.fixture
def make(path: Path, clock: Clock) -> Iterator[Make]:
    made: list[Storage] = []

    def _make(central: str = "central", **options: Any) -> Storage:
        store = Storage(
            path,
            clock=clock,
            monotonic=lambda: clock() / 1000,
            central=central,
            **{"timings": QUICK, **options},
        )
        made.append(store)
        return store

    yield _make
    for store in made:
        store.close()


@pytest.fixture
def store(make: Make) -> Storage:
    return make()
