"""A central service that is restored from a backup: the lab shows what it has now."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ...support.servers import Server, wait_for
from ...support.service import Service, follows, lab_beside, row_of


@pytest.mark.parametrize("count", [2, 4], ids=["as many", "more"])
def test_what_was_sent_after_a_restoration_is_not_taken_for_what_was_lost(
    make_server: Callable[..., Server], tmp_path: Path, count: int
) -> None:
    service = Service(tmp_path / "service").start()
    path = service.directory / "jupyterhub-notify.sqlite"
    # Its passes are at least a sixth of this apart.
    lab = lab_beside(service, make_server, interval_s=6.0)
    try:
        service.send("Kept")
        with lab.websocket() as tab:
            follows(lab)
            row_of(tab, "Kept")
            backup = service.directory / "backup.sqlite"
            with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(backup)) as to:
                now.backup(to)
            for index in range(2):
                service.send(f"Lost {index}")
                lost = row_of(tab, f"Lost {index}")
                lab.change(lost["id"], read=True)
            wait_for(lambda: service.unread() == ["Kept"], "both to be read there")
            service.stop()
            for rest in ("-wal", "-shm"):
                path.with_name(path.name + rest).unlink(missing_ok=True)
            path.write_bytes(backup.read_bytes())
            service.start()
            for index in range(count):
                service.send(f"New {index}")
            for index in range(count):
                assert row_of(tab, f"New {index}")["read"] is None
            shown = {"Kept", *(f"New {index}" for index in range(count))}
            wait_for(
                lambda: {one["message"] for one in lab.page()["notifications"]} == shown,
                "the lost ones to go",
            )
    finally:
        service.stop()
