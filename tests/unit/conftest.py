"""Fixtures of these tests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notify" / "notifications.sqlite"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[int], list[str]]:
    """Return what was logged at a level, and see to it that no traceback was."""
    caplog.set_level(logging.INFO)

    def at(level: int) -> list[str]:
        assert not [r for r in caplog.records if r.exc_info or r.levelno > logging.WARNING]
        ours = [r for r in caplog.records if r.name.startswith("jupyterlab_notify")]
        return [r.getMessage() for r in ours if r.levelno == level]

    return at
