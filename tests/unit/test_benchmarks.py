"""The benchmarks run: what measures the product changes with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jupyterlab_notify.storage import Storage
from jupyterlab_notify.storage.notifications import Query

from ..support.servers import ROOT

BENCHMARKS = ROOT / "benchmarks"


def test_ingest_is_measured_beside_the_no_op() -> None:
    command = [sys.executable, "bench_ingest.py", "--seconds", "0.05", "--rounds", "1"]
    ran = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    rows = [line.split("|")[1:3] for line in ran.stdout.splitlines() if line.startswith("| 16")]
    assert [name.strip() for _, name in rows] == ["no-op", "ingest"]


def test_the_history_that_is_measured_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    from bench_history import fill

    fill(tmp_path / "history.db", 100)
    store = Storage(tmp_path / "history.db")
    (page,) = store.run(
        [(lambda tx: store.notifications.page(tx, Query(view="unread", limit=50)), False)]
    )
    store.close()
    assert len(page["notifications"]) == 10
