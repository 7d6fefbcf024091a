"""The benchmarks run: what measures the product changes with it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from jupyterlab_notify.storage import Storage
from jupyterlab_notify.storage.notifications import Query

from ..support.servers import ROOT

BENCHMARKS = ROOT / "benchmarks"


def measured(name: str, *options: str) -> str:
    """Run a benchmark; return what it printed."""
    command = [sys.executable, name, *options]
    ran = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_ingest_is_measured_beside_the_no_op() -> None:
    table = measured("bench_ingest.py", "--seconds", "0.05", "--rounds", "1")
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| 16")]
    assert [name.strip() for _, name in rows] == ["no-op", "ingest"]


def test_the_requests_of_a_tracked_loop_are_counted() -> None:
    table = measured("bench_track.py", "--rounds", "1", "--steps", "1000")
    sent = re.search(r"(\d+) requests, at most (\d+) in any second", table)
    assert sent is not None
    assert int(sent[1]) >= int(sent[2]) > 0


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
