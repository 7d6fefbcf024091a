"""A whole server with something wrong."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from jupyterlab_notify.storage import Storage
from jupyterlab_notify.timings import StorageTimings, Timings

from ..support import file_faults as places
from ..support.manager import (
    corrupt_header,
    history,
)
from ..support.sending import Api
from ..support.servers import NAMESPACE, Server, wait_for
from ..support.storage import QUICK, check_sound, live


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (places.read_only, "cannot be written"),
        (places.disk_full, "full"),
        (places.newer_schema, "newer version"),
        (places.a_folder_in_its_place, "is not a file"),
        (corrupt_header, "corrupt"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_server_works_whatever_is_wrong_with_the_database(
    make_server: Callable[..., Server], fault: Any, said: str
) -> None:
    # The store tries again every ten seconds; nobody wants to wait for that here.
    server = make_server(
        start=False,
        timings=Timings(storage=StorageTimings(heal_interval_s=0.1)),
    )
    with ExitStack() as stack:
        if fault is places.disk_full:
            stack.enter_context(places.small_disk(server.database.parent))
        old = history(server.database)
        broken = stack.enter_context(ExitStack())
        if fault is corrupt_header:
            corrupt_header(server.database)
        else:
            broken.enter_context(fault(server.database))
        server.start()
        stack.callback(server.stop)
        with Api(server.url, server.token).kernel() as kernel, server.websocket() as tab:
            tab.receive()
            sent = server.ingest("meanwhile", body="x" * 30_000)
            rows = tab.rows_until(lambda rows: sent["notification_id"] in rows)
            assert rows[sent["notification_id"]]["message"] == "meanwhile"
            assert sent["durable"] is (fault is corrupt_header)
            status = server.status()["store"]
            assert status["durable"] is sent["durable"]
            if fault is corrupt_header:
                assert ".corrupt-" in status["setAside"]
            else:
                assert said in status["problem"]
            assert kernel.ok("6 * 7") == "42"
            if fault in (places.read_only, places.disk_full):
                assert set(old) <= {row["id"] for row in server.page()["notifications"]}
            (warning,) = [line for line in server.log.splitlines() if "[W" in line and said in line]
            assert str(server.database) in warning
            broken.close()
            wait_for(lambda: server.status()["store"]["durable"], "the store's recovery")
            assert kernel.ok("6 * 8") == "48"
        assert "Traceback" not in server.log
        server.stop()
        ours = [line for line in server.log.splitlines() if "otification" in line and "[W" in line]
        assert len(ours) == 1, ours
        # Look for our own traceback only: a kernel that is stopped while it starts logs one too.
        assert "jupyterlab_notify/" not in server.log
        recovered = [line for line in server.log.splitlines() if "works again" in line]
        assert len(recovered) == (fault is not corrupt_header)
        store = Storage(server.database, timings=QUICK)
        texts = [row["message"] for row in live(store).values()]
        store.close()
        assert texts.count("meanwhile") == 1
        if fault is corrupt_header:
            (aside,) = server.database.parent.glob("*.corrupt-*")
            assert places.content(aside).startswith(b"garbage!" * 512)
        else:
            assert len(texts) == len(old) + 1
        check_sound(server.database)


def test_a_server_without_free_descriptors_asks_to_wait_and_goes_on(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    process = server.process
    assert process is not None
    # The connection of the requests is kept, so that they need no descriptor themselves.
    server.request("GET", "/api/status")
    limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    most = max(int(name) for name in os.listdir(f"/proc/{process.pid}/fd")) + 1
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (most, limits[1]))
    for method, path, value in (
        ("POST", "ingest", {"message": "m"}),
        ("GET", "status", None),
        ("GET", "notifications", None),
        ("GET", "welcome", None),
        ("POST", "welcome/reset", {}),
    ):
        answer = server.request(method, f"/{NAMESPACE}/{path}", value)
        assert answer.status_code == 503, path
        assert "too many files open" in answer.json()["message"]
        assert int(answer.headers["Retry-After"]) > 0
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
    assert server.ingest("after")["durable"]
    assert [row["message"] for row in server.page()["notifications"]] == ["after"]
    server.restart()
    assert [row["message"] for row in server.page()["notifications"]] == ["after"]
